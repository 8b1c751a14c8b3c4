package notify

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/db"
	"github.com/teiten/teiten/notify/notice"
)

// Limit is how many messages a channel takes in a time. It delays and bundles,
// and never drops.
type Limit struct {
	Messages int    `json:"messages" doc:"How many messages." ja:"件数。"`
	Per      string `json:"per" doc:"In which time, such as 10m." ja:"期間(例: 10m)。"`
}

const (
	// mostBundled is how many messages go together at most, and mostListed how
	// many of them are written out.
	mostBundled, mostListed = 100, 20
	longestPer              = 24 * time.Hour
)

func (l *Limit) per() time.Duration {
	d, err := time.ParseDuration(l.Per)
	if err != nil || d <= 0 {
		return time.Minute // it was checked when the channel was applied
	}
	return d
}

// check judges a limit; none is fine.
func (l *Limit) check(bad report) {
	if l == nil {
		return
	}
	if l.Messages < 1 || l.Messages > 10_000 {
		bad("limit_messages", text.Say("%d is no number of messages", "件数が%dです", l.Messages),
			text.Say("give between 1 and 10000", "1から10000の範囲で指定してください"), "atMost", "messages")
	}
	if d, err := time.ParseDuration(l.Per); err != nil || d < time.Second || d > longestPer {
		bad("limit_per", text.Say("%q is no time for a limit", "%qは期間として使えません", notice.OneLine(l.Per, 40)),
			text.Say("write one between 1s and 24h, such as 10m", "1s から 24h の範囲で、10m のように書いてください"), "atMost", "per")
	}
}

// admits is how many messages more the limit lets through now, and the health
// that counts from now where its time is over.
func (l *Limit) admits(h health, now time.Time) (int, health) {
	if since := now.Sub(h.pacedFrom); since >= l.per() || since < 0 { // the second: the clock was put back
		h.pacedFrom, h.paced = now, 0
	}
	return max(l.Messages-h.paced, 0), h
}

// pace chooses what a limited channel may begin of what is due. What was begun
// before goes in any case. Where more is new than the limit lets through, all of
// it goes as one message; where the limit is spent, it waits.
func (s *Service) pace(ctx context.Context, tx *sql.Tx, c Channel, h health, due []Delivery, now time.Time) ([]Delivery, error) {
	left, h := c.Spec.AtMost.admits(h, now)
	var ready []Delivery
	fresh := map[string][]Delivery{}
	for _, d := range due {
		if d.Attempts > 0 {
			ready = append(ready, d)
			continue
		}
		fresh[d.Recipient] = append(fresh[d.Recipient], d)
	}
	for _, recipient := range slices.Sorted(maps.Keys(fresh)) {
		waiting := fresh[recipient]
		if left == 0 {
			break
		}
		if len(waiting) > left {
			lead, err := s.bundle(ctx, tx, waiting)
			if err != nil {
				return nil, err
			}
			waiting = []Delivery{lead}
		}
		left, h.paced = left-len(waiting), h.paced+len(waiting)
		ready = append(ready, waiting...)
	}
	return ready, putHealth(ctx, tx, c.Name, h)
}

// bundled names one of the messages that went together.
type bundled struct {
	Delivery string    `json:"delivery"`
	Entry    string    `json:"entry"`
	Key      string    `json:"key"`
	Subject  string    `json:"subject"`
	Title    text.Both `json:"title"`
}

// bundle makes one message of several that wait: the first carries the others.
// None of them was sent before, so that its key has told nobody anything else.
func (s *Service) bundle(ctx context.Context, tx *sql.Tx, waiting []Delivery) (Delivery, error) {
	lead := waiting[0]
	lead.Message = together(waiting)
	message, err := json.Marshal(lead.Message)
	if err != nil {
		return lead, fmt.Errorf("bundle: %w", err)
	}
	q := db.New(tx)
	if err := q.Bundle(ctx, db.BundleParams{ID: lead.ID, Message: string(message)}); err != nil {
		return lead, fmt.Errorf("bundle: %w", err)
	}
	for _, d := range waiting[1:] {
		if err := q.Carry(ctx, db.CarryParams{ID: d.ID, Carrier: lead.ID}); err != nil {
			return lead, fmt.Errorf("bundle: %w", err)
		}
	}
	return lead, nil
}

// together is the message that says what several say.
func together(waiting []Delivery) Message {
	m := waiting[0].Message
	one := notice.OneLine(m.Title.In(text.EN), 120)
	japanese := notice.OneLine(m.Title.In(text.JA), 120)
	m.Title = text.Both{
		EN: fmt.Sprintf("%d messages: %s, …", len(waiting), one),
		JA: fmt.Sprintf("%d件: %s ほか", len(waiting), japanese),
	}
	m.Phase, m.Facts, m.Look, m.Actions = "", nil, nil, nil
	var body text.Both
	var ids []bundled
	for i, d := range waiting {
		ids = append(ids, bundled{d.ID, d.Message.Entry, d.Message.Key, d.Message.Subject, d.Message.Title})
		if cmp.Compare(urgency(d.Message.Severity), urgency(m.Severity)) > 0 {
			m.Severity = d.Message.Severity
		}
		if i >= mostListed {
			continue
		}
		body.EN += "• " + d.Message.Title.In(text.EN) + "\n"
		body.JA += "• " + d.Message.Title.In(text.JA) + "\n"
		for _, a := range d.Message.Actions {
			a.Label = text.Say("%s: %s", "%s: %s", a.Label, notice.OneLine(d.Message.Title.In(text.EN), 60))
			m.Actions = append(m.Actions, a)
		}
	}
	if more := len(waiting) - mostListed; more > 0 {
		body.EN += fmt.Sprintf("and %d more", more)
		body.JA += fmt.Sprintf("ほか%d件", more)
	}
	m.Body = body
	if data, err := json.Marshal(map[string]any{"bundled": ids}); err == nil { // names and texts always marshal
		m.Data = data
	}
	return m
}

func urgency(s notice.Severity) int {
	return slices.Index([]notice.Severity{notice.Info, notice.Ticket, notice.Page}, s)
}

// settleCarried ends what went inside of a delivery that ended, with its end.
func (s *Service) settleCarried(ctx context.Context, tx *sql.Tx, lead Delivery) error {
	return s.eachCarried(ctx, tx, lead, func(d Delivery) error {
		if d.State != Pending {
			return nil
		}
		d.State, d.EndedAt, d.NextAt, d.LastError = lead.State, lead.EndedAt, time.Time{}, lead.LastError
		if err := endDelivery(ctx, tx, d); err != nil {
			return err
		}
		kind, more := "notify.delivered", map[string]any{"carrier": lead.ID, "seconds": lead.EndedAt.Sub(d.Message.Time).Seconds()}
		if d.State == Failed {
			kind, more["reason"] = "notify.failed", lead.LastError
		}
		return s.record(ctx, tx, kind, d, more)
	})
}

// reopenCarried has what goes inside of a delivery that is tried again wait with
// it. A delivery that was carried and is tried again by itself goes alone.
func (s *Service) reopenCarried(ctx context.Context, tx *sql.Tx, lead Delivery) error {
	if err := db.New(tx).Carry(ctx, db.CarryParams{ID: lead.ID}); err != nil {
		return fmt.Errorf("unbundle: %w", err)
	}
	return s.eachCarried(ctx, tx, lead, func(d Delivery) error {
		d.State, d.EndedAt, d.NextAt, d.GiveUpAt = Pending, time.Time{}, lead.NextAt, lead.GiveUpAt
		return endDelivery(ctx, tx, d)
	})
}

func (s *Service) eachCarried(ctx context.Context, tx *sql.Tx, lead Delivery, do func(d Delivery) error) error {
	rows, err := db.New(tx).ListCarried(ctx, lead.ID)
	if err != nil {
		return fmt.Errorf("list what %s carries: %w", lead.ID, err)
	}
	for _, r := range rows {
		d, err := deliveryFrom(r)
		if err != nil {
			return err
		}
		if err := do(d); err != nil {
			return err
		}
	}
	return nil
}

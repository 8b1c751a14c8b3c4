package notify

import (
	"context"
	"database/sql"
	"time"

	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
)

// release is the job that sends a held message on its way when work begins. The
// message becomes a delivery only then, so that it holds up no page before.
type release struct {
	Channel   string  `json:"channel"`
	Recipient string  `json:"recipient,omitempty"`
	Message   Message `json:"message"`
}

// Kind names the job.
func (release) Kind() string { return "notify.release" }

// furthest is how far ahead working hours are looked for. Where there are none,
// nothing is held.
const furthest = 14 * 24 * time.Hour

// heldUntil is when a message of a severity may go to the channel: now, or, for a
// ticket outside working hours, when they begin. A page is never held.
func (c Channel) heldUntil(severity notice.Severity, now time.Time) time.Time {
	if severity != notice.Ticket || len(c.Spec.TicketHours) == 0 {
		return now
	}
	hours, _, err := recur.ParseHours(c.Spec.TicketHours)
	if err != nil {
		return now // they were checked when the channel was applied
	}
	for open := range (recur.Week{Hours: hours, Zone: c.Zone()}).Between(now, now.Add(furthest)) {
		return open.From
	}
	return now
}

// hand puts a message to one recipient on its way, at once or when work begins.
func (s *Service) hand(ctx context.Context, tx *sql.Tx, c Channel, recipient string, m Message) error {
	now := s.now()
	until := c.heldUntil(m.Severity, now)
	if !until.After(now) {
		return s.enqueue(ctx, tx, c.Name, recipient, m)
	}
	d, err := s.newDelivery(c.Name, recipient, m)
	if err != nil {
		return err
	}
	if err := s.record(ctx, tx, "notify.held", d, map[string]any{"until": until.UTC()}); err != nil {
		return err
	}
	return s.queue.Insert(ctx, tx, release{c.Name, recipient, m}, queue.At(until))
}

// release turns a held message into a delivery. A message that was released
// before is not sent again.
func (s *Service) release(ctx context.Context, r release) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return s.enqueue(ctx, tx, r.Channel, r.Recipient, r.Message)
	})
}

// checkHours judges the working hours of a channel.
func (s Spec) checkHours(bad report) {
	if _, line, err := recur.ParseHours(s.TicketHours); err != nil {
		what, remedy := text.Say("these are no working hours", "勤務時間の形になっていません"), text.Say("write them as Mon-Fri 09:00-18:00", "Mon-Fri 09:00-18:00 のように書いてください")
		if e, ok := err.(*recur.Error); ok { //nolint:errorlint // ParseHours wraps nothing
			what, remedy = e.What, e.Remedy
		}
		bad("channel_hours", what, remedy, "ticketHours", line)
	}
}

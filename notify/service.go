package notify

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/db"
	"github.com/teiten/teiten/notify/email"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/phone"
)

// SMTPConfig is the operator's mail server.
type SMTPConfig = email.Config

// Deps is what the room stands on. AllowNetworks are the networks that messages
// may be sent to although they are not on the public internet. BaseURL is the
// address under which people reach the product.
type Deps struct {
	DB            *database.DB
	Journal       *journal.Journal
	Queue         *queue.Queue
	Now           func() time.Time
	BaseURL       string
	Log           *slog.Logger
	AllowNetworks []netip.Prefix
	SMTP          SMTPConfig
	Phone         phone.Config  // the provider of short messages and calls
	Secrets       secret.Lookup // what references in channels may name
	// Retention is how long a delivery that ended is kept with its message and its
	// attempts; DefaultRetention where it is zero. The journal keeps what it says
	// of a delivery.
	Retention time.Duration
	// Permit refuses who may not change what a team owns ("" is nobody's). It
	// is asked before somebody has a channel send something.
	Permit func(ctx context.Context, owner string) error
}

// Service decides who hears what, and delivers.
type Service struct {
	db      *database.DB
	journal *journal.Journal
	queue   *queue.Queue
	now     func() time.Time
	log     *slog.Logger
	site    Site
	smtp    SMTPConfig
	phone   phone.Config
	secrets secret.Lookup
	permit  func(ctx context.Context, owner string) error
	guard   *outbound.Guard
	client  *outbound.Client
	kinds   map[string]Announcement
	stats   *stats
	kept    time.Duration
	courier *courier
	finders map[string]Finder

	started   time.Time
	recovered bool // what a killed process held was let go; used by Run alone
}

// New returns the service. Its tables are there after
// db.Migrate(ctx, "notify", notify.Migrations). A mail server that cannot work
// as it is configured is an Invalid fault.
func New(d Deps) (*Service, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Permit == nil {
		return nil, errors.New("notify: no Permit")
	}
	if d.SMTP.Host != "" {
		if err := fault.Join(d.SMTP.Problems()); err != nil {
			return nil, err
		}
	}
	if err := d.Phone.Problems(); err != nil {
		return nil, err
	}
	guard := outbound.New(d.AllowNetworks)
	return &Service{
		db: d.DB, journal: d.Journal, queue: d.Queue, now: d.Now, log: d.Log,
		site: Site{base: strings.TrimRight(d.BaseURL, "/")}, smtp: d.SMTP, phone: d.Phone, secrets: d.Secrets, permit: d.Permit,
		guard: guard, client: guard.Client(), kinds: announcements(), stats: newStats(), started: d.Now(),
		kept: cmp.Or(d.Retention, DefaultRetention), courier: newCourier(), finders: map[string]Finder{},
	}, nil
}

// Announce makes entries of another kind known, so that channels can hear them.
// Call it before Subscribe.
func (s *Service) Announce(kind string, a Announcement) { s.kinds[kind] = a }

// Kinds returns the kinds of entry that channels can hear, in order.
func (s *Service) Kinds() []string { return slices.Sorted(maps.Keys(s.kinds)) }

// Subscribe has the journal tell the service what happens.
func (s *Service) Subscribe(j *journal.Journal) {
	for _, kind := range s.Kinds() {
		j.Subscribe(kind, "notify", s.OnEntry)
	}
}

// OnEntry stores, in the transaction of the entry, one delivery for each
// recipient of each channel that hears it. An alert that fired and
// that nobody hears is stored as such.
func (s *Service) OnEntry(ctx context.Context, tx *sql.Tx, e journal.Entry) error {
	known, ok := s.kinds[e.Kind]
	if !ok {
		return nil
	}
	m, to := known.Write(e, s.site)
	m.Entry, m.Kind, m.Subject, m.Cause, m.Data = e.ID, e.Kind, string(e.Subject), e.Cause, e.Data
	to.Kind, to.Alert = e.Kind, known.Alert
	if to.Silent {
		return nil
	}
	if m.Time.IsZero() {
		m.Time = e.Time
	}
	if m.Thread == "" {
		m.Thread = m.Subject
	}
	channels, err := listChannels(ctx, tx)
	if err != nil {
		return err
	}
	heard := false
	missing := slices.Clone(to.Targets)
	for _, c := range channels {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == c.Name })
		if !c.Hears(to) {
			continue
		}
		heard = true
		if to.Joined {
			known, err := heardBefore(ctx, tx, c.Name, m)
			if err != nil {
				return err
			}
			if known {
				continue
			}
		}
		for _, r := range c.Recipients() {
			if err := s.hand(ctx, tx, c, r, m); err != nil {
				return err
			}
		}
	}
	if to.Phase == notice.Resolved || !known.Alert {
		return nil // who was not told of the beginning need not be told of the end
	}
	slices.Sort(missing)
	for _, name := range slices.Compact(missing) {
		why := text.Say("the alert's policy names the channel %q, which is not there", "アラートポリシーが指定するチャンネル%qがありません", notice.OneLine(name, 100))
		if err := s.unheard(ctx, tx, name, m, why); err != nil {
			return err
		}
	}
	if !heard && len(missing) == 0 && !to.Paged {
		return s.unheard(ctx, tx, "", m, text.Say("no channel hears this alert", "このアラートを受け取るチャンネルがありません"))
	}
	return nil
}

// enqueue stores one delivery, which is carried once tx commits.
func (s *Service) enqueue(ctx context.Context, tx *sql.Tx, channel, recipient string, m Message) error {
	d, err := s.newDelivery(channel, recipient, m)
	if err != nil {
		return err
	}
	fresh, err := addDelivery(ctx, tx, d)
	if err != nil || !fresh {
		return err
	}
	database.AfterCommit(ctx, func() { s.courier.call(channel) })
	return nil
}

func (s *Service) newDelivery(channel, recipient string, m Message) (Delivery, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Delivery{}, fmt.Errorf("new delivery: %w", err)
	}
	m.Key = Key(m.Entry, channel, recipient)
	now := s.now()
	return Delivery{
		ID: id.String(), Channel: channel, Recipient: recipient, State: Pending, Message: m,
		CreatedAt: now, NextAt: now, GiveUpAt: now.Add(keepTrying),
	}, nil
}

// unheard puts on record that a message found nobody. Channel is the name that
// was asked for, "" when none was.
func (s *Service) unheard(ctx context.Context, tx *sql.Tx, channel string, m Message, why text.Both) error {
	d, err := s.newDelivery(channel, "", m)
	if err != nil {
		return err
	}
	d.State, d.EndedAt, d.NextAt, d.LastError = Nobody, d.CreatedAt, time.Time{}, why
	fresh, err := addDelivery(ctx, tx, d)
	if err != nil || !fresh {
		return err
	}
	s.log.WarnContext(ctx, "alert heard by nobody", "subject", m.Subject, "channel", channel)
	database.AfterCommit(ctx, func() { s.stats.ended(channel, Nobody, 0) })
	return s.record(ctx, tx, "notify.nobody", d, map[string]any{"reason": why})
}

// record journals what became of a delivery: about the channel, and findable
// from the subject of the message.
func (s *Service) record(ctx context.Context, tx *sql.Tx, kind string, d Delivery, more map[string]any) error {
	data := map[string]any{
		"delivery": d.ID, "channel": d.Channel, "entry": d.Message.Entry, "about": d.Message.Kind,
		"title": d.Message.Title, "attempts": d.Attempts, "happenedAt": d.Message.Time,
	}
	maps.Copy(data, more)
	draft := journal.Draft{Kind: kind, Subject: journal.Ref(d.Message.Subject), Data: data}
	if d.Channel != "" {
		draft.Subject = journal.RefTo("channel", d.Channel)
		if about := journal.Ref(d.Message.Subject); about != draft.Subject {
			draft.Also = []journal.Ref{about}
		}
	}
	_, err := s.journal.Append(ctx, tx, draft)
	return err
}

// source is the CloudEvents source of what this server sends.
func (s *Service) source() string {
	if s.site.base == "" {
		return "urn:teiten"
	}
	return s.site.base
}

// Retry has a delivery that failed, or that waits, tried now.
func (s *Service) Retry(ctx context.Context, id string) (Delivery, error) {
	var d Delivery
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		if d, err = getDelivery(ctx, tx, id); err != nil {
			return err
		}
		if err := s.mayUse(ctx, tx, d.Channel); err != nil {
			return err
		}
		if _, err = lockHealth(ctx, tx, d.Channel); err != nil {
			return err
		}
		if d, err = getDelivery(ctx, tx, id); err != nil { // as it is under the lock
			return err
		}
		if d, err = d.again(s.now()); err != nil {
			return err
		}
		if err := endDelivery(ctx, tx, d); err != nil {
			return err
		}
		if err := s.reopenCarried(ctx, tx, d); err != nil {
			return err
		}
		database.AfterCommit(ctx, func() { s.courier.call(d.Channel) })
		return s.record(ctx, tx, "notify.retried", d, nil)
	})
	return d, err
}

// mayUse refuses who may not change the channel: its owners and editors have it
// send something.
func (s *Service) mayUse(ctx context.Context, from db.DBTX, channel string) error {
	c, err := getChannel(ctx, from, channel)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	return s.permit(ctx, c.Owner())
}

// Deliveries lists deliveries, newest first.
func (s *Service) Deliveries(ctx context.Context, f Filter) ([]Delivery, error) {
	return listDeliveries(ctx, s.db.Read(), f)
}

// Delivery returns one delivery with every attempt, and whether it waits for an
// earlier message about the same subject.
func (s *Service) Delivery(ctx context.Context, id string) (d Delivery, attempts []Attempt, waits bool, err error) {
	if d, err = getDelivery(ctx, s.db.Read(), id); err != nil {
		return d, nil, false, err
	}
	if attempts, err = listAttempts(ctx, s.db.Read(), id); err != nil {
		return d, nil, false, err
	}
	if d.State == Pending {
		waits, err = held(ctx, s.db.Read(), d)
	}
	return d, attempts, waits, err
}

// Standing is a channel with what is known of its receiver.
type Standing struct {
	Channel       Channel
	LastAttempt   time.Time
	LastDelivered time.Time
	FailingSince  time.Time // zero while deliveries succeed
	Away          bool      // several attempts in a row failed
	LastError     text.Both
	Pending       int
	Oldest        time.Time // when the oldest pending message happened
}

// Channels lists every channel with its standing, by name.
func (s *Service) Channels(ctx context.Context) ([]Standing, error) {
	channels, err := listChannels(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	q := db.New(s.db.Read())
	healths, err := q.ListHealth(ctx)
	if err != nil {
		return nil, fmt.Errorf("list health: %w", database.Fault(err))
	}
	pending, err := q.CountPending(ctx)
	if err != nil {
		return nil, fmt.Errorf("count pending: %w", database.Fault(err))
	}
	all := make([]Standing, len(channels))
	place := map[string]*Standing{}
	for i, c := range channels {
		all[i].Channel = c
		place[c.Name] = &all[i]
	}
	for _, r := range healths {
		if st := place[r.Channel]; st != nil {
			h := healthFrom(r)
			st.LastAttempt, st.LastDelivered, st.FailingSince, st.Away, st.LastError = h.lastAttempt, h.lastDelivered, h.failingSince, h.away, h.lastError
		}
	}
	for _, r := range pending {
		if st := place[r.Channel]; st != nil {
			st.Pending, st.Oldest = int(r.Pending), database.Time(r.Oldest)
		}
	}
	return all, nil
}

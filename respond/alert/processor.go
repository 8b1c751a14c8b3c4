package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/respond/alert/db"
	"github.com/teiten/teiten/respond/alert/format"
	"github.com/teiten/teiten/respond/alert/route"
)

const (
	leaseName = "alert.processor"
	leaseTTL  = 15 * time.Second
	// pollEvery is how often the holder looks for what other replicas wrote;
	// claimEvery is how often the others look whether nobody holds it any more.
	pollEvery  = 100 * time.Millisecond
	claimEvery = 3 * time.Second
	// lookEvery is how often time itself is looked at: ends by silence, reminders,
	// what nothing suppresses any more.
	lookEvery  = time.Second
	afterError = time.Second
	// atOnce is how many events one transaction enters at least, where so many wait,
	// so that it stays short: others write as well.
	atOnce      = 100
	bytesAtOnce = 16 << 10 // of batches, compressed: a message may tell of many alerts
	mostBatches = 64
	// longestBreak is how long the processor rests at most between transactions while
	// requests wait.
	longestBreak = 50 * time.Millisecond
)

// processor reads the intake log and keeps the book. On one replica at a time:
// the lease is checked in each transaction.
type processor struct {
	s        *Service
	book     *book
	firing   *route.Inhibitor
	tree     *route.Tree // that firing is of
	lookedAt time.Time
	since    time.Time // when it took over
}

// Run looks after the intake log until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		wait, err := s.own.step(ctx)
		if err != nil && ctx.Err() == nil {
			s.own.drop()
			wait = afterError
			if f, ok := fault.As(err); !ok || f.Code != "queue.lease_lost" {
				s.Log.ErrorContext(ctx, "alerts were not looked at", "error", err)
			}
		}
		if wait <= 0 {
			continue
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-s.bell:
		case <-ctx.Done():
		}
		t.Stop()
	}
	return nil
}

// Process looks at everything that waits. Run does so by itself; tests call it
// with a clock of their own.
func (s *Service) Process(ctx context.Context) error {
	for {
		wait, err := s.own.step(ctx)
		if err != nil {
			s.own.drop()
			return err
		}
		if wait > 0 {
			return nil
		}
	}
}

// drop has the book read anew from the database.
func (p *processor) drop() { p.book, p.firing, p.tree = nil, nil, nil }

// step does one transaction's worth of work, and returns how long to wait for the
// next.
func (p *processor) step(ctx context.Context) (wait time.Duration, err error) {
	s := p.s
	held, err := s.Queue.Lease(ctx, leaseName, leaseTTL)
	if err != nil {
		return 0, err
	}
	if !held {
		p.drop()
		return claimEvery, s.countBacklog(ctx)
	}
	now := s.Now()
	if p.book == nil {
		if p.book, err = loadBook(ctx, s.DB.Read(), p.judge(ctx, s.DB.Read())); err != nil {
			return 0, err
		}
		p.since, p.lookedAt = now, time.Time{}
	}
	batches, err := s.waitingBatches(ctx)
	if err != nil {
		return 0, err
	}
	batches, all := enough(batches)
	look := now.Sub(p.lookedAt) >= lookEvery || now.Before(p.lookedAt)
	if len(batches) == 0 && !look {
		return pollEvery, nil
	}
	began := time.Now()
	if err := p.enter(ctx, batches, now, look, all); err != nil {
		return 0, err
	}
	if err := s.unspool(ctx, batches); err != nil {
		return 0, err
	}
	if look {
		p.lookedAt = now
		err = s.countBacklog(ctx)
	}
	if all {
		return pollEvery, err
	}
	if s.door.pressed() { // those who send come first
		s.pause(ctx, min(time.Since(began), longestBreak))
	}
	return 0, err
}

// pause lets others work for a time.
func (s *Service) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// enough is as many of the batches as one transaction takes, and whether these
// are all.
func enough(batches []waiting) (these []waiting, all bool) {
	var events int64
	size := 0
	for i := range batches {
		events, size = events+batches[i].Count, size+len(batches[i].Data)
		if events >= atOnce || size >= bytesAtOnce {
			return batches[:i+1], i+1 == len(batches) && len(batches) < mostBatches
		}
	}
	return batches, len(batches) < mostBatches
}

// enter reads batches into the book, and writes what that changes.
func (p *processor) enter(ctx context.Context, batches []waiting, now time.Time, look, caughtUp bool) error {
	s := p.s
	integrations, err := s.allIntegrations(ctx)
	if err != nil {
		return err
	}
	known := func(name string) *integration {
		if n := integrations[name]; n != nil {
			return n
		}
		return newIntegration(name, IntegrationSpec{})
	}
	done := false
	err = s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if done { // the book was changed by the attempt before
			return errors.New("the transaction that enters alerts lost a race")
		}
		done = true
		if err := s.Queue.Holds(ctx, tx, leaseName); err != nil {
			return err
		}
		j := p.judge(ctx, tx)
		r := &reading{heard: map[string]*heardOf{}}
		for i := range batches {
			events, err := unpackEvents(batches[i].Data)
			if err != nil {
				s.Log.ErrorContext(ctx, "a batch of the intake log cannot be read", "batch", batches[i].ID, "error", err)
			}
			r.read(batches[i].ID, batches[i].ReceivedAt, events, known, j.owner)
		}
		if look {
			r.deliveries = append(r.deliveries, p.ownAlerts(integrations, r.heard, now, caughtUp, j)...)
		} else {
			r.deliveries = append(r.deliveries, p.backAgain(integrations, r.heard, now)...)
		}
		if err := p.book.recall(ctx, tx, r.deliveries); err != nil {
			return err
		}
		c := newChanges()
		p.apply(c, r, now, j)
		if look {
			p.book.look(c, database.Micros(now), s.Forgotten.Microseconds(), j)
		}
		p.book.trim(c, r.deliveries)
		if j.err != nil {
			return j.err
		}
		return p.write(ctx, tx, c, batches, r.heard, now)
	})
	return err
}

// apply enters deliveries and commands in the order of the log.
func (p *processor) apply(c *changes, r *reading, now time.Time, j judge) {
	at := 0
	for i := range r.commands {
		m := &r.commands[i]
		p.book.apply(c, r.deliveries[at:m.after], j)
		at = m.after
		p.book.obey(c, &m.command, database.Micros(now), j)
	}
	p.book.apply(c, r.deliveries[at:], j)
}

// write stores what changed, tells the journal, and marks the batches.
func (p *processor) write(ctx context.Context, tx *sql.Tx, c *changes, batches []waiting, heard map[string]*heardOf, now time.Time) error {
	if err := c.save(ctx, tx); err != nil {
		return err
	}
	q := db.New(tx)
	for name, h := range heard {
		if err := q.SeeIntegration(ctx, db.SeeIntegrationParams{Name: name, At: h.at, Events: h.events, Unread: h.unread}); err != nil {
			return fmt.Errorf("note that %s was heard: %w", name, err)
		}
	}
	for i := range c.entries {
		if err := p.tell(ctx, tx, &c.entries[i]); err != nil {
			return err
		}
	}
	return entered(ctx, q, batches, now)
}

// tell appends one entry to the journal.
func (p *processor) tell(ctx context.Context, tx *sql.Tx, e *entry) error {
	if e.actor != nil {
		ctx = journal.WithActor(ctx, *e.actor)
	}
	if e.cause != "" {
		ctx = journal.WithCause(ctx, e.cause)
	}
	d := journal.Draft{Kind: e.kind}
	service := ""
	if e.group != nil {
		if e.kind != EntryGroupOpened {
			if err := e.note.complete(ctx, db.New(tx)); err != nil {
				return err
			}
		}
		d.Subject, d.Data, service = GroupRef(e.note.Group), &e.note, e.note.Service
		if e.note.Team != "" {
			d.Also = append(d.Also, journal.RefTo("team", e.note.Team))
		}
	} else {
		d.Subject, d.Data, service = Ref(e.event.Alert), &e.event, e.event.Service
	}
	if service != "" {
		d.Also = append(d.Also, journal.RefTo("service", service))
	}
	_, err := p.s.Journal.Append(ctx, tx, d)
	return err
}

// beatKey is the key of the alert that a source is silent.
const beatKey = "heartbeat"

// silence is the delivery that says that a source is silent, or no longer.
func silence(n *integration, state format.State, now int64, owner string) *delivery {
	a := format.Alert{
		State: state, Key: beatKey, Severity: format.Critical, Title: "Nothing is heard of " + n.name,
		Labels: map[string]string{"alertname": "HeartbeatMissing"}, Annotations: map[string]string{},
		Body: "No message of the integration " + n.name + " arrived within " + n.spec.Heartbeat.Every + ". What it watches may be down without anybody being told.",
	}
	if n.spec.Heartbeat.Severity != "" {
		a.Severity = n.spec.Heartbeat.Severity
	}
	return n.deliver(&a, "", now, func(string) string { return owner })
}

// backAgain ends the alerts about sources that are heard of again.
func (p *processor) backAgain(all map[string]*integration, heard map[string]*heardOf, now time.Time) []*delivery {
	var out []*delivery
	for name := range heard {
		n := all[name]
		if n == nil {
			continue
		}
		n.seenAt = max(n.seenAt, heard[name].at)
		if n.beat <= 0 {
			continue
		}
		d := silence(n, format.Resolved, database.Micros(now), "")
		if x := p.book.items[d.fingerprint]; x != nil && x.open() {
			out = append(out, d)
		}
	}
	return out
}

// ownAlerts are those that time and our own state bring about: a source that is
// silent, and a log that is full. Silence only counts while everything that
// arrived was looked at, and not before this replica took over.
func (p *processor) ownAlerts(all map[string]*integration, heard map[string]*heardOf, now time.Time, caughtUp bool, j *judging) []*delivery {
	out := p.backAgain(all, heard, now)
	for _, n := range all {
		if n.beat <= 0 || !caughtUp || heard[n.name] != nil {
			continue
		}
		last := max(n.seenAt, n.updatedAt, database.Micros(p.since))
		d := silence(n, format.Firing, database.Micros(now), "")
		if x := p.book.items[d.fingerprint]; database.Micros(now)-last > n.beat.Microseconds() && (x == nil || !x.open()) {
			owner := j.owner(n.spec.Service)
			out = append(out, silence(n, format.Firing, database.Micros(now), owner))
		}
	}
	return append(out, p.fullLog(now)...)
}

// fullLog tells people that requests were refused because too much waits, and
// that this is over.
func (p *processor) fullLog(now time.Time) []*delivery {
	n := newIntegration(fromTeiten, IntegrationSpec{})
	a := format.Alert{
		State: format.Firing, Key: "backlog", Severity: format.Critical, Title: "Alerts arrive faster than they can be looked at: some are refused",
		Body:   "Senders are answered 429 and asked to send again. Nothing that was accepted is lost.",
		Labels: map[string]string{"alertname": "AlertBacklogFull"},
	}
	x := p.book.items[Fingerprint(fromTeiten, &a)]
	open := x != nil && x.open()
	switch refused := p.s.door.refused.Swap(0); {
	case refused > 0:
	case open && p.s.door.backlog.Load() < p.s.door.limit/2:
		a.State = format.Resolved
	default:
		return nil
	}
	return []*delivery{n.deliver(&a, "", database.Micros(now), func(string) string { return "" })}
}

package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	// backfillers is how many objectives have their past read at a time.
	backfillers = 2
	// backfillStep is how many minutes one question covers.
	backfillStep = 24 * 60
	// backfillPause is how long a source that did not answer is left alone.
	backfillPause = 15 * time.Second
)

// Backfill reads the past of objectives, newest first, until nothing is missing
// or a source does not answer. Run does so in the background; tests call it.
func (s *Service) Backfill(ctx context.Context) error {
	for {
		did, err := s.BackfillStep(ctx)
		if err != nil || !did {
			return err
		}
	}
}

// BackfillStep reads at most one day of one objective's past, and reports
// whether there was any to read.
func (s *Service) BackfillStep(ctx context.Context) (bool, error) {
	return s.engine.backfillOnce(ctx)
}

func (e *engine) backfillLoop(ctx context.Context) {
	for ctx.Err() == nil {
		did, err := e.backfillOnce(ctx)
		wait := time.Duration(0)
		switch {
		case err != nil:
			wait = backfillPause
			if ctx.Err() == nil && fault.KindOf(err) == "" {
				e.s.log.ErrorContext(ctx, "the past was not read", "error", err)
			}
		case !did:
			wait = look
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// backfillOnce reads one step of one objective's past, and reports whether there
// was any. Objectives take turns by how much of theirs is done, so that all of
// them get their recent past before any gets all of it.
func (e *engine) backfillOnce(ctx context.Context) (bool, error) {
	due := e.waiting()
	if len(due) == 0 {
		return false, nil
	}
	if held, err := e.s.queue.Lease(ctx, lease, leaseTTL); err != nil || !held {
		return false, err
	}
	var errs []error
	for _, t := range due {
		if !t.past.TryLock() {
			continue
		}
		err := e.backfillStep(ctx, t)
		t.past.Unlock()
		if err == nil {
			return true, nil
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		errs = append(errs, fmt.Errorf("read the past of %s: %w", t.name, err))
		if len(errs) > backfillers { // the source is away rather than one question bad
			break
		}
	}
	return false, errors.Join(errs...)
}

// waiting lists the objectives whose past is not complete, the least done first.
func (e *engine) waiting() []*track {
	type item struct {
		t    *track
		done int64
	}
	var items []item
	for _, t := range e.all() {
		t.mu.Lock()
		if len(t.missing) > 0 && t.watermark > 0 {
			items = append(items, item{t, t.backfill.Done})
		}
		t.mu.Unlock()
	}
	slices.SortFunc(items, func(a, b item) int {
		if a.done != b.done {
			return int(a.done - b.done)
		}
		return strings.Compare(a.t.name, b.t.name)
	})
	tracks := make([]*track, len(items))
	for i, x := range items {
		tracks[i] = x.t
	}
	return tracks
}

// backfillStep reads the newest missing minutes of one objective and writes them.
func (e *engine) backfillStep(ctx context.Context, t *track) error {
	t.mu.Lock()
	if len(t.missing) == 0 {
		t.mu.Unlock()
		return nil
	}
	span := newest(t.missing)
	t.mu.Unlock()

	counted, _, _, err := e.count(ctx, nil, t.def, span)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if newestOrNone(t.missing) != span { // the clock went back meanwhile
		return nil
	}
	return e.fill(ctx, t, span, counted)
}

// newest is the next step: the end of the newest missing span, from a full hour
// on.
func newest(missing []minutes) minutes {
	last := missing[len(missing)-1]
	from := (last.To - backfillStep + ledger.MinutesPerHour - 1) / ledger.MinutesPerHour * ledger.MinutesPerHour
	return minutes{max(from, last.From), last.To}
}

func newestOrNone(missing []minutes) minutes {
	if len(missing) == 0 {
		return minutes{}
	}
	return newest(missing)
}

// fill takes past minutes into windows and ledger, and puts the windows back
// when they cannot be written.
func (e *engine) fill(ctx context.Context, t *track, span minutes, counted []ledger.Minute) error {
	now, was := e.s.now().UTC(), t.state
	p := pending{t: t, before: was}
	former := map[int64]ledger.Hour{}
	for n := span.From / ledger.MinutesPerHour; n <= (span.To-1)/ledger.MinutesPerHour; n++ {
		h, err := e.hour(ctx, t, n)
		if err != nil {
			return err
		}
		former[n] = h
		for m := max(span.From, n*ledger.MinutesPerHour); m < min(span.To, (n+1)*ledger.MinutesPerHour); m++ {
			h[m%ledger.MinutesPerHour] = counted[m-span.From]
		}
		if h == former[n] {
			continue // nothing was known and nothing is: no row says the same
		}
		t.win.Load(n, &h)
		p.hours = append(p.hours, hourRow{t.name, ledger.Record{Number: n, Hour: h}})
	}
	t.missing = before(t.missing, span.From)
	t.backfill.Done += span.len()
	finished := len(t.missing) == 0
	if finished {
		t.backfill.FinishedAt = database.Micros(now)
	}
	t.state, p.changes = t.judge(now) // the long windows may be whole now
	p.figures = t.figuresNow(now, t.seen)
	err := e.writeFill(ctx, p, finished, now)
	if err != nil {
		t.state = was
		for n, h := range former {
			t.win.Load(n, &h)
		}
	}
	return err
}

// hour is an hour of the ledger: from the windows, and from the database where
// it is older than they are.
func (e *engine) hour(ctx context.Context, t *track, number int64) (ledger.Hour, error) {
	if number*ledger.MinutesPerHour >= t.win.Since() {
		return t.win.Hour(number), nil
	}
	var found ledger.Hour
	err := records(ctx, e.s.db.Read(), t.name, number, number, func(r *ledger.Record) { found = r.Hour })
	return found, err
}

func (e *engine) writeFill(ctx context.Context, p pending, finished bool, now time.Time) error {
	mine := true
	err := e.s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := e.s.queue.Holds(ctx, tx, lease); err != nil {
			return err
		}
		var err error
		if mine, err = e.writeOne(ctx, tx, prepare(tx), p, now); err != nil || !mine || !finished {
			return err
		}
		row, err := db.New(tx).GetStatus(ctx, p.t.name)
		if err != nil {
			return err
		}
		return e.s.tellBackfill(ctx, tx, EntryBackfillFinished, p.t.def, row.Owner, p.t.backfill)
	})
	if err == nil && !mine {
		e.drop(p.t)
	}
	return err
}

// backfillEntry is what the journal says of a back-fill.
type backfillEntry struct {
	SLO     string `json:"slo"`
	Service string `json:"service"`
	Reason  string `json:"reason"`
	Minutes int64  `json:"minutes"`
	Seconds int64  `json:"seconds,omitempty"` // that it took
}

func (s *Service) tellBackfill(ctx context.Context, tx *sql.Tx, kind string, d *Definition, owner string, b backfill) error {
	e := backfillEntry{SLO: d.Name, Service: d.Service, Reason: b.Reason, Minutes: b.Total}
	if b.FinishedAt > 0 {
		e.Seconds = (b.FinishedAt - b.StartedAt) / int64(time.Second/time.Microsecond)
	}
	_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: journal.RefTo("slo", d.Name), Also: also(d.Service, owner), Data: e})
	return err
}

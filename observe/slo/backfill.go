package slo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	// backfillers is how many questions about the past are asked at a time.
	backfillers = 2
	// backfillStep is how many minutes one question covers, and countedStep where
	// the source counts by itself.
	backfillStep = 24 * 60
	countedStep  = 100 * 24 * 60
	// backfillBatch is about how many minutes one question to such a source is: so
	// many of all its objectives together.
	backfillBatch = 16 * 30 * 24 * 60
	// backfillPause is how long a source that did not answer is left alone.
	backfillPause = 15 * time.Second
)

// Backfill reads what is missing of the past until nothing is, or a source does
// not answer. Run does so in the background; tests call it.
func (s *Service) Backfill(ctx context.Context) error {
	for {
		did, err := s.BackfillStep(ctx)
		if err != nil || !did {
			return err
		}
	}
}

// BackfillStep asks one question about the past, and reports whether there was
// any to ask.
func (s *Service) BackfillStep(ctx context.Context) (bool, error) {
	return s.engine.backfillOnce(ctx)
}

func (e *engine) backfillLoop(ctx context.Context) {
	for ctx.Err() == nil {
		did, err := e.backfillOnce(ctx)
		if err != nil && ctx.Err() == nil && fault.KindOf(err) == "" {
			e.s.log.ErrorContext(ctx, "the past was not read", "error", err)
		}
		if did && err == nil {
			continue
		}
		e.bell.wait(ctx, look)
	}
}

// backfillOnce reads one step of the past. Objectives take turns by how much of
// theirs is done, so that all of them get some before any gets all of it.
func (e *engine) backfillOnce(ctx context.Context) (bool, error) {
	sh, steps := e.next()
	if len(steps) == 0 {
		return false, nil
	}
	defer sh.release(steps)
	e.s.newReader().read(ctx, steps)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var errs []error
	for _, x := range steps {
		if x.err != nil {
			e.pause(sh, x)
			errs = append(errs, fmt.Errorf("read the past of %s: %w", x.m.name, x.err))
		}
	}
	err := e.fill(ctx, sh, steps)
	if err != nil || len(errs) == len(steps) {
		return false, errors.Join(append(errs, err)...)
	}
	return true, nil
}

// pause leaves alone what did not answer: the source, or one question.
func (e *engine) pause(sh *shard, x reading) {
	until := e.s.now().Add(backfillPause)
	if away(x.err) {
		e.mu.Lock()
		e.paused[x.m.def.Source] = until
		e.mu.Unlock()
		return
	}
	sh.mu.Lock()
	x.m.pausedUntil = until
	sh.mu.Unlock()
}

// next chooses what is read next: the objectives of one shard whose past is least
// done, several of them where the source counts by itself.
func (e *engine) next() (*shard, []reading) {
	now := e.s.now()
	e.mu.Lock()
	paused := map[string]bool{}
	for source, until := range e.paused {
		paused[source] = now.Before(until) && until.Sub(now) <= backfillPause
	}
	e.mu.Unlock()
	var best *shard
	var least int64
	for _, sh := range e.all() {
		sh.mu.Lock()
		if waiting := sh.waiting(now, paused); len(waiting) > 0 {
			if done := waiting[0].m.backfill.Done; best == nil || done < least {
				best, least = sh, done
			}
		}
		sh.mu.Unlock()
	}
	if best == nil {
		return nil, nil
	}
	best.mu.Lock()
	defer best.mu.Unlock()
	waiting := best.waiting(now, paused)
	for _, x := range waiting {
		x.m.gathering, x.m.outdated = true, minutes{}
	}
	return best, waiting
}

// release has others read the past of the same objectives again.
func (sh *shard) release(steps []reading) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, x := range steps {
		x.m.gathering = false
	}
}

// wanting lists the members whose past is not read, or is to be read again, and
// nobody is at. A shard of which all is read is not looked through again before
// it changes.
func (sh *shard) wanting(now time.Time, paused map[string]bool) []reading {
	if sh.read == sh.version {
		return nil
	}
	var all []reading
	left := false
	for _, m := range sh.members {
		again, due := m.dueRecheck()
		if len(m.missing) == 0 && !due {
			continue
		}
		left = true
		resting := now.Before(m.pausedUntil) && m.pausedUntil.Sub(now) <= backfillPause
		if !m.gathering && !paused[m.def.Source] && !resting {
			all = append(all, reading{m: m, span: again, again: len(m.missing) == 0})
		}
	}
	if !left {
		sh.read = sh.version
	}
	return all
}

// waiting lists the steps that one question can ask for.
func (sh *shard) waiting(now time.Time, paused map[string]bool) []reading {
	all := sh.wanting(now, paused)
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b reading) int {
		return cmp.Or(cmp.Compare(a.m.backfill.Done, b.m.backfill.Done), cmp.Compare(a.m.name, b.m.name))
	})
	first := all[0].m
	counts := sh.s.counts(first)
	all = slices.DeleteFunc(all, func(x reading) bool {
		return x.m != first && (!counts || x.m.def.Source != first.def.Source || !sh.s.counts(x.m))
	})
	begins := int64(0)
	if counts {
		begins = sh.s.begins(first.def.Source)
	}
	asked := int64(0)
	for i := range all {
		if !all[i].again {
			all[i].span = all[i].m.nextMissing(counts)
			all[i].skip(begins)
		}
		if asked += max(all[i].span.Len(), ledger.MinutesPerHour); asked >= backfillBatch {
			return all[:i+1]
		}
	}
	return all
}

// begins is the first minute of which a source has any sample, 0 where that is
// not known.
func (s *Service) begins(source string) int64 {
	q, err := s.sources.Get(source)
	if b, ok := q.(metrics.Beginner); err == nil && ok {
		return b.Begins()
	}
	return 0
}

// skip leaves out what lies before the source's first sample.
func (r *reading) skip(begins int64) {
	whole := r.span
	r.span = ledger.Between(min(max(whole.From, begins), whole.To), whole.To)
	r.empty = ledger.Between(whole.From, r.span.From)
}

// nextMissing is the next step: of a past that was never read its newest part,
// so that the short windows are right first, and otherwise the oldest gap. A step
// ends or begins with a full hour.
func (m *member) nextMissing(counts bool) minutes {
	length := int64(backfillStep)
	if counts {
		length = countedStep
	}
	if m.backfill.running() && m.backfill.Reason != reasonGap {
		last := m.missing[len(m.missing)-1]
		from := hourOf(last.To-length+ledger.MinutesPerHour-1) * ledger.MinutesPerHour
		return ledger.Between(max(from, last.From), last.To)
	}
	first := m.missing[0]
	return ledger.Between(first.From, min(first.To, hourOf(first.From+length)*ledger.MinutesPerHour))
}

// fill puts what was read of the past into the ledger, and sums up its objectives
// anew.
func (e *engine) fill(ctx context.Context, sh *shard, steps []reading) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.gone.Load() {
		return nil
	}
	now := e.s.now().UTC()
	x := &step{sh: sh, made: database.Micros(now)}
	filled := false
	for i := range steps {
		if steps[i].err != nil || !sh.holds(&steps[i]) {
			continue
		}
		filled = true
		if err := sh.fillOne(ctx, x, &steps[i], now); err != nil {
			sh.gone.Store(true)
			e.forget()
			return fmt.Errorf("sum up %s: %w", steps[i].m.name, err)
		}
	}
	if !filled {
		return nil
	}
	return e.finish(ctx, sh, x, now)
}

// finish judges nothing more and writes the step.
func (e *engine) finish(ctx context.Context, sh *shard, x *step, now time.Time) error {
	sh.note(x, now)
	err := e.commit(ctx, []*step{x}, sh.defined, now)
	if f, ok := fault.As(err); ok && f.Code == "queue.lease_lost" {
		return nil
	}
	return err
}

// holds reports whether what was read of a member is still wanted: neither its
// definition nor the clock changed meanwhile, and the source learned nothing more
// of it.
func (sh *shard) holds(r *reading) bool {
	if !slices.Contains(sh.members, r.m) {
		return false
	}
	from := r.span.From - r.empty.Len()
	if r.m.outdated.From < r.span.To && r.m.outdated.To > from {
		return false
	}
	if r.again {
		return r.span.To <= r.m.final
	}
	return slices.ContainsFunc(r.m.missing, func(x minutes) bool { return x.From <= from && x.To >= r.span.To })
}

// fillOne takes past minutes of one objective.
func (sh *shard) fillOne(ctx context.Context, x *step, r *reading, now time.Time) error {
	m := r.m
	first, err := sh.first(ctx, m, r)
	if err != nil {
		return err
	}
	h, err := sh.s.history(ctx, sh.s.db.Read(), m.def, ledger.Between(first, sh.end), time.Time{})
	if err != nil {
		return err
	}
	if r.again {
		m.checked(r.span)
		if !r.tells(first, h) {
			return nil
		}
	}
	for i, c := range r.counted {
		if at := r.span.From + int64(i) - first; c.Known && at >= 0 && at < int64(len(h.Minutes)) {
			h.Minutes[at] = c
		}
	}
	h.Lumps = slices.DeleteFunc(h.Lumps, func(l ledger.Lump) bool { return l.To >= r.span.From && l.To < r.span.To })
	h.Lumps = append(h.Lumps, r.lumps...)
	hours, err := sh.hoursOf(ctx, r)
	if err != nil {
		return err
	}
	x.hours = append(x.hours, hours...)
	m.sum(sh, first, h)
	if err := m.put(); err != nil {
		return err
	}
	m.exact = m.exact || r.exact
	if m.found(ledger.Between(r.span.From-r.empty.Len(), r.span.To), x.made) {
		x.finished = append(x.finished, m)
	}
	sh.judge(x, m, now) // the long windows may be whole now
	return nil
}

// hoursOf are the hours of the ledger that what was read changes.
func (sh *shard) hoursOf(ctx context.Context, r *reading) ([]hourRow, error) {
	if r.span.Len() == 0 {
		return nil, nil
	}
	known := map[int64]ledger.Record{}
	from, to := hourOf(r.span.From), hourOf(r.span.To-1)
	err := records(ctx, sh.s.db.Read(), r.m.name, from, to, func(k *ledger.Record) {
		c := *k
		c.Lumps = slices.Clone(k.Lumps)
		known[k.Number] = c
	})
	if err != nil {
		return nil, err
	}
	var rows []hourRow
	for number := from; number <= to; number++ {
		was := known[number]
		now := ledger.Record{Number: number, Hour: was.Hour}
		for i := range now.Hour {
			if at := now.First() + int64(i) - r.span.From; at >= 0 && at < int64(len(r.counted)) && r.counted[at].Known {
				now.Hour[i] = r.counted[at]
			}
		}
		for _, l := range was.Lumps {
			if l.To < r.span.From || l.To >= r.span.To {
				now.Lumps = append(now.Lumps, l)
			}
		}
		for _, l := range r.lumps {
			if hourOf(l.To) == number {
				now.Lumps = append(now.Lumps, l)
			}
		}
		slices.SortFunc(now.Lumps, func(a, b ledger.Lump) int { return cmp.Compare(a.To, b.To) })
		if now.Hour != was.Hour || !slices.Equal(now.Lumps, was.Lumps) {
			rows = append(rows, hourRow{r.m.name, now})
		}
	}
	return rows, nil
}

// rebuild sums up the objectives that were asked for: something in their past is
// otherwise now.
func (e *engine) rebuild(ctx context.Context, now time.Time) error {
	asked, err := db.New(e.asks).Rebuilds(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("look for what to sum up anew: %w", err))
	}
	if len(asked) == 0 {
		return nil
	}
	var errs []error
	for _, sh := range e.all() {
		errs = append(errs, e.rebuildIn(ctx, sh, asked, now))
	}
	return errors.Join(errs...)
}

func (e *engine) rebuildIn(ctx context.Context, sh *shard, asked []db.SloRebuild, now time.Time) error {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	x := &step{sh: sh, made: database.Micros(now)}
	for _, a := range asked {
		m := sh.member(a.Slo)
		if m == nil || sh.gone.Load() {
			continue
		}
		m.knownFor = minutes{}
		err := sh.summed(ctx, m)
		if err == nil {
			err = m.put()
		}
		if err != nil {
			sh.gone.Store(true)
			e.forget()
			return fmt.Errorf("sum up %s: %w", m.name, err)
		}
		sh.judge(x, m, now)
		x.rebuilt = append(x.rebuilt, db.RebuildDoneParams{Slo: a.Slo, Asked: a.Asked})
	}
	if len(x.rebuilt) == 0 {
		return nil
	}
	return e.finish(ctx, sh, x, now)
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
	_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: journal.RefTo("slo", d.Name), Also: catalog.RefsOf(d.Service, owner), Data: e})
	return err
}

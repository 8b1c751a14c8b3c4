package slo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	lease    = "slo" // held by the replica that evaluates
	leaseTTL = 30 * time.Second
	look     = time.Second // how often the clock is looked at

	// lookAfterError is how long a database that is full or away is left alone.
	lookAfterError = 10 * time.Second

	readers   = 4   // objectives that are read at a time
	loaders   = 4   // objectives that are loaded at a time
	batchSize = 250 // objectives in one transaction

	// spread is over how much of a minute the questions to a remote source are
	// spread, so that they do not all arrive at once.
	spread = 20 * time.Second
)

// engine evaluates every objective, minute by minute.
//
// The database is the truth: for each objective it holds a watermark, up to
// which every minute was read except those listed as missing. A round reads the
// minutes that settled since, and writes counts, watermark, figures and alerts of
// an objective in one transaction, fenced by the lease, so that after a crash or
// a change of the replica exactly what was not written is read again. What is in
// memory only makes that cheap.
type engine struct {
	s *Service

	mu         sync.Mutex
	tracks     map[string]*track
	generation int64
	loaded     bool
	sources    sourceBook
}

func newEngine(s *Service) *engine {
	return &engine{s: s, tracks: map[string]*track{}}
}

// Run evaluates until ctx ends, while this replica holds the lease.
func (s *Service) Run(ctx context.Context) error {
	var past sync.WaitGroup
	for range backfillers {
		past.Go(func() { s.engine.backfillLoop(ctx) })
	}
	defer past.Wait()
	for {
		wait := look
		if err := s.Evaluate(ctx); err != nil && ctx.Err() == nil {
			wait = lookAfterError
			s.log.ErrorContext(ctx, "objectives were not evaluated", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// Evaluate reads and judges every minute that has settled, of every objective,
// unless another replica does. What a source does not answer is left for the
// next time. Run calls it; tests do so with a clock of their own.
func (s *Service) Evaluate(ctx context.Context) error {
	held, err := s.queue.Lease(ctx, lease, leaseTTL)
	if err != nil {
		return err
	}
	if !held {
		s.engine.forget()
		return nil
	}
	err = s.engine.round(ctx)
	if f, ok := fault.As(err); ok && f.Code == "queue.lease_lost" {
		s.engine.forget()
		return nil
	}
	return err
}

// forget drops what is in memory: another replica goes on from the database.
func (e *engine) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.loaded {
		e.tracks, e.loaded = map[string]*track{}, false
	}
}

// refresh brings the tracks in line with the definitions.
func (e *engine) refresh(ctx context.Context) error {
	q := db.New(e.s.db.Read())
	now, err := q.Generation(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("look for changed objectives: %w", err))
	}
	e.mu.Lock()
	same := e.loaded && now == e.generation
	have := maps.Clone(e.tracks)
	e.mu.Unlock()
	if same {
		return nil
	}
	rows, err := q.ListDefinitions(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("read objectives: %w", err))
	}
	var stale []db.SloDefinition
	keep := map[string]*track{}
	for _, row := range rows {
		if t, ok := have[row.Name]; ok && t.revision == row.Revision {
			keep[row.Name] = t
		} else {
			stale = append(stale, row)
		}
	}
	fresh, err := e.load(ctx, stale)
	for _, t := range fresh {
		keep[t.name] = t
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tracks = keep
	if err == nil {
		e.generation, e.loaded = now, true
	}
	return err
}

// load reads objectives, several at a time. It returns those that could be read.
func (e *engine) load(ctx context.Context, rows []db.SloDefinition) ([]*track, error) {
	tracks, errs := make([]*track, len(rows)), make([]error, len(rows))
	each(loaders, len(rows), func(i int) {
		tracks[i], errs[i] = loadTrack(ctx, e.s.db.Read(), rows[i])
		if errs[i] != nil {
			tracks[i] = nil
		}
	})
	return slices.DeleteFunc(tracks, func(t *track) bool { return t == nil }), errors.Join(errs...)
}

// each calls do for 0 … n−1, a few at a time.
func each(workers, n int, do func(i int)) {
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(workers, n) {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
}

// drop has a track that is out of step with the database read anew.
func (e *engine) drop(t *track) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tracks[t.name] == t {
		delete(e.tracks, t.name)
		e.loaded = false
	}
}

// reading is what was counted for one objective in a round.
type reading struct {
	t       *track
	span    minutes
	counted []ledger.Minute
	trouble trouble // of the last minute
	exact   bool
	err     error
}

// round evaluates every objective once.
func (e *engine) round(ctx context.Context) error {
	if err := e.refresh(ctx); err != nil {
		return err
	}
	began, now := time.Now(), e.s.now().UTC()
	due := e.due(now)
	if len(due) == 0 {
		return nil
	}
	var errs []error
	a, down := newAsked(), &failing{}
	for batch := range slices.Chunk(due, batchSize) {
		each(readers, len(batch), func(i int) { e.read(ctx, a, down, &batch[i]) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		errs = append(errs, e.commit(ctx, batch, now))
	}
	errs = append(errs, e.sources.follow(ctx, e.s, down, now))
	e.s.figures.round(time.Since(began), len(due))
	return errors.Join(errs...)
}

// all is every track that is loaded. A track's lock is never taken while the
// engine's is held.
func (e *engine) all() []*track {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.tracks))
}

// due lists the objectives with minutes to read, by source and name.
func (e *engine) due(now time.Time) []reading {
	var due []reading
	for _, t := range e.all() {
		target := e.target(t, now)
		t.mu.Lock()
		if target != t.watermark {
			due = append(due, reading{t: t, span: minutes{To: target}})
		}
		t.mu.Unlock()
	}
	slices.SortFunc(due, func(a, b reading) int {
		return cmp.Or(cmp.Compare(a.t.def.Source, b.t.def.Source), cmp.Compare(a.t.name, b.t.name))
	})
	return due
}

// target is the first minute of an objective that has not settled.
func (e *engine) target(t *track, now time.Time) int64 {
	wait := e.s.settle(t.def)
	if q, err := e.s.sources.Get(t.def.Source); err == nil && !q.Anchored() {
		h := fnv.New32a()
		h.Write([]byte(t.name))
		wait += time.Duration(h.Sum32()) * time.Microsecond % spread
	}
	return ledger.Done(now.Add(-wait))
}

// read asks the source for what an objective lacks.
func (e *engine) read(ctx context.Context, a *asked, down *failing, r *reading) {
	t := r.t
	t.mu.Lock()
	span, _ := t.plan(r.span.To)
	t.mu.Unlock()
	r.span = span
	if err := down.is(t.def.Source); err != nil {
		r.err = err
		return
	}
	r.counted, r.trouble, r.exact, r.err = e.count(ctx, a, t.def, span)
	down.note(t.def.Source, r.err)
}

// count reads the minutes of span.
func (e *engine) count(ctx context.Context, a *asked, d *Definition, span minutes) ([]ledger.Minute, trouble, bool, error) {
	x, err := e.s.questions(d)
	if err != nil {
		return nil, fine, false, err
	}
	counted, last, err := x.read(ctx, a, span)
	return counted, last, x.exact, err
}

// pending is what one objective writes in the transaction of its batch.
type pending struct {
	t       *track
	before  state
	hours   []hourRow
	figures db.SaveStatusParams
	changes []change
	started bool // a back-fill began
}

// commit takes a batch of readings into the windows and writes them in one
// transaction. When that fails the windows are put back as they were.
func (e *engine) commit(ctx context.Context, batch []reading, now time.Time) error {
	var todo []pending
	var unread []reading
	var errs []error
	for _, r := range batch {
		if r.err != nil {
			unread = append(unread, r)
			continue
		}
		r.t.mu.Lock()
		defer r.t.mu.Unlock()
		p, err := e.apply(ctx, r, now)
		if err != nil { // of this objective alone; the others go on
			e.drop(r.t)
			errs = append(errs, fmt.Errorf("move %s forward: %w", r.t.name, err))
			continue
		}
		todo = append(todo, p)
	}
	err := e.write(ctx, todo, now)
	if err != nil {
		errs = append(errs, err)
		for _, p := range todo {
			p.t.state = p.before
			if !p.t.win.Rewind(p.t.watermark) || p.t.win.End() != p.t.watermark {
				e.drop(p.t)
			}
		}
	}
	return errors.Join(append(errs, e.explainUnread(ctx, unread, now))...)
}

// apply moves one objective forward in memory.
func (e *engine) apply(ctx context.Context, r reading, now time.Time) (pending, error) {
	t := r.t
	p := pending{t: t, before: t.state}
	_, planned := t.plan(r.span.To)
	if !t.take(r.span, r.counted) {
		// The clock went far back: the windows as they were then.
		if err := t.loadWindows(ctx, e.s.db.Read(), r.span.From); err != nil {
			return p, err
		}
		t.take(r.span, r.counted)
	}
	p.started = planned.backfill.running() && planned.backfill.StartedAt == 0
	if p.started {
		planned.backfill.StartedAt = database.Micros(now)
	}
	planned.watermark, planned.exact = r.span.To, r.exact
	t.def.Exact = r.exact
	t.state = planned
	t.state, p.changes = t.judge(now)
	p.hours = t.hours(r.span)
	p.figures = t.figuresNow(now, r.trouble.Say())
	t.seen = text.Both{}
	return p, nil
}

// write puts a batch into the database: all of it or nothing.
func (e *engine) write(ctx context.Context, todo []pending, now time.Time) error {
	if len(todo) == 0 {
		return nil
	}
	var gone []*track
	err := e.s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		gone = nil
		if err := e.s.queue.Holds(ctx, tx, lease); err != nil {
			return err
		}
		stmts := prepare(tx)
		for _, p := range todo {
			mine, err := e.writeOne(ctx, tx, stmts, p, now)
			if err != nil {
				return fmt.Errorf("write %s: %w", p.t.name, err)
			}
			if !mine {
				gone = append(gone, p.t)
			}
		}
		return nil
	})
	for _, t := range gone {
		e.drop(t)
	}
	return err
}

// writeOne writes one objective. It reports false, and writes nothing, where its
// definition changed in the meantime.
func (e *engine) writeOne(ctx context.Context, tx *sql.Tx, stmts *prepared, p pending, now time.Time) (bool, error) {
	q := db.New(stmts)
	n, err := q.LockDefinition(ctx, db.LockDefinitionParams{Name: p.t.name, Revision: p.t.revision})
	if err != nil || n == 0 {
		return false, err
	}
	if err := putHours(ctx, stmts, now, p.hours); err != nil {
		return false, err
	}
	if err := q.SaveStatus(ctx, p.figures); err != nil {
		return false, err
	}
	if len(p.changes) == 0 && !p.started {
		return true, nil
	}
	row, err := q.GetStatus(ctx, p.t.name)
	if err != nil {
		return false, err
	}
	for _, c := range p.changes {
		if err := e.s.record(ctx, tx, c, row.Owner, now); err != nil {
			return false, err
		}
	}
	if p.started {
		err = e.s.tellBackfill(ctx, tx, EntryBackfillStarted, p.t.def, row.Owner, p.t.backfill)
	}
	return true, err
}

// explainUnread shows why objectives could not be read, once for each reason.
func (e *engine) explainUnread(ctx context.Context, unread []reading, now time.Time) error {
	var todo []db.SaveReasonParams
	for _, r := range unread {
		t, why := r.t, unreadReason(r.err)
		t.mu.Lock()
		late := r.span.To-t.watermark > 1 || fault.KindOf(r.err) == fault.Invalid
		if late && why != t.seen && t.watermark != 0 {
			t.seen = why
			f := t.figuresNow(now, why)
			todo = append(todo, db.SaveReasonParams{Name: t.name, Status: f.Status, Rank: f.Rank, Reason: f.Reason, UpdatedAt: f.UpdatedAt})
		} else if late && why != t.seen {
			t.seen = why
			todo = append(todo, db.SaveReasonParams{Name: t.name, Status: string(Unknown), Rank: int64(Unknown.rank()),
				Reason: marshal(why), UpdatedAt: database.Micros(now)})
		}
		t.mu.Unlock()
	}
	if len(todo) == 0 {
		return nil
	}
	return e.s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := e.s.queue.Holds(ctx, tx, lease); err != nil {
			return err
		}
		for _, p := range todo {
			if err := db.New(tx).SaveReason(ctx, p); err != nil {
				return fmt.Errorf("explain %s: %w", p.Name, err)
			}
		}
		return nil
	})
}

// unreadReason says to a person why an objective could not be read.
func unreadReason(err error) text.Both {
	if f, ok := fault.As(err); ok {
		if f.Remedy.IsZero() {
			return f.What
		}
		return text.Say("%s: %s", "%s。%s", f.What, f.Remedy)
	}
	return text.Say("the data source could not be read", "データソースを読み取れませんでした")
}

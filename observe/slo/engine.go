package slo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	shareName = "slo"
	shareTTL  = 20 * time.Second
	look      = time.Second // how often the clock is looked at

	// lookAfterError is how long a database that is full or away is left alone.
	lookAfterError = 10 * time.Second

	// early is how long after its end a minute is counted for the first time, for
	// the last scrape of the minute to arrive. It is read again until it is final.
	early = 30 * time.Second

	// spread is over how much of a minute the questions to a remote source are
	// spread, so that they do not all arrive at once.
	spread = 20 * time.Second

	// jitter is how many minutes the clock may go back without a word: it was set
	// right by a little, and time will catch up.
	jitter = 2
)

// engine moves shards of objectives from minute to minute. It does two things
// only: the tick, which appends a minute to all objectives of a shard, and the
// rebuild, which sums up one objective from its ledger, after its past was read or
// became otherwise.
type engine struct {
	s     *Service
	share *queue.Share

	bell    *bell
	turn    sync.Mutex // one round at a time
	asks    *prepared  // what a round asks the database each second
	sources sourceBook
	watched watched
	late    latecomers
	groups  map[string]*grouped // of the objectives that are taken apart

	mu     sync.Mutex
	held   [shards]*shard
	paused map[string]time.Time // sources whose past is left alone until then
}

func newEngine(s *Service) *engine {
	return &engine{s: s, bell: newBell(), paused: map[string]time.Time{}, share: s.queue.Share(shareName, shards, shareTTL), asks: prepare(s.db.Read())}
}

// Run evaluates until ctx ends, the part of all objectives that falls to this
// replica.
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
		s.engine.bell.wait(ctx, wait)
		if ctx.Err() != nil {
			return nil
		}
	}
}

// Evaluate reads and judges every minute that is over, of the objectives that
// fall to this replica. What a source does not answer is left for the next time.
// Run calls it; tests do so with a clock of their own.
func (s *Service) Evaluate(ctx context.Context) error {
	e := s.engine
	e.turn.Lock()
	defer e.turn.Unlock()
	held, err := e.share.Held(ctx)
	if err != nil {
		return err
	}
	e.keep(held)
	err = e.round(ctx, held)
	if f, ok := fault.As(err); ok && f.Code == "queue.lease_lost" {
		e.share.Lost()
		return nil
	}
	return err
}

// keep lets go of shards that another replica moves on from the database.
func (e *engine) keep(held []int) {
	mine := map[int]bool{}
	for _, n := range held {
		mine[n] = true
	}
	for n := range e.held {
		if !mine[n] {
			e.drop(n)
		}
	}
}

// drop has a shard read anew from the database, by whoever holds it.
func (e *engine) drop(n int) {
	e.mu.Lock()
	sh := e.held[n]
	e.held[n] = nil
	e.mu.Unlock()
	if sh != nil {
		sh.gone.Store(true)
	}
}

// all are the shards in memory, in order.
func (e *engine) all() []*shard {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []*shard
	for _, sh := range e.held {
		if sh != nil {
			all = append(all, sh)
		}
	}
	return all
}

// round moves every held shard to the present.
func (e *engine) round(ctx context.Context, held []int) error {
	defs, err := e.s.book.read(ctx, e.asks)
	if err != nil {
		return err
	}
	began, now := time.Now(), e.s.now().UTC()
	var errs []error
	open := sync.OnceValues(func() (map[string]map[burn.Severity]alert, error) { return e.s.openAlertsBySLO(ctx) })
	for _, n := range held {
		if err := e.load(ctx, n, defs, now, open); err != nil {
			e.drop(n)
			errs = append(errs, err)
		}
	}
	e.watched.follow(e.s, e.all(), defs.generation)
	due := e.due(now)
	read := e.s.newReader()
	moved := 0
	if len(due) > 0 {
		moved, err = e.tick(ctx, read, due, defs, now)
		errs = append(errs, err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	errs = append(errs, e.rebuild(ctx, now), e.late.hear(ctx, e.s, defs, now), e.reread(ctx, now), e.discover(ctx, defs, now))
	if moved > 0 {
		errs = append(errs, e.sources.follow(ctx, e.s, read.down, now))
		e.s.figures.round(time.Since(began), moved)
	}
	return errors.Join(errs...)
}

// load has a held shard in memory, with the members as they are defined.
func (e *engine) load(ctx context.Context, n int, defs *definitions, now time.Time, open openAlerts) error {
	e.mu.Lock()
	sh := e.held[n]
	e.mu.Unlock()
	if sh != nil && len(sh.members) == 0 && len(defs.byShard[n]) > 0 {
		e.drop(n) // it was empty, and begins anew
		sh = nil
	}
	if sh == nil {
		fresh, err := e.s.loadShard(ctx, n, defs, ledger.Done(now.Add(-early)), open)
		if err != nil {
			return fmt.Errorf("load shard %d: %w", n, err)
		}
		e.mu.Lock()
		e.held[n] = fresh
		e.mu.Unlock()
		return nil
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.defined == defs {
		return nil
	}
	if err := sh.adopt(ctx, defs, map[int64]*standing{}, open); err != nil {
		return fmt.Errorf("load shard %d: %w", n, err)
	}
	return nil
}

// tick is a shard that has minutes to count.
type tick struct {
	sh     *shard
	target int64
}

// due lists the shards with minutes to count.
func (e *engine) due(now time.Time) []tick {
	var due []tick
	for _, sh := range e.all() {
		target := ledger.Done(now.Add(-sh.wait()))
		if len(sh.members) > 0 && (target > sh.end || target < sh.end-jitter) {
			due = append(due, tick{sh, target})
		}
	}
	return due
}

// tick counts the minutes that are due, of all shards with one question to each
// source, and writes them in one transaction.
func (e *engine) tick(ctx context.Context, read *reader, due []tick, defs *definitions, now time.Time) (int, error) {
	var all []reading
	var starts []int
	for _, d := range due {
		starts = append(starts, len(all))
		if d.target < d.sh.end {
			continue // the clock went back
		}
		for _, m := range d.sh.members {
			span := ledger.Between(m.final, d.target)
			if d.target-d.sh.end > recentGap {
				span.From = d.target - 1
			}
			all = append(all, reading{m: m, span: span})
		}
	}
	starts = append(starts, len(all))
	read.read(ctx, all)
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var steps []*step
	var errs []error
	for i, d := range due {
		d.sh.mu.Lock()
		defer d.sh.mu.Unlock()
		var x *step
		var err error
		if d.target < d.sh.end {
			x, err = d.sh.rewind(ctx, d.target, now)
		} else {
			x, err = d.sh.move(ctx, d.target, all[starts[i]:starts[i+1]], now)
		}
		if err != nil {
			d.sh.gone.Store(true)
			errs = append(errs, fmt.Errorf("move shard %d forward: %w", d.sh.number, err))
			continue
		}
		steps = append(steps, x)
	}
	return len(all), errors.Join(append(errs, e.commit(ctx, steps, defs, now))...)
}

// commit writes steps, in one transaction. When that fails, what is in memory is
// read anew.
func (e *engine) commit(ctx context.Context, steps []*step, defs *definitions, now time.Time) error {
	err := e.s.writeSteps(ctx, steps, defs.generation, now)
	for _, x := range steps {
		if err != nil || x.cut > 0 {
			x.sh.gone.Store(true)
		} else {
			e.s.board.put(x.sh.number, x.sh.version, x.standings)
		}
	}
	e.forget()
	if errors.Is(err, errChanged) {
		return nil // it is done again in a second
	}
	return err
}

// forget lets go of shards that are gone.
func (e *engine) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for n, sh := range e.held {
		if sh != nil && sh.gone.Load() {
			e.held[n] = nil
		}
	}
}

// watched are the selections that counting sources were told of.
type watched struct {
	generation int64
	shards     int
	any        bool
}

// follow tells the sources what to count as it arrives, when that changed.
func (w *watched) follow(s *Service, held []*shard, generation int64) {
	if w.any && w.generation == generation && w.shards == len(held) {
		return
	}
	*w = watched{generation, len(held), true}
	selections := map[metrics.Counting][]metrics.Selection{}
	for _, sh := range held {
		for _, m := range sh.members {
			if !s.counts(m) {
				continue
			}
			for _, a := range m.asks {
				if q, err := s.sources.Get(a.Source); err == nil {
					c := q.(metrics.Counting) //nolint:forcetypeassert // counts looked
					selections[c] = append(selections[c], metrics.Selection{Expr: a.Expr})
					if g := m.def.Grouping; g != nil && a.Field == "total" {
						selections[c] = append(selections[c], metrics.Selection{Expr: a.Expr, By: g.By})
					}
				}
			}
		}
	}
	for c, all := range selections {
		c.Watch(all)
	}
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

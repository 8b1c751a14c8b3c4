package embedded

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	promvalue "github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/increase"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// watch counts selections as samples arrive.
//
// Each appender notes what it appends; what it has committed is counted. A
// series is matched against the selections once, when it is met first; a series
// that none selects costs a look into a map. The selections' latest minutes stay
// in rings. What is counted here is what reading the samples again would give:
// wherever more than the previous sample is needed, that is what is done.
type watch struct {
	s *Store

	// gate is held shared while samples are committed and counted, and alone while
	// the set of selections changes, so that no sample falls between.
	gate sync.RWMutex
	on   atomic.Bool

	late late // what came after its minute was over

	mu       sync.Mutex // guards what is below
	live     increase.Live
	series   map[storage.SeriesRef]*series // nil: met, and of no interest
	warm     map[uint64]increase.State     // of series that were not met yet, by hash of labels
	prunedAt int64
	falls    []increase.Fall // of the samples that are being counted
}

// newest is the time of the newest sample; 0 where there is none.
func (s *Store) newest() int64 {
	_, to, ok := s.Span()
	if !ok {
		return 0
	}
	return to.UnixMilli()
}

// series is one that is of interest.
type series struct {
	ls     labels.Labels
	state  increase.State
	newest int64 // the latest sample, or mark that it is gone, that was met
	count  bool  // its samples are native histograms
	parts  []increase.Place
}

// pruneEvery is how often series are forgotten that had no sample for as long:
// by then the store's head has let go of them.
const pruneEvery = 3 * 60 * minute

func newWatch(s *Store) *watch {
	return &watch{s: s, series: map[storage.SeriesRef]*series{}}
}

// Watch implements metrics.Counting.
func (s *Store) Watch(selections []metrics.Selection) {
	w := s.watch
	w.gate.Lock()
	defer w.gate.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	now := s.newest()
	fresh := w.live.Watch(selections, metrics.MinuteOf(now)+1)
	w.on.Store(!w.live.Empty())
	// Series that were of no interest are met again.
	for ref, sr := range w.series {
		if sr == nil || !w.place(sr) {
			delete(w.series, ref)
		}
	}
	w.warmUp(fresh, now)
}

// distrust has all minutes so far read again: something was stored past the watch.
func (w *watch) distrust() {
	w.gate.Lock()
	defer w.gate.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live.Distrust(metrics.MinuteOf(w.s.newest()) + 1)
}

// place finds where a series counts, and reports whether anywhere.
func (w *watch) place(sr *series) bool {
	sr.parts = slices.Clip(w.live.Places(sr.ls, sr.parts[:0]))
	return len(sr.parts) > 0
}

// warmUp reads where the series of new selections stand, so that their next
// sample need not be looked up.
func (w *watch) warmUp(fresh []*increase.Tally, now int64) {
	w.warm = map[uint64]increase.State{}
	if len(fresh) == 0 || w.s.db.Head().NumSeries() == 0 {
		return
	}
	q, err := w.s.db.Querier(now-aside, now)
	if err != nil {
		w.s.log.Error("the metrics store cannot be read", "error", err)
		return
	}
	defer func() { _ = q.Close() }() // nothing was written
	var it chunkenc.Iterator
	for _, r := range increase.Combine(fresh) {
		set := q.Select(context.Background(), false, nil, r.Matchers...)
		for set.Next() {
			var state increase.State
			it = set.At().Iterator(it)
			for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
				if t, v, err := observation(it, kind, r.Of); err == nil && fits(kind, r.Of, v) {
					_, _, _ = state.Add(t, v, unknown)
				}
			}
			if state.Experienced() {
				w.warm[set.At().Labels().Hash()] = state
			}
		}
		if err := set.Err(); err != nil {
			w.s.log.Error("the metrics store cannot be read", "error", err)
		}
	}
}

// recall answers plain sums from memory, and returns the places of selections
// that take more than that.
func (w *watch) recall(selections []metrics.Selection, from, to int64, out []metrics.Counts) (others []int) {
	on := w.on.Load() && to > from && to-from <= increase.RingMinutes
	var values []float64
	if on {
		values = make([]float64, int64(len(selections))*(to-from))
		w.mu.Lock()
		defer w.mu.Unlock()
	}
	for i, selection := range selections {
		if on {
			mine := values[: to-from : to-from]
			if w.live.Recall(selection, from, mine) {
				values = values[to-from:]
				out[i] = metrics.Counts{Values: mine, Exact: true}
				continue
			}
		}
		others = append(others, i)
	}
	return others
}

// recent answers from memory, and nil where that does not reach back to from.
func (w *watch) recent(selection metrics.Selection, from, to int64) *increase.Tally {
	if !w.on.Load() {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.live.Recent(selection, from, to)
}

// noted is one sample that was appended.
type noted struct {
	ref   storage.SeriesRef
	ls    labels.Labels
	t     int64
	st    int64 // when the counter began, where the target says so
	v     float64
	count bool // v is how many observations a native histogram holds
}

var notes = sync.Pool{New: func() any { return new([]noted) }}

// counted is an appender whose samples are counted once they are committed.
type counted struct {
	storage.AppenderV2
	w        *watch
	notes    *[]noted
	received bool // sent by others, and so perhaps late or out of order
}

// appender counts what a commits.
func (w *watch) appender(a storage.AppenderV2, received bool) *counted {
	n, _ := notes.Get().(*[]noted)
	return &counted{a, w, n, received}
}

// Append implements storage.AppenderV2.
func (c *counted) Append(ref storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, o storage.AOptions) (storage.SeriesRef, error) {
	o.RejectOutOfOrder = o.RejectOutOfOrder || !c.received
	ref, err := c.AppenderV2.Append(ref, ls, st, t, v, h, fh, o)
	if err != nil {
		return ref, err
	}
	n := noted{ref: ref, ls: ls, t: t, st: st, v: v}
	switch {
	case h != nil:
		n.v, n.count = float64(h.Count), true
		if promvalue.IsStaleNaN(h.Sum) {
			n.v = h.Sum
		}
	case fh != nil:
		n.v, n.count = fh.Count, true
		if promvalue.IsStaleNaN(fh.Sum) {
			n.v = fh.Sum
		}
	}
	*c.notes = append(*c.notes, n)
	return ref, nil
}

// Commit implements storage.AppenderV2.
func (c *counted) Commit() error {
	c.w.gate.RLock()
	defer c.w.gate.RUnlock()
	err := c.AppenderV2.Commit()
	if err == nil {
		err = c.count(c.w.s.o.Now())
	}
	c.release()
	return err
}

// count takes what was committed. An error says that it may not be known after an
// abrupt end that some of it came late.
func (c *counted) count(now time.Time) error {
	if c.received {
		c.w.late.note(*c.notes, now, c.w.on.Load())
	}
	if c.w.on.Load() {
		c.w.count(*c.notes, c.received, overAt(now))
	}
	if c.received {
		return c.w.late.keep()
	}
	return nil
}

// Rollback implements storage.AppenderV2.
func (c *counted) Rollback() error {
	c.release()
	return c.AppenderV2.Rollback()
}

func (c *counted) release() {
	clear(*c.notes)
	*c.notes = (*c.notes)[:0]
	notes.Put(c.notes)
	c.notes = new([]noted)
}

// count takes committed samples. Minutes before over were over when they came.
func (w *watch) count(samples []noted, received bool, over int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var why *increase.Witness
	for i := range samples {
		n := &samples[i]
		sr, met := w.series[n.ref]
		if !met {
			sr = w.meet(n)
		}
		if sr == nil {
			continue
		}
		if received && w.outOfTurn(sr, n, over) {
			continue
		}
		usual := sr.state.Usual(n.t) && (sr.count == n.count || promvalue.IsStaleNaN(n.v))
		if why == nil && (!usual || sr.state.Missed(n.t) || n.st > sr.state.T) {
			why = w.s.witness()
		}
		if !usual {
			w.lookUp(sr, n, why)
			if received {
				sr.distrust(n.t)
			}
			continue
		}
		if n.st > sr.state.T && n.st < n.t {
			w.add(sr, n.st, 0, why)
		}
		w.add(sr, n.t, n.v, why)
	}
	w.doubt(samples)
	if len(samples) > 0 && samples[0].t-w.prunedAt > pruneEvery {
		w.prune(samples[0].t)
	}
}

// doubt has the minute read again of targets of which a counter fell: the others,
// scraped with it, may have begun anew without showing it.
func (w *watch) doubt(samples []noted) {
	for _, f := range w.falls {
		for i := range samples {
			sr := w.series[samples[i].ref]
			if sr == nil || !f.Of(sr.ls) {
				continue
			}
			for _, p := range sr.parts {
				p.Distrust(f.Minute())
			}
		}
	}
	w.falls = w.falls[:0]
}

// meet matches a series that was not seen before.
func (w *watch) meet(n *noted) *series {
	sr := &series{ls: n.ls, count: n.count}
	if !w.place(sr) {
		w.series[n.ref] = nil
		return nil
	}
	sr.ls = n.ls.Copy()
	hash := n.ls.Hash()
	if state, ok := w.warm[hash]; ok {
		sr.state, sr.newest = state, max(state.T, state.Stale)
		delete(w.warm, hash)
	}
	w.series[n.ref] = sr
	return sr
}

// add counts one sample of a series.
func (w *watch) add(sr *series, t int64, v float64, why *increase.Witness) {
	step, ok, err := sr.state.Follow(t, v, sr.ls, why)
	if err != nil || ok {
		w.put(sr, t, step, err)
	}
	if f, fell := increase.FallOf(sr.ls, step); fell {
		w.falls = append(w.falls, f)
	}
}

// put gives a step to the selections that it belongs to.
func (w *watch) put(sr *series, t int64, step increase.Step, err error) {
	for i := range sr.parts {
		p := &sr.parts[i]
		switch {
		case sr.count && !p.Count:
			p.Fail(metrics.MinuteOf(t), metrics.HistogramFault())
		case p.Count && !sr.count:
		case err != nil:
			p.Fail(metrics.MinuteOf(t), err)
		default:
			p.Take(step)
			if step.Moved { // which targets ended is known later
				p.Distrust(metrics.MinuteOf(t))
			}
		}
	}
}

// lookUp counts a sample of a series of which more must be known than its
// previous sample: it is followed again, from the store.
func (w *watch) lookUp(sr *series, n *noted, why *increase.Witness) {
	if sr.state.Seen() && n.t <= sr.state.T {
		return
	}
	after := n.t - 1
	if n.st > 0 && n.st < n.t {
		after = max(n.st-1, n.t-aside)
	}
	after = max(after, sr.state.T)
	sr.count = n.count
	since := n.t - aside
	state, err := w.s.stateBefore(sr.ls, promexpr.Observed{Histogram: n.count}, since)
	if err != nil {
		w.s.log.Error("the metrics store cannot be read", "error", err)
	}
	sr.state = state
	err = w.s.samplesOf(sr.ls, promexpr.Observed{Histogram: sr.count}, since, n.t, func(t int64, v float64) {
		if t > after {
			w.add(sr, t, v, why)
		} else {
			_, _, _ = sr.state.Follow(t, v, sr.ls, why)
		}
	})
	if err != nil {
		w.s.log.Error("the metrics store cannot be read", "error", err)
	}
}

// prune forgets series without samples.
func (w *watch) prune(now int64) {
	w.prunedAt = now
	for ref, sr := range w.series {
		if sr == nil || now-sr.state.T > pruneEvery {
			delete(w.series, ref)
		}
	}
	clear(w.warm)
	w.live.Forget(metrics.MinuteOf(now - pruneEvery))
	for _, sr := range w.series {
		if sr != nil {
			w.place(sr)
		}
	}
}

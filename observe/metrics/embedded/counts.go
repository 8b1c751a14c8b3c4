package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	promvalue "github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/increase"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

var (
	_ metrics.Counting = (*Store)(nil)
	_ metrics.Beginner = (*Store)(nil)
)

const (
	minute = int64(time.Minute / time.Millisecond)

	// aside is how far samples are read after a span: they say which minutes at
	// its end are known.
	aside = int64(increase.LongestInterval / time.Millisecond)

	// settles is how long after its scrape a sample may still be on its way.
	settles = 15 * time.Second
)

// Counts implements metrics.Counting. Minutes that were watched as they came are
// answered from memory, all others from raw samples.
func (s *Store) Counts(ctx context.Context, selections []metrics.Selection, from, to int64) ([]metrics.Counts, error) {
	out := make([]metrics.Counts, len(selections))
	others := s.watch.recall(selections, from, to, out)
	tallies := make([]*increase.Tally, len(others))
	unread := make([]*increase.Tally, 0, len(others))
	for i, at := range others {
		selection := selections[at]
		if tallies[i] = s.watch.recent(selection, from, to); tallies[i] != nil {
			continue
		}
		plan, err := increase.NewPlan(selection)
		tallies[i] = increase.NewTally(plan, from, to)
		if err != nil {
			tallies[i].Fail(err)
			continue
		}
		unread = append(unread, tallies[i])
	}
	if err := s.read(ctx, unread, from, to); err != nil {
		return nil, err
	}
	for i, at := range others {
		out[at] = tallies[i].Counts()
	}
	return out, nil
}

// Settled implements metrics.Counting.
func (s *Store) Settled() int64 {
	if s.db.Head().NumSeries() == 0 {
		return 0
	}
	return metrics.MinuteAfter(s.db.Head().MaxTime() - settles.Milliseconds())
}

// Begins implements metrics.Beginner.
func (s *Store) Begins() int64 {
	from, _, ok := s.Span()
	if !ok {
		return 0
	}
	return metrics.MinuteOf(from.UnixMilli())
}

// read counts tallies from raw samples.
func (s *Store) read(ctx context.Context, tallies []*increase.Tally, from, to int64) error {
	if len(tallies) == 0 || from >= to {
		return nil
	}
	// One minute more: an expression that stands for one series looks back.
	since := (from-1)*minute + 1
	q, err := s.db.Querier(since, to*minute+aside)
	if err != nil {
		return fmt.Errorf("read the metrics store: %w", err)
	}
	defer func() { _ = q.Close() }() // nothing was written
	w := s.witness()
	var restarts increase.Restarts
	readings := increase.Combine(tallies)
	for _, r := range readings {
		if err := s.readSeries(ctx, q, r, w, &restarts, since); err != nil {
			return err
		}
	}
	for _, r := range readings {
		err := restarts.Correct(r, w, func(of promexpr.Observed, matchers []*labels.Matcher, from, to int64) ([]increase.Sibling, error) {
			return s.siblings(ctx, of, matchers, from, to)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readSeries makes one pass. What happened before the moment since, in Unix
// milliseconds, is the base.
func (s *Store) readSeries(ctx context.Context, q storage.Querier, r *increase.Reading, w *increase.Witness, restarts *increase.Restarts, since int64) error {
	set := q.Select(ctx, false, nil, r.Matchers...)
	var it chunkenc.Iterator
	var parts []increase.Part
	for n := 0; set.Next(); n++ {
		if n%256 == 0 && ctx.Err() != nil {
			return fmt.Errorf("read the metrics store: %w", ctx.Err())
		}
		series := set.At()
		ls := series.Labels()
		if parts = r.Parts(ls, parts[:0]); len(parts) == 0 {
			continue
		}
		it = series.Iterator(it)
		if err := s.follow(it, ls, r.Of, w, restarts, since, parts); err != nil {
			return err
		}
	}
	if err := set.Err(); err != nil {
		return fmt.Errorf("read the metrics store: %w", err)
	}
	return nil
}

// siblings are the counters that were there in both of two scrapes.
func (s *Store) siblings(ctx context.Context, of promexpr.Observed, matchers []*labels.Matcher, from, to int64) (all []increase.Sibling, err error) {
	q, err := s.db.Querier(from, to)
	if err != nil {
		return nil, fmt.Errorf("read the metrics store: %w", err)
	}
	defer func() { _ = q.Close() }() // nothing was written
	set := q.Select(ctx, false, nil, matchers...)
	var it chunkenc.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		var points []metrics.Point
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			if t, v, err := observation(it, kind, of); err == nil && fits(kind, of, v) {
				points = append(points, metrics.Point{T: t, V: v})
			}
		}
		if x, ok := increase.SiblingOf(set.At().Labels(), points, from, to); ok {
			all = append(all, x)
		}
	}
	if err := set.Err(); err != nil {
		return nil, fmt.Errorf("read the metrics store: %w", err)
	}
	return all, nil
}

// follow counts one series.
func (s *Store) follow(it chunkenc.Iterator, ls labels.Labels, of promexpr.Observed, w *increase.Witness, restarts *increase.Restarts, since int64, parts []increase.Part) error {
	state, err := s.stateBefore(ls, of, since)
	if err != nil {
		return err
	}
	for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
		t, v, err := observation(it, kind, of)
		if !fits(kind, of, v) && of.Histogram {
			continue
		}
		var step increase.Step
		var ok bool
		if err == nil {
			step, ok, err = state.Follow(t, v, ls, w)
		}
		if err != nil && kind != chunkenc.ValFloat && !of.Histogram {
			err = metrics.HistogramFault()
		}
		for _, p := range parts {
			switch {
			case err != nil:
				p.Fail(metrics.MinuteOf(t), err)
			case ok:
				p.Take(step)
			}
		}
		if ok {
			restarts.Note(ls, of, &step)
		}
	}
	if err := it.Err(); err != nil {
		return fmt.Errorf("read the metrics store: %w", err)
	}
	return nil
}

// unknown is the answer about appearances that are of no interest.
func unknown(increase.Appearance) increase.Birth { return increase.Birth{} }

// stateBefore is what was seen of a series before a moment, however long ago: of
// the newest chunk before it only.
func (s *Store) stateBefore(ls labels.Labels, of promexpr.Observed, before int64) (increase.State, error) {
	var state increase.State
	oldest := s.oldest()
	if oldest >= before {
		return state, nil
	}
	q, err := s.db.ChunkQuerier(oldest, before-1)
	if err != nil {
		return state, fmt.Errorf("read the metrics store: %w", err)
	}
	defer func() { _ = q.Close() }() // nothing was written
	set := q.Select(context.Background(), false, nil, exactly(ls)...)
	for set.Next() {
		series := set.At()
		if !labels.Equal(series.Labels(), ls) {
			continue
		}
		// Two, because the newest may hold nothing but the mark that it is gone.
		var newest [2]chunks.Meta
		it := series.Iterator(nil)
		for it.Next() {
			if c := it.At(); c.MinTime < before {
				newest[0], newest[1] = newest[1], c
			}
		}
		if err := it.Err(); err != nil {
			return state, fmt.Errorf("read the metrics store: %w", err)
		}
		for _, c := range newest {
			remember(&state, c, before, of)
		}
	}
	if err := set.Err(); err != nil {
		return state, fmt.Errorf("read the metrics store: %w", err)
	}
	return state, nil
}

// remember takes the samples of a chunk before a moment into the state. What is
// no counter is told where it is counted.
func remember(state *increase.State, c chunks.Meta, before int64, of promexpr.Observed) {
	if c.Chunk == nil {
		return
	}
	samples := c.Chunk.Iterator(nil)
	for kind := samples.Next(); kind != chunkenc.ValNone; kind = samples.Next() {
		if t, v, err := observation(samples, kind, of); t < before && err == nil && fits(kind, of, v) {
			_, _, _ = state.Add(t, v, unknown)
		}
	}
}

// samplesOf yields what was stored of one series in [from, to].
func (s *Store) samplesOf(ls labels.Labels, of promexpr.Observed, from, to int64, yield func(t int64, v float64)) error {
	return s.eachOf(ls, from, to, func(it chunkenc.Iterator, kind chunkenc.ValueType) {
		if t, v, err := observation(it, kind, of); err == nil && fits(kind, of, v) {
			yield(t, v)
		}
	})
}

// eachOf yields the samples of one series in [from, to], of whatever kind.
func (s *Store) eachOf(ls labels.Labels, from, to int64, yield func(it chunkenc.Iterator, kind chunkenc.ValueType)) error {
	q, err := s.db.Querier(from, to)
	if err != nil {
		return fmt.Errorf("read the metrics store: %w", err)
	}
	defer func() { _ = q.Close() }() // nothing was written
	set := q.Select(context.Background(), false, nil, exactly(ls)...)
	for set.Next() {
		if !labels.Equal(set.At().Labels(), ls) {
			continue
		}
		it := set.At().Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			yield(it, kind)
		}
	}
	if err := set.Err(); err != nil {
		return fmt.Errorf("read the metrics store: %w", err)
	}
	return nil
}

// fits reports whether a sample is of the kind that is counted. A mark that a
// series is gone is of either.
func fits(kind chunkenc.ValueType, of promexpr.Observed, v float64) bool {
	return of.Histogram == (kind != chunkenc.ValFloat) || promvalue.IsStaleNaN(v)
}

// exactly selects one series, and those that have more labels.
func exactly(ls labels.Labels) []*labels.Matcher {
	m := make([]*labels.Matcher, 0, ls.Len())
	ls.Range(func(l labels.Label) { m = append(m, equal(l.Name, l.Value)) })
	return m
}

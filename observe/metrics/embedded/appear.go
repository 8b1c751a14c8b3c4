package embedded

import (
	"context"
	"math"

	"github.com/prometheus/prometheus/model/labels"
	promvalue "github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/increase"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// witness answers what the store knows of series that appear.
func (s *Store) witness() *increase.Witness {
	return &increase.Witness{Oldest: s.oldest(), Each: s.each}
}

// each yields the series with samples in [from, to], as long as visit says so.
func (s *Store) each(matchers []*labels.Matcher, from, to int64, visit func(ls labels.Labels, samples []metrics.Point) bool) {
	q, err := s.db.Querier(from, to)
	if err != nil {
		s.log.Error("the metrics store cannot be read", "error", err)
		return
	}
	defer func() { _ = q.Close() }() // nothing was written
	set := q.Select(context.Background(), false, &storage.SelectHints{Start: from, End: to}, matchers...)
	var it chunkenc.Iterator
	var samples []metrics.Point
	for set.Next() {
		it = set.At().Iterator(it)
		samples = samples[:0]
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			if t, v, err := observation(it, kind, promexpr.Observed{Histogram: kind != chunkenc.ValFloat}); err == nil {
				samples = append(samples, metrics.Point{T: t, V: v})
			}
		}
		if len(samples) > 0 && !visit(set.At().Labels(), samples) {
			break
		}
	}
	if err := set.Err(); err != nil {
		s.log.Error("the metrics store cannot be read", "error", err)
	}
}

// observation is a sample's time and value: of a native histogram how many
// observations it holds, or the mark that it is gone. An error says that this is
// not known.
func observation(it chunkenc.Iterator, kind chunkenc.ValueType, of promexpr.Observed) (int64, float64, error) {
	switch kind {
	case chunkenc.ValFloat:
		t, v := it.At()
		return t, v, nil
	case chunkenc.ValHistogram, chunkenc.ValFloatHistogram:
		t, h := it.AtFloatHistogram(nil)
		if promvalue.IsStaleNaN(h.Sum) {
			return t, h.Sum, nil
		}
		if of.Histogram {
			v, err := increase.Of(h, of)
			return t, v, err
		}
		return t, math.NaN(), nil
	}
	return it.AtT(), math.NaN(), nil
}

func equal(name, v string) *labels.Matcher { return labels.MustNewMatcher(labels.MatchEqual, name, v) }

// oldest is the time before which the store holds nothing.
func (s *Store) oldest() int64 {
	from := begin(s.db.Head())
	for _, b := range s.db.Blocks() {
		from = min(from, b.MinTime())
	}
	return from
}

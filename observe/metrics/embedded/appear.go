package embedded

import (
	"context"
	"math"

	"github.com/prometheus/prometheus/model/labels"
	promvalue "github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/teiten/teiten/observe/metrics/increase"
)

// witness answers what the store knows of series that appear.
func (s *Store) witness() *increase.Witness {
	return &increase.Witness{Oldest: s.oldest(), Each: s.each}
}

// each yields the samples of [from, to], series by series.
func (s *Store) each(matchers []*labels.Matcher, from, to int64, sample func(t int64, v float64), next func()) {
	q, err := s.db.Querier(from, to)
	if err != nil {
		s.log.Error("the metrics store cannot be read", "error", err)
		return
	}
	defer q.Close()
	set := q.Select(context.Background(), false, &storage.SelectHints{Start: from, End: to}, matchers...)
	var it chunkenc.Iterator
	for set.Next() {
		it = set.At().Iterator(it)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			sample(observation(it, kind, kind != chunkenc.ValFloat))
		}
		next()
	}
	if err := set.Err(); err != nil {
		s.log.Error("the metrics store cannot be read", "error", err)
	}
}

// observation is a sample's time and value: of a native histogram how many
// observations it holds, or the mark that it is gone.
func observation(it chunkenc.Iterator, kind chunkenc.ValueType, count bool) (int64, float64) {
	switch kind {
	case chunkenc.ValFloat:
		return it.At()
	case chunkenc.ValHistogram, chunkenc.ValFloatHistogram:
		t, h := it.AtFloatHistogram(nil)
		if promvalue.IsStaleNaN(h.Sum) {
			return t, h.Sum
		}
		if count {
			return t, h.Count
		}
		return t, math.NaN()
	}
	return it.AtT(), math.NaN()
}

func equal(name, v string) *labels.Matcher { return labels.MustNewMatcher(labels.MatchEqual, name, v) }

// oldest is the time before which the store holds nothing.
func (s *Store) oldest() int64 {
	from := s.db.Head().MinTime()
	for _, b := range s.db.Blocks() {
		from = min(from, b.MinTime())
	}
	return from
}

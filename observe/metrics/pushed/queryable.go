package pushed

import (
	"context"
	"maps"
	"slices"
	"sort"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/pushed/db"
)

// queryable shows the counts as counters with a sample at the end of each known
// minute, and one where known minutes begin, so that an increase over a minute is
// exactly what happened in it.
type queryable struct{ s *Service }

// Querier implements storage.Queryable.
func (q queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{q.s, mint, maxt}, nil
}

type querier struct {
	s          *Service
	mint, maxt int64
}

var _ storage.Querier = (*querier)(nil)

func (q *querier) reader() *reader {
	now := metrics.MinuteAfter(q.s.Now().UnixMilli())
	return &reader{
		s: q.s, from: metrics.MinuteOf(q.mint), to: min(metrics.MinuteAfter(q.maxt), now),
		streams: map[string][]kept{}, minutes: map[string][]minute{},
	}
}

// Select implements storage.Querier.
func (q *querier) Select(ctx context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	r := q.reader()
	found, err := r.find(ctx, matchers)
	if err != nil {
		return storage.ErrSeriesSet(err)
	}
	var out []storage.Series
	for _, x := range found {
		samples, err := q.samples(ctx, r, x)
		if err != nil {
			return storage.ErrSeriesSet(err)
		}
		if len(samples) > 0 {
			out = append(out, storage.NewListSeries(x.all(), samples))
		}
	}
	slices.SortFunc(out, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &seriesSet{series: out, at: -1}
}

// samples are the values of one counter.
func (q *querier) samples(ctx context.Context, r *reader, x series) ([]chunks.Sample, error) {
	known, err := r.known(ctx, x.kept)
	if err != nil || len(known) == 0 {
		return nil, err
	}
	before, err := db.New(q.s.DB.Read()).SumBefore(ctx, db.SumBeforeParams{Stream: x.id, Minute: known[0].at})
	if err != nil {
		return nil, database.Fault(err)
	}
	value := minute{good: before.Good, total: before.Total}.of(x.result)
	var out []chunks.Sample
	put := func(t int64) {
		if t >= q.mint && t <= q.maxt {
			out = append(out, sample{t, value})
		}
	}
	next := int64(-1)
	for _, m := range known {
		if m.at != next { // begins within the minute, so that the one before stays unknown
			put(m.at*60_000 + 1)
		}
		value += m.of(x.result)
		next = m.at + 1
		put(next * 60_000)
	}
	return out, nil
}

// all are the labels of a counter.
func (s series) all() labels.Labels {
	m := maps.Clone(s.labels)
	if m == nil {
		m = map[string]string{}
	}
	m[model.MetricNameLabel], m[LabelStream], m[LabelResult] = Metric, s.name, s.result
	return labels.FromMap(m)
}

// LabelValues implements storage.Querier.
func (q *querier) LabelValues(ctx context.Context, name string, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	found, err := q.reader().find(ctx, matchers)
	values := map[string]bool{}
	for _, x := range found {
		if v := x.label(name); v != "" {
			values[v] = true
		}
	}
	return slices.Sorted(maps.Keys(values)), nil, err
}

// LabelNames implements storage.Querier.
func (q *querier) LabelNames(ctx context.Context, _ *storage.LabelHints, matchers ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	found, err := q.reader().find(ctx, matchers)
	names := map[string]bool{}
	for _, x := range found {
		x.all().Range(func(l labels.Label) { names[l.Name] = true })
	}
	out := slices.Collect(maps.Keys(names))
	sort.Strings(out)
	return out, nil, err
}

// Close implements storage.Querier.
func (q *querier) Close() error { return nil }

type seriesSet struct {
	series []storage.Series
	at     int
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool { s.at++; return s.at < len(s.series) }

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return s.series[s.at] }

// Err implements storage.SeriesSet.
func (s *seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

// sample is a value at a moment.
type sample struct {
	t int64
	v float64
}

var _ chunks.Sample = sample{}

func (s sample) T() int64                      { return s.t }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.v }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

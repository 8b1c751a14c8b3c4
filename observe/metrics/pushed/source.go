package pushed

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/evaluate"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/metrics/pushed/db"
)

const mostSteps = 600_000 // moments of a range: a year of minutes and more

var (
	_ metrics.Counting = (*Service)(nil)
	_ metrics.Checker  = (*Service)(nil)
)

// Check reports whether the database answers.
func (s *Service) Check(ctx context.Context) error {
	_, err := db.New(s.DB.Read()).CountStreams(ctx)
	return database.Fault(err)
}

// Anchored is true: counts by the minute are exact.
func (s *Service) Anchored() bool { return true }

// Instant implements metrics.Querier.
func (s *Service) Instant(ctx context.Context, expr string, at time.Time) ([]metrics.Series, error) {
	if err := promexpr.Check(expr); err != nil {
		return nil, err
	}
	return evaluate.Run(ctx, func() (promql.Query, error) {
		return s.engine.NewInstantQuery(ctx, queryable{s}, nil, expr, at)
	})
}

// Range implements metrics.Querier.
func (s *Service) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]metrics.Series, error) {
	if err := metrics.CheckRange(from, to, step, mostSteps); err != nil {
		return nil, err
	}
	if err := promexpr.Check(expr); err != nil {
		return nil, err
	}
	return evaluate.Run(ctx, func() (promql.Query, error) {
		return s.engine.NewRangeQuery(ctx, queryable{s}, nil, expr, from, to, step)
	})
}

// Watch does nothing: minutes are read from an index.
func (s *Service) Watch([]metrics.Selection) {}

// Settled implements metrics.Counting.
func (s *Service) Settled() int64 { return s.settledAt(s.Now()) }

// Counts implements metrics.Counting.
func (s *Service) Counts(ctx context.Context, selections []metrics.Selection, from, to int64) ([]metrics.Counts, error) {
	r := &reader{s: s, from: from, to: min(to, metrics.MinuteAfter(s.Now().UnixMilli())), minutes: map[string][]minute{}, streams: map[string][]kept{}}
	out := make([]metrics.Counts, len(selections))
	for i, sel := range selections {
		sum, err := promexpr.Count(sel.Expr)
		if err != nil {
			out[i].Err = err
			continue
		}
		if out[i], err = r.count(ctx, sum, sel.By, int(to-from)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// minute is what happened in a minute of a stream that is known.
type minute struct {
	at          int64
	good, total float64
}

// reader reads each stream once for all selections of a call.
type reader struct {
	s        *Service
	from, to int64
	streams  map[string][]kept
	minutes  map[string][]minute // known ones, by stream
}

// series is one counter: a stream and a result.
type series struct {
	kept
	result string
}

func (s series) label(name string) string {
	switch name {
	case model.MetricNameLabel:
		return Metric
	case LabelStream:
		return s.name
	case LabelResult:
		return s.result
	}
	return s.labels[name]
}

func (m minute) of(result string) float64 {
	if result == Good {
		return m.good
	}
	return m.total - m.good
}

// find lists the counters that matchers select.
func (r *reader) find(ctx context.Context, matchers []*labels.Matcher) ([]series, error) {
	name := ""
	for _, m := range matchers {
		if m.Name == LabelStream && m.Type == labels.MatchEqual {
			name = m.Value
		}
	}
	all, ok := r.streams[name]
	if !ok {
		var err error
		if all, err = streams(ctx, r.s.DB.Read(), name); err != nil {
			return nil, err
		}
		r.streams[name] = all
	}
	var found []series
	for _, k := range all {
		for _, result := range []string{Bad, Good} {
			x := series{k, result}
			if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(x.label(m.Name)) }) {
				found = append(found, x)
			}
		}
	}
	return found, nil
}

// known reads the minutes of a stream of which something is known: all since the
// first where silence means that nothing happened, and otherwise those that
// follow closely on something that arrived.
func (r *reader) known(ctx context.Context, k kept) ([]minute, error) {
	if have, ok := r.minutes[k.id]; ok {
		return have, nil
	}
	covers := k.covers()
	rows, err := db.New(r.s.DB.Read()).Minutes(ctx, db.MinutesParams{Stream: k.id, FromMinute: r.from - covers + 1, ToMinute: r.to})
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read stream %s: %w", k.name, err))
	}
	var out []minute
	next := r.from
	if k.every == 0 {
		next = max(next, k.first)
	}
	fill := func(until int64) {
		for ; next < min(until, r.to); next++ {
			out = append(out, minute{at: next})
		}
	}
	covered := next // minutes before it are known although nothing is there
	if k.every == 0 {
		covered = r.to
	}
	for _, row := range rows {
		if row.Minute >= next {
			fill(min(covered, row.Minute))
			next = row.Minute + 1
			out = append(out, minute{row.Minute, row.Good, row.Total})
		}
		if k.every > 0 {
			covered = row.Minute + covers
		}
	}
	fill(covered)
	r.minutes[k.id] = out
	return out, nil
}

// covers is for how many minutes, its own among them, something that arrived
// says that the stream is alive.
func (k kept) covers() int64 {
	if k.every <= time.Minute {
		return 1
	}
	return int64((k.every+time.Minute-1)/time.Minute) + 1
}

// count adds up what a sum of counters selects.
func (r *reader) count(ctx context.Context, sum promexpr.Sum, by []string, n int) (metrics.Counts, error) {
	groups := map[string]*metrics.Group{}
	apart := map[string]bool{} // what the expression itself keeps apart
	for _, term := range sum.Terms {
		found, err := r.find(ctx, term.Matchers)
		if err != nil {
			return metrics.Counts{}, err
		}
		for _, x := range found {
			apart[x.key(sum)] = true
			g := groupOf(groups, x, by, n)
			known, err := r.known(ctx, x.kept)
			if err != nil {
				return metrics.Counts{}, err
			}
			for _, m := range known {
				v := &g.Values[m.at-r.from]
				if math.IsNaN(*v) {
					*v = 0
				}
				*v += term.Weight * m.of(x.result)
			}
		}
	}
	if sum.One && len(apart) > 1 && len(by) == 0 {
		return metrics.Counts{Err: several(len(apart))}, nil
	}
	if len(by) == 0 {
		g := groups[""]
		if g == nil {
			g = &metrics.Group{Values: unknown(n)}
		}
		return metrics.Counts{Values: g.Values, Exact: true}, nil
	}
	c := metrics.Counts{Exact: true, Groups: make([]metrics.Group, 0, len(groups))}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		c.Groups = append(c.Groups, *groups[key])
	}
	return c, nil
}

// key is what tells a counter from others in the answer of an expression.
func (s series) key(sum promexpr.Sum) string {
	if sum.AllLabels {
		return s.id + s.result
	}
	var b strings.Builder
	for _, name := range sum.By {
		b.WriteString(s.label(name) + "\x00")
	}
	return b.String()
}

func groupOf(groups map[string]*metrics.Group, x series, by []string, n int) *metrics.Group {
	var key strings.Builder
	names := map[string]string{}
	for _, name := range by {
		names[name] = x.label(name)
		key.WriteString(names[name] + "\x00")
	}
	g := groups[key.String()]
	if g == nil {
		g = &metrics.Group{Labels: names, Values: unknown(n)}
		groups[key.String()] = g
	}
	return g
}

func unknown(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}

func several(n int) error {
	return fault.New(fault.Invalid, "metrics.several_series", text.Say(
		"the expression answers %d series instead of one", "式の結果が1系列ではなく%d系列になりました", n)).
		Fix(text.Say("wrap the expression in sum(…), or select one series by its labels", "式を sum(…) で囲むか、ラベルで1系列に絞り込んでください"))
}

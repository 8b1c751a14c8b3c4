package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// maxSteps bounds the moments of one range query: two years of minutes.
const maxSteps = 1_100_000

// Anchored is true: the engine takes increases exactly.
//
// increase(x[1m] anchored) at t is the value of the last sample at or before t,
// minus that of the last sample at or before t-1m, with resets made good. Where
// the window (t-1m, t] holds no sample there is no result; the next window that
// has one counts what happened meanwhile, as long as the gap is at most five
// minutes. A series that is born inside the window counts from its first sample,
// or from zero where the target says when the counter began (OpenMetrics
// created timestamps, which every current client library sends).
func (s *Store) Anchored() bool { return true }

// Instant implements metrics.Querier.
func (s *Store) Instant(ctx context.Context, expr string, at time.Time) ([]metrics.Series, error) {
	if err := promexpr.Check(expr); err != nil {
		return nil, err
	}
	return s.run(ctx, func() (promql.Query, error) {
		return s.engine.NewInstantQuery(ctx, s.db, nil, expr, at)
	})
}

// Range implements metrics.Querier.
func (s *Store) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]metrics.Series, error) {
	if err := metrics.CheckRange(from, to, step, maxSteps); err != nil {
		return nil, err
	}
	if err := promexpr.Check(expr); err != nil {
		return nil, err
	}
	return s.run(ctx, func() (promql.Query, error) {
		return s.engine.NewRangeQuery(ctx, s.db, nil, expr, from, to, step)
	})
}

// run takes a slot, evaluates and copies the answer out of the engine's pools.
func (s *Store) run(ctx context.Context, prepare func() (promql.Query, error)) ([]metrics.Series, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a query slot: %w", ctx.Err())
	}
	q, err := prepare()
	if err != nil {
		return nil, queryFault(ctx, err)
	}
	defer q.Close()
	res := q.Exec(ctx)
	if res.Err != nil {
		return nil, queryFault(ctx, res.Err)
	}
	return convert(res.Value)
}

// convert copies a result of the engine.
func convert(v parser.Value) ([]metrics.Series, error) {
	switch v := v.(type) {
	case promql.Scalar:
		return []metrics.Series{{Points: []metrics.Point{{T: v.T, V: v.V}}}}, nil
	case promql.Vector:
		out := make([]metrics.Series, 0, len(v))
		for _, x := range v {
			if x.H != nil {
				return nil, histogramFault()
			}
			out = append(out, metrics.Series{Labels: x.Metric.Map(), Points: []metrics.Point{{T: x.T, V: x.F}}})
		}
		return out, nil
	case promql.Matrix:
		out := make([]metrics.Series, 0, len(v))
		for _, x := range v {
			if len(x.Histograms) > 0 {
				return nil, histogramFault()
			}
			points := make([]metrics.Point, len(x.Floats))
			for i, p := range x.Floats {
				points[i] = metrics.Point{T: p.T, V: p.F}
			}
			out = append(out, metrics.Series{Labels: x.Metric.Map(), Points: points})
		}
		return out, nil
	}
	return nil, fmt.Errorf("unexpected result of the query engine: %T", v)
}

func histogramFault() error { return metrics.HistogramFault() }

// queryFault sorts the engine's errors by what the caller can do about them.
func queryFault(ctx context.Context, err error) error {
	var (
		timeout  promql.ErrQueryTimeout
		canceled promql.ErrQueryCanceled
		samples  promql.ErrTooManySamples
		stored   promql.ErrStorage
	)
	switch {
	case errors.As(err, &canceled) && ctx.Err() != nil:
		return fmt.Errorf("query: %w", ctx.Err())
	case errors.As(err, &timeout), errors.As(err, &canceled):
		return fault.New(fault.Unavailable, metrics.CodeTimeout, text.Say(
			"the query took too long and was stopped", "クエリに時間がかかりすぎたため中断しました")).
			Fix(text.Say("ask for a shorter range, or select fewer series", "期間を短くするか、対象の系列を絞ってください")).
			Wrap(err)
	case errors.As(err, &samples):
		return fault.New(fault.Invalid, "metrics.too_many_samples", text.Say(
			"the query would load too many samples", "クエリが読み込むサンプル数が上限を超えます")).
			Fix(text.Say("ask for a shorter range, or select fewer series", "期間を短くするか、対象の系列を絞ってください")).
			Wrap(err)
	case errors.As(err, &stored):
		return fmt.Errorf("read the metrics store: %w", err)
	}
	return fault.New(fault.Invalid, "metrics.evaluation", text.Say(
		"the expression cannot be evaluated: %s", "式を評価できません: %s", err.Error())).Wrap(err)
}

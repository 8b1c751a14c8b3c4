// Package evaluate runs PromQL over any storage and speaks of its trouble as
// faults: what the embedded store and the counts in the database have in common.
package evaluate

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// Run evaluates a prepared query and copies the answer out of the engine's
// pools.
func Run(ctx context.Context, prepare func() (promql.Query, error)) ([]metrics.Series, error) {
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
				return nil, metrics.HistogramFault()
			}
			out = append(out, metrics.Series{Labels: x.Metric.Map(), Points: []metrics.Point{{T: x.T, V: x.F}}})
		}
		return out, nil
	case promql.Matrix:
		out := make([]metrics.Series, 0, len(v))
		for _, x := range v {
			if len(x.Histograms) > 0 {
				return nil, metrics.HistogramFault()
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

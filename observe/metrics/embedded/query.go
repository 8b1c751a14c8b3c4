package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/evaluate"
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

// Keeps is how long samples are kept.
func (s *Store) Keeps() time.Duration { return s.o.RetentionTime }

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

// run takes a slot and evaluates.
func (s *Store) run(ctx context.Context, prepare func() (promql.Query, error)) ([]metrics.Series, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a query slot: %w", ctx.Err())
	}
	return evaluate.Run(ctx, prepare)
}

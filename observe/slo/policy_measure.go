package slo

import (
	"context"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/observe/slo/policy"
)

// stateSource yields the state of a budget under the policy that holds now: 0 is
// healthy, 1 needs attention, 2 is exhausted, by the end of the interval that the
// policy judges. For a service it is the worst.
type stateSource struct{ s *Service }

var _ measure.Source = stateSource{}

// Values returns the state over time, from what is left of the budget.
func (x stateSource) Values(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
	policies, err := policy.Load(ctx, x.s.db.Read())
	if err != nil {
		return nil, err
	}
	rows, err := leftAt(x.s, policy.Counted).rows(ctx, subject)
	if err != nil {
		return nil, err
	}
	worst := map[int64]measure.Value{}
	var times []int64
	for _, r := range rows {
		p := policies.For(wholeOf(r.Name), r.Service, r.Tier)
		left, err := leftAt(x.s, p.End).Values(ctx, journal.RefTo("slo", r.Name), from, to)
		if err != nil {
			return nil, err
		}
		for _, v := range left {
			state, _ := p.State(policy.Figures{Left: v.V, Low: v.V, High: v.V, Counted: v.Known > 0})
			v.V = float64(state.Rank())
			at := v.At.UnixMilli()
			have, ok := worst[at]
			if !ok {
				times = append(times, at)
			}
			if !ok || v.V > have.V {
				worst[at] = v
			}
		}
	}
	return ordered(times, worst), nil
}

// leftAt yields an end of what is left of a budget.
func leftAt(s *Service, end policy.End) source {
	x := source{s: s, worse: func(a, b float64) bool { return a < b },
		now: func(r *row) float64 { return r.BudgetLeft }, then: func(x Series) []*float64 { return x.BudgetLeft }}
	switch end {
	case policy.Low:
		x.now, x.then = func(r *row) float64 { return r.BudgetLow }, func(x Series) []*float64 { return x.BudgetLow }
	case policy.High:
		x.now, x.then = func(r *row) float64 { return r.BudgetHigh }, func(x Series) []*float64 { return x.BudgetHigh }
	}
	return x
}

package slo

import (
	"context"

	"github.com/teiten/teiten/observe/slo/agreement"
	"github.com/teiten/teiten/observe/slo/policy"
)

// Commitment is what was promised about an objective's budget and what follows
// from its state.
type Commitment struct {
	PolicyState  policy.State         `json:"policyState" enum:"healthy,attention,exhausted" doc:"What the error-budget policy says of what is left."`
	Policy       policy.View          `json:"policy"`
	Consequences []policy.Consequence `json:"consequences" doc:"What follows from the state."`
	Agreement    agreement.Brief      `json:"agreement"`
}

// commit fills in the commitments of objectives.
func (s *Service) commit(ctx context.Context, all []*Summary) error {
	if len(all) == 0 {
		return nil
	}
	policies, err := policy.Load(ctx, s.db.Read())
	if err != nil {
		return err
	}
	names, documents := make([]string, len(all)), make([]string, len(all))
	for i, x := range all {
		names[i], documents[i] = x.Name, documentOf(x.Name)
	}
	told, err := policy.LastTold(ctx, s.db.Read(), names)
	if err != nil {
		return err
	}
	agreed, err := s.agreements.Briefs(ctx, documents)
	if err != nil {
		return err
	}
	for _, x := range all {
		p := policies.For(wholeOf(x.Name), x.Service, x.Tier)
		state, why := p.State(x.budget())
		x.PolicyState, x.Policy, x.Consequences = state, policy.View{Name: p.Name, Reason: why}, nonNil(p.Consequences[state])
		if was := told[x.Name]; was.State == state {
			x.Policy.Since = timeOf(was.Since)
		}
		x.Agreement = agreed[documentOf(x.Name)]
	}
	return nil
}

// budget is what is known of an objective's budget.
func (x *Summary) budget() policy.Figures {
	return policy.Figures{Left: x.left(), Low: x.BudgetLow, High: x.BudgetHigh, Counted: x.Total > 0, Burning: x.Status == Burning}
}

// left is the part of the budget that is left by what was counted, all of it
// where nothing was.
func (x *Summary) left() float64 {
	if x.BudgetLeft == nil {
		return 1
	}
	return *x.BudgetLeft
}

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

// commit fills in the commitments of the objectives of rows.
func (s *Service) commit(ctx context.Context, rows []*row, all []*Summary) error {
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
	for i, x := range all {
		x.judge(policies.For(wholeOf(x.Name), x.Service, x.Tier), rows[i].budget())
		if was := told[x.Name]; was.State == x.PolicyState {
			x.Policy.Since = timeOf(was.Since)
		}
		x.Agreement = agreed[documentOf(x.Name)]
	}
	return nil
}

// judge fills in what a policy says of a budget.
func (x *Summary) judge(p policy.Policy, f policy.Figures) {
	state, why := p.State(f)
	x.PolicyState, x.Policy, x.Consequences = state, policy.View{Name: p.Name, Reason: why}, nonNil(p.Consequences[state])
}

// judgeThen has the policy that is in force now judge the budget of an earlier
// time.
func (s *Service) judgeThen(ctx context.Context, x *Summary) error {
	policies, err := policy.Load(ctx, s.db.Read())
	if err != nil {
		return err
	}
	f := policy.Figures{Left: 1, Low: x.BudgetLow, High: x.BudgetHigh, Counted: x.Total > 0, Burning: x.Status == Burning}
	if x.BudgetLeft != nil {
		f.Left = *x.BudgetLeft
	}
	x.judge(policies.For(wholeOf(x.Name), x.Service, x.Tier), f)
	return nil
}

// budget is what is known of an objective's budget. All of it is left where
// nothing was counted.
func (x *shown) budget() policy.Figures {
	left := 1.0
	if x.counted {
		left = x.BudgetLeft
	}
	return policy.Figures{Left: left, Low: x.BudgetLow, High: x.BudgetHigh, Counted: x.Total > 0, Burning: x.Status == Burning}
}

package slo

import (
	"context"
	"fmt"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/policy"
)

// Commitment is what was promised about an objective's budget and what follows
// from its state.
type Commitment struct {
	PolicyState  policy.State         `json:"policyState" enum:"healthy,attention,exhausted" doc:"What the error-budget policy says of what is left."`
	Policy       PolicyView           `json:"policy"`
	Consequences []policy.Consequence `json:"consequences" doc:"What follows from the state."`
	Agreement    AgreementBrief       `json:"agreement"`
}

// AgreementBrief is how an objective stands with its stakeholders.
type AgreementBrief struct {
	State    string `json:"state" enum:"none,proposed,in_force,changing" doc:"Changing: a version is in force and another one is proposed."`
	Version  int64  `json:"version,omitempty" doc:"The version in force."`
	Proposed int64  `json:"proposed,omitempty" doc:"The version that waits for its stakeholders."`
}

// commit fills in the commitments of objectives.
func (s *Service) commit(ctx context.Context, all []*Summary) error {
	q := db.New(s.db.Read())
	policies, err := loadPolicies(ctx, s.db.Read())
	if err != nil {
		return err
	}
	states, err := q.PolicyStates(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("read policy states: %w", err))
	}
	agreements, err := q.OpenAgreements(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("read agreements: %w", err))
	}
	told, agreed := map[string]db.SloPolicyState{}, map[string]AgreementBrief{}
	for _, r := range states {
		told[r.Slo] = r
	}
	for _, a := range agreements {
		b := agreed[a.Slo]
		if a.InForceAt != 0 {
			b.Version = a.Version
		} else {
			b.Proposed = a.Version
		}
		agreed[a.Slo] = b
	}
	for _, x := range all {
		b := brief{Name: x.Name, Service: x.Service, Tier: x.Tier, Status: x.Status, BudgetLeft: x.BudgetLeft, Counted: x.Total > 0}
		p, state, why := b.underPolicy(policies)
		x.PolicyState, x.Policy, x.Consequences = state, PolicyView{Name: p.Name, Reason: why}, nonNil(p.Consequences[state])
		if was := told[x.Name]; was.State == string(state) {
			x.Policy.Since = timeOf(was.Since)
		}
		x.Agreement = agreed[documentOf(x.Name)].named()
	}
	return nil
}

func (a AgreementBrief) named() AgreementBrief {
	switch {
	case a.Version != 0 && a.Proposed != 0:
		a.State = "changing"
	case a.Version != 0:
		a.State = "in_force"
	case a.Proposed != 0:
		a.State = "proposed"
	default:
		a.State = "none"
	}
	return a
}

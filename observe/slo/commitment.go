package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/policy"
)

// Commitment is what was promised about an objective's budget and what follows
// from its state.
type Commitment struct {
	PolicyState  policy.State         `json:"policyState" enum:"healthy,attention,exhausted" doc:"What the error-budget policy says of what is left."`
	Policy       policy.View          `json:"policy"`
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
	agreed, err := s.agreedOf(ctx, documents)
	if err != nil {
		return err
	}
	for _, x := range all {
		p := policies.For(x.Name, x.Service, x.Tier)
		state, why := p.State(x.budget())
		x.PolicyState, x.Policy, x.Consequences = state, policy.View{Name: p.Name, Reason: why}, nonNil(p.Consequences[state])
		if was := told[x.Name]; was.State == state {
			x.Policy.Since = timeOf(was.Since)
		}
		x.Agreement = agreed[documentOf(x.Name)].named()
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

// agreedOf reads how SLOs stand with their stakeholders.
func (s *Service) agreedOf(ctx context.Context, documents []string) (map[string]AgreementBrief, error) {
	found := map[string]AgreementBrief{}
	w := &database.Where{}
	w.And("superseded_at = 0")
	w.AnyOf("slo", documents)
	err := s.each(ctx, "SELECT slo, version, in_force_at FROM slo_agreements"+w.SQL(), w.Args(), func(rows *sql.Rows) error {
		var name string
		var version, inForceAt int64
		err := rows.Scan(&name, &version, &inForceAt)
		b := found[name]
		if inForceAt != 0 {
			b.Version = version
		} else {
			b.Proposed = version
		}
		found[name] = b
		return err
	})
	return found, err
}

// each reads the rows of a query one by one.
func (s *Service) each(ctx context.Context, query string, args []any, read func(*sql.Rows) error) (err error) {
	rows, err := s.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return database.Fault(fmt.Errorf("read commitments: %w", err))
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := read(rows); err != nil {
			return database.Fault(fmt.Errorf("read commitments: %w", err))
		}
	}
	return database.Fault(rows.Err())
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

package policy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/policy/db"
)

// Policies are all error-budget policies, by name.
type Policies []named

// named is a policy with the objectives that it names.
type named struct {
	name string
	spec Spec
}

// Load reads every policy.
func Load(ctx context.Context, q db.DBTX) (Policies, error) {
	rows, err := db.New(q).ListPolicies(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list error-budget policies: %w", err))
	}
	all := make(Policies, len(rows))
	for i, r := range rows {
		all[i].name = r.Name
		if err := database.ReadJSON(r.Data, &all[i].spec); err != nil {
			return nil, fmt.Errorf("read error-budget policy %s: %w", r.Name, err)
		}
	}
	return all, nil
}

// For is the policy that holds for an objective, and the default one where there
// is none.
func (all Policies) For(slo, service, tier string) Policy {
	if p := all.of(slo, service, tier); p != nil {
		return p.spec.executed(p.name)
	}
	return Default()
}

// Agreement says whether the policy of an objective requires that it is agreed,
// and by whom; nobody where it does not name them.
func (all Policies) Agreement(slo, service, tier string) (bool, []string) {
	p := all.of(slo, service, tier)
	if p == nil {
		return false, nil
	}
	return p.spec.Agreement == required, p.spec.Stakeholders
}

// of is the policy that names the objective, else its service, else its tier,
// else the one for all; among equals the first by name. Nil where there is none.
func (all Policies) of(slo, service, tier string) *named {
	best, rank := (*named)(nil), 0
	for i := range all {
		p := &all[i].spec
		got := 0
		switch {
		case slices.Contains(p.SLOs, slo):
			got = 4
		case slices.Contains(p.Services, service):
			got = 3
		case tier != "" && slices.Contains(p.Tiers, tier):
			got = 2
		case len(p.SLOs)+len(p.Services)+len(p.Tiers) == 0:
			got = 1
		}
		if got > rank {
			best, rank = &all[i], got
		}
	}
	return best
}

// Told is a state that the journal has told, the policy that it follows from, and
// since when it holds.
type Told struct {
	State  State
	Policy string
	Since  int64 // microseconds
}

// LastTold reads what was last told of the named objectives, of all where none is
// named.
func LastTold(ctx context.Context, q database.Queryer, names []string) (map[string]Told, error) {
	found := map[string]Told{}
	w := &database.Where{}
	w.AnyOf("slo", names)
	err := database.Each(ctx, q, "SELECT slo, state, policy, since FROM slo_policy_states"+w.SQL(), w.Args(), func(rows *sql.Rows) error {
		var name string
		var t Told
		err := rows.Scan(&name, &t.State, &t.Policy, &t.Since)
		found[name] = t
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read states of budgets: %w", err)
	}
	return found, nil
}

// Forget drops what was told of an objective that is removed.
func Forget(ctx context.Context, tx *sql.Tx, slo string) error { return db.New(tx).DropState(ctx, slo) }

// exchange keeps a policy, or removes it where spec is nil, and returns what it
// was before.
func exchange(ctx context.Context, tx *sql.Tx, name string, spec *Spec) (former Spec, err error) {
	q := db.New(tx)
	data, err := q.GetPolicy(ctx, name)
	if err == nil {
		err = database.ReadJSON(data, &former)
	} else if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if spec != nil {
		err = errors.Join(err, q.PutPolicy(ctx, db.PutPolicyParams{Name: name, Data: database.JSON(spec)}))
	} else {
		err = errors.Join(err, q.DeletePolicy(ctx, name))
	}
	if err != nil {
		return former, fmt.Errorf("save error-budget policy %s: %w", name, err)
	}
	return former, nil
}

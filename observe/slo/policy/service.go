package policy

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/policy/db"
)

// EntryState is the journal's entry of a budget that came into another state of
// its policy.
const EntryState = "slo.policy_state_changed"

// Objective is one whose budget is judged.
type Objective struct {
	Name, Service, Owner, Tier string
	Budget                     Figures
}

// Objectives is what the room asks of the objectives under its policies.
type Objectives interface {
	// Budgets lists every objective as it stands, by name.
	Budgets(ctx context.Context) ([]Objective, error)
	// AgreementChanged has every objective executed by what it needs to be agreed
	// now.
	AgreementChanged(ctx context.Context, tx *sql.Tx) error
	// PolicyChanged has the alerts of objectives read what the policies say now.
	PolicyChanged(ctx context.Context, tx *sql.Tx) error
}

// Deps is what the room stands on.
type Deps struct {
	DB         *database.DB
	Journal    *journal.Journal
	Objectives Objectives
	Now        func() time.Time
}

// Service keeps policies, and tells of budgets that come into another state.
type Service struct {
	db         *database.DB
	journal    *journal.Journal
	objectives Objectives
	now        func() time.Time
}

// New returns the room.
func New(d Deps) *Service {
	return &Service{db: d.DB, journal: d.Journal, objectives: d.Objectives, now: d.Now}
}

// Schedule has the states judged every minute.
func (s *Service) Schedule(q *queue.Queue) { q.Every("slo.policy_states", time.Minute, s.Judge) }

// save keeps a policy, or removes it where spec is nil. Where any policy requires
// agreement, another one may hold for objectives now.
func (s *Service) save(ctx context.Context, tx *sql.Tx, name string, spec *Spec) error {
	former, err := exchange(ctx, tx, name, spec)
	if err != nil {
		return err
	}
	if err := s.objectives.PolicyChanged(ctx, tx); err != nil {
		return err
	}
	all, err := Load(ctx, tx)
	if err != nil {
		return err
	}
	requires := func(p named) bool { return p.spec.Agreement == required }
	if former.Agreement != required && !slices.ContainsFunc(all, requires) {
		return nil
	}
	return s.objectives.AgreementChanged(ctx, tx)
}

// told is how many objectives are at most told of in one transaction.
const told = 2000

// Judge tells once of each budget that came into another state of its policy. A
// first judgement of a healthy budget is no change.
func (s *Service) Judge(ctx context.Context) error {
	policies, err := Load(ctx, s.db.Read())
	if err != nil {
		return err
	}
	items, err := s.objectives.Budgets(ctx)
	if err != nil || len(items) == 0 {
		return err
	}
	was, err := LastTold(ctx, s.db.Read(), nil)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(changes(policies, items, was), told) {
		if err := s.tellStates(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// judgement is the state of an objective, and what was told of it before.
type judgement struct {
	Objective
	policy Policy
	state  State
	why    text.Both
	was    Told
}

// changes are the objectives whose state is another than was told.
func changes(policies Policies, items []Objective, was map[string]Told) []judgement {
	var changed []judgement
	for _, o := range items {
		old, known := was[o.Name]
		j := judgement{Objective: o, policy: policies.For(o.Name, o.Service, o.Tier), was: old}
		j.state, j.why = j.policy.State(o.Budget)
		if !known || old.State != j.state || old.Policy != j.policy.Name {
			changed = append(changed, j)
		}
	}
	return changed
}

// tellStates writes states that changed.
func (s *Service) tellStates(ctx context.Context, changed []judgement) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i := range changed {
			if err := s.tell(ctx, tx, &changed[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// entry is what the journal says of a change of state.
type entry struct {
	SLO          string        `json:"slo"`
	Policy       string        `json:"policy,omitempty"`
	Before       State         `json:"before"`
	After        State         `json:"after"`
	BudgetLeft   float64       `json:"budgetLeft"`
	Reason       text.Both     `json:"reason"`
	Consequences []Consequence `json:"consequences,omitempty"`
}

func (s *Service) tell(ctx context.Context, tx *sql.Tx, j *judgement) error {
	before := cmp.Or(j.was.State, Healthy)
	since := j.was.Since
	if before != j.state || since == 0 {
		since = database.Micros(s.now())
	}
	n, err := db.New(tx).PutState(ctx, db.PutStateParams{Slo: j.Name, Policy: j.policy.Name, State: string(j.state), Since: since, Was: string(j.was.State)})
	if err != nil {
		return fmt.Errorf("keep policy state of %s: %w", j.Name, err)
	}
	if n == 0 || before == j.state {
		return nil // another replica told it, or only the policy has another name
	}
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: EntryState, Subject: journal.RefTo("slo", j.Name), Also: catalog.RefsOf(j.Service, j.Owner),
		Data: entry{j.Name, j.policy.Name, before, j.state, j.Budget.Left, j.why, j.policy.Consequences[j.state]}})
	return err
}

// View is the policy of an objective's budget, as the API tells it.
type View struct {
	Name   string     `json:"name" doc:"Empty where no policy names the objective; the usual thresholds hold then, and nothing follows."`
	Reason text.Both  `json:"reason"`
	Since  *time.Time `json:"since,omitempty" doc:"When the budget came into the state."`
}

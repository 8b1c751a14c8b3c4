package slo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/openslo"
	"github.com/teiten/teiten/observe/slo/policy"
)

// EntryPolicyState is the journal's entry of a budget that came into another
// state of its policy.
const EntryPolicyState = "slo.policy_state_changed"

const kindBudgetPolicy = "ErrorBudgetPolicy"

// ErrorBudgetPolicy says what follows from the state of error budgets, and whose
// word their objectives need.
type ErrorBudgetPolicy struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Metadata   openslo.Metadata `json:"metadata"`
	Spec       BudgetPolicySpec `json:"spec"`
}

// BudgetPolicySpec is the body of an ErrorBudgetPolicy.
type BudgetPolicySpec struct {
	Description  string             `json:"description,omitempty"`
	SLOs         []string           `json:"slos,omitempty" doc:"Objectives by name. Without slos, services and tiers the policy holds for all that no other one names." ja:"SLO の名前。slos、services、tiers のどれもなければ、ほかのポリシーに含まれないすべての SLO に適用されます。"`
	Services     []string           `json:"services,omitempty" doc:"Every objective of these services." ja:"これらのサービスのすべての SLO。"`
	Tiers        []string           `json:"tiers,omitempty" doc:"Every objective of the services of these tiers." ja:"これらの tier のサービスのすべての SLO。"`
	End          string             `json:"end,omitempty" doc:"What is judged where minutes are unknown: the least that may be left (low, the default), the most (high), or what was counted alone (counted)." ja:"データのない時間がある場合の判断。残りとしてありうる最小(low。既定)、最大(high)、数えた分だけ(counted)のいずれか。"`
	Attention    AttentionSpec      `json:"attention,omitempty" doc:"When a budget needs attention." ja:"注意が必要になる条件。"`
	Exhausted    ExhaustedSpec      `json:"exhausted,omitempty" doc:"When a budget is exhausted." ja:"使い切ったとみなす条件。"`
	Consequences []ConsequencesSpec `json:"consequences,omitempty" doc:"What follows from a state." ja:"状態に応じて行うこと。"`
	Stakeholders []string           `json:"stakeholders,omitempty" doc:"Whose word an objective under agreement needs: team:payments, user:ada@example.com, role:admin. By default the team that owns the service." ja:"合意が必要な関係者(team:payments、user:ada@example.com、role:admin)。既定はサービスを所有するチーム。"`
	Agreement    string             `json:"agreement,omitempty" doc:"required: a changed objective or window is in force once all stakeholders agreed." ja:"required なら、目標や期間の変更は関係者全員の合意後に有効になります。"`
}

// AttentionSpec is when a budget needs attention.
type AttentionSpec struct {
	BudgetBelow  *float64 `json:"budgetBelow,omitempty" doc:"Less than this part is left; 0.25 by default." ja:"残りがこの割合を下回ったとき。既定は 0.25。"`
	WhileBurning *bool    `json:"whileBurning,omitempty" doc:"Also while a page fires; true by default." ja:"呼び出しのアラートが出ている間も含めるか。既定は true。"`
}

// ExhaustedSpec is when a budget is exhausted.
type ExhaustedSpec struct {
	BudgetAtMost *float64 `json:"budgetAtMost,omitempty" doc:"This part is left, or less; 0 by default." ja:"残りがこの割合以下になったとき。既定は 0。"`
}

// ConsequencesSpec is what follows from one state.
type ConsequencesSpec struct {
	When    string `json:"when" doc:"The state: healthy, attention or exhausted." ja:"状態。healthy、attention、exhausted のいずれか。"`
	Gate    string `json:"gate,omitempty" doc:"What deployment gates do: warn or block." ja:"デプロイのゲートの動作。warn か block。"`
	Review  string `json:"review,omitempty" doc:"agenda: it is on the agenda of the next review." ja:"agenda なら、次のレビューの議題になります。"`
	Backlog string `json:"backlog,omitempty" doc:"priority: work on reliability comes first." ja:"priority なら、信頼性の作業を優先します。"`
	Note    string `json:"note,omitempty" doc:"What people are told with it." ja:"併せて知らせる文。"`
}

// kindOfBudgetPolicy is the kind of document that describes one.
func (s *Service) kindOfBudgetPolicy() ascode.Kind {
	return ascode.Kind{
		APIVersion: apiVersion, Kind: kindBudgetPolicy, ID: "error-budget-policies", Order: 85, Event: "slo.budget_policy_",
		Title:    text.Say("Error budget policy", "エラーバジェットポリシー"),
		New:      func() any { return &ErrorBudgetPolicy{} },
		Ref:      func(d *ascode.Document) string { return "budget-policy:" + d.Name },
		Validate: validateBudgetPolicy,
		Apply: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			return s.savePolicy(ctx, tx, d.Name, &d.Object.(*ErrorBudgetPolicy).Spec)
		},
		Remove: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			return s.savePolicy(ctx, tx, d.Name, nil)
		},
	}
}

// savePolicy keeps a policy, or removes it where spec is nil. Where any policy
// requires agreement, SLOs are compiled anew: another one may hold for them now.
func (s *Service) savePolicy(ctx context.Context, tx *sql.Tx, name string, spec *BudgetPolicySpec) error {
	q := db.New(tx)
	var former BudgetPolicySpec
	data, err := q.GetPolicy(ctx, name)
	if err == nil {
		err = unmarshal(data, &former)
	} else if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	if spec != nil {
		err = errors.Join(err, q.PutPolicy(ctx, db.PutPolicyParams{Name: name, Data: marshal(spec)}))
	} else {
		err = errors.Join(err, q.DeletePolicy(ctx, name))
	}
	if err != nil {
		return fmt.Errorf("save error-budget policy %s: %w", name, err)
	}
	policies, err := loadPolicies(ctx, tx)
	if err != nil {
		return err
	}
	requires := func(p namedPolicy) bool { return p.spec.Agreement == agreementRequired }
	if former.Agreement != agreementRequired && !slices.ContainsFunc(policies, requires) {
		return nil
	}
	parts, err := q.PartsOfKind(ctx, kindSLO)
	if err != nil {
		return database.Fault(fmt.Errorf("list objectives: %w", err))
	}
	for _, p := range parts {
		if err := s.reinstall(ctx, tx, p.Name); err != nil {
			return err
		}
	}
	return nil
}

func validateBudgetPolicy(d *ascode.Document) []*fault.Error {
	var faults []*fault.Error
	p := &d.Object.(*ErrorBudgetPolicy).Spec
	oneOf := func(value string, path []any, allowed ...string) {
		if value != "" && !slices.Contains(allowed, value) {
			faults = append(faults, d.Fault("slo.policy_value", text.Say("%v cannot be %q", "%v を %q にはできません", path[len(path)-1], value),
				ascode.OneOf(value, allowed...), path...))
		}
	}
	part := func(v *float64, path ...any) {
		if v != nil && (*v < -1 || *v > 1) {
			faults = append(faults, d.Fault("slo.policy_part", text.Say("%g is not a part of a budget", "%g はエラーバジェットの割合ではありません", *v),
				text.Say("write a quarter as 0.25", "4分の1なら 0.25 と書いてください"), path...))
		}
	}
	oneOf(p.End, []any{"spec", "end"}, string(policy.Low), string(policy.High), string(policy.Counted))
	oneOf(p.Agreement, []any{"spec", "agreement"}, "required", "optional")
	part(p.Attention.BudgetBelow, "spec", "attention", "budgetBelow")
	part(p.Exhausted.BudgetAtMost, "spec", "exhausted", "budgetAtMost")
	if q := p.policy(""); q.Attention <= q.Exhausted {
		faults = append(faults, d.Fault("slo.policy_order", text.Say("a budget would be exhausted before it needs attention", "注意より先に使い切りの状態になります"),
			text.Say("make attention.budgetBelow more than exhausted.budgetAtMost", "attention.budgetBelow を exhausted.budgetAtMost より大きくしてください"), "spec", "attention"))
	}
	for i, c := range p.Consequences {
		at := func(field string) []any { return []any{"spec", "consequences", i, field} }
		if c.When == "" {
			faults = append(faults, d.Fault("slo.policy_when", text.Say("it does not say in which state", "どの状態のことかがありません"),
				text.Say("add `when: exhausted`", "`when: exhausted` のように書いてください"), at("when")...))
		}
		oneOf(c.When, at("when"), string(policy.Healthy), string(policy.Attention), string(policy.Exhausted))
		oneOf(c.Gate, at("gate"), policy.Effects[policy.Gate]...)
		oneOf(c.Review, at("review"), policy.Effects[policy.Review]...)
		oneOf(c.Backlog, at("backlog"), policy.Effects[policy.Backlog]...)
	}
	for i, name := range p.Stakeholders {
		if !isStakeholder(name) {
			faults = append(faults, d.Fault("slo.stakeholder", text.Say("%q names nobody whose word could be asked for", "%q では誰の合意かが分かりません", name),
				text.Say("write team:payments, user:ada@example.com or role:admin", "team:payments、user:ada@example.com、role:admin のように書いてください"), "spec", "stakeholders", i))
		}
	}
	return faults
}

// policy is the spec as it is executed.
func (p *BudgetPolicySpec) policy(name string) policy.Policy {
	x := policy.Default()
	x.Name = name
	x.End = cmp.Or(policy.End(p.End), policy.Low)
	if v := p.Attention.BudgetBelow; v != nil {
		x.Attention = *v
	}
	if v := p.Attention.WhileBurning; v != nil {
		x.Calm = !*v
	}
	if v := p.Exhausted.BudgetAtMost; v != nil {
		x.Exhausted = *v
	}
	x.Consequences = map[policy.State][]policy.Consequence{}
	for _, c := range p.Consequences {
		when := policy.State(c.When)
		for _, e := range []policy.Consequence{{Room: policy.Gate, Effect: c.Gate}, {Room: policy.Review, Effect: c.Review}, {Room: policy.Backlog, Effect: c.Backlog}} {
			if e.Effect != "" {
				e.Note = c.Note
				x.Consequences[when] = append(x.Consequences[when], e)
			}
		}
	}
	return x
}

// namedPolicy is a policy with the objectives that it names.
type namedPolicy struct {
	name string
	spec BudgetPolicySpec
}

func loadPolicies(ctx context.Context, q db.DBTX) ([]namedPolicy, error) {
	rows, err := db.New(q).ListPolicies(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list error-budget policies: %w", err))
	}
	all := make([]namedPolicy, len(rows))
	for i, r := range rows {
		all[i].name = r.Name
		if err := unmarshal(r.Data, &all[i].spec); err != nil {
			return nil, fmt.Errorf("read error-budget policy %s: %w", r.Name, err)
		}
	}
	return all, nil
}

// policyFor is the policy that holds for an objective: the one that names it,
// else its service, else its tier, else the one for all; among equals the first
// by name. Nil where there is none.
func policyFor(all []namedPolicy, slo, service, tier string) *namedPolicy {
	best, rank := (*namedPolicy)(nil), 0
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

// underPolicy is the policy that holds for an objective, the state of its budget
// under it, and why.
func (x *Summary) underPolicy(all []namedPolicy) (p policy.Policy, state policy.State, why text.Both) {
	p = policy.Default()
	if named := policyFor(all, x.Name, x.Service, x.Tier); named != nil {
		p = named.spec.policy(named.name)
	}
	state, why = p.State(x.budget())
	return p, state, why
}

// budget is what is known of an objective's budget. Minutes without data are taken
// to have had as many events as those with data had on average, all of them bad at
// the low end and none at the high end.
func (x *Summary) budget() policy.Figures {
	all := x.Window.Days * 24 * 60
	known := math.Round(x.Known * all)
	sum := ledger.Sum{Total: x.Total, Bad: x.Total - x.Good, Known: int(known)}
	low, high := ledger.Bounds(sum, int(max(math.Round(all)-known, 0)), x.Total/max(known, 1), nil)
	o := burn.Objective(x.Objective)
	return policy.Figures{Left: x.BudgetLeft, Low: o.BudgetLeft(low), High: o.BudgetLeft(high), Counted: x.Total > 0, Burning: x.Status == Burning}
}

// Schedule has the states of error-budget policies judged every minute.
func (s *Service) Schedule(q *queue.Queue) {
	q.Every("slo.policy_states", time.Minute, s.JudgePolicies)
}

// policyEntry is what the journal says of a change of state.
type policyEntry struct {
	SLO          string               `json:"slo"`
	Policy       string               `json:"policy,omitempty"`
	Before       policy.State         `json:"before"`
	After        policy.State         `json:"after"`
	BudgetLeft   float64              `json:"budgetLeft"`
	Reason       text.Both            `json:"reason"`
	Consequences []policy.Consequence `json:"consequences,omitempty"`
}

// judged is how many objectives are judged at a time, and at most told of in one
// transaction.
const judged = 2000

// JudgePolicies tells once of each budget that came into another state of its
// policy. A first judgement of a healthy budget is no change.
func (s *Service) JudgePolicies(ctx context.Context) error {
	for cursor := ""; ; {
		items, next, _, err := s.List(ctx, filter{Sort: "name", Cursor: cursor, Limit: judged})
		if err != nil {
			return err
		}
		if err := s.tellStates(ctx, items); err != nil || next == "" {
			return err
		}
		cursor = next
	}
}

// tellStates writes the states that changed.
func (s *Service) tellStates(ctx context.Context, items []Summary) error {
	if len(items) == 0 {
		return nil
	}
	names := make([]string, len(items))
	for i := range items {
		names[i] = items[i].Name
	}
	was, err := s.statesOf(ctx, names)
	if err != nil {
		return err
	}
	items = slices.DeleteFunc(items, func(x Summary) bool {
		old, known := was[x.Name]
		return known && old.state == x.PolicyState && old.policy == x.Policy.Name
	})
	if len(items) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i := range items {
			if err := s.tellState(ctx, tx, &items[i], was[items[i].Name]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) tellState(ctx context.Context, tx *sql.Tx, x *Summary, was told) error {
	before := cmp.Or(was.state, policy.Healthy)
	since := was.since
	if before != x.PolicyState || since == 0 {
		since = database.Micros(s.now())
	}
	n, err := db.New(tx).PutPolicyState(ctx, db.PutPolicyStateParams{Slo: x.Name, Policy: x.Policy.Name, State: string(x.PolicyState), Since: since, Was: string(was.state)})
	if err != nil {
		return fmt.Errorf("keep policy state of %s: %w", x.Name, err)
	}
	if n == 0 || before == x.PolicyState {
		return nil // another replica told it, or only the policy has another name
	}
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: EntryPolicyState, Subject: journal.RefTo("slo", x.Name), Also: catalog.RefsOf(x.Service, x.Owner),
		Data: policyEntry{x.Name, x.Policy.Name, before, x.PolicyState, x.BudgetLeft, x.Policy.Reason, x.Consequences}})
	return err
}

// PolicyView is the policy of an objective's budget.
type PolicyView struct {
	Name   string     `json:"name" doc:"Empty where no policy names the objective; the usual thresholds hold then, and nothing follows."`
	Reason text.Both  `json:"reason"`
	Since  *time.Time `json:"since,omitempty" doc:"When the budget came into the state."`
}

// isStakeholder reports whether a name is one whose word can be asked for.
func isStakeholder(name string) bool {
	kind, who, ok := strings.Cut(name, ":")
	return ok && who != "" && slices.Contains([]string{"team", "user", "role"}, kind)
}

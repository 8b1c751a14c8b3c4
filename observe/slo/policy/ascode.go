package policy

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/openslo"
)

const (
	apiVersion = "teiten.dev/v1"
	kind       = "ErrorBudgetPolicy"
	// required is the agreement that a policy may ask for.
	required = "required"
)

// ErrorBudgetPolicy says what follows from the state of error budgets, and whose
// word their objectives need.
type ErrorBudgetPolicy struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Metadata   openslo.Metadata `json:"metadata"`
	Spec       Spec             `json:"spec"`
}

// Spec is the body of an ErrorBudgetPolicy.
type Spec struct {
	Description  string             `json:"description,omitempty"`
	SLOs         []string           `json:"slos,omitempty" doc:"Objectives by name. Without slos, services and tiers the policy holds for all that no other one names." ja:"SLO の名前。slos、services、tiers のどれもなければ、ほかのポリシーに含まれないすべての SLO に適用されます。"`
	Services     []string           `json:"services,omitempty" doc:"Every objective of these services." ja:"これらのサービスのすべての SLO。"`
	Tiers        []string           `json:"tiers,omitempty" doc:"Every objective of the services of these tiers." ja:"これらの tier のサービスのすべての SLO。"`
	End          string             `json:"end,omitempty" doc:"What is judged where minutes are unknown: the least that may be left (low, the default), the most (high), or what was counted alone (counted)." ja:"データのない時間がある場合の判断。残りとしてありうる最小(low。既定)、最大(high)、数えた分だけ(counted)のいずれか。"`
	AlertEnd     string             `json:"alertEnd,omitempty" doc:"What alerts read where minutes of their windows are unknown: what was counted alone (counted, the default), the worst that it may be (low: a source without data alerts as an outage does), or the best (high)." ja:"アラートの期間にデータのない時間がある場合の判断。数えた分だけ(counted。既定)、ありうる最悪(low。データがない間は障害と同じように知らせます)、ありうる最良(high)のいずれか。"`
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

// Kind is the kind of document that describes an ErrorBudgetPolicy.
func (s *Service) Kind() ascode.Kind {
	return ascode.Kind{
		APIVersion: apiVersion, Kind: kind, ID: "error-budget-policies", Order: 85, Event: "slo.budget_policy_",
		Title:    text.Say("Error budget policy", "エラーバジェットポリシー"),
		New:      func() any { return &ErrorBudgetPolicy{} },
		Ref:      func(d *ascode.Document) string { return "budget-policy:" + d.Name },
		Validate: validate,
		Apply: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			return s.save(ctx, tx, d.Name, &d.Object.(*ErrorBudgetPolicy).Spec)
		},
		Remove: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			return s.save(ctx, tx, d.Name, nil)
		},
	}
}

func validate(d *ascode.Document) []*fault.Error {
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
	oneOf(p.End, []any{"spec", "end"}, string(Low), string(High), string(Counted))
	oneOf(p.AlertEnd, []any{"spec", "alertEnd"}, string(Counted), string(Low), string(High))
	oneOf(p.Agreement, []any{"spec", "agreement"}, "required", "optional")
	part(p.Attention.BudgetBelow, "spec", "attention", "budgetBelow")
	part(p.Exhausted.BudgetAtMost, "spec", "exhausted", "budgetAtMost")
	if q := p.executed(""); q.Attention <= q.Exhausted {
		faults = append(faults, d.Fault("slo.policy_order", text.Say("a budget would be exhausted before it needs attention", "注意より先に使い切りの状態になります"),
			text.Say("make attention.budgetBelow more than exhausted.budgetAtMost", "attention.budgetBelow を exhausted.budgetAtMost より大きくしてください"), "spec", "attention"))
	}
	for i, c := range p.Consequences {
		at := func(field string) []any { return []any{"spec", "consequences", i, field} }
		if c.When == "" {
			faults = append(faults, d.Fault("slo.policy_when", text.Say("it does not say in which state", "どの状態のことかがありません"),
				text.Say("add `when: exhausted`", "`when: exhausted` のように書いてください"), at("when")...))
		}
		oneOf(c.When, at("when"), string(Healthy), string(Attention), string(Exhausted))
		oneOf(c.Gate, at("gate"), Effects[Gate]...)
		oneOf(c.Review, at("review"), Effects[Review]...)
		oneOf(c.Backlog, at("backlog"), Effects[Backlog]...)
	}
	for i, name := range p.Stakeholders {
		if !isStakeholder(name) {
			faults = append(faults, d.Fault("slo.stakeholder", text.Say("%q names nobody whose word could be asked for", "%q では誰の合意かが分かりません", name),
				text.Say("write team:payments, user:ada@example.com or role:admin", "team:payments、user:ada@example.com、role:admin のように書いてください"), "spec", "stakeholders", i))
		}
	}
	return faults
}

// executed is the spec as it is executed.
func (p *Spec) executed(name string) Policy {
	x := Default()
	x.Name = name
	x.End, x.AlertEnd = cmp.Or(End(p.End), Low), cmp.Or(End(p.AlertEnd), Counted)
	if v := p.Attention.BudgetBelow; v != nil {
		x.Attention = *v
	}
	if v := p.Attention.WhileBurning; v != nil {
		x.Calm = !*v
	}
	if v := p.Exhausted.BudgetAtMost; v != nil {
		x.Exhausted = *v
	}
	x.Consequences = map[State][]Consequence{}
	for _, c := range p.Consequences {
		when := State(c.When)
		for _, e := range []Consequence{{Room: Gate, Effect: c.Gate}, {Room: Review, Effect: c.Review}, {Room: Backlog, Effect: c.Backlog}} {
			if e.Effect != "" {
				e.Note = c.Note
				x.Consequences[when] = append(x.Consequences[when], e)
			}
		}
	}
	return x
}

// isStakeholder reports whether a name is one whose word can be asked for.
func isStakeholder(name string) bool {
	kind, who, ok := strings.Cut(name, ":")
	return ok && who != "" && slices.Contains([]string{"team", "user", "role"}, kind)
}

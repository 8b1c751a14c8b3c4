package openslo

import (
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// atOnce are the severities for which somebody must look at once. The
// specification leaves the words to its users.
var atOnce = []string{"page", "critical", "high", "urgent", "sev0", "sev1", "sev2", "p0", "p1", "p2"}

// Pages reports whether a severity asks for somebody at once.
func Pages(severity string) bool { return slices.Contains(atOnce, strings.ToLower(severity)) }

// The kinds of condition. OpenSLO has the burn rate; the others are Teiten's.
const (
	KindBurnRate   = "burnrate"
	KindBudgetLeft = "budgetleft" // no more than threshold, a part, is left of the budget
	KindForecast   = "forecast"   // the budget is spent in threshold days if it goes on as in lookbackWindow
	KindNoData     = "nodata"     // lookbackWindow passed without data
	KindOutage     = "outage"     // everything fails
)

// ConditionKinds are the kinds of condition.
var ConditionKinds = []string{KindBurnRate, KindBudgetLeft, KindForecast, KindNoData, KindOutage}

// ValidateAlertPolicy judges an AlertPolicy by itself.
func ValidateAlertPolicy(d *ascode.Document) []*fault.Error {
	c, o := &checker{d: d}, d.Object.(*AlertPolicy)
	c.policy(&o.Spec, "spec")
	return c.faults
}

func (c *checker) policyUse(p PolicyUse, path ...any) {
	switch {
	case p.AlertPolicyRef != "" && p.Spec != nil:
		c.fail("policy_twice", text.Say("the alert policy is both named and written out", "アラートポリシーの参照と定義の両方があります"),
			text.Say("keep one of the two", "どちらか一方だけを残してください"), with(path, "alertPolicyRef")...)
	case p.Spec != nil:
		c.policy(p.Spec, with(path, "spec")...)
	case p.AlertPolicyRef == "":
		c.missing(text.Say("name a policy with alertPolicyRef, or write it out", "alertPolicyRef で名前を指定するか、ここにポリシーを書いてください"), with(path, "alertPolicyRef")...)
	}
}

func (c *checker) policy(p *AlertPolicySpec, path ...any) {
	c.description(p.Description, with(path, "description")...)
	switch len(p.Conditions) {
	case 0:
		c.missing(text.Say("add one condition", "条件を1つ書いてください"), with(path, "conditions")...)
	case 1:
		c.conditionUse(p.Conditions[0], with(path, "conditions", 0)...)
	default:
		c.fail("conditions", text.Say("there are %d conditions; OpenSLO allows one", "条件が%d個あります。OpenSLO で書けるのは1つです", len(p.Conditions)),
			text.Say("write one policy for each condition", "条件ごとにポリシーを分けてください"), with(path, "conditions", 1)...)
	}
	for i, t := range p.NotificationTargets {
		if (t.TargetRef == "") == (t.Spec == nil) {
			c.missing(text.Say("name a target with targetRef, or write it out", "targetRef で名前を指定するか、ここに通知先を書いてください"), with(path, "notificationTargets", i, "targetRef")...)
		} else if t.Spec != nil {
			c.targetSpec(t.Spec, with(path, "notificationTargets", i, "spec")...)
		}
	}
}

func (c *checker) conditionUse(u ConditionUse, path ...any) {
	if (u.ConditionRef == "") == (u.Spec == nil) {
		c.missing(text.Say("name a condition with conditionRef, or write it out", "conditionRef で名前を指定するか、ここに条件を書いてください"), with(path, "conditionRef")...)
		return
	}
	if u.Spec != nil {
		c.conditionSpec(u.Spec, with(path, "spec")...)
	}
}

// ValidateAlertCondition judges an AlertCondition by itself.
func ValidateAlertCondition(d *ascode.Document) []*fault.Error {
	c, o := &checker{d: d}, d.Object.(*AlertCondition)
	c.conditionSpec(&o.Spec, "spec")
	return c.faults
}

func (c *checker) conditionSpec(s *AlertConditionSpec, path ...any) {
	c.description(s.Description, with(path, "description")...)
	if s.Severity == "" {
		c.missing(text.Say("write page where somebody must act at once, ticket where tomorrow will do", "すぐに対応が必要なら page、翌日でよければ ticket と書いてください"), with(path, "severity")...)
	}
	k := s.Condition
	if k.Kind != "" && !slices.Contains(ConditionKinds, k.Kind) {
		c.fail("condition_kind", text.Say("there is no condition of kind %q", "条件の種類 %q はありません", k.Kind),
			ascode.OneOf(k.Kind, ConditionKinds...), with(path, "condition", "kind")...)
		return
	}
	if k.Op != "" && !slices.Contains(operators, k.Op) {
		c.fail("condition_op", text.Say("there is no op %q", "op に %q はありません", k.Op), ascode.OneOf(k.Op, operators...), with(path, "condition", "op")...)
	}
	c.threshold(k, with(path, "condition", "threshold")...)
	looksBack := k.Kind != KindBudgetLeft && k.Kind != KindOutage
	if p, ok := ParseDuration(k.LookbackWindow); (looksBack || k.LookbackWindow != "") && (!ok || p < time.Minute || p > 90*day) {
		c.fail("condition_window", text.Say("%q cannot be a lookback window", "lookbackWindow に %q は使えません", k.LookbackWindow),
			text.Say("write a number and a unit between 1m and 90d, for example 1h", "1m から 90d までを 1h のように書いてください"), with(path, "condition", "lookbackWindow")...)
	}
	if p, ok := ParseDuration(k.AlertAfter); k.AlertAfter != "" && (!ok || p > 30*day) {
		c.fail("condition_after", text.Say("%q cannot be a waiting time", "alertAfter に %q は使えません", k.AlertAfter),
			text.Say("write a number and a unit, for example 5m", "5m のように書いてください"), with(path, "condition", "alertAfter")...)
	}
}

// threshold judges the number that a condition compares with, which means
// something else for each kind.
func (c *checker) threshold(k Condition, path ...any) {
	within := func(least, most float64) bool {
		return k.Threshold != nil && *k.Threshold >= least && *k.Threshold <= most
	}
	switch {
	case k.Kind == KindOutage || k.Kind == KindNoData:
		if k.Threshold != nil {
			c.fail("condition_threshold", text.Say("a condition of kind %s has no threshold", "種類が %s の条件に threshold はありません", k.Kind),
				text.Say("remove it", "削除してください"), path...)
		}
	case k.Kind == KindBudgetLeft && !within(0, 1):
		c.fail("condition_threshold", text.Say("the threshold is not a part of the budget", "threshold がバジェットに対する割合ではありません"),
			text.Say("write the part that is left, for example 0.2", "残りの割合を 0.2 のように書いてください"), path...)
	case k.Kind == KindForecast && !within(0.01, 365):
		c.fail("condition_threshold", text.Say("the threshold is not a number of days", "threshold が日数ではありません"),
			text.Say("write in how many days the budget would be spent, for example 3", "バジェットが尽きるまでの日数を 3 のように書いてください"), path...)
	case (k.Kind == "" || k.Kind == KindBurnRate) && (!within(0, 1e9) || *k.Threshold == 0):
		c.fail("condition_threshold", text.Say("the threshold is not a burn rate above 0", "threshold が0より大きい消費速度ではありません"),
			text.Say("write how many times too fast the budget may burn, for example 14.4", "許容する消費速度の倍率を 14.4 のように書いてください"), path...)
	}
}

// ValidateTarget judges an AlertNotificationTarget by itself.
func ValidateTarget(d *ascode.Document) []*fault.Error {
	c, o := &checker{d: d}, d.Object.(*AlertNotificationTarget)
	c.targetSpec(&o.Spec, "spec")
	return c.faults
}

func (c *checker) targetSpec(s *TargetSpec, path ...any) {
	c.description(s.Description, with(path, "description")...)
	if s.Target == "" {
		c.missing(text.Say("name a notification channel", "通知チャンネルの名前を書いてください"), with(path, "target")...)
	}
}

// ValidateService judges a Service by itself.
func ValidateService(d *ascode.Document) []*fault.Error {
	c, o := &checker{d: d}, d.Object.(*Service)
	c.description(o.Spec.Description, "spec", "description")
	return c.faults
}

package slo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// policyRules are the alerts of an SLO: those of its policies, and the defaults
// where it names none. It reports false where a reference leads nowhere.
func policyRules(ctx context.Context, q db.DBTX, o *openslo.SLO, period time.Duration) ([]burn.Rule, bool, error) {
	if len(o.Spec.AlertPolicies) == 0 {
		return wanted(burn.Defaults(period), o.Metadata.Annotations[openslo.Alerts]), true, nil
	}
	rules := []burn.Rule{}
	for i, use := range o.Spec.AlertPolicies {
		name, spec := fmt.Sprintf("policy-%d", i+1), use.Spec
		if use.Metadata != nil && use.Metadata.Name != "" {
			name = use.Metadata.Name
		}
		if spec == nil {
			var p openslo.AlertPolicy
			if ok, err := loadPart(ctx, q, kindPolicy, use.AlertPolicyRef, &p); !ok {
				return nil, false, err
			}
			name, spec = use.AlertPolicyRef, &p.Spec
		}
		if slices.ContainsFunc(rules, func(r burn.Rule) bool { return r.Policy == name }) {
			name += fmt.Sprintf("-%d", i+1)
		}
		of, ok, err := policyRule(ctx, q, name, spec, period)
		if err != nil || !ok {
			return nil, false, err
		}
		rules = append(rules, of...)
	}
	return rules, true, nil
}

// wanted are the default alerts that an SLO's annotation leaves it.
func wanted(rules []burn.Rule, which string) []burn.Rule {
	if which == "" || which == "all" {
		return rules
	}
	return slices.DeleteFunc(rules, func(r burn.Rule) bool { return string(r.Severity) != which })
}

// silentFor is how long there must be no data for a policy that asks for that
// and whose condition has no window.
const silentFor = 10 * time.Minute

// policyRule makes rules of a policy: one for its condition, unless it is not to
// be told of, and one for the absence of data, where it asks for that.
func policyRule(ctx context.Context, q db.DBTX, name string, p *openslo.AlertPolicySpec, period time.Duration) ([]burn.Rule, bool, error) {
	if len(p.Conditions) == 0 {
		return nil, true, nil
	}
	c := p.Conditions[0].Spec
	if c == nil {
		var doc openslo.AlertCondition
		if ok, err := loadPart(ctx, q, kindCondition, p.Conditions[0].ConditionRef, &doc); !ok {
			return nil, false, err
		}
		c = &doc.Spec
	}
	r := burn.Rule{Name: name, Policy: name, Severity: burn.Ticket, Quiet: p.AlertWhenResolved != nil && !*p.AlertWhenResolved}
	if openslo.Pages(c.Severity) {
		r.Severity = burn.Page
	}
	r.Long, _ = openslo.ParseDuration(c.Condition.LookbackWindow)
	r.For, _ = openslo.ParseDuration(c.Condition.AlertAfter)
	var ok bool
	var err error
	if r.Targets, ok, err = targets(ctx, q, p); !ok {
		return nil, false, err
	}
	var rules []burn.Rule
	if p.AlertWhenBreaching == nil || *p.AlertWhenBreaching {
		rules = append(rules, breach(r, c.Condition, period))
	}
	if p.AlertWhenNoData != nil && *p.AlertWhenNoData {
		silence := r
		silence.Name, silence.Kind, silence.Long = name+"-no-data", burn.NoData, cmp.Or(r.Long, silentFor)
		rules = append(rules, silence)
	}
	return rules, true, nil
}

// breach is the rule of a condition that was judged.
func breach(r burn.Rule, c openslo.Condition, period time.Duration) burn.Rule {
	var threshold float64
	if c.Threshold != nil {
		threshold = *c.Threshold
	}
	switch c.Kind {
	case openslo.KindBudgetLeft:
		r.Kind, r.Left, r.Long = burn.Budget, threshold, 0
	case openslo.KindForecast:
		r.Kind, r.Within = burn.Forecast, time.Duration(threshold*24*float64(time.Hour))
	case openslo.KindNoData:
		r.Kind = burn.NoData
	case openslo.KindOutage:
		r.Kind, r.Long = burn.Outage, 0
	default:
		r.Factor = threshold
		r.Below = c.Op == "lt" || c.Op == "lte"
		r.OrEqual = c.Op == "gte" || c.Op == "lte"
		r.Share = r.Factor * r.Long.Minutes() / period.Minutes()
	}
	return r
}

// targets are the channels that a policy names.
func targets(ctx context.Context, q db.DBTX, p *openslo.AlertPolicySpec) ([]string, bool, error) {
	var names []string
	for _, t := range p.NotificationTargets {
		spec := t.Spec
		if spec == nil {
			var doc openslo.AlertNotificationTarget
			if ok, err := loadPart(ctx, q, kindTarget, t.TargetRef, &doc); !ok {
				return nil, false, err
			}
			spec = &doc.Spec
		}
		names = append(names, spec.Target)
	}
	return names, true, nil
}

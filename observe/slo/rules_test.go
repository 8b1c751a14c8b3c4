package slo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
)

// watched is an alert policy with one condition, and an SLO under it.
func watched(condition, more string) string {
	return strings.Replace(checkout, "  objectives:", fmt.Sprintf(`  alertPolicies:
    - kind: AlertPolicy
      metadata: {name: watch}
      spec:
        alertWhenBreaching: true
%s        conditions:
          - kind: AlertCondition
            metadata: {name: watch}
            spec: {severity: page, condition: {%s}}
        notificationTargets: []
  objectives:`, more, condition), 1)
}

func TestConditionsOfEveryKindBecomeRules(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.history(t0.Add(-2*day), t0, flat(60, 0))
	for _, c := range []struct {
		condition, more string
		want            []slo.RuleView
	}{
		{"kind: budgetleft, threshold: 0.2", "", []slo.RuleView{{Kind: "budget", Left: 0.2}}},
		{"kind: forecast, threshold: 3, lookbackWindow: 6h", "", []slo.RuleView{{Kind: "forecast", Within: "3d", Long: "6h"}}},
		{"kind: nodata, lookbackWindow: 15m", "", []slo.RuleView{{Kind: "no-data", Long: "15m"}}},
		{"kind: outage", "        alertWhenNoData: true\n", []slo.RuleView{{Kind: "outage"}, {Kind: "no-data", Long: "10m"}}},
		{"kind: burnrate, op: lte, threshold: 2, lookbackWindow: 1h, alertAfter: 5m", "", []slo.RuleView{{Kind: "burn-rate", Factor: 2, Long: "1h", For: "5m"}}},
	} {
		w.apply(watched(c.condition, c.more))
		var d slo.Detail
		w.ok("/api/v1/slos/checkout", &d)
		var got []slo.RuleView
		for _, r := range d.Rules {
			got = append(got, slo.RuleView{Kind: r.Kind, Left: r.Left, Within: r.Within, Long: r.Long, Factor: r.Factor, For: r.For})
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.condition, diff)
		}
	}
	for condition, want := range map[string]string{
		"kind: budgetleft, threshold: 20":                  "part of the budget",
		"kind: forecast, threshold: 0, lookbackWindow: 6h": "number of days",
		"kind: nodata, threshold: 1, lookbackWindow: 5m":   "has no threshold",
		"kind: forecast, threshold: 3":                     "lookback window",
		"kind: burnrate, threshold: 0, lookbackWindow: 1h": "burn rate above 0",
		"kind: burn, threshold: 2, lookbackWindow: 1h":     "no condition of kind",
	} {
		if err := w.tryApply(watched(condition, "")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", condition, err, want)
		}
	}
}

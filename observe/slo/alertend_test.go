package slo_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo"
)

func alertEnd(end string) string {
	return "apiVersion: teiten.dev/v1\nkind: ErrorBudgetPolicy\nmetadata: {name: all}\nspec: {alertEnd: " + end + "}\n"
}

// TestAlertsReadTheEndThatThePolicyNames: a source that is gone pages only where
// what is not known is to be taken for bad.
func TestAlertsReadTheEndThatThePolicyNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.history(t0.Add(-3*time.Hour), t0, flat(100, 0))
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		w.sources.gone.Store(true)
		w.run(t0.Add(20 * time.Minute))
		if n := len(w.detail("checkout").Alerts); n != 0 {
			t.Fatalf("%d alerts for minutes that nobody knows", n)
		}
		if err := w.applyAs(administrator, alertEnd("low")); err != nil {
			t.Fatal(err)
		}
		w.run(t0.Add(21 * time.Minute))
		open := w.detail("checkout").Alerts
		if len(open) == 0 || !strings.Contains(open[0].Reason.EN, "without data") || !strings.Contains(open[0].Reason.JA, "データのない") {
			t.Fatalf("what is not known may be bad, and nobody is told: %+v", open)
		}
		var d slo.Detail
		w.ok("/api/v1/slos/checkout", &d)
		if !slices.ContainsFunc(d.Rules, func(r slo.RuleView) bool { return r.Firing && r.LongBurn > r.Factor }) {
			t.Errorf("the page's rules read something else: %+v", d.Rules)
		}
		if err := w.applyAs(administrator, alertEnd("high")); err != nil {
			t.Fatal(err)
		}
		w.sources.gone.Store(false)
		w.live(t0.Add(30*time.Minute), flat(100, 0))
		if n := len(w.detail("checkout").Alerts); n != 0 {
			t.Errorf("%d alerts go on", n)
		}
	}, rooms...)
}

// TestATierSaysWhichAlertsAnObjectiveHas: they come with the tier, change with
// the policy, and the policy stays while the tier names it.
func TestATierSaysWhichAlertsAnObjectiveHas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		tier := "apiVersion: teiten.dev/v1\nkind: ServiceTier\nmetadata: {name: \"1\"}\nspec: {alertPolicies: [slow-burn]}\n"
		if err := w.applyAs(administrator, tier); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a policy that is not there: %v", err)
		}
		policy := "---\napiVersion: openslo/v1\nkind: AlertPolicy\nmetadata: {name: slow-burn}\nspec:\n  notificationTargets: []\n" +
			"  conditions: [{kind: AlertCondition, metadata: {name: c}, spec: {severity: ticket, condition: {kind: burnrate, op: gt, threshold: 2, lookbackWindow: 6h}}}]\n"
		want := func(rule string, factor float64) {
			t.Helper()
			rules := w.detail("checkout").Rules
			if len(rules) == 0 || rules[0].Name != rule || factor > 0 && rules[0].Factor != factor {
				t.Errorf("the rules are %+v, want %s first", rules, rule)
			}
		}
		want("page-fast", 0)
		if err := w.applyAs(administrator, tier+policy); err != nil {
			t.Fatal(err)
		}
		want("slow-burn", 2)
		if err := w.applyAs(administrator, tier+strings.Replace(policy, "threshold: 2", "threshold: 4", 1)); err != nil {
			t.Fatal(err)
		}
		want("slow-burn", 4)
	}, rooms...)
}

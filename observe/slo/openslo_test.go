package slo_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/burn"
)

// reader knows OpenSLO's kinds and nothing else.
func reader() *ascode.Registry {
	r := ascode.NewRegistry()
	(&slo.Service{}).Kinds(r)
	return r
}

// TestCorpusIsAcceptedOrRefusedWithAReason reads every OpenSLO example: each is
// accepted, or refused at a place and with a remedy in both languages.
func TestCorpusIsAcceptedOrRefusedWithAReason(t *testing.T) {
	root := os.Getenv("TEITEN_CORPUS")
	if root == "" {
		t.Skip("TEITEN_CORPUS is not set: the public examples of OpenSLO are not read")
	}
	var found []string
	for _, pattern := range []string{"openslo/examples/*/*.yaml", "sloth/examples/openslo*.yml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, files...)
	}
	if len(found) < 6 {
		t.Fatalf("the corpus holds %d examples", len(found))
	}
	for _, file := range found {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		_, faults := reader().Parse([]ascode.File{{Name: name, Data: string(data)}})
		explained(t, name, faults)
		if len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

// explained checks that every fault says where it is and how to mend it.
func explained(t *testing.T, name string, faults []*fault.Error) {
	t.Helper()
	for _, f := range faults {
		if f.Where.Line == 0 || f.What.EN == "" || f.What.JA == "" || f.Remedy.EN == "" || f.Remedy.JA == "" {
			t.Errorf("%s: %v says too little", name, f)
		}
	}
}

// TestWhatIsRefused changes one thing of a good document at a time.
func TestWhatIsRefused(t *testing.T) {
	good := checkout
	change := func(old, now string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the document has no %q", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	top := good[:strings.Index(good, "      ratioMetric:")]
	threshold := func(objective string) string {
		return strings.Replace(top, "{target: 0.999}", objective, 1) + "      thresholdMetric: {metricSource: {spec: {query: up}}}\n"
	}
	raw := func(kind string) string {
		return top + "      ratioMetric: {" + kind + "raw: {metricSource: {spec: {query: up}}}}\n"
	}
	for name, c := range map[string]struct {
		doc, code string
		line      int
	}{
		"target of one":           {change("0.999}", "1}"), "slo.objective_range", 9},
		"target above one":        {change("0.999}", "99.9}"), "slo.objective_range", 9},
		"both targets":            {change("0.999}", "0.999, targetPercent: 99.9}"), "slo.target_twice", 9},
		"target of 100 %":         {change("{target: 0.999}", "{targetPercent: 100}"), "slo.objective_range", 9},
		"target below nought":     {change("0.999}", "-0.1}"), "slo.objective_range", 9},
		"no service":              {change("  service: checkout\n", ""), "slo.missing", 5},
		"no method":               {change("  budgetingMethod: Occurrences\n", ""), "slo.missing", 5},
		"slices of no length":     {change("Occurrences", "RatioTimeslices"), "slo.missing", 9},
		"slices without a target": {strings.Replace(change("Occurrences", "Timeslices"), "0.999}", "0.999, timeSliceWindow: 1m}", 1), "slo.missing", 9},
		"slices of two days":      {strings.Replace(change("Occurrences", "RatioTimeslices"), "0.999}", "0.999, timeSliceWindow: 2d}", 1), "slo.slice", 9},
		"slices of half a minute": {strings.Replace(change("Occurrences", "RatioTimeslices"), "0.999}", "0.999, timeSliceWindow: 0.5}", 1), "slo.slice", 9},
		"a slice target of 0":     {strings.Replace(change("Occurrences", "Timeslices"), "0.999}", "0.999, timeSliceWindow: 5, timeSliceTarget: 0}", 1), "slo.slice_target", 9},
		"a misspelt method":       {change("Occurrences", "Ocurrences"), "slo.budgeting_method", 7},
		"rolling calendar":        {change("isRolling: true", "isRolling: true, calendar: {timeZone: Asia/Tokyo}"), "slo.window_kind", 8},
		"a zone that is none":     {change("isRolling: true", "calendar: {timeZone: Asia/Toyko}"), "slo.time_zone", 8},
		"a start that is none":    {change("isRolling: true", "calendar: {startTime: noon, timeZone: Asia/Tokyo}"), "slo.start_time", 8},
		"neither":                 {change("isRolling: true", "isRolling: false"), "slo.missing", 8},
		"window of no minutes":    {change("duration: 30d", "duration: 0m"), "slo.window_duration", 8},
		"window in words":         {change("duration: 30d", "duration: a month"), "slo.window_duration", 8},
		"bad PromQL":              {change("sum(http_requests_total)'", "sum(http_requests_total'"), "metrics.promql", 16},
		"rate of a counter":       {change("sum(http_requests_total)'", "sum(rate(http_requests_total[5m]))'"), "", 16},
		"unknown type":            {change("total: {metricSource: {type: Prometheus", "total: {metricSource: {type: Datadog"), "slo.source_type", 16},
		"unknown query field":     {change("total: {metricSource: {type: Prometheus, spec: {query:", "total: {metricSource: {type: Prometheus, spec: {querry:"), "slo.query_field", 16},
		"no total":                {good[:strings.Index(good, "        total:")], "slo.missing", 13},
		"good and bad":            {strings.Replace(good, "        bad:", "        good: {metricSource: {spec: {query: up}}}\n        bad:", 1), "slo.good_and_bad", 16},
		"unknown annotation":      {change("metadata: {name: checkout,", `metadata: {name: checkout, annotations: {teiten.dev/setle: "1m"},`), "slo.annotation_unknown", 4},
		"annotation out of range": {change("metadata: {name: checkout,", `metadata: {name: checkout, annotations: {teiten.dev/settle: "3h"},`), "slo.annotation", 4},
		"unknown key":             {change("  service: checkout", "  servce: checkout"), "", 6},
		"a threshold without op":  {threshold("{target: 0.9, value: 1}"), "slo.missing", 9},
		"a threshold of nothing":  {threshold("{target: 0.9, op: lt}"), "slo.missing", 9},
		"an op that is none":      {threshold("{target: 0.9, op: le, value: 1}"), "slo.op", 9},
		"a raw ratio of what":     {raw(""), "slo.missing", 13},
		"a raw type that is none": {raw("rawType: good, "), "slo.raw_type", 13},
		"one indicator too few":   {change("{target: 0.999}]", "{target: 0.9, indicatorRef: x}, {target: 0.9}]"), "slo.indicator_twice", 9},
		"no weight":               {strings.Replace(good[:strings.Index(good, "  indicator:")], "{target: 0.999}]", "{target: 0.9, indicatorRef: x, compositeWeight: 0}]", 1), "slo.weight", 9},
		"a part without":          {strings.Replace(good[:strings.Index(good, "  indicator:")], "{target: 0.999}]", "{target: 0.9, indicatorRef: x}, {target: 0.9}]", 1), "slo.missing", 9},
		"unlike slices": {strings.NewReplacer("Occurrences", "RatioTimeslices", "{target: 0.999}]",
			"{target: 0.9, indicatorRef: x, timeSliceWindow: 5m}, {target: 0.9, indicatorRef: y, timeSliceWindow: 1m}]").Replace(good[:strings.Index(good, "  indicator:")]), "slo.composite_slices", 9},
		"a way to join that is none": {change("metadata: {name: checkout,", `metadata: {name: checkout, annotations: {teiten.dev/composite: sum},`), "slo.annotation", 4},
		"indicator twice":            {change("  service: checkout", "  indicatorRef: x\n  service: checkout"), "slo.indicator_twice", 6},
	} {
		_, faults := reader().Parse([]ascode.File{{Name: "slo.yaml", Data: c.doc}})
		explained(t, name, faults)
		found := false
		var all []string
		for _, f := range faults {
			found = found || (c.code == "" || f.Code == c.code) && f.Where.Line == c.line
			all = append(all, fmt.Sprintf("%s at %v: %s", f.Code, f.Where, f.What.EN))
		}
		if !found {
			t.Errorf("%s: want %s in line %d, got %q", name, c.code, c.line, all)
		}
	}
	if _, faults := reader().Parse([]ascode.File{{Name: "slo.yaml", Data: good}}); len(faults) > 0 {
		t.Errorf("the good document is refused: %v", faults)
	}
}

func TestAnUnknownServiceIsRefusedWhenApplied(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	err := w.tryApply(strings.Replace(slOf("other", "0.99", "7d"), "service: checkout", "service: chekout", 1))
	f, ok := fault.As(err)
	if !ok || f.Code != "slo.service_unknown" || f.Where.Line != 6 || f.Remedy.JA == "" {
		t.Errorf("got %v", err)
	}
	w.apply("apiVersion: openslo/v1\nkind: Service\nmetadata: {name: search}\nspec: {description: Finds things}\n---" +
		strings.Replace(slOf("other", "0.99", "7d"), "service: checkout", "service: search", 1))
}

// shared is an objective whose indicator and alerts are documents of their own.
const shared = `
apiVersion: openslo/v1
kind: SLI
metadata: {name: requests}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: prometheus, spec: {expr: 'sum(http_requests_total{code!~"5.."})'}}}
    total: {metricSource: {type: prometheus, spec: {expr: sum(http_requests_total)}}}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: burns}
spec:
  severity: page
  condition: {kind: burnrate, op: gt, threshold: 10, lookbackWindow: 15m, alertAfter: 5m}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: on-call}
spec: {target: ops-chat}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: burns}]
  notificationTargets: [{targetRef: on-call}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: checkout}
spec:
  service: checkout
  indicatorRef: requests
  budgetingMethod: Occurrences
  timeWindow: [{duration: 4w, isRolling: true}]
  objectives: [{targetPercent: 99.95}]
  alertPolicies: [{alertPolicyRef: fast}]
`

func TestReferencesAreFollowedAndAChangeOfThemIsTakenUp(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.apply(shared)
	w.history(t0.Add(-5*day), t0, flat(600, 0))
	w.at(t0.Add(31e9))
	w.evaluate()
	w.backfill()
	var d slo.Detail
	w.ok("/api/v1/slos/checkout", &d)
	if d.Objective != 0.9995 || d.Window.Duration != "28d" || len(d.Rules) != 1 || d.Rules[0].Factor != 10 ||
		d.Rules[0].Long != "15m" || d.Rules[0].For != "5m" || d.Rules[0].Severity != burn.Page || d.Queries.Good == "" {
		t.Errorf("got %+v", d)
	}
	// It burns 600 times too fast from the first minute on, and alerts after five.
	w.live(t0.Add(4*60e9), flat(600, 180))
	if n := len(w.entries(slo.EntryAlertFired)); n != 0 {
		t.Errorf("%d alerts before the condition held for 5 minutes", n)
	}
	w.live(t0.Add(8*60e9), flat(600, 180))
	fired := w.entries(slo.EntryAlertFired)
	if len(fired) != 1 || !strings.Contains(string(fired[0].Data), `"targets":["ops-chat"]`) {
		t.Errorf("alerts after it held: %v", fired)
	}

	w.apply(strings.Replace(shared, "threshold: 10,", "threshold: 1900,", 1))
	w.run(t0.Add(9 * 60e9))
	w.ok("/api/v1/slos/checkout", &d)
	if len(d.Rules) != 1 || d.Rules[0].Factor != 1900 {
		t.Errorf("the changed condition is not taken up: %+v", d.Rules)
	}
	if n := len(w.entries(slo.EntryAlertResolved)); n != 1 {
		t.Errorf("%d alerts ended with the limit raised", n)
	}

	err := w.tryApply(strings.Replace(shared, "indicatorRef: requests", "indicatorRef: request", 1))
	if f, ok := fault.As(err); !ok || f.Code != "slo.unresolved" {
		t.Errorf("a reference that leads nowhere: %v", err)
	}
}

// several is an SLO with objectives of its own choice.
func several(objectives string) string {
	return strings.Replace(checkout, "{target: 0.999}", objectives, 1)
}

func TestEachObjectiveIsExecutedAndFollowsTheDocument(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.history(t0.Add(-3*time.Hour), t0, flat(600, 3))
	names := func() string {
		t.Helper()
		var list struct{ Items []slo.Summary }
		w.ok("/api/v1/slos?sort=name", &list)
		var all []string
		for _, s := range list.Items {
			all = append(all, fmt.Sprintf("%s %v", s.Name, s.Objective))
		}
		return strings.Join(all, ", ")
	}
	for _, step := range []struct{ objectives, want string }{
		{"{target: 0.999}, {target: 0.99}, {displayName: SLA, targetPercent: 95}", "checkout 0.999, checkout~2 0.99, checkout~sla 0.95"},
		{"{target: 0.9}, {displayName: SLA, target: 0.95}", "checkout 0.9, checkout~sla 0.95"},
		{"{target: 0.9}", "checkout 0.9"},
		{"{target: 0.9}, {displayName: Soll, target: 0.99}", "checkout 0.9, checkout~soll 0.99"},
	} {
		w.apply(several(step.objectives))
		if got := names(); got != step.want {
			t.Errorf("%s: executed are %s, want %s", step.objectives, got, step.want)
		}
	}
	// 0.5 % of the events were bad: half of what 99 % allows, and 0.05 of 90 %.
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	w.backfill()
	for name, left := range map[string]float64{"checkout": 0.95, "checkout~soll": 0.5} {
		var d slo.Detail
		w.ok("/api/v1/slos/"+name, &d)
		if math.Abs(*d.BudgetLeft-left) > 1e-9 || d.Total != 180*600 || d.Document != "checkout" || d.Budgeting.Method != "Occurrences" {
			t.Errorf("%s: %v of %v events is left, want %v", name, *d.BudgetLeft, d.Total, left)
		}
	}
	w.remove("SLO", "checkout")
	if got := names(); got != "" {
		t.Errorf("after the SLO was deleted there is %s", got)
	}
}

func TestAPolicyMayTellOfSilenceAndOfCalm(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	doc := strings.NewReplacer("alertWhenBreaching: true", "{alertWhenNoData: true, alertWhenResolved: true}", "op: gt", "op: lte").Replace(shared)
	doc = strings.Replace(doc, "  {alertWhenNoData: true, alertWhenResolved: true}\n", "  alertWhenNoData: true\n  alertWhenResolved: true\n", 1)
	w.apply(doc)
	var d slo.Detail
	w.ok("/api/v1/slos/checkout", &d)
	var rules []string
	for _, r := range d.Rules {
		rules = append(rules, fmt.Sprintf("%s %s %s %s", r.Name, r.Kind, r.Long, r.For))
	}
	if got := strings.Join(rules, ", "); got != "fast burn-rate 15m 5m, fast-no-data no-data 15m 5m" {
		t.Errorf("the rules are %s", got)
	}
}

package openslo_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// kinds are the documents of OpenSLO, without what executes them: a target that
// links nothing else is a hundred times quicker to fuzz.
func kinds() *ascode.Registry {
	r := ascode.NewRegistry()
	for kind, k := range map[string]struct {
		empty    func() any
		validate func(*ascode.Document) []*fault.Error
	}{
		"SLO":                     {func() any { return &openslo.SLO{} }, openslo.ValidateSLO},
		"SLI":                     {func() any { return &openslo.SLI{} }, openslo.ValidateSLI},
		"AlertPolicy":             {func() any { return &openslo.AlertPolicy{} }, openslo.ValidateAlertPolicy},
		"AlertCondition":          {func() any { return &openslo.AlertCondition{} }, openslo.ValidateAlertCondition},
		"AlertNotificationTarget": {func() any { return &openslo.AlertNotificationTarget{} }, openslo.ValidateTarget},
		"Service":                 {func() any { return &openslo.Service{} }, openslo.ValidateService},
	} {
		r.Add(ascode.Kind{APIVersion: openslo.APIVersion, AlsoVersions: []string{openslo.AlphaVersion}, Kind: kind, ID: kind + "s",
			New: k.empty, Validate: k.validate, Upgrade: openslo.Upgrade})
	}
	return r
}

// FuzzDocuments reads anything: no panic, every fault says what is wrong in both
// languages, and what is accepted means something and survives being stored.
func FuzzDocuments(f *testing.F) {
	files, err := filepath.Glob("../testdata/openslo/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatal("there are no examples", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add("apiVersion: openslo/v1alpha\nkind: SLO\nmetadata: {name: a}\nspec: {service: b, timeWindows: [{count: 30, unit: Day}], budgetingMethod: Timeslices, objectives: [{target: .9, timeSliceTarget: .9, ratioMetrics: {good: {source: prometheus, query: 'sum(rate(x[{{.window}}]))'}, total: {source: prometheus, query: y}}}]}")
	f.Add("apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec: {objectives: [{target: .nan}], timeWindow: [{duration: 1Q, calendar: {startTime: 2020-01-31 12:30:00, timeZone: Asia/Tokyo}}], alertPolicies: [{spec: {conditions: [{spec: {condition: {}}}]}}]}")
	r := kinds()
	f.Fuzz(func(t *testing.T, data string) {
		docs, faults := r.Parse([]ascode.File{{Name: "x.yaml", Data: data}})
		for _, x := range faults {
			if x.What.EN == "" || x.What.JA == "" {
				t.Errorf("%v says nothing", x)
			}
		}
		for _, d := range docs {
			if o, ok := d.Object.(*openslo.SLO); ok && len(faults) == 0 {
				means(t, o)
			}
		}
	})
}

// means reads what an accepted SLO says, before and after it was stored.
func means(t *testing.T, o *openslo.SLO) {
	t.Helper()
	data, err := json.Marshal(o)
	var stored openslo.SLO
	if err == nil {
		err = json.Unmarshal(data, &stored)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := o.Spec.Window()
	if p.Length <= 0 {
		t.Fatalf("a window of %v", p.Length)
	}
	if start := p.Start(29_000_000); start >= 29_000_000 || stored.Spec.Window().Start(29_000_000) != start {
		t.Fatalf("a window from minute %d, stored from %d", start, stored.Spec.Window().Start(29_000_000))
	}
	for i, x := range o.Spec.Objectives {
		if s := x.Share(); !(s >= 0 && s < 1) {
			t.Fatalf("a target of %v", s)
		}
		if c := o.Spec.Counting(x); c != stored.Spec.Counting(stored.Spec.Objectives[i]) || c.Sliced() && c.Slice < 1 {
			t.Fatalf("slices %+v", c)
		}
	}
}

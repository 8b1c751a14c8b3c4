package slo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// examples are the OpenSLO documents of the public corpus and our own, which
// show each field of the specification.
func examples(t *testing.T) map[string]string {
	t.Helper()
	patterns := []string{"testdata/openslo/*.yaml"}
	if root := os.Getenv("TEITEN_CORPUS"); root != "" {
		patterns = append(patterns, filepath.Join(root, "openslo/examples/*/*.yaml"), filepath.Join(root, "sloth/examples/openslo*.yml"))
	} else {
		t.Log("TEITEN_CORPUS is not set: the public examples of OpenSLO are not read")
	}
	found := map[string]string{}
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found[filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))] = string(data)
		}
	}
	return found
}

// refused are the examples that the specification does not allow, and why.
var refused = map[string]string{
	"openslo/no-budget.yaml": "slo.objective_range", // target is in [0, 1)
	"openslo/datadog.yaml":   "slo.source_type",     // types are each implementation's own
}

// TestEveryExampleIsEvaluatedOrRefusedWithAReason applies every example with a
// service of the name it gives, lets what it asks for happen for ten minutes,
// and reads its figures.
func TestEveryExampleIsEvaluatedOrRefusedWithAReason(t *testing.T) {
	for name, data := range examples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			docs, faults := reader().Parse([]ascode.File{{Name: name, Data: data}})
			explained(t, name, faults)
			if code := refused[name]; code != "" {
				if len(faults) == 0 || faults[0].Code != code {
					t.Errorf("want it refused with %s, got %v", code, faults)
				}
				return
			}
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			if err := w.tryApply(withServices(docs, data)); err != nil {
				t.Fatal(err)
			}
			happen(w, data, 10)
			for _, d := range docs {
				if d.Kind == "SLO" {
					evaluates(w, d)
				}
			}
		})
	}
}

// withServices adds the services that the documents promise for.
func withServices(docs []*ascode.Document, data string) string {
	seen := map[string]bool{}
	for _, d := range docs {
		o, ok := d.Object.(*openslo.SLO)
		if d.Kind == "Service" {
			seen[d.Name] = true
		}
		if ok && !seen[o.Spec.Service] {
			seen[o.Spec.Service] = true
			data += fmt.Sprintf("\n---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: %s}\n", o.Spec.Service)
		}
	}
	return data
}

// evaluates checks that each objective of a document counted every minute.
func evaluates(w *world, d *ascode.Document) {
	w.t.Helper()
	var list struct{ Items []slo.Summary }
	w.ok("/api/v1/slos", &list)
	found := 0
	for _, s := range list.Items {
		if s.Name != d.Name && !strings.HasPrefix(s.Name, d.Name+"~") {
			continue
		}
		found++
		if s.Total <= 0 || s.Known <= 0 || s.Status == slo.Unknown {
			w.t.Errorf("%s: %s (%s), %v events, %v known", s.Name, s.Status, s.StatusReason, s.Total, s.Known)
		}
	}
	if found == 0 {
		w.t.Errorf("%s is not executed", d.Name)
	}
}

var (
	queryLine = regexp.MustCompile(`(?m)^\s*(?:query|expr): *['"]?(.*?)['"]? *(?:#.*)?$`)
	selector  = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^}]*)\})?`)
	matcher   = regexp.MustCompile(`([a-z_]+) *(=~|!~|!=|=) *"([^"]*)"`)
)

// happen writes series that the queries of a document select, and has them grow
// by ten a minute, with a round in each.
func happen(w *world, data string, minutes int) {
	w.t.Helper()
	var all []map[string]string
	for _, q := range queryLine.FindAllStringSubmatch(strings.ReplaceAll(data, `\"`, `"`), -1) {
		for _, s := range selector.FindAllStringSubmatch(q[1], -1) {
			labels := map[string]string{"__name__": s[1]}
			for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
				first, _, _ := strings.Cut(strings.Trim(m[3], "()^$"), "|")
				labels[m[1]] = map[string]string{"=": m[3], "=~": strings.ReplaceAll(first, "..", "00"), "!~": "200", "!=": "other"}[m[2]]
			}
			all = append(all, labels)
		}
	}
	start := w.now()
	for i := range minutes {
		at := start.Add(time.Duration(i) * time.Minute)
		seen := map[string]bool{}
		var batch []metrics.Series
		for _, labels := range all {
			s := metrics.Series{Labels: labels, Points: []metrics.Point{{T: at.UnixMilli(), V: float64(10 * (i + 1))}}}
			if key := s.Name(); !seen[key] {
				seen[key] = true
				batch = append(batch, s)
			}
		}
		if err := w.store.Append(w.t.Context(), batch); err != nil {
			w.t.Fatal(err)
		}
		w.at(at.Add(31 * time.Second))
		w.evaluate()
	}
}

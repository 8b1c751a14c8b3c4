package slo_test

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/exchange"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// slothRules are the error ratios over five minutes that Sloth generated for an
// example, by the name of the objective.
func slothRules(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	type group struct {
		Rules []struct {
			Record, Expr string
			Labels       map[string]string
		}
	}
	found := map[string]string{}
	for d := yaml.NewDecoder(strings.NewReader(string(data))); ; {
		var file struct {
			Groups []group
			Spec   struct{ Groups []group }
		}
		if err := d.Decode(&file); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		for _, g := range append(file.Groups, file.Spec.Groups...) {
			for _, r := range g.Rules {
				if r.Record == "slo:sli_error:ratio_rate5m" {
					found[r.Labels["sloth_id"]] = r.Expr
				}
			}
		}
	}
}

// TestWhatIsImportedFromSlothEvaluatesToTheSame: Prometheus' own engine runs the
// rules that Sloth generated, Teiten executes what it imported, over the same
// samples.
func TestWhatIsImportedFromSlothEvaluatesToTheSame(t *testing.T) {
	root := os.Getenv("TEITEN_CORPUS")
	if root == "" {
		t.Skip("TEITEN_CORPUS names no folder with Sloth's examples")
	}
	files, err := filepath.Glob(filepath.Join(root, "sloth/examples/*.y*ml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		rules := slothRules(t, filepath.Join(filepath.Dir(path), "_gen", filepath.Base(path)))
		if len(rules) == 0 || strings.HasPrefix(filepath.Base(path), "openslo-") {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r, err := exchange.Sloth([]ascode.File{{Name: filepath.Base(path), Data: string(data)}}, exchange.Options{})
			if err != nil {
				t.Fatal(err)
			}
			documents, err := r.YAML()
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			w.apply(documents)
			happen(w, documents, 20)
			compared := 0
			for _, d := range r.Documents {
				if o, ok := d.(*openslo.SLO); ok && w.asSloth(o.Metadata.Name, rules) {
					compared++
				}
			}
			if compared == 0 && len(r.Notes) == 0 {
				t.Errorf("nothing of it is the same, and no note says why:\n%s", documents)
			}
			t.Logf("%d of %d objectives compared, %d notes", compared, len(rules), len(r.Notes))
		})
	}
}

// asSloth compares the error ratio over five minutes with that of Sloth's rule,
// and reports whether there was one.
func (w *world) asSloth(name string, rules map[string]string) bool {
	w.t.Helper()
	var d slo.Detail
	w.ok("/api/v1/slos/"+name, &d)
	expr, ok := rules[name]
	if !ok || d.Watermark == nil || d.Total == 0 {
		w.t.Logf("%s: %s (%s)", name, d.Status, d.StatusReason.EN)
		return false
	}
	answer, err := w.store.Instant(w.t.Context(), expr, *d.Watermark)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(answer) != 1 || len(answer[0].Points) != 1 || math.IsNaN(answer[0].Points[0].V) {
		return false
	}
	want, got := answer[0].Points[0].V, d.BurnRates["5m"]*(1-d.Objective)
	if math.Abs(got-want) > 1e-9 {
		w.t.Errorf("%s: the error ratio is %v, of Sloth's rule %v\n%s", name, got, want, expr)
	}
	return true
}

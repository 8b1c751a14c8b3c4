package promexpr

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/fault"
)

// terms writes a sum as a person would.
func terms(s Sum) string {
	var b strings.Builder
	for _, t := range s.Terms {
		fmt.Fprintf(&b, "%+g*%s ", t.Weight, t)
	}
	switch {
	case s.AllLabels:
		b.WriteString("one series")
	case s.One:
		b.WriteString("by " + strings.Join(s.By, ","))
	}
	return strings.TrimSpace(b.String())
}

func TestSumsOfCountersAreCountable(t *testing.T) {
	for expr, want := range map[string]string{
		"sum(x)":                             "+1*x",
		`sum(x{code=~"5.."})`:                `+1*x{code=~"5.."}`,
		"x":                                  "+1*x one series",
		"((x))":                              "+1*x one series",
		"sum(a) - sum(b)":                    "+1*a -1*b",
		"sum(a) - (sum(b) + sum(c))":         "+1*a -1*b -1*c",
		"sum(a) + sum(a)":                    "+1*a +1*a",
		"-sum(a)":                            "-1*a",
		"sum(a) or vector(0)":                "+1*a",
		"sum(a or vector(0))":                "+1*a",
		"sum(a) - (sum(b) or vector(0))":     "+1*a -1*b",
		"sum by (t) (a)":                     "+1*a by t",
		"sum by (t) (a) - sum by (t) (b)":    "+1*a -1*b by t",
		"sum(sum by (t) (a))":                "+1*a",
		"sum by (t) (sum by (t, u) (a))":     "+1*a by t",
		"sum by (t) (sum by (u) (a))":        "+1*a",
		"sum(a) * 2":                         "+2*a",
		"3 * sum(a) / 2":                     "+1.5*a",
		"histogram_count(sum(a))":            "+1*histogram_count(a)",
		"sum(histogram_count(a{job=\"b\"}))": `+1*histogram_count(a{job="b"})`,
		"histogram_fraction(0, 0.5, sum(a)) * histogram_count(sum(a))": "+1*(histogram_fraction(0, 0.5, a) * histogram_count(a))",
		"sum(histogram_count(a) * (histogram_fraction(0, 0.25, a)))":   "+1*(histogram_fraction(0, 0.25, a) * histogram_count(a))",
		"# all of it\nsum(\n  a # the total\n)":                        "+1*a",
	} {
		got, err := Count(expr)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
		} else if d := cmp.Diff(want, terms(got)); d != "" {
			t.Errorf("%s: %s", expr, d)
		}
	}
}

func TestWhatIsNoSumOfCountersIsNot(t *testing.T) {
	for _, expr := range []string{
		"sum(rate(a[5m]))", "max(a)", "a + b", "a or b", "sum(a) / sum(b)", "sum(a) * sum(b)", "sum without (t) (a)",
		"sum(a) + sum by (t) (b)", "sum by (t) (a) - on (t) sum by (t) (b)", "sum(a offset 5m)", "sum(a @ 1)", "sum(a anchored)",
		"sum(a) or vector(1)", "sum(a) > 0", "1", "vector(0)", "clamp_min(sum(a), 0)", "sum(a) / 0", "sum(a) * 0", "sum(a) + 1",
		"histogram_fraction(0, 0.5, sum(a))", "histogram_fraction(0, 0.5, sum(a)) * histogram_count(sum(b))", "histogram_fraction(0.1, 0.5, sum(a)) * histogram_count(sum(a))",
		"histogram_fraction(0, 0.5, sum(a)) * sum(a)", "histogram_count(histogram_count(a))",
		"histogram_quantile(0.9, sum(a))", "topk(3, a)", "count(a)", "scalar(sum(a))", "sum(a", "",
	} {
		_, err := Count(expr)
		f, ok := fault.As(err)
		if !ok || f.Kind != fault.Invalid || f.Where.Line == 0 {
			t.Errorf("%q is countable, or refused without a place: %v", expr, err)
		}
		if Countable(expr) {
			t.Errorf("%q is countable", expr)
		}
	}
	if Countable("sum(a)" + strings.Repeat(" + sum(a)", maxTerms)) {
		t.Error("an endless sum is countable")
	}
}

func FuzzCount(f *testing.F) {
	for _, s := range []string{"sum(a) - (sum(b) or vector(0))", "2 * sum by (x) (a{b=~\"c\"}) / -3", "histogram_count(sum(a))", "sum(a)/1e-320", "-(-a)", "sum(a) * NaN"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		s, err := Count(expr)
		if err != nil {
			if fl, ok := fault.As(err); !ok || fl.Kind != fault.Invalid || fl.What.EN == "" || fl.What.JA == "" {
				t.Fatalf("%q: %v", expr, err)
			}
			return
		}
		if err := Check(expr); err != nil {
			t.Fatalf("%q can be counted but not evaluated: %v", expr, err)
		}
		if len(s.Terms) == 0 || len(s.Terms) > maxTerms || (s.AllLabels && !s.One) || (!s.One && len(s.By) > 0) {
			t.Fatalf("%q: %+v", expr, s)
		}
		for _, term := range s.Terms {
			if term.Weight == 0 || math.IsNaN(term.Weight) {
				t.Fatalf("%q has the weight %v", expr, term.Weight)
			}
			if err := Check(term.String()); err != nil {
				t.Fatalf("%q → %q: %v", expr, term, err)
			}
		}
	})
}

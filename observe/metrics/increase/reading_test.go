package increase

import (
	"fmt"
	"math"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/metrics"
)

// TestEverySeriesIsMetOnceForEachTermThatSelectsIt: however selections are put
// together into few questions, each gets what it would get alone.
func TestEverySeriesIsMetOnceForEachTermThatSelectsIt(t *testing.T) {
	var all []labels.Labels
	for _, name := range []string{"a", "b"} {
		for slo := range 4 {
			for _, code := range []string{"200", "404", "500"} {
				all = append(all, labels.FromStrings("__name__", name, "slo", fmt.Sprintf("s.%d", slo), "code", code))
			}
		}
	}
	selectors := []string{"a", "b", `a{code="500"}`, `a{code=~"5.."}`, `{__name__=~"a|b"}`, `a{slo="s.0",code!="404"}`}
	for slo := range 4 {
		selectors = append(selectors, fmt.Sprintf(`a{slo="s.%d"}`, slo), fmt.Sprintf(`a{slo="s.%d",code=~"5.."}`, slo), fmt.Sprintf(`b{slo="s.%d",code="500"}`, slo))
	}
	selector := rapid.SampledFrom(selectors)
	rapid.Check(t, func(r *rapid.T) {
		var tallies []*Tally
		var want []float64
		for range rapid.IntRange(1, 8).Draw(r, "selections") {
			expr := "sum(" + selector.Draw(r, "first") + ")"
			if rapid.Bool().Draw(r, "two") {
				expr += " + sum(" + selector.Draw(r, "second") + ")"
			}
			p, err := NewPlan(metrics.Selection{Expr: expr})
			if err != nil {
				r.Fatal(err)
			}
			tallies = append(tallies, NewTally(p, 0, 1))
			n := 0.0
			for i, ls := range all {
				for _, term := range p.Terms {
					if selects(term.Matchers, ls) {
						n += math.Pow(2, float64(i%20))
					}
				}
			}
			want = append(want, n)
		}
		readings := Combine(tallies)
		for _, r := range Unite(readings) {
			for i, ls := range all {
				if !selects(r.Matchers, ls) {
					continue
				}
				for _, p := range r.Parts(ls, nil) {
					p.Take(Step{From: 1000, To: 2000, Value: math.Pow(2, float64(i%20))})
				}
			}
		}
		for i, tally := range tallies {
			got := total(tally.Counts().Values)
			if got != want[i] {
				r.Errorf("selection %d: %v of %v", i, got, want[i])
			}
		}
	})
}

func selects(matchers []*labels.Matcher, ls labels.Labels) bool {
	for _, m := range matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

func TestQuestionsOfOneShapeBecomeOne(t *testing.T) {
	var tallies []*Tally
	for i := range 1000 {
		for _, expr := range []string{`sum(x{job="a",slo="%d"})`, `sum(x{job="a",slo="%d",code=~"5.."})`} {
			p, err := NewPlan(metrics.Selection{Expr: fmt.Sprintf(expr, i)})
			if err != nil {
				t.Fatal(err)
			}
			tallies = append(tallies, NewTally(p, 0, 1))
		}
	}
	readings := Combine(tallies)
	if len(readings) != 1000 {
		t.Errorf("%d readings", len(readings))
	}
	if readings = Unite(readings); len(readings) != 2 {
		t.Errorf("%d questions", len(readings))
	}
}

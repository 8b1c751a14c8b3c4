package promexpr

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"
)

func TestEverySelectorIsNarrowed(t *testing.T) {
	for _, x := range []struct {
		expr          string
		names, values []string
		want          string
	}{
		{`sum(x_total)`, []string{"tenant"}, []string{"acme"}, `sum(x_total{tenant="acme"})`},
		{`sum by (le) (rate(x_bucket{job="a"}[5m])) / ignoring (le) sum(x)`, []string{"t"}, []string{"b"},
			`sum by (le) (rate(x_bucket{job="a",t="b"}[5m])) / ignoring (le) sum(x{t="b"})`},
		{`{__name__=~"x.*"}`, []string{"a", "b"}, []string{"", "é\"\n"}, `{__name__=~"x.*",a="",b="é\"\n"}`},
		{`max_over_time(q{t="b"}[1h:5m] offset 1m)`, []string{"t"}, []string{"b"}, `max_over_time(q{t="b"}[1h:5m] offset 1m)`},
		{`x`, []string{"t"}, []string{"\xff"}, `x{t="\xff"}`},
	} {
		got, err := Narrow(x.expr, x.names, x.values)
		if err != nil || got != x.want {
			t.Errorf("Narrow(%s): %s, %v; want %s", x.expr, got, err, x.want)
		}
		if err := Check(got); err != nil {
			t.Errorf("%s is no expression: %v", got, err)
		}
	}
	if _, err := Narrow("sum(", []string{"t"}, []string{"b"}); err == nil {
		t.Error("half an expression was narrowed")
	}
}

// TestANarrowedSelectorSelectsExactlyItsValue holds whatever the value is made of.
func TestANarrowedSelectorSelectsExactlyItsValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := string(rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "value"))
		narrowed, err := Narrow(`x_total`, []string{"tenant"}, []string{value})
		if err != nil {
			t.Fatal(err)
		}
		tree, err := language.ParseExpr(narrowed)
		if err != nil {
			t.Fatalf("%s: %v", narrowed, err)
		}
		s, ok := tree.(*parser.VectorSelector)
		if !ok {
			t.Fatalf("%s is no selector", narrowed)
		}
		for _, m := range s.LabelMatchers {
			if m.Name == "tenant" && (m.Type != labels.MatchEqual || !m.Matches(value) || m.Matches(value+"x")) {
				t.Fatalf("%q became %s", value, m)
			}
		}
	})
}

func TestPresenceHasASeriesForEachCombination(t *testing.T) {
	got, err := Present(`sum(rate(a{x="1"}[5m])) / sum(b offset 5m)`, []string{"tenant", "region"})
	if want := `group by (tenant, region) (a{x="1"} or b)`; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
	if _, err := Present("vector(1)", []string{"tenant"}); err == nil || !strings.Contains(err.Error(), "no series") {
		t.Errorf("an expression without series: %v", err)
	}
}

func TestAnExpressionIsTakenApartByLabels(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(x)`: `sum by (tenant) (x)`,
		`histogram_quantile(0.9, sum by (le) (rate(x[5m])))`: `histogram_quantile(0.9, sum by (le, tenant) (rate(x[5m])))`,
		`sum without (pod, tenant) (x)`:                      `sum without (pod) (x)`,
		`sum(a) / on () sum(b)`:                              `sum by (tenant) (a) / on (tenant) sum by (tenant) (b)`,
		`a / ignoring (tenant, code) group_left () b`:        `a / ignoring (code) group_left () b`,
	} {
		got, ok := ApartBy(expr, []string{"tenant"})
		if !ok || got != want {
			t.Errorf("%s became %s, %v; want %s", expr, got, ok, want)
		}
		if err := Check(got); err != nil {
			t.Errorf("%s is no expression: %v", got, err)
		}
	}
	for _, expr := range []string{`sum(a) or vector(0)`, `absent(a)`, `scalar(sum(a)) * sum(b)`, `label_replace(a, "tenant", "x", "", "")`, `sum(`} {
		if got, ok := ApartBy(expr, []string{"tenant"}); ok {
			t.Errorf("%s became %s", expr, got)
		}
	}
}

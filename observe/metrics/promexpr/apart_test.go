package promexpr_test

import (
	"testing"

	"github.com/teiten/teiten/observe/metrics/promexpr"
)

func TestApartTakesOffTheOutermostAggregation(t *testing.T) {
	for expr, want := range map[string]promexpr.Whole{
		`sum(up{job="x"})`:                 {"sum", `up{job="x"}`},
		`(count by (zone) (up))`:           {"count", "up"},
		`avg(a / b) or vector(0)`:          {"avg", "a / b"},
		`max(sum by (pod) (queue_length))`: {"max", "sum by (pod) (queue_length)"},
		`up`:                               {"", "up"},
		`a - b`:                            {"", "a - b"},
	} {
		if got, ok := promexpr.Apart(expr); !ok || got != want {
			t.Errorf("%s: %+v, %v", expr, got, ok)
		}
	}
	for _, expr := range []string{"topk(3, up)", "quantile(0.9, up)", "sum(", "1"} {
		if got, ok := promexpr.Apart(expr); ok {
			t.Errorf("%s: %+v", expr, got)
		}
	}
}

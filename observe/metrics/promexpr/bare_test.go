package promexpr_test

import (
	"testing"
	"time"

	"github.com/teiten/teiten/observe/metrics/promexpr"
)

func TestBareTakesTheIncreaseOutOfAnExpression(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(rate(x_total{code="500"}[5m]))`:                  `sum(x_total{code="500"})`,
		`sum by (job) (increase(x_total[5m]))`:                `sum by (job) (x_total)`,
		`sum(rate(a_total[5m])) - sum(rate(b_total[5m]))`:     `sum(a_total) - sum(b_total)`,
		`(sum(rate(a_total[5m])) or vector(0))`:               `(sum(a_total) or vector(0))`,
		`sum(rate(a_total[5m])) + sum(increase(b_total[5m]))`: "", // per second and per five minutes
		`sum(rate(a_total[1h]))`:                              "", // another window
		`sum(a_total) + sum(rate(b_total[5m]))`:               "",
		`sum(rate(a_total[5m])) / sum(rate(b_total[5m]))`:     "", // a ratio counts nothing
		`sum(rate(a_total[5m])) > 5`:                          "",
		`max_over_time(a_total[5m])`:                          "",
		`sum(a_total)`:                                        "",
		`sum(`:                                                "",
	} {
		got, ok := promexpr.Bare(expr, 5*time.Minute)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %v; want %q", expr, got, ok, want)
		}
	}
}

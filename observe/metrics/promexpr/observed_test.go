package promexpr_test

import (
	"testing"

	"github.com/teiten/teiten/observe/metrics/promexpr"
)

func TestInterpolatedEstimatesThresholdsOfHistograms(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(d_bucket{job="x",le="0.3"})`:                              `((histogram_fraction(-Inf, 0.3, sum by (le) (d_bucket{job="x"})) * sum(d_bucket{job="x",le="+Inf"})) >= 0 or sum(d_bucket{job="x",le="+Inf"}) * 0)`,
		`histogram_fraction(0, 0.3, sum(d)) * histogram_count(sum(d))`: `((histogram_fraction(0, 0.3, sum(d)) * histogram_count(sum(d))) >= 0 or histogram_count(sum(d)) * 0)`,
		`sum(d_bucket{le="+Inf"})`:                                     "",
		`sum by (job) (d_bucket{le="1"})`:                              "",
		`sum(d_count)`:                                                 "",
	} {
		got, changed, err := promexpr.Interpolated(expr)
		if err != nil || changed != (want != "") || changed && got != want {
			t.Errorf("%s: %s, %v, %v", expr, got, changed, err)
		}
		if err := promexpr.Check(got); err != nil {
			t.Errorf("%s: %v", got, err)
		}
	}
}

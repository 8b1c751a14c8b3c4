package slo_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
)

// delays writes, for each minute, a hundred observations: 50 up to 0.25, 30 up to
// 0.5 and 20 up to 1, as a classic histogram and as a native one.
func (w *world) delays(at time.Time, minute int) {
	w.t.Helper()
	n := float64(minute)
	for le, share := range map[string]float64{"0.25": 50, "0.5": 80, "1.0": 100, "+Inf": 100} {
		w.gauge(at, share*n, "d_bucket", "le", le)
	}
	w.gauge(at, 100*n, "d_count")
	h := &histogram.Histogram{ZeroThreshold: 1e-9, Count: uint64(100 * minute), PositiveSpans: []histogram.Span{{Offset: -2, Length: 3}},
		PositiveBuckets: []int64{int64(50 * minute), int64(-20 * minute), int64(-10 * minute)}}
	a := w.store.AppenderV2(w.t.Context())
	if _, err := a.Append(0, labels.FromStrings("__name__", "native"), 0, at.UnixMilli(), 0, h, nil, storage.AOptions{}); err != nil {
		w.t.Fatal(err)
	}
	if err := a.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

func TestLatencyIsCountedFromClassicAndNativeHistograms(t *testing.T) {
	classic := func(le string) string { return `sum(d_bucket{le="` + le + `"})` }
	native := func(bound string) string {
		return "histogram_fraction(0, " + bound + ", sum(native)) * histogram_count(sum(native))"
	}
	for name, c := range map[string]struct {
		good, total string
		interpolate bool
		bad         float64 // of ten minutes
		exact       bool
		says        string
	}{
		"a boundary of a classic one":              {good: classic("0.5"), total: "sum(d_count)", bad: 200, exact: true},
		"a boundary of a native one":               {good: native("0.5"), total: "histogram_count(sum(native))", bad: 200, exact: true},
		"a boundary, and interpolation allowed":    {good: native("0.25"), total: "histogram_count(sum(native))", bad: 500, exact: true, interpolate: true},
		"within a bucket of a classic one":         {good: classic("0.3"), total: "sum(d_count)", says: `no bucket le="0.3": write one of the nearest boundaries, le=0.25, 0.5`},
		"within a bucket of a native one":          {good: native("0.3"), total: "histogram_count(sum(native))", says: "between 0.25 and 0.5"},
		"interpolated between those of a classic":  {good: classic("0.4"), total: "sum(d_count)", bad: 320, interpolate: true},
		"interpolated within a bucket of a native": {good: native("0.3535533905932738"), total: "histogram_count(sum(native))", bad: 350, interpolate: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			for m := range 11 {
				w.delays(t0.Add(time.Duration(m)*time.Minute), m)
			}
			doc := indicated("      ratioMetric:\n        counter: true\n        good: {metricSource: {spec: {query: '"+c.good+
				"'}}}\n        total: {metricSource: {spec: {query: '"+c.total+"'}}}\n", "{target: 0.9}")
			if c.interpolate {
				doc = strings.Replace(doc, "metadata: {name: checkout,", `metadata: {name: checkout, annotations: {teiten.dev/interpolate: "true"},`, 1)
			}
			w.at(t0.Add(31 * time.Second))
			w.apply(doc)
			w.evaluate()
			w.run(t0.Add(10 * time.Minute))
			var d slo.Detail
			w.ok("/api/v1/slos/checkout", &d)
			if c.says != "" {
				if d.Total != 0 || d.Status != slo.Unknown || !strings.Contains(d.StatusReason.EN, c.says) || d.StatusReason.JA == "" {
					t.Errorf("%g events, %s: %s", d.Total, d.Status, d.StatusReason.EN)
				}
				return
			}
			if d.Total != 1000 || math.Abs(d.Total-d.Good-c.bad) > 1e-6 || d.Exact != c.exact {
				t.Errorf("%g bad of %g, exact %v; want %g, %v (%s)", d.Total-d.Good, d.Total, d.Exact, c.bad, c.exact, d.StatusReason.EN)
			}
		})
	}
}

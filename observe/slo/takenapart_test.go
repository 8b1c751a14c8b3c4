package slo_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
)

// indicated is an objective of checkout with another indicator.
func indicated(spec string, objective string) string {
	return checkout[:strings.Index(checkout, "  objectives:")] + "  objectives: [" + objective + "]\n" +
		"  indicator:\n    metadata: {name: x}\n    spec:\n" + spec
}

// TestWhatBurnsIsTakenApartByLabels writes an hour in which one of two regions
// fails, as each kind of indicator sees it.
func TestWhatBurnsIsTakenApartByLabels(t *testing.T) {
	query := func(q string) string { return "{metricSource: {spec: {query: '" + q + "'}}}" }
	ratio := func(counter, part, q, total string) string {
		return "      ratioMetric:\n        counter: " + counter + "\n        " + part + ": " + query(q) + "\n        total: " + query(total) + "\n"
	}
	const target = "{target: 0.9}"
	for name, c := range map[string]struct {
		doc        string
		label      string
		counts     string
		bad, total float64
		events     float64 // share of all that the failing value has
	}{
		"bad counters":                {indicated(ratio("true", "bad", `sum(r_total{code="500"})`, "sum(r_total)"), target), "region", "events", 600, 2400, 0.5},
		"good buckets of a histogram": {indicated(ratio("true", "good", `sum(d_bucket{le="0.5"})`, "sum(d_count)"), target), "region", "events", 600, 2400, 0.5},
		"gauges of how many work":     {indicated(ratio("false", "good", "sum(works)", "count(works)"), target), "region", "events", 60, 120, 0.5},
		"a threshold of the worst":    {indicated("      thresholdMetric: "+query("max(delay)")+"\n", "{target: 0.9, op: lt, value: 1}"), "region", "minutes", 60, 120, 0.5},
		"parts of a composite": {checkout[:strings.Index(checkout, "  objectives:")] + `  objectives:
    - {displayName: east, target: 0.9, indicator: {metadata: {name: a}, spec: {` + strings.ReplaceAll(strings.TrimSpace(
			`ratioMetric: {counter: true, bad: {metricSource: {spec: {query: 'sum(r_total{code="500",region="east"})'}}}, total: {metricSource: {spec: {query: 'sum(r_total{region="east"})'}}}}`), "\n", "") + `}}}
    - {displayName: west, target: 0.9, indicator: {metadata: {name: b}, spec: {ratioMetric: {counter: true, bad: {metricSource: {spec: {query: 'sum(r_total{code="500",region="west"})'}}}, total: {metricSource: {spec: {query: 'sum(r_total{region="west"})'}}}}}}}
`, "part", "events", 600, 2400, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			for m := range 61 {
				at, n := t0.Add(time.Duration(m)*time.Minute), float64(m)
				for region, failing := range map[string]float64{"east": 0, "west": 1} {
					if m == 0 { // all was well before
						failing = 0
					}
					w.gauge(at, (20-10*failing)*n, "r_total", "code", "200", "region", region)
					w.gauge(at, 10*failing*n, "r_total", "code", "500", "region", region)
					w.gauge(at, (20-10*failing)*n, "d_bucket", "le", "0.5", "region", region)
					w.gauge(at, 20*n, "d_count", "region", region)
					w.gauge(at, 1-failing, "works", "region", region)
					w.gauge(at, 0.5+failing, "delay", "region", region)
				}
			}
			w.at(t0.Add(time.Hour + 31*time.Second))
			w.apply(c.doc)
			w.evaluate()
			var x slo.Contributions
			w.ok("/api/v1/slos/checkout/contributions", &x)
			if x.Reason != nil || x.Counts != c.counts || x.Bad != c.bad || x.Total != c.total {
				t.Fatalf("%+v", x)
			}
			if len(x.StandsOut) != 1 || x.StandsOut[0].Label != c.label || x.StandsOut[0].Value != "west" ||
				x.StandsOut[0].Share != 1 || math.Abs(x.StandsOut[0].Events-c.events) > 0.01 || !strings.Contains(x.Explanation.JA, "west") {
				t.Errorf("%+v", x.StandsOut)
			}
			var only slo.Contributions
			w.ok("/api/v1/slos/checkout/contributions?label="+c.label, &only)
			if len(only.Labels) != 1 || len(only.Labels[0].Values) != 2 || only.Labels[0].Values[0].Value != "west" || only.Labels[0].Values[0].Bad != c.bad {
				t.Errorf("%+v", only.Labels)
			}
		})
	}
}

func TestWhatCannotBeTakenApartSaysWhy(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.at(t0.Add(time.Hour))
	w.gauge(t0, 1, "a")
	for spec, objective := range map[string]string{
		"      ratioMetric: {rawType: success, raw: {metricSource: {spec: {query: 'a'}}}}\n":                                                      "{target: 0.9}",
		"      thresholdMetric: {metricSource: {spec: {query: 'sum(a)'}}}\n":                                                                      "{target: 0.9, op: lt, value: 5}",
		"      ratioMetric: {counter: true, good: {metricSource: {spec: {query: 'max(a)'}}}, total: {metricSource: {spec: {query: 'max(b)'}}}}\n": "{target: 0.9}",
	} {
		w.apply(indicated(spec, objective))
		var x slo.Contributions
		w.ok("/api/v1/slos/checkout/contributions", &x)
		if x.Reason == nil || x.Reason.JA == "" || len(x.Labels) != 0 {
			t.Errorf("%s: %+v", spec, x)
		}
	}
	for _, q := range []string{"?from=2026-06-01T00:00:00Z&to=2026-05-01T00:00:00Z", "?from=2026-01-01T00:00:00Z&to=2026-05-01T00:00:00Z"} {
		if code := w.get("/api/v1/slos/checkout/contributions"+q, nil); code != 422 && code != 400 {
			t.Errorf("%s answered %d", q, code)
		}
	}
}

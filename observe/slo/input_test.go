package slo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo"
)

// gauge writes a value that is scraped once a minute.
func (w *world) gauge(at time.Time, v float64, labels ...string) {
	w.t.Helper()
	series := metrics.Series{Labels: map[string]string{"__name__": labels[0]}, Points: []metrics.Point{{T: at.UnixMilli(), V: v}}}
	for i := 1; i+1 < len(labels); i += 2 {
		series.Labels[labels[i]] = labels[i+1]
	}
	if err := w.store.Append(w.t.Context(), []metrics.Series{series}); err != nil {
		w.t.Fatal(err)
	}
}

// TestAnObjectiveSaysWhyItCannotBeCounted feeds each kind of bad input through a
// source and reads the state of the objective.
func TestAnObjectiveSaysWhyItCannotBeCounted(t *testing.T) {
	top := checkout[:strings.Index(checkout, "      ratioMetric:")]
	ratio := func(counter, good, total string) string {
		return top + "      ratioMetric:\n        counter: " + counter +
			"\n        good: {metricSource: {spec: {query: '" + good + "'}}}\n        total: {metricSource: {spec: {query: '" + total + "'}}}\n"
	}
	raw := func(query string) string {
		return top + "      ratioMetric: {rawType: success, raw: {metricSource: {spec: {query: '" + query + "'}}}}\n"
	}
	for name, c := range map[string]struct{ doc, says string }{
		"more good than all":      {ratio("false", "a * 3", "a"), "more good events than events"},
		"the two swapped":         {ratio("false", "a", "a / 2"), "more good events than events"},
		"less than nothing":       {ratio("false", "a", "a - 1000"), "total is negative"},
		"a part below nought":     {ratio("false", "a - 1000", "a"), "good or bad is negative"},
		"nought by nought":        {raw("(a - a) / (a - a)"), "gives NaN"},
		"something by nought":     {ratio("false", "a", "a / (a - a)"), "infinity"},
		"per cent":                {raw("a"), "not between 0 and 1"},
		"several series":          {ratio("false", "b", "sum(b)"), "2 series"},
		"a boundary that is none": {ratio("true", `sum(d_bucket{le="0.3"})`, "sum(d_count)"), "no bucket"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			for i := range 6 {
				at := t0.Add(time.Duration(i) * time.Minute)
				w.gauge(at, 100, "a")
				w.gauge(at, 50, "b", "job", "x")
				w.gauge(at, 50, "b", "job", "y")
				w.gauge(at, float64(10*i), "d_bucket", "le", "0.5")
				w.gauge(at, float64(10*i), "d_count")
			}
			w.apply(c.doc)
			for i := 1; i < 6; i++ {
				w.at(t0.Add(time.Duration(i)*time.Minute + 31*time.Second))
				w.evaluate()
			}
			var d slo.Detail
			w.ok("/api/v1/slos/checkout", &d)
			if d.Status != slo.Unknown || !strings.Contains(d.StatusReason.EN, c.says) || d.StatusReason.JA == "" {
				t.Errorf("%s: %v", d.Status, d.StatusReason)
			}
			if d.Total != 0 {
				t.Errorf("%v events were counted", d.Total)
			}
		})
	}
}

// TestApplyPointsAtWhatIsHardlyMeant lists what is allowed and warned of.
func TestApplyPointsAtWhatIsHardlyMeant(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	for _, le := range []string{"0.1", "0.5", "1.0", "+Inf"} {
		w.gauge(t0, 1, "d_bucket", "le", le)
	}
	latency := strings.NewReplacer(`bad: `, "good: ", `sum(http_requests_total{code=~"5.."})`, `sum(d_bucket{le="1"})`).Replace(checkout)
	for code, doc := range map[string]string{
		"slo.counter":   strings.Replace(checkout, "counter: true", "counter: false", 1),
		"slo.retention": strings.Replace(checkout, "30d", "2Y", 1),
		"slo.no_bucket": latency,

		"slo.objective_zero":    strings.Replace(checkout, "{target: 0.999}", "{target: 0}", 1),
		"slo.objective_percent": strings.Replace(checkout, "{target: 0.999}", "{targetPercent: 0.999}", 1),
		"slo.window_minutes":    strings.Replace(checkout, "{duration: 30d, isRolling: true}", "{duration: 1m, calendar: {timeZone: Asia/Tokyo}}", 1),
	} {
		plan, err := w.ascode.Apply(t.Context(), ascode.Request{Set: "test", Files: []ascode.File{{Name: "slo.yaml", Data: doc}}})
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		found := false
		for _, f := range plan.Warnings {
			found = found || f.Code == code && f.Remedy.JA != ""
		}
		if !found {
			t.Errorf("want a warning %s, got %v", code, plan.Warnings)
		}
	}
}

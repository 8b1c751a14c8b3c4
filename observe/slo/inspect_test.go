package slo_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/observe/slo"
)

// TypeOf is what the tests' metrics are: those called gauge say so.
func (s *switchable) TypeOf(_ context.Context, _, metric string) (string, error) {
	if strings.HasPrefix(metric, "gauge") {
		return "gauge", nil
	}
	return "", nil
}

// TestAnInspectionNamesWhatIsHardlyMeant looks at an hour of counters that are
// none, that are there twice, and that two sources know differently well.
func TestAnInspectionNamesWhatIsHardlyMeant(t *testing.T) {
	other, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.sources.others = map[string]metrics.Querier{"other": other}
	for m := range 61 {
		at := t0.Add(time.Duration(m) * time.Minute)
		w.gauge(at, float64(m), "gauge_typed")
		w.gauge(at, 50+float64(m%7)-float64(m%5), "queue_length")
		restarted := float64(m % 30)
		w.gauge(at, restarted, "restarts_total")
		for _, replica := range []string{"a", "b"} {
			w.gauge(at, float64(m), "requests_total", "replica", replica)
		}
		w.gauge(at, 10*float64(m), "events_total")
		if m < 30 {
			row := metrics.Series{Labels: map[string]string{"__name__": "events_total", "code": "200"}, Points: []metrics.Point{{T: at.UnixMilli(), V: 9 * float64(m)}}}
			if err := other.Append(t.Context(), []metrics.Series{row}); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.at(t0.Add(time.Hour + 2*time.Minute))
	for total, want := range map[string]string{
		"sum(gauge_typed)": "gauge_as_counter", "sum(queue_length)": "falls_often", "sum(requests_total)": "counted_twice",
		"sum(restarts_total)": "", "sum(events_total)": "",
	} {
		w.apply(indicated("      ratioMetric:\n        counter: true\n        bad: {metricSource: {spec: {query: 'sum(events_total{code=\"500\"})'}}}\n        total: {metricSource: {spec: {query: '"+
			total+"'}}}\n", "{target: 0.9}"))
		if got := findings(w); got != want {
			t.Errorf("%s: %q, want %q", total, got, want)
		}
	}
	w.apply(indicated(`      ratioMetric:
        counter: true
        good: {metricSource: {metricSourceRef: embedded, spec: {query: 'sum(events_total{code="200"})'}}}
        total: {metricSource: {spec: {query: 'sum(events_total)'}}}
`, "{target: 0.9}"))
	w.sources.others["embedded"] = other
	if got := findings(w); got != "sources_disagree" {
		t.Errorf("two sources: %q", got)
	}
}

// findings are the states that an inspection of checkout finds.
func findings(w *world) string {
	w.t.Helper()
	var found page[slo.Finding]
	w.ok("/api/v1/slos/checkout/inspection", &found)
	var states []string
	for _, f := range found.Items {
		if f.What.JA == "" || f.Remedy.EN == "" || f.Field == "" {
			w.t.Errorf("%+v", f)
		}
		states = append(states, f.State)
	}
	return strings.Join(states, " ")
}

func TestASourceThatLacksWhatAnotherHasIsNoFailureOfTheService(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	other, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	w.sources.others = map[string]metrics.Querier{"embedded": other} // knows nothing
	for m := range 6 {
		w.gauge(t0.Add(time.Duration(m)*time.Minute), 10*float64(m), "events_total")
	}
	w.at(t0.Add(31 * time.Second))
	w.apply(indicated(`      ratioMetric:
        counter: true
        good: {metricSource: {metricSourceRef: embedded, spec: {query: 'sum(events_total{code="200"})'}}}
        total: {metricSource: {spec: {query: 'sum(events_total)'}}}
`, "{target: 0.9}"))
	w.evaluate()
	w.run(t0.Add(5 * time.Minute))
	d := w.detail("checkout")
	if d.Total != 0 || d.Status != slo.Unknown || !strings.Contains(d.StatusReason.EN, "two data sources") || d.StatusReason.JA == "" {
		t.Errorf("%g events, %s: %v", d.Total, d.Status, d.StatusReason)
	}
}

package probe_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/runner"
)

const billing = `
apiVersion: openslo/v1
kind: SLO
metadata: {name: billing, displayName: Nightly billing}
spec:
  service: checkout
  indicator:
    metadata: {name: billing}
    spec:
      ratioMetric:
        good: {metricSource: {type: Events, spec: {stream: billing, result: good, labels: {tenant: a}}}}
        total: {metricSource: {type: Events, spec: {stream: billing, labels: {tenant: a}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: front-tokyo}
spec:
  service: checkout
  indicator:
    metadata: {name: front-tokyo}
    spec:
      ratioMetric:
        bad: {metricSource: {type: Probe, spec: {probe: front, location: tokyo, result: bad}}}
        total: {metricSource: {type: Probe, spec: {probe: front, location: tokyo}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
`

func TestObjectivesReadEventsAndProbesByType(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front)
		w.apply(front + "---" + billing)
		if err := w.slo.Evaluate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			_, err := w.events.Push(t.Context(), []pushed.Event{
				{Stream: "billing", Key: string(rune('a' + i)), Labels: map[string]string{"tenant": "a"}, Good: 19, Total: 20},
				{Stream: "billing", Key: string(rune('A' + i)), Labels: map[string]string{"tenant": "b"}, Good: 0, Total: 20},
			})
			if err != nil {
				t.Fatal(err)
			}
			outcome := check.Success
			if i == 2 {
				outcome = check.Failure
			}
			w.record("tokyo", result(i, outcome))
			w.record("server", result(i, check.Success))
			w.now = w.now.Add(30 * time.Second)
		}
		w.now = w.now.Add(3 * time.Minute)
		if err := w.slo.Evaluate(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string][2]float64{"billing": {95, 100}, "front-tokyo": {4, 5}, "probe-front": {9, 10}} {
			d, err := w.slo.Get(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if d.Good != want[0] || d.Total != want[1] || d.DataSource != pushed.SourceName {
				t.Errorf("%s: %v of %v from %q, want %v", name, d.Good, d.Total, d.DataSource, want)
			}
		}
	})
}

// TestAnObjectiveMayCountWhatLocationsAgreeOn: two of three must see a failure
// for a minute to be bad, also where checks are five minutes apart.
func TestAnObjectiveMayCountWhatLocationsAgreeOn(t *testing.T) {
	for name, c := range map[string]struct {
		every     int // minutes
		bad, good float64
	}{"every minute": {1, 2, 8}, "every five minutes": {5, 10, 40}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				doc := strings.Replace(front, "{objective: 0.99}", "{objective: 0.99, counts: agreement}", 1)
				w.apply(strings.Replace(doc, "interval: 1m", fmt.Sprintf("interval: %dm", c.every), 1))
				if err := w.slo.Evaluate(t.Context()); err != nil {
					t.Fatal(err)
				}
				outcomes := func(failing ...int) (all []runner.Result) {
					for i := range 10 {
						o := check.Success
						if slices.Contains(failing, i) {
							o = check.Failure
						}
						all = append(all, result(i*c.every, o))
					}
					return all
				}
				byLocation := map[string][]runner.Result{"server": outcomes(1, 4), "tokyo": outcomes(4, 5, 7), "osaka": outcomes(5, 9)}
				for i := range 10 {
					for _, location := range []string{"server", "tokyo", "osaka"} {
						w.record(location, byLocation[location][i])
					}
				}
				w.now = start.Add(time.Duration(10*c.every)*time.Minute + 40*time.Second)
				if err := w.slo.Evaluate(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := w.slo.Backfill(t.Context()); err != nil {
					t.Fatal(err)
				}
				d, err := w.slo.Get(t.Context(), "probe-front")
				if err != nil {
					t.Fatal(err)
				}
				if d.Good != c.good || d.Total != c.good+c.bad {
					t.Errorf("%v of %v, want %v of %v", d.Good, d.Total, c.good, c.good+c.bad)
				}
			})
		})
	}
}

func TestASourceOfEventsThatCannotBeMeantIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, c := range map[string][2]string{
			"no stream":         {"stream: billing, result: good, ", "result: good, "},
			"good is all":       {"result: good, ", ""},
			"unknown field":     {"result: good", "results: good"},
			"another source":    {"type: Events, spec: {stream: billing, result", "type: Events, metricSourceRef: prod, spec: {stream: billing, result"},
			"labels of a probe": {"location: tokyo, result", "labels: {a: b}, result"},
			"reserved label":    {"result: good, labels: {tenant: a}", "result: good, labels: {stream: a}"},
		} {
			broken := strings.Replace(billing, c[0], c[1], 1)
			if broken == billing {
				t.Fatalf("%s changes nothing", name)
			}
			err := w.tryApply(broken)
			if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || f.Remedy.JA == "" && len(f.Details) == 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestWhatComesLateIsInTheObjectiveAfterwards(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(front + "---" + billing)
		settle := func() {
			t.Helper()
			if err := w.slo.Evaluate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := w.slo.Backfill(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		of := func(name string) [2]float64 {
			t.Helper()
			d, err := w.slo.Get(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			return [2]float64{d.Good, d.Total}
		}
		push := func(key string, at time.Time, good, total float64) {
			t.Helper()
			_, err := w.events.Push(t.Context(), []pushed.Event{{Stream: "billing", Key: key, At: at, Labels: map[string]string{"tenant": "a"}, Good: good, Total: total}})
			if err != nil {
				t.Fatal(err)
			}
		}
		settle()
		push("a", w.now, 9, 10)
		w.record("tokyo", result(0, check.Success))
		w.now = start.Add(10 * time.Minute)
		settle()
		if of("billing") != [2]float64{9, 10} || of("front-tokyo") != [2]float64{1, 1} {
			t.Fatalf("before: %v and %v", of("billing"), of("front-tokyo"))
		}
		push("b", start.Add(3*time.Minute), 10, 20) // into a minute that was read as empty
		push("c", start, 1, 30)                     // and one that was not
		w.record("tokyo", result(4, check.Failure)) // an agent was cut off
		settle()
		if of("billing") != [2]float64{20, 60} || of("front-tokyo") != [2]float64{1, 2} {
			t.Errorf("after: %v and %v", of("billing"), of("front-tokyo"))
		}
		w.now = w.now.Add(5 * time.Minute)
		settle()
		if of("billing") != [2]float64{20, 60} {
			t.Errorf("later: %v", of("billing"))
		}
	})
}

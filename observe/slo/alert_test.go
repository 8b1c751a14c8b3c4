package slo_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo"
)

// byMethod writes counters that tell methods apart, from one time to another, a
// sample for each minute.
func (w *world) byMethod(from, to time.Time, failing func(t time.Time, method string) float64) {
	w.t.Helper()
	for at := from; !at.After(to); at = at.Add(time.Minute) {
		var all []metrics.Series
		for method, rate := range map[string]float64{"GET": 90, "POST": 10} {
			bad := failing(at, method)
			for code, n := range map[string]float64{"200": rate - bad, "500": bad} {
				key := method + code
				w.written[key] += n
				all = append(all, metrics.Series{
					Labels: map[string]string{"__name__": "http_requests_total", "job": "checkout", "method": method, "code": code},
					Points: []metrics.Point{{T: at.UnixMilli(), V: w.written[key]}},
				})
			}
		}
		if err := w.store.Append(w.t.Context(), all); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestAnAlertSaysWhichLabelValuesBurn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.byMethod(t0.Add(-26*time.Hour), t0, func(at time.Time, method string) float64 {
			if method == "GET" && at.Minute() == 30 {
				return 1
			}
			return 0
		})
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		for m := 1; m <= 10; m++ {
			at := t0.Add(time.Duration(m) * time.Minute)
			w.byMethod(at, at, func(_ time.Time, method string) float64 {
				if method == "POST" {
					return 10
				}
				return 0
			})
			w.at(at.Add(31 * time.Second))
			w.evaluate()
		}
		var alerts page[slo.AlertView]
		w.ok("/api/v1/slos/checkout/alerts", &alerts)
		if len(alerts.Items) == 0 {
			t.Fatal("nothing fired")
		}
		id := alerts.Items[len(alerts.Items)-1].ID
		for range 2 { // a job that runs twice explains once
			if err := w.slo.ExplainAlert(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		entries := w.entries(slo.EntryAlertExplained)
		if len(entries) != 1 || entries[0].Subject != "slo:checkout" {
			t.Fatalf("explained in %d entries", len(entries))
		}
		w.evaluate()
		w.ok("/api/v1/slos/checkout/alerts", &alerts)
		a := alerts.Items[len(alerts.Items)-1]
		if len(a.Contributions) != 1 || a.Contributions[0].Label != "method" || a.Contributions[0].Value != "POST" ||
			a.Contributions[0].Share != 1 || *a.Contributions[0].Before != 0 || math.Abs(a.Contributions[0].Events-0.1) > 0.01 {
			t.Errorf("contributions %+v", a.Contributions)
		}
		if a.Explanation == nil || a.Explanation.EN != "method=POST burns 100% of it, before 0%" || !strings.Contains(a.Explanation.JA, "method=POST") {
			t.Errorf("explained as %v", a.Explanation)
		}
		if err := w.slo.ExplainAlert(t.Context(), "gone"); err != nil {
			t.Errorf("an alert that is gone: %v", err)
		}
	}, rooms...)
}

func TestAlertsOfOneCauseShareAGroup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		other := `
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: shop}
spec: {type: service, lifecycle: production, owner: payments, dependsOn: [component:checkout]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: far}
spec: {type: service, lifecycle: production, owner: payments}
---`
		w.apply(shop + "---" + other + slOf("latency", "0.9995", "30d") + "---" +
			strings.Replace(slOf("buying", "0.999", "30d"), "service: checkout", "service: shop", 1) + "---" +
			strings.Replace(slOf("distant", "0.999", "30d"), "service: checkout", "service: far", 1))
		w.history(t0.Add(-3*day), t0, flat(600, 0))
		w.live(t0.Add(2*time.Minute), flat(600, 0))
		w.backfill()
		w.live(t0.Add(5*time.Minute), flat(600, 600))
		groups, joined := map[string][]string{}, 0
		for _, e := range w.entries(slo.EntryAlertFired) {
			var a slo.Alert
			if err := json.Unmarshal(e.Data, &a); err != nil {
				t.Fatal(err)
			}
			if a.Joined {
				joined++
			}
			if a.Severity == "page" {
				groups[a.Group] = append(groups[a.Group], a.SLO)
			}
		}
		var found []string
		for _, names := range groups {
			slices.Sort(names)
			found = append(found, fmt.Sprint(names))
		}
		slices.Sort(found)
		if fmt.Sprint(found) != "[[buying checkout latency] [distant]]" {
			t.Errorf("groups %v", found)
		}
		if want := len(w.entries(slo.EntryAlertFired)) - 2; joined != want {
			t.Errorf("%d alerts joined others, want %d: one message for each group", joined, want)
		}

		w.live(t0.Add(10*time.Minute), flat(600, 0))
		w.apply(strings.Replace(checkout, "target: 0.999", "target: 0.9", 1))
		w.remove("SLO", "checkout")
		var ended slo.Alert
		last := w.entries(slo.EntryAlertResolved)
		if err := json.Unmarshal(last[len(last)-1].Data, &ended); err != nil {
			t.Fatal(err)
		}
		if ended.Group == "" || !slices.Contains(ended.StillOpen, "latency") {
			t.Errorf("the end of one says that %v go on", ended.StillOpen)
		}
	}, rooms...)
}

package slo_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
)

func TestAMinuteThatArrivesLateIsCountedWhenItDoes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.history(t0.Add(-2*time.Hour), t0, flat(60, 0))
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		before := w.detail("checkout").Total

		// The scrape of this minute takes 40 s longer than the first look at it.
		w.at(t0.Add(91 * time.Second))
		w.evaluate()
		if got := w.detail("checkout").Total; got != before {
			t.Fatalf("%v events before any was scraped, want %v", got, before)
		}
		w.written["200"], w.written["500"] = w.written["200"]+50, w.written["500"]+10
		w.sample(t0.Add(time.Minute))
		w.live(t0.Add(2*time.Minute), flat(60, 0)) // evaluated once, with the next minute
		got := w.counted("checkout", t0, t0.Add(time.Minute))
		if want := (ledger.Sum{Total: 60, Bad: 10, Known: 1}); got != want {
			t.Errorf("the late minute counts %+v, want %+v", got, want)
		}
		if d := w.detail("checkout"); d.Total != before+120 || d.Total-d.Good != 10 {
			t.Errorf("%v events with %v bad, want %v with 10", d.Total, d.Total-d.Good, before+120)
		}
	}, rooms...)
}

// TestWhatListsShowIsWhatTheLedgerAddsUpTo slides windows of every kind through
// hours, restarts and an exclusion, and compares them with the ledger, which is
// read in a way of its own.
func TestWhatListsShowIsWhatTheLedgerAddsUpTo(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	rolling := slOf("rolling", "0.99", "7d")
	calendar := strings.Replace(slOf("calendar", "0.99", "1d"), "isRolling: true",
		`isRolling: false, calendar: {startTime: "2026-05-31 01:30:00", timeZone: UTC}`, 1)
	slices := strings.Replace(slOf("slices", "0.9", "1d"), "budgetingMethod: Occurrences", "budgetingMethod: Timeslices", 1)
	slices = strings.Replace(slices, "target: 0.9}", "target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 7m}", 1)
	w.apply(shop + "---" + rolling + "---" + calendar + "---" + slices + `
---
apiVersion: teiten.dev/v1
kind: MaintenanceWindow
metadata: {name: upgrade}
spec: {slos: [rolling, slices], start: 2026-06-01T00:50:00Z, end: 2026-06-01T01:10:00Z, reason: upgrade}
`)
	happens := func(at time.Time) (float64, float64) {
		n := at.Unix() / 60
		return float64(50 + n%37), float64(n % 11 * (n % 3))
	}
	w.history(t0.Add(-8*day), t0, happens)
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	w.backfill()
	same := func() {
		t.Helper()
		for _, name := range []string{"checkout", "rolling", "calendar", "slices"} {
			d := w.detail(name)
			x := w.series(slo.SeriesQuery{Name: name, From: d.Watermark.Add(-time.Minute), To: *d.Watermark, Points: 1})
			if left := x.BudgetLeft[len(x.BudgetLeft)-1]; left == nil || math.Abs(*left-*d.BudgetLeft) > 1e-9 {
				t.Errorf("at %v the list says that %v is left of %s, the ledger %s", d.Watermark, *d.BudgetLeft, name, show(left))
			}
		}
	}
	same()
	for _, minutes := range []time.Duration{45, 66, 95, 121, 190} {
		w.live(t0.Add(minutes*time.Minute), happens)
		same()
		w.restart()
		w.evaluate()
		same()
	}
}

func show(v *float64) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprint(*v)
}

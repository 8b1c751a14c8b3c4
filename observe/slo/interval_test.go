package slo_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
)

// listed is the objective as the list has it.
func (w *world) listed() slo.Summary {
	w.t.Helper()
	var all struct{ Items []slo.Summary }
	w.ok("/api/v1/slos", &all)
	if len(all.Items) != 1 {
		w.t.Fatalf("%d objectives are listed", len(all.Items))
	}
	return all.Items[0]
}

func TestWhatWasNeverReadIsUnknown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		want := slo.Interval{SLIHigh: 1, BudgetLow: -999, BudgetHigh: 1}
		check := func(when string) {
			t.Helper()
			var d slo.KnownDetail
			w.ok("/api/v1/slos/checkout", &d)
			for where, x := range map[string]slo.Summary{"list": w.listed(), "page": d.Summary} {
				if x.SLI != nil || x.BudgetLeft != nil || x.Status != "unknown" && x.Status != "backfilling" {
					t.Errorf("%s, the %s says %v, %v, %s", when, where, x.SLI, x.BudgetLeft, x.Status)
				}
				x.BudgetLow = math.Round(x.BudgetLow)
				if diff := cmp.Diff(want, x.Interval); diff != "" {
					t.Errorf("%s, the %s: %s", when, where, diff)
				}
			}
			if d.Bounds.SLILow != 0 || d.Bounds.SLIHigh != 1 {
				t.Errorf("%s, the page's bounds are %+v", when, d.Bounds)
			}
		}
		check("before the first minute")
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		check("with a source that knows nothing")
	}, rooms...)
}

func TestAYoungServiceIsKnownAndAGapIsAnInterval(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		begin := t0.Add(-3 * time.Hour)
		w.history(begin, t0, flat(100, 0))
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		x := w.listed()
		if x.SLILow != 1 || x.BudgetLow != 1 || x.Coverage != 1 || x.BegunAt == nil || !x.BegunAt.Equal(begin.Add(-time.Minute)) {
			t.Errorf("a service of three hours: %+v", x.Interval)
		}
		w.sources.gone.Store(true)
		w.run(t0.Add(10 * time.Minute))
		w.live(t0.Add(20*time.Minute), flat(100, 0))
		x = w.listed()
		// 20 minutes are not known, and had at most 100 events each.
		if got, want := x.SLILow, 180/200.; math.Abs(got-want) > 1e-9 || x.SLIHigh != 1 || math.Abs(x.Coverage-181/201.) > 1e-9 {
			t.Errorf("with 20 minutes unknown: %+v", x.Interval)
		}
		var d slo.KnownDetail
		w.ok("/api/v1/slos/checkout", &d)
		if diff := cmp.Diff(x.Interval, d.Bounds.Interval); diff != "" {
			t.Errorf("list and page differ: %s", diff)
		}
		s := w.series(slo.SeriesQuery{Name: "checkout", Points: 1})
		if n := len(s.BudgetLow) - 1; s.BudgetLow[n] == nil || math.Abs(*s.BudgetLow[n]-x.BudgetLow) > 1e-9 || math.Abs(*s.BudgetHigh[n]-x.BudgetHigh) > 1e-9 {
			t.Errorf("the chart says %v to %v, the list %v to %v", *s.BudgetLow[n], *s.BudgetHigh[n], x.BudgetLow, x.BudgetHigh)
		}
		before := x.Interval
		w.restart()
		w.evaluate()
		if diff := cmp.Diff(before, w.listed().Interval); diff != "" {
			t.Errorf("after a restart: %s", diff)
		}
		w.sources.gone.Store(false)
		w.live(t0.Add(25*time.Minute), flat(100, 0))
		w.backfill()
		// Of ten minutes only the sum of their events is known, which is enough.
		if x = w.listed(); x.SLILow != 1 || x.BudgetLow != 1 || math.Abs(x.Coverage-196/206.) > 1e-9 {
			t.Errorf("the source is back: %+v", x.Interval)
		}
	}, rooms...)
}

package slo_test

import (
	"math"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/exclusion"
)

// left is what lists, pages and charts say is left of the objective's budget.
func (w *world) left() (list, page, chart float64) {
	w.t.Helper()
	var all struct{ Items []slo.Summary }
	w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos", nil, &all)
	var d slo.Detail
	w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos/checkout", nil, &d)
	var x slo.Series
	w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos/checkout/series", nil, &x)
	if n := len(x.BudgetLeft); n == 0 || x.BudgetLeft[n-1] == nil {
		w.t.Fatal("the chart has no last point")
	}
	return *all.Items[0].BudgetLeft, *d.BudgetLeft, *x.BudgetLeft[len(x.BudgetLeft)-1]
}

func (w *world) wantLeft(when string, want float64) {
	w.t.Helper()
	list, page, chart := w.left()
	for name, got := range map[string]float64{"list": list, "page": page, "chart": chart} {
		if math.Abs(got-want) > 1e-9 {
			w.t.Errorf("%s: the %s says that %v is left, want %v", when, name, got, want)
		}
	}
}

// A retroactive exclusion corrects every figure, and taking it back does so again;
// what was known before is still told so.
func TestARetroactiveExclusionCorrectsEveryFigure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := afterOutage(t, db)
		w.scrape(t0.Add(day), t0.Add(day+10*time.Minute), flat(100, 0))
		step := func() { // a round, as there is one each second
			w.at(w.now().Add(time.Second))
			w.evaluate()
			w.backfill()
		}
		w.wantLeft("before", 1-1510/144.)
		var told exclusion.Excluded
		c := correction{SLO: "checkout", From: t0.Add(12 * time.Hour), To: t0.Add(12*time.Hour + 30*time.Minute), Reason: "a load test", DryRun: true}
		w.must(http.StatusOK, owner, http.MethodPost, "/api/v1/exclusions", c, &told)
		c.DryRun, c.Confirm = false, told.Confirm
		w.at(w.now().Add(time.Second))
		before := w.now()
		w.at(w.now().Add(time.Second))
		w.must(http.StatusOK, owner, http.MethodPost, "/api/v1/exclusions", c, &told)
		began := time.Now()
		step()
		if took := time.Since(began); took > time.Second {
			t.Errorf("it took %v", took)
		}
		w.wantLeft("excluded", 1-10/141.)
		var then slo.Series
		w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos/checkout/series?asOf="+url.QueryEscape(before.Format(time.RFC3339Nano)), nil, &then)
		if n := len(then.BudgetLeft); n == 0 || then.BudgetLeft[n-1] == nil || math.Abs(*then.BudgetLeft[n-1]-(1-1510/144.)) > 1e-9 {
			t.Errorf("as of before, the chart says %v", then.BudgetLeft[n-1])
		}
		w.must(http.StatusOK, editor, http.MethodDelete, "/api/v1/exclusions/"+told.Exclusion.ID+"?why=mistaken", nil, nil)
		step()
		w.wantLeft("taken back", 1-1510/144.)
		// What is planned is left out as it happens.
		w.must(http.StatusOK, editor, http.MethodPost, "/api/v1/exclusions", correction{SLO: "checkout", From: t0.Add(day), To: t0.Add(day + 5*time.Minute), Reason: "planned"}, nil)
		w.at(t0.Add(day + 10*time.Minute + 31*time.Second))
		step()
		w.wantLeft("planned", 1-1510/144.5)
	}, rooms...)
}

package slo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/burn"
)

// get asks the room's API and reads the answer into out.
func (w *world) get(path string, out any) int {
	w.t.Helper()
	api := httpapi.New(httpapi.Options{Authorizer: httpapi.AuthorizerFunc(
		func(r *http.Request, _ httpapi.Scope) (context.Context, error) { return r.Context(), nil })})
	w.slo.Register(api)
	rec := httptest.NewRecorder()
	api.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil))
	if out != nil {
		if err := json.Unmarshal(rec.Body.Bytes(), out); err != nil {
			w.t.Fatalf("%s: %v: %s", path, err, rec.Body)
		}
	}
	return rec.Code
}

// ok is get that must succeed.
func (w *world) ok(path string, out any) {
	w.t.Helper()
	var raw json.RawMessage
	if code := w.get(path, &raw); code != http.StatusOK {
		w.t.Fatalf("%s: %d %s", path, code, raw)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		w.t.Fatalf("%s: %v: %s", path, err, raw)
	}
}

type page[T any] struct {
	Items []T
	Next  string
	Total *int
}

func TestThePageOfAnObjectiveTellsEverything(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.history(t0.Add(-2*day), t0, gap(-10*time.Hour, -9*time.Hour, flat(600, 0)))
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		w.live(t0.Add(6*time.Minute), flat(600, 180))

		var d slo.Detail
		w.ok("/api/v1/slos/checkout", &d)
		if d.Owner != "payments" || d.Tier != "1" || d.Status != slo.Burning || d.Window.Duration != "30d" || d.ManagedBy.By != "code" {
			t.Errorf("got %+v", d.Summary)
		}
		if !d.Exact || d.ExactNote.JA == "" || d.CountedFrom != "samples" || !strings.Contains(d.Queries.EvaluatedPart, "anchored") {
			t.Errorf("exact %v (%v), asked as %q", d.Exact, d.ExactNote, d.Queries.EvaluatedPart)
		}
		if len(d.Gaps) != 2 || d.Gaps[0].Minutes != 60 && d.Gaps[0].Minutes != 61 {
			t.Errorf("gaps %+v, want an hour and the time before", d.Gaps)
		}
		if len(d.Rules) != 5 || !d.Rules[0].Firing || d.Rules[0].Since == nil || d.Rules[0].Reason.EN == "" {
			t.Errorf("rules %+v", d.Rules)
		}
		if len(d.Forecasts) != 3 || d.Forecasts[0].ExhaustsAt == nil || !d.Forecasts[0].Fastest || d.ExhaustsAt == nil {
			t.Errorf("forecasts %+v, exhausted at %v", d.Forecasts, d.ExhaustsAt)
		}
		if d.Watermark == nil || !d.Watermark.Equal(t0.Add(6*time.Minute)) || d.Backfill.State != "done" {
			t.Errorf("watermark %v, back-fill %+v", d.Watermark, d.Backfill)
		}
		if len(d.Alerts) == 0 || d.Alerts[0].Severity != burn.Page || d.StatusReason.EN == "" {
			t.Errorf("alerts %+v", d.Alerts)
		}

		var alerts page[slo.AlertView]
		w.ok("/api/v1/slo-alerts?state=firing", &alerts)
		if len(alerts.Items) != len(d.Alerts) || alerts.Items[0].SLO != "checkout" {
			t.Errorf("all alerts %+v", alerts.Items)
		}
		if now := alerts.Items[0].ShortNow; now == nil || *now != d.BurnRates[alerts.Items[0].Short] || *now == alerts.Items[0].ShortBurn {
			t.Errorf("the list says that %v burns now, the page %v", now, d.BurnRates)
		}
		w.ok("/api/v1/slos/checkout/alerts?state=resolved", &alerts)
		if len(alerts.Items) != 0 {
			t.Errorf("resolved %+v", alerts.Items)
		}
		if code := w.get("/api/v1/slos/chekout", nil); code != http.StatusNotFound {
			t.Errorf("an unknown objective answers %d", code)
		}
	}, rooms...)
}

func TestASeriesHoldsEveryEventOnceHoweverCoarse(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	happens := func(t time.Time) (float64, float64) { return rhythm(t) + 1, bit(t.Minute() == 7) }
	w.history(t0.Add(-3*day), t0, happens)
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	w.backfill()
	from, to := t0.Add(-2*day), t0
	want := truth(happens, from, to)
	for _, points := range []int{1, 7, 100, 1000} {
		var x slo.Series
		w.ok("/api/v1/slos/checkout/series?"+url.Values{
			"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}, "points": {strconv.Itoa(points)}}.Encode(), &x)
		if len(x.Times) > points || len(x.Times) != len(x.Good) || len(x.Times) != len(x.Burn["1h"]) {
			t.Fatalf("%d points were asked for, %d came (%d good)", points, len(x.Times), len(x.Good))
		}
		var total, good float64
		for i := range x.Times {
			if x.Total[i] != nil {
				total += *x.Total[i]
				good += *x.Good[i]
			}
		}
		if total != want.Total || good != want.Good() {
			t.Errorf("%d points hold %v good of %v, want %v of %v", points, good, total, want.Good(), want.Total)
		}
		if last := *x.BudgetLeft[len(x.BudgetLeft)-1]; last != *w.detail("checkout").BudgetLeft {
			t.Errorf("the last point has %v of the budget left, the list %v", last, *w.detail("checkout").BudgetLeft)
		}
	}
	var x slo.Series
	w.ok("/api/v1/slos/checkout/series?points=30&to="+url.QueryEscape(to.Format(time.RFC3339)), &x)
	if first, last := x.WindowKnown[0], x.WindowKnown[29]; first != 0 || last < 0.099 || last > 0.101 {
		t.Errorf("after 3 of 30 days the budget rests on %v of its period, and 30 days before on %v", last, first)
	}
	if code := w.get("/api/v1/slos/checkout/series?from=2026-06-01T00:00:00Z&to=2026-05-01T00:00:00Z", nil); code != http.StatusUnprocessableEntity {
		t.Errorf("a span that ends before it begins answers %d", code)
	}
}

func TestTheListIsPagedInEveryOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		docs := []string{shop}
		for i := range 11 {
			docs = append(docs, slOf(fmt.Sprintf("checkout-%02d", i), fmt.Sprintf("0.9%d", i%4), "7d"))
		}
		w.apply(strings.Join(docs, "---"))
		w.history(t0.Add(-time.Hour), t0, flat(600, 6))
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		for _, sort := range []string{"", "status", "name", "service", "owner", "tier", "budget", "-budget", "burn", "objective", "sli"} {
			seen := map[string]bool{}
			for cursor, first := "", true; first || cursor != ""; first = false {
				var p page[slo.Summary]
				w.ok("/api/v1/slos?"+url.Values{"limit": {"5"}, "sort": {sort}, "cursor": {cursor}}.Encode(), &p)
				if p.Total == nil || *p.Total != 12 {
					t.Fatalf("sorted by %q there are %v in all", sort, p.Total)
				}
				for _, x := range p.Items {
					if seen[x.Name] {
						t.Fatalf("sorted by %q, %s comes twice", sort, x.Name)
					}
					seen[x.Name] = true
				}
				cursor = p.Next
			}
			if len(seen) != 12 {
				t.Errorf("sorted by %q, %d of 12 came", sort, len(seen))
			}
		}
		for query, want := range map[string]int{
			"q=checkout-0": 10, "q=Works": 12, "service=checkout": 12, "service=other": 0, "owner=payments": 12, "tier=2": 0, "tier=-": 0, "system=-": 12, "status=exhausted&status=burning": 1,
		} {
			var p page[slo.Summary]
			w.ok("/api/v1/slos?"+query, &p)
			if strings.HasPrefix(query, "status") {
				if len(p.Items) == 0 || len(p.Items) == 12 {
					t.Errorf("%s found %d", query, len(p.Items))
				}
				continue
			}
			if len(p.Items) != want {
				t.Errorf("%s found %d, want %d", query, len(p.Items), want)
			}
		}
		var counts page[slo.Count]
		w.ok("/api/v1/slos/counts?by=owner", &counts)
		if len(counts.Items) != 1 || counts.Items[0].Key != "payments" || counts.Items[0].Total != 12 {
			t.Errorf("counts %+v", counts.Items)
		}
		w.ok("/api/v1/slos/counts?by=tier&q=checkout-0", &counts)
		if len(counts.Items) != 1 || counts.Items[0].Total != 10 {
			t.Errorf("counts of what a filter matches %+v", counts.Items)
		}
		var all, some page[slo.Summary]
		w.ok("/api/v1/slos?sort=budget", &all)
		w.ok("/api/v1/slos?sort=budget&offset=7&limit=2", &some)
		if len(some.Items) != 2 || some.Items[0].Name != all.Items[7].Name || *some.Total != 12 {
			t.Errorf("from the eighth on %+v", some.Items)
		}
		var budgets slo.Budgets
		w.ok("/api/v1/slos/budgets?by=owner", &budgets)
		if len(budgets.Names) != 12 || budgets.Groups[11] != "payments" || budgets.Left[0] == nil || budgets.Status[0] == slo.Healthy {
			t.Errorf("budgets in columns %+v", budgets)
		}
	}, rooms...)
}

func TestResultsAreMeasuredAndExported(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.apply(shop + "---" + slOf("tight", "0.9999", "7d"))
	w.history(t0.Add(-2*day), t0, flat(10_000, 1))
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	w.backfill()

	r := measure.NewRegistry()
	w.slo.Measures(r)
	d, err := r.Lookup("slo.budget_left")
	if err != nil {
		t.Fatal(err)
	}
	for subject, want := range map[journal.Ref]float64{"slo:checkout": 0.9, "service:checkout": 0} {
		values, err := d.Source.Values(t.Context(), subject, t0.Add(-day), t0)
		if err != nil || len(values) == 0 {
			t.Fatalf("%s has %d values, %v", subject, len(values), err)
		}
		if got := values[len(values)-1].V; got < want-1e-9 || got > want+1e-9 {
			t.Errorf("%s has %v of its budget left, want %v", subject, got, want)
		}
	}
	if values, err := d.Source.Values(t.Context(), "team:nobody", t0.Add(-day), t0); err != nil || len(values) != 0 {
		t.Errorf("a team has values: %v %v", values, err)
	}

	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(w.slo.Collector())
	text := `
# HELP teiten_slo_budget_left_ratio Part of the error budget that is left; negative when overspent.
# TYPE teiten_slo_budget_left_ratio gauge
teiten_slo_budget_left_ratio{owner="payments",service="checkout",slo="checkout"} 0.9
teiten_slo_budget_left_ratio{owner="payments",service="checkout",slo="tight"} 0
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(text), "teiten_slo_budget_left_ratio"); err != nil {
		t.Error(err)
	}
	if n, err := testutil.GatherAndCount(registry, "teiten_slo_burn_rate"); err != nil || n != 14 {
		t.Errorf("%d burn rates are exported, %v", n, err)
	}
}

package slo_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo"
)

// byTenant is checkout taken apart by tenant, with more annotations.
func byTenant(more string) string {
	return strings.Replace(shop, "metadata: {name: checkout, displayName", "metadata: {annotations: {teiten.dev/by: tenant"+more+"}, name: checkout, displayName", 1)
}

// tenants are counters by tenant: total and bad events so far.
type tenants map[string][2]float64

// serveTenants scrapes the tenants' counters at the end of the minute that begins at t,
// after what happened to each.
func (w *world) serveTenants(t time.Time, all tenants, happens map[string][2]float64) {
	w.t.Helper()
	var series []metrics.Series
	at := t.Add(time.Minute).UnixMilli()
	for _, tenant := range slices.Sorted(maps.Keys(happens)) {
		sum := all[tenant]
		sum[0] += happens[tenant][0]
		sum[1] += happens[tenant][1]
		all[tenant] = sum
		for code, v := range map[string]float64{"200": sum[0] - sum[1], "500": sum[1]} {
			ls := requests(code)
			if tenant != "" {
				ls["tenant"] = tenant
			}
			series = append(series, metrics.Series{Labels: ls, Points: []metrics.Point{{T: at, V: v}}})
		}
	}
	if err := w.store.Append(w.t.Context(), series); err != nil {
		w.t.Fatal(err)
	}
}

// tenantsLive serves the same each minute and evaluates, until end.
func (w *world) tenantsLive(end time.Time, all tenants, happens map[string][2]float64) {
	w.t.Helper()
	for t := w.now().Truncate(time.Minute); t.Before(end); t = t.Add(time.Minute) {
		w.serveTenants(t, all, happens)
		w.at(t.Add(time.Minute + 31*time.Second))
		w.evaluate()
	}
}

// instances are those of checkout by name.
func (w *world) instances() []slo.Summary {
	w.t.Helper()
	all, _, _, err := w.slo.List(w.t.Context(), slo.Filter{Of: "checkout", Sort: "name"})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// whole is how checkout says that its instances stand.
func (w *world) whole() *slo.InstancesView {
	w.t.Helper()
	if x := w.detail("checkout").Instances; x != nil {
		return x
	}
	w.t.Fatal("checkout is not taken apart")
	return nil
}

func names(all []slo.Summary) []string {
	var names []string
	for _, x := range all {
		names = append(names, x.Name)
	}
	return names
}

func TestInstancesAreFoundAsTheyAppearAndCountedApart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.apply(byTenant(""))
		all := tenants{}
		w.tenantsLive(t0.Add(5*time.Minute), all, map[string][2]float64{"acme": {100, 1}, "globex": {50, 0}, "": {10, 0}})
		w.backfill()
		w.tenantsLive(t0.Add(10*time.Minute), all, map[string][2]float64{"acme": {100, 1}, "globex": {50, 0}, "": {10, 0}, "a/b ~": {7, 7}})
		w.backfill()
		found := w.instances()
		odd := slices.IndexFunc(found, func(x slo.Summary) bool { return len(x.Labels) == 1 && x.Labels[0].Value == "a/b ~" })
		if odd < 0 || strings.ContainsAny(found[odd].Name, "/ ") || !strings.HasPrefix(found[odd].Name, "checkout~tenant=a-b~") {
			t.Fatalf("a tenant whose name is no path: %+v", found)
		}
		want := []string{"checkout~tenant=", found[odd].Name, "checkout~tenant=acme", "checkout~tenant=globex"}
		slices.Sort(want)
		if diff := cmp.Diff(want, names(found)); diff != "" {
			t.Fatal(diff)
		}
		counts := map[string][2]float64{}
		for _, x := range found {
			counts[x.Name] = [2]float64{x.Total, x.Total - x.Good}
			if x.Of != "checkout" || x.Service != "checkout" || x.Owner != "payments" {
				t.Errorf("%s is of %s, service %s, owner %s", x.Name, x.Of, x.Service, x.Owner)
			}
		}
		// The first scrape is the base of those that were there from the first on.
		if diff := cmp.Diff(map[string][2]float64{"checkout~tenant=": {90, 0}, "checkout~tenant=acme": {900, 9}, "checkout~tenant=globex": {450, 0}, found[odd].Name: {35, 35}}, counts); diff != "" {
			t.Error(diff)
		}
		listed, _, _, err := w.slo.List(t.Context(), slo.Filter{})
		if err != nil || len(listed) != 1 || listed[0].Instances == nil {
			t.Fatalf("the list has %v, %v", names(listed), err)
		}
		if x := listed[0].Instances; x.Count != 4 || x.State != "ok" || x.Worst.Name != found[odd].Name || !slices.Equal(x.By, []string{"tenant"}) {
			t.Errorf("the whole says %+v", x)
		}
		if got := w.entries("slo.instances_found"); len(got) != 2 {
			t.Errorf("%d times instances were told as found", len(got))
		}
	}, rooms...)
}

// byName are instances by name.
func byName(all []slo.Summary) map[string]slo.Summary {
	found := map[string]slo.Summary{}
	for _, x := range all {
		found[x.Name] = x
	}
	return found
}

func TestAnInstanceThatIsAbsentForLongIsRetiredAndReturnsWithItsHistory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.apply(byTenant(", teiten.dev/by-retire: 1h"))
		all := tenants{}
		both := map[string][2]float64{"acme": {100, 1}, "globex": {50, 2}}
		one := map[string][2]float64{"acme": {100, 1}}
		w.tenantsLive(t0.Add(5*time.Minute), all, both)
		w.backfill()
		before := byName(w.instances())["checkout~tenant=globex"]
		if before.Total != 200 {
			t.Fatalf("globex had %v events", before.Total)
		}
		w.tenantsLive(t0.Add(50*time.Minute), all, one)
		w.restart() // which forgets nothing of the absence but the last hour
		w.tenantsLive(t0.Add(210*time.Minute), all, one)
		if got := names(w.instances()); !slices.Equal(got, []string{"checkout~tenant=acme"}) {
			t.Fatalf("after three hours without globex there are %v", got)
		}
		if x := w.whole(); x.Count != 1 || x.Retired != 1 {
			t.Errorf("the whole says %+v", x)
		}
		retired, _, err := w.slo.Retired(t.Context(), "checkout", "", 10)
		if err != nil || len(retired) != 1 || retired[0].Labels[0] != (slo.LabelValue{Name: "tenant", Value: "globex"}) {
			t.Errorf("retired are %+v, %v", retired, err)
		}
		var was slo.RetiredDetail
		w.ok("/api/v1/retired-instances/"+retired[0].Name, &was)
		if was.Total != 200 || was.Good != 192 || was.SLI == nil || *was.SLI != 0.96 || was.BudgetLeft == nil || math.Abs(*was.BudgetLeft - -39) > 1e-9 {
			t.Errorf("globex had %v good of %v, SLI %v, budget %v", was.Good, was.Total, was.SLI, was.BudgetLeft)
		}
		if was.Of != "checkout" || was.Service != "checkout" || was.Objective != 0.999 || was.Window.Duration != "30d" || !was.RetiredAt.After(*was.LastAt) {
			t.Errorf("globex was %+v", was)
		}
		if !was.LastAt.Equal(t0.Add(5*time.Minute)) || len(was.Days) != 1 || was.Days[0].Total != 200 || len(was.Alerts) == 0 {
			t.Errorf("last seen %v, days %+v, %d alerts", was.LastAt, was.Days, len(was.Alerts))
		}
		if code := w.get("/api/v1/retired-instances/checkout~tenant=acme", nil); code != 404 {
			t.Errorf("one that goes on is answered with %d", code)
		}
		w.tenantsLive(t0.Add(215*time.Minute), all, both)
		w.backfill()
		after := byName(w.instances())["checkout~tenant=globex"]
		// Its counters are as they were, so that what they show now happened since.
		if after.Total != 450 || after.Total-after.Good != 18 {
			t.Errorf("globex returned with %v events, %v of them bad", after.Total, after.Total-after.Good)
		}
		if n := len(w.entries("slo.instances_retired")); n != 1 {
			t.Errorf("told %d times as retired", n)
		}
	}, rooms...)
}

func TestInstancesBeyondTheLimitAreRefusedLoudlyAndTheOthersGoOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.apply(byTenant(`, teiten.dev/by-limit: "2"`))
		all := tenants{}
		w.tenantsLive(t0.Add(3*time.Minute), all, map[string][2]float64{"a": {10, 0}, "b": {10, 0}})
		crowd := map[string][2]float64{"a": {10, 0}, "b": {10, 0}, "c": {10, 0}, "d": {10, 0}, strings.Repeat("x", 2000): {10, 0}}
		w.tenantsLive(t0.Add(6*time.Minute), all, crowd)
		w.backfill()
		x := w.whole()
		if x.Count != 2 || x.State != "too_many_instances" || x.Refused != 3 {
			t.Fatalf("the whole says %+v", x)
		}
		for _, s := range []string{x.Reason.EN, x.Reason.JA} {
			if !strings.Contains(s, "teiten.dev/by-limit") || !strings.Contains(s, "tenant=c") {
				t.Errorf("what is refused, and what to do, is told so: %s", s)
			}
		}
		if d := w.detail("checkout"); d.Status != slo.Attention || d.StatusReason != x.Reason || d.Total != 190 {
			t.Errorf("the whole is %s: %s, with %v events", d.Status, d.StatusReason.EN, d.Total)
		}
		for _, i := range w.instances() {
			if i.Total != 50 {
				t.Errorf("%s has %v events", i.Name, i.Total)
			}
		}
		w.restart()
		w.tenantsLive(t0.Add(8*time.Minute), all, crowd)
		if n := len(w.entries("slo.instances_refused")); n != 1 {
			t.Errorf("told %d times as refused", n)
		}
		w.apply(byTenant(`, teiten.dev/by-limit: "9"`))
		delete(crowd, strings.Repeat("x", 2000))
		w.tenantsLive(t0.Add(75*time.Minute), all, crowd)
		if x := w.whole(); x.Count != 4 || x.State != "ok" || len(w.entries("slo.instances_accepted_again")) != 1 {
			t.Errorf("with another limit the whole says %+v", x)
		}
	}, rooms...)
}

// TestInstancesSumUpToTheWhole holds whatever comes and goes.
func TestInstancesSumUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
		w.apply(byTenant(""))
		all := tenants{}
		for m := range rapid.IntRange(3, 12).Draw(r, "minutes") {
			happens := map[string][2]float64{}
			for _, tenant := range []string{"", "a", "b", "\u00e9", "a\"b\\"} {
				if total := rapid.IntRange(-20, 50).Draw(r, "total"); total >= 0 {
					happens[tenant] = [2]float64{float64(total), float64(rapid.IntRange(0, total).Draw(r, "bad"))}
				}
			}
			w.tenantsLive(t0.Add(time.Duration(m+1)*time.Minute), all, happens)
			if rapid.IntRange(0, 5).Draw(r, "restart") == 0 {
				w.restart()
			}
		}
		w.evaluate() // with those that the last minute brought
		w.backfill()
		whole := w.detail("checkout")
		var total, good float64
		for _, x := range w.instances() {
			total += x.Total
			good += x.Good
		}
		if total != whole.Total || good != whole.Good {
			r.Fatalf("instances have %v events, %v good; the whole has %v, %v", total, good, whole.Total, whole.Good)
		}
	})
}

func TestExclusionsReplayAndChangesApplyToInstances(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.apply(byTenant(""))
		all := tenants{}
		happens := map[string][2]float64{"acme": {100, 50}, "globex": {50, 0}}
		w.tenantsLive(t0.Add(20*time.Minute), all, happens)
		w.backfill()
		var made struct {
			Hides   []any  `json:"hides"`
			Confirm string `json:"confirm"`
		}
		tried := correction{SLO: "checkout", From: t0.Add(5 * time.Minute), To: t0.Add(10 * time.Minute), Reason: "tried something", DryRun: true}
		w.must(200, administrator, "POST", "/api/v1/exclusions", tried, &made)
		if len(made.Hides) != 1 {
			t.Errorf("of the whole and its instances %d are told", len(made.Hides))
		}
		tried.DryRun, tried.Confirm = false, made.Confirm
		w.must(200, administrator, "POST", "/api/v1/exclusions", tried, nil)
		w.tenantsLive(t0.Add(21*time.Minute), all, happens)
		if x := byName(w.instances())["checkout~tenant=acme"]; x.Total != 1500 || x.Total-x.Good != 750 {
			t.Errorf("with five minutes excluded acme has %v events, %v bad", x.Total, x.Total-x.Good)
		}
		replayed, err := w.slo.Replay(t.Context(), "checkout~tenant=acme", slo.Trial{})
		if err != nil || replayed.SLO != "checkout~tenant=acme" {
			t.Errorf("replayed %s, %v", replayed.SLO, err)
		}
		w.apply(strings.Replace(byTenant(""), "target: 0.999", "target: 0.4", 1))
		w.tenantsLive(t0.Add(22*time.Minute), all, happens)
		if x := byName(w.instances())["checkout~tenant=acme"]; x.Objective != 0.4 || x.Total != 1600 {
			t.Errorf("after a change of the objective acme has %v, and %v events", x.Objective, x.Total)
		}
		w.apply(shop)
		w.tenantsLive(t0.Add(23*time.Minute), all, happens)
		if listed, _, n, err := w.slo.List(t.Context(), slo.Filter{Of: "checkout"}); err != nil || n != 0 {
			t.Errorf("no longer taken apart it has %v, %v", names(listed), err)
		}
		var left int
		if err := db.Read().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM slo_ledger WHERE slo LIKE 'checkout~%'").Scan(&left); err != nil || left > 0 {
			t.Errorf("%d hours of its instances are left, %v", left, err)
		}
	}, rooms...)
}

// numbered notes how many questions it is asked.
type numbered struct {
	metrics.Querier
	asked *atomic.Int64
}

func (n numbered) Instant(ctx context.Context, expr string, at time.Time) ([]metrics.Series, error) {
	n.asked.Add(1)
	return n.Querier.Instant(ctx, expr, at)
}

func (n numbered) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]metrics.Series, error) {
	n.asked.Add(1)
	return n.Querier.Range(ctx, expr, from, to, step)
}

// TestInstancesOfWhatNoSourceCountsShareTheirQuestions holds for values that are
// read each minute.
func TestInstancesOfWhatNoSourceCountsShareTheirQuestions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		var asked atomic.Int64
		w.sources.q = numbered{w.store, &asked}
		doc := strings.ReplaceAll(byTenant(""), "counter: true", "counter: false")
		doc = strings.ReplaceAll(doc, `sum(http_requests_total{code=~"5.."})`, `sum(rate(http_requests_total{code=~"5.."}[2m])) * 120`)
		w.apply(strings.ReplaceAll(doc, `'sum(http_requests_total)'`, `'sum(rate(http_requests_total[2m])) * 120'`))
		happens := map[string][2]float64{}
		for i := range 30 {
			happens[fmt.Sprint("tenant-", i)] = [2]float64{float64(10 + i), 0}
		}
		all := tenants{}
		w.tenantsLive(t0.Add(8*time.Minute), all, happens)
		w.backfill()
		before := asked.Load()
		w.tenantsLive(t0.Add(9*time.Minute), all, happens)
		if n := asked.Load() - before; n > 12 {
			t.Errorf("a round of 30 instances asked %d questions", n)
		}
		found := byName(w.instances())
		for i := range 30 {
			x := found[fmt.Sprint("checkout~tenant=tenant-", i)]
			if a := x.Total / float64(10+i); math.Abs(a-found["checkout~tenant=tenant-0"].Total/10) > 1e-6 || a < 6 {
				t.Errorf("tenant-%d has %v events", i, x.Total)
			}
		}
	}, rooms...)
}

// A server that is full, and labels that cannot be told apart any more, are named
// with what to do, and what was found before goes on.
func TestAFullServerAndAnExplosionOfLabelsAreNamed(t *testing.T) {
	for state, c := range map[string]struct {
		most, tenants int
		remedy        string
	}{
		"too_many_instances_in_all": {3, 6, "slo.instances"},
		"label_explosion":           {0, 25_010, "drop the label"},
	} {
		t.Run(state, func(t *testing.T) {
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			w.most = c.most
			w.restart()
			w.apply(byTenant(""))
			all, few := tenants{}, map[string][2]float64{"a": {10, 1}, "b": {10, 0}}
			w.tenantsLive(t0.Add(3*time.Minute), all, few)
			crowd := maps.Clone(few)
			for i := range c.tenants {
				crowd[fmt.Sprint("x", i)] = [2]float64{1, 0}
			}
			w.tenantsLive(t0.Add(5*time.Minute), all, crowd)
			w.tenantsLive(t0.Add(8*time.Minute), all, few)
			x := w.whole()
			if x.State != state || !strings.Contains(x.Reason.EN, c.remedy) || x.Reason.JA == "" {
				t.Errorf("the whole says %+v", x)
			}
			if a := byName(w.instances())["checkout~tenant=a"]; a.Total != 70 || a.Total-a.Good != 7 {
				t.Errorf("a has %v events, %v of them bad", a.Total, a.Total-a.Good)
			}
		})
	}
}

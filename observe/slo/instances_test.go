package slo_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

package slo_test

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
)

// TestAWayIsAsGoodAsTheServicesThatItLeadsThrough: a journey through checkout
// depends on cart and pay. In each minute a tenth of checkout's own requests fail;
// from the eleventh on a fifth of cart's, and all of pay's in the last one.
func TestAWayIsAsGoodAsTheServicesThatItLeadsThrough(t *testing.T) {
	service := func(name string, dependsOn ...string) string {
		return fmt.Sprintf(`
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: %s}
spec: {type: service, lifecycle: production, owner: payments, dependsOn: [%s]}
---`, name, strings.Join(dependsOn, ", "))
	}
	own := func(name string) string {
		doc := slOf(name, "0.9", "30d")
		doc = strings.Replace(doc, "service: checkout", "service: "+name, 1)
		return strings.ReplaceAll(doc, "http_requests_total", name+"_total") + "---"
	}
	group := shop[:strings.Index(shop, "---")] + "---"
	way := strings.Replace(own("checkout"), "metadata: {name: checkout,", `metadata: {name: checkout, annotations: {teiten.dev/dependencies: journey},`, 1)
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		all := group + service("checkout", "component:cart", "component:pay") + service("cart") + service("pay") + service("far")
		w.apply(all + way + own("cart") + own("pay") + own("far"))
		bad := map[string]float64{}
		for m := range 21 {
			at := t0.Add(time.Duration(m) * time.Minute)
			if m > 0 {
				bad["checkout"] += 10
				if m > 10 {
					bad["cart"] += 20
				}
				if m == 20 {
					bad["pay"] += 100
				}
			}
			for _, name := range []string{"checkout", "cart", "pay", "far"} {
				w.gauge(at, 100*float64(m)-bad[name], name+"_total", "code", "200")
				w.gauge(at, bad[name], name+"_total", "code", "500")
			}
		}
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.run(t0.Add(20 * time.Minute))
		d := w.detail("checkout")
		want := 10*0.1 + 9*(1-0.9*0.8) + 1 // minutes
		if d.Total != 21 || math.Abs(d.Total-d.Good-want) > 1e-6 {
			t.Errorf("%g bad of %g minutes, want %g of 21", d.Total-d.Good, d.Total, want)
		}
		var x slo.Contributions
		w.ok("/api/v1/slos/checkout/contributions?label=part", &x)
		if len(x.Labels) != 1 || len(x.Labels[0].Values) != 3 || x.Labels[0].Values[2].Value != "pay" {
			t.Fatalf("%+v", x.Labels)
		}
		for i, part := range []struct {
			name string
			bad  float64
		}{{"checkout", 2}, {"cart", 2}, {"pay", 1}} {
			for _, v := range x.Labels[0].Values {
				if v.Value == part.name && math.Abs(v.Bad-part.bad) > 1e-6 {
					t.Errorf("part %d: %+v, want %g bad minutes", i, v, part.bad)
				}
			}
		}

		// What a service depends on, and what those promise, may change.
		names := func() string {
			w.ok("/api/v1/slos/checkout/contributions?label=part", &x)
			var found []string
			for _, l := range x.Labels {
				for _, v := range l.Values {
					found = append(found, v.Value)
				}
			}
			return fmt.Sprint(len(found), found)
		}
		w.remove("SLO", "pay")
		if got := names(); strings.Contains(got, "pay") || !strings.HasPrefix(got, "2") {
			t.Errorf("without the SLO of pay: %s", got)
		}
		w.apply(strings.Replace(all, "component:pay", "component:far", 1) + way + own("cart") + own("far"))
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { // as the program's own engine tells
			_, err := w.journal.Append(ctx, tx, journal.Draft{Kind: "catalog.entity_updated", Subject: journal.RefTo("service", "checkout")})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := names(); !strings.Contains(got, "far") || !strings.HasPrefix(got, "3") {
			t.Errorf("with another dependency: %s", got)
		}
	}, rooms...)
}

package slo_test

import (
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/exchange"
)

// asPyrra are the error ratios that Pyrra computes for the objectives of the
// example, over five minutes, by the name of the objective.
var asPyrra = map[string]string{
	"shop-orders-errors":               `sum(increase(shop_orders_total{job="shop",code=~"5.."}[5m])) / sum(increase(shop_orders_total{job="shop"}[5m]))`,
	"shop-orders-errors~region=europe": `sum(increase(shop_orders_total{job="shop",region="europe",code=~"5.."}[5m])) / sum(increase(shop_orders_total{job="shop",region="europe"}[5m]))`,
	"shop-orders-errors~region=asia":   `sum(increase(shop_orders_total{job="shop",region="asia",code=~"5.."}[5m])) / sum(increase(shop_orders_total{job="shop",region="asia"}[5m]))`,
	"shop-orders-latency":              `1 - sum(increase(shop_order_seconds_bucket{job="shop",le="0.5"}[5m])) / sum(increase(shop_order_seconds_count{job="shop"}[5m]))`,
	"shop-orders-native":               `1 - histogram_fraction(0, 0.2, sum(increase(shop_order_seconds{job="shop"}[5m])))`,
	"shop-up":                          `1 - sum(sum_over_time(up{job="shop"}[5m])) / sum(count_over_time(up{job="shop"}[5m]))`,
}

// shopCounts writes the counters of the example as they stand after n half minutes.
func (w *world) shopCounts(at time.Time, n int) {
	w.t.Helper()
	f := float64(n)
	for region, failed := range map[string]float64{"europe": 1, "asia": 7} {
		w.gauge(at, 100*f, "shop_orders_total", "job", "shop", "region", region, "code", "200")
		w.gauge(at, failed*f, "shop_orders_total", "job", "shop", "region", region, "code", "500")
	}
	w.gauge(at, 90*f, "shop_order_seconds_bucket", "job", "shop", "le", "0.5")
	w.gauge(at, 97*f, "shop_order_seconds_bucket", "job", "shop", "le", "+Inf")
	w.gauge(at, 97*f, "shop_order_seconds_count", "job", "shop")
	w.gauge(at, 1, "up", "job", "shop", "instance", "a")
	w.gauge(at, float64(n%4/3), "up", "job", "shop", "instance", "b")
	h := &histogram.Histogram{ZeroThreshold: 1e-9, Count: uint64(100 * n), PositiveSpans: []histogram.Span{{Offset: -2, Length: 3}},
		PositiveBuckets: []int64{int64(50 * n), int64(-20 * n), int64(-10 * n)}}
	a := w.store.AppenderV2(w.t.Context())
	if _, err := a.Append(0, labels.FromStrings("__name__", "shop_order_seconds", "job", "shop"), 0, at.UnixMilli(), 0, h, nil, storage.AOptions{}); err != nil {
		w.t.Fatal(err)
	}
	if err := a.Commit(); err != nil {
		w.t.Fatal(err)
	}
}

// TestWhatIsImportedFromPyrraEvaluatesToTheSame: Prometheus' own engine computes
// what Pyrra's rules do, Teiten executes what it imported, over the same samples.
func TestWhatIsImportedFromPyrraEvaluatesToTheSame(t *testing.T) {
	data, err := os.ReadFile("exchange/testdata/pyrra.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := exchange.Pyrra([]ascode.File{{Name: "pyrra.yaml", Data: string(data)}}, exchange.Options{})
	if err != nil {
		t.Fatal(err)
	}
	documents, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.apply(documents)
	for n := range 31 {
		at := t0.Add(time.Duration(n)*30*time.Second + 7*time.Second)
		w.shopCounts(at, n)
		if n%2 == 1 {
			w.at(at.Add(54 * time.Second))
			w.evaluate()
			w.backfill()
		}
	}
	for name, expr := range asPyrra {
		var d slo.Detail
		w.ok("/api/v1/slos/"+name, &d)
		if d.Watermark == nil || d.Total == 0 {
			t.Errorf("%s: %s (%s)", name, d.Status, d.StatusReason.EN)
			continue
		}
		answer, err := w.store.Instant(t.Context(), expr, *d.Watermark)
		if err != nil || len(answer) != 1 {
			t.Fatal(name, err, answer)
		}
		if want, got := answer[0].Points[0].V, d.BurnRates["5m"]*(1-d.Objective); math.Abs(got-want) > 1e-7 { // parts of events are kept to seven digits
			t.Errorf("%s: the error ratio is %v, of Pyrra's rule %v\n%s", name, got, want, expr)
		}
	}
	if !strings.Contains(documents, "teiten.dev/by: region") {
		t.Errorf("the grouping is lost:\n%s", documents)
	}
}

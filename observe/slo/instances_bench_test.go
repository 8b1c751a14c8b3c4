package slo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
)

const benchInstances = 1_000

// populace are five thousand tenants, each with ten series that are scraped every
// 30 s, behind one objective.
func populace(b *testing.B) *world {
	b.Helper()
	w := newWorld(b, dbtest.Open(b, dbtest.SQLite(b), rooms...))
	w.apply(byTenant(`, teiten.dev/by-limit: "20000"`))
	return w
}

// serveEveryTenant scrapes all tenants twice in the minute that begins at t.
func (w *world) serveEveryTenant(t time.Time, n int) {
	w.t.Helper()
	var rows []metrics.Series
	for i := range n {
		for j := range benchSeries {
			labels := requests([]string{"200", "500"}[j%2])
			labels["tenant"], labels["pod"] = fmt.Sprint("tenant-", i), fmt.Sprint(j)
			s := metrics.Series{Labels: labels}
			for _, at := range []time.Time{t.Add(15 * time.Second), t.Add(45 * time.Second)} {
				s.Points = append(s.Points, metrics.Point{T: at.UnixMilli(), V: float64(at.Unix() - t0.Unix())})
			}
			rows = append(rows, s)
		}
	}
	if err := w.store.Append(w.t.Context(), rows); err != nil {
		w.t.Fatal(err)
	}
}

// BenchmarkRoundOfFiveThousandInstances evaluates an objective that is taken apart
// into five thousand, against the embedded store, and writes the results durably.
// Scraping is not measured. An instance should cost what an objective does.
func BenchmarkRoundOfFiveThousandInstances(b *testing.B) {
	w := populace(b)
	at := t0
	round := func(timed bool) {
		if timed {
			b.StopTimer()
		}
		w.serveEveryTenant(at, benchInstances)
		at = at.Add(time.Minute)
		w.at(at.Add(31 * time.Second))
		if timed {
			b.StartTimer()
		}
		w.evaluate()
	}
	round(false)
	for range 5 { // until all of them are found
		began := time.Now()
		w.evaluate()
		b.Logf("round took %v", time.Since(began).Round(time.Millisecond))
	}
	began := time.Now()
	w.backfill()
	b.Logf("back-fill took %v", time.Since(began).Round(time.Millisecond))
	for range 3 {
		round(false)
	}
	if n := w.whole().Count; n != benchInstances {
		b.Fatalf("%d instances were found", n)
	}
	for b.Loop() {
		round(true)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/benchInstances, "µs/instance")
}

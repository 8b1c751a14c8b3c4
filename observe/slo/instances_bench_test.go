package slo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
)

const benchInstances = 5_000

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
				s.Points = append(s.Points, metrics.Point{T: at.UnixMilli(), V: float64(1-j%2) * at.Sub(t0).Seconds()})
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
// Scraping, and counting as samples arrive, is not measured. An instance should cost
// what an objective does in BenchmarkRound.
func BenchmarkRoundOfFiveThousandInstances(b *testing.B) {
	w := populace(b)
	at := t0
	serve := func() {
		w.serveEveryTenant(at, benchInstances)
		at = at.Add(time.Minute)
		w.at(at.Add(31 * time.Second))
	}
	serve()
	w.evaluate()
	for range 5 { // until all of them are found
		began := time.Now()
		w.evaluate()
		b.Logf("round took %v", time.Since(began).Round(time.Millisecond))
	}
	began := time.Now()
	w.backfill()
	b.Logf("back-fill took %v", time.Since(began).Round(time.Millisecond))
	for range 3 { // until every minute was watched from its beginning
		serve()
		w.evaluate()
	}
	if n := w.whole().Count; n != benchInstances {
		b.Fatalf("%d instances were found", n)
	}
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		serve()
		b.StartTimer()
		before := used(b)
		w.evaluate()
		cpu += used(b) - before
	}
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/benchInstances/2, "cpu-µs/instance/30s")
}

package slo_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
)

// benchObjectives is how many objectives the benchmarks have: a thousand, or what
// TEITEN_BENCH_OBJECTIVES says.
var benchObjectives = func() int {
	if n, err := strconv.Atoi(os.Getenv("TEITEN_BENCH_OBJECTIVES")); err == nil {
		return n
	}
	return 1000
}()

const benchSeries = 10 // of each objective

// used is what the process has computed so far.
func used(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// crowd is a world with many objectives that share nothing, each over ten series
// that are scraped every 30 s.
func crowd(b *testing.B) *world {
	b.Helper()
	w := newWorld(b, dbtest.Open(b, dbtest.SQLite(b), rooms...))
	const perApply = 1000
	r := ascode.Request{Set: "test", Files: []ascode.File{{Name: "shop.yaml", Data: shop}}}
	var docs strings.Builder
	began := time.Now()
	for i := range benchObjectives {
		doc := slOf(fmt.Sprintf("objective-%d", i), "0.999", "30d")
		doc = strings.ReplaceAll(doc, `http_requests_total{code=~"5.."}`, fmt.Sprintf(`http_requests_total{app="%d",code=~"5.."}`, i))
		docs.WriteString("---" + strings.ReplaceAll(doc, "sum(http_requests_total)", fmt.Sprintf(`sum(http_requests_total{app="%d"})`, i)))
		if (i+1)%perApply != 0 && i != benchObjectives-1 {
			continue
		}
		r.Files = append(r.Files, ascode.File{Name: "slos.yaml", Data: docs.String()})
		if _, err := w.ascode.Apply(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		docs.Reset()
		r = ascode.Request{Set: fmt.Sprintf("from-%d", i+1)}
	}
	b.Logf("applied %d objectives in %v", benchObjectives, time.Since(began).Round(time.Millisecond))
	return w
}

// serve scrapes the applications twice in the minute that begins at t, a thousand
// at a time.
func (w *world) serve(t time.Time) {
	w.t.Helper()
	for first := 0; first < benchObjectives; first += 1000 {
		var rows []metrics.Series
		for i := range min(1000, benchObjectives-first) * benchSeries {
			app, pod, code := first+i/benchSeries, i%benchSeries, "200"
			if pod%5 == 0 {
				code = "500"
			}
			labels := map[string]string{"__name__": "http_requests_total", "app": strconv.Itoa(app), "pod": strconv.Itoa(pod), "code": code}
			s := metrics.Series{Labels: labels}
			for _, at := range []time.Time{t.Add(15 * time.Second), t.Add(45 * time.Second)} {
				s.Points = append(s.Points, metrics.Point{T: at.UnixMilli(), V: float64(at.Unix() - t0.Unix())})
			}
			rows = append(rows, s)
		}
		if err := w.store.Append(w.t.Context(), rows); err != nil {
			w.t.Fatal(err)
		}
	}
}

// BenchmarkRound evaluates many objectives against the embedded store and writes
// the results durably. Scraping, and counting as samples arrive, is not measured;
// BenchmarkWatched does that. Expected before it was first measured: 8 µs of the
// processor for each objective and 30 s.
func BenchmarkRound(b *testing.B) {
	w := crowd(b)
	w.serve(t0)
	w.at(t0.Add(91 * time.Second))
	w.evaluate()
	at := t0.Add(time.Minute)
	for range 3 { // until every minute was watched from its beginning
		w.serve(at)
		at = at.Add(time.Minute)
		w.at(at.Add(31 * time.Second))
		w.evaluate()
	}
	var cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		w.serve(at)
		at = at.Add(time.Minute)
		w.at(at.Add(31 * time.Second))
		b.StartTimer()
		before := used(b)
		w.evaluate()
		cpu += used(b) - before
	}
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/float64(benchObjectives)/2, "cpu-µs/objective/30s")
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/float64(benchObjectives), "heap-bytes/objective")
}

// BenchmarkRestart loads many objectives that hold six hours each, and evaluates
// the minutes since. Expected: 0.3 s for a thousand.
func BenchmarkRestart(b *testing.B) {
	w := crowd(b)
	w.serve(t0)
	for m := range 3 {
		w.serve(t0.Add(time.Duration(m+1) * 2 * time.Hour))
	}
	w.at(t0.Add(6*time.Hour + 2*time.Minute))
	w.evaluate()
	w.backfill()
	for b.Loop() {
		b.StopTimer()
		w.restart()
		b.StartTimer()
		w.evaluate()
	}
}

// BenchmarkBackfillThirtyDays reads the past of one objective over two series.
// Expected: 0.4 s.
func BenchmarkBackfillThirtyDays(b *testing.B) {
	w := newWorld(b, dbtest.Open(b, dbtest.SQLite(b), rooms...))
	w.history(t0.Add(-31*day), t0, flat(600, 1))
	w.at(t0.Add(31 * time.Second))
	n := 0
	for b.Loop() {
		b.StopTimer()
		n++
		w.apply(slOf(fmt.Sprintf("again-%d", n), "0.999", "30d"))
		w.evaluate()
		b.StartTimer()
		w.backfill()
	}
}

// BenchmarkList answers the first page of the list.
// Expected: 5 ms.
func BenchmarkList(b *testing.B) {
	w := crowd(b)
	var p page[struct{ Name string }]
	for b.Loop() {
		w.ok("/api/v1/slos?limit=100", &p)
	}
}

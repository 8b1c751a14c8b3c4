package slo_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics"
)

const (
	benchObjectives = 1000
	benchSeries     = 10 // of each objective
)

// crowd is a world with a thousand objectives that share nothing, each over ten
// series that are scraped every 30 s.
func crowd(b *testing.B) *world {
	b.Helper()
	w := newWorld(b, dbtest.Open(b, dbtest.SQLite(b), rooms...))
	var docs strings.Builder
	docs.WriteString(shop)
	for i := range benchObjectives {
		doc := slOf(fmt.Sprintf("objective-%d", i), "0.999", "30d")
		doc = strings.ReplaceAll(doc, `http_requests_total{code=~"5.."}`, fmt.Sprintf(`http_requests_total{app="%d",code=~"5.."}`, i))
		docs.WriteString("---" + strings.ReplaceAll(doc, "sum(http_requests_total)", fmt.Sprintf(`sum(http_requests_total{app="%d"})`, i)))
	}
	began := time.Now()
	w.apply(docs.String())
	b.Logf("applied %d objectives in %v", benchObjectives, time.Since(began).Round(time.Millisecond))
	return w
}

// serve scrapes the thousand applications twice in the minute that begins at t.
func (w *world) serve(t time.Time) {
	w.t.Helper()
	var rows []metrics.Series
	for i := range benchObjectives {
		for j := range benchSeries {
			code := "200"
			if j%5 == 0 {
				code = "500"
			}
			labels := map[string]string{"__name__": "http_requests_total", "app": strconv.Itoa(i), "pod": strconv.Itoa(j), "code": code}
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

// BenchmarkRoundOfThousandObjectives evaluates a thousand objectives against the
// embedded store and writes the results durably. Scraping is not measured.
// Expected before it was first measured: 0.7 s a round, most of it in PromQL.
func BenchmarkRoundOfThousandObjectives(b *testing.B) {
	w := crowd(b)
	w.serve(t0)
	w.at(t0.Add(91 * time.Second))
	w.evaluate()
	at := t0.Add(time.Minute)
	for b.Loop() {
		b.StopTimer()
		w.serve(at)
		at = at.Add(time.Minute)
		w.at(at.Add(31 * time.Second))
		b.StartTimer()
		w.evaluate()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/benchObjectives, "µs/objective")
}

// BenchmarkRestartWithThousandObjectives loads a thousand objectives that hold
// six hours each, and evaluates the minutes since. Expected: 0.3 s.
func BenchmarkRestartWithThousandObjectives(b *testing.B) {
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

// BenchmarkListOfThousandObjectives answers the first page of the list.
// Expected: 5 ms.
func BenchmarkListOfThousandObjectives(b *testing.B) {
	w := crowd(b)
	var p page[struct{ Name string }]
	for b.Loop() {
		w.ok("/api/v1/slos?limit=100", &p)
	}
}

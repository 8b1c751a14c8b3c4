package embedded

import (
	"strconv"
	"testing"
	"time"

	"github.com/teiten/teiten/observe/metrics"
)

// BenchmarkImport writes 35 days of 140 counters, a sample each minute: seven
// million samples, as the demo does at its first start.
func BenchmarkImport(b *testing.B) {
	const n, days = 140, 35
	for b.Loop() {
		s := open(b, Options{})
		series, samples := history(n, days, time.Now())
		if err := s.Import(b.Context(), series, samples, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*days*24*60*b.N)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkAppend stores scrapes of a thousand series.
func BenchmarkAppend(b *testing.B) {
	s := open(b, Options{})
	const n = 1000
	rows := make([]metrics.Series, n)
	for i := range rows {
		rows[i] = counter(map[string]string{"i": strconv.Itoa(i)}, metrics.Point{})
	}
	at := time.Now().UnixMilli()
	for b.Loop() {
		at += 15_000
		for i := range rows {
			rows[i].Points[0] = metrics.Point{T: at, V: float64(at)}
		}
		if err := s.Append(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "samples/s")
}

// BenchmarkQuery asks what service levels ask: the increase of one minute, five
// minutes by the minute, and 30 days by the minute.
func BenchmarkQuery(b *testing.B) {
	s := open(b, Options{})
	now := time.Now().Truncate(time.Minute)
	series, samples := history(140, 35, now)
	if err := s.Import(b.Context(), series, samples, nil); err != nil {
		b.Fatal(err)
	}
	const expr = `sum(increase(events_total{i=~"1|2|3|4"}[1m] anchored))`
	for name, ask := range map[string]func() ([]metrics.Series, error){
		"instant": func() ([]metrics.Series, error) { return s.Instant(b.Context(), expr, now.Add(-time.Minute)) },
		"5m": func() ([]metrics.Series, error) {
			return s.Range(b.Context(), expr, now.Add(-5*time.Minute), now.Add(-time.Minute), time.Minute)
		},
		"30d": func() ([]metrics.Series, error) {
			return s.Range(b.Context(), expr, now.Add(-30*24*time.Hour), now.Add(-time.Minute), time.Minute)
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, err := ask()
				if err != nil || len(got) != 1 {
					b.Fatal(got, err)
				}
			}
		})
	}
}

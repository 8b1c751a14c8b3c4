//go:build unix

package embedded

import (
	"fmt"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

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

// BenchmarkWatched stores rounds of a thousand selections of ten counters each,
// with and without counting them. The difference is what counting costs.
func BenchmarkWatched(b *testing.B) {
	const objectives, each = 1000, 10
	for _, watched := range []bool{false, true} {
		b.Run(map[bool]string{false: "stored", true: "counted"}[watched], func(b *testing.B) {
			s := open(b, Options{})
			if watched {
				s.Watch(objectivesOf(objectives))
			}
			var rows []labels.Labels
			for i := range objectives {
				rows = append(rows, countersOf(i, each)...)
			}
			refs := make([]storage.SeriesRef, len(rows))
			at := time.Now().UnixMilli()
			round := func() {
				at += 30_000
				a := s.AppenderV2(b.Context())
				for i := range rows {
					ref, err := a.Append(refs[i], rows[i], 0, at, float64(at/1000), nil, nil, storage.AOptions{})
					if err != nil {
						b.Fatal(err)
					}
					refs[i] = ref
				}
				if err := a.Commit(); err != nil {
					b.Fatal(err)
				}
			}
			for range 3 {
				round()
			}
			before := cpu(b)
			for b.Loop() {
				round()
			}
			b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/float64(b.N*objectives), "cpu-ns/objective")
		})
	}
}

// cpu is the time that the process has computed so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// countersOf are the counters of one objective: half of them of failures.
func countersOf(objective, n int) []labels.Labels {
	var all []labels.Labels
	for k := range n {
		all = append(all, labels.FromStrings("__name__", "events_total", "slo", strconv.Itoa(objective),
			"pod", strconv.Itoa(k/2), "code", strconv.Itoa(200+300*(k%2))))
	}
	return all
}

// objectivesOf are what n objectives count: all events and the failures.
func objectivesOf(n int) []metrics.Selection {
	var all []metrics.Selection
	for i := range n {
		all = append(all, metrics.Selection{Expr: fmt.Sprintf(`sum(events_total{slo="%d"})`, i)},
			metrics.Selection{Expr: fmt.Sprintf(`sum(events_total{slo="%d",code=~"5.."})`, i)})
	}
	return all
}

// BenchmarkCounts reads 30 days of one objective with ten counters at 30 s.
func BenchmarkCounts(b *testing.B) {
	s := open(b, Options{})
	now := time.Now().Truncate(time.Minute)
	var series []map[string]string
	for _, ls := range countersOf(0, 10) {
		series = append(series, ls.Map())
	}
	err := s.Import(b.Context(), series, func(yield func(Sample) bool) {
		for at := now.Add(-31 * 24 * time.Hour).UnixMilli(); at < now.UnixMilli(); at += 30_000 {
			for i := range series {
				if !yield(Sample{Series: i, T: at + int64(i), V: float64(at/1000) - 1e9}) {
					return
				}
			}
		}
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	to := now.Unix()/60 - 1
	b.Run("30 days", func(b *testing.B) {
		before := cpu(b)
		for b.Loop() {
			got, err := s.Counts(b.Context(), objectivesOf(1), to-30*24*60, to)
			if err != nil || got[0].Err != nil {
				b.Fatal(err, got[0].Err)
			}
		}
		b.ReportMetric((cpu(b)-before).Seconds()*1e3/float64(b.N), "cpu-ms/op")
	})
}

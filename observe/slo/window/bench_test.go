package window_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/window"
)

// pairs are the long and the short windows of the workbook's four alerts, by
// their places in eight, and how many times too fast each may burn.
var pairs = []struct {
	long, short int
	factor      float64
}{{2, 0, 14.4}, {4, 1, 6}, {5, 3, 3}, {6, 4, 1}}

const thousandth = 0.001 // the error budget of 99.9 %

// cpu is what the process has used so far. It says more than the clock where a
// machine has other work.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// evaluate reads eight ratios, four pairs of windows and the budget, which is the
// last window's.
func evaluate(sum func(i int) ledger.Sum) (firing int, left float64) {
	var ratio [8]float64
	for i := range ratio {
		if s := sum(i); s.Total > 0 {
			ratio[i] = s.Bad / s.Total
		}
	}
	for _, p := range pairs {
		if limit := p.factor * thousandth; ratio[p.long] > limit && ratio[p.short] > limit {
			firing++
		}
	}
	return firing, 1 - ratio[7]/thousandth
}

// sink keeps the compiler from leaving the work out.
var sink float64

// BenchmarkSliding moves eight windows of many objectives by a minute and reads
// eight ratios, four pairs and the budget of each: by columns as Block does, of
// all objectives at once, and by rows, one objective after the other. Expected
// before it was first measured: 90 and 350 ns an objective.
func BenchmarkSliding(b *testing.B) {
	for _, x := range []struct {
		name string
		rows int
	}{{"1000", 1000}, {"10000", 10_000}} {
		b.Run("columns/"+x.name, func(b *testing.B) { slideColumns(b, x.rows) })
	}
	b.Run("rows/1000", func(b *testing.B) { slideRows(b, 1000) })
}

func slideColumns(b *testing.B, rows int) {
	block := crowd(rows)
	minutes := make([]ledger.Minute, rows)
	for i := range minutes {
		minutes[i] = ledger.Of(float64(6000+i*7%500), float64(i%20/19))
	}
	var h ledger.Hour
	for i := range h {
		h[i] = ledger.Of(6000, float64(i%20/19))
	}
	step := func() {
		for _, e := range block.Edges() {
			block.Load(e, func(int) *ledger.Hour { return &h })
		}
		block.Append(minutes)
	}
	for range window.Recent {
		step()
	}
	began := cpu(b)
	for b.Loop() {
		step()
		for row := range rows {
			_, left := evaluate(func(i int) ledger.Sum { return block.Sum(row, i) })
			sink += left
		}
	}
	b.ReportMetric(float64(cpu(b)-began)/float64(b.N)/float64(rows), "ns/objective")
	b.ReportMetric(float64(block.Bytes()/rows), "bytes/objective")
}

func slideRows(b *testing.B, rows int) {
	all := make([]*window.Windows, rows)
	for i := range all {
		all[i] = window.New(start, append(lengths[:7:7], 30*24*time.Hour)...)
		for m := range int64(3 * 24 * 60) {
			all[i].Append(start+m, ledger.Of(float64(6000+m%500), float64(m%20/19)))
		}
	}
	at, began := all[0].End(), cpu(b)
	for b.Loop() {
		for i, w := range all {
			w.Append(at, ledger.Of(float64(6000+i*7%500), float64(i%20/19)))
			sums := w.Sums()
			_, left := evaluate(func(i int) ledger.Sum { return sums[i] })
			sink += left
		}
		at++
	}
	b.ReportMetric(float64(cpu(b)-began)/float64(b.N)/float64(rows), "ns/objective")
	b.ReportMetric(float64(all[0].Bytes()), "bytes/objective")
}

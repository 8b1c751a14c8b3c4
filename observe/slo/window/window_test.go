package window_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/window"
)

const start = 29_500_000 // a minute in 2026

var lengths = []time.Duration{
	5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour,
	24 * time.Hour, 72 * time.Hour, 7 * 24 * time.Hour,
}

// oracle keeps every minute and adds them up each time it is asked.
type oracle struct {
	minutes map[int64]ledger.Minute
	end     int64
}

func (o *oracle) over(d time.Duration) ledger.Sum {
	var s ledger.Sum
	for m := o.end - int64(d/time.Minute); m < o.end; m++ {
		s = s.Add(o.minutes[m])
	}
	return s
}

func (o *oracle) rewind(end int64) {
	for m := range o.minutes {
		if m >= end {
			delete(o.minutes, m)
		}
	}
	o.end = end
}

func draw(t *rapid.T, whole bool) ledger.Minute {
	if rapid.IntRange(0, 9).Draw(t, "unknown") == 0 {
		return ledger.Minute{}
	}
	if !whole {
		total := rapid.Float64Range(0, 1e7).Draw(t, "total")
		return ledger.Of(total, total*rapid.Float64Range(0, 1).Draw(t, "share"))
	}
	total := rapid.Int64Range(0, 1e9).Draw(t, "total")
	return ledger.Of(float64(total), float64(rapid.Int64Range(0, total).Draw(t, "bad")))
}

// agree compares every window with the oracle: exactly for whole counts, and to
// the rounding of floating point for others.
func agree(t *rapid.T, w *window.Windows, o *oracle, whole bool) {
	t.Helper()
	for _, d := range lengths {
		got, want := w.Over(d), o.over(d)
		near := func(a, b float64) bool {
			return math.Abs(a-b) <= 1e-9*math.Max(1, o.over(lengths[len(lengths)-1]).Total)
		}
		same := got == want
		if !whole {
			same = got.Known == want.Known && near(got.Total, want.Total) && near(got.Bad, want.Bad)
		}
		if !same {
			t.Fatalf("over %v at %d: %+v, want %+v", d, o.end, got, want)
		}
	}
}

func TestEveryWindowEqualsTheSumOfItsMinutes(t *testing.T) {
	for _, whole := range []bool{true, false} {
		rapid.Check(t, func(t *rapid.T) {
			w := window.New(start, lengths...)
			o := &oracle{minutes: map[int64]ledger.Minute{}, end: start}
			for range rapid.IntRange(1, 25).Draw(t, "steps") {
				switch rapid.IntRange(0, 5).Draw(t, "step") {
				case 0: // a run of the same minute
					m := draw(t, whole)
					for range rapid.IntRange(1, 3000).Draw(t, "run") {
						w.Append(o.end, m)
						o.minutes[o.end] = m
						o.end++
					}
				case 1: // minutes were skipped
					o.end += int64(rapid.IntRange(1, 15_000).Draw(t, "gap"))
					m := draw(t, whole)
					w.Append(o.end, m)
					o.minutes[o.end] = m
					o.end++
				case 2: // an old minute turns out otherwise
					at := o.end - 1 - int64(rapid.IntRange(0, 11_000).Draw(t, "age"))
					m := draw(t, whole)
					if w.Correct(at, m) {
						o.minutes[at] = m
					} else if at >= o.end-7*24*60 {
						t.Fatalf("minute %d of a window that ends at %d was not corrected", at, o.end)
					}
				case 3: // the clock went back
					back := o.end - int64(rapid.IntRange(0, 400).Draw(t, "back"))
					if w.Rewind(back) {
						o.rewind(back)
					}
				case 4: // an hour arrives from a back-fill
					number := o.end/60 - int64(rapid.IntRange(0, 200).Draw(t, "hours ago"))
					var h ledger.Hour
					for i := range h {
						h[i] = draw(t, whole)
					}
					if !w.Load(number, &h) {
						continue
					}
					for i, m := range h {
						if at := number*60 + int64(i); at < o.end {
							o.minutes[at] = m
						}
					}
				default:
					m := draw(t, whole)
					w.Append(o.end, m)
					o.minutes[o.end] = m
					o.end++
				}
				agree(t, w, o, whole)
			}
		})
	}
}

func TestAnHourReadsBackAsItWasAppended(t *testing.T) {
	w := window.New(start, time.Hour, 6*time.Hour)
	var want ledger.Hour
	first := (start/60 + 1) * int64(60)
	for i := range want {
		want[i] = ledger.Of(float64(100+i), float64(i%2))
		w.Append(first+int64(i), want[i])
	}
	if got := w.Hour(first / 60); got != want {
		t.Errorf("the open hour reads back as %v", got)
	}
	w.Append(first+60, ledger.Of(1, 0))
	if got := w.Hour(first / 60); got != want {
		t.Errorf("the packed hour reads back as %v", got)
	}
}

func TestFractionsLeaveNothingBehindWhenTheyFallOut(t *testing.T) {
	w := window.New(start, time.Hour, 24*time.Hour)
	at := int64(start)
	for range 60 * 24 * 3 {
		w.Append(at, ledger.Of(1e9+1/3.0, 0.1))
		at++
	}
	for range 60 * 24 {
		w.Append(at, ledger.Of(0, 0))
		at++
	}
	// Sums are taken afresh at each full hour, so the next one is clean.
	for range 61 {
		w.Append(at, ledger.Of(0, 0))
		at++
	}
	if got := w.Over(24 * time.Hour); got != (ledger.Sum{Known: 24 * 60}) {
		t.Errorf("a day without events sums up to %+v", got)
	}
}

func TestWindowsMayReachBackBefore1970(t *testing.T) {
	w := window.New(0, lengths...)
	if got := w.Over(7 * 24 * time.Hour); got != (ledger.Sum{}) {
		t.Errorf("before anything was appended the week holds %+v", got)
	}
	w.Append(0, ledger.Of(3, 1))
	if got := w.Over(7 * 24 * time.Hour); got != (ledger.Sum{Total: 3, Bad: 1, Known: 1}) {
		t.Errorf("after one minute the week holds %+v", got)
	}
	if w.Correct(-5, ledger.Of(1, 0)) {
		t.Error("a minute before 1970 was corrected")
	}
}

func TestThirtyDaysTakeAtMost200KB(t *testing.T) {
	if n := filled(30 * 24 * time.Hour).Bytes(); n > 200_000 {
		t.Errorf("%d bytes for thirty days", n)
	}
}

func filled(period time.Duration) *window.Windows {
	w := window.New(start, append(lengths[:7:7], period)...)
	for i := range int64(period / time.Minute) {
		w.Append(start+i, ledger.Of(float64(6000+i*7%500), float64(i%5)))
	}
	return w
}

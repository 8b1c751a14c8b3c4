package window_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/window"
)

// spans are the lengths of windows in minutes, as an objective over thirty days
// has them; 0 is a calendar period.
var spans = []int64{5, 30, 60, 120, 360, window.Recent, 24 * 60, 3 * 24 * 60, 30*24*60 + 7, 0}

// naive keeps every minute of every row.
type naive struct {
	rows  map[int]map[int64]ledger.Minute
	end   int64
	since int64
}

func (n *naive) over(row int, length int64) ledger.Sum {
	from := n.end - length
	if length == 0 {
		from = n.since
	}
	var s ledger.Sum
	for m, v := range n.rows[row] {
		if m >= from && m < n.end {
			s = s.Add(v)
		}
	}
	return s
}

func (n *naive) hour(row int, number int64) *ledger.Hour {
	var h ledger.Hour
	for i := range h {
		h[i] = n.rows[row][number*60+int64(i)]
	}
	return &h
}

// filled are the minutes of a row from one on.
func (n *naive) filled(row int, from int64) []ledger.Minute {
	minutes := make([]ledger.Minute, n.end-from)
	for m, v := range n.rows[row] {
		if m >= from {
			minutes[m-from] = v
		}
	}
	return minutes
}

// step appends a minute to block and oracle.
func (n *naive) step(b *window.Block, of func(row int) ledger.Minute) {
	for _, e := range b.Edges() {
		b.Load(e, func(row int) *ledger.Hour { return n.hour(row, e.Hour) })
	}
	if n.end%(45*24*60) == 0 { // a period begins
		n.since = n.end
		b.Begin(n.end)
	}
	minutes := make([]ledger.Minute, b.Rows())
	for row := range n.rows {
		minutes[row] = of(row)
		if minutes[row].Known {
			n.rows[row][n.end] = minutes[row]
		}
	}
	b.Append(minutes)
	n.end++
}

// same compares every window of every row, whole counts exactly and others to
// the rounding of the oracle's own sum.
func (n *naive) same(t *rapid.T, b *window.Block, whole bool) {
	t.Helper()
	for row := range n.rows {
		for i, l := range b.Sums(nil, row) {
			got, want := l.Sum(), n.over(row, spans[i])
			equal := got == want
			if !whole {
				near := func(x, y float64) bool { return math.Abs(x-y) <= 1e-9*math.Max(1, math.Abs(y)) }
				equal = got.Known == want.Known && near(got.Total, want.Total) && near(got.Bad, want.Bad)
			}
			if !equal {
				t.Fatalf("row %d, %d minutes up to %d: %+v, want %+v", row, spans[i], n.end, got, want)
			}
		}
		if got, want := b.Over(row, 90), n.over(row, 90); whole && got != want {
			t.Fatalf("row %d, 90 minutes up to %d: %+v, want %+v", row, n.end, got, want)
		}
	}
}

func TestEveryWindowOfEveryRowEqualsTheSumOfItsMinutes(t *testing.T) {
	for _, whole := range []bool{true, false} {
		rapid.Check(t, func(t *rapid.T) {
			b := window.NewBlock(start, spans...)
			b.Begin(start - 100)
			n := &naive{rows: map[int]map[int64]ledger.Minute{}, end: start, since: start - 100}
			for range rapid.IntRange(1, 20).Draw(t, "steps") {
				switch rapid.IntRange(0, 7).Draw(t, "step") {
				case 0, 1: // a run of the same minutes
					same := map[int]ledger.Minute{}
					for row := range n.rows {
						same[row] = draw(t, whole)
					}
					for range rapid.IntRange(1, 1500).Draw(t, "run") {
						n.step(b, func(row int) ledger.Minute { return same[row] })
					}
				case 2, 3:
					if len(n.rows) < 4 {
						n.rows[b.Add()] = map[int64]ledger.Minute{}
					}
				case 4: // a row goes
					for row := range n.rows {
						b.Remove(row)
						delete(n.rows, row)
						break
					}
				case 5: // a recent minute turns out otherwise
					for row := range n.rows {
						at, m := n.end-rapid.Int64Range(1, 500).Draw(t, "age"), draw(t, whole)
						if b.Correct(row, at, m) {
							n.rows[row][at] = m
						} else if at >= n.end-window.Recent+60 {
							t.Fatalf("minute %d before the end was not corrected", n.end-at)
						}
					}
				case 6: // the past of a row is read
					for row := range n.rows {
						for at := n.end - rapid.Int64Range(1, 45*24*60).Draw(t, "from"); at < n.end; at += rapid.Int64Range(1, 3000).Draw(t, "every") {
							n.rows[row][at] = draw(t, whole)
						}
						from := n.end - 46*24*60
						b.Fill(row, from, n.filled(row, from))
					}
				default: // another process goes on from what was stored
					again := window.NewBlock(n.end, spans...)
					again.Begin(n.since)
					for range b.Rows() {
						again.Add()
					}
					for row := range b.Rows() {
						if _, ok := n.rows[row]; !ok {
							again.Remove(row)
							continue
						}
						from := n.end - window.Recent
						again.Restore(row, b.Sums(nil, row), from, n.filled(row, from))
					}
					b = again
				}
				n.same(t, b, whole)
			}
		})
	}
}

func TestFractionsLeaveNothingBehindInABlock(t *testing.T) {
	b := window.NewBlock(start, 60, 24*60)
	row := b.Add()
	held := map[int64]ledger.Minute{}
	push := func(m ledger.Minute) {
		for _, e := range b.Edges() {
			b.Load(e, func(int) *ledger.Hour {
				var h ledger.Hour
				for i := range h {
					h[i] = held[e.Hour*60+int64(i)]
				}
				return &h
			})
		}
		held[b.End()] = m
		b.Append([]ledger.Minute{m})
	}
	for i := range 60 * 24 * 3 {
		push(ledger.Of(1e9+float64(i)/3, 0.1*float64(i%7)))
	}
	for range 60 * 24 {
		push(ledger.Of(0, 0))
	}
	for i, l := range b.Sums(nil, row) {
		if got := l.Sum(); got.Total != 0 || got.Bad != 0 {
			t.Errorf("window %d without events sums up to %+v", i, got)
		}
	}
}

func TestARowTakesAtMostTwentyKilobytes(t *testing.T) {
	b := crowd(1000)
	if n := b.Bytes() / b.Rows(); n > 20_000 {
		t.Errorf("%d bytes for each objective", n)
	}
}

// eight are the windows of the benchmark.
var eight = []int64{5, 30, 60, 120, 360, 24 * 60, 3 * 24 * 60, 30 * 24 * 60}

func crowd(rows int) *window.Block {
	b := window.NewBlock(start, eight...)
	for range rows {
		b.Add()
	}
	return b
}

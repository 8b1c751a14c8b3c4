package slo

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// pasts draws what happened over some minutes, and what of it the ledger holds:
// minutes that nobody saw, and spans of which only the sum was seen at their end.
func pasts(t *rapid.T, first int64) (truth, seen []ledger.Minute, lumps []ledger.Lump, whole bool) {
	n := rapid.IntRange(1, 60).Draw(t, "minutes")
	hidden := make([]bool, n)
	for range n {
		total := rapid.IntRange(0, 20).Draw(t, "total")
		truth = append(truth, ledger.Of(float64(total), float64(rapid.IntRange(0, total).Draw(t, "bad"))))
	}
	seen = append(seen, truth...)
	whole = rapid.Bool().Draw(t, "everything is known")
	for at := 0; at < n && !whole; at++ {
		switch rapid.IntRange(0, 9).Draw(t, "fate") {
		case 0:
			seen[at], hidden[at] = ledger.Minute{}, true
		case 1:
			end := min(n-1, at+rapid.IntRange(1, 6).Draw(t, "gap"))
			var s ledger.Sum
			for i := at; i <= end; i++ {
				s, seen[i] = s.Add(truth[i]), ledger.Minute{}
			}
			seen[end] = ledger.Of(s.Total, s.Bad)
			lumps = append(lumps, ledger.Lump{From: first + int64(at), To: first + int64(end), Total: s.Total, Bad: s.Bad})
			at = end
		}
	}
	for i, h := range hidden {
		if h { // no busier than the busiest minute that somebody saw: see the test
			truth[i] = ledger.Of(min(truth[i].Total, 5), min(truth[i].Bad, 5))
		}
	}
	return truth, seen, lumps, whole
}

// TestTheBudgetThatIsLeftLiesWithinItsBounds: whatever is hidden, excluded, or
// seen late, and whatever the budget counts.
func TestTheBudgetThatIsLeftLiesWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &Definition{Objective: 0.95, Counting: rapid.SampledFrom([]budgeting.Counting{
			{}, {Method: budgeting.Timeslices, Slice: 1, Target: 0.9}, {Method: budgeting.Timeslices, Slice: 5, Target: 0.9},
			{Method: budgeting.RatioTimeslices, Slice: 4},
		}).Draw(t, "counting")}
		first := d.Counting.Start(29_000_000 + rapid.Int64Range(0, 120).Draw(t, "first"))
		truth, events, lumps, whole := pasts(t, first)
		n := int64(len(truth))
		c := &account{def: d, span: ledger.Between(first, first+n), raw: events, late: lumps}
		for at := first; at < first+n; {
			x := minutes{From: at + rapid.Int64Range(0, 40).Draw(t, "until an exclusion")}
			if x.To = min(first+n, x.From+rapid.Int64Range(1, 9).Draw(t, "excluded")); x.Len() > 0 {
				c.excluded = append(c.excluded, x)
			}
			at = max(x.To, at+1) + 1
		}
		c.see()
		c.add()
		for i := range c.peaks { // what is assumed of the minutes that nobody saw
			c.peaks[i] = max(c.peaks[i], 5)
		}

		view := counted(d, first, truth, c.excluded)
		from := first + rapid.Int64Range(0, n-1).Draw(t, "from")
		to := from + rapid.Int64Range(1, first+n-from).Draw(t, "length")
		var want ledger.Sum
		for _, m := range view[from-first : to-first] {
			want = want.Add(m)
		}
		low, high := c.bounds(from, to)
		l, v, h := d.Objective.BudgetLeft(low), d.Objective.BudgetLeft(want), d.Objective.BudgetLeft(high)
		if !(l <= v+1e-9 && v <= h+1e-9) || math.IsInf(l, 0) {
			t.Fatalf("%v of the budget is left, said to be from %v to %v", v, l, h)
		}
		if sum := c.over(from, to); whole && (sum != want || l != h) {
			t.Fatalf("all is known: %+v; counted %+v, budget from %v to %v", want, sum, l, h)
		}
	})
}

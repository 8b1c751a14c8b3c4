package ledger_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// past is what happened over some minutes, and what became known of it.
type past struct {
	truth   []ledger.Minute
	seen    []ledger.Minute
	lumps   []ledger.Lump
	covered []bool // by a lump
}

// pasts draws a past of which some minutes were never seen, and some spans only
// as one increment at their end.
func pasts() *rapid.Generator[past] {
	return rapid.Custom(func(t *rapid.T) past {
		n := rapid.IntRange(1, 40).Draw(t, "minutes")
		p := past{covered: make([]bool, n)}
		for range n {
			total := rapid.IntRange(0, 20).Draw(t, "total")
			p.truth = append(p.truth, ledger.Of(float64(total), float64(rapid.IntRange(0, total).Draw(t, "bad"))))
		}
		p.seen = append(p.seen, p.truth...)
		for at := 0; at < n; {
			switch rapid.IntRange(0, 9).Draw(t, "fate") {
			case 0:
				p.seen[at] = ledger.Minute{}
			case 1:
				at = p.merge(at, min(n-1, at+rapid.IntRange(1, 6).Draw(t, "gap")))
			}
			at++
		}
		var most float64
		for i, m := range p.seen {
			if m.Known && !p.covered[i] {
				most = max(most, m.Total)
			}
		}
		for i, m := range p.seen { // what Bounds assumes of a minute that nobody saw
			if !m.Known && !p.covered[i] {
				total := min(p.truth[i].Total, most)
				p.truth[i] = ledger.Of(total, min(p.truth[i].Bad, total))
			}
		}
		return p
	})
}

// merge has the events of a span seen at its end.
func (p *past) merge(from, to int) int {
	var s ledger.Sum
	for i := from; i < to; i++ {
		s = s.Add(p.truth[i])
		p.seen[i], p.covered[i] = ledger.Minute{}, true
	}
	s = s.Add(p.truth[to])
	p.covered[to] = true
	p.seen[to] = ledger.Of(s.Total, s.Bad)
	p.lumps = append(p.lumps, ledger.Lump{From: int64(from), To: int64(to), Total: s.Total, Bad: s.Bad})
	return to
}

// bounds of the window that is the minutes from from to to.
func (p *past) bounds(from, to int) (low, high ledger.Sum, certainly bool) {
	var counted ledger.Sum
	var largest float64
	unknown := 0
	for i := from; i < to; i++ {
		m := p.seen[i]
		counted = counted.Add(m)
		if m.Known && !p.covered[i] {
			largest = max(largest, m.Total)
		}
		if !m.Known && !p.covered[i] {
			unknown++
		}
	}
	// What is the most in any known minute of the whole bounds every window.
	for i, m := range p.seen {
		if m.Known && !p.covered[i] {
			largest = max(largest, m.Total)
		}
	}
	certain, cut := ledger.Apart(counted, int64(from), int64(to), p.lumps)
	low, high = ledger.Bounds(certain, unknown, largest, cut)
	return low, high, unknown == 0 && len(cut) == 0
}

func TestTheTruthLiesWithinTheBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pasts().Draw(t, "past")
		from := rapid.IntRange(0, len(p.truth)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(p.truth)).Draw(t, "to")
		var truth ledger.Sum
		for _, m := range p.truth[from:to] {
			truth = truth.Add(m)
		}
		low, high, certainly := p.bounds(from, to)
		const o = burn.Objective(0.99)
		l, v, h := o.BudgetLeft(low), o.BudgetLeft(truth), o.BudgetLeft(high)
		if math.IsNaN(l) || math.IsNaN(h) || math.IsInf(l, 0) {
			t.Fatalf("the budget left is from %v to %v", l, h)
		}
		if v < l-1e-9 || v > h+1e-9 {
			t.Fatalf("%v of the budget is left, said to be from %v to %v (%+v)", v, l, h, p)
		}
		if certainly && (low.Total != truth.Total || low.Bad != truth.Bad || low != high) {
			t.Fatalf("everything is known, %+v, but the bounds are %+v and %+v", truth, low, high)
		}
	})
}

func TestNothingKnownIsAllOrNothing(t *testing.T) {
	low, high := ledger.Bounds(ledger.Sum{}, 60, 0, nil)
	if burn.SLI(low) != 0 || burn.SLI(high) != 1 {
		t.Errorf("the SLI is from %v to %v, want from 0 to 1", burn.SLI(low), burn.SLI(high))
	}
}

func TestALumpAtTheEdgeIsInOrOut(t *testing.T) {
	// 100 events, 30 of them bad, in an outage that began before the window.
	lump := ledger.Lump{From: 90, To: 110, Total: 100, Bad: 30}
	counted := ledger.Sum{Total: 1100, Bad: 30, Known: 40}
	certain, cut := ledger.Apart(counted, 100, 200, []ledger.Lump{lump})
	low, high := ledger.Bounds(certain, 0, 50, cut)
	if low.Bad != 30 || low.Total != 1030 || high.Bad != 0 || high.Total != 1070 {
		t.Errorf("the bounds are %+v and %+v", low, high)
	}
	if _, cut := ledger.Apart(counted, 80, 200, []ledger.Lump{lump}); len(cut) != 0 {
		t.Errorf("a lump inside the window is cut: %v", cut)
	}
}

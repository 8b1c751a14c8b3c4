package slo

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// TestTheIntervalInMemoryHoldsTheTruth: what is folded minute by minute bounds
// what happened, as what is read from the ledger does.
func TestTheIntervalInMemoryHoldsTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &Definition{Objective: 0.95, Period: time.Hour, Counting: rapid.SampledFrom([]budgeting.Counting{
			{}, {Method: budgeting.Timeslices, Slice: 1, Target: 0.9}, {Method: budgeting.Timeslices, Slice: 5, Target: 0.9},
			{Method: budgeting.RatioTimeslices, Slice: 4},
		}).Draw(t, "counting")}
		first := d.Counting.Start(29_000_000 + rapid.Int64Range(0, 120).Draw(t, "first"))
		truth, events, lumps, whole := pasts(t, first)
		n := int64(len(truth))
		m := &member{track: track{def: d}}
		for at := first; at < first+n; {
			x := minutes{From: at + rapid.Int64Range(0, 40).Draw(t, "until an exclusion")}
			if x.To = min(first+n, x.From+rapid.Int64Range(1, 9).Draw(t, "excluded")); x.Len() > 0 {
				m.excluded = append(m.excluded, x)
			}
			at = max(x.To, at+1) + 1
		}
		view, seen := counted(d, first, truth, m.excluded), counted(d, first, events, m.excluded)
		m.doubt.begun = first - 1 // the objective is older than what is looked at
		m.doubtPast(History{Minutes: events, Lumps: lumps}, seen, first, first+n)
		m.doubt.peaks[0] = max(m.doubt.peaks[0], 5) // what is assumed of the minutes that nobody saw

		span := ledger.Between(first+rapid.Int64Range(0, n-1).Draw(t, "from"), first+n)
		var want, sum ledger.Sum
		for at := span.From; at < span.To; at++ {
			want, sum = want.Add(view[at-first]), sum.Add(seen[at-first])
		}
		low, high := m.doubt.bounds(d, sum, span, nil)
		l, v, h := d.Objective.BudgetLeft(low), d.Objective.BudgetLeft(want), d.Objective.BudgetLeft(high)
		if !(l <= v+1e-9 && v <= h+1e-9) || math.IsInf(l, 0) {
			t.Fatalf("%v of the budget is left, said to be from %v to %v; %+v", v, l, h, m.doubt)
		}
		if whole && l != h {
			t.Fatalf("all is known: budget from %v to %v", l, h)
		}
	})
}

func TestWhatWasBeforeTheBeginningIsNotUnknown(t *testing.T) {
	for _, c := range []budgeting.Counting{{}, {Method: budgeting.Timeslices, Slice: 5, Target: 0.9}} {
		d := &Definition{Objective: 0.9, Period: time.Hour, Counting: c}
		m := &member{track: track{def: d}, excluded: []minutes{ledger.Between(1000, 1010)}}
		events := make([]ledger.Minute, 60) // the first half of the hour it was not there
		for i := 30; i < 60; i++ {
			events[i] = ledger.Of(10, 0)
		}
		h := History{Minutes: events}
		span := ledger.Between(1000, 1060)
		seen := make([]ledger.Minute, 60)
		for _, missing := range [][]minutes{nil, {ledger.Between(1000, 1020)}} {
			m.doubt.begun = h.begun(1000)
			var s budgeting.Slicer
			var sum ledger.Sum
			for i := range events {
				seen[i], s = m.next(s, 1000+int64(i), events[i])
				sum = sum.Add(seen[i])
			}
			m.doubtPast(h, seen, 1000, 1060)
			low, high := m.doubt.bounds(d, sum, span, missing)
			if known := low == high; known != (missing == nil) {
				t.Errorf("slices of %d, missing %v: from %+v to %+v", c.Slice, missing, low, high)
			}
			if missing != nil && low.Bad < 3 {
				t.Errorf("slices of %d: what is still to be read may be bad, and is taken for %+v", c.Slice, low)
			}
		}
	}
}

func TestManyHolesAreBoundedAndStillDoubted(t *testing.T) {
	d := &Definition{Objective: 0.9, Period: 24 * time.Hour}
	m := &member{track: track{def: d}}
	m.doubt.begun = 1
	events := make([]ledger.Minute, 3*mostDoubts)
	var lumps []ledger.Lump
	var sum ledger.Sum
	for i := range events {
		if i%3 != 1 { // every third minute is seen with the one after it
			events[i] = ledger.Of(10, 1)
			sum = sum.Add(events[i])
		}
		if i%3 == 2 {
			lumps = append(lumps, ledger.Lump{From: int64(1000 + i - 2), To: int64(1000 + i), Total: 10, Bad: 1})
		}
	}
	m.doubtPast(History{Minutes: events, Lumps: append(lumps, ledger.Lump{From: 1000, To: 1002, Total: 1})}, events, 1000, 1000+int64(len(events)))
	if n := len(m.doubt.holes); n > mostDoubts {
		t.Errorf("%d holes are kept", n)
	}
	low, high := m.doubt.bounds(d, sum, ledger.Between(1000, 1000+int64(len(events))), nil)
	if low.Bad < sum.Bad || high.Bad > sum.Bad {
		t.Errorf("%+v is counted, said to be from %+v to %+v", sum, low, high)
	}
}

// Package budgeting says what an error budget counts, and over which time.
//
// A Counting turns the minutes of the ledger, which hold events, into what the
// budget of an objective counts: the events themselves, or whole time slices. A
// Period says where the window of an objective begins, rolling or aligned with
// the calendar. Both are views: nothing of what they say is kept. The package is
// pure; it has no clock and does no I/O.
package budgeting

import (
	"math"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// Method is how a budget is counted, in the words of OpenSLO.
type Method string

// The methods. The zero Method is Occurrences.
const (
	// Occurrences counts events: the ratio of good events to all.
	Occurrences Method = "Occurrences"
	// Timeslices counts slices of time: a slice is good where the ratio of its
	// good events to all reaches the target of a slice.
	Timeslices Method = "Timeslices"
	// RatioTimeslices averages: every slice counts the same, and is as good as
	// the ratio of its good events to all.
	RatioTimeslices Method = "RatioTimeslices"
)

// LongestSlice is the longest time slice, in minutes: a day.
const LongestSlice = 24 * 60

// Counting is what a budget counts. Slices are aligned with 1970 UTC, so that
// those that divide an hour begin with the hour, and those that divide a day
// with the day in UTC. The zero Counting counts events.
type Counting struct {
	Method Method  `json:"method,omitempty"`
	Slice  int64   `json:"slice,omitempty"`  // minutes
	Target float64 `json:"target,omitempty"` // of a slice; for Timeslices
}

// Slicer is what is known of the slice under way. It is zero where a slice
// begins.
type Slicer struct {
	Total float64 `json:"total,omitempty"`
	Bad   float64 `json:"bad,omitempty"`
	Known int     `json:"known,omitempty"` // minutes with data
}

// Sliced reports whether time slices are counted rather than events.
func (c Counting) Sliced() bool { return c.Method == Timeslices || c.Method == RatioTimeslices }

// Start is the first minute of the slice that holds minute. Where events are
// counted, that is the minute itself.
func (c Counting) Start(minute int64) int64 {
	if !c.Sliced() || c.Slice <= 1 {
		return minute
	}
	return minute - floorMod(minute, c.Slice)
}

// Next returns what the budget counts at a minute of which m was counted, and
// what is then known of the slice under way. Minutes must come in order.
//
// A slice counts as one event at its last minute. Its other minutes count
// nothing, and are as known as they were. A slice without data counts nothing
// and is not known; one without events is good, since nothing in it was bad.
func (c Counting) Next(s Slicer, minute int64, m ledger.Minute) (ledger.Minute, Slicer) {
	if !c.Sliced() {
		return m, Slicer{}
	}
	first := c.Start(minute)
	if minute == first {
		s = Slicer{}
	}
	if m.Known {
		s = Slicer{s.Total + m.Total, s.Bad + m.Bad, s.Known + 1}
	}
	if minute < first+c.Slice-1 {
		return ledger.Minute{Known: m.Known}, s
	}
	if s.Known == 0 {
		return ledger.Minute{}, Slicer{}
	}
	return ledger.Minute{Total: 1, Bad: c.bad(s), Known: true}, Slicer{}
}

// View is what the budget counts over minutes, of which the first has the index
// first and begins a slice.
func (c Counting) View(first int64, minutes []ledger.Minute) []ledger.Minute {
	if !c.Sliced() {
		return minutes
	}
	view := make([]ledger.Minute, len(minutes))
	var s Slicer
	for i, m := range minutes {
		view[i], s = c.Next(s, first+int64(i), m)
	}
	return view
}

// grain is the step in which parts of a slice are counted. It is a power of two
// so that sums and differences of slices are exact.
const grain = 1 << 32

// bad is how much of a slice is bad, from 0 to 1.
func (c Counting) bad(s Slicer) float64 {
	switch {
	case s.Total <= 0 || s.Bad <= 0:
		return 0
	case c.Method == RatioTimeslices:
		return min(1, math.Round(s.Bad/s.Total*grain)/grain)
	case reaches(s.Total, s.Bad, c.Target):
		return 0
	}
	return 1
}

// decimals is the finest target that is compared without rounding.
const decimals = 1e9

// reaches reports whether the share of good events is at least the target, a
// decimal that a person wrote: 95 of 100 reach 0.95. For whole counts both sides
// of the comparison are whole numbers.
func reaches(total, bad, target float64) bool {
	allowed := (1 - target) * decimals
	if whole := math.Round(allowed); math.Abs(allowed-whole) < 1e-3 {
		allowed = whole
	}
	return bad*decimals <= total*allowed
}

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }

func floorDiv(a, b int64) int64 { return (a - floorMod(a, b)) / b }

// Package increase turns the raw samples of counters into what was counted in
// each minute.
//
// It follows one series at a time: the difference of two samples is counted in
// the minute in which the later one arrives, a value that fell began anew at
// zero, and a series that appears counts from zero only where its target was
// seen without it. Nothing is extrapolated or spread, so that the minutes of
// consecutive spans add up to what the samples showed. The package reads nothing
// by itself: samples come from the embedded store or from a remote one.
package increase

import (
	"math"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// A pause between two samples is a gap when it is longer than shortestGap and
// than three usual intervals; longer than LongestInterval it always is.
const (
	shortestGap     = 2 * time.Minute
	usualIntervals  = 3
	LongestInterval = 15 * time.Minute
)

// State is what is remembered of a series between two samples. Its zero value is
// a series of which nothing was seen.
type State struct {
	T     int64   // of the latest sample, in Unix milliseconds; 0 before the first
	V     float64 // its value
	Stale int64   // when the series was marked as gone after it; 0 where it was not

	last, before int64 // the two latest intervals, in milliseconds
}

// Seen reports whether the series had a sample.
func (s *State) Seen() bool { return s.T != 0 }

// Appearance is a sample before which the series was not there, or may not have
// been.
type Appearance struct {
	At     int64 // of the sample, in Unix milliseconds
	Last   int64 // of the latest sample before it; 0 for a series that is seen first
	Marked bool  // as gone since Last; otherwise only a sample is missing
	Fell   bool  // its value is lower than at Last
}

// Birth says what is known of an appearance.
type Birth struct {
	// New says that the counter began at zero after Since: its target was scraped
	// then and did not have it.
	New   bool
	Since int64 // Unix milliseconds

	// Moved says that the process is not new: it was scraped at Since under other
	// labels, and its counter stood at Base.
	Moved bool
	Base  float64

	unseen bool // the target was not seen since, or never
}

// Step is what one sample adds. It happened after From and not after To, both
// in Unix milliseconds.
type Step struct {
	From, To int64
	Value    float64
	Gap      bool // nothing was seen for so long that the minutes between are unknown
	Reset    bool // the counter began anew in the meantime
	Fell     bool // it shows that by being lower than before
	Moved    bool // its process was scraped elsewhere before, as far as can be told now
}

// Add takes the next sample. ok is false where it adds nothing and says nothing:
// a mark that the series is gone, or a sample that is not later than the last.
// appear is asked about samples before which the series was not there: it is new,
// was marked as gone, or a sample is missing. A value that no counter has is an
// Invalid fault.
func (s *State) Add(t int64, v float64, appear func(Appearance) Birth) (step Step, ok bool, err error) {
	if value.IsStaleNaN(v) {
		if s.Seen() && s.Stale == 0 && t > s.T {
			s.Stale = t
		}
		return Step{}, false, nil
	}
	if !(v >= 0) || math.IsInf(v, 1) {
		return Step{}, false, notACounter(v)
	}
	if s.Seen() && t <= s.T {
		return Step{}, false, nil
	}
	if v > 0 && (!s.Seen() || s.Stale != 0 || s.Missed(t)) {
		if b := appear(Appearance{At: t, Last: s.T, Marked: s.Stale != 0, Fell: v < s.V}); b.New {
			step = Step{From: b.Since, To: t, Value: v - b.Base, Reset: s.Seen() && !b.Moved, Moved: b.Moved}
			step.Gap = t-b.Since > s.gapAfter()
			s.move(t, v)
			return step, true, nil
		}
	}
	if !s.Seen() {
		s.move(t, v)
		return Step{From: t, To: t}, true, nil
	}
	step = Step{From: s.T, To: t, Value: v - s.V, Gap: t-s.T > s.gapAfter()}
	if v < s.V {
		step.Value, step.Reset, step.Fell = v, true, true
	}
	s.move(t, v)
	return step, true, nil
}

// move takes a sample for the latest one. The time that a series was marked as
// gone is no interval; what only samples tell is the same whoever follows it, and
// whatever he knows of targets.
func (s *State) move(t int64, v float64) {
	if s.Seen() && s.Stale == 0 {
		s.last, s.before = t-s.T, s.last
	}
	s.T, s.V, s.Stale = t, v, 0
}

// gapAfter is the longest pause after the latest sample that is no gap.
func (s *State) gapAfter() int64 {
	usual := s.last
	if s.before != 0 {
		usual = min(usual, s.before)
	}
	return min(max(shortestGap.Milliseconds(), usualIntervals*usual), LongestInterval.Milliseconds())
}

// Follow takes the next sample of a series as Add does, with a witness to ask.
func (s *State) Follow(t int64, v float64, ls labels.Labels, w *Witness) (step Step, ok bool, err error) {
	if t > s.T && s.Usual(t) && !s.Missed(t) && v >= s.V && v <= math.MaxFloat64 { // nearly always
		step = Step{From: s.T, To: t, Value: v - s.V}
		s.move(t, v)
		return step, true, nil
	}
	return s.Add(t, v, func(a Appearance) Birth { return w.Birth(ls, a) })
}

// Usual reports whether a sample at t would follow the latest one without a gap
// and without the series having been away, so that nothing need be asked.
func (s *State) Usual(t int64) bool {
	return s.Seen() && s.Stale == 0 && t-s.T <= s.gapAfter()
}

// Missed reports whether a sample may be missing before one at t, given the usual
// interval. A series of which one sample was seen has none yet.
func (s *State) Missed(t int64) bool {
	usual := s.last
	if s.before != 0 {
		usual = min(usual, s.before)
	}
	return s.Seen() && 2*(t-s.T) > 3*usual
}

// Experienced reports whether the state knows enough of the past to go on
// without it.
func (s *State) Experienced() bool { return s.before != 0 }

// notACounter names a value that counters do not have.
func notACounter(v float64) *fault.Error {
	fix := text.Say("select a counter: a number of events that only grows and never is negative",
		"カウンター（増え続け、負にならないイベント数）を選択してください")
	switch {
	case math.IsNaN(v):
		return fault.New(fault.Invalid, "metrics.counter_nan", text.Say(
			"a counter has the value NaN", "カウンターの値が NaN です")).Fix(fix)
	case math.IsInf(v, 0):
		return fault.New(fault.Invalid, "metrics.counter_infinite", text.Say(
			"a counter has an infinite value", "カウンターの値が無限大です")).Fix(fix)
	}
	return fault.New(fault.Invalid, "metrics.counter_negative", text.Say(
		"a counter has the negative value %g", "カウンターの値が負（%g）です", v)).Fix(fix)
}

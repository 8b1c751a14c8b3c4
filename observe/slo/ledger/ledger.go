// Package ledger holds what one service level objective counted, minute by
// minute, and packs an hour of it into a few dozen bytes.
//
// It is pure: no clock, no database, no knowledge of objectives. A minute is
// named by its index, the number of whole minutes since 1970 UTC; minute m
// covers the instants after m·60 s up to and including (m+1)·60 s, as a
// Prometheus range of one minute that ends there does.
package ledger

import (
	"math"
	"time"
)

// MinutesPerHour is how many minutes one packed hour holds.
const MinutesPerHour = 60

// noise is the share of total under which a difference of two measured sums is
// the rounding of their floating point, not an event.
const noise = 1e-9

// Minute is what was counted in one minute. Bad is kept rather than good
// because it is nought most of the time; good is Total − Bad. A minute that is
// not Known had no data: it is neither good nor bad, and its counts are 0.
type Minute struct {
	Total, Bad float64
	Known      bool
}

// Hour is sixty consecutive minutes, the first at a multiple of sixty.
type Hour [MinutesPerHour]Minute

// Sum is what several minutes amount to. Known counts the minutes with data.
type Sum struct {
	Total, Bad float64
	Known      int
}

// Good is the number of good events.
func (s Sum) Good() float64 { return s.Total - s.Bad }

// Add returns the sum with one more minute.
func (s Sum) Add(m Minute) Sum {
	if !m.Known {
		return s
	}
	return Sum{s.Total + m.Total, s.Bad + m.Bad, s.Known + 1}
}

// Take returns the sum without a minute that it holds.
func (s Sum) Take(m Minute) Sum {
	if !m.Known {
		return s
	}
	return Sum{s.Total - m.Total, s.Bad - m.Bad, s.Known - 1}
}

// Plus returns the sum of both.
func (s Sum) Plus(o Sum) Sum {
	return Sum{s.Total + o.Total, s.Bad + o.Bad, s.Known + o.Known}
}

// Of returns a known minute with the given counts in the precision that the
// ledger keeps: whole numbers up to 2⁵³ as they are, others to 24 significant
// bits (a relative error under 6·10⁻⁸). A bad count that is only the rounding
// of two sums is 0, and it is never more than the total. A count that is
// negative, infinite or not a number makes the minute unknown, since nothing is
// known from it.
func Of(total, bad float64) Minute {
	if !countable(total) || math.IsNaN(bad) || math.IsInf(bad, 0) {
		return Minute{}
	}
	if bad <= total*noise {
		bad = 0
	}
	total = Round(total)
	return Minute{Total: total, Bad: min(Round(bad), total), Known: true}
}

func countable(v float64) bool { return v >= 0 && v <= math.MaxFloat32 }

// Round returns v in the precision that the ledger keeps.
func Round(v float64) float64 {
	if whole(v) {
		return v
	}
	return float64(float32(v))
}

func whole(v float64) bool { return v == math.Trunc(v) && math.Abs(v) <= 1<<53 }

// Sum adds the minutes of the hour.
func (h *Hour) Sum() Sum {
	var s Sum
	for _, m := range h {
		s = s.Add(m)
	}
	return s
}

// At is the index of the minute that holds t as its interior or its end.
func At(t time.Time) int64 {
	sec := t.Unix()
	if sec%60 == 0 && t.Nanosecond() == 0 {
		return sec/60 - 1
	}
	return sec / 60
}

// Done is the number of minutes that were over at t: the index of the first
// minute that is not.
func Done(t time.Time) int64 { return t.Unix() / 60 }

// Start is the instant at which minute m begins.
func Start(m int64) time.Time { return time.Unix(m*60, 0).UTC() }

// End is the instant at which minute m is over, which is when its range query
// is evaluated.
func End(m int64) time.Time { return Start(m + 1) }

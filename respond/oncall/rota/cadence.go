package rota

import (
	"iter"
	"time"

	"github.com/teiten/teiten/kit/recur"
)

// Unit is what the length of a turn is counted in.
type Unit string

// The units of a turn.
const (
	Hourly  Unit = "hourly"
	Daily   Unit = "daily"
	Weekly  Unit = "weekly"
	Monthly Unit = "monthly"
)

// Units are all units, the shortest first.
var Units = []Unit{Hourly, Daily, Weekly, Monthly}

// minutesOf is the length of a unit on the wall clock; a month has none.
var minutesOf = map[Unit]int64{Hourly: 60, Daily: 24 * 60, Weekly: 7 * 24 * 60}

// Cadence is when a rotation hands over: every so many units, as the wall clock
// of its zone shows them, from the first handoff on. Where the clock is put
// forward over a handoff, it happens as the clock jumps; where a time comes
// twice, at the first. A monthly handoff on a day that a month does not have is
// on the last that it has.
type Cadence struct {
	Unit  Unit
	Every int // of the unit; 1 where it is 0
	First recur.Local
	Zone  *time.Location
}

// Turn is the time between one handoff and the next. Number counts from 0 at the
// first handoff. Turns are never empty: where the clock jumps over several
// handoffs at once, only the last of them begins a turn.
type Turn struct {
	Number   int64
	From, To time.Time
}

// Handoff is the instant of the handoff of a given number.
func (c Cadence) Handoff(number int64) time.Time { return c.local(number).In(c.Zone) }

// local is the same on the wall clock.
func (c Cadence) local(number int64) recur.Local {
	every := int64(max(c.Every, 1))
	if c.Unit != Monthly {
		return c.First + recur.Local(number*every*minutesOf[c.Unit])
	}
	year, month, day := c.First.Date()
	first := recur.LocalAt(year, month+time.Month(number*every), 1, 0, 0)
	y, m, _ := first.Date()
	last := recur.LocalAt(y, m+1, 0, 0, 0)
	_, _, days := last.Date()
	return recur.LocalAt(y, m, min(day, days), 0, 0) + c.First - recur.LocalAt(year, month, day, 0, 0)
}

// Number is the number of the turn under way at an instant, negative before the
// first handoff.
func (c Cadence) Number(at time.Time) int64 {
	n := c.guess(recur.LocalOf(at, c.Zone))
	// The guess goes by the wall clock, which may show a time that it has shown
	// before; then later handoffs have happened already.
	for !c.Handoff(n + 1).After(at) {
		n++
	}
	return n
}

// guess is the last handoff that is not after a time on the wall clock.
func (c Cadence) guess(now recur.Local) int64 {
	every := int64(max(c.Every, 1))
	if c.Unit != Monthly {
		return floorDiv(int64(now-c.First), every*minutesOf[c.Unit])
	}
	y0, m0, _ := c.First.Date()
	y1, m1, _ := now.Date()
	n := floorDiv(int64(y1-y0)*12+int64(m1-m0), every)
	if c.local(n) > now {
		n--
	}
	return n
}

// Turns are the turns that have a part in [from, to), in order. They follow one
// another without a pause.
func (c Cadence) Turns(from, to time.Time) iter.Seq[Turn] {
	return func(yield func(Turn) bool) {
		clock := wallClock{zone: c.Zone}
		t := Turn{Number: c.Number(from)}
		t.From = clock.instant(c.local(t.Number))
		for t.From.Before(to) {
			t.To = clock.instant(c.local(t.Number + 1))
			if t.From.Before(t.To) && !yield(t) {
				return
			}
			t.Number++
			t.From = t.To
		}
	}
}

// about is how many turns have a part in a time, or a few more.
func (c Cadence) about(from, to time.Time) int {
	length := minutesOf[c.Unit]
	if c.Unit == Monthly {
		length = 28 * 24 * 60
	}
	return int(to.Sub(from).Minutes())/int(length*int64(max(c.Every, 1))) + 3
}

// wallClock turns many local times into instants. It remembers a stretch in which
// the clock is not changed.
type wallClock struct {
	zone     *time.Location
	from, to int64 // Unix seconds in which the offset holds, and no time comes twice
	offset   int64
}

// apart is how far from a change of the clock no local time is shown twice: no
// zone was ever put back by more than a day.
const apart = 25 * 60 * 60

func (w *wallClock) instant(l recur.Local) time.Time {
	at := int64(l)*60 - w.offset
	if at >= w.from && at < w.to {
		return time.Unix(at, 0).UTC()
	}
	t := l.In(w.zone)
	_, offset := t.Zone()
	w.offset = int64(offset)
	start, end := t.ZoneBounds()
	w.from, w.to = earliest, latest
	if !start.IsZero() {
		w.from = start.Unix() + apart
	}
	if !end.IsZero() {
		w.to = end.Unix()
	}
	return t.UTC()
}

const (
	earliest = -1 << 62
	latest   = 1<<62 - 1
)

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

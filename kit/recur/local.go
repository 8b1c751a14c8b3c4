// Package recur says when things recur on the wall clock of a place: a schedule
// by a subset of the recurrence rules of RFC 5545, and the hours of a week.
//
// What recurs is written in local time and happens at an instant. A local time
// that does not exist, because clocks are put forward, moves to the first instant
// after the gap; one that comes twice is taken the first time. The package is
// pure: it reads no clock and does no I/O, apart from the time zones that Go
// knows.
package recur

import (
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/text"
)

const (
	perHour = 60
	perDay  = 24 * perHour
)

// Local is a time on the wall clock, in minutes since 1970-01-01T00:00 there. It
// becomes an instant only with a zone.
type Local int64

// LocalAt is the local time of a date and time. Values beyond their range count
// on, as in time.Date: the 32nd of January is the 1st of February.
func LocalAt(year int, month time.Month, day, hour, minute int) Local {
	return Local(time.Date(year, month, day, hour, minute, 0, 0, time.UTC).Unix() / 60)
}

// LocalOf is what the wall clock in zone shows at t, without its seconds.
func LocalOf(t time.Time, zone *time.Location) Local {
	_, offset := t.In(zone).Zone()
	return Local(floorDiv(t.Unix()+int64(offset), 60))
}

// ParseLocal reads "2026-11-01T02:00", "2026-11-01 02:00" or "2026-11-01", which
// is its first minute.
func ParseLocal(s string) (Local, error) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil && t.Second() == 0 {
			return Local(t.Unix() / 60), nil
		}
	}
	return 0, &Error{
		What:   text.Say("%q is not a local date and time", "%q は現地の日時として読み取れません", shorten(s)),
		Remedy: text.Say("write it as 2026-11-01T02:00, without an offset", "2026-11-01T02:00 のように、時差を付けずに書いてください"),
	}
}

// String writes the time as ParseLocal reads it.
func (l Local) String() string { return l.utc().Format("2006-01-02T15:04") }

// Date is the date on the wall clock.
func (l Local) Date() (year int, month time.Month, day int) { return l.utc().Date() }

// Midnight is the first minute of the day.
func (l Local) Midnight() Local { return Local(l.day() * perDay) }

// utc is the same date and time in UTC, whose calendar it shares.
func (l Local) utc() time.Time { return time.Unix(int64(l)*60, 0).UTC() }

// day is the number of the day since 1970-01-01.
func (l Local) day() int64 { return floorDiv(int64(l), perDay) }

// In is the instant at which the wall clock in zone shows l: the first one where
// it does so twice, and the first instant after the gap where it never does.
func (l Local) In(zone *time.Location) time.Time {
	wall := int64(l) * 60
	u := l.utc()
	// Date is right, or off by the one transition that is near.
	near := time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), 0, 0, zone)
	start, end := near.ZoneBounds()
	first := time.Time{}
	for _, t := range []time.Time{near, justBefore(start), end} {
		if t.IsZero() {
			continue
		}
		_, offset := t.Zone()
		c := time.Unix(wall-int64(offset), 0).In(zone)
		if _, o := c.Zone(); o == offset && (first.IsZero() || c.Before(first)) {
			first = c
		}
	}
	if !first.IsZero() {
		return first
	}
	for _, transition := range []time.Time{start, end} {
		if transition.IsZero() {
			continue
		}
		_, before := justBefore(transition).Zone()
		_, after := transition.Zone()
		if at := transition.Unix(); at+int64(before) <= wall && wall < at+int64(after) {
			return transition
		}
	}
	return near // cannot be: a local time is there once, twice, or in a gap
}

func justBefore(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(-time.Second)
}

// Error is what is wrong with a rule or a time as it was written. Offset is the
// byte of the text at which it is.
type Error struct {
	Offset       int
	What, Remedy text.Both
}

// Error writes the fault in English, for logs.
func (e *Error) Error() string {
	return fmt.Sprintf("at %d: %s — %s", e.Offset+1, e.What.EN, e.Remedy.EN)
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

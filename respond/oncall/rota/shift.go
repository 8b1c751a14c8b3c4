package rota

import (
	"slices"
	"time"
)

// Shift is a time in which the same people are on call, To not included. Without
// users it is a gap. Source says where they come from.
type Shift struct {
	From, To time.Time
	Users    []string
	Source   Source

	begun time.Time // of the turn that it is, or is a part of
}

// Source names what put somebody on call: the version of the schedule and its
// layer, by its place and its name, and the overrides that changed it, in order.
type Source struct {
	Version   int // 0 where no version was in force
	Layer     int // -1 where it is no layer
	Name      string
	Overrides []string
}

// Gap reports whether nobody is on call.
func (s Shift) Gap() bool { return len(s.Users) == 0 }

// cut is the part of a shift that lies in [from, to).
func (s Shift) cut(from, to time.Time) Shift {
	s.From, s.To = later(s.From, from), earlier(s.To, to)
	return s
}

// tiles reports whether shifts leave nothing of a time to what is below them.
func tiles(shifts []Shift, from, to time.Time) bool {
	at := from
	for i := range shifts {
		if shifts[i].Gap() || shifts[i].From.After(at) {
			return false
		}
		at = shifts[i].To
	}
	return !at.Before(to)
}

// cover lays shifts on top of others: where one of top has users, it replaces
// what is below. Both are in order and apart from one another, and so is the
// result; below tiles its time, and so does the result.
func cover(below, top []Shift) []Shift {
	out := make([]Shift, 0, len(below)+len(top))
	i := 0
	for _, b := range below {
		at := b.From
		for i < len(top) && !top[i].To.After(b.From) {
			i++
		}
		for j := i; j < len(top) && top[j].From.Before(b.To); j++ {
			if top[j].Gap() {
				continue
			}
			if t := top[j].cut(b.From, b.To); t.From.Before(t.To) {
				if at.Before(t.From) {
					out = append(out, b.cut(at, t.From))
				}
				out = append(out, t)
				at = t.To
			}
		}
		if at.Before(b.To) {
			out = append(out, b.cut(at, b.To))
		}
	}
	return joined(out)
}

// joined makes one of the neighbours that are parts of one shift.
func joined(shifts []Shift) []Shift {
	n := 0 // how many there are, the last of which may go on
	for i := range shifts {
		switch {
		case n > 0 && shifts[n-1].continues(&shifts[i]):
			shifts[n-1].To = shifts[i].To
		case n < i:
			shifts[n] = shifts[i]
			n++
		default:
			n++
		}
	}
	return shifts[:n]
}

// continues reports whether the next shift is more of the same one.
func (s *Shift) continues(next *Shift) bool {
	return s.To.Equal(next.From) && s.begun.Equal(next.begun) && s.Source.Layer == next.Source.Layer &&
		slices.Equal(s.Users, next.Users) && slices.Equal(s.Source.Overrides, next.Source.Overrides)
}

// split cuts shifts at two instants, so that each is either inside or outside.
func split(shifts []Shift, from, to time.Time) []Shift {
	out := make([]Shift, 0, len(shifts)+2)
	for _, s := range shifts {
		for _, at := range []time.Time{from, to} {
			if s.From.Before(at) && at.Before(s.To) {
				out = append(out, s.cut(s.From, at))
				s = s.cut(at, s.To)
			}
		}
		out = append(out, s)
	}
	return out
}

package rota

import (
	"slices"
	"sort"
	"time"

	"github.com/teiten/teiten/kit/recur"
)

// Participant is who takes a turn: one person, or several together. From is the
// first moment on the wall clock at which they take part, Until the first at
// which they no longer do; zero is no limit.
type Participant struct {
	Users       []string
	From, Until recur.Local
}

// Rotation hands duty from one participant to the next, in their order. Whoever
// joins takes a turn when it comes to them; where somebody leaves during a turn,
// the next one takes over at once and keeps it until the handoff.
//
// A Rotation is made by NewRotation and does not change.
type Rotation struct {
	cadence      Cadence
	participants []Participant
	stints       []stint
}

// stint is a time in which the same participants take part.
type stint struct {
	from   time.Time
	turn   int64 // under way at from
	active []int // participants, in order
	holder int   // index into active of who has that turn
}

// NewRotation prepares a rotation.
func NewRotation(c Cadence, participants []Participant) *Rotation {
	c.Every = max(c.Every, 1)
	r := &Rotation{cadence: c, participants: participants}
	last := -1
	for _, at := range r.changes() {
		s := stint{from: at, turn: c.Number(at)}
		for i, p := range participants {
			if p.takesPart(at, c.Zone) {
				s.active = append(s.active, i)
			}
		}
		if len(s.active) > 0 {
			s.holder = next(s.active, last)
		}
		if n := len(r.stints); n > 0 && len(r.stints[n-1].active) > 0 {
			before := &r.stints[n-1]
			holder := before.active[before.place(s.turn)]
			last = holder
			if i := slices.Index(s.active, holder); i >= 0 {
				s.holder = i
			} else if len(s.active) > 0 {
				s.holder = next(s.active, holder)
			}
		}
		r.stints = append(r.stints, s)
	}
	return r
}

// changes are the moments, from the first handoff on, at which somebody joins or
// leaves.
func (r *Rotation) changes() []time.Time {
	first := r.cadence.Handoff(0)
	all := []time.Time{first}
	for _, p := range r.participants {
		for _, l := range []recur.Local{p.From, p.Until} {
			if l == 0 {
				continue
			}
			if at := l.In(r.cadence.Zone); at.After(first) {
				all = append(all, at)
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

func (p Participant) takesPart(at time.Time, zone *time.Location) bool {
	return (p.From == 0 || !p.From.In(zone).After(at)) && (p.Until == 0 || p.Until.In(zone).After(at))
}

// next is the place in active of the first participant after one of all.
func next(active []int, after int) int {
	for i, p := range active {
		if p > after {
			return i
		}
	}
	return 0
}

// place is the place in active of who has a turn.
func (s *stint) place(turn int64) int {
	n := int64(len(s.active))
	return int((int64(s.holder) + (turn-s.turn)%n + n) % n)
}

// At is who has the turn at an instant, and nobody before the first handoff or
// where nobody takes part.
func (r *Rotation) At(t time.Time) []string {
	i := sort.Search(len(r.stints), func(i int) bool { return r.stints[i].from.After(t) }) - 1
	if i < 0 || len(r.stints[i].active) == 0 {
		return nil
	}
	s := &r.stints[i]
	return r.participants[s.active[s.place(r.cadence.Number(t))]].Users
}

// appendShifts appends the turns between two instants, cut to them, with who has
// them. They follow one another from the first handoff on; where nobody takes
// part, a shift has no users.
func (r *Rotation) appendShifts(out []Shift, from, to time.Time, source Source) []Shift {
	out = slices.Grow(out, r.cadence.about(from, to))
	for i := range r.stints {
		s := &r.stints[i]
		a, b := later(s.from, from), to
		if i+1 < len(r.stints) {
			b = earlier(to, r.stints[i+1].from)
		}
		switch {
		case !a.Before(b):
		case len(s.active) == 0:
			out = append(out, Shift{From: a, To: b, Source: source, begun: s.from})
		default:
			for t := range r.cadence.Turns(a, b) {
				who := r.participants[s.active[s.place(t.Number)]].Users
				out = append(out, Shift{From: later(t.From, a), To: earlier(t.To, b), Users: who, Source: source, begun: t.From})
			}
		}
	}
	return out
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

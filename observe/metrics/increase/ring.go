package increase

import (
	"math"
	"slices"

	"github.com/teiten/teiten/observe/metrics"
)

// RingMinutes is how many minutes a ring remembers.
const RingMinutes = 20

// Ring adds up steps over the latest minutes. Its zero value is empty.
type Ring struct {
	next   int64 // the first minute that nothing was seen of
	values [RingMinutes]float64
	lumps  []metrics.Lump
}

// Take adds a step as Minutes does. What is older than the ring is forgotten.
func (r *Ring) Take(s Step, weight float64) {
	at := metrics.MinuteOf(s.To)
	r.reach(at)
	if !s.Gap {
		for between := max(metrics.MinuteOf(s.From)+1, r.Oldest()); between < at; between++ {
			r.add(between, 0)
		}
	}
	if at < r.Oldest() {
		return
	}
	r.add(at, weight*s.Value)
	if l, ok := lump(s, weight); ok {
		r.lumps = append(r.lumps, l)
	}
}

// reach makes room up to a minute.
func (r *Ring) reach(minute int64) {
	if minute < r.next {
		return
	}
	for m := max(r.next, minute-RingMinutes+1); m <= minute; m++ {
		r.values[m%RingMinutes] = math.NaN()
	}
	r.next = minute + 1
	if len(r.lumps) > 0 {
		oldest := r.Oldest()
		r.lumps = slices.DeleteFunc(r.lumps, func(l metrics.Lump) bool { return l.To < oldest })
	}
}

// Oldest is the first minute that the ring remembers.
func (r *Ring) Oldest() int64 { return r.next - RingMinutes }

func (r *Ring) add(minute int64, v float64) {
	if p := &r.values[minute%RingMinutes]; math.IsNaN(*p) {
		*p = v
	} else {
		*p += v
	}
}

// Copy puts the ring's minutes into m, over what is there.
func (r *Ring) Copy(m *Minutes) {
	for minute := max(m.First, r.Oldest(), 0); minute < min(m.end(), r.next); minute++ {
		if v := r.values[minute%RingMinutes]; !math.IsNaN(v) {
			m.add(minute, v)
		}
	}
	for _, l := range r.lumps {
		if l.To >= m.First && l.To < m.end() {
			m.Lumps = append(m.Lumps, l)
		}
	}
}

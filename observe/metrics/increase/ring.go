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

// recall puts the minutes from from on into dst: NaN where nothing was seen. It
// reports false where the ring does not reach back as far, or holds lumps.
func (r *Ring) recall(from int64, dst []float64) bool {
	if from < r.Oldest() || from < 0 || len(r.lumps) > 0 {
		return false
	}
	for i := range dst {
		if m := from + int64(i); m < r.next {
			dst[i] = r.values[m%RingMinutes]
		} else {
			dst[i] = math.NaN()
		}
	}
	return true
}

func fill(dst []float64, v float64) {
	for i := range dst {
		dst[i] = v
	}
}

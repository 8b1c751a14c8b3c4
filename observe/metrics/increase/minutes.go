package increase

import (
	"math"
	"slices"

	"github.com/teiten/teiten/observe/metrics"
)

// Minutes adds up steps by the minute over one span.
type Minutes struct {
	First  int64 // minute of Values[0]
	Values []float64
	Lumps  []metrics.Lump
	Faults []metrics.Refused
}

// NewMinutes returns the minutes of [from, to), of which nothing is known.
func NewMinutes(from, to int64) *Minutes {
	m := &Minutes{First: from, Values: make([]float64, max(to-from, 0))}
	for i := range m.Values {
		m.Values[i] = math.NaN()
	}
	return m
}

// Take adds a step, times a weight: to the minute in which it was seen. Minutes
// between two samples that follow each other as usual are known to have nothing
// else.
func (m *Minutes) Take(s Step, weight float64) {
	at := metrics.MinuteOf(s.To)
	if !s.Gap {
		for between := max(metrics.MinuteOf(s.From)+1, m.First); between < min(at, m.end()); between++ {
			m.add(between, 0)
		}
	}
	if at < m.First || at >= m.end() {
		return
	}
	m.add(at, weight*s.Value)
	if l, ok := lump(s, weight); ok {
		m.Lumps = append(m.Lumps, l)
	}
}

// known is what was counted in each minute: NaN where a sample was refused.
func (m *Minutes) known() []float64 {
	for _, f := range m.Faults {
		m.Values[f.Minute-m.First] = math.NaN()
	}
	return m.Values
}

// end is the first minute after the span.
func (m *Minutes) end() int64 { return m.First + int64(len(m.Values)) }

func (m *Minutes) add(minute int64, v float64) {
	if p := &m.Values[minute-m.First]; math.IsNaN(*p) {
		*p = v
	} else {
		*p += v
	}
}

// lump is a step across a gap as the span in which it happened.
func lump(s Step, weight float64) (metrics.Lump, bool) {
	if !s.Gap || s.Value == 0 { // nearly always
		return metrics.Lump{}, false
	}
	from, to := metrics.MinuteAfter(s.From), metrics.MinuteOf(s.To)
	if from >= to {
		return metrics.Lump{}, false
	}
	return metrics.Lump{From: from, To: to, Value: weight * s.Value, AtLeast: s.Reset}, true
}

// sorted returns the lumps in order, with those of one span added up.
func sorted(lumps []metrics.Lump) []metrics.Lump {
	slices.SortFunc(lumps, func(a, b metrics.Lump) int {
		switch {
		case a.To != b.To:
			return int(a.To - b.To)
		case a.From != b.From:
			return int(a.From - b.From)
		}
		return 0
	})
	var out []metrics.Lump
	for _, l := range lumps {
		if n := len(out); n > 0 && out[n-1].From == l.From && out[n-1].To == l.To {
			out[n-1].Value += l.Value
			out[n-1].AtLeast = out[n-1].AtLeast || l.AtLeast
			continue
		}
		out = append(out, l)
	}
	return out
}

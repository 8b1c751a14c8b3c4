package increase

import (
	"cmp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// Reading is one pass over series, for all the tallies that have a part in them.
// Within all readings each series is met once for each term that selects it.
type Reading struct {
	Matchers []*labels.Matcher
	Count    bool // of native histograms
	members  Index[member]
}

type member struct {
	tally  *Tally
	weight float64
}

// mostSubsets bounds the search for a reading that holds a term already.
const mostSubsets = 8

// Combine makes readings of tallies: a term whose selector only narrows that of
// another is read along with it.
func Combine(tallies []*Tally) []*Reading {
	type want struct {
		tally *Tally
		term  int
		keys  []string
	}
	var wants []want
	for _, t := range tallies {
		for i, term := range t.Plan.Terms {
			w := want{tally: t, term: i}
			for _, m := range term.Matchers {
				w.keys = append(w.keys, m.String())
			}
			slices.Sort(w.keys)
			w.keys = slices.Compact(w.keys)
			wants = append(wants, w)
		}
	}
	slices.SortStableFunc(wants, func(a, b want) int { return cmp.Compare(len(a.keys), len(b.keys)) })
	var readings []*Reading
	known := map[string]*Reading{}
	for _, w := range wants {
		term := w.tally.Plan.Terms[w.term]
		r := wider(known, w.keys, term.Count)
		if r == nil {
			r = &Reading{Matchers: term.Matchers, Count: term.Count}
			known[readingKey(w.keys, term.Count)] = r
			readings = append(readings, r)
		}
		r.members.Add(term.Matchers, member{w.tally, term.Weight})
	}
	return readings
}

func readingKey(keys []string, count bool) string {
	key := strings.Join(keys, "\x00")
	if count {
		key += "\x00#"
	}
	return key
}

// wider finds a reading whose matchers are among the keys.
func wider(known map[string]*Reading, keys []string, count bool) *Reading {
	if len(keys) > mostSubsets {
		return known[readingKey(keys, count)]
	}
	var some []string
	for set := 1; set < 1<<len(keys); set++ {
		some = some[:0]
		for i, k := range keys {
			if set&(1<<i) != 0 {
				some = append(some, k)
			}
		}
		if r := known[readingKey(some, count)]; r != nil {
			return r
		}
	}
	return nil
}

// Part is where the increments of one series go.
type Part struct {
	Minutes *Minutes
	Weight  float64
	tally   *Tally
}

// Parts appends where the increments of a series go, and returns none where
// nobody asked for it.
func (r *Reading) Parts(ls labels.Labels, parts []Part) []Part {
	r.members.Find(ls, func(m member) {
		if g := m.tally.Group(ls); g != nil {
			parts = append(parts, Part{g, m.weight, m.tally})
		}
	})
	return parts
}

// Take adds a step to the part.
func (p Part) Take(s Step) { p.Minutes.Take(s, p.Weight) }

// Fail gives the tally a fault, where it happened within its span.
func (p Part) Fail(minute int64, err error) {
	if minute >= p.tally.From && minute < p.tally.To {
		p.tally.Fail(err)
	}
}

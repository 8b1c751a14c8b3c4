package increase

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// Reading is one pass over series, for all the tallies that have a part in them.
// Within all readings each series is met once for each term that selects it.
type Reading struct {
	Matchers []*labels.Matcher
	Of       promexpr.Observed
	wants    []want // by whom
	members  *Index[member]
}

// want is one term that is read.
type want struct {
	matchers []*labels.Matcher
	member   member
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
	type keyed struct {
		tally *Tally
		term  int
		keys  []string
	}
	var wants []keyed
	for _, t := range tallies {
		for i, term := range t.Plan.Terms {
			w := keyed{tally: t, term: i}
			for _, m := range term.Matchers {
				w.keys = append(w.keys, m.String())
			}
			slices.Sort(w.keys)
			w.keys = slices.Compact(w.keys)
			wants = append(wants, w)
		}
	}
	slices.SortStableFunc(wants, func(a, b keyed) int { return cmp.Compare(len(a.keys), len(b.keys)) })
	var readings []*Reading
	known := map[string]*Reading{}
	for _, w := range wants {
		term := w.tally.Plan.Terms[w.term]
		r := wider(known, w.keys, term.Of)
		if r == nil {
			r = &Reading{Matchers: term.Matchers, Of: term.Of}
			known[readingKey(w.keys, term.Of)] = r
			readings = append(readings, r)
		}
		r.wants = append(r.wants, want{term.Matchers, member{w.tally, term.Weight}})
	}
	return readings
}

func readingKey(keys []string, of promexpr.Observed) string {
	key := strings.Join(keys, "\x00")
	if of != (promexpr.Observed{}) {
		key += fmt.Sprintf("\x00#%v", of)
	}
	return key
}

// wider finds a reading whose matchers are among the keys.
func wider(known map[string]*Reading, keys []string, of promexpr.Observed) *Reading {
	if len(keys) > mostSubsets {
		return known[readingKey(keys, of)]
	}
	var some []string
	for set := 1; set < 1<<len(keys); set++ {
		some = some[:0]
		for i, k := range keys {
			if set&(1<<i) != 0 {
				some = append(some, k)
			}
		}
		if r := known[readingKey(some, of)]; r != nil {
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
	if r.members == nil {
		r.members = &Index[member]{}
		for _, w := range r.wants {
			r.members.Add(w.matchers, w.member)
		}
	}
	r.members.Find(ls, func(m member) {
		if g := m.tally.Group(ls); g != nil {
			parts = append(parts, Part{g, m.weight, m.tally})
		}
	})
	return parts
}

// again is where the increments of a series go that was met before.
func (r *Reading) again(ls labels.Labels) (parts []Part) {
	if r.members == nil {
		return nil // no series was met
	}
	r.members.Find(ls, func(m member) {
		if g := m.tally.groups[m.tally.Plan.Key(ls)]; g != nil {
			parts = append(parts, Part{g, m.weight, m.tally})
		}
	})
	return parts
}

// Take adds a step to the part.
func (p Part) Take(s Step) { p.Minutes.Take(s, p.Weight) }

// Fail notes a sample that cannot be counted, where it is within the span.
func (p Part) Fail(minute int64, err error) { p.tally.refuse(p.Minutes, minute, err) }

// Limits of one question that stands for several.
const (
	uniteValues = 500  // that are wanted of a label
	uniteBytes  = 8000 // that they have together
)

// Unite puts readings together that differ only in the value that they want of
// one label: one question with all the values stands for them.
func Unite(readings []*Reading) []*Reading {
	// Of the labels in which a reading might differ from others, the one in which
	// most do is taken.
	groups := map[string][]*Reading{}
	for _, r := range readings {
		for _, m := range r.Matchers {
			if differs(m) {
				key := r.without(m)
				groups[key] = append(groups[key], r)
			}
		}
	}
	var out []*Reading
	done := map[*Reading]bool{}
	for _, r := range readings {
		if done[r] {
			continue
		}
		var best *labels.Matcher
		for _, m := range r.Matchers {
			if differs(m) && (best == nil || len(groups[r.without(m)]) > len(groups[r.without(best)])) {
				best = m
			}
		}
		if best == nil || len(groups[r.without(best)]) < 2 {
			done[r] = true
			out = append(out, r)
			continue
		}
		var some []*Reading
		for _, other := range groups[r.without(best)] {
			if !done[other] {
				done[other] = true
				some = append(some, other)
			}
		}
		out = append(out, union(some, best.Name)...)
	}
	return out
}

func differs(m *labels.Matcher) bool {
	return m.Type == labels.MatchEqual && m.Name != model.MetricNameLabel && m.Value != ""
}

// without is what a reading wants besides one label.
func (r *Reading) without(label *labels.Matcher) string {
	keys := []string{label.Name}
	for _, m := range r.Matchers {
		if m != label {
			keys = append(keys, m.String())
		}
	}
	slices.Sort(keys[1:])
	return readingKey(keys, r.Of)
}

// union makes few readings of many that differ in one label.
func union(readings []*Reading, label string) []*Reading {
	var out []*Reading
	for len(readings) > 0 {
		n, size := 0, 0
		var values []string
		united := &Reading{Of: readings[0].Of}
		for ; n < len(readings) && n < uniteValues && size < uniteBytes; n++ {
			for _, m := range readings[n].Matchers {
				if m.Name == label && differs(m) {
					values = append(values, regexp.QuoteMeta(m.Value))
					size += len(m.Value) + 1
				}
			}
			united.wants = append(united.wants, readings[n].wants...)
		}
		for _, m := range readings[0].Matchers {
			if m.Name == label && differs(m) {
				m = labels.MustNewMatcher(labels.MatchRegexp, label, strings.Join(values, "|"))
			}
			united.Matchers = append(united.Matchers, m)
		}
		if n == 1 {
			united = readings[0]
		}
		out = append(out, united)
		readings = readings[n:]
	}
	return out
}

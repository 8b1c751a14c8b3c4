package increase

import (
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/observe/metrics"
)

// Live counts selections while their samples come in and remembers their latest
// minutes. It is not safe for concurrent use.
type Live struct {
	watched map[string]*watched
	members Index[watchedTerm]
}

// watched is one selection.
type watched struct {
	selection metrics.Selection

	plan   Plan
	since  int64 // the first minute of which every sample was counted
	rings  map[string]*Ring
	series int
	faults []failed
	broken error // it selects too much
	late   Span  // minutes of which samples came late
}

// failed is a sample that no counter has.
type failed struct {
	minute int64
	err    error
}

type watchedTerm struct {
	of     *watched
	weight float64
	count  bool
}

// Place is where the increments of a series go in a Live.
type Place struct {
	of     *watched
	ring   *Ring
	weight float64
	Count  bool // of native histograms
}

// Watch replaces the selections. Those that stay keep what was counted; new ones
// count from the minute since on. It returns empty tallies of the new ones. All
// places must be asked for anew.
func (l *Live) Watch(selections []metrics.Selection, since int64) (fresh []*Tally) {
	next := make(map[string]*watched, len(selections))
	l.members = Index[watchedTerm]{}
	for _, selection := range selections {
		key := selectionKey(selection)
		if next[key] != nil {
			continue
		}
		x := l.watched[key]
		if x == nil {
			plan, err := NewPlan(selection)
			if err != nil || plan.bounded() {
				continue // Counts says why, or reads whole histograms
			}
			x = &watched{selection: selection, plan: plan, since: since, rings: map[string]*Ring{}}
			fresh = append(fresh, NewTally(plan, 0, 0))
		}
		x.series, x.broken = 0, nil
		next[key] = x
		for _, t := range x.plan.Terms {
			l.members.Add(t.Matchers, watchedTerm{x, t.Weight, t.Of.Histogram})
		}
	}
	l.watched = next
	return fresh
}

func selectionKey(s metrics.Selection) string {
	if len(s.By) == 0 {
		return s.Expr
	}
	return s.Expr + "\x00" + strings.Join(s.By, "\x00")
}

// Empty reports whether nothing is watched.
func (l *Live) Empty() bool { return len(l.watched) == 0 }

// Tallies returns an empty tally of each selection.
func (l *Live) Tallies() []*Tally {
	all := make([]*Tally, 0, len(l.watched))
	for _, x := range l.watched {
		all = append(all, NewTally(x.plan, 0, 0))
	}
	return all
}

// Distrust has minutes before since read anew.
func (l *Live) Distrust(since int64) {
	for _, x := range l.watched {
		x.since = max(x.since, since)
	}
}

// Forget drops rings of groups that were silent before the minute, so that
// labels which come and go do not pile up. All places must be asked for anew.
func (l *Live) Forget(before int64) {
	for _, x := range l.watched {
		x.series, x.broken = 0, nil
		x.since = max(x.since, before)
		for key, ring := range x.rings {
			if ring.next < before {
				delete(x.rings, key)
			}
		}
	}
}

// Places appends where the increments of a series go, and none where it is of no
// interest.
func (l *Live) Places(ls labels.Labels, places []Place) []Place {
	l.members.Find(ls, func(m watchedTerm) {
		if m.of.series++; m.of.series > MaxSeries {
			m.of.broken = TooManySeries()
			return
		}
		key := m.of.plan.Key(ls)
		ring := m.of.rings[key]
		if ring == nil {
			if len(m.of.rings) >= MaxGroups {
				m.of.broken = TooManyGroups()
				return
			}
			ring = &Ring{}
			m.of.rings[strings.Clone(key)] = ring
		}
		places = append(places, Place{m.of, ring, m.weight, m.count})
	})
	return places
}

// Take adds a step.
func (p Place) Take(s Step) { p.ring.Take(s, p.weight) }

// Fail notes that a minute cannot be counted.
func (p Place) Fail(minute int64, err error) {
	p.of.faults = slices.DeleteFunc(p.of.faults, func(f failed) bool { return f.minute < minute-2*RingMinutes })
	if !slices.ContainsFunc(p.of.faults, func(f failed) bool { return f.minute == minute }) {
		p.of.faults = append(p.of.faults, failed{minute, err})
	}
}

// Distrust has the minutes up to this one of the place's selection read anew.
func (p Place) Distrust(minute int64) { p.of.since = max(p.of.since, minute+1) }

// Late notes that a sample of the place's selection came after its minute was
// over: what was counted in the minutes [from, to) may be otherwise now.
func (p Place) Late(from, to int64) { p.of.late = p.of.late.With(from, to) }

// Late returns the selections of which samples came late since it was asked last,
// with the minutes that may be otherwise now.
func (l *Live) Late() []metrics.Late {
	var all []metrics.Late
	for _, x := range l.watched {
		if x.late.To > x.late.From {
			all = append(all, metrics.Late{Selection: x.selection, From: x.late.From, To: x.late.To})
			x.late = Span{}
		}
	}
	return all
}

// Watches reports whether a selection is counted as samples come.
func (l *Live) Watches(s metrics.Selection) bool { return l.watched[selectionKey(s)] != nil }

// Span is the minutes [From, To). Its zero value is empty.
type Span struct{ From, To int64 }

// With is the shortest span that holds this one and [from, to).
func (s Span) With(from, to int64) Span {
	switch {
	case from >= to:
		return s
	case s.From >= s.To:
		return Span{from, to}
	}
	return Span{min(s.From, from), max(s.To, to)}
}

// Recall puts into dst what a plain sum counted in the minutes from from on, as
// many as dst holds, and reports false where that takes Recent.
func (l *Live) Recall(selection metrics.Selection, from int64, dst []float64) bool {
	if len(selection.By) > 0 || len(dst) > RingMinutes {
		return false
	}
	x := l.watched[selection.Expr]
	if x == nil || from < x.since || x.broken != nil || len(x.faults) > 0 || len(x.rings) > 1 || len(x.plan.by) > 0 || x.plan.one || x.plan.whole {
		return false
	}
	ring := x.rings[""]
	if ring == nil {
		fill(dst, math.NaN())
		return len(x.rings) == 0
	}
	return ring.recall(from, dst)
}

// Recent answers from memory, and nil where that does not reach back to from.
func (l *Live) Recent(selection metrics.Selection, from, to int64) *Tally {
	x := l.watched[selectionKey(selection)]
	if x == nil || to-from > RingMinutes {
		return nil
	}
	t := NewTally(x.plan, from, to)
	if t.From < x.since {
		return nil
	}
	if x.broken != nil {
		t.Fail(x.broken)
	}
	for key, ring := range x.rings {
		if t.From < ring.Oldest() {
			return nil
		}
		if m := t.group(key); m != nil {
			ring.Copy(m)
		}
	}
	for _, f := range x.faults {
		for _, m := range t.groups {
			t.refuse(m, f.minute, f.err)
		}
	}
	return t
}

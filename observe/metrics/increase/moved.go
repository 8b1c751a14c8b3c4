package increase

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/teiten/teiten/observe/metrics"
)

// A process that is scraped under other labels from now on, because its address,
// its job or a label of its target changed, brings counters along that are high
// already. Nobody says so: what tells is that another target ended just now of
// which each counter stood a little lower, and far above what a new process
// counts within a scrape.

const (
	// reach is how long before its new labels a process must have been scraped
	// under its old ones.
	reach = 2 * shortestGap
	// ended is how long after a scrape it is known which targets ended.
	ended = shortestGap
	// far is how many times what a target counted of late its counters must hold
	// for those of another one, that are higher, to be the same.
	far = 10
	// faster is how many times faster than of late a process may have counted
	// while it moved.
	faster = 4
)

// move is where a target was before.
type move struct {
	from  int64 // its last scrape there
	bases map[string]float64
	ok    bool
}

// movedFrom is where a counter stood under the labels that its process had
// before.
func (w *Witness) movedFrom(q question, ls labels.Labels) (base float64, from int64, ok bool) {
	q.name = ls.Get(model.MetricNameLabel)
	if m, done := w.moves[q]; done {
		return m.bases[w.own(q.target, ls, q.at)], m.from, m.ok
	}
	m := &move{}
	if began := w.began(q); began == 0 || began < q.at-reach.Milliseconds() {
		m = w.move(q, began)
	}
	if w.moves == nil {
		w.moves = map[question]*move{}
	}
	w.moves[q] = m
	return m.bases[w.own(q.target, ls, q.at)], m.from, m.ok
}

// own are the labels of a series that are not those of its target.
func (w *Witness) own(t target, ls labels.Labels, at int64) string {
	t.name, t.more = "", ""
	names := w.home(t, at)
	var b strings.Builder
	ls.Range(func(l labels.Label) {
		if l.Name != "job" && l.Name != "instance" && !slices.Contains(names, l.Name) {
			b.WriteString(l.Name + "\x01" + l.Value + "\x00")
		}
	})
	return b.String()
}

// life is what was seen of a target's counters around a moment, by their own
// labels, without the marks that they are gone.
type life struct {
	target
	counters    map[string][]metrics.Point
	first, last int64
}

// move finds where the target of a question was before.
func (w *Witness) move(q question, began int64) *move {
	lives := w.around(q)
	mine := lives[q.target]
	if mine == nil {
		return &move{}
	}
	// Several may move at a time. In the order in which they appear, each takes the
	// highest that is left: whose was whose does not change the sum.
	var fresh []*life
	for _, x := range lives {
		if x.first > q.at-reach.Milliseconds()/2 && x.first <= q.at && x != mine {
			fresh = append(fresh, x)
		}
	}
	slices.SortFunc(fresh, func(a, b *life) int {
		return cmp.Or(cmp.Compare(a.first, b.first), strings.Compare(a.String(), b.String()))
	})
	taken := map[*life]bool{}
	for _, x := range fresh {
		if x.first < q.at || x.String() < mine.String() {
			if from := x.takes(x.first, lives, taken); from != nil {
				taken[from] = true
			}
		}
	}
	if began > 0 {
		for _, x := range lives {
			if other := w.began(question{target: x.target, at: x.before(q.at)}); other != began {
				taken[x] = true
			}
		}
	}
	from := mine.takes(q.at, lives, taken)
	if from == nil {
		return &move{}
	}
	m := &move{bases: map[string]float64{}, from: from.before(q.at), ok: true}
	for own, points := range from.counters {
		if i := until(points, q.at); i > 0 {
			m.bases[own] = points[i-1].V
		}
	}
	return m
}

func (t target) String() string { return t.job + "\x00" + t.instance + "\x00" + t.more }

// around are the targets with the question's metric that share its job or its
// instance, as they were seen around its time.
func (w *Witness) around(q question) map[target]*life {
	lives := map[target]*life{}
	visit := func(ls labels.Labels, samples []metrics.Point) bool {
		t := w.targetOf(ls, q.at)
		t.name = q.name
		x := lives[t]
		if x == nil {
			x = &life{target: t, counters: map[string][]metrics.Point{}}
			lives[t] = x
		}
		samples = slices.DeleteFunc(slices.Clone(samples), func(p metrics.Point) bool { return value.IsStaleNaN(p.V) })
		if len(samples) == 0 {
			return true
		}
		first := samples[0].T
		if x.first == 0 || first < x.first {
			x.first = first
		}
		x.last = max(x.last, samples[len(samples)-1].T)
		x.counters[w.own(t, ls, q.at)] = samples
		return true
	}
	from, to := max(w.Oldest, q.at-reach.Milliseconds()), q.at+ended.Milliseconds()
	w.Each(q.jobMatchers(), from, to, visit)
	elsewhere := []*labels.Matcher{q.jobMatchers()[0], equal("instance", q.instance), labels.MustNewMatcher(labels.MatchNotEqual, "job", q.job)}
	w.Each(elsewhere, from, to, visit)
	maps.DeleteFunc(lives, func(_ target, x *life) bool { return len(x.counters) == 0 })
	return lives
}

// takes is the life that ended when this one began at a moment and went on in it.
func (x *life) takes(at int64, lives map[target]*life, taken map[*life]bool) (best *life) {
	highest := 0.0
	for _, c := range lives {
		if c == x || taken[c] || c.last >= at || c.job != x.job && c.instance != x.instance {
			continue
		}
		if stood, ok := x.continues(c, at); ok && (stood > highest || stood == highest && best != nil && c.String() < best.String()) {
			best, highest = c, stood
		}
	}
	return best
}

// continues reports whether the counters at a moment are those of another life
// that went on, and at what they stood in all.
func (x *life) continues(c *life, at int64) (stood float64, ok bool) {
	var now, lately float64
	known := false // how much it counted lately
	for _, points := range x.counters {
		if i := until(points, at+1); i > 0 {
			now += points[i-1].V
		}
	}
	for own, points := range c.counters {
		i := until(points, at)
		if i == 0 || points[i-1].V == 0 {
			continue
		}
		v := points[i-1]
		mine := x.counters[own]
		j := until(mine, at+1)
		if j == 0 || mine[j-1].V < v.V {
			return 0, false
		}
		stood += v.V
		if i > 1 && points[i-2].V <= v.V {
			known = true
			lately += (v.V - points[i-2].V) * float64(at-v.T) / float64(v.T-points[i-2].T)
		}
	}
	return stood, known && stood >= far*lately+telling && now-stood <= faster*lately+telling
}

// before is when a life was seen last before a moment.
func (x *life) before(at int64) (last int64) {
	for _, points := range x.counters {
		if i := until(points, at); i > 0 {
			last = max(last, points[i-1].T)
		}
	}
	return last
}

// until is how many points are before a moment.
func until(points []metrics.Point, at int64) int {
	i, _ := slices.BinarySearchFunc(points, at, func(p metrics.Point, at int64) int { return cmp.Compare(p.T, at) })
	return i
}

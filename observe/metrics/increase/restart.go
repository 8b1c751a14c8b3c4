package increase

import (
	"math"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/observe/metrics"
)

// A process that begins anew takes all its counters back to zero. One that was
// low before and is higher at the next scrape does not show it: the others of its
// target do.

// Fall is two scrapes of a target between which a counter fell.
type Fall struct {
	target   target
	from, to int64
	gap      bool
}

// Restarts gathers the falls of the series that are read.
type Restarts struct{ falls map[Fall]bool }

// Note takes a step of a series. It is called for each sample, and inlined for
// those that do not fall.
func (r *Restarts) Note(ls labels.Labels, s *Step) {
	if s.Fell {
		r.note(ls, *s)
	}
}

func (r *Restarts) note(ls labels.Labels, s Step) {
	f, ok := FallOf(ls, s)
	if !ok {
		return
	}
	if r.falls == nil {
		r.falls = map[Fall]bool{}
	}
	r.falls[f] = true
}

// Of reports whether a series is of the target and metric of the fall.
func (f Fall) Of(ls labels.Labels) bool {
	return ls.Get("instance") == f.target.instance && ls.Get("job") == f.target.job && ls.Get(model.MetricNameLabel) == f.target.name
}

// Minute is the minute in which the fall was seen.
func (f Fall) Minute() int64 { return metrics.MinuteOf(f.to) }

// FallOf is the fall that a step shows. ok is false where it shows none, or where
// the series does not say what its target is.
func FallOf(ls labels.Labels, s Step) (f Fall, ok bool) {
	if !s.Fell || ls.Get("instance") == "" {
		return Fall{}, false
	}
	return Fall{target{ls.Get("job"), ls.Get("instance"), ls.Get(model.MetricNameLabel)}, s.From, s.To, s.Gap}, true
}

// Sibling is a counter in the two scrapes of a fall.
type Sibling struct {
	Labels        labels.Labels
	Before, After float64
}

// SiblingOf is a counter with its samples of [from, to]. ok is false where it was
// not there in both scrapes, or something between them tells more.
func SiblingOf(ls labels.Labels, points []metrics.Point, from, to int64) (s Sibling, ok bool) {
	if len(points) != 2 || points[0].T != from || points[1].T != to {
		return Sibling{}, false
	}
	return Sibling{ls, points[0].V, points[1].V}, true
}

// Correct adds what counters hid that began anew between two scrapes and were
// higher after it. Siblings yields the counters that match and were there in both
// scrapes, of the kind that the reading counts.
func (r *Restarts) Correct(of *Reading, w *Witness, siblings func(matchers []*labels.Matcher, from, to int64) ([]Sibling, error)) error {
	for f := range r.falls {
		all, err := siblings(f.target.matchers(), f.from, f.to)
		if err != nil {
			return err
		}
		hidden := f.hidden(all)
		if len(hidden) == 0 || !w.restarted(f, all) {
			continue
		}
		for _, s := range hidden {
			for _, p := range of.again(s.Labels) {
				p.Take(Step{From: f.from, To: f.to, Value: s.Before, Gap: f.gap, Reset: true})
			}
		}
	}
	return nil
}

// hidden are the siblings that did not fall and would count more had they begun
// anew.
func (f Fall) hidden(all []Sibling) (some []Sibling) {
	for _, s := range all {
		if s.Before > 0 && s.After >= s.Before {
			some = append(some, s)
		}
	}
	return some
}

// restarted says whether the process of a target began anew, and not only one of
// its counters: the process says so, or else those that fell are no fewer and no
// smaller than those that went on.
func (w *Witness) restarted(f Fall, all []Sibling) bool {
	if began := w.began(question{target: f.target, at: f.to}); began > 0 {
		return began+inexact > f.from
	}
	fell, on := 0, 0
	var highestFallen, highestOn float64
	for _, s := range all {
		switch {
		case s.After < s.Before:
			fell++
			highestFallen = math.Max(highestFallen, s.Before)
		case s.Before >= telling:
			on++
			highestOn = math.Max(highestOn, s.Before)
		}
	}
	return fell >= on && highestFallen >= highestOn
}

package increase

import (
	"math"
	"slices"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// A process that begins anew takes all its counters back to zero. One that was
// low before and is higher at the next scrape does not show it: the others of its
// target do.

// Fall is two scrapes of a target between which a counter fell.
type Fall struct {
	job, instance string
	from, to      int64
}

// Restarts gathers the falls of the series that are read, of all readings
// together: a counter of failures does not fall where there are many of them just
// then, and that of all requests does.
type Restarts struct{ falls map[string]map[Fall]*shown }

// shown is what is known of a fall.
type shown struct {
	gap      bool
	siblings map[metric][]Sibling // by what fell; nil until they are read
}

// metric is one metric of a target, as it is counted.
type metric struct {
	name string
	of   promexpr.Observed
}

// Note takes a step of a series. It is called for each sample, and inlined for
// those that do not fall.
func (r *Restarts) Note(ls labels.Labels, of promexpr.Observed, s *Step) {
	if s.Fell {
		r.note(ls, of, *s)
	}
}

func (r *Restarts) note(ls labels.Labels, of promexpr.Observed, s Step) {
	f, ok := FallOf(ls, s)
	if !ok {
		return
	}
	if r.falls == nil {
		r.falls = map[string]map[Fall]*shown{}
	}
	if r.falls[f.job] == nil {
		r.falls[f.job] = map[Fall]*shown{}
	}
	x := r.falls[f.job][f]
	if x == nil {
		x = &shown{siblings: map[metric][]Sibling{}}
		r.falls[f.job][f] = x
	}
	x.gap = x.gap || s.Gap
	x.siblings[metric{ls.Get(model.MetricNameLabel), of}] = nil
}

// Of reports whether a series is of the target of the fall.
func (f Fall) Of(ls labels.Labels) bool {
	return ls.Get("instance") == f.instance && ls.Get("job") == f.job
}

// Minute is the minute in which the fall was seen.
func (f Fall) Minute() int64 { return metrics.MinuteOf(f.to) }

// FallOf is the fall that a step shows. ok is false where it shows none, or where
// the series does not say what its target is.
func FallOf(ls labels.Labels, s Step) (f Fall, ok bool) {
	if !s.Fell || ls.Get("instance") == "" {
		return Fall{}, false
	}
	return Fall{ls.Get("job"), ls.Get("instance"), s.From, s.To}, true
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

// Siblings yields the counters that match and were there in both of two scrapes.
type Siblings func(of promexpr.Observed, matchers []*labels.Matcher, from, to int64) ([]Sibling, error)

// Correct adds what counters hid that began anew between two scrapes and were
// higher after it.
func (r *Restarts) Correct(of *Reading, w *Witness, siblings Siblings) error {
	for job, falls := range r.falls {
		if !of.mayHold("job", job) {
			continue
		}
		for f, x := range falls {
			if !of.mayHold("instance", f.instance) {
				continue
			}
			if err := x.correct(f, of, w, siblings); err != nil {
				return err
			}
		}
	}
	return nil
}

// correct corrects one reading for one fall.
func (x *shown) correct(f Fall, of *Reading, w *Witness, siblings Siblings) error {
	t := target{job: f.job, instance: f.instance}
	known := false // the reading's own metric is among those that fell
	for m, list := range x.siblings {
		if list == nil {
			var err error
			if list, err = siblings(m.of, t.of(m.name).matchers(), f.from, f.to); err != nil {
				return err
			}
			x.siblings[m] = append([]Sibling{}, list...)
		}
		known = known || m.of == of.Of && of.mayHold(model.MetricNameLabel, m.name)
	}
	var own, all []Sibling
	if !known {
		matchers := append(slices.Clone(of.Matchers), equal("job", f.job), equal("instance", f.instance))
		var err error
		if own, err = siblings(of.Of, matchers, f.from, f.to); err != nil {
			return err
		}
		all = append(all, own...)
	}
	for m, list := range x.siblings {
		all = append(all, list...)
		if m.of == of.Of {
			own = append(own, list...)
		}
	}
	hidden := f.hidden(own)
	if len(hidden) == 0 || !w.restarted(f, all) {
		return nil
	}
	for _, s := range hidden {
		for _, p := range of.again(s.Labels) {
			p.Take(Step{From: f.from, To: f.to, Value: s.Before, Gap: x.gap, Reset: true})
		}
	}
	return nil
}

// mayHold reports whether a reading may have series with the value of a label.
func (r *Reading) mayHold(label, v string) bool {
	return !slices.ContainsFunc(r.Matchers, func(m *labels.Matcher) bool { return m.Name == label && !m.Matches(v) })
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
	if began := w.began(question{target: target{job: f.job, instance: f.instance}, at: f.to}); began > 0 {
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

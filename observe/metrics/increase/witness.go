package increase

import (
	"math"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
)

// A series that appears counts from zero where the samples show that its target
// was scraped without it: by the target's up, by those of its job where the
// target itself is new, and where samples come without any up, by other series
// of the same metric and target.

const (
	// rounds is how often a job must have been scraped before a target of it can
	// be a new one: at the first rounds every target is.
	rounds = 3
	// young is how long ago the process of a new target may have begun for its
	// events to have happened since the job is scraped: an older one was only
	// found now, or has moved.
	young = LongestInterval
)

// Witness answers what is known of appearances. It remembers answers, because
// series of a target appear together; it must not be kept. Oldest is the time
// before which there are no samples, in Unix milliseconds; Each yields those of
// [from, to], series by series, and calls next after each of them.
type Witness struct {
	Oldest int64
	Each   func(matchers []*labels.Matcher, from, to int64, sample func(t int64, v float64), next func())

	known map[question]Birth
}

type question struct {
	job, instance, name string
	at, last            int64
}

// Birth says what is known of the appearance of a series.
func (w *Witness) Birth(ls labels.Labels, a Appearance) Birth {
	q := question{job: ls.Get("job"), instance: ls.Get("instance"), at: a.At, last: a.Last}
	b, ok := w.known[q]
	if !ok {
		var up bool
		if b, up = w.byUp(q); !up {
			q.name = ls.Get(labels.MetricName)
			if b, ok = w.known[q]; !ok {
				b = w.bySiblings(q)
			}
		}
		if w.known == nil {
			w.known = map[question]Birth{}
		}
		w.known[q] = b
	}
	return b
}

// byUp asks the target and its job. ok is false where the job has no up.
func (w *Witness) byUp(q question) (b Birth, ok bool) {
	up := []*labels.Matcher{equal(labels.MetricName, "up"), equal("job", q.job)}
	target := append(up[:2:2], equal("instance", q.instance))
	if last, _ := w.latest(target, q.last+1, q.at, 1, healthy); last > 0 {
		return Birth{New: true, Since: last}, true
	}
	if q.last > 0 {
		_, n := w.latest(up, math.MinInt64, q.at, 1, present)
		return Birth{}, n > 0
	}
	last, n := w.latest(up, math.MinInt64, q.at, rounds, healthy)
	if n == 0 {
		_, n = w.latest(up, math.MinInt64, q.at+1, 1, present)
		return Birth{}, n > 0
	}
	if n < rounds {
		return Birth{}, true
	}
	began := w.began(q)
	switch {
	case began == 0:
		return Birth{New: true, Since: last}, true
	case began < q.at-young.Milliseconds():
		return Birth{}, true
	}
	return Birth{New: true, Since: min(began, q.at)}, true
}

// began is when the process of the target says that it began; 0 where it does
// not.
func (w *Witness) began(q question) int64 {
	var at int64
	w.Each([]*labels.Matcher{equal(labels.MetricName, "process_start_time_seconds"), equal("job", q.job), equal("instance", q.instance)},
		q.at, q.at, func(_ int64, v float64) {
			if v > 0 && v < math.MaxInt64/1000 {
				at = int64(v * 1000)
			}
		}, func() {})
	return at
}

// bySiblings asks the series of the same metric: those of the same target, and
// of the same job where the target is new.
func (w *Witness) bySiblings(q question) Birth {
	name := equal(labels.MetricName, q.name)
	target := []*labels.Matcher{name, equal("job", q.job), equal("instance", q.instance)}
	if last, _ := w.latest(target, q.last+1, q.at, 1, present); last > 0 {
		return Birth{New: true, Since: last}
	}
	if q.last > 0 || q.instance == "" {
		return Birth{}
	}
	if last, n := w.latest(target[:2], math.MinInt64, q.at, rounds, present); n >= rounds {
		return Birth{New: true, Since: last}
	}
	return Birth{}
}

// scraped reports whether the target of a series was scraped at exactly that
// time: samples that have a time of their own say nothing about what is missing.
func (w *Witness) scraped(ls labels.Labels, at int64) bool {
	found := false
	w.Each([]*labels.Matcher{equal(labels.MetricName, "up"), equal("job", ls.Get("job")), equal("instance", ls.Get("instance"))},
		at, at, func(int64, float64) { found = true }, func() {})
	return found
}

func healthy(v float64) bool { return v == 1 }

func present(float64) bool { return true }

// latest is the time of the latest accepted sample of [from, before) and how
// many the series have that has most of them. It looks at the last minutes first
// and at all that is older only where those hold fewer than enough.
func (w *Witness) latest(matchers []*labels.Matcher, from, before int64, enough int, accept func(float64) bool) (last int64, n int) {
	from = max(from, w.Oldest)
	recent := max(from, before-LongestInterval.Milliseconds())
	for _, span := range [][2]int64{{recent, before}, {from, recent}} {
		if span[0] >= span[1] {
			continue
		}
		count := 0
		w.Each(matchers, span[0], span[1]-1, func(t int64, v float64) {
			if !value.IsStaleNaN(v) && accept(v) {
				last = max(last, t)
				count++
			}
		}, func() { n, count = max(n, count), 0 })
		if n >= enough {
			break
		}
	}
	return last, n
}

func equal(name, v string) *labels.Matcher { return labels.MustNewMatcher(labels.MatchEqual, name, v) }

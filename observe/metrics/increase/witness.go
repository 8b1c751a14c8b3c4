package increase

import (
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/teiten/teiten/observe/metrics"
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
	// telling is how much another counter must have counted for its going on to
	// tell that the process did: a new one has counted a little soon.
	telling = 10
	// witnesses is how many counters that went on are enough to tell.
	witnesses = 500
	// inexact is how many milliseconds later than it says a process may have begun.
	inexact = 1000
)

// Witness answers what is known of appearances. It remembers answers, because
// series of a target appear together; it must not be kept. Oldest is the time
// before which there are no samples, in Unix milliseconds; Each yields the series
// with samples in [from, to], each once and with samples that the callee must not
// keep, as long as visit says so.
type Witness struct {
	Oldest int64
	Each   func(matchers []*labels.Matcher, from, to int64, visit func(ls labels.Labels, samples []metrics.Point) bool)

	known     map[question]Birth
	timelines map[target]*timeline
	homes     map[lodging][]string
	moves     map[question]*move
}

type question struct {
	target

	at, last     int64
	marked, fell bool
}

// Birth says what is known of the appearance of a series.
func (w *Witness) Birth(ls labels.Labels, a Appearance) Birth {
	q := question{target: w.targetOf(ls, a.At), at: a.At, last: a.Last, marked: a.Marked, fell: a.Fell}
	b, ok := w.known[q]
	if !ok {
		var up bool
		if b, up = w.byUp(q, ls.Get(model.MetricNameLabel)); !up {
			q.name = ls.Get(model.MetricNameLabel)
			if b, ok = w.known[q]; !ok {
				b = w.bySiblings(q)
			}
		}
		if w.known == nil {
			w.known = map[question]Birth{}
		}
		w.known[q] = b
	}
	if b.unseen {
		if base, from, ok := w.movedFrom(q, ls); ok {
			return Birth{New: true, Since: from, Base: base, Moved: true}
		}
	}
	return b
}

// byUp asks the target and its job. ok is false where the job has no up.
func (w *Witness) byUp(q question, metric string) (b Birth, ok bool) {
	if q.last > 0 {
		if b := w.back(q, metric, healthy); b.New || !b.unseen {
			return b, true
		}
		_, n := w.latest(q.jobMatchers(), q.at+1, 1, present)
		if n > 0 && w.long(q) {
			tried, _ := w.latest(q.matchers(), q.at, 1, present)
			return Birth{unseen: tried <= q.last}, true // or it was there, and did not answer
		}
		return Birth{}, n > 0
	}
	if last, _ := w.latest(q.matchers(), q.at, 1, healthy); last > 0 {
		return Birth{New: true, Since: last}, true
	}
	b, ok = w.inJob(q)
	b.unseen = true
	return b, ok
}

// long reports whether a series was away for long enough for its process to have
// been scraped elsewhere in the meantime.
func (w *Witness) long(q question) bool { return q.at-q.last > reach.Milliseconds() }

// inJob asks the job of a target that was not seen before.
func (w *Witness) inJob(q question) (b Birth, ok bool) {
	up := w.peers(q)
	last, n := w.latest(up, q.at, rounds, healthy)
	if n == 0 {
		_, n = w.latest(up, q.at+1, 1, present)
	}
	if n == 0 {
		return Birth{}, false
	}
	began := w.began(q)
	if began > w.Oldest && began > q.at-young.Milliseconds() && began <= q.at {
		// All of it happened while the store was there, even where the job is new.
		return Birth{New: true, Since: min(began, q.at)}, true
	}
	if n < rounds {
		return Birth{}, true
	}
	// The targets of a job are scraped one after the other: what was scraped just
	// now may be the same round as this one, after a long pause.
	if former, _ := w.latest(up, q.at-shortestGap.Milliseconds(), 1, healthy); former > 0 && q.at-former > 2*shortestGap.Milliseconds() {
		last = former
	}
	switch {
	case began == 0:
		return Birth{New: true, Since: last}, true
	case began < min(last, q.at-young.Milliseconds()):
		return Birth{}, true
	}
	return Birth{New: true, Since: min(began, q.at)}, true
}

// back says whether a series that is back began anew. Its target was seen without
// it: that is how a process shows itself that begins anew, and also how one does
// that leaves a series out for a while. The time at which the process began tells
// them apart, or else the other series of the metric: where those went on, it did.
// Where nothing tells, it began anew.
func (w *Witness) back(q question, metric string, accept func(v float64) bool) Birth {
	seen := w.timeline(q, accept)
	last := seen.before(q.at)
	if last <= q.last {
		return Birth{unseen: true}
	}
	// A series with a time of its own is not missing where its target was scraped.
	if !q.marked && !seen.holds(q.at) {
		return Birth{}
	}
	b := Birth{New: true, Since: last}
	if q.fell {
		return b
	}
	if began := w.began(q); began > 0 {
		b.New = began+inexact > q.last
		return b
	}
	b.New = !w.wentOn(q.of(metric), q.last, seen.after(q.last))
	return b
}

// wentOn reports whether counters of the target ran on from one scrape to
// another.
func (w *Witness) wentOn(t target, from, to int64) bool {
	if to == 0 {
		return false
	}
	on, fell := 0, false
	w.Each(t.matchers(), from, to, func(_ labels.Labels, samples []metrics.Point) bool {
		first, last := samples[0], samples[len(samples)-1]
		switch {
		case first.T != from || last.T != to || first.V < telling:
		case last.V < first.V:
			fell = true
		case last.V >= first.V: // not the mark that it is gone
			on++
		}
		return !fell && on < witnesses
	})
	return on > 0 && !fell
}

// began is when the process of the target says that it began; 0 where it does
// not.
func (w *Witness) began(q question) int64 {
	var at int64
	w.Each(q.of(startTime).matchers(), q.at, q.at, func(_ labels.Labels, samples []metrics.Point) bool {
		if v := samples[0].V; v > 0 && v < math.MaxInt64/1000 {
			at = int64(v * 1000)
		}
		return true
	})
	return at
}

// bySiblings asks the series of the same metric: those of the same target, and
// of the same job where the target is new.
func (w *Witness) bySiblings(q question) Birth {
	if q.last > 0 && (q.marked || q.instance != "") {
		b := w.back(q, q.name, present)
		b.unseen = b.unseen && w.long(q)
		return b
	}
	if q.last > 0 {
		return Birth{} // without targets, series are not missing together
	}
	if q.instance == "" {
		// Targets cannot be told apart: a second round shows that this series was
		// not in the first.
		if last, n := w.latest(q.matchers(), q.at, rounds, present); n >= rounds {
			return Birth{New: true, Since: last}
		}
		return Birth{}
	}
	if last, _ := w.latest(q.matchers(), q.at, 1, present); last > 0 {
		return Birth{New: true, Since: last}
	}
	if last, n := w.latest(q.jobMatchers(), q.at, rounds, present); n >= rounds {
		return Birth{New: true, Since: last, unseen: true}
	}
	return Birth{unseen: true}
}

func healthy(v float64) bool { return v == 1 }

func present(float64) bool { return true }

// looks are how far back is looked, one after the other, for what may be long ago.
var looks = []time.Duration{LongestInterval, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour}

// latest is the time of the latest accepted sample before an instant and how many
// the series have that has most of them. It looks at what is older only where
// what is newer holds fewer than enough.
func (w *Witness) latest(matchers []*labels.Matcher, before int64, enough int, accept func(float64) bool) (last int64, n int) {
	visit := func(_ labels.Labels, samples []metrics.Point) bool {
		count := 0
		for _, x := range samples {
			if !value.IsStaleNaN(x.V) && accept(x.V) {
				last = max(last, x.T)
				count++
			}
		}
		n = max(n, count)
		return true
	}
	to := before
	for _, look := range looks {
		since := max(w.Oldest, before-look.Milliseconds())
		if since >= to || n >= enough {
			continue
		}
		w.Each(matchers, since, to-1, visit)
		to = since
	}
	return last, n
}

// timeline is when a target was seen, within a span. Series that are missing in
// some scrapes ask for it again and again.
type timeline struct {
	from, to int64 // [from, to)
	at       []int64
}

// ahead is how much of a timeline is read at a time.
const ahead = 6 * time.Hour

// timeline is when the target of a question was seen since its last sample and up
// to now.
func (w *Witness) timeline(q question, accept func(v float64) bool) *timeline {
	from := max(q.last, w.Oldest, q.at-looks[len(looks)-1].Milliseconds())
	x := w.timelines[q.target]
	if x != nil && x.from <= from && x.to > q.at {
		return x
	}
	x = &timeline{from: from, to: max(q.at, from+ahead.Milliseconds()) + 1}
	w.Each(q.matchers(), x.from, x.to-1, func(_ labels.Labels, samples []metrics.Point) bool {
		for _, p := range samples {
			if !value.IsStaleNaN(p.V) && accept(p.V) {
				x.at = append(x.at, p.T)
			}
		}
		return true
	})
	slices.Sort(x.at)
	if w.timelines == nil {
		w.timelines = map[target]*timeline{}
	}
	w.timelines[q.target] = x
	return x
}

// before is the latest time before a moment, and 0 where there is none.
func (x *timeline) before(t int64) int64 {
	i, _ := slices.BinarySearch(x.at, t)
	if i == 0 {
		return 0
	}
	return x.at[i-1]
}

// after is the earliest time after a moment, and 0 where there is none.
func (x *timeline) after(t int64) int64 {
	i, _ := slices.BinarySearch(x.at, t+1)
	if i == len(x.at) {
		return 0
	}
	return x.at[i]
}

// holds reports whether the target was seen at a moment.
func (x *timeline) holds(t int64) bool {
	_, ok := slices.BinarySearch(x.at, t)
	return ok
}

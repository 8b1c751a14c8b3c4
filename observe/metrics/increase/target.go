package increase

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/observe/metrics"
)

// target is what is scraped, or one metric of it. Replicas of a server, and
// servers of several clusters, may know targets of one job and instance: what
// else their labels say belongs to the target.
type target struct{ job, instance, name, more string }

// of is a metric of the target.
func (t target) of(name string) target { t.name = name; return t }

// matchers select the target's up, or its series of the metric.
func (t target) matchers() []*labels.Matcher {
	ms := append(t.jobMatchers(), equal("instance", t.instance))
	if t.more != "" {
		for pair := range strings.SplitSeq(t.more, "\x00") {
			name, v, _ := strings.Cut(pair, "\x01")
			ms = append(ms, equal(name, v))
		}
	}
	return ms
}

// jobMatchers select the up of all targets of the job, or their series of the
// metric.
func (t target) jobMatchers() []*labels.Matcher {
	name := t.name
	if name == "" {
		name = upMetric
	}
	return []*labels.Matcher{equal(model.MetricNameLabel, name), equal("job", t.job)}
}

const (
	upMetric  = "up"
	startTime = "process_start_time_seconds"
)

// targetOf is the target of a series at a time.
func (w *Witness) targetOf(ls labels.Labels, at int64) target {
	t := target{job: ls.Get("job"), instance: ls.Get("instance")}
	var more []string
	for _, name := range w.home(t, at) {
		if v := ls.Get(name); v != "" {
			more = append(more, name+"\x01"+v)
		}
	}
	t.more = strings.Join(more, "\x00")
	return t
}

// lodging is a target for a while: its labels change now and then.
type lodging struct {
	target
	turn int64
}

// home are the names of the labels, besides job and instance, that the up of a
// target has: its other series have them because of the target, and not of what
// they count.
func (w *Witness) home(t target, at int64) []string {
	key := lodging{t, at / LongestInterval.Milliseconds()}
	names, ok := w.homes[key]
	if ok {
		return names
	}
	w.Each(t.matchers(), max(w.Oldest, at-LongestInterval.Milliseconds()), at+ended.Milliseconds(), func(ls labels.Labels, _ []metrics.Point) bool {
		ls.Range(func(l labels.Label) {
			if l.Name != model.MetricNameLabel && l.Name != "job" && l.Name != "instance" && !slices.Contains(names, l.Name) {
				names = append(names, l.Name)
			}
		})
		return true
	})
	slices.Sort(names)
	if w.homes == nil {
		w.homes = map[lodging][]string{}
	}
	w.homes[key] = names
	return names
}

// peers select the up of the targets of a job: of those that share a label of the
// target with others, such as the name of a replica, only those that have it, too.
func (w *Witness) peers(q question) []*labels.Matcher {
	all := q.jobMatchers()
	for _, m := range q.matchers()[3:] {
		others := append(q.jobMatchers(), m, labels.MustNewMatcher(labels.MatchNotEqual, "instance", q.instance))
		if last, _ := w.latest(others, q.at, 1, present); last > 0 {
			all = append(all, m)
		}
	}
	return all
}

func equal(name, v string) *labels.Matcher { return labels.MustNewMatcher(labels.MatchEqual, name, v) }

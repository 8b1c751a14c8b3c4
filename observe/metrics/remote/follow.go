package remote

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/increase"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

const (
	// behind is how far the newest samples that are read lie behind the clock:
	// a scrape that takes its time is stored with the time at which it began.
	behind = 15 * time.Second
	// longestPoll is how much is read at a time of what is watched. After a longer
	// pause it begins anew, and what is between is read as past.
	longestPoll = 60 * minute
)

// follower reads the raw samples of all that is watched, each once and all
// together, and remembers their latest minutes.
type follower struct {
	mu       sync.Mutex
	live     increase.Live
	readings []*increase.Reading
	fresh    []*increase.Tally // watched, but not known where they stand
	series   map[string]*followed
	until    int64 // samples up to here are read, in Unix milliseconds
	newest   atomic.Int64
}

// followed is one series.
type followed struct {
	ls     labels.Labels
	state  increase.State
	places []increase.Place
}

// watch replaces what is followed.
func (f *follower) watch(c *Client, selections []metrics.Selection) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.until == 0 {
		f.until = c.now().Add(-behind).UnixMilli()
	}
	f.fresh = append(f.fresh, f.live.Watch(selections, metrics.MinuteOf(f.until)+1)...)
	all := f.live.Tallies()
	slices.SortFunc(all, func(a, b *increase.Tally) int {
		return cmp.Compare(a.Plan.Terms[0].String(), b.Plan.Terms[0].String())
	})
	f.readings = increase.Unite(increase.Combine(all))
	f.arrange()
}

// arrange finds anew where the series count.
func (f *follower) arrange() {
	for key, s := range f.series {
		if s.places = f.live.Places(s.ls, s.places[:0]); len(s.places) == 0 {
			delete(f.series, key)
		}
	}
}

// recent answers what was watched, after reading on as far as needed. It returns
// nil for each selection that must be read as past.
func (f *follower) recent(ctx context.Context, c *Client, selections []metrics.Selection, from, to int64) ([]*increase.Tally, error) {
	tallies := make([]*increase.Tally, len(selections))
	f.mu.Lock()
	defer f.mu.Unlock()
	now := c.now().Add(-behind).UnixMilli()
	if f.live.Empty() || to-from > increase.RingMinutes || from*minute < now-2*increase.RingMinutes*minute {
		return tallies, nil
	}
	if f.until < to*minute {
		if err := f.poll(ctx, c, max(now, min(to*minute, now+behind.Milliseconds()))); err != nil {
			return nil, err
		}
	}
	if f.until < to*minute {
		return tallies, nil
	}
	for i, selection := range selections {
		tallies[i] = f.live.Recent(selection, from, to)
	}
	return tallies, nil
}

// poll reads on up to a moment.
func (f *follower) poll(ctx context.Context, c *Client, end int64) error {
	if end-f.until > longestPoll {
		f.until = end
		f.series = nil
		f.live.Distrust(metrics.MinuteOf(end) + 1)
		f.fresh = f.live.Tallies()
	}
	if f.series == nil {
		f.series = map[string]*followed{}
	}
	var failed error
	p := poll{f: f, known: c.witness(ctx, &failed)}
	if len(f.fresh) > 0 {
		p.base = true
		for _, r := range increase.Unite(increase.Combine(f.fresh)) {
			p.count = r.Of.Histogram
			if err := c.raw(ctx, r.Matchers, f.until-aside, f.until, p.take); err != nil {
				return err
			}
		}
		f.fresh, p.base = nil, false
	}
	for _, r := range f.readings {
		p.count = r.Of.Histogram
		if err := c.raw(ctx, r.Matchers, f.until+1, end, p.take); err != nil || failed != nil {
			return orElse(err, failed)
		}
	}
	p.doubt()
	if end/(60*minute) != f.until/(60*minute) {
		f.forget(end)
	}
	f.until = end
	return nil
}

// forget drops series that had no sample for long.
func (f *follower) forget(now int64) {
	for key, s := range f.series {
		if now-s.state.T > 3*60*minute {
			delete(f.series, key)
		}
	}
	f.live.Forget(metrics.MinuteOf(now) - 3*60)
	f.arrange()
}

// settled is the minute up to which everything was read.
func (f *follower) settled() int64 {
	if newest := f.newest.Load(); newest > 0 {
		return metrics.MinuteAfter(newest - behind.Milliseconds())
	}
	return 0
}

// poll is one reading of what is new.
type poll struct {
	f     *follower
	known *increase.Witness
	count bool
	base  bool // only where the series stand
	falls []increase.Fall
}

// take counts the samples of one series.
func (p *poll) take(s *rawSeries) error {
	key := string(s.Metric)
	if p.count {
		key += "#"
	}
	x := p.f.series[key]
	if x == nil {
		ls, err := s.labels()
		if err != nil {
			return err
		}
		x = &followed{ls: ls, places: p.f.live.Places(ls, nil)}
		p.f.series[key] = x
	}
	if !p.count && len(s.Histograms) > 0 {
		for _, place := range x.places {
			if !place.Count {
				place.Fail(metrics.MinuteOf(s.Histograms[0].T), metrics.HistogramFault())
			}
		}
	}
	for _, sample := range s.samples(promexpr.Observed{Histogram: p.count}) {
		if p.base {
			_, _, _ = x.state.Add(sample.T, sample.V, func(increase.Appearance) increase.Birth { return increase.Birth{} })
			continue
		}
		before := x.state
		step, ok, err := x.state.Follow(sample.T, sample.V, x.ls, p.known)
		if f, fell := increase.FallOf(x.ls, step); fell {
			p.falls = append(p.falls, f)
		}
		p.put(x, sample.T, step, ok, ok && doubtful(&before, sample.Point, step), err)
	}
	return nil
}

// doubt has the minutes read as past of targets of which a counter fell: the
// others, scraped with it, may have begun anew without showing it.
func (p *poll) doubt() {
	if len(p.falls) == 0 {
		return
	}
	for _, x := range p.f.series {
		for _, f := range p.falls {
			if !f.Of(x.ls) {
				continue
			}
			for _, place := range x.places {
				place.Distrust(f.Minute())
			}
		}
	}
}

// longestUsual is a pause that needs no knowledge of the past.
const longestUsual = 3 * minute / 2

// doubtful reports whether what came before decides about a step and is not
// known: a series that comes up and is not new may have been away for long, and
// one of which a sample or two were seen may have had a shorter interval. That is
// looked for where the minute is read as past.
func doubtful(before *increase.State, sample metrics.Point, step increase.Step) bool {
	if step.Moved {
		return true // which targets ended is known later
	}
	if !before.Seen() {
		return step.From == step.To && sample.V > 0
	}
	return !before.Experienced() && sample.T-before.T > longestUsual
}

// put gives a step to the selections.
func (p *poll) put(x *followed, t int64, step increase.Step, ok, distrust bool, err error) {
	if t > p.f.newest.Load() {
		p.f.newest.Store(t)
	}
	for _, place := range x.places {
		switch {
		case place.Count != p.count:
		case err != nil:
			place.Fail(metrics.MinuteOf(t), err)
		case ok:
			place.Take(step)
		}
		if distrust && place.Count == p.count {
			place.Distrust(metrics.MinuteOf(t))
		}
	}
}

package remote

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/increase"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

var _ metrics.Counting = (*Client)(nil)

const (
	minute = int64(time.Minute / time.Millisecond)

	// aside is how far samples are read before and after a span: those before are
	// the base, those after say which minutes at its end are known.
	aside = int64(increase.LongestInterval / time.Millisecond)

	// The base of a series that is hardly there at the beginning of a span is looked
	// for so far before it, and where that is not enough as far as longestAbsence.
	usualAbsence   = 2 * 60 * minute
	longestAbsence = 24 * 60 * minute

	// A long past is read in steps of about so many samples. The source computes
	// for at most a share of the time: what a step took is waited out three times.
	samplesPerStep = 200_000
	firstStep      = 2 * 60 * minute
	shortestStep   = 5 * minute
	longestStep    = 24 * 60 * minute
	pastShare      = 0.25
	pastFrom       = 120 // minutes; a shorter span is no past
)

// Counts implements metrics.Counting. The latest minutes of what is watched are
// read once for all; everything else is read as it is asked for.
func (c *Client) Counts(ctx context.Context, selections []metrics.Selection, from, to int64) ([]metrics.Counts, error) {
	tallies, err := c.follow.recent(ctx, c, selections, from, to)
	if err != nil {
		return nil, err
	}
	var unread []*increase.Tally
	for i, selection := range selections {
		if tallies[i] != nil {
			continue
		}
		plan, err := increase.NewPlan(selection)
		tallies[i] = increase.NewTally(plan, from, to)
		if err != nil {
			tallies[i].Fail(err)
			continue
		}
		unread = append(unread, tallies[i])
	}
	if err := c.readAll(ctx, unread, from, to); err != nil {
		return nil, err
	}
	out := make([]metrics.Counts, len(selections))
	for i, t := range tallies {
		out[i] = t.Counts()
	}
	return out, nil
}

// readAll counts tallies from raw samples.
func (c *Client) readAll(ctx context.Context, tallies []*increase.Tally, from, to int64) error {
	var failed error
	var falls increase.Restarts
	w := c.witness(ctx, &failed)
	readings := increase.Unite(increase.Combine(tallies))
	for _, r := range readings {
		if err := c.readPast(ctx, r, &falls, from, to); err != nil {
			return err
		}
	}
	for _, r := range readings {
		err := falls.Correct(r, w, func(of promexpr.Observed, matchers []*labels.Matcher, from, to int64) ([]increase.Sibling, error) {
			return c.siblings(ctx, of, matchers, from, to)
		})
		if err != nil || failed != nil {
			return orElse(err, failed)
		}
	}
	return nil
}

// Watch implements metrics.Counting: the selections are read together, once for
// all that ask for their latest minutes.
func (c *Client) Watch(selections []metrics.Selection) { c.follow.watch(c, selections) }

// Settled implements metrics.Counting.
func (c *Client) Settled() int64 { return c.follow.settled() }

// past is one series that is read.
type past struct {
	ls      labels.Labels
	state   increase.State
	parts   []increase.Part
	based   bool
	waiting []sample // until its base is known
}

// pastReader reads one span of the past.
type pastReader struct {
	c        *Client
	ctx      context.Context //nolint:containedctx // for the length of one call
	r        *increase.Reading
	since    int64
	series   map[string]*past
	baseless []*past // have samples that wait
	known    *increase.Witness
	falls    *increase.Restarts
	read     int // samples of the step
	err      error
}

// readPast counts a reading from raw samples, in steps.
func (c *Client) readPast(ctx context.Context, r *increase.Reading, falls *increase.Restarts, from, to int64) error {
	since := (from-1)*minute + 1
	now := c.now().UnixMilli()
	end := min(to*minute+aside, max(now-behind.Milliseconds(), min(now, to*minute)))
	x := &pastReader{c: c, ctx: ctx, r: r, since: since, series: map[string]*past{}, falls: falls}
	x.known = c.witness(ctx, &x.err)
	step := firstStep
	for at := since - aside; at <= end; {
		began := time.Now()
		x.read = 0
		until := min(at+step-1, end)
		err := c.raw(ctx, r.Matchers, at, until, x.take)
		if f, ok := fault.As(err); ok && f.Code == codeTooLarge && step > shortestStep {
			step = max(step/4, shortestStep) // what was read of it already is passed over
			continue
		}
		if err == nil && x.err == nil {
			err = x.base()
		}
		if err != nil || x.err != nil {
			return orElse(err, x.err)
		}
		at = until + 1
		step = min(max(int64(float64(step)*min(samplesPerStep/float64(x.read+1), 4)), shortestStep), longestStep)
		if at <= end && to-from > pastFrom {
			if err := pause(ctx, time.Duration(float64(time.Since(began))*(1/pastShare-1))); err != nil {
				return err
			}
		}
	}
	return nil
}

// siblings are the counters that were there in both of two scrapes.
func (c *Client) siblings(ctx context.Context, of promexpr.Observed, matchers []*labels.Matcher, from, to int64) (all []increase.Sibling, err error) {
	err = c.raw(ctx, matchers, from, to, func(s *rawSeries) error {
		ls, err := s.labels()
		if err != nil {
			return err
		}
		var points []metrics.Point
		for _, sample := range s.samples(of) {
			if sample.err == nil {
				points = append(points, sample.Point)
			}
		}
		if found, ok := increase.SiblingOf(ls, points, from, to); ok {
			all = append(all, found)
		}
		return nil
	})
	return all, err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("read the past: %w", ctx.Err())
	}
}

// take counts the samples of one series.
func (x *pastReader) take(s *rawSeries) error {
	p := x.series[string(s.Metric)]
	if p == nil {
		ls, err := s.labels()
		if err != nil {
			return err
		}
		p = &past{ls: ls, parts: x.r.Parts(ls, nil)}
		x.series[string(s.Metric)] = p
	}
	if len(p.parts) == 0 {
		return nil
	}
	if !x.r.Of.Histogram && len(s.Histograms) > 0 {
		for _, part := range p.parts {
			part.Fail(metrics.MinuteOf(s.Histograms[0].T), metrics.HistogramFault())
		}
	}
	samples := s.samples(x.r.Of)
	x.read += len(samples)
	for i := range samples {
		if samples[i].T >= x.since && !p.based && !p.state.Experienced() {
			if len(p.waiting) == 0 {
				x.baseless = append(x.baseless, p)
			}
			p.waiting = append(p.waiting, samples[i:]...)
			break
		}
		x.count(p, &samples[i])
	}
	return x.err
}

// count takes one sample of a series.
func (x *pastReader) count(p *past, sample *sample) {
	var step increase.Step
	var ok bool
	err := sample.err
	if err == nil {
		step, ok, err = p.state.Follow(sample.T, sample.V, p.ls, x.known)
	}
	for _, part := range p.parts {
		switch {
		case err != nil:
			part.Fail(metrics.MinuteOf(sample.T), err)
		case ok && sample.T >= x.since:
			part.Take(step)
		}
	}
	if ok && sample.T >= x.since {
		x.falls.Note(p.ls, x.r.Of, &step)
	}
	p.based = p.based || sample.T >= x.since
}

// base looks for what was seen long before the span of series that are hardly
// there at its beginning, and then counts what waits for it. One that had a sample
// or two needs it as much as one that had none: without its usual interval nobody
// knows what is a gap and what is missing.
func (x *pastReader) base() error {
	left := x.baseless
	for _, back := range []int64{usualAbsence, longestAbsence} {
		if err := x.lookBack(left, x.since-aside-back); err != nil {
			return err
		}
		left = slices.DeleteFunc(slices.Clone(left), func(p *past) bool { return p.state.Experienced() })
	}
	for _, p := range x.baseless {
		for i := range p.waiting {
			x.count(p, &p.waiting[i])
		}
		p.waiting = nil
	}
	x.baseless = x.baseless[:0]
	return x.err
}

// lookBack follows series from a moment up to the span. Those that appear together,
// of a new version or of a new source, mostly differ in one label and are asked for
// together, as long as the answer is not too large.
func (x *pastReader) lookBack(all []*past, from int64) error {
	if len(all) == 0 {
		return nil
	}
	byHash := make(map[uint64]*past, len(all))
	readings := make([]*increase.Reading, len(all))
	for i, p := range all {
		p.state = increase.State{}
		byHash[p.ls.Hash()] = p
		readings[i] = &increase.Reading{Matchers: exactly(p.ls), Of: x.r.Of}
	}
	take := func(s *rawSeries) error {
		ls, err := s.labels()
		if p := byHash[ls.Hash()]; p != nil && labels.Equal(ls, p.ls) {
			p.recollect(s.samples(x.r.Of))
		}
		return err
	}
	for _, r := range increase.Unite(readings) {
		err := x.c.raw(x.ctx, r.Matchers, from, x.since-1, take)
		if f, ok := fault.As(err); ok && f.Code == codeTooLarge && len(all) > 1 {
			return x.lookBackAtEach(all, from)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *pastReader) lookBackAtEach(all []*past, from int64) error {
	for i := range all {
		if err := x.lookBack(all[i:i+1], from); err != nil {
			return err
		}
	}
	return nil
}

// recollect follows a series through what was before the span.
func (p *past) recollect(samples []sample) {
	for _, sample := range samples {
		if sample.err == nil {
			_, _, _ = p.state.Add(sample.T, sample.V, func(increase.Appearance) increase.Birth { return increase.Birth{} })
		}
	}
}

func exactly(ls labels.Labels) []*labels.Matcher {
	m := make([]*labels.Matcher, 0, ls.Len())
	ls.Range(func(l labels.Label) { m = append(m, labels.MustNewMatcher(labels.MatchEqual, l.Name, l.Value)) })
	return m
}

// witness asks the server about series that appear. A failure is kept in failed.
func (c *Client) witness(ctx context.Context, failed *error) *increase.Witness {
	type asked struct {
		selector string
		from, to int64
	}
	answers := map[asked][]*rawSeries{}
	w := &increase.Witness{}
	w.Each = func(matchers []*labels.Matcher, from, to int64, visit func(labels.Labels, []metrics.Point) bool) {
		var b strings.Builder
		for _, m := range matchers {
			b.WriteString(m.String() + ",")
		}
		key := asked{b.String(), from, to}
		series, ok := answers[key]
		if !ok && *failed == nil {
			*failed = c.raw(ctx, matchers, from, to, func(s *rawSeries) error {
				series = append(series, s)
				return nil
			})
			answers[key] = series
		}
		for _, s := range series {
			ls, err := s.labels()
			if err != nil {
				*failed = orElse(*failed, err)
				return
			}
			samples := []metrics.Point(s.Values)
			if len(s.Histograms) > 0 {
				samples = slices.Clone(samples)
				for _, h := range s.Histograms {
					samples = append(samples, h.Point)
				}
			}
			if len(samples) > 0 && !visit(ls, samples) {
				return
			}
		}
	}
	return w
}

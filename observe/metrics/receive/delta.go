package receive

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/embedded"
)

// deltas makes counters of what a sender counts from one point to the next.
//
// A counter goes on from what the store holds of it, so that a restart of this
// server neither loses nor repeats anything, and a point that is sent twice is
// known by its time. Who sends only what happened says by its silence that nothing
// did: as long as anything comes from a target, its counters stand still where
// they are not mentioned.
type deltas struct {
	store interface {
		Last(ls labels.Labels, since int64) (embedded.Standing, error)
		Has(ls labels.Labels, at int64) (bool, error)
	}
	now func() time.Time

	mu      sync.Mutex
	sums    map[uint64]*sum // by hash of labels
	targets map[target]map[uint64]bool
	swept   time.Time
}

type target struct{ job, instance string }

// sum is a counter that is made of deltas.
type sum struct {
	ls labels.Labels
	standing
	counted int64 // the latest point that counted anything
}

// standing is where a counter stands. It is a value, so that it can be put back.
type standing struct {
	t int64
	v float64
	h *histogram.FloatHistogram // never changed, only replaced
}

const (
	// remembered is how far back the store is asked where a counter stood.
	remembered = 6 * time.Hour
	// stands is for how long a counter stands still that nothing is said of.
	stands = 25 * time.Hour
	// sweepEvery is how often those are forgotten of which nothing more comes.
	sweepEvery = 10 * time.Minute
	silent     = time.Hour
	// skew is by how much the points of one target may differ that belong together.
	skew = 5 * time.Second
)

var outOfTurn = cause{
	text.Say("an increase that comes after a later one of its series", "同じ系列のより新しい増分のあとに届いた増分"),
	text.Say("send increases in their order, or set the exporter's temporality to cumulative", "増分を順番どおりに送るか、エクスポーターのテンポラリティを cumulative にしてください"),
}

// turn is one request's. Requests with deltas come one after the other.
type turn struct {
	*taking
	d      *deltas
	before map[*sum]standing // as it was before the request
	seen   map[target]int64  // the newest point of each target
	stored bool
}

func (d *deltas) begin(t *taking) *turn {
	d.mu.Lock()
	if d.sums == nil {
		d.sums, d.targets = map[uint64]*sum{}, map[target]map[uint64]bool{}
	}
	return &turn{taking: t, d: d, before: map[*sum]standing{}, seen: map[target]int64{}}
}

// end puts everything back as it was where nothing was stored.
func (x *turn) end() {
	defer x.d.mu.Unlock()
	if !x.stored {
		for s, was := range x.before {
			s.standing = was
		}
	}
	x.d.sweep()
}

// sweep forgets counters that nothing comes of any more.
func (d *deltas) sweep() {
	now := d.now()
	if now.Sub(d.swept) < sweepEvery {
		return
	}
	d.swept = now
	for hash, s := range d.sums {
		if s.t < now.Add(-silent).UnixMilli() {
			d.forget(hash, s)
		}
	}
}

func (d *deltas) forget(hash uint64, s *sum) {
	delete(d.sums, hash)
	of := targetOf(s.ls)
	if delete(d.targets[of], hash); len(d.targets[of]) == 0 {
		delete(d.targets, of)
	}
}

func targetOf(ls labels.Labels) target { return target{ls.Get("job"), ls.Get("instance")} }

// Append takes an increase from st on up to at.
func (x *turn) Append(ref storage.SeriesRef, ls labels.Labels, st, at int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, o storage.AOptions) (storage.SeriesRef, error) {
	if ls.Get(model.MetricNameLabel) == "target_info" || value.IsStaleNaN(v) {
		return x.taking.Append(ref, ls, 0, at, v, h, fh, o)
	}
	if h != nil {
		fh = h.ToFloat(nil)
	}
	if at > x.latest {
		x.refuse(inFuture, 1, example(ls, at))
		return ref, nil
	}
	s, err := x.find(ls)
	if err != nil {
		x.fatal = err
		return 0, err
	}
	if at > s.counted && at <= s.t && s.t-at < skew.Milliseconds() {
		at = s.t + 1 // the counter stood still a breath too long
	}
	if at <= s.t {
		return ref, x.again(ls, at)
	}
	if _, ok := x.before[s]; !ok {
		x.before[s] = s.standing
	}
	next, err := s.plus(at, v, fh)
	if err != nil {
		x.refuse(badHistogram(err), 1, example(ls, at))
		return ref, nil
	}
	refused := x.refused
	if st <= 0 || st >= at {
		st = at - 1
	}
	if st > s.t { // up to there it stood still
		ref, err = x.put(ref, ls, s.at(st, fh), o)
	}
	if err == nil {
		ref, err = x.put(ref, ls, next, o)
	}
	if err == nil && x.refused == refused {
		s.standing, s.counted = next, at
		of := targetOf(ls)
		x.seen[of] = max(x.seen[of], at)
	}
	return ref, err
}

func (x *turn) put(ref storage.SeriesRef, ls labels.Labels, s standing, o storage.AOptions) (storage.SeriesRef, error) {
	return x.taking.Append(ref, ls, 0, s.t, s.v, nil, s.h, o)
}

// again deals with a point that is not newer than what is there: it was sent
// before, or comes too late to be counted in its time.
func (x *turn) again(ls labels.Labels, at int64) error {
	has, err := x.d.store.Has(ls, at)
	switch {
	case err != nil:
		x.fatal = err
	case has:
		x.took(at, false)
	default:
		x.refuse(outOfTurn, 1, example(ls, at))
	}
	return err
}

// find is the counter of a series, as it stands.
func (x *turn) find(ls labels.Labels) (*sum, error) {
	d, hash := x.d, ls.Hash()
	if s := d.sums[hash]; s != nil && labels.Equal(s.ls, ls) {
		return s, nil
	}
	last, err := d.store.Last(ls, d.now().Add(-remembered).UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("look up where a counter stands: %w", err)
	}
	s := &sum{ls: ls, standing: standing{last.At, last.Value, last.Histogram}, counted: last.Changed}
	d.sums[hash] = s
	of := targetOf(ls)
	if d.targets[of] == nil {
		d.targets[of] = map[uint64]bool{}
	}
	d.targets[of][hash] = true
	return s, nil
}

// plus is where a counter stands after an increase.
func (s standing) plus(at int64, v float64, fh *histogram.FloatHistogram) (standing, error) {
	next := standing{t: at, v: s.v + v}
	if fh == nil {
		return next, nil
	}
	next.v = 0
	if err := fh.Validate(); err != nil {
		return next, errors.Join(err)
	}
	next.h = fh.Copy()
	next.h.CounterResetHint = histogram.UnknownCounterReset
	if s.h != nil {
		sum, _, _, err := s.h.Copy().Add(next.h)
		if err != nil {
			return next, fmt.Errorf("add to a histogram: %w", err)
		}
		sum.CounterResetHint = histogram.UnknownCounterReset
		next.h = sum
	}
	return next, nil
}

// at is where the counter stood at a moment since which nothing was counted. One
// that is new was zero, in the layout of what comes.
func (s standing) at(t int64, like *histogram.FloatHistogram) standing {
	s.t = t
	if like != nil && s.h == nil {
		s.h = &histogram.FloatHistogram{Schema: like.Schema, ZeroThreshold: like.ZeroThreshold, CustomValues: like.CustomValues}
	}
	return s
}

// carryOn has the counters stand still that a target did not mention.
func (x *turn) carryOn() {
	for of, t := range x.seen {
		for hash := range x.d.targets[of] {
			s := x.d.sums[hash]
			if s == nil || s.t == 0 || s.t >= t || x.fatal != nil {
				continue
			}
			if t-s.counted > stands.Milliseconds() {
				x.d.forget(hash, s)
				continue
			}
			if _, ok := x.before[s]; !ok {
				x.before[s] = s.standing
			}
			next := s.standing
			next.t = t
			if _, err := x.put(0, s.ls, next, storage.AOptions{}); err == nil {
				s.standing = next
			}
		}
	}
}

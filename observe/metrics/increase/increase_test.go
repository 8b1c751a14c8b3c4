package increase

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

var stale = math.Float64frombits(value.StaleNaN)

// sample is a value at a second.
type sample struct {
	at int64
	v  float64
}

// feed counts samples into the minutes [from, to). The target was scraped
// without the series at the seconds in absent.
func feed(t testing.TB, m *Minutes, samples []sample, absent ...int64) {
	t.Helper()
	var s State
	for _, x := range samples {
		step, ok, err := s.Add(x.at*1000, x.v, func(a Appearance) Birth {
			var b Birth
			for _, at := range absent {
				if at*1000 > a.Last && at*1000 < a.At {
					b = Birth{New: true, Since: at * 1000}
				}
			}
			return b
		})
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			m.Take(step, 1)
		}
	}
}

var nan = math.NaN()

func TestIncrementsAreCountedWhenTheyArrive(t *testing.T) {
	for _, c := range []struct {
		name    string
		samples []sample
		absent  []int64
		want    []float64 // from minute 0
		lumps   []metrics.Lump
	}{
		{"a first sample is only a base", []sample{{10, 100}}, nil, []float64{0, nan}, nil},
		{"differences", []sample{{10, 100}, {40, 103}, {70, 104}}, nil, []float64{3, 1}, nil},
		{"a sample on the minute ends it", []sample{{30, 0}, {60, 5}, {90, 7}}, nil, []float64{5, 2}, nil},
		{"a value that fell began at zero", []sample{{10, 100}, {40, 3}}, nil, []float64{3}, nil},
		{"equal times and older samples are not counted", []sample{{10, 1}, {10, 9}, {40, 3}, {20, 9}, {70, 4}}, nil, []float64{2, 1}, nil},
		{"a new series counts from zero", []sample{{40, 7}}, []int64{10}, []float64{7}, nil},
		{"late scrapes leave no minute unknown", []sample{{10, 0}, {129, 4}, {248, 5}}, nil, []float64{0, 0, 4, 0, 1}, nil},
		{"a gap is one lump at its end", []sample{{10, 0}, {40, 2}, {340, 9}}, nil, []float64{2, nan, nan, nan, nan, 7},
			[]metrics.Lump{{From: 0, To: 5, Value: 7}}},
		{"a restart in a gap is at least that many", []sample{{10, 5}, {40, 7}, {340, 3}}, nil, []float64{2, nan, nan, nan, nan, 3},
			[]metrics.Lump{{From: 0, To: 5, Value: 3, AtLeast: true}}},
		{"a gap without events is no lump", []sample{{10, 5}, {340, 5}}, nil, []float64{0, nan, nan, nan, nan, 0}, nil},
		{"a series that was gone and comes back higher began anew", []sample{{10, 5}, {40, stale}, {70, 9}}, []int64{40}, []float64{0, 9}, nil},
		{"a target that did not answer goes on", []sample{{10, 5}, {40, stale}, {70, 9}}, nil, []float64{0, 4}, nil},
		{"slow scrapes are no gaps once that is known", []sample{{10, 0}, {310, 1}, {610, 3}}, nil,
			[]float64{0, nan, nan, nan, nan, 1, 0, 0, 0, 0, 2}, []metrics.Lump{{From: 0, To: 5, Value: 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := NewMinutes(0, int64(len(c.want)))
			feed(t, m, c.samples, c.absent...)
			if d := cmp.Diff(c.want, m.Values, cmpopts.EquateNaNs()); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(c.lumps, m.Lumps); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestValuesThatNoCounterHasAreNamed(t *testing.T) {
	for v, code := range map[float64]string{-1: "metrics.counter_negative", math.Inf(1): "metrics.counter_infinite", math.Inf(-1): "metrics.counter_infinite", math.NaN(): "metrics.counter_nan"} {
		if math.IsInf(v, -1) {
			code = "metrics.counter_infinite"
		}
		var s State
		_, ok, err := s.Add(1000, v, nil)
		f, is := fault.As(err)
		if ok || !is || f.Code != code || f.Kind != fault.Invalid || f.In(text.JA) == f.In(text.EN) || f.Remedy.JA == "" {
			t.Errorf("%v: %v %v", v, ok, err)
		}
	}
}

// world is one counter as it really was, and what its scrapes showed.
type world struct {
	samples []sample
	absent  []int64
	shown   float64 // events that the samples show
	gaps    [][2]int64
	end     int64
}

// worlds draws counters with restarts, times without the series, late scrapes
// and gaps. A restart that a scrape can show is one after which the value is
// lower, or before which the series was seen to be gone.
func worlds() *rapid.Generator[world] {
	return rapid.Custom(func(t *rapid.T) world {
		var w world
		at := int64(rapid.IntRange(10, 200).Draw(t, "start"))
		var v float64
		interval := rapid.SampledFrom([]int64{15, 30, 60, 90}).Draw(t, "interval")
		if rapid.Bool().Draw(t, "seen to be born") {
			w.absent = append(w.absent, at-1)
			v = float64(rapid.IntRange(0, 50).Draw(t, "first"))
			w.shown += v
		} else {
			v = float64(rapid.IntRange(0, 1000).Draw(t, "base"))
		}
		w.samples = append(w.samples, sample{at, v})
		for range rapid.IntRange(1, 60).Draw(t, "scrapes") {
			was := at
			at += interval + rapid.Int64Range(-interval/3, interval/4).Draw(t, "jitter")
			if rapid.IntRange(0, 14).Draw(t, "gap?") == 0 {
				at += rapid.Int64Range(3*60, 5*3600).Draw(t, "gap")
				w.gaps = append(w.gaps, [2]int64{was, at})
			}
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0: // a restart
				if v > 0 {
					v = float64(rapid.IntRange(0, int(v)-1).Draw(t, "after restart"))
					w.shown += v
				}
			case 1: // the series was away and comes back
				w.samples = append(w.samples, sample{was + 1, stale})
				w.absent = append(w.absent, was+1)
				v = float64(rapid.IntRange(0, 2000).Draw(t, "after absence"))
				w.shown += v
			case 2: // the target was away
				w.samples = append(w.samples, sample{was + 1, stale})
				fallthrough
			default:
				n := float64(rapid.IntRange(0, 100).Draw(t, "events"))
				v += n
				w.shown += n
			}
			w.samples = append(w.samples, sample{at, v})
		}
		w.end = at
		return w
	})
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
		}
	}
	return sum
}

// TestNothingIsLostAndNothingCountedTwice: the minutes of any spans that follow
// one another add up to what the scrapes showed, exactly.
func TestNothingIsLostAndNothingCountedTwice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := worlds().Draw(r, "world")
		end := metrics.MinuteOf(w.end*1000) + 1
		whole := NewMinutes(0, end)
		feed(t, whole, w.samples, w.absent...)
		if got := total(whole.Values); got != w.shown {
			r.Fatalf("counted %v of %v events", got, w.shown)
		}
		cut := rapid.Int64Range(0, end).Draw(r, "cut")
		first, second := NewMinutes(0, cut), NewMinutes(cut, end)
		feed(t, first, w.samples, w.absent...)
		feed(t, second, w.samples, w.absent...)
		if d := cmp.Diff(whole.Values, append(first.Values, second.Values...), cmpopts.EquateNaNs()); d != "" {
			r.Fatalf("cut at %d: %s", cut, d)
		}
		if d := cmp.Diff(whole.Lumps, append(first.Lumps, second.Lumps...), cmpopts.EquateEmpty()); d != "" {
			r.Fatalf("cut at %d: %s", cut, d)
		}
		for _, l := range whole.Lumps {
			if l.From > l.To || l.Value > whole.Values[l.To] {
				r.Fatalf("lump %+v in a minute of %v", l, whole.Values[l.To])
			}
		}
	})
}

// TestTheRingIsTheEndOfTheSpan: what is counted as samples arrive is what is
// counted when they are read again.
func TestTheRingIsTheEndOfTheSpan(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := worlds().Draw(r, "world")
		end := metrics.MinuteOf(w.end*1000) + 1
		from := max(0, end-RingMinutes)
		want, got := NewMinutes(from, end), NewMinutes(from, end)
		feed(t, want, w.samples, w.absent...)
		var s State
		var ring Ring
		for _, x := range w.samples {
			step, ok, err := s.Add(x.at*1000, x.v, func(a Appearance) Birth {
				var b Birth
				for _, at := range w.absent {
					if at*1000 > a.Last && at*1000 < a.At {
						b = Birth{New: true, Since: at * 1000}
					}
				}
				return b
			})
			if err != nil {
				r.Fatal(err)
			}
			if ok {
				ring.Take(step, 1)
			}
		}
		ring.Copy(got)
		if d := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); d != "" {
			r.Fatal(d)
		}
	})
}

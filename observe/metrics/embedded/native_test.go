package embedded

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
)

// observe appends a native histogram whose buckets of 2^-3 … 2^2 hold the counts.
func observe(t *testing.T, s *Store, instance string, second int64, counts ...int64) {
	t.Helper()
	h := &histogram.Histogram{Schema: 0, ZeroThreshold: 1e-9, PositiveSpans: []histogram.Span{{Offset: -2, Length: uint32(len(counts))}}}
	last := int64(0)
	for _, n := range counts {
		h.PositiveBuckets = append(h.PositiveBuckets, n-last)
		h.Count += uint64(n)
		last = n
	}
	a := s.AppenderV2(t.Context())
	_, err := a.Append(0, labels.FromStrings("__name__", "delay_seconds", "job", "shop", "instance", instance), 0, at(second), 0, h, nil, storage.AOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestObservationsUpToAThresholdAreCountedExactly counts native histograms of two
// targets, one of which begins anew. Buckets are (1/8, 1/4], (1/4, 1/2], (1/2, 1].
func TestObservationsUpToAThresholdAreCountedExactly(t *testing.T) {
	s := open(t, Options{})
	const within = "histogram_fraction(0, 0.5, sum(delay_seconds)) * histogram_count(sum(delay_seconds))"
	const all = "histogram_count(sum(delay_seconds))"
	observe(t, s, "a", 10, 10, 10, 10)
	observe(t, s, "b", 20, 100, 0, 0)
	observe(t, s, "a", 40, 12, 13, 10) // 5 quick ones
	observe(t, s, "b", 50, 101, 0, 7)  // 1 quick, 7 slow
	observe(t, s, "a", 70, 12, 14, 30) // 1 quick, 20 slow
	observe(t, s, "b", 80, 2, 1, 1)    // began anew: 3 quick, 1 slow
	for range 2 {                      // as past, and with what is watched
		if d := cmp.Diff([]float64{6, 4}, one(t, s, within, 2).Values, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("up to a half: %s", d)
		}
		if d := cmp.Diff([]float64{13, 25}, one(t, s, all, 2).Values, cmpopts.EquateNaNs()); d != "" {
			t.Errorf("all: %s", d)
		}
		s.Watch([]metrics.Selection{{Expr: within}, {Expr: all}})
	}
	got := one(t, s, "histogram_fraction(0, 0.3, sum(delay_seconds)) * histogram_count(sum(delay_seconds))", 2)
	if len(got.Refused) != 2 || !math.IsNaN(got.Values[0]) {
		t.Fatalf("within a bucket: %+v", got)
	}
	if f, ok := fault.As(got.Refused[0].Err); !ok || f.Code != "metrics.between_buckets" || f.Remedy.JA == "" {
		t.Errorf("within a bucket: %v", got.Refused[0].Err)
	}
}

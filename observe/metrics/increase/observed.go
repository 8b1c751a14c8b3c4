package increase

import (
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// CodeBetween is the code of the fault of a threshold that lies within a bucket.
const CodeBetween = "metrics.between_buckets"

// near is by how much a threshold may miss a boundary, as a part of it: boundaries
// of native histograms are written with few digits.
const near = 1e-5

// Bucket is a bucket of a histogram, which holds what is above Lower and not
// above Upper.
type Bucket struct{ Lower, Upper, Count float64 }

// UpTo counts the observations of a histogram's buckets that are at most bound.
// Where some lie in a bucket around it that is an Invalid fault, because nobody
// knows how many of them are below.
func UpTo(buckets func(yield func(Bucket) bool), bound float64) (float64, error) {
	n := 0.0
	for b := range buckets {
		switch {
		case b.Count == 0 || b.Lower >= bound*(1-near):
		case b.Lower < 0:
			return 0, between(0, b)
		case b.Upper <= bound*(1+near):
			n += b.Count
		default:
			return 0, between(bound, b)
		}
	}
	return n, nil
}

func between(bound float64, b Bucket) error {
	lower, upper := boundary(b.Lower), boundary(b.Upper)
	return fault.New(fault.Invalid, CodeBetween, text.Say(
		"the threshold %s lies within a bucket, between %s and %s: how many observations are below it is not known",
		"しきい値 %s はバケットの途中(%s と %s の間)にあり、それ以下の観測数は分かりません", boundary(bound), lower, upper)).
		Fix(text.Say("choose one of the boundaries %s and %s, or annotate the SLO with teiten.dev/interpolate: \"true\" to have it estimated",
			"境界の %s か %s をしきい値にするか、SLO に注釈 teiten.dev/interpolate: \"true\" を付けて推定してください", lower, upper))
}

func boundary(v float64) string { return strconv.FormatFloat(v, 'g', 7, 64) }

// Of is what is counted of a native histogram.
func Of(h *histogram.FloatHistogram, what promexpr.Observed) (float64, error) {
	if !what.Bounded {
		return h.Count, nil
	}
	return UpTo(func(yield func(Bucket) bool) {
		for it := h.AllBucketIterator(); it.Next(); {
			b := it.At()
			if b.Upper <= 0 && b.Lower < 0 {
				continue
			}
			if b.Lower < 0 && len(h.NegativeBuckets) == 0 {
				b.Lower = 0 // the bucket of zeros, of what is never negative
			}
			if !yield(Bucket{b.Lower, b.Upper, b.Count}) {
				return
			}
		}
	}, what.UpTo)
}

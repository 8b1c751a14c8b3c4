// Package metrics asks questions of time series, wherever they are kept.
//
// It holds the one interface through which the rest of the product reads
// metrics, and the registry of named sources behind it: the embedded store
// (package embedded) and any server that speaks Prometheus' HTTP API (package
// remote). It knows how a source is reached and whether it answers; it does not
// know what a service level is.
package metrics

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Querier evaluates PromQL. Both methods return faults: Invalid where the
// expression cannot be evaluated (with Where holding line and column in the
// expression, where known) or its answer would be too large, and Unavailable
// where the source is gone, slow or answers nonsense. An answer without series is
// not an error. Implementations are safe for concurrent use.
type Querier interface {
	// Instant evaluates expr at one moment. Each series of the answer has one
	// point. A scalar is answered as one series without labels.
	Instant(ctx context.Context, expr string, at time.Time) ([]Series, error)

	// Range evaluates expr at from, from+step, … up to and including to. The
	// points of each series lie on that grid, in order of time; a moment at which
	// the series had no value has no point. Every moment is evaluated on its own
	// merits: a long range may be asked for in one call and is split where the
	// source needs it. NaN and infinite values are returned as they are.
	Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]Series, error)

	// Anchored reports whether the source knows exact increases, written
	// increase(x[1m] anchored): the last sample at or before the window's start is
	// the base, nothing is extrapolated, and the increases of consecutive windows
	// add up to the increase of the whole.
	Anchored() bool
}

// Point is the value of a series at one moment.
type Point struct {
	T int64   // Unix milliseconds, UTC
	V float64 // may be NaN or infinite
}

// Time is the point's moment in UTC.
func (p Point) Time() time.Time { return time.UnixMilli(p.T).UTC() }

// Series is one series of an answer.
type Series struct {
	Labels map[string]string // with __name__ where the expression kept it
	Points []Point           // in order of time
}

// Name writes the series' labels as PromQL does: {code="200", job="shop"}.
func (s Series) Name() string {
	names := make([]string, 0, len(s.Labels))
	for n := range s.Labels {
		if n != "__name__" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString(s.Labels["__name__"])
	b.WriteByte('{')
	for i, n := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(n + `="` + s.Labels[n] + `"`)
	}
	b.WriteByte('}')
	return b.String()
}

// One returns the only series of an answer, and a series without points where
// the answer is empty. An expression that stands for one number must not answer
// several series: adding them up silently would hide a mistake (the sum of
// ratios, a target counted twice), so that several are an Invalid fault which
// names the labels that differ and says how to mend the expression.
func One(answer []Series) (Series, error) {
	switch len(answer) {
	case 0:
		return Series{}, nil
	case 1:
		return answer[0], nil
	}
	differ := strings.Join(differingLabels(answer), ", ")
	return Series{}, fault.New(fault.Invalid, "metrics.several_series", text.Say(
		"the expression answers %d series instead of one; they differ in %s (for example %s and %s)",
		"式の結果が1系列ではなく%d系列になりました。異なるラベル: %s（例: %s と %s）",
		len(answer), differ, answer[0].Name(), answer[1].Name())).
		Fix(text.Say("wrap the expression in sum(…), or select one series by its labels",
			"式を sum(…) で囲むか、ラベルで1系列に絞り込んでください"))
}

// differingLabels names the labels whose values are not the same in every
// series of the answer, sorted.
func differingLabels(answer []Series) []string {
	var names []string
	for _, s := range answer {
		for n := range s.Labels {
			if slices.Contains(names, n) {
				continue
			}
			for _, o := range answer {
				if v, ok := o.Labels[n]; !ok || v != s.Labels[n] {
					names = append(names, n)
					break
				}
			}
		}
	}
	slices.Sort(names)
	return names
}

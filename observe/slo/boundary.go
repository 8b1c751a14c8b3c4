package slo

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// boundaries remembers which boundaries classic histograms have, so that an
// objective whose boundary is not one of them can name those that are near.
type boundaries struct {
	mu    sync.Mutex
	known map[string]knownBoundaries
}

type knownBoundaries struct {
	at  time.Time
	has []string
}

// boundariesFor is how long boundaries are not asked for again.
const boundariesFor = 10 * time.Minute

// of lists the boundaries of a histogram, and none where nothing is known.
func (b *boundaries) of(ctx context.Context, q metrics.Querier, source, selector string, now time.Time) []string {
	key := source + "\x00" + selector
	b.mu.Lock()
	k, ok := b.known[key]
	b.mu.Unlock()
	if ok && now.Sub(k.at) < boundariesFor && !now.Before(k.at) {
		return k.has
	}
	has, err := boundariesOf(ctx, q, selector, now)
	if err != nil {
		return k.has
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil {
		b.known = map[string]knownBoundaries{}
	}
	b.known[key] = knownBoundaries{now, has}
	return has
}

// boundariesOf asks for them, the smallest first.
func boundariesOf(ctx context.Context, q metrics.Querier, selector string, now time.Time) ([]string, error) {
	found, err := q.Instant(ctx, "count by (le) ("+selector+")", now)
	if err != nil {
		return nil, err
	}
	var has []string
	for _, series := range found {
		if le := series.Labels["le"]; le != "" {
			has = append(has, le)
		}
	}
	slices.SortFunc(has, func(a, b string) int { return cmp.Compare(boundary(a), boundary(b)) })
	return has, nil
}

func boundary(le string) float64 {
	v, err := strconv.ParseFloat(le, 64)
	if err != nil {
		return math.Inf(1)
	}
	return v
}

// nearest are the boundaries next to one that there is not: those of the same
// value written in another way, otherwise the ones below and above.
func nearest(has []string, le string) []string {
	want := boundary(le)
	var below, above string
	for _, b := range has {
		switch v := boundary(b); {
		case v == want:
			return []string{b}
		case v < want:
			below = b
		case above == "":
			above = b
		}
	}
	return slices.DeleteFunc([]string{below, above}, func(s string) bool { return s == "" })
}

// sayNoBucket names the boundary that there is not, and what to write instead.
func sayNoBucket(b promexpr.Bucket, has []string) (what, remedy text.Both) {
	near := strings.Join(nearest(has, b.Le), ", ")
	return text.Say("%s has no bucket le=%q", "%s に le=%q のバケットはありません", b.Metric, b.Le),
		text.Say("write one of the nearest boundaries, le=%s, of all that there are (%s), or annotate the SLO with teiten.dev/interpolate: \"true\" to have it estimated",
			"最も近い境界 le=%s(全境界: %s)を使うか、SLO に注釈 teiten.dev/interpolate: \"true\" を付けて推定してください", near, strings.Join(has, ", "))
}

// nameBoundaries says, for a reading whose histogram lacks the wanted boundary,
// which ones are near.
func (r *reader) nameBoundaries(ctx context.Context, x *reading) {
	if x.trouble != noBucket {
		return
	}
	for _, a := range x.m.def.asks() {
		wanted, err := promexpr.Buckets(a.Expr)
		source, sourceErr := r.s.sources.Get(a.Source)
		if err != nil || sourceErr != nil || a.Field != "good" {
			continue
		}
		for _, b := range wanted {
			has := r.s.boundaries.of(ctx, source, a.Source, b.All, r.s.now())
			if len(has) > 0 && !slices.Contains(has, b.Le) {
				what, remedy := sayNoBucket(b, has)
				x.said = text.Say("%s: %s", "%s。%s", what, remedy)
				return
			}
		}
	}
}

// warnBuckets points at boundaries that a histogram does not have, where the
// source is at hand: a transaction is open, and nobody waits for a server in it.
func (s *Service) warnBuckets(ctx context.Context, d *ascode.Document, sli *openslo.SLISpec, path ...any) []*fault.Error {
	if sli.RatioMetric == nil || sli.RatioMetric.Good == nil {
		return nil
	}
	good := sli.RatioMetric.Good
	source, err := s.sources.Get(good.MetricSource.Source())
	if err != nil || !source.Anchored() {
		return nil
	}
	wanted, err := promexpr.Buckets(good.Expression())
	if err != nil {
		return nil
	}
	var faults []*fault.Error
	for _, b := range wanted {
		has, err := boundariesOf(ctx, source, b.All, s.now())
		if err != nil || len(has) == 0 || slices.Contains(has, b.Le) {
			continue
		}
		what, remedy := sayNoBucket(b, has)
		faults = append(faults, d.Fault("slo.no_bucket", what, remedy, append(slices.Clone(path), "ratioMetric", "good")...))
	}
	return faults
}

package slo

import (
	"cmp"
	"context"
	"database/sql"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// warnSLO points at what is allowed and yet hardly meant.
func (s *Service) warnSLO(ctx context.Context, _ *sql.Tx, d *ascode.Document) []*fault.Error {
	o, ok := d.Object.(*openslo.SLO)
	if !ok {
		return nil
	}
	faults := append(warnWindow(d, &o.Spec), s.warnRetention(d, &o.Spec)...)
	look := func(sli *openslo.SLISpec, path ...any) {
		faults = append(faults, warnSLI(d, sli, path...)...)
		faults = append(faults, s.warnBuckets(ctx, d, sli, path...)...)
	}
	if o.Spec.Indicator != nil {
		look(&o.Spec.Indicator.Spec, "spec", "indicator", "spec")
	}
	for i, objective := range o.Spec.Objectives {
		if objective.Indicator != nil {
			look(&objective.Indicator.Spec, "spec", "objectives", i, "indicator", "spec")
		}
	}
	return faults
}

// warnRetention points at a window that reaches further back than the source.
func (s *Service) warnRetention(d *ascode.Document, spec *openslo.SLOSpec) []*fault.Error {
	keeper, ok := s.sources.(interface {
		Keeps(name string) time.Duration
	})
	if !ok || spec.Indicator == nil {
		return nil
	}
	x, _ := indicatorOf(&spec.Indicator.Spec, openslo.Objective{Op: "lt", Value: new(float64)})
	length, kept := spec.Window().Nominal(), keeper.Keeps(x.Source)
	if kept == 0 || length <= kept {
		return nil
	}
	return []*fault.Error{d.Fault("slo.retention",
		text.Say("the window is %s and the data source keeps %s: what came before is unknown until the window has filled", "期間が%sですが、データソースの保存期間は%sです。それより前は、期間の分がたまるまで不明です", label(length), label(kept)),
		text.Say("keep samples for longer (metrics.embedded.retention), choose a shorter window, or let it fill: the ledger keeps what was counted",
			"保存期間(metrics.embedded.retention)を延ばすか、期間を短くしてください。待てば、数えた結果は台帳に残るため期間の分がたまります"), "spec", "timeWindow", 0, "duration")}
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
		found, err := source.Instant(ctx, "count by (le) ("+b.All+")", s.now())
		has := make([]string, len(found))
		for i, series := range found {
			has[i] = series.Labels["le"]
		}
		if err != nil || len(has) == 0 || slices.Contains(has, b.Le) {
			continue
		}
		slices.SortFunc(has, func(a, b string) int { return cmp.Compare(boundary(a), boundary(b)) })
		faults = append(faults, d.Fault("slo.no_bucket",
			text.Say("%s has no bucket le=%q", "%s に le=%q のバケットはありません", b.Metric, b.Le),
			text.Say("choose one of its boundaries: %s", "次の境界から選んでください: %s", strings.Join(has, ", ")),
			append(slices.Clone(path), "ratioMetric", "good")...))
	}
	return faults
}

func boundary(le string) float64 {
	v, err := strconv.ParseFloat(le, 64)
	if err != nil {
		return math.Inf(1)
	}
	return v
}

// warnWindow points at windows of minutes, where m was taken for a month.
func warnWindow(d *ascode.Document, s *openslo.SLOSpec) []*fault.Error {
	if len(s.TimeWindow) == 0 || s.TimeWindow[0].Calendar == nil || !strings.HasSuffix(s.TimeWindow[0].Duration, "m") {
		return nil
	}
	return []*fault.Error{d.Fault("slo.window_minutes",
		text.Say("the window is %s: in OpenSLO m is a minute", "期間が %s です。OpenSLO では m は分を表します", s.TimeWindow[0].Duration),
		text.Say("for months write M, as in 1M", "月なら 1M のように大文字の M で書いてください"), "spec", "timeWindow", 0, "duration")}
}

// warnSLI points at expressions over counters that are not taken as such.
func warnSLI(d *ascode.Document, sli *openslo.SLISpec, path ...any) []*fault.Error {
	r := sli.RatioMetric
	if r == nil || r.Counts() || r.Total == nil || !cumulative(r.Total.Expression()) {
		return nil
	}
	return []*fault.Error{d.Fault("slo.counter",
		text.Say("the total looks like a counter, whose value only grows", "total は増え続けるカウンターのようです"),
		text.Say("add `counter: true` under ratioMetric, so that its increase in each minute is counted",
			"ratioMetric に `counter: true` を加えると、1分ごとの増分が数えられます"), append(slices.Clone(path), "ratioMetric", "total")...)}
}

// cumulative reports whether the expression reads bare counters, by their names.
func cumulative(expr string) bool {
	if _, err := promexpr.IncreaseOver(expr, time.Minute, false, 0); err != nil {
		return false // it takes the increase itself
	}
	names, err := promexpr.Metrics(expr)
	return err == nil && slices.ContainsFunc(names, func(n string) bool {
		return strings.HasSuffix(n, "_total") || strings.HasSuffix(n, "_count") || strings.HasSuffix(n, "_bucket")
	})
}

package slo

import (
	"context"
	"database/sql"
	"slices"
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
	faults := slices.Concat(warnWindow(d, &o.Spec), warnTargets(d, &o.Spec), s.warnRetention(d, &o.Spec))
	look := func(sli *openslo.SLISpec, path ...any) {
		faults = append(faults, warnSLI(d, sli, path...)...)
		if o.Metadata.Annotations[openslo.Interpolate] != "true" {
			faults = append(faults, s.warnBuckets(ctx, d, sli, path...)...)
		}
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

// warnTargets points at objectives that promise nothing, and at shares that are
// written where percent are meant to be.
func warnTargets(d *ascode.Document, spec *openslo.SLOSpec) (faults []*fault.Error) {
	for i, o := range spec.Objectives {
		switch p := o.TargetPercent; {
		case o.Target != nil && *o.Target == 0 || p != nil && *p == 0:
			faults = append(faults, d.Fault("slo.objective_zero",
				text.Say("the objective is 0: every event may be bad, and the budget can never be exhausted", "目標が 0 です。すべてが失敗しても許容され、バジェットは決して尽きません"),
				text.Say("write the share of events that must be good, such as 0.999", "良いイベントの割合を 0.999 のように書いてください"), "spec", "objectives", i))
		case p != nil && *p <= 1:
			faults = append(faults, d.Fault("slo.objective_percent",
				text.Say("the objective is %v per cent: nearly every event may be bad", "目標が %v %% です。ほとんどのイベントが失敗しても許容されます", *p),
				text.Say("write it in percent, such as 99.9, or as a share in target: %v", "99.9 のように百分率で書くか、割合なら target: %v と書いてください", *p), "spec", "objectives", i, "targetPercent"))
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

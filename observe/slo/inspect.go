package slo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// What an inspection may find. Nothing of it keeps events from being counted: each
// only means, as a rule, that something else is counted than was meant.
const (
	findingGauge    = "gauge_as_counter" // the metric says that it is a gauge
	findingFalls    = "falls_often"      // it falls more often than counters do
	findingReplicas = "counted_twice"    // replicas deliver the same counters
	findingCoverage = "sources_disagree" // one source knows minutes that the other does not
	findingBoundary = "no_bucket"        // a boundary that the histogram does not have
	inspectedOver   = time.Hour          // how far back is looked
	mostFalls       = 3                  // of one counter in that time
	fallsOfChanges  = 0.1                // the share of changes that may be falls
	coverageDiffers = 3                  // minutes
)

// Finding is one thing that is hardly meant.
type Finding struct {
	State  string    `json:"state" enum:"gauge_as_counter,falls_often,counted_twice,sources_disagree,no_bucket"`
	Field  string    `json:"field" doc:"Which expression it is about: good, bad, total, value or ratio."`
	What   text.Both `json:"what"`
	Remedy text.Both `json:"remedy"`
}

// Inspect looks at what the sources say of the expressions of an objective, and
// names what is hardly meant. It asks the sources now.
func (s *Service) Inspect(ctx context.Context, name string) ([]Finding, error) {
	d, _, err := s.read(ctx, name, time.Time{})
	if err != nil {
		return nil, err
	}
	found := []Finding{}
	seen := map[string]bool{}
	for _, a := range d.asks() {
		key := a.Source + "\x00" + a.Expr
		if seen[key] {
			continue
		}
		seen[key] = true
		some, err := s.inspect(ctx, d, a)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	if d.PartSource != nil {
		more, err := s.compareSources(ctx, d)
		if err != nil {
			return nil, err
		}
		found = append(found, more...)
	}
	return found, nil
}

// inspect looks at one expression.
func (s *Service) inspect(ctx context.Context, d *Definition, a ask) ([]Finding, error) {
	q, err := s.sources.Get(a.Source)
	if err != nil {
		return nil, err
	}
	var found []Finding
	if sum, err := promexpr.Count(a.Expr); a.Counter && err == nil {
		for _, t := range sum.Terms {
			some, err := s.inspectCounter(ctx, q, a, t)
			if err != nil {
				return nil, err
			}
			found = append(found, some...)
		}
	}
	wanted, err := promexpr.Buckets(a.Expr)
	if err != nil || d.Interpolate {
		return found, nil //nolint:nilerr // queries of a plug-in have no buckets
	}
	for _, b := range wanted {
		if has := s.boundaries.of(ctx, q, a.Source, b.All, s.now()); len(has) > 0 && !slices.Contains(has, b.Le) {
			what, remedy := sayNoBucket(b, has)
			found = append(found, Finding{findingBoundary, a.Field, what, remedy})
		}
	}
	return found, nil
}

// replicaLabels are by what replicas of one Prometheus tell themselves apart.
var replicaLabels = []string{"replica", "prometheus_replica", "__replica__", "cluster_replica"}

// inspectCounter looks at one counter of a sum.
func (s *Service) inspectCounter(ctx context.Context, q metrics.Querier, a ask, t promexpr.Term) ([]Finding, error) {
	var found []Finding
	if kind := s.typeOf(ctx, a.Source, t.Metric()); kind == "gauge" || kind == "info" || kind == "stateset" {
		found = append(found, gaugeFinding(a.Field, t.Metric(), kind))
	} else if t.Of == (promexpr.Observed{}) {
		falls, err := s.fallsOften(ctx, q, t.String())
		if err != nil {
			return nil, err
		}
		if falls {
			found = append(found, Finding{findingFalls, a.Field,
				text.Say("%s falls again and again, as a gauge does; or its process restarts all the time", "%s の値が繰り返し下がっています。ゲージか、プロセスが再起動を繰り返している可能性があります", t),
				counterRemedy})
		}
	}
	for _, label := range replicaLabels {
		n, err := number(ctx, q, fmt.Sprintf("count(count by (%s) (%s))", label, t), s.now())
		if err != nil {
			return nil, err
		}
		if n > 1 {
			found = append(found, Finding{findingReplicas, a.Field,
				text.Say("%s is there %d times, by the label %s: each event is counted as often", "%s がラベル %[3]s ごとに%[2]d重にあり、同じイベントを重複して数えています", t, int(n), label),
				text.Say("select one replica, as in {%[1]s=\"a\"}, or let the source deduplicate them; max by (…) of counters is no sum of them", "{%[1]s=\"a\"} のように1つのレプリカを選ぶか、データソース側で重複を除いてください", label)})
		}
	}
	return found, nil
}

var counterRemedy = text.Say("select a counter (its name usually ends in _total, _count or _bucket), or set counter: false for values that are counts as they stand",
	"カウンター(名前の末尾は通常 _total、_count、_bucket)を選ぶか、値そのものが件数なら counter: false にしてください")

func gaugeFinding(field, metric, kind string) Finding {
	return Finding{findingGauge, field,
		text.Say("%s is of type %s, and is counted as a counter", "%s の種類は %s ですが、カウンターとして数えています", metric, kind), counterRemedy}
}

// typeOf is what the source says that a metric is, "" where it does not say.
func (s *Service) typeOf(ctx context.Context, source, metric string) string {
	typed, ok := s.sources.(interface {
		TypeOf(ctx context.Context, source, metric string) (string, error)
	})
	if !ok || metric == "" {
		return ""
	}
	kind, err := typed.TypeOf(ctx, source, metric)
	if err != nil {
		return ""
	}
	return kind
}

// fallsOften reports whether a counter of a selector falls more often than one
// does that begins anew now and then.
func (s *Service) fallsOften(ctx context.Context, q metrics.Querier, selector string) (bool, error) {
	over := fmt.Sprintf("(%s[%ds])", selector, int64(inspectedOver.Seconds()))
	most, err := number(ctx, q, "max(resets"+over+")", s.now())
	if err != nil || most < mostFalls {
		return false, err
	}
	share, err := number(ctx, q, "max(resets"+over+" / (changes"+over+" > 0))", s.now())
	return share > fallsOfChanges, err
}

// number evaluates an expression that gives one, 0 where it gives none.
func number(ctx context.Context, q metrics.Querier, expr string, at time.Time) (float64, error) {
	answer, err := q.Instant(ctx, expr, at)
	if err != nil || len(answer) == 0 || len(answer[0].Points) == 0 || math.IsNaN(answer[0].Points[0].V) {
		return 0, err
	}
	return answer[0].Points[0].V, nil
}

// compareSources finds minutes that only one of two sources knows.
func (s *Service) compareSources(ctx context.Context, d *Definition) ([]Finding, error) {
	end := ledger.Done(s.now().Add(-s.settle(d)))
	span := ledger.Between(end-int64(inspectedOver/time.Minute), end)
	x, err := s.questions(d)
	if err != nil {
		return nil, err
	}
	known := make([]int, len(x.all))
	for i, q := range x.all {
		values, err := evaluate(ctx, q.source, q.sent, span)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if !missing(v) {
				known[i]++
			}
		}
	}
	if len(known) != 2 || known[0]-known[1] < coverageDiffers && known[1]-known[0] < coverageDiffers {
		return nil, nil
	}
	part := x.all[1]
	return []Finding{{findingCoverage, part.Field,
		text.Say("of the last %d minutes the source of total knows %d and that of %s knows %d", "直近%d分のうち、total のデータソースには%d分、%s のデータソースには%d分のデータがあります", int(inspectedOver.Minutes()), known[0], part.Field, known[1]),
		text.Say("read both from one source, or mend the one that knows less (%s)", "両方を同じデータソースから読むか、データの少ない方を直してください(%s)", strings.Join(sourceNames(d), ", "))}}, nil
}

func sourceNames(d *Definition) []string {
	names := []string{d.Source, *d.PartSource}
	for i, n := range names {
		if n == "" {
			names[i] = "default"
		}
	}
	return names
}

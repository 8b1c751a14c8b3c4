package openslo

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// ValidateSLI judges an SLI by itself.
func ValidateSLI(d *ascode.Document) []*fault.Error {
	c, o := &checker{d: d}, d.Object.(*SLI)
	c.sli(&o.Spec, "spec")
	return c.faults
}

func (c *checker) sli(s *SLISpec, path ...any) {
	c.description(s.Description, with(path, "description")...)
	switch {
	case s.ThresholdMetric != nil && s.RatioMetric != nil:
		c.twice("metric_twice", "thresholdMetric", "ratioMetric", with(path, "ratioMetric")...)
	case s.ThresholdMetric != nil:
		c.metric(&s.ThresholdMetric.MetricSource, false, with(path, "thresholdMetric", "metricSource"))
	case s.RatioMetric == nil:
		c.missing(text.Say("write good (or bad) and total under ratioMetric, or a thresholdMetric",
			"ratioMetric に good(または bad)と total を書くか、thresholdMetric を書いてください"), with(path, "ratioMetric")...)
	case s.RatioMetric.Raw != nil:
		c.raw(s.RatioMetric, with(path, "ratioMetric"))
	default:
		c.ratio(s.RatioMetric, with(path, "ratioMetric"))
	}
}

// raw judges a ratio that the source computes.
func (c *checker) raw(r *RatioMetric, path []any) {
	for _, m := range r.Metrics() {
		if m.Field != "raw" {
			c.twice("raw_and_counts", "raw", m.Field, with(path, m.Field)...)
		}
	}
	allowed := []string{"success", "failure"}
	switch {
	case r.RawType == "":
		c.missing(text.Say("write `rawType: success` where the ratio is good over all, `rawType: failure` where it is bad over all",
			"比率が良いイベントの割合なら `rawType: success`、不良の割合なら `rawType: failure` と書いてください"), with(path, "rawType")...)
	case !slices.Contains(allowed, r.RawType):
		c.fail("raw_type", text.Say("there is no rawType %q", "rawType に %q はありません", r.RawType), ascode.OneOf(r.RawType, allowed...), with(path, "rawType")...)
	}
	c.metric(&r.Raw.MetricSource, false, with(path, "raw", "metricSource"))
}

func (c *checker) ratio(r *RatioMetric, path []any) {
	switch {
	case r.Good != nil && r.Bad != nil:
		c.twice("good_and_bad", "good", "bad", with(path, "bad")...)
		return
	case r.Good == nil && r.Bad == nil:
		c.missing(text.Say("add the query of the good events under good, or of the bad ones under bad", "良いイベントのクエリを good に、または悪いイベントのクエリを bad に書いてください"), with(path, "good")...)
	}
	if r.Total == nil {
		c.missing(text.Say("add the query of all events under total", "全イベントのクエリを total に書いてください"), with(path, "total")...)
	}
	for _, m := range r.Metrics() {
		at := with(path, m.Field, "metricSource")
		if _, own := m.Metric.MetricSource.own(); own {
			c.counts(&m.Metric.MetricSource, m.Field, at)
			continue
		}
		c.metric(&m.Metric.MetricSource, r.Counts(), at)
	}
}

// Named is a metric and the field of a ratio that holds it.
type Named struct {
	Field  string
	Metric *Metric
}

// Metrics lists what is there of good, bad, total and raw.
func (r *RatioMetric) Metrics() []Named {
	all := []Named{{"good", r.Good}, {"bad", r.Bad}, {"total", r.Total}, {"raw", r.Raw}}
	return slices.DeleteFunc(all, func(n Named) bool { return n.Metric == nil })
}

var (
	// anySource stands for whichever source is the default one.
	anySource      = "any"
	prometheusLike = []string{anySource, "prometheus", "mimir", "thanos", "cortex", "victoriametrics"}
	queryFields    = []string{"query", "expr", "promql"}
)

// metric judges one query. Of a source that is named, its document says the
// type.
func (c *checker) metric(m *MetricSource, counter bool, path []any) {
	if m.Type != "" && !slices.Contains(append(prometheusLike, typePlugin), strings.ToLower(m.Type)) {
		c.fail("source_type", text.Say("data sources of type %q are not read", "種類が %q のデータソースは読み取れません", m.Type),
			text.Say("use type Prometheus, which stands for every server with Prometheus' HTTP API, or in a ratio Events or Probe; OpenSLO leaves the types to each implementation",
				"Prometheus の HTTP API を持つサーバーなら type を Prometheus に、比率なら Events や Probe も使えます(使える種類は OpenSLO では実装ごとに決まります)"), with(path, "type")...)
		return
	}
	for _, field := range slices.Sorted(maps.Keys(m.Spec)) {
		if !slices.Contains(append(queryFields, "queryType"), field) {
			c.fail("query_field", text.Say("a Prometheus query has no field %q", "Prometheus のクエリに %q という項目はありません", field),
				ascode.OneOf(field, "query", "expr"), with(path, "spec", field)...)
		}
	}
	field, expr := m.query()
	if expr == "" {
		c.missing(text.Say("write the PromQL expression under spec.query", "spec.query に PromQL の式を書いてください"), with(path, "spec", "query")...)
		return
	}
	if strings.EqualFold(m.Type, typePlugin) {
		c.plugin(m, counter, path)
		return
	}
	check := promexpr.Check(expr)
	if check == nil && counter {
		_, check = promexpr.IncreaseOver(expr, time.Minute, false, 0)
	}
	c.promQL(check, with(path, "spec", field))
}

// promQL reports a fault of an expression at the expression's place in the
// document, and says where in the expression it is.
func (c *checker) promQL(err error, path []any) {
	if err == nil {
		return
	}
	f, ok := fault.As(err)
	if !ok {
		f = fault.New(fault.Invalid, "metrics.promql", text.Say("%v", "%v", err))
	}
	single := f.Details
	if len(single) == 0 {
		single = []*fault.Error{f}
	}
	for _, one := range single {
		what := one.What
		if !one.Where.IsZero() {
			what = text.Say("in the expression at %d:%d: %s", "式の%d行%d文字目: %s", one.Where.Line, one.Where.Column, one.What)
		}
		remedy := one.Remedy
		if remedy.IsZero() {
			remedy = text.Say("correct the expression there", "その位置の式を直してください")
		}
		c.faults = append(c.faults, c.d.Fault(one.Code, what, remedy, path...))
	}
}

// query is the expression of a metric, and the field that holds it.
func (m *MetricSource) query() (field, expr string) {
	for _, f := range queryFields {
		if s, ok := m.Spec[f].(string); ok && strings.TrimSpace(s) != "" {
			return f, strings.TrimSpace(s)
		}
	}
	return "query", ""
}

// Expression is the PromQL expression of a valid metric, and "" of none.
func (m *Metric) Expression() string {
	if m == nil {
		return ""
	}
	if _, own := m.MetricSource.own(); own {
		return m.MetricSource.selector()
	}
	_, expr := m.MetricSource.query()
	return expr
}

package openslo

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// The annotations of an SLO that Teiten understands. Each is optional.
const (
	// MinimumEvents is how many events the long window of an alert needs before
	// the alert may fire.
	MinimumEvents = "teiten.dev/minimum-events"
	// Absent says what a minute without data is: unknown (the default) or bad.
	Absent = "teiten.dev/absent"
	// Settle is how long after its end a minute is read, for example 45s.
	Settle = "teiten.dev/settle"
	// ScrapeInterval is how often the counters are scraped. It is needed where
	// the data source only estimates increases.
	ScrapeInterval = "teiten.dev/scrape-interval"
)

const (
	longestText   = 1050
	longestPeriod = 400 * day
	longestSettle = time.Hour
)

// DefaultPeriod is the period of an SLO without a time window.
const DefaultPeriod = 30 * day

// checker collects the faults of one document.
type checker struct {
	d      *ascode.Document
	faults []*fault.Error
}

func (c *checker) fail(code string, what, remedy text.Both, path ...any) {
	c.faults = append(c.faults, c.d.Fault("slo."+code, what, remedy, path...))
}

// missing is the fault of a field that must be there.
func (c *checker) missing(remedy text.Both, path ...any) {
	c.fail("missing", text.Say("%v is missing", "%v がありません", path[len(path)-1]), remedy, path...)
}

// notYet is the fault of what the specification allows and nothing executes.
func (c *checker) notYet(what, remedy text.Both, path ...any) {
	c.fail("not_executed", what, remedy, path...)
}

func (c *checker) description(s string, path ...any) {
	if utf8.RuneCountInString(s) > longestText {
		c.fail("description_long", text.Say("the description has more than %d characters", "説明が%d文字を超えています", longestText),
			text.Say("shorten it, or link to a longer one", "短くするか、詳しい説明へのリンクにしてください"), path...)
	}
}

// ValidateSLO judges an SLO by itself.
func ValidateSLO(d *ascode.Document) []*fault.Error {
	c, o := &checker{d: d}, d.Object.(*SLO)
	c.description(o.Spec.Description, "spec", "description")
	if o.Spec.Service == "" {
		c.missing(text.Say("name the service that makes the promise", "この目標を約束するサービスの名前を書いてください"), "spec", "service")
	}
	c.indicator(&o.Spec)
	c.timeWindow(o.Spec.TimeWindow)
	c.budgeting(o.Spec.BudgetingMethod)
	c.objectives(o.Spec.Objectives)
	for i, p := range o.Spec.AlertPolicies {
		c.policyUse(p, "spec", "alertPolicies", i)
	}
	c.annotations(o.Metadata.Annotations)
	return c.faults
}

func (c *checker) indicator(s *SLOSpec) {
	switch {
	case s.Indicator != nil && s.IndicatorRef != "":
		c.fail("indicator_twice", text.Say("there are both indicator and indicatorRef", "indicator と indicatorRef の両方があります"),
			text.Say("keep one of the two", "どちらか一方だけを残してください"), "spec", "indicatorRef")
	case s.Indicator != nil:
		c.sli(&s.Indicator.Spec, "spec", "indicator", "spec")
	case s.IndicatorRef == "":
		c.missing(text.Say("write the SLI under spec.indicator, or name one with spec.indicatorRef",
			"spec.indicator に SLI を書くか、spec.indicatorRef で SLI の名前を指定してください"), "spec", "indicator")
	}
}

// timeWindow accepts one rolling window.
func (c *checker) timeWindow(list []TimeWindow) {
	if len(list) == 0 {
		return
	}
	if len(list) > 1 {
		c.fail("windows", text.Say("there are %d time windows", "timeWindow が%d個あります", len(list)),
			text.Say("keep one, and write another SLO for each further one", "1つだけを残し、残りは別の SLO にしてください"), "spec", "timeWindow", 1)
		return
	}
	w := list[0]
	if w.Calendar != nil || w.IsRolling != nil && !*w.IsRolling {
		field := "calendar"
		if w.Calendar == nil {
			field = "isRolling"
		}
		c.notYet(text.Say("calendar-aligned time windows are not executed yet", "暦に合わせた期間(calendar)はまだ計算できません"),
			text.Say("use a rolling window: `duration: 30d` with `isRolling: true`", "`duration: 30d` と `isRolling: true` のローリング期間にしてください"),
			"spec", "timeWindow", 0, field)
		return
	}
	p, ok := ParseDuration(w.Duration)
	if !ok || p < time.Hour || p > longestPeriod {
		c.fail("window_duration", text.Say("%q cannot be the length of a time window", "期間 %q は使えません", w.Duration),
			text.Say("write a number and a unit between 1h and 400d, for example 30d or 4w", "1h から 400d までを、30d や 4w のように数字と単位で書いてください"),
			"spec", "timeWindow", 0, "duration")
	}
}

// Period is the length of the rolling window of a valid SLO.
func (s *SLOSpec) Period() time.Duration {
	if len(s.TimeWindow) == 0 {
		return DefaultPeriod
	}
	p, _ := ParseDuration(s.TimeWindow[0].Duration)
	return p
}

func (c *checker) budgeting(method string) {
	allowed := []string{"Occurrences", "Timeslices", "RatioTimeslices"}
	switch {
	case method == "Occurrences":
	case method == "":
		c.missing(text.Say("add `budgetingMethod: Occurrences`", "`budgetingMethod: Occurrences` を書いてください"), "spec", "budgetingMethod")
	case slices.Contains(allowed, method):
		c.notYet(text.Say("budgetingMethod %s is not executed yet", "budgetingMethod の %s はまだ計算できません", method),
			text.Say("use Occurrences, which counts events", "イベントを数える Occurrences にしてください"), "spec", "budgetingMethod")
	default:
		c.fail("budgeting_method", text.Say("there is no budgetingMethod %q", "budgetingMethod に %q はありません", method),
			ascode.OneOf(method, allowed...), "spec", "budgetingMethod")
	}
}

func (c *checker) objectives(list []Objective) {
	if len(list) == 0 {
		c.missing(text.Say("add one objective with a target, for example `target: 0.999`", "`target: 0.999` のような目標を1つ書いてください"), "spec", "objectives")
		return
	}
	if len(list) > 1 {
		c.notYet(text.Say("an SLO with %d objectives is not executed yet", "目標が%d個ある SLO はまだ計算できません", len(list)),
			text.Say("write one SLO for each objective; they may share an SLI with indicatorRef", "目標ごとに SLO を分けてください。SLI は indicatorRef で共有できます"),
			"spec", "objectives", 1)
	}
	for i, o := range list {
		c.objective(o, i)
	}
}

func (c *checker) objective(o Objective, i int) {
	at := func(field string) []any { return []any{"spec", "objectives", i, field} }
	if o.Indicator != nil || o.IndicatorRef != "" || o.CompositeWeight != nil {
		c.notYet(text.Say("composite objectives are not executed yet", "複数の SLI を組み合わせた目標はまだ計算できません"),
			text.Say("write one SLO for each indicator", "SLI ごとに SLO を分けてください"), "spec", "objectives", i)
		return
	}
	switch {
	case o.Target != nil && o.TargetPercent != nil:
		c.fail("target_twice", text.Say("there are both target and targetPercent", "target と targetPercent の両方があります"),
			text.Say("keep one of the two", "どちらか一方だけを残してください"), at("targetPercent")...)
	case o.Target == nil && o.TargetPercent == nil:
		c.missing(text.Say("write how many events must be good, for example `target: 0.999`", "`target: 0.999` のように、良いイベントの割合を書いてください"), at("target")...)
	case o.Target != nil && !(*o.Target >= 0 && *o.Target < 1):
		c.target(*o.Target, "1", at("target"))
	case o.TargetPercent != nil && !(*o.TargetPercent >= 0 && *o.TargetPercent < 100):
		c.target(*o.TargetPercent, "100", at("targetPercent"))
	}
}

func (c *checker) target(got float64, limit string, path []any) {
	remedy := text.Say("write a number from 0 up to, but not including, %s", "0以上%s未満の数にしてください", limit)
	if strconv.FormatFloat(got, 'f', -1, 64) == limit {
		remedy = text.Say("leave some error budget: write a number below %s", "エラーバジェットが残るように、%s 未満の数にしてください", limit)
	} else if limit == "1" && got > 1 && got < 100 {
		remedy = text.Say("write it as a share, or use targetPercent: %v", "割合で書くか、targetPercent: %v を使ってください", got)
	}
	c.fail("objective_range", text.Say("the objective %v is out of range", "目標 %v は範囲外です", got), remedy, path...)
}

// Target is the objective of a valid SLO as a share.
func (s *SLOSpec) Target() float64 {
	o := s.Objectives[0]
	if o.Target != nil {
		return *o.Target
	}
	// Moving the decimal point in text keeps 99.95 from becoming 0.9995000000000001.
	v, _ := strconv.ParseFloat(strconv.FormatFloat(*o.TargetPercent, 'f', -1, 64)+"e-2", 64)
	return v
}

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
		c.fail("metric_twice", text.Say("there are both thresholdMetric and ratioMetric", "thresholdMetric と ratioMetric の両方があります"),
			text.Say("keep one of the two", "どちらか一方だけを残してください"), with(path, "ratioMetric")...)
	case s.ThresholdMetric != nil:
		c.notYet(text.Say("thresholdMetric is not executed yet", "thresholdMetric はまだ計算できません"),
			text.Say("count good events with ratioMetric: for a latency, the histogram bucket of the threshold over the histogram's count",
				"ratioMetric で良いイベントを数えてください。レイテンシなら、しきい値のバケットをヒストグラムの件数で割ります"), with(path, "thresholdMetric")...)
	case s.RatioMetric == nil:
		c.missing(text.Say("write good (or bad) and total under ratioMetric", "ratioMetric に good(または bad)と total を書いてください"), with(path, "ratioMetric")...)
	default:
		c.ratio(s.RatioMetric, with(path, "ratioMetric"))
	}
}

func (c *checker) ratio(r *RatioMetric, path []any) {
	switch {
	case r.Raw != nil:
		c.notYet(text.Say("a raw ratio has no counts and is not executed yet", "計算済みの比率(raw)は件数が分からないため、まだ計算できません"),
			text.Say("use good (or bad) and total, so that every event counts the same", "good(または bad)と total を使ってください。イベントが等しく数えられます"), with(path, "raw")...)
		return
	case r.Good != nil && r.Bad != nil:
		c.fail("good_and_bad", text.Say("there are both good and bad", "good と bad の両方があります"),
			text.Say("keep one of the two", "どちらか一方だけを残してください"), with(path, "bad")...)
		return
	case r.Good == nil && r.Bad == nil:
		c.missing(text.Say("add the query of the good events under good, or of the bad ones under bad", "良いイベントのクエリを good に、または悪いイベントのクエリを bad に書いてください"), with(path, "good")...)
	}
	if r.Total == nil {
		c.missing(text.Say("add the query of all events under total", "全イベントのクエリを total に書いてください"), with(path, "total")...)
	}
	for _, m := range []struct {
		field  string
		metric *Metric
	}{{"good", r.Good}, {"bad", r.Bad}, {"total", r.Total}} {
		if m.metric != nil {
			c.metric(&m.metric.MetricSource, r.Counter, with(path, m.field, "metricSource"))
		}
	}
	part, of := r.part()
	if part != nil && r.Total != nil && part.MetricSource.MetricSourceRef != r.Total.MetricSource.MetricSourceRef {
		c.fail("two_sources", text.Say("%s and total come from different data sources", "%s と total のデータソースが異なります", of),
			text.Say("ask both from one data source", "両方を同じデータソースから取得してください"), with(path, of, "metricSource")...)
	}
}

// part is the numerator, and its field.
func (r *RatioMetric) part() (*Metric, string) {
	if r.Bad != nil {
		return r.Bad, "bad"
	}
	return r.Good, "good"
}

var (
	prometheusLike = []string{"prometheus", "mimir", "thanos", "cortex", "victoriametrics"}
	queryFields    = []string{"query", "expr", "promql"}
)

func (c *checker) metric(m *MetricSource, counter bool, path []any) {
	if m.Type != "" && !slices.Contains(prometheusLike, strings.ToLower(m.Type)) {
		c.notYet(text.Say("data sources of type %q are not read yet", "種類が %q のデータソースはまだ読み取れません", m.Type),
			text.Say("use type Prometheus, which stands for every server with Prometheus' HTTP API", "Prometheus の HTTP API を持つサーバーなら、type を Prometheus にしてください"), with(path, "type")...)
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
	_, expr := m.MetricSource.query()
	return expr
}

// annotations accepts those that Teiten understands and those of others.
func (c *checker) annotations(all map[string]string) {
	known := []string{MinimumEvents, Absent, Settle, ScrapeInterval}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v, at := all[name], []any{"metadata", "annotations", name}
		bad := func(remedy text.Both) {
			c.fail("annotation", text.Say("%q is no value of %s", "%q は %s の値として使えません", v, name), remedy, at...)
		}
		switch name {
		case MinimumEvents:
			if n, err := strconv.ParseFloat(v, 64); err != nil || !(n >= 0 && n <= 1e15) {
				bad(text.Say("write a number of events, for example \"100\"", "\"100\" のようにイベント数を書いてください"))
			}
		case Absent:
			if v != "unknown" && v != "bad" {
				bad(ascode.OneOf(v, "unknown", "bad"))
			}
		case Settle:
			if p, err := time.ParseDuration(v); err != nil || p < 0 || p > longestSettle {
				bad(text.Say("write a time up to 1h, for example \"45s\"", "\"45s\" のように1時間以内で書いてください"))
			}
		case ScrapeInterval:
			if p, err := time.ParseDuration(v); err != nil || p < time.Second || p > longestSettle {
				bad(text.Say("write a time from 1s to 1h, for example \"30s\"", "\"30s\" のように1秒から1時間の間で書いてください"))
			}
		default:
			if strings.HasPrefix(name, "teiten.dev/") {
				c.fail("annotation_unknown", text.Say("an SLO has no annotation %s", "SLO に %s という注釈はありません", name),
					ascode.OneOf(name, known...), at...)
			}
		}
	}
}

func with(path []any, more ...any) []any { return append(slices.Clone(path), more...) }

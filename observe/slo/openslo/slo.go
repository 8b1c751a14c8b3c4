package openslo

import (
	"slices"
	"strconv"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/budgeting"
)

const longestPeriod = 3 * 366 * day

// defaultPeriod is the period of an SLO without a time window.
const defaultPeriod = 30 * day

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
	c.objectives(&o.Spec)
	for i, p := range o.Spec.AlertPolicies {
		c.policyUse(p, "spec", "alertPolicies", i)
	}
	c.annotations(o.Metadata.Annotations)
	return c.faults
}

// IsComposite reports whether the objectives have indicators of their own.
func (s *SLOSpec) IsComposite() bool {
	return slices.ContainsFunc(s.Objectives, Objective.hasIndicator)
}

func (o Objective) hasIndicator() bool { return o.Indicator != nil || o.IndicatorRef != "" }

// IndicatorName is what the indicator of an objective itself is called, and ""
// where it has none.
func (o Objective) IndicatorName() string {
	if o.Indicator != nil {
		return o.Indicator.Metadata.Name
	}
	return o.IndicatorRef
}

// indicator wants one for the whole SLO, or one for each objective.
func (c *checker) indicator(s *SLOSpec) {
	own, composite := s.Indicator != nil || s.IndicatorRef != "", s.IsComposite()
	switch {
	case s.Indicator != nil && s.IndicatorRef != "":
		c.twice("indicator_twice", "indicator", "indicatorRef", "spec", "indicatorRef")
	case own && composite:
		c.twice("indicator_twice", "spec.indicator", "spec.objectives[].indicator", "spec", "objectives")
	case s.Indicator != nil:
		c.sli(&s.Indicator.Spec, "spec", "indicator", "spec")
	case !own && !composite:
		c.missing(text.Say("write the SLI under spec.indicator, or name one with spec.indicatorRef",
			"spec.indicator に SLI を書くか、spec.indicatorRef で SLI の名前を指定してください"), "spec", "indicator")
	}
	if !composite || own {
		return
	}
	for i, o := range s.Objectives {
		at := []any{"spec", "objectives", i}
		switch {
		case o.Indicator != nil && o.IndicatorRef != "":
			c.twice("indicator_twice", "indicator", "indicatorRef", with(at, "indicatorRef")...)
		case o.Indicator != nil:
			c.sli(&o.Indicator.Spec, with(at, "indicator", "spec")...)
		case o.IndicatorRef == "":
			c.missing(text.Say("another objective has an indicator of its own, so this one needs one, too",
				"ほかの目標に指標があるため、この目標にも指標を書いてください"), with(at, "indicator")...)
		}
	}
}

// timeWindow accepts one window.
func (c *checker) timeWindow(list []TimeWindow) {
	if len(list) == 0 {
		return
	}
	if len(list) > 1 {
		c.fail("windows", text.Say("there are %d time windows; OpenSLO allows one", "timeWindow が%d個あります。OpenSLO で書けるのは1つです", len(list)),
			text.Say("keep one, and write another SLO for each further one", "1つだけを残し、残りは別の SLO にしてください"), "spec", "timeWindow", 1)
		return
	}
	w := list[0]
	at := func(field ...any) []any { return with([]any{"spec", "timeWindow", 0}, field...) }
	switch {
	case w.Calendar != nil && w.IsRolling != nil && *w.IsRolling:
		c.fail("window_kind", text.Say("a rolling window has no calendar", "ローリング期間に calendar は指定できません"),
			text.Say("remove calendar, or write isRolling: false", "calendar を削除するか、isRolling: false にしてください"), at("calendar")...)
	case w.Calendar == nil && w.IsRolling != nil && !*w.IsRolling:
		c.missing(text.Say("say where the calendar begins, for example `calendar: {startTime: 2026-01-01 00:00:00, timeZone: Asia/Tokyo}`, or write isRolling: true",
			"`calendar: {startTime: 2026-01-01 00:00:00, timeZone: Asia/Tokyo}` のように暦を指定するか、isRolling: true にしてください"), at("calendar")...)
	}
	if p, ok := ParseDuration(w.Duration); !ok || p < time.Minute || p > longestPeriod {
		c.fail("window_duration", text.Say("%q cannot be the length of a time window", "期間 %q は使えません", w.Duration),
			text.Say("write a number and one of m, h, d, w, M, Q, Y, up to three years, for example 30d, 1M or 1Q",
				"数字と m、h、d、w、M、Q、Y のいずれかで、3年までを 30d、1M、1Q のように書いてください"), at("duration")...)
	}
	if w.Calendar != nil {
		c.calendar(w.Calendar, at("calendar"))
	}
}

func (c *checker) calendar(w *Calendar, path []any) {
	if w.TimeZone != "" {
		if _, err := budgeting.Zone(w.TimeZone); err != nil {
			c.fail("time_zone", text.Say("there is no time zone %q", "タイムゾーン %q はありません", w.TimeZone),
				text.Say("write a name of the IANA database, for example Asia/Tokyo or UTC", "Asia/Tokyo や UTC のように、IANA データベースの名前で書いてください"), with(path, "timeZone")...)
		}
	}
	if _, ok := w.origin(); !ok {
		c.fail("start_time", text.Say("%v is not a date with a time", "%v は日時ではありません", w.StartTime),
			text.Say("write it as 2026-01-01 00:00:00, without a time zone", "2026-01-01 00:00:00 のように、タイムゾーンなしで書いてください"), with(path, "startTime")...)
	}
}

// Window is the time window of a valid SLO.
func (s *SLOSpec) Window() budgeting.Period {
	if len(s.TimeWindow) == 0 {
		return budgeting.Period{Length: defaultPeriod}
	}
	w := s.TimeWindow[0]
	length, _ := ParseDuration(w.Duration)
	p := budgeting.Period{Length: length}
	if w.Calendar == nil {
		return p
	}
	every, _ := strconv.Atoi(w.Duration[:len(w.Duration)-1])
	origin, _ := w.Calendar.origin()
	p.Calendar = &budgeting.Calendar{Origin: origin, Zone: w.Calendar.TimeZone, Every: every, Unit: calendarUnits[w.Duration[len(w.Duration)-1]]}
	if p.Calendar.Zone == "" {
		p.Calendar.Zone = "UTC"
	}
	return p
}

// startTimes are the ways in which a start is written. The specification has the
// first.
var startTimes = []string{time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", time.DateOnly}

// origin is the wall clock at which a window begins.
func (w *Calendar) origin() (time.Time, bool) {
	if w.StartTime == nil || w.StartTime == "" {
		return budgeting.Natural, true
	}
	s, ok := w.StartTime.(string)
	for _, layout := range startTimes {
		if t, err := time.Parse(layout, s); ok && err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func (c *checker) budgeting(method string) {
	allowed := []string{string(budgeting.Occurrences), string(budgeting.Timeslices), string(budgeting.RatioTimeslices)}
	switch {
	case method == "":
		c.missing(text.Say("add `budgetingMethod: Occurrences`", "`budgetingMethod: Occurrences` を書いてください"), "spec", "budgetingMethod")
	case !slices.Contains(allowed, method):
		c.fail("budgeting_method", text.Say("there is no budgetingMethod %q", "budgetingMethod に %q はありません", method),
			ascode.OneOf(method, allowed...), "spec", "budgetingMethod")
	}
}

// MostObjectives is how many objectives one SLO may have.
const MostObjectives = 20

func (c *checker) objectives(s *SLOSpec) {
	if n := len(s.Objectives); n > MostObjectives {
		c.fail("objectives", text.Say("there are %d objectives; at most %d are kept", "目標が%d個あります(上限は%d個)", n, MostObjectives),
			text.Say("write several SLOs", "複数の SLO に分けてください"), "spec", "objectives", MostObjectives)
		return
	}
	for i, o := range s.Objectives {
		at := func(field ...any) []any { return with([]any{"spec", "objectives", i}, field...) }
		c.target(o, at)
		c.slice(s.BudgetingMethod, o, at)
		c.comparison(s.sliOf(o), o, at)
		if w := o.CompositeWeight; w != nil && !(*w > 0 && *w <= 1e9) {
			c.fail("weight", text.Say("%v cannot be a weight", "重み %v は使えません", *w),
				text.Say("write a number above 0", "0より大きい数を書いてください"), at("compositeWeight")...)
		}
	}
	c.oneSlice(s)
}

// sliOf is the indicator of an objective where it is written in the document,
// and nil where it is named.
func (s *SLOSpec) sliOf(o Objective) *SLISpec {
	switch {
	case o.Indicator != nil:
		return &o.Indicator.Spec
	case o.IndicatorRef == "" && s.Indicator != nil:
		return &s.Indicator.Spec
	}
	return nil
}

func (c *checker) target(o Objective, at func(...any) []any) {
	switch {
	case o.Target != nil && o.TargetPercent != nil:
		c.twice("target_twice", "target", "targetPercent", at("targetPercent")...)
	case o.Target != nil && !(*o.Target >= 0 && *o.Target < 1):
		c.outOfRange(*o.Target, "1", at("target"))
	case o.TargetPercent != nil && !(*o.TargetPercent >= 0 && *o.TargetPercent < 100):
		c.outOfRange(*o.TargetPercent, "100", at("targetPercent"))
	}
}

// Complete judges whether every objective of an SLO has a target, its own or one
// that was filled in.
func Complete(d *ascode.Document, s *SLOSpec) []*fault.Error {
	c := &checker{d: d}
	if len(s.Objectives) == 0 {
		c.missing(text.Say("add an objective with a target, for example `target: 0.999`", "`target: 0.999` のような目標を書いてください"), "spec", "objectives")
	}
	for i, o := range s.Objectives {
		if o.Target == nil && o.TargetPercent == nil {
			c.missing(text.Say("write how many events must be good, for example `target: 0.999`", "`target: 0.999` のように、良いイベントの割合を書いてください"), "spec", "objectives", i, "target")
		}
	}
	return c.faults
}

func (c *checker) outOfRange(got float64, limit string, path []any) {
	remedy := text.Say("write a number from 0 up to, but not including, %s", "0以上%s未満の数にしてください", limit)
	if strconv.FormatFloat(got, 'f', -1, 64) == limit {
		remedy = text.Say("leave some error budget: write a number below %s", "エラーバジェットが残るように、%s 未満の数にしてください", limit)
	} else if limit == "1" && got > 1 && got < 100 {
		remedy = text.Say("write it as a share, or use targetPercent: %v", "割合で書くか、targetPercent: %v を使ってください", got)
	}
	c.fail("objective_range", text.Say("the objective %v is out of range", "目標 %v は範囲外です", got), remedy, path...)
}

// slice wants of an objective what its budgeting method needs.
func (c *checker) slice(method string, o Objective, at func(...any) []any) {
	if method != string(budgeting.Timeslices) && method != string(budgeting.RatioTimeslices) {
		return
	}
	if o.TimeSliceWindow == nil {
		c.missing(text.Say("write how long a time slice is, for example `timeSliceWindow: 5m`", "`timeSliceWindow: 5m` のように、時間スライスの長さを書いてください"), at("timeSliceWindow")...)
	} else if n, ok := sliceMinutes(o.TimeSliceWindow); !ok || n < 1 || n > budgeting.LongestSlice {
		c.fail("slice", text.Say("%v cannot be the length of a time slice", "時間スライスの長さ %v は使えません", o.TimeSliceWindow),
			text.Say("write whole minutes up to a day: 5, 5m, 1h or 1d", "5、5m、1h、1d のように、1日までの分単位で書いてください"), at("timeSliceWindow")...)
	}
	switch t := o.TimeSliceTarget; {
	case method == string(budgeting.RatioTimeslices):
	case t == nil:
		c.missing(text.Say("write which share of good events makes a slice good, for example `timeSliceTarget: 0.95`",
			"`timeSliceTarget: 0.95` のように、スライスが良いとされる割合を書いてください"), at("timeSliceTarget")...)
	case !(*t > 0 && *t <= 1):
		c.fail("slice_target", text.Say("%v cannot be the target of a time slice", "時間スライスの目標 %v は使えません", *t),
			text.Say("write a share above 0 and up to 1, for example 0.95", "0.95 のように、0より大きく1以下の割合を書いてください"), at("timeSliceTarget")...)
	}
}

// oneSlice wants the parts of a composite to be sliced alike: they have one
// budget.
func (c *checker) oneSlice(s *SLOSpec) {
	if !s.IsComposite() {
		return
	}
	for i, o := range s.Objectives {
		if first := s.Objectives[0]; s.Counting(o) != s.Counting(first) {
			c.fail("composite_slices", text.Say("the parts of a composite have different time slices", "複合SLOの目標どうしで時間スライスが異なります"),
				text.Say("use the same timeSliceWindow and timeSliceTarget in all of them, or give them an SLO each", "同じ timeSliceWindow と timeSliceTarget にするか、SLO を分けてください"),
				"spec", "objectives", i)
			return
		}
	}
}

// comparison wants op and value of an objective whose indicator is a threshold.
func (c *checker) comparison(sli *SLISpec, o Objective, at func(...any) []any) {
	if o.Op != "" && !slices.Contains(operators, o.Op) {
		c.fail("op", text.Say("there is no op %q", "op に %q はありません", o.Op), ascode.OneOf(o.Op, operators...), at("op")...)
	}
	if sli == nil || sli.ThresholdMetric == nil {
		return // a ratio has no use for them; of a named SLI it is not known here
	}
	if o.Op == "" {
		c.missing(text.Say("say how a good value compares to value, for example `op: lt`", "良い値が value とどう比べられるかを `op: lt` のように書いてください"), at("op")...)
	}
	if o.Value == nil {
		c.missing(text.Say("write what values are compared with, for example `value: 0.5`", "比べる数を `value: 0.5` のように書いてください"), at("value")...)
	}
}

// Comparable judges whether objective i of an SLO has what its indicator, a
// document of its own, asks for.
func Comparable(d *ascode.Document, sli *SLISpec, i int) []*fault.Error {
	c, o := &checker{d: d}, d.Object.(*SLO)
	if i < len(o.Spec.Objectives) {
		c.comparison(sli, o.Spec.Objectives[i], func(field ...any) []any { return with([]any{"spec", "objectives", i}, field...) })
	}
	return c.faults
}

var operators = []string{"lt", "lte", "gt", "gte"}

// Share is the target of a valid objective as a share.
func (o Objective) Share() float64 {
	if o.Target != nil {
		return *o.Target
	}
	if o.TargetPercent == nil {
		return 0
	}
	// Moving the decimal point in text keeps 99.95 from becoming 0.9995000000000001.
	v, _ := strconv.ParseFloat(strconv.FormatFloat(*o.TargetPercent, 'f', -1, 64)+"e-2", 64)
	return v
}

// Counting is what the budget of an objective counts.
func (s *SLOSpec) Counting(o Objective) budgeting.Counting {
	switch method := budgeting.Method(s.BudgetingMethod); method {
	case budgeting.Timeslices, budgeting.RatioTimeslices:
		n, _ := sliceMinutes(o.TimeSliceWindow)
		c := budgeting.Counting{Method: method, Slice: n}
		if method == budgeting.Timeslices && o.TimeSliceTarget != nil {
			c.Target = *o.TimeSliceTarget
		}
		return c
	}
	return budgeting.Counting{}
}

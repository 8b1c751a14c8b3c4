// Package openslo holds the documents of OpenSLO v1 as Teiten reads them, judges
// each by itself, and says what its fields mean to those who execute it.
//
// What the specification does not allow is refused with its reason, what it
// allows is executed; docs/openslo.md lists each field. The package is pure:
// references between documents are followed by its callers.
package openslo

// APIVersion is what the documents say of themselves. Documents of AlphaVersion
// are turned into it as they are read.
const (
	APIVersion   = "openslo/v1"
	AlphaVersion = "openslo/v1alpha"
)

// Metadata is what every document begins with. Labels hold a text or a list of
// texts each.
type Metadata struct {
	Name        string            `json:"name"`
	DisplayName string            `json:"displayName,omitempty"`
	Labels      map[string]any    `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// SLO is an objective for a service.
type SLO struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       SLOSpec  `json:"spec"`
}

// SLOSpec is the body of an SLO.
type SLOSpec struct {
	Description     string           `json:"description,omitempty"`
	Service         string           `json:"service" doc:"The service that makes the promise; it must be in the catalog." ja:"約束するサービス。カタログに登録されている必要があります。"`
	Indicator       *InlineIndicator `json:"indicator,omitempty" doc:"The indicator, written here." ja:"指標をここに書きます。"`
	IndicatorRef    string           `json:"indicatorRef,omitempty" doc:"The name of an SLI that several SLOs share." ja:"複数のSLOで共有するSLIの名前。"`
	TimeWindow      []TimeWindow     `json:"timeWindow,omitempty" doc:"One window, rolling or aligned with the calendar; 30 days when absent." ja:"期間を1つ書きます。ローリング期間か、暦に合わせた期間です。省略時は30日。"`
	BudgetingMethod string           `json:"budgetingMethod,omitempty" enum:"Occurrences,Timeslices,RatioTimeslices" doc:"Occurrences counts events, Timeslices counts good slices of time, RatioTimeslices averages the slices' ratios." ja:"Occurrences はイベント数、Timeslices は良い時間スライスの数、RatioTimeslices はスライスごとの比率の平均で数えます。"`
	Objectives      []Objective      `json:"objectives,omitempty" doc:"Each is executed; with indicators of their own they make one composite." ja:"目標はそれぞれ計算されます。目標ごとに指標を書くと、1つの複合SLOになります。"`
	AlertPolicies   []PolicyUse      `json:"alertPolicies,omitempty" doc:"Policies of one's own, in place of the four burn-rate alerts of the SRE workbook." ja:"SREワークブックの4つのバーンレートアラートの代わりに使うポリシー。"`
}

// InlineIndicator is an SLI written inside an SLO.
type InlineIndicator struct {
	APIVersion string   `json:"apiVersion,omitempty"`
	Kind       string   `json:"kind,omitempty"`
	Metadata   Metadata `json:"metadata,omitempty"`
	Spec       SLISpec  `json:"spec" doc:"The body of the SLI." ja:"SLIの本体。"`
}

// TimeWindow is the period that an objective covers.
type TimeWindow struct {
	Duration  string    `json:"duration" doc:"Length of the window: a number and one of m, h, d, w, M (month), Q, Y." ja:"期間の長さ。数字と m、h、d、w、M(月)、Q、Y のいずれかで書きます。"`
	IsRolling *bool     `json:"isRolling,omitempty" doc:"true: the window ends now; false where there is a calendar." ja:"true なら現在を終わりとするローリング期間、calendar があるときは false です。"`
	Calendar  *Calendar `json:"calendar,omitempty" doc:"Aligns the window with the calendar." ja:"暦に合わせた期間にします。"`
}

// Calendar aligns a time window with the calendar.
type Calendar struct {
	StartTime any    `json:"startTime,omitempty" doc:"When a window begins, on the wall clock of the zone: 2026-01-01 00:00:00. Monday, or the first of the month, quarter or year when absent." ja:"期間の開始日時(そのタイムゾーンの時刻)。例: 2026-01-01 00:00:00。省略時は月曜日、月初、四半期初め、年初。"`
	TimeZone  string `json:"timeZone,omitempty" doc:"IANA time zone of the calendar; UTC when absent." ja:"暦のIANAタイムゾーン。省略時はUTC。"`
}

// Objective is the target of an SLO.
type Objective struct {
	DisplayName     string           `json:"displayName,omitempty"`
	Op              string           `json:"op,omitempty" enum:"lt,lte,gt,gte" doc:"How a good value of a thresholdMetric compares to value." ja:"thresholdMetric の良い値が value とどう比べられるか。"`
	Value           *float64         `json:"value,omitempty" doc:"What values of a thresholdMetric are compared with." ja:"thresholdMetric の値と比べる数。"`
	Target          *float64         `json:"target,omitempty" doc:"The share of good events that is promised, such as 0.999." ja:"約束する良いイベントの割合(例: 0.999)。"`
	TargetPercent   *float64         `json:"targetPercent,omitempty" doc:"The same in percent, such as 99.9." ja:"同じものを百分率で(例: 99.9)。"`
	TimeSliceTarget *float64         `json:"timeSliceTarget,omitempty" doc:"The share of good events that makes a slice good." ja:"スライスが良いとされる、良いイベントの割合。"`
	TimeSliceWindow any              `json:"timeSliceWindow,omitempty" doc:"Length of a time slice: 5m, 1h, or a number of minutes." ja:"時間スライスの長さ。5m、1h、または分の数。"`
	Indicator       *InlineIndicator `json:"indicator,omitempty" doc:"Part of a composite: its own indicator." ja:"複合SLOの一部となる、この目標だけの指標。"`
	IndicatorRef    string           `json:"indicatorRef,omitempty" doc:"The same by the name of an SLI." ja:"同じものをSLIの名前で。"`
	CompositeWeight *float64         `json:"compositeWeight,omitempty" doc:"How much an event of this part counts in a composite; 1 when absent." ja:"複合SLOの中で、この目標のイベントを数える重み。省略時は1。"`
}

// SLI is an indicator that several SLOs may share.
type SLI struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       SLISpec  `json:"spec"`
}

// SLISpec is the body of an SLI.
type SLISpec struct {
	Description     string       `json:"description,omitempty"`
	ThresholdMetric *Metric      `json:"thresholdMetric,omitempty" doc:"One value for each minute, compared with the objective's value." ja:"1分ごとの値。目標の value と比べます。"`
	RatioMetric     *RatioMetric `json:"ratioMetric,omitempty" doc:"Good, or bad, events over all." ja:"全イベントに対する良い(または不良の)イベント。"`
}

// RatioMetric is good, or bad, events over all.
type RatioMetric struct {
	Counter bool    `json:"counter,omitempty" doc:"true: the queries are counters, and their increase is taken at every selector." ja:"true なら、クエリはカウンターであり、各セレクターで増分を取ります。"`
	Good    *Metric `json:"good,omitempty" doc:"Good events; either good or bad." ja:"良いイベント。good か bad のどちらかを書きます。"`
	Bad     *Metric `json:"bad,omitempty" doc:"Bad events; either good or bad." ja:"不良イベント。good か bad のどちらかを書きます。"`
	Total   *Metric `json:"total,omitempty" doc:"All events." ja:"全イベント。"`
	RawType string  `json:"rawType,omitempty" enum:"success,failure" doc:"What a raw ratio means: good or bad over all." ja:"比率の意味。success は良いイベント、failure は不良イベントの割合です。"`
	Raw     *Metric `json:"raw,omitempty" doc:"A ratio from 0 to 1 that the source computes for each minute." ja:"データソースが1分ごとに計算した、0から1までの比率。"`
}

// Metric is one query.
type Metric struct {
	MetricSource MetricSource `json:"metricSource" doc:"Whom to ask, and what." ja:"問い合わせ先と内容。"`
}

// MetricSource says whom to ask and what. Spec is open: every kind of source
// has its own fields.
type MetricSource struct {
	MetricSourceRef string         `json:"metricSourceRef,omitempty" doc:"Name of a DataSource; the default one when absent." ja:"DataSourceの名前。省略時は既定のもの。"`
	Type            string         `json:"type,omitempty" doc:"Prometheus and what speaks its HTTP API; Any for the default source; Events for pushed events; Probe for a probe." ja:"Prometheus とその HTTP API を持つもの。Any は既定のデータソース、Events はプッシュされたイベント、Probe はプローブです。"`
	Spec            map[string]any `json:"spec,omitempty" doc:"query: the PromQL expression (expr and promql are read, too). Events: stream, labels, result. Probe: probe, location, result." ja:"query にPromQLの式を書きます(expr、promql でも構いません)。Events では stream・labels・result、Probe では probe・location・result を書きます。"`
}

// PolicyUse is an alert policy written inside an SLO, or a reference to one.
type PolicyUse struct {
	AlertPolicyRef string           `json:"alertPolicyRef,omitempty" doc:"The name of an AlertPolicy; or write it out." ja:"AlertPolicyの名前。ここに書くこともできます。"`
	APIVersion     string           `json:"apiVersion,omitempty"`
	Kind           string           `json:"kind,omitempty"`
	Metadata       *Metadata        `json:"metadata,omitempty"`
	Spec           *AlertPolicySpec `json:"spec,omitempty"`
}

// AlertPolicy says when an SLO alerts and who is told.
type AlertPolicy struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Metadata   Metadata        `json:"metadata"`
	Spec       AlertPolicySpec `json:"spec"`
}

// AlertPolicySpec is the body of an AlertPolicy.
type AlertPolicySpec struct {
	Description         string         `json:"description,omitempty"`
	AlertWhenNoData     *bool          `json:"alertWhenNoData,omitempty" doc:"Whether to alert while there is no data." ja:"データがない間にアラートを出すか。"`
	AlertWhenResolved   *bool          `json:"alertWhenResolved,omitempty" doc:"Whether the end of an alert is told; true when absent." ja:"アラートの終わりを知らせるか。既定は true。"`
	AlertWhenBreaching  *bool          `json:"alertWhenBreaching,omitempty" doc:"Whether the alert itself is told; true when absent." ja:"アラートの発生を知らせるか。既定は true。"`
	Conditions          []ConditionUse `json:"conditions,omitempty" doc:"One condition." ja:"条件を1つ書きます。"`
	NotificationTargets []TargetUse    `json:"notificationTargets,omitempty" doc:"Who is told." ja:"知らせる相手。"`
}

// ConditionUse is an alert condition written inside a policy, or a reference.
type ConditionUse struct {
	ConditionRef string              `json:"conditionRef,omitempty" doc:"The name of an AlertCondition; or write it out." ja:"AlertConditionの名前。ここに書くこともできます。"`
	APIVersion   string              `json:"apiVersion,omitempty"`
	Kind         string              `json:"kind,omitempty"`
	Metadata     *Metadata           `json:"metadata,omitempty"`
	Spec         *AlertConditionSpec `json:"spec,omitempty"`
}

// TargetUse is a notification target written inside a policy, or a reference.
type TargetUse struct {
	TargetRef  string      `json:"targetRef,omitempty" doc:"The name of an AlertNotificationTarget; or write it out." ja:"AlertNotificationTargetの名前。ここに書くこともできます。"`
	APIVersion string      `json:"apiVersion,omitempty"`
	Kind       string      `json:"kind,omitempty"`
	Metadata   *Metadata   `json:"metadata,omitempty"`
	Spec       *TargetSpec `json:"spec,omitempty"`
}

// AlertCondition is a condition that several policies may share.
type AlertCondition struct {
	APIVersion string             `json:"apiVersion"`
	Kind       string             `json:"kind"`
	Metadata   Metadata           `json:"metadata"`
	Spec       AlertConditionSpec `json:"spec"`
}

// AlertConditionSpec is the body of an AlertCondition.
type AlertConditionSpec struct {
	Description string    `json:"description,omitempty"`
	Severity    string    `json:"severity,omitempty" doc:"page (also critical, high, sev1, sev2, p1, p2); everything else is a ticket." ja:"page(critical、high、sev1、sev2、p1、p2 も同じ)。それ以外は ticket です。"`
	Condition   Condition `json:"condition" doc:"When it holds." ja:"成立する条件。"`
}

// Condition says when somebody must be told.
type Condition struct {
	Kind           string   `json:"kind,omitempty" doc:"burnrate (the default); beyond OpenSLO: budgetleft, forecast, nodata, outage." ja:"burnrate(既定)。OpenSLO にないものとして budgetleft、forecast、nodata、outage。"`
	Op             string   `json:"op,omitempty" enum:"gt,gte,lt,lte" doc:"gt, gte, lt or lte; gt when absent." ja:"gt、gte、lt、lte のいずれか。省略時は gt。"`
	Threshold      *float64 `json:"threshold,omitempty" doc:"How many times faster than allowed the budget burns; for budgetleft the part that is left, for forecast days." ja:"許容の何倍の速さでバジェットを消費するか。budgetleft では残りの割合、forecast では日数。"`
	LookbackWindow string   `json:"lookbackWindow,omitempty" doc:"Over how long, such as 1h." ja:"どの期間で見るか(例: 1h)。"`
	AlertAfter     string   `json:"alertAfter,omitempty" doc:"For how long it must hold, such as 5m." ja:"どれだけ続いたら成立とするか(例: 5m)。"`
}

// AlertNotificationTarget names where alerts are sent: a channel.
type AlertNotificationTarget struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Metadata   Metadata   `json:"metadata"`
	Spec       TargetSpec `json:"spec"`
}

// TargetSpec is the body of an AlertNotificationTarget. Target is the name of a
// notification channel.
type TargetSpec struct {
	Description string `json:"description,omitempty"`
	Target      string `json:"target" doc:"The name of a notification channel." ja:"通知チャンネルの名前。"`
}

// Service is a service by name, for those who keep no catalog elsewhere.
type Service struct {
	APIVersion string      `json:"apiVersion"`
	Kind       string      `json:"kind"`
	Metadata   Metadata    `json:"metadata"`
	Spec       ServiceSpec `json:"spec,omitempty"`
}

// ServiceSpec is the body of a Service.
type ServiceSpec struct {
	Description string `json:"description,omitempty"`
}

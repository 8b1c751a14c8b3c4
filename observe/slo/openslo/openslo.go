// Package openslo holds the documents of OpenSLO v1 as Teiten reads them, and
// judges each by itself.
//
// What the specification allows and Teiten does not execute is refused, with the
// reason and what to write instead, so that no accepted document promises more
// than is done. The package is pure: references between documents are followed
// by its callers.
package openslo

// APIVersion is what the documents say of themselves.
const APIVersion = "openslo/v1"

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
	TimeWindow      []TimeWindow     `json:"timeWindow,omitempty" doc:"One window; a rolling one." ja:"期間。移動ウィンドウを1つ書きます。"`
	BudgetingMethod string           `json:"budgetingMethod,omitempty" doc:"Occurrences: events are counted." ja:"Occurrences(イベント数で数えます)。"`
	Objectives      []Objective      `json:"objectives,omitempty" doc:"One objective." ja:"目標を1つ書きます。"`
	AlertPolicies   []PolicyUse      `json:"alertPolicies,omitempty" doc:"Policies of one's own, besides the four burn-rate alerts that every SLO has." ja:"すべてのSLOにある4つのバーンレートアラートに加える、独自のポリシー。"`
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
	Duration  string    `json:"duration" doc:"Length of the window: 7d, 28d, 30d, 4w." ja:"期間の長さ(7d、28d、30d、4w など)。"`
	IsRolling *bool     `json:"isRolling,omitempty" doc:"true: the window ends now." ja:"true なら、現在を終わりとする移動ウィンドウです。"`
	Calendar  *Calendar `json:"calendar,omitempty" doc:"Aligns the window with the calendar; not executed yet." ja:"暦に合わせた期間(まだ実行できません)。"`
}

// Calendar aligns a time window with the calendar.
type Calendar struct {
	StartTime any    `json:"startTime,omitempty" doc:"When the first window begins." ja:"最初の期間の開始日時。"`
	TimeZone  string `json:"timeZone,omitempty" doc:"IANA time zone of the calendar." ja:"暦のIANAタイムゾーン。"`
}

// Objective is the target of an SLO.
type Objective struct {
	DisplayName     string   `json:"displayName,omitempty"`
	Op              string   `json:"op,omitempty" doc:"Comparison of a threshold metric; not executed yet." ja:"しきい値指標の比較演算子(まだ実行できません)。"`
	Value           *float64 `json:"value,omitempty" doc:"Threshold of a threshold metric; not executed yet." ja:"しきい値指標のしきい値(まだ実行できません)。"`
	Target          *float64 `json:"target,omitempty" doc:"The share of good events that is promised, such as 0.999." ja:"約束する良いイベントの割合(例: 0.999)。"`
	TargetPercent   *float64 `json:"targetPercent,omitempty" doc:"The same in percent, such as 99.9." ja:"同じものを百分率で(例: 99.9)。"`
	TimeSliceTarget *float64 `json:"timeSliceTarget,omitempty" doc:"Share of good time slices; not executed yet." ja:"良い時間スライスの割合(まだ実行できません)。"`
	TimeSliceWindow any      `json:"timeSliceWindow,omitempty" doc:"Length of a time slice; not executed yet." ja:"時間スライスの長さ(まだ実行できません)。"`
	// Composites are not in v1 and are recognised so that they can be refused
	// by name.
	Indicator       any      `json:"indicator,omitempty" doc:"Part of a composite; not executed yet." ja:"複合SLOの一部(まだ実行できません)。"`
	IndicatorRef    string   `json:"indicatorRef,omitempty" doc:"Part of a composite; not executed yet." ja:"複合SLOの一部(まだ実行できません)。"`
	CompositeWeight *float64 `json:"compositeWeight,omitempty" doc:"Weight in a composite; not executed yet." ja:"複合SLOでの重み(まだ実行できません)。"`
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
	ThresholdMetric *Metric      `json:"thresholdMetric,omitempty" doc:"A value to compare; not executed yet." ja:"しきい値と比べる値(まだ実行できません)。"`
	RatioMetric     *RatioMetric `json:"ratioMetric,omitempty" doc:"Good, or bad, events over all." ja:"全イベントに対する良い(または不良の)イベント。"`
}

// RatioMetric is good, or bad, events over all.
type RatioMetric struct {
	Counter bool    `json:"counter,omitempty" doc:"true: the queries are counters, and their increase is taken at every selector." ja:"true なら、クエリはカウンターであり、各セレクターで増分を取ります。"`
	Good    *Metric `json:"good,omitempty" doc:"Good events; either good or bad." ja:"良いイベント。good か bad のどちらかを書きます。"`
	Bad     *Metric `json:"bad,omitempty" doc:"Bad events; either good or bad." ja:"不良イベント。good か bad のどちらかを書きます。"`
	Total   *Metric `json:"total,omitempty" doc:"All events." ja:"全イベント。"`
	RawType string  `json:"rawType,omitempty" doc:"What a raw ratio means; not executed yet." ja:"比率の意味(まだ実行できません)。"`
	Raw     *Metric `json:"raw,omitempty" doc:"A ratio that the source computed; not executed yet." ja:"データソースが計算した比率(まだ実行できません)。"`
}

// Metric is one query.
type Metric struct {
	MetricSource MetricSource `json:"metricSource" doc:"Whom to ask, and what." ja:"問い合わせ先と内容。"`
}

// MetricSource says whom to ask and what. Spec is open: every kind of source
// has its own fields.
type MetricSource struct {
	MetricSourceRef string         `json:"metricSourceRef,omitempty" doc:"Name of a DataSource; the default one when absent." ja:"DataSourceの名前。省略時は既定のもの。"`
	Type            string         `json:"type,omitempty" doc:"Prometheus." ja:"Prometheus。"`
	Spec            map[string]any `json:"spec,omitempty" doc:"query: the PromQL expression." ja:"query にPromQLの式を書きます。"`
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
	AlertWhenNoData     *bool          `json:"alertWhenNoData,omitempty" doc:"Alert while there is no data; not executed yet." ja:"データがない間のアラート(まだ実行できません)。"`
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
	Severity    string    `json:"severity,omitempty" doc:"page (critical, high, sev1, sev2) or ticket (warning, low, info, sev3 to sev5)." ja:"page(critical、high、sev1、sev2)または ticket(warning、low、info、sev3〜sev5)。"`
	Condition   Condition `json:"condition" doc:"When it holds." ja:"成立する条件。"`
}

// Condition compares a burn rate with a threshold.
type Condition struct {
	Kind           string   `json:"kind,omitempty" doc:"burnrate." ja:"burnrate。"`
	Op             string   `json:"op,omitempty" doc:"gt, gte, lt or lte." ja:"gt、gte、lt、lte のいずれか。"`
	Threshold      *float64 `json:"threshold,omitempty" doc:"How many times faster than allowed the budget burns." ja:"許容の何倍の速さでバジェットを消費するか。"`
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

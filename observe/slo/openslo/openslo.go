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
	Service         string           `json:"service"`
	Indicator       *InlineIndicator `json:"indicator,omitempty"`
	IndicatorRef    string           `json:"indicatorRef,omitempty"`
	TimeWindow      []TimeWindow     `json:"timeWindow,omitempty"`
	BudgetingMethod string           `json:"budgetingMethod,omitempty"`
	Objectives      []Objective      `json:"objectives,omitempty"`
	AlertPolicies   []PolicyUse      `json:"alertPolicies,omitempty"`
}

// InlineIndicator is an SLI written inside an SLO.
type InlineIndicator struct {
	APIVersion string   `json:"apiVersion,omitempty"`
	Kind       string   `json:"kind,omitempty"`
	Metadata   Metadata `json:"metadata,omitempty"`
	Spec       SLISpec  `json:"spec"`
}

// TimeWindow is the period that an objective covers.
type TimeWindow struct {
	Duration  string    `json:"duration"`
	IsRolling *bool     `json:"isRolling,omitempty"`
	Calendar  *Calendar `json:"calendar,omitempty"`
}

// Calendar aligns a time window with the calendar.
type Calendar struct {
	StartTime any    `json:"startTime,omitempty"`
	TimeZone  string `json:"timeZone,omitempty"`
}

// Objective is the target of an SLO.
type Objective struct {
	DisplayName     string   `json:"displayName,omitempty"`
	Op              string   `json:"op,omitempty"`
	Value           *float64 `json:"value,omitempty"`
	Target          *float64 `json:"target,omitempty"`
	TargetPercent   *float64 `json:"targetPercent,omitempty"`
	TimeSliceTarget *float64 `json:"timeSliceTarget,omitempty"`
	TimeSliceWindow any      `json:"timeSliceWindow,omitempty"`
	// Composites are not in v1 and are recognised so that they can be refused
	// by name.
	Indicator       any      `json:"indicator,omitempty"`
	IndicatorRef    string   `json:"indicatorRef,omitempty"`
	CompositeWeight *float64 `json:"compositeWeight,omitempty"`
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
	ThresholdMetric *Metric      `json:"thresholdMetric,omitempty"`
	RatioMetric     *RatioMetric `json:"ratioMetric,omitempty"`
}

// RatioMetric is good, or bad, events over all.
type RatioMetric struct {
	Counter bool    `json:"counter,omitempty"`
	Good    *Metric `json:"good,omitempty"`
	Bad     *Metric `json:"bad,omitempty"`
	Total   *Metric `json:"total,omitempty"`
	RawType string  `json:"rawType,omitempty"`
	Raw     *Metric `json:"raw,omitempty"`
}

// Metric is one query.
type Metric struct {
	MetricSource MetricSource `json:"metricSource"`
}

// MetricSource says whom to ask and what. Spec is open: every kind of source
// has its own fields.
type MetricSource struct {
	MetricSourceRef string         `json:"metricSourceRef,omitempty"`
	Type            string         `json:"type,omitempty"`
	Spec            map[string]any `json:"spec,omitempty"`
}

// PolicyUse is an alert policy written inside an SLO, or a reference to one.
type PolicyUse struct {
	AlertPolicyRef string           `json:"alertPolicyRef,omitempty"`
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
	AlertWhenNoData     *bool          `json:"alertWhenNoData,omitempty"`
	AlertWhenResolved   *bool          `json:"alertWhenResolved,omitempty"`
	AlertWhenBreaching  *bool          `json:"alertWhenBreaching,omitempty"`
	Conditions          []ConditionUse `json:"conditions,omitempty"`
	NotificationTargets []TargetUse    `json:"notificationTargets,omitempty"`
}

// ConditionUse is an alert condition written inside a policy, or a reference.
type ConditionUse struct {
	ConditionRef string              `json:"conditionRef,omitempty"`
	APIVersion   string              `json:"apiVersion,omitempty"`
	Kind         string              `json:"kind,omitempty"`
	Metadata     *Metadata           `json:"metadata,omitempty"`
	Spec         *AlertConditionSpec `json:"spec,omitempty"`
}

// TargetUse is a notification target written inside a policy, or a reference.
type TargetUse struct {
	TargetRef  string      `json:"targetRef,omitempty"`
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
	Severity    string    `json:"severity,omitempty"`
	Condition   Condition `json:"condition"`
}

// Condition compares a burn rate with a threshold.
type Condition struct {
	Kind           string   `json:"kind,omitempty"`
	Op             string   `json:"op,omitempty"`
	Threshold      *float64 `json:"threshold,omitempty"`
	LookbackWindow string   `json:"lookbackWindow,omitempty"`
	AlertAfter     string   `json:"alertAfter,omitempty"`
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
	Target      string `json:"target"`
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

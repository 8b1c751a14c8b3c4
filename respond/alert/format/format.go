// Package format reads the alerts that monitoring systems send.
//
// Each system has its own shape of the same facts: what is wrong, since when,
// where, how bad, and whether it is over. A format turns one body into alerts in
// the terms that all share. It is lenient: what is missing or of another type is
// left out, and a body is never refused for its content. The package is pure; it
// checks no signature and answers nobody.
package format

import (
	"net/http"
	"time"
)

// State is where an alert stands, as its source says.
type State string

// The states that a source can tell.
const (
	Firing       State = "firing"
	Acknowledged State = "acknowledged"
	Resolved     State = "resolved"
)

// Severity is how bad an alert is, in words that all sources share.
type Severity string

// The severities, from the worst.
const (
	Critical Severity = "critical"
	Error    Severity = "error"
	Warning  Severity = "warning"
	Info     Severity = "info"
)

// Alert is one alert as its source tells it.
type Alert struct {
	State State
	// Key is what the source itself calls this alert, the same from its beginning to
	// its end; empty where its labels identify it.
	Key         string
	Labels      map[string]string
	Annotations map[string]string
	Title       string
	Body        string
	Severity    Severity  // empty where the source does not say
	At          time.Time // when it came into this state by the clock of the source; zero where unknown
	// Until is when an alert that fires ends unless its source repeats it; zero where
	// only its source ends it.
	Until   time.Time
	Link    string // its page at the source
	Runbook string
	// Raw says that no format recognised the body: the alert tells of that.
	Raw bool
}

// Request is what was received. Now is when, for alerts that end by a time.
type Request struct {
	Header http.Header
	Body   []byte
	Now    time.Time
}

// Format is the shape of one system's bodies.
type Format struct {
	Name  string // as integrations name it
	Title string // as people do

	// is reports whether a body looks like this format, for integrations that do not
	// say which it is.
	is func(d node, r Request) bool
	// read returns the alerts of a body, and nothing where it is about something
	// else.
	read func(d node, r Request) []Alert
}

// All are the formats of JSON bodies. The order matters to Detect: the more
// particular comes first.
var All = []*Format{
	pagerDutyEvents, pagerDutyWebhook, opsgenieWebhook, opsgenieAlert, azure, googleCloud, sns, eventBridge, cloudWatch,
	sentry, sentryPlugin, grafanaLegacy, grafana, alertmanager, alertmanagerV2, datadog, newRelic, pingdom, cloudEvents,
}

// Named is the format of a name, nil where there is none.
func Named(name string) *Format {
	for _, f := range All {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Detect is the format that a body looks like, nil where no format does.
func Detect(r Request) *Format {
	d := parse(r.Body)
	for _, f := range All {
		if f.is(d, r) {
			return f
		}
	}
	return nil
}

// Read returns what a body says. A nil format is any that the body looks like. A
// body that the format does not recognise becomes one alert that says so; ok is
// false then.
func Read(f *Format, r Request) (alerts []Alert, ok bool) {
	d := parse(r.Body)
	if f == nil {
		if f = Detect(r); f == nil {
			return []Alert{unrecognised(r)}, false
		}
	}
	if !f.is(d, r) {
		return []Alert{unrecognised(r)}, false
	}
	alerts = f.read(d, r)
	for i := range alerts {
		alerts[i].complete()
	}
	return alerts, true
}

// complete fills in what follows from the rest.
func (a *Alert) complete() {
	if a.State == "" {
		a.State = Firing
	}
	if a.Labels == nil {
		a.Labels = map[string]string{}
	}
	for name, v := range a.Labels {
		if v == "" {
			delete(a.Labels, name)
		}
	}
	if a.Severity == "" {
		a.Severity = severity(a.Labels["severity"])
	}
	a.Title = line(a.Title)
	if a.Title == "" {
		a.Title = line(first(a.Labels["alertname"], a.Body, a.Key))
	}
}

// unrecognised is the alert that a body becomes which no format recognises. All
// such bodies of an integration are one alert, so that they do not flood anybody.
func unrecognised(r Request) Alert {
	return Alert{State: Firing, Raw: true, Key: "unrecognised", Severity: Warning, Labels: map[string]string{"alertname": "UnrecognisedPayload"},
		Title: "A message in no known format was received", Body: excerpt(r.Body)}
}

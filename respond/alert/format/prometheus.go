package format

import (
	"strings"
	"time"
)

// alertmanager is Alertmanager's webhook (versions 3 and 4), which others have
// taken over.
var alertmanager = &Format{
	Name: "alertmanager", Title: "Alertmanager",
	is: func(d node, _ Request) bool {
		all := d.list("alerts")
		return d.at("alerts").v != nil && (len(all) == 0 && d.has("receiver") || len(all) > 0 && all[0].at("labels").object())
	},
	read: func(d node, r Request) []Alert {
		var out []Alert
		for _, x := range d.list("alerts") {
			if !x.object() {
				continue
			}
			a := labelled(x)
			a.State = Firing
			if first(x.text("status"), d.text("status")) == "resolved" {
				a.State, a.At = Resolved, x.time("endsAt")
			}
			merge(a.Annotations, d.texts("commonAnnotations"), "")
			out = append(out, a)
		}
		return out
	},
}

// alertmanagerV2 is what Prometheus posts to Alertmanager's API: alerts that end
// by a time.
var alertmanagerV2 = &Format{
	Name: "alertmanager-api", Title: "Alertmanager API v2",
	is: func(d node, _ Request) bool {
		all := d.list()
		return len(all) > 0 && all[0].at("labels").object()
	},
	read: func(d node, r Request) []Alert {
		var out []Alert
		for _, x := range d.list() {
			if !x.object() {
				continue
			}
			a := labelled(x)
			switch end := x.time("endsAt"); {
			case end.IsZero():
				a.Until = r.Now.Add(resolveTimeout)
			case end.After(r.Now):
				a.Until = end
			default:
				a.State, a.At = Resolved, end
			}
			out = append(out, a)
		}
		return out
	},
}

// resolveTimeout is when an alert ends that Alertmanager's API is not told the end
// of, as Alertmanager has it by default.
const resolveTimeout = 5 * time.Minute

// labelled is an alert that its labels identify.
func labelled(x node) Alert {
	a := Alert{State: Firing, Labels: x.texts("labels"), Annotations: x.texts("annotations"), At: x.time("startsAt"), Link: x.text("generatorURL")}
	a.describe()
	return a
}

// describe takes title, text and runbook from the annotations by which rules
// usually give them.
func (a *Alert) describe() {
	n := a.Annotations
	a.Title = first(n["summary"], n["title"], a.Labels["alertname"])
	a.Body = cut(first(n["description"], n["message"], n["summary"]), longestBody)
	a.Runbook = first(n["runbook_url"], n["runbook"])
}

// grafana is unified alerting's webhook: Alertmanager's with more.
var grafana = &Format{
	Name: "grafana", Title: "Grafana",
	is: func(d node, r Request) bool {
		if !alertmanager.is(d, r) {
			return false
		}
		all := d.list("alerts")
		return d.has("orgId") || len(all) > 0 && (all[0].has("dashboardURL") || all[0].has("silenceURL") || all[0].has("panelURL"))
	},
	read: func(d node, r Request) []Alert {
		out := alertmanager.read(d, r)
		for i, x := range d.list("alerts") {
			if i < len(out) {
				out[i].Link = first(x.text("panelURL"), x.text("dashboardURL"), out[i].Link, d.text("externalURL"))
				if v := x.text("valueString"); v != "" {
					out[i].Annotations["value"] = v
				}
			}
		}
		return out
	},
}

// grafanaLegacy is the webhook of Grafana before version 8.
var grafanaLegacy = &Format{
	Name: "grafana-legacy", Title: "Grafana (legacy)",
	is: func(d node, _ Request) bool { return d.has("ruleId", "state") },
	read: func(d node, r Request) []Alert {
		a := Alert{Key: "rule-" + d.text("ruleId"), Labels: d.texts("tags"), Title: first(d.text("ruleName"), d.text("title")),
			Body: d.text("message"), Link: d.text("ruleUrl"), Annotations: map[string]string{}}
		a.Labels["alertname"] = first(d.text("ruleName"), d.text("title"))
		for _, m := range d.list("evalMatches") {
			merge(a.Labels, m.texts("tags"), "")
			if metric := m.text("metric"); metric != "" {
				a.Annotations["value"] = strings.TrimSpace(metric + " " + m.text("value"))
			}
		}
		switch d.text("state") {
		case "ok":
			a.State = Resolved
		case "paused", "pending":
			return nil
		case "no_data":
			a.Severity = Warning
		}
		return []Alert{a}
	},
}

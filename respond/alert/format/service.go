package format

import "strings"

// sentry is the webhook of Sentry's integration platform: issues, errors, and
// alerts on issues and metrics.
var sentry = &Format{
	Name: "sentry", Title: "Sentry",
	is: func(d node, r Request) bool {
		if !d.has("action") || !d.at("data").object() {
			return false
		}
		x := d.at("data")
		return r.Header.Get("Sentry-Hook-Resource") != "" || x.has("issue") || x.has("metric_alert") || x.has("event") || x.has("error") || d.has("installation")
	},
	read: func(d node, _ Request) []Alert {
		x, action := d.at("data"), d.text("action")
		switch {
		case x.has("metric_alert"):
			return []Alert{sentryMetric(x, action)}
		case x.has("issue"):
			return sentryIssue(x.at("issue"), action)
		case x.has("event"), x.has("error"):
			return []Alert{sentryEvent(x)}
		}
		return nil
	},
}

func sentryMetric(x node, action string) Alert {
	m := x.at("metric_alert")
	rule := m.at("alert_rule")
	a := Alert{
		Key: "metric-alert-" + first(m.text("identifier"), m.text("id")), Title: first(x.text("description_title"), m.text("title"), rule.text("name")), Body: x.text("description_text"),
		Link: x.text("web_url"), Severity: severity(action), At: m.time("date_started"), Labels: map[string]string{"alertname": rule.text("name"), "environment": rule.text("environment")},
	}
	if all := m.list("projects"); len(all) > 0 {
		a.Labels["project"] = all[0].text()
	}
	if action == "resolved" {
		a.State, a.At, a.Severity = Resolved, m.time("date_closed"), ""
	}
	return a
}

func sentryIssue(x node, action string) []Alert {
	a := Alert{
		Key: "issue-" + x.text("id"), Title: x.text("title"), Body: x.text("culprit"), Severity: severity(x.text("level")), Link: first(x.text("web_url"), x.text("permalink")), At: x.time("lastSeen"),
		Labels: map[string]string{"alertname": first(x.text("metadata", "type"), x.text("title")), "project": x.text("project", "slug"), "issue": x.text("shortId")},
	}
	switch action {
	case "created", "unresolved", "escalating":
	case "resolved", "ignored", "archived":
		a.State = Resolved
	default:
		return nil // assigned to somebody: not its state
	}
	return []Alert{a}
}

func sentryEvent(x node) Alert {
	e := x.at("event")
	if !e.object() {
		e = x.at("error")
	}
	a := Alert{
		Key: "issue-" + first(e.text("issue_id"), e.text("event_id")), Title: e.text("title"), Body: first(e.text("message"), e.text("culprit")), Severity: severity(e.text("level")),
		Link: first(e.text("web_url"), e.text("url")), At: e.time("datetime"), Labels: map[string]string{"alertname": first(x.text("triggered_rule"), e.text("title")), "project": e.text("project"), "environment": e.text("environment")},
	}
	for _, tag := range e.list("tags") {
		if pair := tag.list(); len(pair) == 2 {
			merge(a.Labels, map[string]string{pair[0].text(): pair[1].text()}, "")
		}
	}
	return a
}

// sentryPlugin is the webhook of Sentry's older plug-in.
var sentryPlugin = &Format{
	Name: "sentry-plugin", Title: "Sentry (webhook plug-in)",
	is: func(d node, _ Request) bool { return d.has("project_name", "event", "url") },
	read: func(d node, _ Request) []Alert {
		e := d.at("event")
		return []Alert{{
			Key: "issue-" + d.text("id"), Title: first(e.text("title"), d.text("message"), e.text("metadata", "title")), Body: d.text("culprit"), Severity: severity(d.text("level")), Link: d.text("url"),
			At: e.time("received"), Labels: map[string]string{"alertname": first(e.text("title"), d.text("message"), d.text("culprit")), "project": first(d.text("project_slug"), d.text("project")), "environment": e.text("environment")},
		}}
	},
}

// datadog is the webhook of Datadog with the variables of the payload that it
// proposes, and with those that the guide recommends in addition.
var datadog = &Format{
	Name: "datadog", Title: "Datadog",
	is: func(d node, _ Request) bool {
		return d.has("alert_transition") || d.has("alert_id", "alert_type") || d.has("event_type", "last_updated", "title")
	},
	read: func(d node, _ Request) []Alert {
		a := Alert{
			Key: first(d.text("aggreg_key"), d.text("alert_cycle_key"), d.text("alert_id")), Title: first(d.text("alert_title"), d.text("title")),
			Body: cut(first(d.text("text_only_msg"), d.text("body"), d.text("event_msg")), longestBody), Link: first(d.text("link"), d.text("url")), At: d.time("last_updated"),
			Labels: map[string]string{"alertname": first(d.text("alert_title"), d.text("title")), "host": first(d.text("hostname"), d.text("host")), "scope": d.text("alert_scope"), "metric": d.text("alert_metric")},
		}
		if a.At.IsZero() {
			a.At = d.time("date")
		}
		for tag := range strings.SplitSeq(d.text("tags"), ",") {
			if name, v, ok := strings.Cut(strings.TrimSpace(tag), ":"); ok {
				merge(a.Labels, map[string]string{name: v}, "")
			}
		}
		transition := first(d.text("alert_transition"), bracketed(d.text("title")))
		switch {
		case strings.EqualFold(transition, "Recovered"), strings.EqualFold(transition, "No Data recovered"), transition == "" && d.text("alert_type") == "success":
			a.State = Resolved
		case strings.HasPrefix(strings.ToLower(transition), "warn"):
			a.Severity = Warning
		case strings.EqualFold(transition, "No Data"):
			a.Severity = Warning
		default:
			a.Severity = severity(first(strings.Trim(d.text("priority"), "$"), d.text("alert_priority"), d.text("alert_type")))
		}
		if word := bracketed(a.Title); word != "" {
			a.Title = strings.TrimSpace(a.Title[len(word)+2:])
			a.Labels["alertname"] = line(a.Title)
		}
		if a.Key == "" {
			a.Key = a.Title
		}
		return []Alert{a}
	},
}

// bracketed is the word in brackets that a title begins with.
func bracketed(s string) string {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		if word, _, ok := strings.Cut(rest, "]"); ok {
			return word
		}
	}
	return ""
}

// newRelic is the webhook of New Relic: of its older incidents, and of workflows
// by the template that it proposes.
var newRelic = &Format{
	Name: "newrelic", Title: "New Relic",
	is: func(d node, _ Request) bool {
		return d.has("current_state", "policy_name") || d.has("issueUrl", "state") || d.has("incident_id", "condition_name")
	},
	read: func(d node, _ Request) []Alert {
		state := first(d.text("current_state"), d.text("state"))
		a := Alert{
			Key: first(d.text("incident_id"), d.text("id"), d.text("issueId")), Title: first(d.text("condition_name"), d.text("title")), Body: d.text("details"), Severity: severity(first(d.text("severity"), d.text("priority"))),
			Link: first(d.text("incident_url"), d.text("issueUrl")), Runbook: d.text("runbook_url"), At: d.time("timestamp"),
			Labels: map[string]string{"alertname": first(d.text("condition_name"), d.text("title")), "policy": d.text("policy_name"), "account": d.text("account_name")},
		}
		if all := d.list("targets"); len(all) > 0 {
			a.Labels["target"] = all[0].text("name")
			merge(a.Labels, all[0].texts("labels"), "")
		}
		switch strings.ToLower(state) {
		case "closed":
			a.State = Resolved
		case "acknowledged":
			a.State = Acknowledged
		}
		return []Alert{a}
	},
}

// pingdom is the webhook of Pingdom's checks.
var pingdom = &Format{
	Name: "pingdom", Title: "Pingdom",
	is: func(d node, _ Request) bool { return d.has("check_id", "current_state") },
	read: func(d node, _ Request) []Alert {
		a := Alert{
			Key: "check-" + d.text("check_id"), Title: first(d.text("check_name"), d.text("check_params", "hostname")), Body: first(d.text("long_description"), d.text("description")),
			At: d.time("state_changed_timestamp"), Link: d.text("check_params", "full_url"), Severity: severity(d.text("importance_level")),
			Labels: map[string]string{"alertname": d.text("check_name"), "type": d.text("check_type"), "host": d.text("check_params", "hostname")},
		}
		switch d.text("current_state") {
		case "UP", "SUCCESS":
			a.State = Resolved
		}
		return []Alert{a}
	},
}

package format

import "strings"

// pagerDutyEvents is what PagerDuty's Events API takes, version 2.
var pagerDutyEvents = &Format{
	Name: "pagerduty-events", Title: "PagerDuty Events API v2",
	is: func(d node, _ Request) bool { return d.has("event_action") },
	read: func(d node, _ Request) []Alert {
		x := d.at("payload")
		a := Alert{
			Key: d.text("dedup_key"), Title: x.text("summary"), At: x.time("timestamp"), Severity: severity(x.text("severity")), Link: d.text("client_url"),
			Labels:      map[string]string{"source": x.text("source"), "component": x.text("component"), "group": x.text("group"), "class": x.text("class"), "client": d.text("client")},
			Annotations: x.texts("custom_details"),
		}
		a.Body = cut(first(x.text("custom_details"), a.Annotations["description"], a.Annotations["details"]), longestBody)
		if all := d.list("links"); a.Link == "" && len(all) > 0 {
			a.Link = all[0].text("href")
		}
		if a.Key == "" {
			a.Labels["summary"] = a.Title
		}
		switch d.text("event_action") {
		case "acknowledge":
			a.State = Acknowledged
		case "resolve":
			a.State = Resolved
		}
		return []Alert{a}
	},
}

// pagerDutyWebhook is what PagerDuty itself sends of its incidents: version 3,
// and those before it, several in a body.
var pagerDutyWebhook = &Format{
	Name: "pagerduty", Title: "PagerDuty webhooks",
	is: func(d node, _ Request) bool {
		if strings.HasPrefix(d.text("event", "event_type"), "incident.") {
			return true
		}
		all := d.list("messages")
		return len(all) > 0 && (all[0].at("data").has("incident") || all[0].has("event", "incident"))
	},
	read: func(d node, _ Request) []Alert {
		if e := d.at("event"); e.object() {
			return pagerDutyIncident(e.at("data"), e.text("event_type"), e)
		}
		var out []Alert
		for _, m := range d.list("messages") {
			x := m.at("incident")
			if !x.object() {
				x = m.at("data", "incident")
			}
			out = append(out, pagerDutyIncident(x, first(m.text("event"), m.text("type")), m)...)
		}
		return out
	},
}

func pagerDutyIncident(x node, event string, told node) []Alert {
	a := Alert{
		Key: x.text("id"), Title: first(x.text("title"), x.text("trigger_summary_data", "subject"), x.text("trigger_summary_data", "description")), Link: x.text("html_url"),
		At: told.time("occurred_at"), Labels: map[string]string{"alertname": "PagerDuty", "service": first(x.text("service", "summary"), x.text("service", "name")), "urgency": x.text("urgency")},
	}
	if a.At.IsZero() {
		a.At = told.time("created_on")
	}
	if x.text("urgency") == "high" {
		a.Severity = Critical
	}
	switch word := strings.TrimPrefix(event, "incident."); word {
	case "acknowledge", "acknowledged":
		a.State = Acknowledged
	case "resolve", "resolved":
		a.State = Resolved
	case "trigger", "triggered", "unacknowledge", "unacknowledged", "reopened", "escalate", "escalated", "delegate", "delegated", "assign", "reassigned":
	default:
		return nil // a note, a responder, a priority: not its state
	}
	return []Alert{a}
}

// opsgenieAlert is what Opsgenie's Alert API takes to create an alert.
var opsgenieAlert = &Format{
	Name: "opsgenie-alert", Title: "Opsgenie Alert API",
	is: func(d node, _ Request) bool {
		return d.has("message") && (d.has("alias") || d.has("responders") || d.has("priority") || d.has("entity"))
	},
	read: func(d node, _ Request) []Alert { return []Alert{opsgenie(d)} },
}

// opsgenieWebhook is what Opsgenie itself sends of its alerts.
var opsgenieWebhook = &Format{
	Name: "opsgenie", Title: "Opsgenie webhooks",
	is: func(d node, _ Request) bool { return d.has("action") && d.at("alert").has("alertId") },
	read: func(d node, _ Request) []Alert {
		a := opsgenie(d.at("alert"))
		a.Key = d.text("alert", "alertId")
		switch d.text("action") {
		case "Create", "UnAcknowledge", "Escalate":
		case "Acknowledge":
			a.State = Acknowledged
		case "Close", "Delete":
			a.State = Resolved
		default:
			return nil // a note, a tag, a recipient: not its state
		}
		return []Alert{a}
	},
}

func opsgenie(x node) Alert {
	a := Alert{
		Key: first(x.text("alias"), x.text("message")), Title: x.text("message"), Body: cut(x.text("description"), longestBody), Severity: severity(x.text("priority")),
		Labels: map[string]string{"entity": x.text("entity"), "source": x.text("source")}, Annotations: map[string]string{}, At: x.time("createdAt"),
	}
	merge(a.Labels, x.texts("details"), "")
	var tags []string
	for _, t := range x.list("tags") {
		tags = append(tags, t.text())
	}
	if len(tags) > 0 {
		a.Labels["tags"] = strings.Join(tags, ",")
	}
	return a
}

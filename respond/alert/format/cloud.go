package format

import (
	"encoding/json"
	"strings"
)

// sns is Amazon SNS: an envelope around CloudWatch's alarms, or around anything.
var sns = &Format{
	Name: "sns", Title: "Amazon SNS (CloudWatch)",
	is: func(d node, r Request) bool { return d.has("Type", "TopicArn", "MessageId") },
	read: func(d node, r Request) []Alert {
		if d.text("Type") != "Notification" {
			return nil // a subscription, which is not about an alert
		}
		inner := parse([]byte(d.text("Message")))
		for _, f := range []*Format{cloudWatch, eventBridge} {
			if f.is(inner, r) {
				return f.read(inner, r)
			}
		}
		topic := d.text("TopicArn")
		return []Alert{{
			Key: first(d.text("Subject"), topic), Title: first(d.text("Subject"), d.text("Message")), Body: cut(d.text("Message"), longestBody), At: d.time("Timestamp"),
			Labels: map[string]string{"alertname": first(d.text("Subject"), "SNS"), "topic": topic[strings.LastIndex(topic, ":")+1:]},
		}}
	},
}

// cloudWatch is the message of an alarm of CloudWatch.
var cloudWatch = &Format{
	Name: "cloudwatch", Title: "CloudWatch",
	is: func(d node, _ Request) bool { return d.has("AlarmName", "NewStateValue") },
	read: func(d node, _ Request) []Alert {
		name := d.text("AlarmName")
		a := Alert{
			Key: first(d.text("AlarmArn"), d.text("AWSAccountId")+"/"+d.text("Region")+"/"+name), Title: first(d.text("AlarmDescription"), name), Body: d.text("NewStateReason"),
			State: alarmState(d.text("NewStateValue")), At: d.time("StateChangeTime"),
			Labels: map[string]string{"alertname": name, "account": d.text("AWSAccountId"), "region": d.text("Region"),
				"namespace": d.text("Trigger", "Namespace"), "metric": d.text("Trigger", "MetricName")},
		}
		if a.Title != name {
			a.Title = name + ": " + a.Title
		}
		if d.text("NewStateValue") == "INSUFFICIENT_DATA" {
			a.Severity = Warning
		}
		for _, x := range d.list("Trigger", "Dimensions") {
			if name := first(x.text("name"), x.text("Name")); name != "" {
				a.Labels[name] = first(x.text("value"), x.text("Value"))
			}
		}
		return []Alert{a}
	},
}

// alarmState takes an alarm without data for one that fires: nobody knows
// whether the matter is well.
func alarmState(s string) State {
	if s == "OK" {
		return Resolved
	}
	return Firing
}

// eventBridge is the same alarm as an event.
var eventBridge = &Format{
	Name: "eventbridge", Title: "Amazon EventBridge (CloudWatch)",
	is: func(d node, _ Request) bool {
		return d.text("detail-type") == "CloudWatch Alarm State Change" && d.has("detail")
	},
	read: func(d node, _ Request) []Alert {
		x := d.at("detail")
		a := Alert{
			Key: d.text("account") + "/" + d.text("region") + "/" + x.text("alarmName"), Title: first(x.text("configuration", "description"), x.text("alarmName")),
			Body: x.text("state", "reason"), State: alarmState(x.text("state", "value")), At: x.time("state", "timestamp"),
			Labels: map[string]string{"alertname": x.text("alarmName"), "account": d.text("account"), "region": d.text("region")},
		}
		if all := d.list("resources"); len(all) > 0 {
			a.Key = first(all[0].text(), a.Key)
		}
		for _, m := range x.list("configuration", "metrics") {
			metric := m.at("metricStat", "metric")
			merge(a.Labels, map[string]string{"namespace": metric.text("namespace"), "metric": metric.text("name")}, "")
			merge(a.Labels, metric.texts("dimensions"), "")
		}
		return []Alert{a}
	},
}

// googleCloud is Google Cloud Monitoring's webhook, which was Stackdriver's.
var googleCloud = &Format{
	Name: "google-cloud", Title: "Google Cloud Monitoring",
	is: func(d node, _ Request) bool { return d.at("incident").has("incident_id") },
	read: func(d node, _ Request) []Alert {
		x := d.at("incident")
		a := Alert{
			Key: x.text("incident_id"), Title: first(x.text("policy_name"), x.text("condition_name")), Body: first(x.text("summary"), x.text("documentation", "content")),
			Severity: severity(x.text("severity")), At: x.time("started_at"), Link: x.text("url"), Annotations: map[string]string{"documentation": x.text("documentation", "content")},
			Labels: map[string]string{"alertname": x.text("policy_name"), "condition": x.text("condition_name"), "resource": first(x.text("resource_name"), x.text("resource_display_name")),
				"project": x.text("scoping_project_id"), "resource_type": x.text("resource", "type"), "metric": x.text("metric", "type")},
		}
		merge(a.Labels, x.texts("policy_user_labels"), "")
		merge(a.Labels, x.texts("resource", "labels"), "")
		merge(a.Labels, x.texts("metric", "labels"), "")
		switch x.text("state") {
		case "closed":
			a.State, a.At = Resolved, x.time("ended_at")
		case "acknowledged":
			a.State = Acknowledged
		}
		return []Alert{a}
	},
}

// azure is Azure Monitor: the common alert schema, and those of metric alerts and
// classic alerts before it.
var azure = &Format{
	Name: "azure", Title: "Azure Monitor",
	is: func(d node, _ Request) bool {
		return d.at("data").has("essentials") || d.at("data", "context").object() || d.has("status", "context") && d.at("context").has("resourceId")
	},
	read: func(d node, _ Request) []Alert {
		if d.at("data").has("essentials") {
			return []Alert{azureCommon(d.at("data"))}
		}
		if d.at("data", "context").object() {
			d = d.at("data")
		}
		x := d.at("context")
		a := Alert{
			Key: x.text("id") + "|" + x.text("resourceId"), Title: x.text("name"), Body: x.text("description"), At: x.time("timestamp"), Link: x.text("portalLink"), Severity: azureSeverity(x.text("severity")),
			Labels: map[string]string{"alertname": x.text("name"), "resource": x.text("resourceName"), "resource_group": x.text("resourceGroupName"), "resource_type": x.text("resourceType"), "region": x.text("resourceRegion")},
		}
		if s := d.text("status"); s == "Resolved" || s == "Deactivated" {
			a.State = Resolved
		}
		return []Alert{a}
	},
}

func azureCommon(d node) Alert {
	x := d.at("essentials")
	a := Alert{
		Key: first(x.text("originAlertId"), x.text("alertId")), Title: x.text("alertRule"), Body: x.text("description"), At: x.time("firedDateTime"), Severity: azureSeverity(x.text("severity")),
		Link:   first(x.text("investigationLink"), portal(x.text("alertId"))),
		Labels: map[string]string{"alertname": x.text("alertRule"), "signal": x.text("signalType"), "monitoring_service": x.text("monitoringService")},
	}
	if all := x.list("configurationItems"); len(all) > 0 {
		a.Labels["resource"] = all[0].text()
	}
	if all := x.list("alertTargetIDs"); len(all) > 0 {
		a.Labels["target"] = all[0].text()
	}
	merge(a.Labels, d.texts("customProperties"), "")
	if x.text("monitorCondition") == "Resolved" {
		a.State, a.At = Resolved, x.time("resolvedDateTime")
	}
	return a
}

func portal(id string) string {
	if id == "" {
		return ""
	}
	return "https://portal.azure.com/#blade/Microsoft_Azure_Monitoring/AlertDetailsTemplateBlade/alertId/" + strings.ReplaceAll(id, "/", "%2F")
}

// azureSeverity reads Sev0 to Sev4, of which 0 is the worst.
func azureSeverity(s string) Severity {
	switch strings.TrimPrefix(s, "Sev") {
	case "0":
		return Critical
	case "1":
		return Error
	case "2":
		return Warning
	case "3", "4":
		return Info
	}
	return ""
}

// cloudEvents is any CloudEvent: in the body, several of them, or with its
// attributes in the header.
var cloudEvents = &Format{
	Name: "cloudevents", Title: "CloudEvents",
	is: func(d node, r Request) bool {
		all := d.list()
		return d.has("specversion", "type") || len(all) > 0 && all[0].has("specversion", "type") || r.Header.Get("Ce-Specversion") != ""
	},
	read: func(d node, r Request) []Alert {
		if r.Header.Get("Ce-Specversion") != "" {
			event := map[string]any{"data": d.v}
			for name, v := range r.Header {
				if n, ok := strings.CutPrefix(strings.ToLower(name), "ce-"); ok && len(v) > 0 {
					event[n] = v[0]
				}
			}
			return []Alert{cloudEvent(node{event})}
		}
		if d.object() {
			return []Alert{cloudEvent(d)}
		}
		var out []Alert
		for _, x := range d.list() {
			if x.object() {
				out = append(out, cloudEvent(x))
			}
		}
		return out
	},
}

func cloudEvent(d node) Alert {
	data := d.at("data")
	kind, subject := d.text("type"), d.text("subject")
	a := Alert{
		Key:   first(data.text("dedup_key"), data.text("dedupKey"), data.text("fingerprint"), d.text("source")+"|"+subject+"|"+kindOf(kind)),
		Title: first(data.text("title"), data.text("summary"), data.text("message"), strings.TrimSpace(kind+" "+subject)),
		Body:  cut(first(data.text("description"), data.text("message"), written(data)), longestBody), At: d.time("time"),
		Severity: severity(first(data.text("severity"), d.text("severity"))), State: stateOf(first(data.text("status"), data.text("state")), kind),
		Labels: map[string]string{"alertname": kindOf(kind), "source": d.text("source"), "subject": subject}, Link: first(data.text("url"), data.text("link")),
	}
	merge(a.Labels, data.texts("labels"), "")
	return a
}

// written is data as it came.
func written(d node) string {
	if d.v == nil {
		return ""
	}
	if s := d.text(); s != "" {
		return s
	}
	b, err := json.Marshal(d.v)
	if err != nil {
		return ""
	}
	return string(b)
}

// kindOf is the type of an event without the word that says in which state it is.
func kindOf(kind string) string {
	at := strings.LastIndexAny(kind, "._")
	if at > 0 && stateOf("", kind) != Firing {
		return kind[:at]
	}
	for _, word := range []string{"fired", "triggered", "opened", "created", "firing"} {
		if at > 0 && strings.EqualFold(kind[at+1:], word) {
			return kind[:at]
		}
	}
	return kind
}

// stateOf reads a state from a word for it, or from the last word of a type.
func stateOf(word, kind string) State {
	for _, s := range []string{word, kind[strings.LastIndexAny(kind, "._")+1:]} {
		switch strings.ToLower(s) {
		case "resolved", "ok", "closed", "close", "recovered", "finished", "ended", "inactive", "up", "normal", "success", "resolve":
			return Resolved
		case "acknowledged", "ack", "acked", "acknowledge":
			return Acknowledged
		case "":
			continue
		}
		if s == word {
			return Firing
		}
	}
	return Firing
}

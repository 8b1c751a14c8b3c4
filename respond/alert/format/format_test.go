package format

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var now = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func read(t testing.TB, body string) ([]Alert, *Format) {
	t.Helper()
	r := Request{Body: []byte(body), Now: now, Header: http.Header{}}
	alerts, ok := Read(nil, r)
	if !ok {
		t.Fatalf("not recognised: %s", body)
	}
	return alerts, Detect(r)
}

// Every format: what begins an alert and what ends it are recognised for what
// they are, and are about one and the same.
func TestABeginningAndItsEndAreOneAlert(t *testing.T) {
	for name, c := range map[string]struct {
		begins, ends string
		title        string
		severity     Severity
		label, value string
	}{
		"alertmanager": {
			begins: `{"version":"4","receiver":"t","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Down","severity":"critical","instance":"a:1"},"annotations":{"summary":"a is down","runbook_url":"https://r"},"startsAt":"2026-06-01T11:00:00Z","endsAt":"0001-01-01T00:00:00Z"}]}`,
			ends:   `{"version":"4","receiver":"t","status":"resolved","alerts":[{"status":"resolved","labels":{"alertname":"Down","severity":"critical","instance":"a:1"},"annotations":{"summary":"a is down"},"startsAt":"2026-06-01T11:00:00Z","endsAt":"2026-06-01T11:30:00Z"}]}`,
			title:  "a is down", severity: Critical, label: "instance", value: "a:1",
		},
		"alertmanager-api": {
			begins: `[{"labels":{"alertname":"Down","severity":"warning"},"annotations":{"description":"d"},"startsAt":"2026-06-01T11:00:00Z","endsAt":"2026-06-01T12:04:00Z","generatorURL":"http://p/graph"}]`,
			ends:   `[{"labels":{"alertname":"Down","severity":"warning"},"startsAt":"2026-06-01T11:00:00Z","endsAt":"2026-06-01T11:59:00Z"}]`,
			title:  "Down", severity: Warning, label: "alertname", value: "Down",
		},
		"grafana": {
			begins: `{"receiver":"t","status":"firing","orgId":1,"alerts":[{"status":"firing","labels":{"alertname":"CPU","team":"infra"},"annotations":{"summary":"CPU is high"},"startsAt":"2026-06-01T11:00:00Z","dashboardURL":"https://g/d/1","panelURL":"https://g/d/1?viewPanel=2","valueString":"[ value=97 ]"}]}`,
			ends:   `{"receiver":"t","status":"resolved","orgId":1,"alerts":[{"status":"resolved","labels":{"alertname":"CPU","team":"infra"},"endsAt":"2026-06-01T11:10:00Z","annotations":{"summary":"CPU is high"}}]}`,
			title:  "CPU is high", label: "team", value: "infra",
		},
		"grafana-legacy": {
			begins: `{"ruleId":7,"ruleName":"Disk","state":"alerting","ruleUrl":"https://g/7","title":"[Alerting] Disk","tags":{"severity":"error"},"evalMatches":[{"metric":"free","value":3.5,"tags":{"host":"h1"}}]}`,
			ends:   `{"ruleId":7,"ruleName":"Disk","state":"ok","title":"[OK] Disk","evalMatches":[],"tags":{"severity":"error"}}`,
			title:  "Disk", severity: Error, label: "alertname", value: "Disk",
		},
		"datadog": {
			begins: `{"id":"1","title":"[Triggered] Queue is long","alert_transition":"Triggered","alert_id":"42","alert_type":"error","aggreg_key":"k1","tags":"team:mail,env:prod","last_updated":"1780311600000"}`,
			ends:   `{"id":"2","title":"[Recovered] Queue is long","alert_transition":"Recovered","alert_id":"42","alert_type":"success","aggreg_key":"k1","tags":"team:mail,env:prod"}`,
			title:  "Queue is long", severity: Error, label: "team", value: "mail",
		},
		"cloudwatch": {
			begins: `{"AlarmName":"cpu","AlarmDescription":"CPU of the database","AWSAccountId":"1","NewStateValue":"ALARM","NewStateReason":"over 80","StateChangeTime":"2026-06-01T11:00:00.000+0000","Region":"EU (Ireland)","Trigger":{"Namespace":"AWS/RDS","MetricName":"CPUUtilization","Dimensions":[{"name":"DBInstanceIdentifier","value":"db1"}]}}`,
			ends:   `{"AlarmName":"cpu","AlarmDescription":"CPU of the database","AWSAccountId":"1","NewStateValue":"OK","StateChangeTime":"2026-06-01T11:30:00.000+0000","Region":"EU (Ireland)","Trigger":{"Namespace":"AWS/RDS","MetricName":"CPUUtilization","Dimensions":[{"name":"DBInstanceIdentifier","value":"db1"}]}}`,
			title:  "cpu: CPU of the database", label: "DBInstanceIdentifier", value: "db1",
		},
		"eventbridge": {
			begins: `{"detail-type":"CloudWatch Alarm State Change","account":"1","region":"eu-west-1","resources":["arn:x"],"detail":{"alarmName":"cpu","state":{"value":"ALARM","reason":"r","timestamp":"2026-06-01T11:00:00.000+0000"},"configuration":{"metrics":[{"metricStat":{"metric":{"namespace":"AWS/EC2","name":"CPU","dimensions":{"InstanceId":"i-1"}}}}]}}}`,
			ends:   `{"detail-type":"CloudWatch Alarm State Change","account":"1","region":"eu-west-1","resources":["arn:x"],"detail":{"alarmName":"cpu","state":{"value":"OK"}}}`,
			title:  "cpu", label: "InstanceId", value: "i-1",
		},
		"google-cloud": {
			begins: `{"version":"1.2","incident":{"incident_id":"0.abc","state":"open","policy_name":"Latency","condition_name":"p99","summary":"p99 is over 1 s","severity":"Critical","started_at":1780311600,"url":"https://c","resource":{"type":"k8s_container","labels":{"pod_name":"p1"}}}}`,
			ends:   `{"version":"1.2","incident":{"incident_id":"0.abc","state":"closed","policy_name":"Latency","condition_name":"p99","started_at":1780311600,"ended_at":1780312600}}`,
			title:  "Latency", severity: Critical, label: "pod_name", value: "p1",
		},
		"azure": {
			begins: `{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"/subscriptions/s/alerts/1","originAlertId":"o1","alertRule":"CPU","severity":"Sev1","monitorCondition":"Fired","configurationItems":["web01"],"firedDateTime":"2026-06-01T11:00:00.1234567Z","description":"over 90"}}}`,
			ends:   `{"schemaId":"azureMonitorCommonAlertSchema","data":{"essentials":{"alertId":"/subscriptions/s/alerts/1","originAlertId":"o1","alertRule":"CPU","severity":"Sev1","monitorCondition":"Resolved","resolvedDateTime":"2026-06-01T11:20:00Z"}}}`,
			title:  "CPU", severity: Error, label: "resource", value: "web01",
		},
		"sentry": {
			begins: `{"action":"created","installation":{"uuid":"u"},"data":{"issue":{"id":"9","title":"TypeError: x","culprit":"f","level":"error","project":{"slug":"web"},"web_url":"https://s/9"}}}`,
			ends:   `{"action":"resolved","installation":{"uuid":"u"},"data":{"issue":{"id":"9","title":"TypeError: x","level":"error","project":{"slug":"web"}}}}`,
			title:  "TypeError: x", severity: Error, label: "project", value: "web",
		},
		"pagerduty-events": {
			begins: `{"routing_key":"k","event_action":"trigger","dedup_key":"d1","payload":{"summary":"Disk full","source":"db1","severity":"critical","timestamp":"2026-06-01T11:00:00Z","custom_details":{"free":"0"}}}`,
			ends:   `{"routing_key":"k","event_action":"resolve","dedup_key":"d1"}`,
			title:  "Disk full", severity: Critical, label: "source", value: "db1",
		},
		"pagerduty": {
			begins: `{"event":{"event_type":"incident.triggered","occurred_at":"2026-06-01T11:00:00Z","data":{"id":"P1","title":"Down","urgency":"high","service":{"summary":"web"},"html_url":"https://p"}}}`,
			ends:   `{"event":{"event_type":"incident.resolved","occurred_at":"2026-06-01T11:30:00Z","data":{"id":"P1","title":"Down","urgency":"high","service":{"summary":"web"}}}}`,
			title:  "Down", severity: Critical, label: "service", value: "web",
		},
		"opsgenie": {
			begins: `{"action":"Create","alert":{"alertId":"a1","message":"Down","priority":"P1","entity":"web","tags":["x","y"],"createdAt":1780311600000}}`,
			ends:   `{"action":"Close","alert":{"alertId":"a1","message":"Down","priority":"P1"}}`,
			title:  "Down", severity: Critical, label: "tags", value: "x,y",
		},
		"newrelic": {
			begins: `{"incident_id":5,"current_state":"open","condition_name":"Apdex","policy_name":"Web","severity":"CRITICAL","details":"low","timestamp":1780311600000}`,
			ends:   `{"incident_id":5,"current_state":"closed","condition_name":"Apdex","policy_name":"Web","severity":"CRITICAL"}`,
			title:  "Apdex", severity: Critical, label: "policy", value: "Web",
		},
		"pingdom": {
			begins: `{"check_id":3,"check_name":"Front page","current_state":"DOWN","description":"HTTP Error 503","state_changed_timestamp":1780311600,"importance_level":"HIGH","check_params":{"hostname":"www"}}`,
			ends:   `{"check_id":3,"check_name":"Front page","current_state":"UP","state_changed_timestamp":1780312600}`,
			title:  "Front page", severity: Error, label: "host", value: "www",
		},
		"cloudevents": {
			begins: `{"specversion":"1.0","id":"1","source":"/cells/3","type":"com.example.cell.fired","subject":"c3","time":"2026-06-01T11:00:00Z","data":{"severity":"warning","message":"hot","labels":{"rack":"r1"}}}`,
			ends:   `{"specversion":"1.0","id":"2","source":"/cells/3","type":"com.example.cell.resolved","subject":"c3","data":{}}`,
			title:  "hot", severity: Warning, label: "rack", value: "r1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			began, f := read(t, c.begins)
			if f.Name != name {
				t.Fatalf("taken for %s", f.Name)
			}
			ended, _ := read(t, c.ends)
			if len(began) != 1 || len(ended) != 1 {
				t.Fatalf("%d alerts began, %d ended", len(began), len(ended))
			}
			b, e := began[0], ended[0]
			if b.State != Firing || e.State != Resolved {
				t.Errorf("states %s, %s", b.State, e.State)
			}
			if b.Key != e.Key {
				t.Errorf("keys %q, %q", b.Key, e.Key)
			}
			if b.Key == "" && !equal(b.Labels, e.Labels) {
				t.Errorf("labels %v, %v", b.Labels, e.Labels)
			}
			if b.Title != c.title || b.Severity != c.severity || b.Labels[c.label] != c.value {
				t.Errorf("%q is %q, %s = %q", b.Title, b.Severity, c.label, b.Labels[c.label])
			}
		})
	}
}

func equal(a, b map[string]string) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func TestSomeAreAcknowledgedAndSomeSayNothingOfTheirState(t *testing.T) {
	for body, want := range map[string]State{
		`{"event_action":"acknowledge","dedup_key":"d"}`:                                                            Acknowledged,
		`{"action":"Acknowledge","alert":{"alertId":"a","message":"m"}}`:                                            Acknowledged,
		`{"action":"AddNote","alert":{"alertId":"a","message":"m"}}`:                                                "",
		`{"event":{"event_type":"incident.annotated","data":{"id":"P"}}}`:                                           "",
		`{"event":{"event_type":"incident.acknowledged","data":{"id":"P"}}}`:                                        Acknowledged,
		`{"action":"assigned","installation":{},"data":{"issue":{"id":"1"}}}`:                                       "",
		`{"Type":"SubscriptionConfirmation","TopicArn":"arn:aws:sns:x:1:t","MessageId":"m","SubscribeURL":"https"}`: "",
	} {
		got, _ := read(t, body)
		switch {
		case want == "" && len(got) != 0:
			t.Errorf("%s: %+v", body, got)
		case want != "" && (len(got) != 1 || got[0].State != want):
			t.Errorf("%s: %+v, want %s", body, got, want)
		}
	}
}

func TestAnEnvelopeIsOpened(t *testing.T) {
	inner := `{"AlarmName":"cpu","AWSAccountId":"1","NewStateValue":"ALARM","Region":"r"}`
	envelope, _ := json.Marshal(map[string]string{"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu:1:ops", "Subject": "ALARM", "Message": inner})
	got, f := read(t, string(envelope))
	if f.Name != "sns" || len(got) != 1 || got[0].Labels["alertname"] != "cpu" {
		t.Errorf("%s: %+v", f.Name, got)
	}
	plain, _ := json.Marshal(map[string]string{"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:eu:1:ops", "Subject": "Backup failed", "Message": "no space"})
	if got, _ := read(t, string(plain)); len(got) != 1 || got[0].Title != "Backup failed" || got[0].Body != "no space" || got[0].Labels["topic"] != "ops" {
		t.Errorf("%+v", got)
	}
}

func TestCloudEventsMayComeInTheHeader(t *testing.T) {
	r := Request{Now: now, Body: []byte(`{"message":"hot"}`), Header: http.Header{"Ce-Specversion": {"1.0"}, "Ce-Type": {"com.example.fired"}, "Ce-Source": {"/a"}, "Ce-Subject": {"s"}}}
	got, ok := Read(nil, r)
	if !ok || len(got) != 1 || got[0].Title != "hot" || got[0].Labels["source"] != "/a" {
		t.Errorf("%+v", got)
	}
}

func TestWhatNobodyKnowsIsAnAlertThatSaysSo(t *testing.T) {
	for _, body := range []string{"", "hello", "{", `{"a":1}`, "[]", "null", `"x"`, "\xff\xfe", strings.Repeat("[", 100_000)} {
		got, ok := Read(nil, Request{Body: []byte(body), Now: now})
		if ok || len(got) != 1 || !got[0].Raw || got[0].State != Firing || !utf8.ValidString(got[0].Body) {
			t.Errorf("%.20q: %v %+v", body, ok, got)
		}
	}
	if got, ok := Read(Named("pingdom"), Request{Body: []byte(`{"alerts":[{"labels":{"a":"b"}}]}`), Now: now}); ok || !got[0].Raw {
		t.Errorf("a body of another format: %+v", got)
	}
}

// The corpus's bodies, by the beginning of their names, and what they are.
var corpus = map[string]string{
	"alerts-alerta/webhooks/test_webhooks.stackdriver_": "google-cloud", "alerts-alerta/webhooks/test_webhooks.grafana_": "grafana-legacy",
	"alerts-alerta/webhooks/test_webhooks.cloudwatch_": "sns", "alerts-alerta/webhooks/test_webhooks.pagerduty_": "pagerduty",
	"alerts-alerta/webhooks/test_webhooks.prometheus_": "alertmanager", "alerts-alerta/webhooks/test_heartbeats.": "alertmanager",
	"alerts-alerta/webhooks/test_webhooks.new_relic": "newrelic", "alerts-alerta/webhooks/test_webhooks.pingdom": "pingdom",
	"alerts-alerta/contrib/test_azuremonitor": "azure", "alerts-alerta/contrib/test_sentry": "sentry-plugin",
	"alerts-versus-incident/from-md/src__examples__alertmanager": "alertmanager", "alerts-versus-incident/from-md/src__examples__sentry": "sentry",
	"alerts-versus-incident/from-md/src__examples__cloudwatch": "cloudwatch",
}

func TestTheBodiesOfTheCorpusAreWhatTheyAre(t *testing.T) {
	folder := os.Getenv("TEITEN_CORPUS")
	if folder == "" {
		t.Skip("TEITEN_CORPUS names no folder of real data")
	}
	files := 0
	for _, set := range []string{"alerts-alerta/*/*.json", "alerts-versus-incident/*/*.json", "cloudevents/*/*.json"} {
		all, err := filepath.Glob(filepath.Join(folder, set))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range all {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			files++
			name, _ := filepath.Rel(folder, file)
			r := Request{Body: body, Now: now}
			alerts, ok := Read(nil, r)
			is := "unrecognised"
			if ok {
				is = Detect(r).Name
			}
			for begins, want := range corpus {
				if strings.HasPrefix(name, begins) && is != want {
					t.Errorf("%s is taken for %s, not %s", name, is, want)
				}
			}
			for _, a := range alerts {
				sound(t, a)
			}
		}
	}
	if files < 80 {
		t.Errorf("only %d bodies", files)
	}
}

// sound is what holds for every alert.
func sound(t testing.TB, a Alert) {
	t.Helper()
	if a.Labels == nil || a.State == "" || !utf8.ValidString(a.Title+a.Body) || len(a.Title) > longestLine+4 || strings.ContainsAny(a.Title, "\n\r\x00") {
		t.Errorf("%+v", a)
	}
	if !a.At.IsZero() && a.At.Year() < 2000 {
		t.Errorf("at %s", a.At)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("alertmanager", []byte(`{"alerts":[{"labels":{"a":"b"},"startsAt":"x"}]}`))
	f.Add("", []byte(`{"event":{"event_type":"incident.x","data":null}}`))
	f.Add("datadog", []byte(`{"alert_id":1,"alert_type":[],"title":"[Triggered] "}`))
	f.Add("cloudevents", []byte(`[{"specversion":"1.0","type":"."}]`))
	f.Fuzz(func(t *testing.T, name string, body []byte) {
		alerts, _ := Read(Named(name), Request{Body: body, Now: now, Header: http.Header{"Ce-Type": {name}}})
		for _, a := range alerts {
			sound(t, a)
		}
	})
}

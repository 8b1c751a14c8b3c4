package exchange_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/respond/alert/exchange"
)

const config = `global:
  slack_api_url: https://hooks.example.com/very-secret
  smtp_smarthost: mail:25
templates: [a.tmpl]
route:
  receiver: ops
  routes:
  - match: {alertname: Watchdog}
    receiver: "null"
  - match_re: {service: ^(a|b)$}
    matchers: ['severity="critical"', '{team!~"x.*"}']
    receiver: pager
    continue: true
    group_by: ['...']
    mute_time_intervals: [weekend]
inhibit_rules:
- source_match: {severity: critical}
  target_matchers: [severity="warning"]
  equal: [service]
time_intervals:
- name: weekend
  time_intervals: [{weekdays: ['saturday', sunday], location: Asia/Tokyo, times: [{start_time: '00:00', end_time: '24:00'}]}]
receivers:
- name: "null"
- name: ops
  slack_configs: [{channel: '#ops', title: hello}]
  email_configs: [{to: 'a@example.com, b@example.com', send_resolved: true}]
- name: pager
  pagerduty_configs: [{routing_key: very-secret}]
  webhook_configs: [{url_file: /etc/hook}]
`

func TestAnAlertmanagerConfigurationBecomesDocuments(t *testing.T) {
	r, err := exchange.Alertmanager(ascode.File{Name: "am.yml", Data: config}, exchange.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.YAML()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range r.Notes {
		got += "# " + n.Where.String() + ": " + n.What.EN + "\n"
		if n.What.JA == "" {
			t.Errorf("no Japanese for %q", n.What.EN)
		}
	}
	file := filepath.Join("testdata", "alertmanager.yaml")
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
	if strings.Contains(got, "very-secret") {
		t.Error("a secret is written")
	}
}

func TestWhatAlertmanagerRefusesIsRefusedWithItsLine(t *testing.T) {
	for doc, where := range map[string]string{
		"BAD":                  "am.yml:1:1",
		"route: {}":            "am.yml:1:8",
		"route: {receiver: a}": "am.yml:1:8",
		"route: {receiver: a, matchers: [x=y]}\nreceivers: [{name: a}]":                      "am.yml:1:8",
		"route: {receiver: a, routes: [{match_re: {x: '('}}]}\nreceivers: [{name: a}]":       "am.yml:1:46",
		"route: {receiver: a, routes: [{match_re: {x: }}]}\nreceivers: [{name: a}]":          "am.yml:1:46",
		"route: {receiver: a}\nreceivers: [{name: a}, {name: a}]":                            "am.yml:2:24",
		"route: {receiver: a, routes: [{mute_time_intervals: [b]}]}\nreceivers: [{name: a}]": "am.yml:1:31",
		"route: {receiver: a, group_by: [b, b]}\nreceivers: [{name: a}]":                     "am.yml:1:8",
		"": "am.yml",
	} {
		_, err := exchange.Alertmanager(ascode.File{Name: "am.yml", Data: doc}, exchange.Options{})
		f, ok := fault.As(err)
		if ok && len(f.Details) > 0 {
			f = f.Details[0]
		}
		if !ok || f.Where.String() != where || f.Remedy.IsZero() {
			t.Errorf("%q: %v", doc, err)
		}
	}
}

func FuzzAlertmanager(f *testing.F) {
	f.Add(config)
	f.Fuzz(func(t *testing.T, data string) {
		r, err := exchange.Alertmanager(ascode.File{Name: "am.yml", Data: data}, exchange.Options{})
		if err == nil {
			_, err = r.YAML()
		}
		if _, ok := fault.As(err); err != nil && !ok {
			t.Fatalf("no fault: %v", err)
		}
	})
}

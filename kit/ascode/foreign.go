package ascode

import (
	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// foreign describes a document of another program by the fields at its top, so
// that whoever passes one in by mistake is told what it is.
type foreign struct {
	name    string
	version string   // exact apiVersion or version
	fields  []string // any of which must be there
	remedy  text.Both
}

var foreigners = []foreign{
	{name: "Sloth", version: "prometheus/v1", remedy: sloth},
	{name: "Sloth", version: "sloth.slok.dev/v1", remedy: sloth},
	{name: "Sloth", version: "sloth.slok.dev/v1alpha1", remedy: sloth},
	{name: "the Prometheus Operator", version: "monitoring.coreos.com/v1", remedy: rules},
	{name: "the Prometheus Operator", version: "monitoring.coreos.com/v1alpha1", remedy: rules},
	{name: "Kubernetes", version: "v1", remedy: leaveOut},
	{name: "Kubernetes", version: "apps/v1", remedy: leaveOut},
	{name: "Kubernetes", version: "batch/v1", remedy: leaveOut},
	{name: "Kubernetes", version: "networking.k8s.io/v1", remedy: leaveOut},
	{name: "Alertmanager", fields: []string{"receivers", "route", "inhibit_rules"}, remedy: text.Say(
		"describe where messages go with a document of kind NotificationChannel",
		"通知先は NotificationChannel の文書で書いてください")},
	{name: "Prometheus", fields: []string{"scrape_configs", "rule_files", "alerting"}, remedy: text.Say(
		"name it as metrics.embedded.scrapeConfigFile in the configuration of the server",
		"サーバーの設定の metrics.embedded.scrapeConfigFile にこのファイルを指定してください")},
	{name: "Prometheus rules", fields: []string{"groups"}, remedy: rules},
	{name: "Docker Compose", fields: []string{"services", "volumes", "networks"}, remedy: leaveOut},
	{name: "OpenAPI", fields: []string{"openapi", "swagger"}, remedy: text.Say(
		"put it into spec.definition of a Backstage document of kind API",
		"Backstage の API 文書の spec.definition に書いてください")},
}

var (
	sloth = text.Say("rewrite it as OpenSLO: `apiVersion: openslo/v1`, `kind: SLO`",
		"OpenSLO(`apiVersion: openslo/v1`、`kind: SLO`)として書き直してください")
	rules = text.Say("describe the objective as an OpenSLO document of kind SLO: its alerts follow from it",
		"目標を OpenSLO の SLO として書いてください。アラートはそこから決まります")
	leaveOut = text.Say("leave the file out", "このファイルは対象から外してください")
)

// recognise returns a fault that names the program a document belongs to, and
// nil for a document that might be ours.
func recognise(d *Document) *fault.Error {
	versionField, version := "", ""
	for _, field := range []string{"apiVersion", "version"} {
		if _, v := child(d.root, field); v != nil && v.Kind == yaml.ScalarNode {
			versionField, version = field, v.Value
			break
		}
	}
	for _, f := range foreigners {
		at := ""
		switch {
		case f.version != "" && f.version == version:
			at = versionField
		case f.version == "" && versionField != "apiVersion":
			at = d.firstOf(f.fields)
		}
		if at != "" {
			return d.Fault("ascode.foreign",
				text.Say("this is a file of %s, which is not read here", "これは %s のファイルで、ここでは読み込めません", f.name), f.remedy, at)
		}
	}
	return nil
}

func (d *Document) firstOf(fields []string) string {
	for _, f := range fields {
		if d.Has(f) {
			return f
		}
	}
	return ""
}

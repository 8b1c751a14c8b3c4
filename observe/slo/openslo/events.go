package openslo

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
)

// Two types of source need no query language: events that were pushed, and
// probes. Both are read from the counts that the product keeps itself.
const (
	typeEvents   = "events"
	typeProbe    = "probe"
	typePlugin   = "plugin" // whose queries only the plug-in can judge
	eventsSource = "events" // the name of the data source
	eventsMetric = "events_total"
	probeStream  = "probe"
)

// ownFields are what the spec of such a source may say; the first is required.
var ownFields = map[string][]string{
	typeEvents: {"stream", "result", "labels"},
	typeProbe:  {"probe", "result", "location"},
}

// own reports which of these types the source has.
func (m *MetricSource) own() (fields []string, ok bool) {
	fields, ok = ownFields[strings.ToLower(m.Type)]
	return fields, ok
}

// Source is the name of the data source, "" for the default one.
func (m *MetricSource) Source() string {
	if _, own := m.own(); own {
		return eventsSource
	}
	return m.MetricSourceRef
}

// Counts reports whether a valid ratio is one of counters: it says so, or is
// read from counts.
func (r *RatioMetric) Counts() bool {
	if r.Total == nil {
		return r.Counter
	}
	_, own := r.Total.MetricSource.own()
	return r.Counter || own
}

// selector is the counter that a valid source of such a type names.
func (m *MetricSource) selector() string {
	said := func(field string) string { v, _ := m.Spec[field].(string); return v }
	labels := map[string]string{}
	if strings.EqualFold(m.Type, typeProbe) {
		labels["stream"], labels["probe"], labels["location"] = probeStream, said("probe"), said("location")
	} else {
		labels["stream"] = said("stream")
		more, _ := m.Spec["labels"].(map[string]any)
		for name, v := range more {
			labels[name], _ = v.(string)
		}
	}
	labels["result"] = said("result")
	var matchers []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if labels[name] != "" {
			matchers = append(matchers, name+"="+strconv.Quote(labels[name]))
		}
	}
	return fmt.Sprintf("sum(%s{%s})", eventsMetric, strings.Join(matchers, ","))
}

var plainLabel = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,63}$`)

// counts judges a source of such a type. Role is the field of the ratio that
// holds it.
func (c *checker) counts(m *MetricSource, role string, path []any) {
	fields, _ := m.own()
	if m.MetricSourceRef != "" && m.MetricSourceRef != eventsSource {
		c.fail("source_ref", text.Say("type %s reads what Teiten keeps itself, not %q", "type %s はTeiten自身が持つ記録を読むもので、%q は読みません", m.Type, m.MetricSourceRef),
			text.Say("leave metricSourceRef out", "metricSourceRef を省いてください"), with(path, "metricSourceRef")...)
	}
	for _, field := range slices.Sorted(maps.Keys(m.Spec)) {
		at := with(path, "spec", field)
		switch _, isText := m.Spec[field].(string); {
		case !slices.Contains(fields, field):
			c.fail("query_field", text.Say("a source of type %s has no field %q", "type が %s のデータソースに %q という項目はありません", m.Type, field), ascode.OneOf(field, fields...), at...)
		case field == "labels":
			c.eventLabels(m.Spec[field], at)
		case !isText:
			c.fail("query_text", text.Say("%s must be text", "%s は文字列で書いてください", field), text.Say("put it in quotes", "引用符で囲んでください"), at...)
		}
	}
	if v, _ := m.Spec[fields[0]].(string); v == "" {
		c.missing(text.Say("name the %[1]s under spec.%[1]s", "spec.%s を書いてください", fields[0]), with(path, "spec", fields[0])...)
	}
	want := map[string]string{"good": "good", "bad": "bad"}[role]
	if got, _ := m.Spec["result"].(string); got != want {
		wrong := text.Say("under %s the result must be %q", "%s では result を %q にしてください", role, want)
		if want == "" {
			wrong = text.Say("under %s there is no result: all events count", "%s に result は書けません。すべてのイベントを数えます", role)
		}
		c.fail("event_result", wrong,
			text.Say("write `result: good` under good, `result: bad` under bad, and none under total", "good には `result: good`、bad には `result: bad` と書き、total には書かないでください"), with(path, "spec")...)
	}
}

func (c *checker) eventLabels(v any, at []any) {
	labels, ok := v.(map[string]any)
	for name, value := range labels {
		_, isText := value.(string)
		ok = ok && isText && plainLabel.MatchString(name) && name != "stream" && name != "result"
	}
	if !ok {
		c.fail("event_labels", text.Say("labels must be names with texts", "labels は名前と文字列の組で書いてください"), text.Say("write labels: {tenant: \"a\"}", "labels: {tenant: \"a\"} のように書いてください"), at...)
	}
}

// plugin judges a source that is a plug-in: it answers counts of each minute, in
// a language of its own.
func (c *checker) plugin(m *MetricSource, counter bool, path []any) {
	if m.MetricSourceRef == "" {
		c.missing(text.Say("name the plug-in under metricSourceRef", "metricSourceRef にプラグインの名前を書いてください"), with(path, "metricSourceRef")...)
	}
	if counter {
		c.fail("plugin_counter", text.Say("a plug-in answers what happened in each minute; it has no counters", "プラグインは1分ごとの件数を返すもので、カウンターはありません"),
			text.Say("remove counter: true", "counter: true を削除してください"), path...)
	}
}

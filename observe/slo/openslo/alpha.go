package openslo

import (
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// Upgrade turns an SLO or a Service of AlphaVersion into one of APIVersion, in
// place, alert policies that are only named into references, and expressions with
// an open window into such that can be counted. What it does not know stays as it
// is, to be refused where it stands.
//
// An alpha SLO has the queries of a ratio in each objective. Where they are the
// same, they become the indicator of the SLO; otherwise each objective keeps its
// own, and they are executed one by one.
func Upgrade(root *yaml.Node) {
	version, spec := get(root, "apiVersion"), get(root, "spec")
	if spec != nil && spec.Kind == yaml.MappingNode {
		namedPolicies(spec)
		closeWindows(spec)
	}
	if version == nil || version.Value != AlphaVersion {
		return
	}
	version.Value = APIVersion
	if spec == nil || spec.Kind != yaml.MappingNode {
		return
	}
	upgradeWindows(spec)
	if i := get(spec, "indicator"); i != nil {
		set(spec, "indicator", inline(root, wrap("thresholdMetric", upgradeMetric(get(i, "thresholdMetric"), false))))
	}
	upgradeObjectives(root, spec)
}

// namedPolicies reads names in the list of alert policies as references.
func namedPolicies(spec *yaml.Node) {
	list := get(spec, "alertPolicies")
	if list == nil || list.Kind != yaml.SequenceNode {
		return
	}
	for i, p := range list.Content {
		if p.Kind == yaml.ScalarNode && p.ShortTag() == "!!str" {
			list.Content[i] = wrap("alertPolicyRef", p)
		}
	}
}

// closeWindows has expressions that leave their window open, as in
// rate(x[{{.window}}]), counted: of a ratio whose counters are under a rate the
// counters are taken, anywhere else the window is the minute that is counted.
func closeWindows(spec *yaml.Node) {
	closeIn(spec)
	closeIn(get(get(spec, "indicator"), "spec"))
	if list := get(spec, "objectives"); list != nil {
		for _, o := range list.Content {
			closeIn(get(get(o, "indicator"), "spec"))
		}
	}
}

// closeIn closes the windows of one SLI.
func closeIn(sli *yaml.Node) {
	ratio := get(sli, "ratioMetric")
	open := queriesOf(ratio, "good", "bad", "total")
	bare := make([]string, len(open))
	counters := len(open) > 0
	for i, q := range open {
		var err error
		bare[i], err = promexpr.Counters(q.Value)
		counters = counters && err == nil && promexpr.Templated(q.Value)
	}
	for i, q := range open {
		if counters {
			q.Value = bare[i]
		}
	}
	if counters {
		set(ratio, "counter", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true", Line: ratio.Line, Column: ratio.Column})
	}
	for _, q := range append(queriesOf(ratio, "good", "bad", "total", "raw"), queriesOf(sli, "thresholdMetric")...) {
		q.Value = promexpr.Closed(q.Value, "1m")
	}
}

// queriesOf are the expressions of the metrics in some fields.
func queriesOf(n *yaml.Node, fields ...string) (found []*yaml.Node) {
	for _, f := range fields {
		spec := get(get(get(n, f), "metricSource"), "spec")
		for _, name := range queryFields {
			if q := get(spec, name); q != nil && q.Kind == yaml.ScalarNode {
				found = append(found, q)
			}
		}
	}
	return found
}

// alphaUnits are the words for the units of a window.
var alphaUnits = map[string]string{
	"Minute": "m", "Hour": "h", "Day": "d", "Week": "w", "Month": "M", "Quarter": "Q", "Year": "Y",
}

// upgradeWindows turns count and unit into a duration.
func upgradeWindows(spec *yaml.Node) {
	rename(spec, "timeWindows", "timeWindow")
	list := get(spec, "timeWindow")
	if list == nil {
		return
	}
	for _, w := range list.Content {
		count, unit := get(w, "count"), get(w, "unit")
		if count == nil || unit == nil {
			continue
		}
		length := count.Value + alphaUnits[unit.Value]
		if n, err := strconv.Atoi(count.Value); unit.Value == "Second" && err == nil && n%60 == 0 {
			length = strconv.Itoa(n/60) + "m"
		}
		drop(w, "count")
		drop(w, "unit")
		set(w, "duration", scalar(count, length))
	}
}

// upgradeObjectives moves the queries of the objectives to where indicators are.
func upgradeObjectives(root, spec *yaml.Node) {
	objectives := get(spec, "objectives")
	if objectives == nil || objectives.Kind != yaml.SequenceNode {
		return
	}
	var indicators []*yaml.Node
	same := true
	for _, o := range objectives.Content {
		if m := get(spec, "budgetingMethod"); m != nil && m.Value == "Timeslices" && get(o, "timeSliceWindow") == nil {
			set(o, "timeSliceWindow", scalar(o, "1m")) // alpha has no length of a slice
		}
		ratio := get(o, "ratioMetrics")
		if ratio == nil {
			same = false
			continue
		}
		drop(o, "ratioMetrics")
		indicators = append(indicators, inline(root, wrap("ratioMetric", upgradeRatio(ratio))))
		set(o, "indicator", indicators[len(indicators)-1])
		same = same && alike(indicators[0], indicators[len(indicators)-1])
	}
	switch {
	case len(indicators) == 0:
	case same:
		for _, o := range objectives.Content {
			drop(o, "indicator")
		}
		set(spec, "indicator", indicators[0])
	default:
		metadata := get(root, "metadata")
		if metadata == nil || metadata.Kind != yaml.MappingNode {
			return
		}
		if get(metadata, "annotations") == nil {
			set(metadata, "annotations", mapping(metadata))
		}
		set(get(metadata, "annotations"), Composite, scalar(metadata, Separate))
	}
}

// upgradeRatio makes a ratioMetric of ratioMetrics. Rates over an open window
// are taken off: the increase of the counters is taken instead.
func upgradeRatio(ratio *yaml.Node) *yaml.Node {
	out := mapping(ratio)
	incremental := get(ratio, "incremental")
	counter := incremental != nil && incremental.Value == "true"
	for _, field := range []string{"good", "bad", "total"} {
		if q := get(get(ratio, field), "query"); q != nil && promexpr.Templated(q.Value) {
			counter = true
		}
	}
	set(out, "counter", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(counter), Line: ratio.Line, Column: ratio.Column})
	for i := 0; i+1 < len(ratio.Content); i += 2 {
		key, value := ratio.Content[i], ratio.Content[i+1]
		switch key.Value {
		case "incremental":
		case "good", "bad", "total":
			set(out, key.Value, upgradeMetric(value, counter))
		default:
			out.Content = append(out.Content, key, value)
		}
	}
	return out
}

// upgradeMetric makes a metricSource of source, queryType and query.
func upgradeMetric(m *yaml.Node, counter bool) *yaml.Node {
	if m == nil || m.Kind != yaml.MappingNode {
		return m
	}
	source, spec := mapping(m), mapping(m)
	for i := 0; i+1 < len(m.Content); i += 2 {
		switch key, value := m.Content[i], m.Content[i+1]; key.Value {
		case "source":
			set(source, "type", value)
		case "query":
			if bare, err := promexpr.Counters(value.Value); counter && promexpr.Templated(value.Value) && err == nil {
				value = scalar(value, bare)
			}
			set(spec, "query", value)
		default:
			spec.Content = append(spec.Content, key, value)
		}
	}
	set(source, "spec", spec)
	return wrap("metricSource", source)
}

// inline is an indicator written inside an SLO, with the name of the SLO.
func inline(root, spec *yaml.Node) *yaml.Node {
	out := mapping(spec)
	if name := get(get(root, "metadata"), "name"); name != nil {
		set(out, "metadata", wrap("name", name))
	}
	set(out, "spec", spec)
	return out
}

func mapping(at *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: at.Line, Column: at.Column}
}

func scalar(at *yaml.Node, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value, Line: at.Line, Column: at.Column}
}

// wrap is a mapping of one field, none where there is no value.
func wrap(field string, value *yaml.Node) *yaml.Node {
	if value == nil {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	}
	out := mapping(value)
	set(out, field, value)
	return out
}

// at is the index of a field's name in a mapping, −1 where it is not there.
func at(n *yaml.Node, field string) int {
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == field {
				return i
			}
		}
	}
	return -1
}

func get(n *yaml.Node, field string) *yaml.Node {
	if i := at(n, field); i >= 0 {
		return n.Content[i+1]
	}
	return nil
}

func set(n *yaml.Node, field string, value *yaml.Node) {
	switch i := at(n, field); {
	case n == nil || n.Kind != yaml.MappingNode || value == nil:
	case i >= 0:
		n.Content[i+1] = value
	default:
		n.Content = append(n.Content, scalar(value, field), value)
	}
}

func drop(n *yaml.Node, field string) {
	if i := at(n, field); i >= 0 {
		n.Content = append(n.Content[:i:i], n.Content[i+2:]...)
	}
}

func rename(n *yaml.Node, from, to string) {
	if i := at(n, from); i >= 0 && at(n, to) < 0 {
		n.Content[i].Value = to
	}
}

// alike reports whether two trees say the same.
func alike(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Value != b.Value || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !alike(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

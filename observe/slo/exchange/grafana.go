package exchange

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The parts of a Grafana dashboard that are written here, in its JSON model.
type (
	dashboard struct {
		UID           string     `json:"uid"`
		Title         string     `json:"title"`
		Tags          []string   `json:"tags"`
		SchemaVersion int        `json:"schemaVersion"`
		Refresh       string     `json:"refresh"`
		Time          timeSpan   `json:"time"`
		Templating    templating `json:"templating"`
		Panels        []panel    `json:"panels"`
	}
	timeSpan struct {
		From string `json:"from"`
		To   string `json:"to"`
	}
	templating struct {
		List []variable `json:"list"`
	}
	variable struct {
		Name       string      `json:"name"`
		Type       string      `json:"type"`
		Label      string      `json:"label"`
		Query      any         `json:"query"`
		Datasource *datasource `json:"datasource,omitempty"`
		Refresh    int         `json:"refresh,omitempty"`
	}
	datasource struct {
		Type string `json:"type"`
		UID  string `json:"uid"`
	}
	panel struct {
		ID          int         `json:"id"`
		Type        string      `json:"type"`
		Title       string      `json:"title"`
		GridPos     gridPos     `json:"gridPos"`
		Datasource  datasource  `json:"datasource"`
		Targets     []target    `json:"targets"`
		FieldConfig fieldConfig `json:"fieldConfig"`
	}
	gridPos struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	}
	target struct {
		RefID        string `json:"refId"`
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
		Instant      bool   `json:"instant,omitempty"`
		Format       string `json:"format,omitempty"`
	}
	fieldConfig struct {
		Defaults fieldDefaults `json:"defaults"`
	}
	fieldDefaults struct {
		Unit string   `json:"unit"`
		Max  *float64 `json:"max,omitempty"`
	}
)

// Grafana writes a dashboard over the series that Rules records: all budgets in a
// table, and for one objective the budget left, burn rates by window, the SLI and
// its events.
func Grafana() (string, error) {
	source := datasource{Type: "prometheus", UID: "${source}"}
	d := dashboard{
		UID: "teiten-slo", Title: "Service level objectives", Tags: []string{"slo"}, SchemaVersion: 39,
		Refresh: "1m", Time: timeSpan{"now-30d", "now"},
		Templating: templating{[]variable{
			{Name: "source", Type: "datasource", Label: "Data source", Query: "prometheus"},
			{Name: "slo", Type: "query", Label: "Objective", Query: "label_values(" + recordLeft + ", slo)", Datasource: &source, Refresh: 2},
		}},
	}
	one := 1.0
	add := func(kind, title, unit string, most *float64, at gridPos, targets ...target) {
		d.Panels = append(d.Panels, panel{
			ID: len(d.Panels) + 1, Type: kind, Title: title, GridPos: at, Datasource: source, Targets: targets,
			FieldConfig: fieldConfig{fieldDefaults{Unit: unit, Max: most}},
		})
	}
	picked := func(record string) string { return fmt.Sprintf(`%s{slo="$slo"}`, record) }
	add("table", "Error budget left", "percentunit", &one, gridPos{8, 24, 0, 0},
		target{RefID: "A", Expr: "sort(" + recordLeft + ")", LegendFormat: "{{slo}}", Instant: true, Format: "table"})
	add("timeseries", "Error budget left: $slo", "percentunit", &one, gridPos{9, 12, 0, 8},
		target{RefID: "A", Expr: picked(recordLeft), LegendFormat: "budget left"})
	add("timeseries", "Burn rate: $slo", "short", nil, gridPos{9, 12, 12, 8},
		target{RefID: "A", Expr: picked(recordBurn), LegendFormat: "{{window}}"})
	add("timeseries", "Service level: $slo", "percentunit", &one, gridPos{9, 12, 0, 17},
		target{RefID: "A", Expr: fmt.Sprintf("1 - sum_over_time(%s[1h]) / (sum_over_time(%s[1h]) > 0)", picked(recordBad), picked(recordTotal)), LegendFormat: "over 1 h"},
		target{RefID: "B", Expr: picked(recordGoal), LegendFormat: "objective"})
	add("timeseries", "Events each minute: $slo", "short", nil, gridPos{9, 12, 12, 17},
		target{RefID: "A", Expr: picked(recordTotal), LegendFormat: "all"},
		target{RefID: "B", Expr: picked(recordBad), LegendFormat: "bad"})
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(d)
	return b.String(), err
}

package exact_test

import (
	"fmt"
	"strings"

	"github.com/teiten/teiten/test/scenario"
)

const sources = `apiVersion: openslo/v1
kind: DataSource
metadata: {name: prometheus}
spec:
  type: Prometheus
  connectionDetails: {url: %q}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: stories}
spec: {description: Stories whose truth is known.}
`

// objective is one way to count a story.
type objective struct {
	name, source string
	good         bool // over total; bad otherwise
	calendar     string
}

func (o objective) document(s *scenario.Scenario) string {
	part, expr := "bad", s.Bad()
	if o.good {
		part, expr = "good", s.Good()
	}
	window := "{duration: 30d, isRolling: true}"
	if o.calendar != "" {
		window = fmt.Sprintf(`{duration: 1M, isRolling: false, calendar: {startTime: "2026-01-01 00:00:00", timeZone: %s}}`, o.calendar)
	}
	metric := func(query string) string {
		return fmt.Sprintf("{metricSource: {metricSourceRef: %s, type: Prometheus, spec: {query: '%s'}}}", o.source, query)
	}
	return fmt.Sprintf(`---
apiVersion: openslo/v1
kind: SLO
metadata: {name: %[1]s}
spec:
  service: stories
  indicator:
    metadata: {name: %[1]s}
    spec:
      ratioMetric:
        counter: true
        %[2]s: %[3]s
        total: %[4]s
  timeWindow: [%[5]s]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
`, o.name, part, metric(expr), metric(s.Total()), window)
}

// sloth is a story's objective as that tool has it.
func sloth(name, job string) string {
	return fmt.Sprintf(`version: prometheus/v1
service: imported
slos:
  - name: %[1]s
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(%[2]s{job=%[3]q,code=~"5.."}[{{.window}}]))
        total_query: sum(rate(%[2]s{job=%[3]q}[{{.window}}]))
    alerting: {name: X, page_alert: {disable: true}, ticket_alert: {disable: true}}
`, name, scenario.Metric, job)
}

// openMetrics writes a story as the tools of Prometheus read it.
func openMetrics(s *scenario.Scenario) string {
	var b strings.Builder
	byName := map[string][]scenario.Sample{}
	for _, x := range s.Samples {
		name := s.Labels[x.Series]["__name__"]
		byName[name] = append(byName[name], x)
	}
	for name, samples := range byName {
		fmt.Fprintf(&b, "# TYPE %s %s\n", strings.TrimSuffix(name, "_total"), map[bool]string{true: "counter", false: "gauge"}[strings.HasSuffix(name, "_total")])
		for _, x := range samples {
			var ls []string
			for k, v := range s.Labels[x.Series] {
				if k != "__name__" {
					ls = append(ls, fmt.Sprintf("%s=%q", k, v))
				}
			}
			fmt.Fprintf(&b, "%s{%s} %g %.3f\n", name, strings.Join(ls, ","), x.V, float64(x.T)/1000)
		}
	}
	return b.String() + "# EOF\n"
}

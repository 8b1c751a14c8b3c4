package exchange

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/burn"
)

// Promise is an objective on its way out: what rules and dashboards need of it.
type Promise struct {
	Name      string
	Title     string
	Service   string
	Team      string
	Objective burn.Objective
	Period    time.Duration
	Calendar  bool // the period follows the calendar

	Counter          bool
	Good, Bad, Total string // expressions; either good or bad
	// Share is a ratio for each minute, of bad events, where there are no counts.
	Share string
	// Unsupported says in a few words why the objective cannot be exported.
	Unsupported string

	Rules []burn.Rule
}

// The names of the recorded series.
const (
	recordTotal = "slo:events_total:rate1m"
	recordBad   = "slo:events_bad:rate1m"
	recordBurn  = "slo:burn_rate:ratio"
	recordLeft  = "slo:error_budget_left:ratio"
	recordGoal  = "slo:objective:ratio"
)

// estimate is the range over which increases are taken: long enough for scrapes
// up to a minute and a half apart.
const estimate = 5 * time.Minute

type ruleFile struct {
	Groups []ruleGroup `json:"groups"`
}

type ruleGroup struct {
	Name     string `json:"name"`
	Interval string `json:"interval"`
	Rules    []rule `json:"rules"`
}

type rule struct {
	Record      string            `json:"record,omitempty"`
	Alert       string            `json:"alert,omitempty"`
	Expr        string            `json:"expr"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Rules writes promises as recording and alerting rules of Prometheus. Events of
// each minute are recorded once and every window sums them up, so that a quiet
// night weighs what its events weigh. What rules cannot express is said in
// comments at the top.
func Rules(promises []Promise) (string, error) {
	var file ruleFile
	var left []string
	for _, p := range promises {
		g, notes, err := p.group()
		left = append(left, notes...)
		if err != nil {
			return "", fmt.Errorf("rules of %s: %w", p.Name, err)
		}
		if g != nil {
			file.Groups = append(file.Groups, *g)
		}
	}
	body, err := ascode.Write(file)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Recording and alerting rules for Prometheus. Windows weigh every event the same.\n")
	for _, n := range left {
		b.WriteString("# Not expressed: " + n + "\n")
	}
	return b.String() + body, nil
}

// group is the rule group of one promise, and what it leaves out.
func (p Promise) group() (*ruleGroup, []string, error) {
	if p.Unsupported != "" {
		return nil, []string{p.Name + ": " + p.Unsupported}, nil
	}
	var notes []string
	if p.Calendar {
		notes = append(notes, p.Name+": the period follows the calendar; the rules use a rolling one of the same length")
	}
	total, bad, err := p.minute()
	if err != nil {
		return nil, nil, err
	}
	g := &ruleGroup{Name: "slo-" + p.Name, Interval: "1m"}
	record := func(name, expr string, more ...string) {
		g.Rules = append(g.Rules, rule{Record: name, Expr: expr, Labels: p.labels(more...)})
	}
	record(recordGoal, "vector("+decimal(float64(p.Objective))+")")
	record(recordTotal, total)
	record(recordBad, bad)
	for _, w := range p.windows() {
		record(recordBurn, fmt.Sprintf("%s / (%s > 0) / %s", p.over(recordBad, w), p.over(recordTotal, w), decimal(p.Objective.Budget())), "window", burn.Label(w))
	}
	record(recordLeft, fmt.Sprintf("1 - %s", p.burning(p.Period)))
	for _, r := range p.Rules {
		if r.Kind != burn.BurnRate || r.Below {
			notes = append(notes, fmt.Sprintf("%s: the alert %s of kind %s", p.Name, r.Name, cmp.Or(string(r.Kind), "below")))
			continue
		}
		g.Rules = append(g.Rules, p.alert(r))
	}
	return g, notes, nil
}

// minute is what is counted in each minute: all events and the bad ones.
func (p Promise) minute() (total, bad string, err error) {
	if p.Share != "" {
		return fmt.Sprintf("(%s) * 0 + 1", p.Share), p.Share, nil
	}
	if total, err = p.counted(p.Total); err != nil {
		return "", "", err
	}
	if p.Bad != "" {
		bad, err = p.counted(p.Bad)
		return total, "(" + bad + ") or " + nothing(total), err
	}
	good, err := p.counted(p.Good)
	return total, fmt.Sprintf("(%s) - ((%s) or %s)", total, good, nothing(total)), err
}

// nothing stands where a series was never born.
func nothing(total string) string { return "(" + total + ") * 0" }

func (p Promise) counted(expr string) (string, error) {
	if !p.Counter {
		return expr, nil
	}
	return promexpr.IncreaseOver(expr, estimate, false, time.Minute)
}

func (p Promise) labels(more ...string) map[string]string {
	l := map[string]string{"slo": p.Name, "service": p.Service}
	if p.Team != "" {
		l["team"] = p.Team
	}
	for i := 0; i+1 < len(more); i += 2 {
		l[more[i]] = more[i+1]
	}
	return l
}

// windows are the lengths that the alerts and the budget look at.
func (p Promise) windows() []time.Duration {
	all := []time.Duration{p.Period}
	for _, r := range p.Rules {
		if r.Kind == burn.BurnRate {
			all = append(all, r.Long)
			if r.Short > 0 {
				all = append(all, r.Short)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p Promise) over(record string, w time.Duration) string {
	return fmt.Sprintf(`sum_over_time(%s{slo=%q}[%s])`, record, p.Name, burn.Label(w))
}

func (p Promise) burning(w time.Duration) string {
	return fmt.Sprintf(`max(%s{slo=%q, window=%q})`, recordBurn, p.Name, burn.Label(w))
}

func (p Promise) alert(r burn.Rule) rule {
	op := ">"
	if r.OrEqual {
		op = ">="
	}
	expr := fmt.Sprintf("%s %s %s", p.burning(r.Long), op, decimal(r.Factor))
	if r.Short > 0 {
		expr += fmt.Sprintf(" and %s %s %s", p.burning(r.Short), op, decimal(r.Factor))
	}
	return rule{
		Alert: "ErrorBudgetBurn", Expr: expr, Labels: p.labels("severity", string(r.Severity), "rule", r.Name),
		Annotations: map[string]string{
			"summary": fmt.Sprintf("%s burns its error budget %s times too fast over %s", cmp.Or(p.Title, p.Name), decimal(r.Factor), burn.Label(r.Long)),
		},
	}
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

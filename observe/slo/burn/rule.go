package burn

import (
	"cmp"
	"math"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// Severity says how soon somebody must look: at once (page), or on the next
// working day (ticket).
type Severity string

// The severities.
const (
	Page   Severity = "page"
	Ticket Severity = "ticket"
)

// Rule is one burn-rate alert: it fires while the budget burns more than Factor
// times too fast over both windows. A rule without a short window looks at the
// long one alone. For is how long it must hold before it counts.
type Rule struct {
	Name     string        `json:"name"`
	Severity Severity      `json:"severity"`
	Long     time.Duration `json:"long"`
	Short    time.Duration `json:"short,omitempty"`
	Factor   float64       `json:"factor"`
	Share    float64       `json:"share"` // of the budget, spent when Factor holds over Long
	For      time.Duration `json:"for,omitempty"`
	OrEqual  bool          `json:"orEqual,omitempty"`
	Policy   string        `json:"policy,omitempty"`
	Targets  []string      `json:"targets,omitempty"`
	Quiet    bool          `json:"quiet,omitempty"` // nobody is told when it ends
}

// workbook are the four alerts of the SRE workbook, chapter 5, table 5-8: the
// long window, the short one, and the per cent of the budget that the long
// window spends at the factor.
var workbook = []struct {
	name        string
	severity    Severity
	long, short time.Duration
	percent     float64
}{
	{"page-fast", Page, time.Hour, 5 * time.Minute, 2},
	{"page-slow", Page, 6 * time.Hour, 30 * time.Minute, 5},
	{"ticket-fast", Ticket, 24 * time.Hour, 2 * time.Hour, 10},
	{"ticket-slow", Ticket, 72 * time.Hour, 6 * time.Hour, 10},
}

// Workbook returns the alerts of the SRE workbook for a period. The factor is
// share · period / long window; over 30 days they are 14.4, 6, 3 and 1. An alert
// whose long window is not shorter than the period is left out.
func Workbook(period time.Duration) []Rule {
	var rules []Rule
	for _, w := range workbook {
		if w.long >= period {
			continue
		}
		factor := reduce(w.percent*period.Minutes(), 100*w.long.Minutes())
		rules = append(rules, Rule{
			Name: w.name, Severity: w.severity, Long: w.long, Short: w.short,
			Factor: factor.value(), Share: w.percent / 100,
		})
	}
	return rules
}

// factor is the rule's factor as a fraction: exact where it is the workbook's.
func (r Rule) factor(period time.Duration) fraction {
	if r.Policy == "" {
		return reduce(math.Round(r.Share*100)*period.Minutes(), 100*r.Long.Minutes())
	}
	return decimal(r.Factor)
}

// OneEvent is the number of events in the long window under which a single bad
// one would be over the rule's factor: 1/(factor · (1 − objective)). It is the
// default of the low-traffic guard, doubled where the source extrapolates,
// because there one event may be counted as nearly two.
func (r Rule) OneEvent(o Objective, exact bool) float64 {
	events := 1 / (r.Factor * o.Budget())
	if !exact {
		events *= 2
	}
	return math.Ceil(events - 1e-9)
}

// Terms are what a rule is judged against.
type Terms struct {
	Objective Objective
	Period    time.Duration // over which the objective is promised
	Minimum   *float64      // events that a rule's long window needs; nil is each rule's own
	Exact     bool          // every event is counted as exactly one
}

// minimum is how many events a rule's long window needs before it may fire.
func (t Terms) minimum(r Rule) float64 {
	if t.Minimum != nil {
		return *t.Minimum
	}
	return r.OneEvent(t.Objective, t.Exact)
}

// Reading is what one rule saw at one minute.
type Reading struct {
	Rule        Rule
	Long, Short ledger.Sum
	LongBurn    float64
	ShortBurn   float64
	Minimum     float64 // events that the long window needs
	Over        bool    // both windows are over the factor
	Firing      bool
	Guarded     bool // over, but with too few events
}

// Judge reads the rule off the windows. Whether it fires depends on whether it
// did before: it begins when both windows are over the factor and the long one
// has the minimum of events; it ends when either window is not over any more. A
// window without any data is no evidence: a rule that fires goes on firing.
func (r Rule) Judge(t Terms, over func(time.Duration) ledger.Sum, fired bool) Reading {
	long := over(r.Long)
	short := long
	if r.Short > 0 {
		short = over(r.Short)
	}
	x := Reading{
		Rule: r, Long: long, Short: short,
		LongBurn: t.Objective.BurnRate(long), ShortBurn: t.Objective.BurnRate(short),
		Minimum: t.minimum(r),
	}
	factor := r.factor(t.Period)
	x.Over = t.Objective.over(long, factor, r.OrEqual) && t.Objective.over(short, factor, r.OrEqual)
	if fired {
		x.Firing = x.Over || short.Known == 0
		return x
	}
	x.Guarded = x.Over && long.Total < x.Minimum
	x.Firing = x.Over && !x.Guarded
	return x
}

// Worst orders readings so that the one that explains an alert best is first:
// the highest factor.
func Worst(a, b Reading) int { return cmp.Compare(b.Rule.Factor, a.Rule.Factor) }

package burn

import (
	"cmp"
	"math"
	"time"
)

// Severity says how soon somebody must look: at once (page), or on the next
// working day (ticket).
type Severity string

// The severities.
const (
	Page   Severity = "page"
	Ticket Severity = "ticket"
)

// Kind is what a rule looks at.
type Kind string

// The kinds of rule.
const (
	BurnRate Kind = ""         // the budget burns faster than a factor over one or two windows
	Outage   Kind = "outage"   // everything fails
	Budget   Kind = "budget"   // no more than a part of the budget is left
	Forecast Kind = "forecast" // the budget is exhausted soon if it goes on like this
	NoData   Kind = "no-data"  // nothing was read for a while
)

// Rule is one condition under which somebody is told.
//
// A burn-rate rule fires while the budget burns more than Factor times too fast
// over both windows; without a short window it looks at the long one alone. An
// outage rule has no settings. A budget rule fires at or under Left. A forecast
// rule fires when the burn rate over Long would exhaust the budget Within that
// time. A no-data rule fires when Long passed without data.
type Rule struct {
	Name     string        `json:"name"`
	Severity Severity      `json:"severity"`
	Kind     Kind          `json:"kind,omitempty"`
	Long     time.Duration `json:"long"`
	Short    time.Duration `json:"short,omitempty"`
	Factor   float64       `json:"factor"`
	Share    float64       `json:"share"`            // of the budget, spent when Factor holds over Long
	Left     float64       `json:"left,omitempty"`   // part of the budget
	Within   time.Duration `json:"within,omitempty"` // how far a forecast looks ahead
	For      time.Duration `json:"for,omitempty"`    // how long it must hold before it counts
	OrEqual  bool          `json:"orEqual,omitempty"`
	Below    bool          `json:"below,omitempty"` // a burn rate under the factor fires
	Policy   string        `json:"policy,omitempty"`
	Targets  []string      `json:"targets,omitempty"`
	Quiet    bool          `json:"quiet,omitempty"` // nobody is told when it ends
}

// Windows are the lengths of the windows that the rule reads besides the
// objective's period and the minutes within Reach.
func (r Rule) Windows() []time.Duration {
	switch {
	case r.Kind == Budget, r.Kind == Outage:
		return nil
	case r.Short > 0:
		return []time.Duration{r.Long, r.Short}
	}
	return []time.Duration{r.Long}
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

// Defaults are the rules of an objective that names no policy: the workbook's,
// and a page when everything fails.
func Defaults(period time.Duration) []Rule {
	return append(Workbook(period), Rule{Name: "page-outage", Severity: Page, Kind: Outage})
}

// factor is the rule's factor as a fraction: exact where it is the workbook's.
func (r Rule) factor(period time.Duration) fraction {
	if r.Policy == "" {
		return reduce(math.Round(r.Share*100)*period.Minutes(), 100*r.Long.Minutes())
	}
	return decimal(r.Factor)
}

// Worst orders readings so that the one that explains an alert best is first:
// an outage, then the highest factor, then what has none.
func Worst(a, b Reading) int {
	return cmp.Or(cmp.Compare(a.Rule.urgency(), b.Rule.urgency()), cmp.Compare(b.Rule.Factor, a.Rule.Factor))
}

func (r Rule) urgency() int {
	switch r.Kind {
	case Outage:
		return 0
	case BurnRate:
		return 1
	case Forecast:
		return 2
	case Budget:
		return 3
	default:
		return 4
	}
}

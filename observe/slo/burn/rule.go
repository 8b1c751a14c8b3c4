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

// Terms are what a rule is judged against.
type Terms struct {
	Objective Objective
	Period    time.Duration // over which the objective is promised
	Minimum   *float64      // events that a burn-rate rule's long window needs; nil: chance decides
	Exact     bool          // every event is counted as exactly one
	Measured  bool          // the counts are measurements, not events one by one: chance says nothing of them
}

// Reading is what one rule saw at one minute.
type Reading struct {
	Rule        Rule
	Long, Short ledger.Sum
	LongBurn    float64
	ShortBurn   float64
	Left        float64 // part of the budget, where the rule looks at it
	Minimum     float64 // events that the long window needs, where that is set
	Chance      float64 // false alarms in 30 days if so little evidence were enough
	Over        bool    // the rule's condition holds
	Firing      bool
	Guarded     bool // over, but with too few events
}

// Judge reads the rule off the windows: over gives the sum of a window that ends
// now, for the lengths of Windows, the period, and any whole number of minutes
// up to Reach. Whether the rule fires depends on whether it did before.
//
// A burn-rate rule begins when both windows are over the factor and chance
// does not explain it; it ends when either window is not over any more. A window
// without any data is no evidence: a rule that fires goes on firing.
func (r Rule) Judge(t Terms, over func(time.Duration) ledger.Sum, fired bool) Reading {
	switch r.Kind {
	case Outage:
		return r.judgeOutage(t, over, fired)
	case Budget:
		return r.judgeBudget(t, over, fired)
	case Forecast:
		return r.judgeForecast(t, over, fired)
	case NoData:
		x := Reading{Rule: r, Long: over(r.Long)}
		x.Over = x.Long.Known == 0
		x.Firing = x.Over
		return x
	default:
		return r.judgeBurnRate(t, over, fired)
	}
}

func (r Rule) judgeBurnRate(t Terms, over func(time.Duration) ledger.Sum, fired bool) Reading {
	x := r.read(t, over)
	factor := r.factor(t.Period)
	if r.Below {
		x.Over = t.Objective.under(x.Long, factor, r.OrEqual) && t.Objective.under(x.Short, factor, r.OrEqual)
	} else {
		x.Over = t.Objective.over(x.Long, factor, r.OrEqual) && t.Objective.over(x.Short, factor, r.OrEqual)
	}
	x.settle(t, over, factor.value(), fired)
	return x
}

// read fills in both windows.
func (r Rule) read(t Terms, over func(time.Duration) ledger.Sum) Reading {
	long := over(r.Long)
	short := long
	if r.Short > 0 {
		short = over(r.Short)
	}
	x := Reading{
		Rule: r, Long: long, Short: short,
		LongBurn: t.Objective.BurnRate(long), ShortBurn: t.Objective.BurnRate(short),
	}
	if t.Minimum != nil {
		x.Minimum = *t.Minimum
	}
	return x
}

// settle decides whether a rule whose condition was read fires.
func (x *Reading) settle(t Terms, over func(time.Duration) ledger.Sum, factor float64, fired bool) {
	switch {
	case fired:
		x.Firing = x.Over || x.Short.Known == 0
		return
	case !x.Over:
		return
	case t.Minimum != nil:
		x.Guarded = x.Long.Total < x.Minimum
	case !x.Rule.Below && !t.Measured:
		bad, _ := t.whole(x.Long)
		x.Chance = t.null(factor).chance(t, x.Long, over(t.Period))
		x.Guarded = bad < 2 || x.Chance > tolerated[x.Rule.Severity]
	}
	x.Firing = !x.Guarded
}

// givenBack is the part of the budget that must have come back before a budget
// rule ends, so that it does not come and go around its threshold.
const givenBack = 0.01

func (r Rule) judgeBudget(t Terms, over func(time.Duration) ledger.Sum, fired bool) Reading {
	spent := over(t.Period)
	x := Reading{Rule: r, Long: spent, Short: spent, Left: t.Objective.BudgetLeft(spent), LongBurn: t.Objective.BurnRate(spent)}
	left := decimal(r.Left)
	x.Over = t.Objective.over(spent, fraction{left.den - left.num, left.den}, true)
	x.Firing = x.Over || fired && (spent.Known == 0 || x.Left < r.Left+givenBack)
	return x
}

func (r Rule) judgeForecast(t Terms, over func(time.Duration) ledger.Sum, fired bool) Reading {
	x := r.read(t, over)
	x.Left = t.Objective.BudgetLeft(over(t.Period))
	in, will := ExhaustsIn(x.Left, min(x.LongBurn, x.ShortBurn), t.Period)
	x.Over = x.Long.Total > 0 && will && in <= r.Within
	x.settle(t, over, max(x.Left, 0)*float64(t.Period)/float64(r.Within), fired)
	return x
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

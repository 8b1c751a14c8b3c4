package burn

import (
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// Terms are what a rule is judged against.
type Terms struct {
	Objective Objective
	Period    time.Duration // over which the objective is promised
	Minimum   *float64      // events that a burn-rate rule's long window needs; nil: chance decides
	Exact     bool          // every event is counted as exactly one
	Measured  bool          // the counts are measurements, not events one by one: chance says nothing of them
}

// Sums gives the sum of the window of a length that ends now, for the lengths of
// Windows, the period, and any whole number of minutes up to Reach.
type Sums func(time.Duration) ledger.Sum

// Reading is what one rule saw at one minute.
type Reading struct {
	Rule        *Rule
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

// Judge reads the rule off the windows. Whether it fires depends on whether it
// did before.
//
// A burn-rate rule begins when both windows are over the factor and chance
// does not explain it; it ends when either window is not over any more. A window
// without any data is no evidence: a rule that fires goes on firing. So does one of
// a service with so few events that its short window says nothing, while the long
// one is over.
func (r Rule) Judge(t Terms, over func(time.Duration) ledger.Sum, fired bool) Reading {
	return r.Against(t).Read(over, fired)
}

// Judge is a rule with the terms that it is judged against, prepared so that
// reading it costs little.
type Judge struct {
	rule   Rule
	terms  Terms
	budget fraction // of the objective
	factor fraction
	limit  fraction // the part of events that may be bad before the rule is over
}

// Against prepares the rule.
func (r Rule) Against(t Terms) *Judge {
	j := &Judge{rule: r, terms: t, budget: t.Objective.budget()}
	switch r.Kind {
	case Budget:
		left := decimal(r.Left)
		j.factor = fraction{left.den - left.num, left.den}
	case BurnRate:
		j.factor = r.factor(t.Period)
	}
	j.limit = j.budget.times(j.factor)
	return j
}

// Read reads the rule, as Rule.Judge does.
func (j *Judge) Read(over Sums, fired bool) Reading {
	switch j.rule.Kind {
	case Outage:
		return j.readOutage(over, fired)
	case Budget:
		return j.readBudget(over, fired)
	case Forecast:
		return j.readForecast(over, fired)
	case NoData:
		x := Reading{Rule: &j.rule, Long: over(j.rule.Long)}
		x.Over = x.Long.Known == 0
		x.Firing = x.Over
		return x
	default:
		return j.readBurnRate(over, fired)
	}
}

func (j *Judge) readBurnRate(over Sums, fired bool) Reading {
	x := j.windows(over)
	if x.Long.Bad == 0 && !fired && !j.rule.Below && !j.rule.OrEqual {
		return x // the common case
	}
	if j.rule.Below {
		x.Over = j.under(x.Long) && j.under(x.Short)
	} else {
		x.Over = j.limit.exceeded(x.Long, j.rule.OrEqual) && j.limit.exceeded(x.Short, j.rule.OrEqual)
	}
	j.settle(&x, over, j.factor.value(), fired)
	return x
}

// under reports whether the burn rate is less than the factor, or at most that
// with OrEqual. Without events it is not known.
func (j *Judge) under(s ledger.Sum) bool {
	return s.Total > 0 && !j.limit.exceeded(s, !j.rule.OrEqual)
}

// windows reads both windows.
func (j *Judge) windows(over Sums) Reading {
	long := over(j.rule.Long)
	short := long
	if j.rule.Short > 0 {
		short = over(j.rule.Short)
	}
	x := Reading{Rule: &j.rule, Long: long, Short: short, LongBurn: j.budget.rate(long), ShortBurn: j.budget.rate(short)}
	if j.terms.Minimum != nil {
		x.Minimum = *j.terms.Minimum
	}
	return x
}

// settle decides whether a rule whose condition was read fires.
func (j *Judge) settle(x *Reading, over Sums, factor float64, fired bool) {
	t := j.terms
	switch {
	case fired:
		x.Firing = x.Over || x.Short.Known == 0 || j.mute(x)
		return
	case !x.Over:
		return
	case t.Minimum != nil:
		x.Guarded = x.Long.Total < x.Minimum
	case !j.rule.Below && !t.Measured:
		bad, _ := t.whole(x.Long)
		x.Chance = t.null(factor).chance(t, x.Long, over(t.Period))
		x.Guarded = bad < 2 || x.Chance > tolerated[j.rule.Severity]
	}
	x.Firing = !x.Guarded
}

// mute reports whether a burn-rate rule whose short window is not over goes on
// all the same, because the service has so few events that the window says
// nothing: of as many as the long window brings in that time, less than one would
// be bad at the rule's limit. The long window decides then. Otherwise the next bad
// event, beside those that people were told of, would begin an alert anew.
func (j *Judge) mute(x *Reading) bool {
	if j.rule.Kind != BurnRate || j.rule.Below || j.terms.Minimum != nil || j.terms.Measured {
		return false
	}
	usual := x.Long.Total * j.rule.Short.Minutes() / j.rule.Long.Minutes()
	return usual*j.limit.value() < 1 && j.limit.exceeded(x.Long, j.rule.OrEqual)
}

// givenBack is the part of the budget that must have come back before a budget
// rule ends, so that it does not come and go around its threshold.
const givenBack = 0.01

func (j *Judge) readBudget(over Sums, fired bool) Reading {
	spent := over(j.terms.Period)
	x := Reading{Rule: &j.rule, Long: spent, Short: spent, LongBurn: j.budget.rate(spent)}
	x.Left = 1 - x.LongBurn
	x.Over = j.limit.exceeded(spent, true)
	x.Firing = x.Over || fired && (spent.Known == 0 || x.Left < j.rule.Left+givenBack)
	return x
}

func (j *Judge) readForecast(over Sums, fired bool) Reading {
	x, t := j.windows(over), j.terms
	x.Left = 1 - j.budget.rate(over(t.Period))
	in, will := ExhaustsIn(x.Left, min(x.LongBurn, x.ShortBurn), t.Period)
	x.Over = x.Long.Total > 0 && will && in <= j.rule.Within
	j.settle(&x, over, max(x.Left, 0)*float64(t.Period)/float64(j.rule.Within), fired)
	return x
}

// Held is what must be remembered of a rule from one minute to the next.
type Held struct {
	Firing bool  `json:"firing,omitempty"`
	Since  int64 `json:"since,omitempty"` // the minute in which it went over
}

// Next is what is remembered after a reading at the given minute. A rule that
// must hold for a while fires once it has held that long.
func (h Held) Next(x *Reading, minute int64) Held {
	if !x.Firing {
		return Held{}
	}
	if h.Since == 0 {
		h.Since = minute
	}
	h.Firing = h.Firing || time.Duration(minute-h.Since)*time.Minute >= x.Rule.For
	return h
}

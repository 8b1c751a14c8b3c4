// Package burn says how fast an error budget is spent and when somebody must be
// told. It is pure: the sums of windows come in, readings of alert rules come
// out, without clock, storage or knowledge of who is told.
//
// The arithmetic follows the SRE workbook, chapter 5, "Alerting on SLOs". What it
// leaves open, services with few events, is decided by chance: a rule fires on
// evidence that would raise next to no false alarms in 30 days of a service that
// just keeps its objective. Their expected number is bounded by the rate at which
// bad events come, times the probability that the window around one of them holds
// as many more as were seen: the mean of a point process seen from its own points
// (Campbell's theorem, in the form of Mecke and Slivnyak), for independent events.
// So no correction for overlapping windows and repeated looks is needed.
package burn

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// Objective is the share of events that must be good, for example 0.999. It is
// a decimal that a person wrote, and is compared as one: the budget of 0.999 is
// exactly one in a thousand.
type Objective float64

// budget is the error budget, 1 − objective, as a fraction of whole numbers.
func (o Objective) budget() fraction {
	f := decimal(float64(o))
	return reduce(f.den-f.num, f.den)
}

// Budget is the share of events that may be bad.
func (o Objective) Budget() float64 { return o.budget().value() }

// fraction is num/den with whole numbers, as small as they can be.
type fraction struct{ num, den float64 }

func (f fraction) value() float64 { return f.num / f.den }

func (f fraction) times(o fraction) fraction { return reduce(f.num*o.num, f.den*o.den) }

func reduce(num, den float64) fraction {
	a, b := math.Abs(num), den
	for b != 0 {
		a, b = b, math.Mod(a, b)
	}
	if a > 1 {
		num, den = num/a, den/a
	}
	return fraction{num, den}
}

// decimal is the fraction that the shortest decimal spelling of v stands for.
func decimal(v float64) fraction {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	whole, part, _ := strings.Cut(s, ".")
	num, err := strconv.ParseFloat(whole+part, 64)
	if err != nil || len(part) > 15 {
		return fraction{v, 1}
	}
	return reduce(num, math.Pow10(len(part)))
}

// SLI is the share of good events: good(W)/total(W), weighted by events. It is
// 1 where there were none, since none was bad.
func SLI(s ledger.Sum) float64 {
	if s.Total <= 0 {
		return 1
	}
	return s.Good() / s.Total
}

// BurnRate is how many times faster than allowed the budget is spent over a
// window: (bad/total)/(1 − objective). 1 spends exactly the budget in the
// objective's period (SRE workbook, chapter 5). It is 0 without events.
func (o Objective) BurnRate(s ledger.Sum) float64 { return o.budget().rate(s) }

// Meter reads burn rates of one objective, cheaply.
type Meter struct{ budget fraction }

// Meter prepares the objective.
func (o Objective) Meter() Meter { return Meter{o.budget()} }

// BurnRate is Objective.BurnRate.
func (m Meter) BurnRate(s ledger.Sum) float64 { return m.budget.rate(s) }

// rate is how many times more of s is bad than the fraction.
func (f fraction) rate(s ledger.Sum) float64 {
	if s.Total <= 0 || s.Bad <= 0 {
		return 0
	}
	return s.Bad * f.den / (s.Total * f.num)
}

// exceeded reports whether more of s is bad than the fraction, or at least as
// much with orEqual, without rounding: for whole counts both sides are whole
// numbers.
func (f fraction) exceeded(s ledger.Sum, orEqual bool) bool {
	bad, allowed := s.Bad*f.den, s.Total*f.num
	if orEqual {
		return s.Total > 0 && bad >= allowed
	}
	return bad > allowed
}

// BudgetLeft is the part of the error budget that is left:
// 1 − bad/((1 − objective)·total). It is negative when the budget is overspent,
// and 1 without events.
func (o Objective) BudgetLeft(s ledger.Sum) float64 { return 1 - o.BurnRate(s) }

// ExhaustsIn is the time until the budget of period is spent when it goes on
// burning at the given rate, from what is left of it (1 is all). It is 0 when
// nothing is left, and false when it would never be spent.
func ExhaustsIn(left, burnRate float64, period time.Duration) (time.Duration, bool) {
	if left <= 0 {
		return 0, true
	}
	if burnRate <= 0 {
		return 0, false
	}
	d := left / burnRate * float64(period)
	if d > float64(10*365*24*time.Hour) {
		return 0, false
	}
	return time.Duration(d), true
}

// Forecasts are the windows whose burn rates are carried on into the future.
var Forecasts = []time.Duration{time.Hour, 6 * time.Hour, 72 * time.Hour}

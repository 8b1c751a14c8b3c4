package burn

import (
	"math"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// tolerated is how many false alarms a rule of each severity may raise in 30
// days when the service just keeps its objective.
var tolerated = map[Severity]float64{Page: 0.05, Ticket: 0.2}

// month is the time that false alarms are counted over, in minutes.
const month = 30 * 24 * 60

// null is a probability of failure with which nobody needs to be told. Evidence
// is weighed against it.
type null float64

// null is the probability that a burn-rate rule's evidence must speak against:
// that of a service which just keeps its objective, or, where the factor is
// under 2, half of what the rule asks for, because evidence of more than the
// factor can hardly speak against nearly the factor.
func (t Terms) null(factor float64) null {
	return null(min(t.Objective.Budget()*min(1, factor/2), 1))
}

// chance is how often in 30 days a service that fails with the null's
// probability would show so many bad events among so few in a window of that
// kind, at a bound. traffic is what was counted over a longer time.
//
// A rule can only begin in a minute that brings a bad event. In 30 days there
// are at most n30·p such minutes, and each of them sees, besides its own event,
// bad − 1 or more further bad ones among the window's other events with the
// binomial probability P(X ≥ bad−1), X ~ B(total−1, p). The product bounds the
// expected number of beginnings, however many windows overlap.
func (p null) chance(t Terms, s, traffic ledger.Sum) float64 {
	bad, total := t.whole(s)
	return p.looks(traffic) * tail(total-1, bad-1, float64(p))
}

// looks is how many minutes with bad events 30 days have at most.
func (p null) looks(traffic ledger.Sum) float64 {
	if traffic.Known == 0 {
		return month
	}
	return min(traffic.Total/float64(traffic.Known)*month*float64(p), month)
}

// whole is a sum in whole events. Where increases are estimated one event may be
// counted as nearly two, so half as many are believed.
func (t Terms) whole(s ledger.Sum) (bad, total float64) {
	bad = s.Bad
	if !t.Exact {
		bad /= 2
	}
	bad = math.Floor(bad + 1e-9)
	return bad, max(math.Ceil(s.Total-1e-9), bad)
}

// tail is P(X ≥ k) for X ~ B(n, p): the sum of the terms from the first one on,
// which fall geometrically where k is above the mean. Below the mean it is 1 at
// a bound, which is all that is asked here.
func tail(n, k, p float64) float64 {
	switch {
	case k <= 0 || k <= n*p || p >= 1:
		return 1
	case k > n:
		return 0
	}
	choose := lgamma(n+1) - lgamma(k+1) - lgamma(n-k+1)
	term := math.Exp(choose + k*math.Log(p) + (n-k)*math.Log1p(-p))
	sum := 0.0
	for odds := p / (1 - p); term > sum*1e-12 && k <= n; k++ {
		sum += term
		term *= (n - k) / (k + 1) * odds
	}
	return min(sum, 1)
}

func lgamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

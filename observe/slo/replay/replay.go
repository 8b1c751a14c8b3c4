// Package replay says what would have happened: which alerts an objective would
// have raised with another target, window or alert policy, given the minutes that
// were counted, and how good a policy is against incidents that are known.
//
// It is pure, and judges with package burn as the engine does: replayed with the
// terms that were in force, the minutes give the alerts that were raised.
package replay

import (
	"slices"
	"time"

	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// History is what the budget counted, minute by minute. Minutes[i] is the minute
// First + i, after exclusions and the budgeting method.
type History struct {
	First   int64
	Minutes []ledger.Minute

	// Doubts begins, for one run of a case over the history, what its alerts read
	// of windows of which minutes are unknown. Nil: they read what was counted.
	Doubts func(c Case) Doubt
}

// Doubt is what alerts read of a window: the end of what it may have been that
// somebody chose. sum is what was counted from minute from up to, without, end.
// It is asked of ends that never go back.
type Doubt func(sum ledger.Sum, from, end int64) ledger.Sum

// End is the first minute after the history.
func (h History) End() int64 { return h.First + int64(len(h.Minutes)) }

// Case is what is tried: a promise and the rules that watch over it.
type Case struct {
	Terms  burn.Terms
	Window budgeting.Period
	Rules  []burn.Rule
}

// Reach is how far before a span the history must begin for the first minute of
// the span to see full windows.
func (c Case) Reach() time.Duration {
	reach := max(c.Window.Nominal(), burn.Reach)
	if c.Window.Calendar != nil {
		reach += reach / 4 // a window may be longer than its nominal length
	}
	for _, r := range c.Rules {
		for _, w := range r.Windows() {
			reach = max(reach, w)
		}
	}
	return reach
}

// Alert is one that would have been raised: all rules of one severity make one,
// as long as any of them fires.
type Alert struct {
	Severity burn.Severity
	Rules    []string // in the order in which they began
	From, To int64    // the minutes after which it began and ended; To is 0 while it is open
	Reading  burn.Reading
}

// Day is what a day ended with.
type Day struct {
	End        int64 // the first minute after it
	Good       float64
	Total      float64
	Known      float64 // share of its minutes with data
	BudgetLeft float64 // of the window that ends there
}

// Outcome is what would have happened.
type Outcome struct {
	Alerts           []Alert
	Days             []Day
	ExhaustedAt      int64 // the minute after which nothing was left for the first time; 0: never
	ExhaustedMinutes int64
	BudgetLeft       float64 // at the end
	Lowest           float64 // the least that was left
	LowestAt         int64
}

// Count is how many alerts of a severity there were.
func (o *Outcome) Count(s burn.Severity) int {
	n := 0
	for _, a := range o.Alerts {
		if a.Severity == s {
			n++
		}
	}
	return n
}

const perDay = 24 * 60

// Run replays the minutes from and up to, without, to. What lies before from is
// the past that the first windows see.
func Run(h History, from, to int64, c Case) Outcome {
	p := newPlayer(h, c)
	from, to = max(from, h.First), min(to, h.End())
	o := Outcome{BudgetLeft: 1, Lowest: 1}
	if from >= to {
		return o
	}
	open := map[burn.Severity]*Alert{}
	for p.end = from + 1; p.end <= to; p.end++ {
		p.judge(&o, open)
		left := p.left()
		if p.spent {
			o.ExhaustedMinutes++
			if o.ExhaustedAt == 0 {
				o.ExhaustedAt = p.end
			}
		}
		if left < o.Lowest {
			o.Lowest, o.LowestAt = left, p.end
		}
		o.BudgetLeft = left
		if (p.end-from)%perDay == 0 || p.end == to {
			begun := from + (p.end-from-1)/perDay*perDay
			s := p.between(begun, p.end)
			o.Days = append(o.Days, Day{p.end, s.Good(), s.Total, float64(s.Known) / float64(p.end-begun), left})
		}
	}
	for _, severity := range severities {
		if a := open[severity]; a != nil {
			o.Alerts = append(o.Alerts, *a)
		}
	}
	slices.SortStableFunc(o.Alerts, func(a, b Alert) int { return int(a.From - b.From) })
	return o
}

var severities = []burn.Severity{burn.Page, burn.Ticket}

// player walks through the minutes of a history.
type player struct {
	c      Case
	first  int64
	sums   []ledger.Sum // sums[i] is of the first i minutes
	end    int64        // the first minute that has not been yet
	meter  burn.Meter
	judges []*burn.Judge
	held   []burn.Held
	seen   []burn.Reading

	begun, until int64     // the calendar window that was looked up last
	spent        bool      // nothing is left of the budget
	over         burn.Sums // what was counted
	alarming     burn.Sums // what alerts read
}

func newPlayer(h History, c Case) *player {
	p := &player{c: c, meter: c.Terms.Objective.Meter(), first: h.First, sums: make([]ledger.Sum, len(h.Minutes)+1),
		held: make([]burn.Held, len(c.Rules)), seen: make([]burn.Reading, len(c.Rules))}
	for i, m := range h.Minutes {
		p.sums[i+1] = p.sums[i].Add(m)
	}
	for _, r := range c.Rules {
		p.judges = append(p.judges, r.Against(c.Terms))
	}
	p.over = func(d time.Duration) ledger.Sum { return p.between(p.start(d), p.end) }
	p.alarming = p.over
	if h.Doubts != nil {
		doubt := h.Doubts(c)
		p.alarming = func(d time.Duration) ledger.Sum { return doubt(p.over(d), p.start(d), p.end) }
	}
	return p
}

// start is where a window that ends now begins.
func (p *player) start(window time.Duration) int64 {
	if window == p.c.Terms.Period {
		return p.windowStart()
	}
	return p.end - int64(window/time.Minute)
}

// windowStart is where the objective's window that ends now begins.
func (p *player) windowStart() int64 {
	if p.c.Window.Calendar == nil {
		return p.c.Window.Start(p.end)
	}
	if p.end > p.until || p.end <= p.begun {
		p.begun, p.until = p.c.Window.Start(p.end), p.c.Window.End(p.end)
	}
	return p.begun
}

// between is what was counted in a span of minutes.
func (p *player) between(from, to int64) ledger.Sum {
	clamp := func(m int64) int64 { return min(max(m-p.first, 0), int64(len(p.sums)-1)) }
	a, b := &p.sums[clamp(from)], &p.sums[clamp(to)]
	return ledger.Sum{Total: b.Total - a.Total, Bad: b.Bad - a.Bad, Known: b.Known - a.Known}
}

// left is the part of the budget that is left.
func (p *player) left() float64 {
	s := p.over(p.c.Terms.Period)
	left := 1 - p.meter.BurnRate(s)
	p.spent = s.Total > 0 && left <= 0
	return left
}

// judge reads every rule and opens and ends alerts.
func (p *player) judge(o *Outcome, open map[burn.Severity]*Alert) {
	var page, ticket bool
	for i, j := range p.judges {
		p.seen[i] = j.Read(p.alarming, p.held[i].Firing)
		p.held[i] = p.held[i].Next(&p.seen[i], p.end)
		if p.held[i].Firing {
			page = page || p.c.Rules[i].Severity == burn.Page
			ticket = ticket || p.c.Rules[i].Severity == burn.Ticket
		}
	}
	if page || ticket || len(open) > 0 {
		p.follow(o, open, burn.Page, page)
		p.follow(o, open, burn.Ticket, ticket)
	}
}

// follow opens, updates or ends the alert of one severity.
func (p *player) follow(o *Outcome, open map[burn.Severity]*Alert, severity burn.Severity, firing bool) {
	a := open[severity]
	switch {
	case !firing && a != nil:
		a.To = p.end
		o.Alerts = append(o.Alerts, *a)
		delete(open, severity)
	case firing && a == nil:
		a = &Alert{Severity: severity, From: p.end}
		open[severity] = a
		fallthrough
	case firing:
		p.join(a)
	}
}

// join adds what fires to an alert. The reading that explains it is the worst of
// those that it began with.
func (p *player) join(a *Alert) {
	for i, r := range p.c.Rules {
		if !p.held[i].Firing || r.Severity != a.Severity || slices.Contains(a.Rules, r.Name) {
			continue
		}
		a.Rules = append(a.Rules, r.Name)
		if a.From == p.end && (a.Reading.Rule == nil || burn.Worst(p.seen[i], a.Reading) < 0) {
			a.Reading = p.seen[i]
		}
	}
}

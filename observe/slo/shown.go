package slo

import (
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// shown is what lists show of an objective as of its last minute.
type shown struct {
	condition
	Status                        Status
	Good, Total, Sli              float64
	BudgetLeft, Known             float64
	SliLow, SliHigh               float64
	BudgetLow, BudgetHigh         float64
	Coverage                      float64   // of the window since the objective began
	Begun                         int64     // minute
	counted                       bool      // any minute of the window is known
	Burn                          []float64 // of shownWindows
	BurnHour                      float64
	ExhaustsAt, Watermark, Update int64
	Exact                         bool
	Backfill                      backfill
}

// stood answers for a standing as for a track in memory; a window that is not
// kept has no data.
type stood struct {
	s *standing
	d *defined
}

// Over reads a window that was stored.
func (x stood) Over(length time.Duration) ledger.Sum {
	lengths := x.d.lengths
	n := int64(length / time.Minute)
	if length == x.d.def.Period && lengths[len(lengths)-1] == 0 {
		n = 0
	}
	if i := slices.Index(lengths, n); i >= 0 && i < len(x.s.sums) {
		return x.s.sums[i].Sum()
	}
	return ledger.Sum{}
}

// track is a standing as a track, for pages.
func (s *standing) track(d *defined) *track {
	t := &track{name: d.Name, def: d.def, state: s.state}
	if s.windows == d.windows {
		t.win = stood{s, d}
	} else {
		t.win = stood{&standing{}, d} // the definition changed since
	}
	return t
}

// show makes the figures of lists.
func (t *track) show(made int64) *shown {
	d := t.def
	period := t.win.Over(d.Period)
	x := &shown{
		Good: period.Good(), Total: period.Total, Sli: burn.SLI(period), BudgetLeft: d.Objective.BudgetLeft(period),
		Known: t.share(period), Watermark: t.watermark, Update: made, Exact: t.exact, Backfill: t.backfill,
	}
	x.counted = period.Known > 0
	low, high, coverage := t.interval(d.Period)
	x.SliLow, x.SliHigh, x.Coverage, x.Begun = burn.SLI(low), burn.SLI(high), coverage, t.doubt.begun
	x.BudgetLow, x.BudgetHigh = d.Objective.BudgetLeft(low), d.Objective.BudgetLeft(high)
	for _, w := range shownWindows {
		x.Burn = append(x.Burn, d.Objective.BurnRate(t.win.Over(w)))
	}
	x.BurnHour = x.Burn[hourShown]
	page, ticket := t.firing()
	x.condition = condition{
		page: page, ticket: ticket, left: x.BudgetLeft, events: period.Total > 0,
		recent: t.win.Over(time.Hour).Known > 0, gone: t.gone,
		backfilling: t.backfill.running(), fraction: t.backfill.fraction(),
	}
	x.Status = x.state()
	if soonest, ok := t.exhaustsIn(x.BudgetLeft); ok {
		x.ExhaustsAt = database.Micros(ledger.Start(t.watermark).Add(soonest))
	}
	return x
}

var hourShown = slices.Index(shownWindows, time.Hour)

// share is the share of the period's minutes that are known.
func (t *track) share(period ledger.Sum) float64 {
	all := t.def.Period.Minutes()
	if w := t.def.window(); w.Calendar != nil && t.watermark > 0 {
		all = float64(t.watermark - w.Start(t.watermark))
	}
	return float64(period.Known) / max(all, 1)
}

// firing reports whether a page and a ticket are open.
func (t *track) firing() (page, ticket bool) {
	for _, r := range t.def.Rules {
		if t.rules[r.Name].Firing {
			page = page || r.Severity == burn.Page
			ticket = ticket || r.Severity == burn.Ticket
		}
	}
	return page, ticket
}

// exhaustsIn is the soonest of the forecasts.
func (t *track) exhaustsIn(left float64) (soonest time.Duration, ok bool) {
	for _, w := range burn.Forecasts {
		in, will := burn.ExhaustsIn(left, t.def.Objective.BurnRate(t.win.Over(w)), t.def.Period)
		if will && (!ok || in < soonest) {
			soonest, ok = in, true
		}
	}
	return soonest, ok
}

package slo

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/window"
)

// track is one objective in memory: what the database holds of it, and its
// windows.
type track struct {
	mu       sync.Mutex
	name     string
	revision string
	def      *Definition
	win      *window.Windows
	state
	seen text.Both  // the reason that was last stored
	past sync.Mutex // held while a step of the past is read
}

// state is what an evaluation changes besides the windows. It is a value, so
// that it can be put back when a transaction fails.
type state struct {
	watermark int64     // the first minute that was not read yet; 0 before the first
	missing   []minutes // before it, ascending: still to be read
	backfill  backfill
	rules     map[string]ruleState
	alerts    map[burn.Severity]alert // those that are open
	exact     bool
}

// ruleState is what must be remembered of a rule from one minute to the next.
type ruleState = burn.Held

// recentGap is the most that is read on the way; a longer gap is back-filled
// from its newest end, so that the short windows are right again first.
const recentGap = 6 * 60

// The reasons for a back-fill.
const (
	reasonNew    = "new"    // the objective or its queries are new
	reasonGap    = "gap"    // nothing was read for hours
	reasonLonger = "longer" // a window became longer
)

// backfill is the reading of the past and how far it is.
type backfill struct {
	Reason     string `json:"reason,omitempty"`
	Done       int64  `json:"done,omitempty"`  // minutes
	Total      int64  `json:"total,omitempty"` // minutes
	StartedAt  int64  `json:"startedAt,omitempty"`
	FinishedAt int64  `json:"finishedAt,omitempty"`
}

func (b backfill) running() bool { return b.Total > 0 && b.FinishedAt == 0 }

func (b backfill) fraction() float64 {
	if b.Total == 0 {
		return 1
	}
	return float64(b.Done) / float64(b.Total)
}

// more returns the back-fill with more to do. One that was finished begins anew.
func (b backfill) more(m minutes, reason string) backfill {
	if !b.running() {
		b = backfill{Reason: reason}
	}
	b.Total += m.len()
	return b
}

// loadTrack reads an objective with its windows from the database.
func loadTrack(ctx context.Context, q db.DBTX, row db.SloDefinition) (*track, error) {
	t := &track{name: row.Name, revision: row.Revision, def: &Definition{}}
	if err := unmarshal(row.Data, t.def); err != nil {
		return nil, err
	}
	st, err := db.New(q).GetStatus(ctx, row.Name)
	if err != nil {
		return nil, database.Fault(err)
	}
	t.watermark, t.exact = st.Watermark, st.Exact
	for text, into := range map[string]any{st.Missing: &t.missing, st.Backfill: &t.backfill, st.Rules: &t.rules} {
		if err := unmarshal(text, into); err != nil {
			return nil, err
		}
	}
	if t.alerts, err = loadAlerts(ctx, q, row.Name); err != nil {
		return nil, err
	}
	t.def.Exact = t.exact
	return t, t.loadWindows(ctx, q, t.watermark)
}

// loadWindows makes windows that end before minute end, from the ledger.
func (t *track) loadWindows(ctx context.Context, q db.DBTX, end int64) error {
	t.win = window.New(end, t.def.windows()...)
	if end == 0 {
		return nil
	}
	return records(ctx, q, t.name, t.win.Since()/ledger.MinutesPerHour, end/ledger.MinutesPerHour,
		func(r *ledger.Record) { t.win.Load(r.Number, &r.Hour) })
}

// plan says which minutes to read now, given that those before target are
// settled. For a new objective, and after hours without reading, that is only
// the last one; the rest becomes missing.
func (t *track) plan(target int64) (span minutes, after state) {
	after = t.state
	switch {
	case t.watermark == 0:
		past := minutes{target - 1 - int64(t.def.longest()/time.Minute), target - 1}
		after.missing = []minutes{past}
		after.backfill = backfill{}.more(past, reasonNew)
		return minutes{target - 1, target}, after
	case target < t.watermark: // the clock went back
		after.watermark = target
		after.missing = before(t.missing, target)
		return minutes{target - 1, target}, after
	case target-t.watermark > recentGap:
		gap := minutes{t.watermark, target - 1}
		after.missing = append(slices.Clone(t.missing), gap)
		after.backfill = t.backfill.more(gap, reasonGap)
		return minutes{target - 1, target}, after
	}
	return minutes{t.watermark, target}, after
}

// lacks reports whether minutes of the window that ends at the watermark are
// still to be read.
func (t *track) lacks(length time.Duration) bool {
	from := t.watermark - int64(length/time.Minute)
	return slices.ContainsFunc(t.missing, func(m minutes) bool { return m.To > from })
}

// before cuts what is missing at a minute.
func before(missing []minutes, end int64) []minutes {
	var kept []minutes
	for _, m := range missing {
		if m.To = min(m.To, end); m.len() > 0 {
			kept = append(kept, m)
		}
	}
	return kept
}

// take puts what was read into the windows. It reports false where the windows
// cannot be moved there and must be loaded again.
func (t *track) take(span minutes, counted []ledger.Minute) bool {
	if t.watermark == 0 {
		t.win = window.New(span.From, t.def.windows()...)
	}
	if !t.win.Rewind(span.From) {
		return false
	}
	if t.def.AbsentBad {
		absentAsBad(counted, t.win.Over(24*time.Hour))
	}
	for i, m := range counted {
		t.win.Append(span.From+int64(i), m)
	}
	return true
}

// hours returns the hours that hold the minutes of span.
func (t *track) hours(span minutes) []hourRow {
	var rows []hourRow
	for n := span.From / ledger.MinutesPerHour; n <= (span.To-1)/ledger.MinutesPerHour; n++ {
		rows = append(rows, hourRow{t.name, ledger.Record{Number: n, Hour: t.win.Hour(n)}})
	}
	return rows
}

// over is what was counted in the window of the given length that ends at the
// watermark: one of the windows', or a short one added up.
func (t *track) over(length time.Duration) ledger.Sum {
	if length > burn.Reach || slices.Contains(t.def.windows(), length) {
		return t.win.Over(length)
	}
	var sum ledger.Sum
	for m := max(t.win.End()-int64(length/time.Minute), 0); m < t.win.End(); m++ {
		h := t.win.Hour(m / ledger.MinutesPerHour)
		sum = sum.Add(h[m%ledger.MinutesPerHour])
	}
	return sum
}

// figuresNow is what lists and pages show, as of the watermark.
func (t *track) figuresNow(now time.Time, gone text.Both) db.SaveStatusParams {
	d := t.def
	period := t.win.Over(d.Period)
	left := d.Objective.BudgetLeft(period)
	rates := map[string]float64{}
	for _, w := range shownWindows {
		rates[label(w)] = d.Objective.BurnRate(t.win.Over(w))
	}
	_, page := t.alerts[burn.Page]
	_, ticket := t.alerts[burn.Ticket]
	status, why := condition{
		page: page, ticket: ticket, left: left, events: period.Total > 0,
		recent: t.win.Over(time.Hour).Known > 0, gone: gone,
		backfilling: t.backfill.running(), fraction: t.backfill.fraction(),
	}.judge()
	if page {
		why = t.alerts[burn.Page].Data.Reason
	}
	var exhausts int64
	if soonest, ok := t.exhaustsIn(left); ok {
		exhausts = database.Micros(ledger.Start(t.watermark).Add(soonest))
	}
	return db.SaveStatusParams{
		Name: t.name, Watermark: t.watermark, Missing: marshal(nonNil(t.missing)), Rules: marshal(t.rules),
		Status: string(status), Rank: int64(status.rank()), Reason: marshal(why), Exact: t.exact,
		Good: period.Good(), Total: period.Total, Sli: burn.SLI(period), BudgetLeft: left,
		Known: float64(period.Known) / d.Period.Minutes(), Burn: marshal(rates), BurnHour: rates["1h"],
		ExhaustsAt: exhausts, Backfill: marshal(t.backfill), UpdatedAt: database.Micros(now),
	}
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

func nonNil[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

package slo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/policy"
)

// KnownDetail is an objective with how sure its figures are, as it is known now
// or as it was known at an earlier time.
type KnownDetail struct {
	Detail
	AsOf   *time.Time `json:"asOf,omitempty" doc:"When this was known, if that was asked for."`
	Bounds Bounds     `json:"bounds"`
}

// Bounds are the interval of an objective's window, and when that began.
type Bounds struct {
	Interval
	WindowFrom time.Time `json:"windowFrom" doc:"When the window began."`
}

// GetAsOf returns everything about one objective with its bounds. With asOf the
// figures, rules, gaps and alerts are as they were known then, the objective is as
// it was defined, and service, owner, tier and system are what it belonged to. Only
// where its document comes from, its error-budget policy and what was agreed are as
// they are now.
func (s *Service) GetAsOf(ctx context.Context, name string, asOf time.Time) (KnownDetail, error) {
	detail, err := s.Get(ctx, name)
	if err != nil {
		return KnownDetail{}, err
	}
	x := KnownDetail{Detail: detail, Bounds: Bounds{Interval: detail.Interval}}
	d, mark, err := s.read(ctx, name, asOf)
	if err != nil {
		return x, err
	}
	if _, err := s.spanOf(d, time.Time{}, time.Time{}, asOf, mark); err != nil {
		return x, err
	}
	start := d.window().Start(mark)
	x.Bounds.WindowFrom = ledger.Start(start)
	if asOf.IsZero() {
		return x, nil
	}
	first := min(start, mark-int64(d.longest()/time.Minute))
	c, err := s.account(ctx, s.db.Read(), d, ledger.Between(max(0, min(first, mark-1)), max(mark, 1)), mark, asOf)
	if err != nil {
		return x, err
	}
	x.AsOf = &asOf
	err = s.rewind(ctx, &x.Detail, c, start, mark, asOf)
	x.Bounds.Interval = x.Interval
	return x, err
}

// rewind puts the figures of a detail back to an earlier time.
func (s *Service) rewind(ctx context.Context, x *Detail, c *account, start, mark int64, asOf time.Time) error {
	alerts, err := s.alertsAsOf(ctx, x.Name, asOf)
	if err != nil {
		return err
	}
	d, period := c.def, c.over(start, mark)
	of, err := membershipOf(ctx, s.db.Read(), x.Name, asOf)
	if err != nil {
		return err
	}
	x.Title, x.Description, x.Service, x.Owner, x.Tier, x.System = d.Title, d.Description, of.Service, of.Owner, of.Tier, of.System
	over := func(length time.Duration) ledger.Sum { return c.over(mark-int64(length/time.Minute), mark) }
	at := ledger.Start(mark)
	x.Objective, x.Window.Duration, x.Window.Days = float64(d.Objective), label(d.Period), d.Period.Hours()/24
	x.SLI, x.BudgetLeft, x.Good, x.Total = seen(period, burn.SLI(period)), known(period, d.Objective.BudgetLeft(period)), period.Good(), period.Total
	x.Known = float64(period.Known) / float64(max(1, mark-start))
	x.Interval = c.interval(start, mark)
	left := d.Objective.BudgetLeft(period)
	x.Watermark, x.UpdatedAt, x.Alerts, x.ExhaustsAt = &at, &at, alerts, nil
	x.BurnRates = map[string]float64{}
	for _, w := range shownWindows {
		x.BurnRates[label(w)] = d.Objective.BurnRate(over(w))
	}
	x.Forecasts = nil
	for _, w := range burn.Forecasts {
		f := Forecast{Window: label(w), BurnRate: d.Objective.BurnRate(over(w))}
		if in, ok := burn.ExhaustsIn(left, f.BurnRate, d.Period); ok {
			when := at.Add(in)
			f.ExhaustsAt = &when
			if x.ExhaustsAt == nil || when.Before(*x.ExhaustsAt) {
				x.ExhaustsAt = &when
			}
		}
		x.Forecasts = append(x.Forecasts, f)
	}
	for i, f := range x.Forecasts {
		x.Forecasts[i].Fastest = f.ExhaustsAt != nil && f.ExhaustsAt.Equal(*x.ExhaustsAt)
	}
	row, err := s.one(ctx, x.Name)
	if err != nil {
		return err
	}
	x.Gaps, x.Rules = c.holes(start, mark), rulesAsOf(d, c.alarming(mark, row.end), alerts)
	open := func(s burn.Severity) bool {
		return slices.ContainsFunc(alerts, func(a AlertView) bool { return a.Severity == s })
	}
	was := condition{page: open(burn.Page), ticket: open(burn.Ticket), left: left,
		events: period.Total > 0, recent: over(time.Hour).Known > 0}
	x.Status, x.StatusReason = was.state(), was.why()
	return s.judgeThen(ctx, &x.Summary)
}

// alarming is what alerts read of windows that end at a minute: what was counted,
// or an end of what they may have been.
func (c *account) alarming(mark int64, end policy.End) func(time.Duration) ledger.Sum {
	return func(length time.Duration) ledger.Sum {
		from := mark - int64(length/time.Minute)
		low, high := c.bounds(from, mark)
		switch end {
		case policy.Low:
			return low
		case policy.High:
			return high
		}
		return c.over(from, mark)
	}
}

// alertsAsOf are the alerts of an objective that were open at an instant.
func (s *Service) alertsAsOf(ctx context.Context, name string, at time.Time) ([]AlertView, error) {
	all, _, err := s.alerts(ctx, alertFilter{SLO: name})
	if err != nil {
		return nil, err
	}
	open, micros := []AlertView{}, database.Micros(at)
	for _, row := range all {
		if row.Since > micros || row.ResolvedAt != 0 && row.ResolvedAt <= micros {
			continue
		}
		v, err := viewAlert(row)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		v.State, v.ResolvedAt = Firing, nil
		open = append(open, v)
	}
	return open, nil
}

// rulesAsOf reads every rule off windows of an earlier time. A rule counts as
// firing where an alert that was open named it.
func rulesAsOf(d *Definition, over func(time.Duration) ledger.Sum, alerts []AlertView) []RuleView {
	views := []RuleView{}
	for _, r := range d.Rules {
		i := slices.IndexFunc(alerts, func(a AlertView) bool { return slices.Contains(a.Rules, r.Name) })
		firing := i >= 0
		x := r.Judge(d.terms(), over, firing)
		v := RuleView{
			Name: r.Name, Severity: r.Severity, Kind: kindOf(r), Left: r.Left, Within: labelled(r.Within),
			Long: labelled(r.Long), Short: labelled(r.Short), For: labelled(r.For), Factor: r.Factor, Share: r.Share,
			LongBurn: x.LongBurn, ShortBurn: x.ShortBurn, LongEvents: x.Long.Total, MinimumEvents: x.Minimum, Chance: x.Chance,
			Over: x.Over, Guarded: x.Guarded, Firing: firing, Policy: r.Policy, Reason: x.State(d.terms(), firing),
		}
		if firing {
			v.Since = &alerts[i].Since
		}
		views = append(views, v)
	}
	return views
}

// mostHoles is how many gaps are listed.
const mostHoles = 100

// holes are the minutes without data, the newest first.
func (c *account) holes(from, to int64) []Gap {
	found := []Gap{}
	for m := to - 1; m >= max(from, c.span.From) && len(found) < mostHoles; m-- {
		if c.seen[m-c.span.From].Known {
			continue
		}
		end := m + 1
		for m > max(from, c.span.From) && !c.seen[m-1-c.span.From].Known {
			m--
		}
		found = append(found, Gap{From: ledger.Start(m), To: ledger.Start(end), Minutes: end - m})
	}
	return found
}

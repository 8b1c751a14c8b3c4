package slo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Summary is an objective as lists show it.
type Summary struct {
	Name         string             `json:"name"`
	Title        string             `json:"title,omitempty"`
	Service      string             `json:"service"`
	Owner        string             `json:"owner,omitempty" doc:"The team that owns the service."`
	Tier         string             `json:"tier,omitempty"`
	System       string             `json:"system,omitempty"`
	Objective    float64            `json:"objective" doc:"Share of events that must be good."`
	Window       Period             `json:"window"`
	Status       Status             `json:"status" enum:"healthy,burning,attention,exhausted,unknown,backfilling"`
	StatusReason text.Both          `json:"statusReason"`
	SLI          *float64           `json:"sli" doc:"Good events over all events of the window, of the minutes with data; null where there were no events."`
	BudgetLeft   *float64           `json:"budgetLeft" doc:"Part of the error budget that is left, by the minutes with data; negative when overspent, null where no minute has data."`
	Known        float64            `json:"known" doc:"Share of the window's minutes with data."`
	Good         float64            `json:"good" doc:"Good events in the window."`
	Total        float64            `json:"total" doc:"Events in the window."`
	BurnRates    map[string]float64 `json:"burnRates" doc:"How many times faster than allowed the budget is spent, by window."`
	ExhaustsAt   *time.Time         `json:"exhaustsAt,omitempty" doc:"When the budget is spent at the fastest of the burn rates of 1h, 6h and 3d."`
	Alerts       []AlertView        `json:"alerts" doc:"The open alerts."`
	Backfill     BackfillView       `json:"backfill"`
	ManagedBy    managed            `json:"managedBy"`
	UpdatedAt    *time.Time         `json:"updatedAt,omitempty"`
	Of           string             `json:"of,omitempty" doc:"The objective that this one is an instance of."`
	Labels       []LabelValue       `json:"labels,omitempty" doc:"What tells this instance from the others."`
	Instances    *InstancesView     `json:"instances,omitempty" doc:"Of an objective that is taken apart by labels."`
	Interval
	Commitment
}

// Interval is between which figures the truth lies, given the minutes of the
// window that are not known. Where all are known both ends are the same.
type Interval struct {
	SLILow     float64    `json:"sliLow" doc:"The least that the SLI may be."`
	SLIHigh    float64    `json:"sliHigh" doc:"The most that it may be."`
	BudgetLow  float64    `json:"budgetLow" doc:"The least that may be left of the error budget."`
	BudgetHigh float64    `json:"budgetHigh" doc:"The most that may be left of it."`
	Coverage   float64    `json:"coverage" doc:"Share of the window's minutes with data, of those since the objective began."`
	BegunAt    *time.Time `json:"begunAt,omitempty" doc:"The first minute that ever had data. What was before it is not unknown: nothing was promised then."`
}

// Period is the length of an objective's window.
type Period struct {
	Duration string  `json:"duration" doc:"As operators write it: 30d."`
	Days     float64 `json:"days"`
}

// BackfillView is how far the reading of the past is.
type BackfillView struct {
	State      string     `json:"state" enum:"none,running,done"`
	Reason     string     `json:"reason,omitempty" enum:"new,gap,longer"`
	Done       int64      `json:"done" doc:"Minutes."`
	Total      int64      `json:"total" doc:"Minutes."`
	StartedAt  *time.Time `json:"startedAt,omitempty"`
	FinishedAt *time.Time `json:"finishedAt,omitempty"`
}

// Detail is an objective as its page shows it.
type Detail struct {
	Summary
	Description string      `json:"description,omitempty"`
	DataSource  string      `json:"dataSource,omitempty" doc:"Empty for the default one."`
	Queries     Queries     `json:"queries"`
	Exact       bool        `json:"exact" doc:"Whether every event is counted exactly."`
	ExactNote   text.Both   `json:"exactNote"`
	CountedFrom countedFrom `json:"countedFrom" enum:"samples,increases,values" doc:"Samples: the raw samples of the counters. Increases: their increase, as PromQL evaluates it each minute. Values: what the expressions answer each minute."`
	Watermark   *time.Time  `json:"watermark,omitempty" doc:"Up to when everything was read."`
	Settle      string      `json:"settle" doc:"How long after its end a minute is final."`
	Absent      string      `json:"absent" enum:"unknown,bad" doc:"What a minute without data is."`
	Minimum     *float64    `json:"minimumEvents,omitempty" doc:"Set for this objective; otherwise chance decides how few events are too few."`
	Gaps        []Gap       `json:"gaps" doc:"Minutes without data, the newest first, at most 100."`
	Rules       []RuleView  `json:"alertRules"`
	Forecasts   []Forecast  `json:"forecasts"`
	Excluded    ExcludedNow `json:"excluded"`

	Document  string        `json:"document" doc:"The SLO document that the objective comes from. One with several objectives has the first by its own name."`
	Budgeting Budgeting     `json:"budgeting"`
	Calendar  *CalendarView `json:"calendar,omitempty" doc:"The window, where it follows the calendar."`
}

// Gap is a time without data.
type Gap struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Minutes int64     `json:"minutes"`
}

// RuleView is an alert rule and what it sees now.
type RuleView struct {
	Name          string        `json:"name"`
	Severity      burn.Severity `json:"severity" enum:"page,ticket"`
	Kind          string        `json:"kind" enum:"burn-rate,outage,budget,forecast,no-data" doc:"What the rule looks at."`
	Long          string        `json:"long,omitempty"`
	Short         string        `json:"short,omitempty"`
	Left          float64       `json:"left,omitempty" doc:"Part of the budget at which a budget rule fires."`
	Within        string        `json:"within,omitempty" doc:"How far a forecast rule looks ahead."`
	For           string        `json:"for,omitempty"`
	Factor        float64       `json:"factor"`
	Share         float64       `json:"share" doc:"Part of the budget that the long window spends at the factor."`
	LongBurn      float64       `json:"longBurn"`
	ShortBurn     float64       `json:"shortBurn"`
	LongEvents    float64       `json:"longEvents"`
	MinimumEvents float64       `json:"minimumEvents" doc:"Events that the long window needs before the rule may fire, where that is set for the objective."`
	Chance        float64       `json:"chance,omitempty" doc:"How many false alarms in 30 days a service that keeps its objective would raise if evidence like this were enough."`
	Over          bool          `json:"over" doc:"Both windows are over the factor."`
	Guarded       bool          `json:"guarded" doc:"Over, but with too few events."`
	Firing        bool          `json:"firing"`
	Since         *time.Time    `json:"since,omitempty"`
	Policy        string        `json:"policy,omitempty"`
	Reason        text.Both     `json:"reason"`
}

// Forecast is when the budget is spent if it goes on as in one window.
type Forecast struct {
	Window     string     `json:"window"`
	BurnRate   float64    `json:"burnRate"`
	ExhaustsAt *time.Time `json:"exhaustsAt,omitempty"`
	Fastest    bool       `json:"fastest"`
}

// Count is how many objectives there are under one key, and the worst of them.
type Count struct {
	Key      string         `json:"key"`
	Total    int            `json:"total"`
	ByStatus map[Status]int `json:"byStatus"`
	Worst    Worst          `json:"worst"`
}

// Worst is the objective that needs somebody most.
type Worst struct {
	Name       string  `json:"name"`
	Status     Status  `json:"status"`
	BudgetLeft float64 `json:"budgetLeft"`
}

// List returns objectives in order, the cursor of the next page, and how many
// there are in all.
func (s *Service) List(ctx context.Context, f filter) ([]Summary, string, int, error) {
	rows, next, total, err := s.list(ctx, f)
	if err != nil {
		return nil, "", 0, err
	}
	open, err := s.openAlerts(ctx)
	if err != nil {
		return nil, "", 0, err
	}
	all := make([]Summary, len(rows))
	for i, r := range rows {
		if all[i], err = summarise(r, open); err != nil {
			return nil, "", 0, err
		}
	}
	shown := make([]*Summary, len(all))
	for i := range all {
		shown[i] = &all[i]
	}
	return all, next, total, s.commit(ctx, rows, shown)
}

func summarise(r *row, open map[string][]AlertView) (Summary, error) {
	period := time.Duration(r.Period) * time.Second
	x := Summary{
		Name: r.Name, Title: r.Title, Service: r.Service, Owner: r.Owner, Tier: r.Tier, System: r.System,
		Objective: r.Objective, Window: Period{label(period), period.Hours() / 24}, Status: r.Status, StatusReason: r.why(),
		Known: r.Known, BurnRates: map[string]float64{},
		ExhaustsAt: timeOf(r.ExhaustsAt), Alerts: nonNil(open[r.Name]), UpdatedAt: timeOf(r.Update), Backfill: r.Backfill.view(),
	}
	x.Interval = Interval{SLILow: r.SliLow, SLIHigh: r.SliHigh, BudgetLow: r.BudgetLow, BudgetHigh: r.BudgetHigh, Coverage: r.Coverage}
	if r.Begun > 0 {
		at := ledger.Start(r.Begun)
		x.BegunAt = &at
	}
	if r.Total > 0 {
		x.SLI = &r.Sli
	}
	if r.counted {
		x.BudgetLeft = &r.BudgetLeft
	}
	if r.standing != nil {
		x.Good, x.Total = r.Good, r.Total
		for i, w := range shownWindows {
			x.BurnRates[label(w)] = r.Burn[i]
		}
	}
	x.Instances = r.instances
	if i := r.def.Instance; i != nil {
		x.Of, x.Labels = i.Of, i.Labels
	}
	if r.page {
		for _, a := range x.Alerts {
			if a.Severity == burn.Page {
				x.StatusReason = a.Reason
			}
		}
	}
	return x, unmarshal(r.managedBy, &x.ManagedBy)
}

func (b backfill) view() BackfillView {
	v := BackfillView{State: "none", Reason: b.Reason, Done: b.Done, Total: b.Total,
		StartedAt: timeOf(b.StartedAt), FinishedAt: timeOf(b.FinishedAt)}
	switch {
	case b.running():
		v.State = "running"
	case b.FinishedAt > 0:
		v.State = "done"
	}
	return v
}

// burnsNow is the burn rate of an objective over a window as of its last minute,
// nil where that window is not kept.
func (l *listing) burnsNow(name, window string) *float64 {
	r := l.byName[name]
	if r == nil || r.standing == nil { // an objective that goes away burns no more
		return nil
	}
	for i, w := range shownWindows {
		if label(w) == window {
			return &r.Burn[i]
		}
	}
	return nil // an own rule's window
}

// Get returns everything about one objective.
func (s *Service) Get(ctx context.Context, name string) (Detail, error) {
	r, err := s.one(ctx, name)
	if err != nil {
		return Detail{}, err
	}
	open, err := s.openAlerts(ctx)
	if err != nil {
		return Detail{}, err
	}
	var x Detail
	if x.Summary, err = summarise(r, open); err != nil {
		return x, err
	}
	t := &track{name: name, def: r.def, win: stood{&standing{}, r.defined}}
	if r.standing != nil {
		t = r.standing.track(r.defined)
		t.end = r.end
		if t.win, err = s.withRecent(ctx, t); err != nil {
			return x, err
		}
	}
	if x.Gaps, err = s.gaps(ctx, t); err != nil {
		return x, err
	}
	s.detail(&x, t)
	if x.Excluded, err = s.excludedNow(ctx, t.def); err != nil {
		return x, err
	}
	return x, s.commit(ctx, []*row{r}, []*Summary{&x.Summary})
}

// recently are windows that were stored, and any short one besides.
type recently struct {
	windows
	kept []time.Duration
	seen []ledger.Minute // the last hours
}

// Over reads a window that is kept, or adds up a short one.
func (r recently) Over(length time.Duration) ledger.Sum {
	if slices.Contains(r.kept, length) {
		return r.windows.Over(length)
	}
	var sum ledger.Sum
	for _, m := range r.seen[max(0, len(r.seen)-int(length/time.Minute)):] {
		sum = sum.Add(m)
	}
	return sum
}

func (s *Service) withRecent(ctx context.Context, t *track) (windows, error) {
	span := ledger.Between(max(t.watermark-int64(burn.Reach/time.Minute), 0), t.watermark)
	h, err := s.history(ctx, s.db.Read(), t.def, span, time.Time{})
	return recently{t.win, t.def.windows(), h.Minutes}, err
}

// detail fills in what follows from the definition and the windows.
func (s *Service) detail(x *Detail, t *track) {
	d := t.def
	x.Description, x.DataSource = d.Description, d.Source
	x.Queries = s.queriesOf(d)
	x.Document, x.Budgeting, x.Calendar = documentOf(d.Name), budgetingOf(d), calendarOf(d, t.watermark)
	x.CountedFrom = s.countedFrom(d)
	x.Exact, x.ExactNote = t.exact, exactNote(x.CountedFrom, t.exact, s.estimateOver(d, d.Source))
	if t.watermark > 0 {
		at := ledger.Start(t.watermark)
		x.Watermark = &at
	}
	x.Settle, x.Absent, x.Minimum = s.settle(d).String(), "unknown", d.Minimum
	if d.AbsentBad {
		x.Absent = "bad"
	}
	x.Rules = t.ruleViews()
	x.Forecasts = t.forecasts()
}

const mostGaps = 100

func kindOf(r burn.Rule) string { return cmp.Or(string(r.Kind), "burn-rate") }

// gaps are the minutes without data in the period, the newest first.
func (s *Service) gaps(ctx context.Context, t *track) ([]Gap, error) {
	gaps := []Gap{}
	if t.watermark == 0 {
		return gaps, nil
	}
	span := ledger.Between(max(t.def.window().Start(t.watermark), 0), t.watermark)
	h, err := s.history(ctx, s.db.Read(), t.def, span, time.Time{})
	if err != nil {
		return gaps, err
	}
	for end := len(h.Minutes); end > 0 && len(gaps) < mostGaps; {
		start := end
		for start > 0 && !h.Minutes[start-1].Known {
			start--
		}
		if start < end {
			from, to := span.From+int64(start), span.From+int64(end)
			gaps = append(gaps, Gap{ledger.Start(from), ledger.Start(to), to - from})
		}
		end = start - 1
	}
	return gaps, nil
}

// ruleViews reads every rule off the windows.
func (t *track) ruleViews() []RuleView {
	views := []RuleView{}
	for _, r := range t.def.Rules {
		was := t.rules[r.Name]
		x := r.Judge(t.terms(), t.alarming, was.Firing)
		v := RuleView{
			Name: r.Name, Severity: r.Severity, Kind: kindOf(r), Left: r.Left, Within: labelled(r.Within),
			Long: labelled(r.Long), Short: labelled(r.Short), For: labelled(r.For), Factor: r.Factor, Share: r.Share,
			LongBurn: x.LongBurn, ShortBurn: x.ShortBurn, LongEvents: x.Long.Total, MinimumEvents: x.Minimum, Chance: x.Chance,
			Over: x.Over, Guarded: x.Guarded, Firing: was.Firing, Policy: r.Policy, Reason: x.State(t.terms(), was.Firing),
		}
		if was.Firing {
			at := ledger.Start(was.Since)
			v.Since = &at
		}
		views = append(views, v)
	}
	return views
}

// forecasts carry the burn rates of several windows on into the future.
func (t *track) forecasts() []Forecast {
	left := t.def.Objective.BudgetLeft(t.win.Over(t.def.Period))
	soonest, will := t.exhaustsIn(left)
	views := []Forecast{}
	for _, w := range burn.Forecasts {
		f := Forecast{Window: label(w), BurnRate: t.def.Objective.BurnRate(t.win.Over(w))}
		if in, ok := burn.ExhaustsIn(left, f.BurnRate, t.def.Period); ok {
			at := ledger.Start(t.watermark).Add(in)
			f.ExhaustsAt, f.Fastest = &at, will && in == soonest
		}
		views = append(views, f)
	}
	return views
}

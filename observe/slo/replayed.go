package slo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/openslo"
	"github.com/teiten/teiten/observe/slo/policy"
	"github.com/teiten/teiten/observe/slo/replay"
)

// Trial is what a replay tries instead of what is in force. What is absent stays
// as it is.
type Trial struct {
	Objective *float64        `json:"objective,omitempty" doc:"Share of events that must be good, for example 0.9995."`
	Window    string          `json:"window,omitempty" doc:"A rolling window, for example 7d."`
	Rules     []TrialRule     `json:"rules,omitempty" maxItems:"20" doc:"Alert rules. Absent: those in force; the defaults of the window where the window is another."`
	Policy    string          `json:"policy,omitempty" doc:"Name of an AlertPolicy, in place of rules."`
	From      time.Time       `json:"from,omitzero" doc:"By default one window before to."`
	To        time.Time       `json:"to,omitzero" doc:"By default now."`
	Incidents []TrialIncident `json:"incidents,omitempty" maxItems:"1000" doc:"Times in which something was wrong; the alerts are scored against them."`
}

// TrialRule is an alert rule to try.
type TrialRule struct {
	Name     string   `json:"name,omitempty"`
	Severity string   `json:"severity" enum:"page,ticket"`
	Kind     string   `json:"kind,omitempty" enum:"burn-rate,outage,budget,forecast,no-data" default:"burn-rate"`
	Long     string   `json:"long,omitempty" doc:"Window, for example 1h."`
	Short    string   `json:"short,omitempty" doc:"Second window, for example 5m."`
	Factor   *float64 `json:"factor,omitempty" doc:"How many times too fast the budget may burn. Absent: the one that spends share of it within the long window."`
	Share    *float64 `json:"share,omitempty" doc:"Part of the budget that the long window may spend."`
	Left     float64  `json:"left,omitempty" minimum:"0" maximum:"1" doc:"Part of the budget at which a budget rule fires."`
	Within   string   `json:"within,omitempty" doc:"How far a forecast rule looks ahead, for example 3d."`
	For      string   `json:"for,omitempty" doc:"How long it must hold, for example 5m."`
}

// TrialIncident is a time in which something was wrong.
type TrialIncident struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Title string    `json:"title,omitempty"`
}

// Replay is what would have happened.
type Replay struct {
	SLO       string         `json:"slo"`
	Objective float64        `json:"objective"`
	Window    Period         `json:"window"`
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	Known     float64        `json:"known" doc:"Share of the minutes with data."`
	Tried     ReplayOutcome  `json:"tried" doc:"With what was tried."`
	InForce   ReplayOutcome  `json:"inForce" doc:"With what is in force now, over the same time."`
	Days      []ReplayDay    `json:"days" doc:"What each day ended with, for what was tried."`
	Alerts    []ReplayAlert  `json:"alerts" doc:"That would have been raised, the oldest first, at most 500."`
	Scores    []ReplayScore  `json:"scores" doc:"How good the pages and the tickets were, where incidents were given."`
	AlertEnd  policy.End     `json:"alertEnd" enum:"counted,low,high" doc:"What alerts read where minutes are unknown, as the error-budget policy says now."`
	Said      text.Both      `json:"said" doc:"The result in a sentence."`
	Rules     []ReplayedRule `json:"rules" doc:"The rules that were tried."`
}

// ReplayOutcome are the figures of a replay.
type ReplayOutcome struct {
	Pages            int        `json:"pages"`
	Tickets          int        `json:"tickets"`
	BudgetLeft       float64    `json:"budgetLeft" doc:"At the end."`
	Lowest           float64    `json:"lowest" doc:"The least that was left."`
	LowestAt         *time.Time `json:"lowestAt,omitempty"`
	ExhaustedAt      *time.Time `json:"exhaustedAt,omitempty" doc:"When nothing was left for the first time."`
	ExhaustedMinutes int64      `json:"exhaustedMinutes" doc:"With nothing left."`
}

// ReplayDay is what a day ended with.
type ReplayDay struct {
	At         time.Time `json:"at" doc:"Its end."`
	Good       float64   `json:"good"`
	Total      float64   `json:"total"`
	Known      float64   `json:"known"`
	BudgetLeft float64   `json:"budgetLeft" doc:"Of the window that ends there."`
}

// ReplayAlert is an alert that would have been raised.
type ReplayAlert struct {
	Severity burn.Severity `json:"severity" enum:"page,ticket"`
	Rules    []string      `json:"rules"`
	From     time.Time     `json:"from"`
	To       *time.Time    `json:"to,omitempty" doc:"Absent while it is open."`
	Reason   text.Both     `json:"reason"`
}

// ReplayedRule is a rule that was tried.
type ReplayedRule struct {
	Name     string        `json:"name"`
	Severity burn.Severity `json:"severity" enum:"page,ticket"`
	Kind     string        `json:"kind" enum:"burn-rate,outage,budget,forecast,no-data"`
	Long     string        `json:"long,omitempty"`
	Short    string        `json:"short,omitempty"`
	Factor   float64       `json:"factor"`
	Left     float64       `json:"left,omitempty"`
	Within   string        `json:"within,omitempty"`
	For      string        `json:"for,omitempty"`
}

// ReplayScore is how good the alerts of one severity were.
type ReplayScore struct {
	Severity         burn.Severity `json:"severity" enum:"page,ticket"`
	Alerts           int           `json:"alerts"`
	Right            int           `json:"right" doc:"Alerts that were open during an incident."`
	Incidents        int           `json:"incidents"`
	Detected         int           `json:"detected"`
	Precision        *float64      `json:"precision,omitempty" doc:"Right over all alerts."`
	Recall           *float64      `json:"recall,omitempty" doc:"Detected over all incidents."`
	DetectionMinutes *float64      `json:"detectionMinutes,omitempty" doc:"Median from the beginning of an incident to its alert."`
	ResetMinutes     *float64      `json:"resetMinutes,omitempty" doc:"Median from the end of an incident to the end of its alerts."`
	Found            []ReplayFound `json:"found" doc:"Each incident and how it was noticed."`
}

// ReplayFound is how an incident was noticed.
type ReplayFound struct {
	TrialIncident
	DetectedAt *time.Time `json:"detectedAt,omitempty"`
	ResetAt    *time.Time `json:"resetAt,omitempty"`
}

// Replay says what would have happened to an objective.
func (s *Service) Replay(ctx context.Context, name string, trial Trial) (Replay, error) {
	p, err := s.prepareReplay(ctx, name, trial.From, trial.To)
	if err != nil {
		return Replay{}, err
	}
	tried, err := s.tried(ctx, p.inForce, p.d, &trial)
	if err != nil {
		return Replay{}, err
	}
	h, err := s.replayed(ctx, p, max(tried.Reach(), p.inForce.Reach()))
	if err != nil {
		return Replay{}, err
	}
	o := replay.Run(h, p.span.From, p.span.To, tried)
	was := replay.Run(h, p.span.From, p.span.To, p.inForce)
	x := Replay{
		SLO: name, Objective: float64(tried.Terms.Objective), Window: Period{label(tried.Terms.Period), tried.Terms.Period.Hours() / 24},
		From: ledger.Start(p.span.From), To: ledger.Start(p.span.To), Tried: viewOutcome(&o), InForce: viewOutcome(&was),
		Days: []ReplayDay{}, Alerts: []ReplayAlert{}, Scores: []ReplayScore{}, Rules: []ReplayedRule{},
		AlertEnd: p.end,
	}
	x.fill(&o, &tried)
	if len(trial.Incidents) > 0 {
		x.score(&o, trial.Incidents)
	}
	x.Said = x.say(&was)
	return x, nil
}

// toReplay is an objective that is about to be replayed.
type toReplay struct {
	d       *Definition
	inForce replay.Case
	span    minutes
	end     policy.End // of windows with unknown minutes, that alerts read
	begun   int64      // the first minute that ever had data, as it is known now
}

func (s *Service) prepareReplay(ctx context.Context, name string, from, to time.Time) (toReplay, error) {
	row, err := s.one(ctx, name)
	if err != nil {
		return toReplay{}, err
	}
	d := *row.def
	d.Exact = row.Exact
	if to.IsZero() {
		to = s.now()
	}
	if from.IsZero() {
		from = to.Add(-d.Period)
	}
	if !from.Before(to) || to.Sub(from) > longestSeries {
		return toReplay{}, fault.New(fault.Invalid, "slo.replay_span",
			text.Say("the time span is empty or longer than 400 days", "期間が空か、400日を超えています")).
			Fix(text.Say("choose a from before to", "from を to より前にしてください")).On("body.from")
	}
	p := toReplay{d: &d, inForce: replay.Case{Terms: d.terms(), Window: d.window(), Rules: d.Rules}, end: row.end}
	if p.begun, err = s.begun(ctx, name); err != nil {
		return p, err
	}
	p.span = ledger.Between(ledger.Done(from), ledger.Done(to))
	p.span.To = min(p.span.To, row.Watermark)
	p.span.From = min(p.span.From, p.span.To)
	return p, nil
}

// tried is the case in force with what a trial changes.
func (s *Service) tried(ctx context.Context, c replay.Case, d *Definition, trial *Trial) (replay.Case, error) {
	c.Rules = slices.Clone(c.Rules)
	if v := trial.Objective; v != nil {
		if !(*v > 0 && *v < 1) {
			return c, fault.New(fault.Invalid, "slo.replay_objective", text.Say("%v is no objective between 0 and 1", "%v は0と1の間の目標ではありません", *v)).
				Fix(text.Say("write 99.95 %% as 0.9995", "99.95 %% は 0.9995 と書いてください")).On("body.objective")
		}
		c.Terms.Objective = burn.Objective(*v)
	}
	if trial.Window != "" {
		length, err := trialDuration(trial.Window, 400*24*time.Hour, "body.window")
		if err != nil {
			return c, err
		}
		c.Terms.Period, c.Window = length, budgeting.Period{Length: length}
		if !slices.ContainsFunc(d.Rules, func(r burn.Rule) bool { return r.Policy != "" }) {
			c.Rules = burn.Defaults(length)
		}
	}
	switch {
	case len(trial.Rules) > 0 && trial.Policy != "":
		return c, fault.New(fault.Invalid, "slo.replay_rules", text.Say("both rules and a policy are given", "rules と policy の両方が指定されています")).
			Fix(text.Say("give one of the two", "どちらか一方にしてください")).On("body.policy")
	case trial.Policy != "":
		return s.withPolicy(ctx, c, trial.Policy)
	case len(trial.Rules) > 0:
		c.Rules = nil
		for i, r := range trial.Rules {
			rule, err := r.rule(c.Terms.Period, i)
			if err != nil {
				return c, err
			}
			c.Rules = append(c.Rules, rule)
		}
	}
	return c, nil
}

// withPolicy is the case with the rules of an AlertPolicy.
func (s *Service) withPolicy(ctx context.Context, c replay.Case, name string) (replay.Case, error) {
	var p openslo.AlertPolicy
	found, err := loadPart(ctx, s.db.Read(), kindPolicy, name, &p)
	if err != nil {
		return c, err
	}
	var rules []burn.Rule
	if found {
		rules, found, err = policyRule(ctx, s.db.Read(), name, &p.Spec, c.Terms.Period)
	}
	if err != nil {
		return c, err
	}
	if !found {
		return c, fault.New(fault.NotFound, "slo.no_policy", text.Say("there is no alert policy %q", "アラートポリシー %q はありません", name)).
			Fix(text.Say("`teiten get alert-policies` lists them", "`teiten get alert-policies` で一覧を確認してください")).On("body.policy")
	}
	c.Rules = rules
	return c, nil
}

// rule makes a rule of what was asked for.
func (r *TrialRule) rule(period time.Duration, i int) (burn.Rule, error) {
	at := fmt.Sprintf("body.rules[%d].", i)
	x := burn.Rule{Name: cmp.Or(r.Name, fmt.Sprintf("rule-%d", i+1)), Severity: burn.Severity(r.Severity), Left: r.Left, Policy: "replay"}
	if r.Kind != "burn-rate" {
		x.Kind = burn.Kind(r.Kind)
	}
	for _, f := range []struct {
		field, text string
		into        *time.Duration
		needed      bool
	}{
		{"long", r.Long, &x.Long, x.Kind == burn.BurnRate || x.Kind == burn.Forecast || x.Kind == burn.NoData},
		{"short", r.Short, &x.Short, false}, {"within", r.Within, &x.Within, x.Kind == burn.Forecast}, {"for", r.For, &x.For, false},
	} {
		if f.text == "" && !f.needed {
			continue
		}
		var err error
		if *f.into, err = trialDuration(f.text, 90*24*time.Hour, at+f.field); err != nil {
			return x, err
		}
	}
	switch {
	case x.Kind != burn.BurnRate:
	case r.Factor != nil && *r.Factor > 0:
		x.Factor = *r.Factor
		x.Share = x.Factor * x.Long.Minutes() / period.Minutes()
	case r.Share != nil && *r.Share > 0 && *r.Share <= 1:
		x.Share = *r.Share
		x.Factor = x.Share * period.Minutes() / x.Long.Minutes()
	default:
		return x, fault.New(fault.Invalid, "slo.replay_factor", text.Say("the rule has no factor above 0", "0より大きい factor がありません")).
			Fix(text.Say("write how many times too fast the budget may burn, for example 14.4", "許容する消費速度の倍率を 14.4 のように書いてください")).On(at + "factor")
	}
	return x, nil
}

func trialDuration(s string, most time.Duration, field string) (time.Duration, error) {
	d, ok := openslo.ParseDuration(s)
	if !ok || d < time.Minute || d > most {
		return 0, fault.New(fault.Invalid, "slo.replay_duration", text.Say("%q cannot be a duration here", "期間に %q は使えません", s)).
			Fix(text.Say("write a number and a unit between 1m and %s, for example 1h", "1m から %s までを 1h のように書いてください", label(most))).On(field)
	}
	return d, nil
}

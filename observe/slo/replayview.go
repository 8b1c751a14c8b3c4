package slo

import (
	"context"
	"strconv"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/policy"
	"github.com/teiten/teiten/observe/slo/replay"
)

// mostReplayAlerts is how many alerts of a replay are listed.
const mostReplayAlerts = 500

func viewOutcome(o *replay.Outcome) ReplayOutcome {
	return ReplayOutcome{
		Pages: o.Count(burn.Page), Tickets: o.Count(burn.Ticket), BudgetLeft: o.BudgetLeft, Lowest: o.Lowest,
		LowestAt: instant(o.LowestAt), ExhaustedAt: instant(o.ExhaustedAt), ExhaustedMinutes: o.ExhaustedMinutes,
	}
}

// instant is the beginning of a minute, nil for 0.
func instant(minute int64) *time.Time {
	if minute == 0 {
		return nil
	}
	at := ledger.Start(minute)
	return &at
}

// fill takes in what a replay found.
func (x *Replay) fill(o *replay.Outcome, c *replay.Case) {
	minutes := 0.0
	for i, d := range o.Days {
		began := x.From
		if i > 0 {
			began = x.Days[i-1].At
		}
		end := ledger.Start(d.End)
		minutes += d.Known * end.Sub(began).Minutes()
		x.Days = append(x.Days, ReplayDay{At: end, Good: d.Good, Total: d.Total, Known: d.Known, BudgetLeft: d.BudgetLeft})
	}
	if all := x.To.Sub(x.From).Minutes(); all > 0 {
		x.Known = minutes / all
	}
	for _, a := range o.Alerts[:min(len(o.Alerts), mostReplayAlerts)] {
		reason := a.Reading.Reason(c.Terms)
		if x.AlertEnd == policy.Low {
			reason = supposed(reason, a.Reading.Long.Known, a.Reading.Rule)
		}
		x.Alerts = append(x.Alerts, ReplayAlert{Severity: a.Severity, Rules: a.Rules, From: ledger.Start(a.From), To: instant(a.To), Reason: reason})
	}
	for _, r := range c.Rules {
		x.Rules = append(x.Rules, ReplayedRule{Name: r.Name, Severity: r.Severity, Kind: kindOf(r), Long: labelled(r.Long), Short: labelled(r.Short),
			Factor: r.Factor, Left: r.Left, Within: labelled(r.Within), For: labelled(r.For)})
	}
}

// score judges the alerts by incidents.
func (x *Replay) score(o *replay.Outcome, incidents []TrialIncident) {
	var marked []replay.Incident
	var shown []TrialIncident
	for _, i := range incidents {
		if i.To.After(x.From) && i.From.Before(x.To) {
			marked = append(marked, replay.Incident{From: ledger.Done(i.From), To: ledger.Done(i.To.Add(time.Minute - 1)), Title: i.Title})
			shown = append(shown, i)
		}
	}
	for _, severity := range []burn.Severity{burn.Page, burn.Ticket} {
		s := o.Judge(severity, marked)
		v := ReplayScore{Severity: severity, Alerts: s.Alerts, Right: s.Right, Incidents: len(s.Incidents), Detected: s.Detected,
			Precision: where(s.Precision()), Recall: where(s.Recall()), DetectionMinutes: where(s.Detection()), ResetMinutes: where(s.Reset()),
			Found: []ReplayFound{}}
		for i, f := range s.Incidents {
			v.Found = append(v.Found, ReplayFound{TrialIncident: shown[i], DetectedAt: instant(f.DetectedAt), ResetAt: instant(f.ResetAt)})
		}
		x.Scores = append(x.Scores, v)
	}
}

// where is v where there is one.
func where(v float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &v
}

// say is the result in a sentence.
func (x *Replay) say(was *replay.Outcome) text.Both {
	exhausted := text.Say("the error budget would have lasted", "エラーバジェットは尽きませんでした")
	if at := x.Tried.ExhaustedAt; at != nil {
		exhausted = text.Say("the error budget would have been exhausted on %s (UTC)", "エラーバジェットは%s(UTC)に尽きていました", at.Format(time.DateOnly))
	}
	return text.Say("with %[1]s%% over %[2]s: %[3]s and %[4]s (in force: %[5]d and %[6]d); %[7]s",
		"%[2]sで%[1]s%%の場合: %[3]s、%[4]s(現行は%[5]d回と%[6]d件)。%[7]s",
		strconv.FormatFloat(x.Objective*100, 'g', 10, 64), burn.Spoken(time.Duration(x.Window.Days*24*float64(time.Hour))),
		times(x.Tried.Pages, "page", "呼び出し%d回"), times(x.Tried.Tickets, "ticket", "チケット%d件"), was.Count(burn.Page), was.Count(burn.Ticket), exhausted)
}

// times says how many of something there were.
func times(n int, one, ja string) text.Both {
	many := "s"
	if n == 1 {
		many = ""
	}
	return text.Say("%d "+one+many, ja, n)
}

// ReplaySuggestion is what the history says of objectives.
type ReplaySuggestion struct {
	SLO       string         `json:"slo"`
	InForce   float64        `json:"inForce" doc:"The objective now."`
	Suggested *float64       `json:"suggested,omitempty" doc:"The highest of the usual objectives that every full window of the history kept with a fifth of the budget left."`
	Full      bool           `json:"full" doc:"Whether the history holds a full window. Otherwise all of it stands for one."`
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	WorstSLI  float64        `json:"worstSli" doc:"Share of good events in the worst window."`
	WorstAt   *time.Time     `json:"worstAt,omitempty" doc:"The end of the worst window."`
	Choices   []ReplayChoice `json:"choices" doc:"The usual objectives and what they would have cost, ascending."`
	Said      text.Both      `json:"said"`
}

// ReplayChoice is an objective and what it would have cost.
type ReplayChoice struct {
	Objective        float64 `json:"objective"`
	Kept             bool    `json:"kept" doc:"In every window."`
	Lowest           float64 `json:"lowest" doc:"Part of the budget left in the worst window."`
	BadMinutes       float64 `json:"badMinutes" doc:"Minutes of complete failure that a window allows at even traffic."`
	Pages            int     `json:"pages"`
	Tickets          int     `json:"tickets"`
	ExhaustedMinutes int64   `json:"exhaustedMinutes"`
}

// Suggest proposes an objective from the history.
func (s *Service) Suggest(ctx context.Context, name string, from, to time.Time) (ReplaySuggestion, error) {
	p, err := s.prepareReplay(ctx, name, from, to)
	if err != nil {
		return ReplaySuggestion{}, err
	}
	h, err := s.replayed(ctx, p, p.inForce.Reach())
	if err != nil {
		return ReplaySuggestion{}, err
	}
	found := replay.Suggest(h, p.span.From, p.span.To, p.inForce)
	x := ReplaySuggestion{SLO: name, InForce: float64(p.d.Objective), Full: found.Full, From: ledger.Start(p.span.From), To: ledger.Start(p.span.To),
		WorstSLI: burn.SLI(found.Worst), WorstAt: instant(found.WorstAt), Choices: []ReplayChoice{}}
	for _, c := range found.Choices {
		x.Choices = append(x.Choices, ReplayChoice{float64(c.Objective), c.Kept, c.Lowest, c.BadMinutes, c.Pages, c.Tickets, c.Exhausted})
	}
	x.Said = text.Say("no usual objective was kept with a fifth of its budget left", "バジェットを2割残して守れた目標はありませんでした")
	switch {
	case found.Worst.Total == 0:
		x.Said = text.Say("there were no events to judge by", "判断できるイベントがありません")
	case found.Objective > 0:
		v := float64(found.Objective)
		x.Suggested = &v
		x.Said = text.Say("%s%% is the highest usual objective that was kept with a fifth of the budget left",
			"バジェットを2割以上残して守れた目標のうち、最も高いのは%s%%です", strconv.FormatFloat(v*100, 'g', 10, 64))
	}
	return x, nil
}

package cli

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/burn"
)

// replayCmd asks what would have happened.
type replayCmd struct {
	remote
	Name      string  `arg:"" help:"Name of the SLO."`
	Objective float64 `help:"Another objective, in per cent, such as 99.95." placeholder:"PERCENT"`
	Window    string  `help:"Another rolling window, such as 7d." placeholder:"TIME"`
	Policy    string  `help:"Another AlertPolicy." placeholder:"NAME"`
	Days      int     `help:"How many days back. Absent: one window." placeholder:"DAYS"`
	Suggest   bool    `help:"Propose an objective instead, with the cost of more nines."`
	Output    string  `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *replayCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var from time.Time
	if c.Days > 0 {
		from = time.Now().AddDate(0, 0, -c.Days).UTC().Truncate(time.Second)
	}
	if c.Suggest {
		return c.suggest(ctx, s, to, from)
	}
	trial := slo.Trial{Window: c.Window, Policy: c.Policy, From: from}
	if c.Objective != 0 {
		if c.Objective <= 0 || c.Objective >= 100 {
			return fault.New(fault.Invalid, "cli.objective", text.Say("--objective: %v is no objective in per cent", "--objective: %v はパーセントの目標として使えません", c.Objective)).
				Fix(text.Say("write 99.95", "99.95 のように書いてください"))
		}
		// The decimal that was written, moved by two places.
		share, err := strconv.ParseFloat(strconv.FormatFloat(c.Objective, 'f', -1, 64)+"e-2", 64)
		if err != nil {
			return err
		}
		trial.Objective = &share
	}
	var r slo.Replay
	if err := to.call(ctx, http.MethodPost, c.path(), nil, trial, &r); err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(r)
	}
	s.say(r.Said)
	if len(r.Alerts) == 0 {
		return nil
	}
	s.table([]text.Both{text.Say("FROM", "開始"), text.Say("LASTED", "継続"), text.Say("SEVERITY", "重大度"), text.Say("REASON", "理由")}, len(r.Alerts), func(i int) []any {
		a := r.Alerts[i]
		lasted := text.Say("open", "継続中")
		if a.To != nil {
			lasted = burn.Spoken(a.To.Sub(a.From))
		}
		return []any{a.From.Local().Format("2006-01-02 15:04"), lasted.In(s.lang), a.Severity, a.Reason.In(s.lang)}
	})
	return nil
}

func (c *replayCmd) path() string { return "/api/v1/slos/" + url.PathEscape(c.Name) + "/replay" }

func (c *replayCmd) suggest(ctx context.Context, s *streams, to *client, from time.Time) error {
	q := url.Values{}
	if !from.IsZero() {
		q.Set("from", from.Format(time.RFC3339))
	}
	var r slo.ReplaySuggestion
	if err := to.call(ctx, http.MethodGet, c.path()+"/suggest", q, nil, &r); err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(r)
	}
	s.say(r.Said)
	s.table([]text.Both{text.Say("OBJECTIVE", "目標"), text.Say("KEPT", "達成"), text.Say("BAD MINUTES ALLOWED", "許容不良時間(分)"),
		text.Say("PAGES", "呼び出し"), text.Say("TICKETS", "チケット"), text.Say("MINUTES EXHAUSTED", "枯渇時間(分)")}, len(r.Choices), func(i int) []any {
		x := r.Choices[i]
		kept := text.Say("no", "いいえ")
		if x.Kept {
			kept = text.Say("yes", "はい")
		}
		return []any{strconv.FormatFloat(x.Objective*100, 'g', 10, 64) + "%", kept.In(s.lang), strconv.FormatFloat(x.BadMinutes, 'f', 1, 64), x.Pages, x.Tickets, x.ExhaustedMinutes}
	})
	return nil
}

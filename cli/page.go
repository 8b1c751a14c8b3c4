package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/page"
)

const pagesPath = "/api/v1/pages"

// ackCmd says that the caller looks after a page.
type ackCmd struct {
	remote
	ID string `arg:"" help:"The id of a page; teiten page lists them."`
}

func (c *ackCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var p page.Info
	if err := to.call(ctx, http.MethodPost, pagesPath+"/"+url.PathEscape(c.ID)+"/acknowledge", nil, nil, &p); err != nil {
		return err
	}
	s.say(text.Say("acknowledged: %s", "応答しました: %s", p.Title))
	return nil
}

// pageCmd lists pages, or says who would be paged.
type pageCmd struct {
	remote
	Test     bool   `help:"Say who would be reached, in which order and when, and send nothing."`
	Policy   string `help:"The escalation policy to test." placeholder:"NAME"`
	Team     string `help:"The team whose policy to test, or whose pages to list." placeholder:"NAME"`
	Severity string `help:"The severity to test: critical, error, warning or info." default:"critical" enum:"critical,error,warning,info"`
	At       string `help:"When it would begin, as 2026-11-23T03:00:00+09:00; now when absent." placeholder:"TIME"`
	Output   string `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *pageCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if c.Test {
		return c.drill(ctx, s, to)
	}
	q := url.Values{}
	if c.Team != "" {
		q.Set("team", c.Team)
	}
	pages, err := everything[page.Info](ctx, to, pagesPath, q)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(pages)
	}
	s.table([]text.Both{text.Say("ID", "ID"), text.Say("BEGAN", "開始"), text.Say("STATE", "状態"), text.Say("TEAM", "チーム"), text.Say("TITLE", "件名")}, len(pages), func(i int) []any {
		p := pages[i]
		return []any{p.ID, p.BeganAt.Local().Format(time.DateTime), p.State, p.Team, p.Title}
	})
	return nil
}

// drill shows the ladder.
func (c *pageCmd) drill(ctx context.Context, s *streams, to *client) error {
	q := url.Values{"severity": {c.Severity}}
	if c.Policy != "" {
		q.Set("policy", c.Policy)
	}
	if c.Team != "" {
		q.Set("team", c.Team)
	}
	if c.At != "" {
		if _, err := time.Parse(time.RFC3339, c.At); err != nil {
			return fault.New(fault.Invalid, "cli.time", text.Say("--at: %q is not a time", "--at: %q は時刻として読めません", c.At)).
				Fix(text.Say("write it as 2026-11-23T03:00:00+09:00", "2026-11-23T03:00:00+09:00 のように書いてください"))
		}
		q.Set("at", c.At)
	}
	var d page.DrillInfo
	if err := to.call(ctx, http.MethodGet, "/api/v1/page-drill", q, nil, &d); err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(d)
	}
	for _, step := range d.Steps {
		fmt.Fprintf(s.out, "+%s  %s\n", (time.Duration(step.After) * time.Second).String(), strings.TrimSpace(step.Source))
		for _, p := range step.People {
			var by []string
			for _, m := range p.Methods {
				by = append(by, m.Type)
			}
			fmt.Fprintf(s.out, "    %s  %s\n", p.Person, strings.Join(by, ", "))
			for _, r := range p.Reasons {
				fmt.Fprintln(s.out, "      "+strings.TrimSpace(r.What.In(s.lang)+"  "+r.At.String()))
			}
		}
		for _, g := range step.Gaps {
			fmt.Fprintln(s.out, "    ! "+strings.TrimSpace(g.What.In(s.lang)+"  "+g.At.String()))
		}
	}
	return nil
}

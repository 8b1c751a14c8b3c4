package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert"
)

const alertsPath = "/api/v1/alerts"

// alertsCmd lists alerts and answers them.
type alertsCmd struct {
	List         alertListCmd    `cmd:"" default:"withargs" help:"List alerts; the open ones unless told otherwise."`
	Groups       alertGroupsCmd  `cmd:"" help:"List groups of alerts, which are what people are paged for."`
	Show         alertShowCmd    `cmd:"" help:"Show an alert or a group."`
	Resolve      alertResolveCmd `cmd:"" help:"End alerts or groups."`
	Judge        alertJudgeCmd   `cmd:"" help:"Say afterwards whether alerts were of use."`
	Unrecognised alertRawCmd     `cmd:"" help:"Show messages that no format knows."`
}

// alertFilter are the flags that pick alerts and groups.
type alertFilter struct {
	All      bool     `help:"Also those that are over."`
	Service  []string `help:"Only those of these services."`
	Team     []string `help:"Only those of these teams."`
	Severity []string `help:"Only those of these severities: critical, error, warning, info."`
	Query    string   `help:"Only those whose title or labels contain this." short:"q" placeholder:"TEXT"`
	Output   string   `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (f *alertFilter) query() url.Values {
	q := url.Values{}
	if !f.All {
		q.Set("state", "open")
	}
	for name, values := range map[string][]string{"service": f.Service, "team": f.Team, "severity": f.Severity} {
		if len(values) > 0 {
			q.Set(name, strings.Join(values, ","))
		}
	}
	if f.Query != "" {
		q.Set("q", f.Query)
	}
	return q
}

type alertListCmd struct {
	remote
	alertFilter
	Integration string `help:"Only those of this integration." placeholder:"NAME"`
}

func (c *alertListCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	q := c.query()
	if c.Integration != "" {
		q.Set("integration", c.Integration)
	}
	all, err := everything[alert.View](ctx, to, alertsPath, q)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(all)
	}
	s.table([]text.Both{text.Say("STATE", "状態"), text.Say("SEVERITY", "重大度"), text.Say("SERVICE", "サービス"), text.Say("TITLE", "内容"), text.Say("SINCE", "開始"), text.Say("TIMES", "回数"), text.Say("ID", "ID")}, len(all), func(i int) []any {
		a := all[i]
		state := string(a.State)
		if a.Suppressed != "" {
			state += " (" + a.Suppressed + ")"
		}
		return []any{state, a.Severity, a.Service, a.Title, a.FiredAt, a.Count, a.ID}
	})
	return nil
}

type alertGroupsCmd struct {
	remote
	alertFilter
}

func (c *alertGroupsCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	all, err := everything[alert.GroupView](ctx, to, alertsPath+"/groups", c.query())
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(all)
	}
	s.table([]text.Both{text.Say("STATE", "状態"), text.Say("SEVERITY", "重大度"), text.Say("SERVICE", "サービス"), text.Say("TITLE", "内容"), text.Say("ALERTS", "アラート"), text.Say("SINCE", "開始"), text.Say("ID", "ID")}, len(all), func(i int) []any {
		g := all[i]
		return []any{g.State, g.Severity, g.Service, g.Title, fmt.Sprintf("%d/%d", g.Count, g.Total), g.OpenedAt, g.ID}
	})
	return nil
}

type alertShowCmd struct {
	remote
	ID string `arg:"" help:"Of an alert or a group."`
}

func (c *alertShowCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var group alert.GroupPage
	if to.call(ctx, http.MethodGet, alertsPath+"/groups/"+url.PathEscape(c.ID), nil, nil, &group) == nil {
		return s.json(group)
	}
	var one alert.Page
	if err := to.call(ctx, http.MethodGet, alertsPath+"/"+url.PathEscape(c.ID), nil, nil, &one); err != nil {
		return err
	}
	return s.json(one)
}

type alertResolveCmd struct {
	remote
	ID []string `arg:"" help:"Of alerts or groups."`
}

func (c *alertResolveCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if err := to.call(ctx, http.MethodPost, alertsPath+"/resolve", nil, map[string]any{"ids": c.ID}, nil); err != nil {
		return err
	}
	s.say(text.Say("resolved", "解消しました"))
	return nil
}

type alertJudgeCmd struct {
	remote
	Usefulness alert.Usefulness `arg:"" enum:"useful,noise,no-action" help:"useful, noise or no-action."`
	ID         []string         `arg:"" help:"Of alerts."`
}

func (c *alertJudgeCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if err := to.call(ctx, http.MethodPost, alertsPath+"/usefulness", nil, map[string]any{"ids": c.ID, "usefulness": c.Usefulness}, nil); err != nil {
		return err
	}
	s.say(text.Say("noted", "記録しました"))
	return nil
}

type alertRawCmd struct {
	remote
	Integration string `help:"Only those of this integration." placeholder:"NAME"`
}

func (c *alertRawCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	q := url.Values{"unrecognised": {"true"}}
	if c.Integration != "" {
		q.Set("integration", c.Integration)
	}
	all, err := everything[alert.RawEvent](ctx, to, alertsPath+"/events", q)
	if err != nil {
		return err
	}
	return s.json(all)
}

// integrationCmd lists the sources of alerts and makes their keys.
type integrationCmd struct {
	List   integrationListCmd   `cmd:"" default:"1" help:"List the sources of alerts, and when each was last heard of."`
	Key    integrationKeyCmd    `cmd:"" help:"Make a key; it is shown once."`
	Revoke integrationRevokeCmd `cmd:"" help:"Revoke a key."`
}

type integrationListCmd struct {
	remote
	Output string `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *integrationListCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	all, err := everything[alert.IntegrationView](ctx, to, alertsPath+"/integrations", url.Values{})
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(all)
	}
	s.table([]text.Both{text.Say("NAME", "名前"), text.Say("FORMAT", "形式"), text.Say("TEAM", "担当"), text.Say("LAST HEARD", "最終受信"), text.Say("MESSAGES", "受信数"), text.Say("UNRECOGNISED", "判読不能"), text.Say("KEYS", "キー")}, len(all), func(i int) []any {
		n := all[i]
		format, seen := n.Spec.Format, any("–")
		if format == "" {
			format = "auto"
		}
		if !n.SeenAt.IsZero() {
			seen = n.SeenAt
		}
		var keys []string
		for _, k := range n.Keys {
			keys = append(keys, k.Hint+" "+k.ID)
		}
		return []any{n.Name, format, n.Team, seen, n.Received, n.Unread, strings.Join(keys, ", ")}
	})
	return nil
}

type integrationKeyCmd struct {
	remote
	Name string `arg:"" help:"Of the integration."`
}

func (c *integrationKeyCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var issued alert.IssuedKey
	if err := to.call(ctx, http.MethodPost, alertsPath+"/integrations/"+url.PathEscape(c.Name)+"/keys", nil, map[string]any{}, &issued); err != nil {
		return err
	}
	// The key alone goes to standard output, so that it can be piped on.
	fmt.Fprintln(s.err, text.Say("Keep this key now: it is not shown again. The source sends to\n%s", "このキーは再表示できません。今すぐ保管してください。送信先は次のとおりです。\n%s", issued.URL).In(s.lang))
	fmt.Fprintln(s.out, issued.Key)
	return nil
}

type integrationRevokeCmd struct {
	remote
	Name string `arg:"" help:"Of the integration."`
	ID   string `arg:"" help:"Of the key; list shows the ids."`
}

func (c *integrationRevokeCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if err := to.call(ctx, http.MethodDelete, alertsPath+"/integrations/"+url.PathEscape(c.Name)+"/keys/"+url.PathEscape(c.ID), nil, nil, nil); err != nil {
		return err
	}
	s.say(text.Say("revoked", "失効させました"))
	return nil
}

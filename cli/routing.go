package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/routing"
)

// routingCmd answers what routes do.
type routingCmd struct {
	Explain  routingExplainCmd  `cmd:"" help:"Say who would hear of an alert, and why."`
	Simulate routingSimulateCmd `cmd:"" help:"Say what documents would have done to the alerts of the last 30 days."`
}

const routingPath = "/api/v1/alert-routing"

type routingExplainCmd struct {
	remote
	Labels []string `arg:"" help:"Labels of the alert: alertname=Down service=checkout."`
}

func (c *routingExplainCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	labels := map[string]string{}
	for _, l := range c.Labels {
		name, value, ok := strings.Cut(l, "=")
		if !ok || name == "" {
			return fault.New(fault.Invalid, "cli.label", text.Say("%q is no label", "%q はラベルとして読めません", l)).
				Fix(text.Say("write name=value", "名前=値 の形で書いてください"))
		}
		labels[name] = value
	}
	var out routing.Explained
	if err := to.call(ctx, http.MethodPost, routingPath+"/explain", nil, map[string]any{"labels": labels}, &out); err != nil {
		return err
	}
	fmt.Fprint(s.out, out.Trace.In(s.lang))
	return nil
}

type routingSimulateCmd struct {
	remote
	inputs
}

func (c *routingSimulateCmd) Run(ctx context.Context, s *streams) error {
	files, err := c.read(s)
	if err != nil {
		return err
	}
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var out routing.Simulated
	if err := to.call(ctx, http.MethodPost, routingPath+"/simulate", nil, map[string]any{"files": files}, &out); err != nil {
		return err
	}
	s.say(out.Said)
	nobody := text.Say("nobody", "なし").In(s.lang)
	for _, m := range out.Moves {
		from, whom := strings.Join(m.From, ", "), strings.Join(m.To, ", ")
		if from == "" {
			from = nobody
		}
		if whom == "" {
			whom = nobody
		}
		fmt.Fprintf(s.out, "%6d  %s → %s\n", m.Alerts, from, whom)
		for _, e := range m.Examples {
			fmt.Fprintf(s.out, "        %s  %s  %s\n", e.FiredAt.Local().Format(time.DateTime), e.Service, e.Title)
		}
	}
	return nil
}

package cli

import (
	"context"
	"fmt"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/exchange"
)

// importCmd turns what other tools read into documents, without a server.
type importCmd struct {
	Sloth     slothCmd           `cmd:"" help:"Turn Sloth's specifications (files, or PrometheusServiceLevel resources) into OpenSLO documents."`
	Oncall    importOncallCmd    `cmd:"" help:"Turn schedules of Grafana OnCall, as its API answers them, into documents."`
	PagerDuty importPagerDutyCmd `cmd:"" name:"pagerduty" help:"Turn schedules of PagerDuty, as its API answers them, into documents."`
	Opsgenie  importOpsgenieCmd  `cmd:"" help:"Turn schedules of Opsgenie, as its API answers them, into documents."`
	Pyrra     pyrraCmd           `cmd:"" help:"Turn Pyrra's ServiceLevelObjective resources into OpenSLO documents."`
}

type importing struct {
	inputs
	Service string `help:"Service of objectives that name none." placeholder:"NAME"`
}

type slothCmd struct {
	importing
	Window string `help:"Period of the objectives, as Sloth's default SLO period." default:"30d" placeholder:"DURATION"`
}

func (c *slothCmd) Run(_ context.Context, s *streams) error {
	return c.turn(s, exchange.Sloth, exchange.Options{Service: c.Service, Window: c.Window})
}

type pyrraCmd struct{ importing }

func (c *pyrraCmd) Run(_ context.Context, s *streams) error {
	return c.turn(s, exchange.Pyrra, exchange.Options{Service: c.Service})
}

// turn writes the documents to standard output, so that they can go to a file or
// straight to apply, and what was not carried over to standard error.
func (c *importing) turn(s *streams, from func([]ascode.File, exchange.Options) (exchange.Result, error), o exchange.Options) error {
	files, err := c.read(s)
	if err != nil {
		return err
	}
	r, err := from(files, o)
	if err != nil {
		return err
	}
	yaml, err := r.YAML()
	if err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintf(s.err, "%s:%d: %s\n", n.Where.File, n.Where.Line, n.What.In(s.lang))
	}
	fmt.Fprintln(s.err, text.Say("%d documents; %d notes on what is different", "%d件の文書を出力しました。相違点は%d件です", len(r.Documents), len(r.Notes)).In(s.lang))
	_, err = fmt.Fprint(s.out, yaml)
	return err
}

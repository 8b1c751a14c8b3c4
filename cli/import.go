package cli

import (
	"context"
	"fmt"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/exchange"
	alertexchange "github.com/teiten/teiten/respond/alert/exchange"
)

// importCmd turns what other tools read into documents, without a server.
type importCmd struct {
	Sloth        slothCmd           `cmd:"" help:"Turn Sloth's specifications (files, or PrometheusServiceLevel resources) into OpenSLO documents."`
	Oncall       importOncallCmd    `cmd:"" help:"Turn schedules of Grafana OnCall, as its API answers them, into documents."`
	PagerDuty    importPagerDutyCmd `cmd:"" name:"pagerduty" help:"Turn schedules of PagerDuty, as its API answers them, into documents."`
	Opsgenie     importOpsgenieCmd  `cmd:"" help:"Turn schedules of Opsgenie, as its API answers them, into documents."`
	Pyrra        pyrraCmd           `cmd:"" help:"Turn Pyrra's ServiceLevelObjective resources into OpenSLO documents."`
	Alertmanager alertmanagerCmd    `cmd:"" help:"Turn a configuration of Alertmanager into an AlertRouting and its channels."`
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

type alertmanagerCmd struct {
	inputs
	Name string `help:"Name of the AlertRouting." default:"alertmanager" placeholder:"NAME"`
	Team string `help:"The team whose routing it becomes; the organisation's where absent." placeholder:"TEAM"`
}

func (c *alertmanagerCmd) Run(_ context.Context, s *streams) error {
	files, err := c.read(s)
	if err != nil {
		return err
	}
	var r alertexchange.Result
	for _, f := range files {
		one, err := alertexchange.Alertmanager(f, alertexchange.Options{Name: c.Name, Team: c.Team})
		if err != nil {
			return err
		}
		r.Documents, r.Notes = append(r.Documents, one.Documents...), append(r.Notes, one.Notes...)
	}
	yaml, err := r.YAML()
	if err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintf(s.err, "%s:%d: %s\n", n.Where.File, n.Where.Line, n.What.In(s.lang))
	}
	s.carried(len(r.Documents), len(r.Notes))
	_, err = fmt.Fprint(s.out, yaml)
	return err
}

// carried says how much became documents.
func (s *streams) carried(documents, notes int) {
	fmt.Fprintln(s.err, text.Say("%d documents; %d notes on what is different", "%d件の文書を出力しました。相違点は%d件です", documents, notes).In(s.lang))
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
	s.carried(len(r.Documents), len(r.Notes))
	_, err = fmt.Fprint(s.out, yaml)
	return err
}

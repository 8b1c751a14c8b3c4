package cli

import (
	"context"
	"fmt"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall/exchange"
)

// importingSchedules are the flags of imports of on-call schedules.
type importingSchedules struct {
	inputs
	Owner string `help:"Team of the schedules; by default the one that the export names." placeholder:"TEAM"`
}

type (
	importOncallCmd    struct{ importingSchedules }
	importPagerDutyCmd struct{ importingSchedules }
	importOpsgenieCmd  struct{ importingSchedules }
)

func (c *importOncallCmd) Run(_ context.Context, s *streams) error {
	return c.turn(s, exchange.GrafanaOnCall)
}

func (c *importPagerDutyCmd) Run(_ context.Context, s *streams) error {
	return c.turn(s, exchange.PagerDuty)
}

func (c *importOpsgenieCmd) Run(_ context.Context, s *streams) error {
	return c.turn(s, exchange.Opsgenie)
}

// turn writes the documents to standard output, and what was not carried over to
// standard error.
func (c *importingSchedules) turn(s *streams, from func([]ascode.File, exchange.Options) (exchange.Result, error)) error {
	files, err := c.read(s)
	if err != nil {
		return err
	}
	r, err := from(files, exchange.Options{Owner: c.Owner})
	if err != nil {
		return err
	}
	yaml, err := r.YAML()
	if err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintf(s.err, "%s: %s\n", n.Schedule, n.What.In(s.lang))
	}
	fmt.Fprintln(s.err, text.Say("%d documents; %d notes on what is different", "%d件の文書を出力しました。相違点は%d件です", len(r.Documents), len(r.Notes)).In(s.lang))
	_, err = fmt.Fprint(s.out, yaml)
	return err
}

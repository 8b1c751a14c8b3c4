package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/routing"
)

// silenceCmd keeps alerts from people for a time.
type silenceCmd struct {
	Add  silenceAddCmd  `cmd:"" help:"Keep alerts from people for a time."`
	List silenceListCmd `cmd:"" help:"List silences."`
	End  silenceEndCmd  `cmd:"" help:"End a silence now."`
}

const silencesPath = "/api/v1/silences"

type silenceAddCmd struct {
	remote
	Matchers []string `arg:"" help:"Which alerts: service=checkout, severity=~\"warning|info\". All have to hold."`
	Reason   string   `help:"Why these alerts need nobody." required:"" placeholder:"TEXT"`
	For      string   `help:"How long: 30m, 2h, 1d." default:"2h" placeholder:"DURATION"`
	DryRun   bool     `help:"Only tell what it would have hidden in the last 7 days."`
	Confirm  string   `help:"The word that a broad silence asks for." placeholder:"WORD"`
}

func (c *silenceAddCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var out routing.Silenced
	body := map[string]any{"matchers": c.Matchers, "reason": c.Reason, "duration": c.For, "dryRun": c.DryRun, "confirm": c.Confirm}
	if err := to.call(ctx, http.MethodPost, silencesPath, nil, body, &out); err != nil {
		return err
	}
	h := out.Hides
	fmt.Fprintln(s.err, text.Say("in the last %d days it would have hidden %d of %d alerts, %d of them still open", "過去%d日間では、アラート%[3]d件中%[2]d件(うち発生中%[4]d件)が対象でした", h.Days, h.Alerts, h.Of, h.Open).In(s.lang))
	for _, e := range h.Examples {
		fmt.Fprintf(s.err, "  %s  %s  %s\n", e.FiredAt.Local().Format(time.DateTime), e.Service, e.Title)
	}
	if c.DryRun {
		if h.Confirm != "" {
			fmt.Fprintln(s.err, text.Say("it is broad: add --confirm %s", "範囲が広いため、--confirm %s が必要です", h.Confirm).In(s.lang))
		}
		return nil
	}
	// The id alone goes to standard output, so that it can be piped on.
	fmt.Fprintln(s.out, out.Silence.ID)
	return nil
}

type silenceListCmd struct {
	remote
	State  string `help:"pending, active or expired; all where absent." enum:"pending,active,expired," default:""`
	Output string `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *silenceListCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	q := url.Values{}
	if c.State != "" {
		q.Set("state", c.State)
	}
	all, err := everything[routing.SilenceView](ctx, to, silencesPath, q)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(all)
	}
	s.table([]text.Both{text.Say("ID", "ID"), text.Say("STATE", "状態"), text.Say("MATCHERS", "対象"), text.Say("ENDS", "終了"), text.Say("AUTHOR", "作成者"), text.Say("REASON", "理由")}, len(all), func(i int) []any {
		v := all[i]
		return []any{v.ID, v.State, strings.Join(v.Matchers, " "), v.Ends.Local().Format(time.DateTime), v.Author, v.Reason}
	})
	return nil
}

type silenceEndCmd struct {
	remote
	ID string `arg:"" help:"Which one; list shows the ids."`
}

func (c *silenceEndCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if err := to.call(ctx, http.MethodDelete, silencesPath+"/"+url.PathEscape(c.ID), nil, nil, nil); err != nil {
		return err
	}
	s.say(text.Say("ended", "終了しました"))
	return nil
}

package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// oncallCmd says who is on call, and changes that for a time.
type oncallCmd struct {
	Show     oncallShowCmd     `cmd:"" default:"withargs" help:"Who is on call now and next, or at a time."`
	Override oncallOverrideCmd `cmd:"" help:"Change who is on call for a time."`
	Swap     oncallSwapCmd     `cmd:"" help:"Ask somebody to take a time on call, and answer."`
	Note     oncallNoteCmd     `cmd:"" help:"Leave a note to the next shift, or read the last one."`
}

const schedulesPath = "/api/v1/schedules"

func schedulePath(name, what string) string { return schedulesPath + "/" + url.PathEscape(name) + what }

type oncallShowCmd struct {
	remote
	Schedule string `arg:"" optional:"" help:"One schedule; all by default."`
	At       string `help:"At this time instead of now: 2026-12-01T09:00 on the schedule's clock, or with an offset." placeholder:"TIME"`
	As       string `help:"The past as the configuration was then, or as it is now." enum:"then,now" default:"then"`
	Output   string `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *oncallShowCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if c.Schedule == "" {
		return c.all(ctx, s, to)
	}
	var d oncall.Detail
	if err := to.call(ctx, http.MethodGet, schedulePath(c.Schedule, ""), nil, nil, &d); err != nil {
		return err
	}
	q := url.Values{"as": {c.As}}
	if c.At != "" {
		at, err := instant("--at", c.At, d.TimeZone)
		if err != nil {
			return err
		}
		q.Set("at", at.UTC().Format(time.RFC3339))
	}
	var a oncall.Answer
	if err := to.call(ctx, http.MethodGet, schedulePath(c.Schedule, "/oncall"), q, nil, &a); err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(a)
	}
	s.duties(a, d)
	return nil
}

// duties writes who is on call, why, and what the shift before left.
func (s *streams) duties(a oncall.Answer, d oncall.Detail) {
	s.table([]text.Both{text.Say("ROLE", "役割"), text.Say("ON CALL", "当番"), text.Say("FROM", "開始"), text.Say("UNTIL", "終了"), text.Say("BECAUSE OF", "根拠")}, len(a.Duties), func(i int) []any {
		x := a.Duties[i]
		return []any{x.Role, s.people(x.People), wall(x.From, d.TimeZone), wall(x.To, d.TimeZone), because(x.Source)}
	})
	if d.Gap != nil {
		fmt.Fprintln(s.err, text.Say("nobody will be on call from %s to %s", "%s から %s まで、当番がいません", wall(d.Gap.From, d.TimeZone), wall(d.Gap.To, d.TimeZone)).In(s.lang))
	}
	if d.Handover != nil {
		fmt.Fprintln(s.out, text.Say("\n%s left a note on %s:\n%s", "\n%s さんの引き継ぎメモ(%s):\n%s", d.Handover.CreatedBy.Name, wall(d.Handover.CreatedAt, d.TimeZone), d.Handover.Body).In(s.lang))
	}
}

func (s *streams) people(all []oncall.Person) string {
	if len(all) == 0 {
		return text.Say("nobody", "(なし)").In(s.lang)
	}
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.ID
	}
	return strings.Join(names, ", ")
}

// because names the layer with its line, and the overrides.
func because(x oncall.Source) string {
	said := x.Layer
	if x.File != "" {
		said += fmt.Sprintf(" (%s:%d)", x.File, x.Line)
	}
	if n := len(x.Overrides); n > 0 {
		said += " + override " + strings.Join(x.Overrides, ", ")
	}
	return strings.TrimSpace(said)
}

func wall(t time.Time, zone string) string {
	z, err := time.LoadLocation(zone)
	if err != nil {
		z = time.UTC
	}
	return t.In(z).Format("2006-01-02 15:04 MST")
}

func (c *oncallShowCmd) all(ctx context.Context, s *streams, to *client) error {
	q := url.Values{}
	if c.At != "" {
		at, err := instant("--at", c.At, time.Local.String())
		if err != nil {
			return err
		}
		q.Set("at", at.UTC().Format(time.RFC3339))
	}
	var page httpapi.Page[oncall.Summary]
	if err := to.call(ctx, http.MethodGet, schedulesPath, q, nil, &page); err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(page.Items)
	}
	s.table([]text.Both{text.Say("SCHEDULE", "当番表"), text.Say("NOW", "現在"), text.Say("UNTIL", "終了"), text.Say("NEXT", "次"), text.Say("GAP AHEAD", "この先の空白")}, len(page.Items), func(i int) []any {
		x := page.Items[i]
		now, until, next, gap := "", "", "", "–"
		if len(x.Now) > 0 {
			now, until = s.people(x.Now[0].People), wall(x.Now[0].To, x.TimeZone)
		}
		if len(x.Next) > 0 {
			next = s.people(x.Next[0].People)
		}
		if x.Gap != nil {
			gap = wall(x.Gap.From, x.TimeZone)
		}
		return []any{x.Name, now, until, next, gap}
	})
	return nil
}

// instant reads a time with an offset, or one on the wall clock of a zone.
func instant(flag, s, zone string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	l, err := recur.ParseLocal(s)
	if err == nil {
		z, zoneErr := time.LoadLocation(zone)
		if zoneErr == nil {
			return l.In(z), nil
		}
		err = zoneErr
	}
	return time.Time{}, fault.New(fault.Invalid, "cli.time", text.Say("%s: %q is not a time", "%s: %q は日時として読めません", flag, s)).
		Fix(text.Say("write 2026-12-01T09:00, or 2026-12-01T09:00:00+09:00", "2026-12-01T09:00 または 2026-12-01T09:00:00+09:00 のように書いてください")).Wrap(err)
}

// span are the flags that name a time.
type span struct {
	From string `help:"From when on: 2026-12-01T09:00 on the schedule's clock, or with an offset." required:"" placeholder:"TIME"`
	To   string `help:"Until when." required:"" placeholder:"TIME"`
}

// read asks the server for the schedule's clock, and reads the time by it.
func (c span) read(ctx context.Context, to *client, schedule string) (from, until time.Time, err error) {
	var d oncall.Detail
	if err := to.call(ctx, http.MethodGet, schedulePath(schedule, ""), nil, nil, &d); err != nil {
		return from, until, err
	}
	if from, err = instant("--from", c.From, d.TimeZone); err == nil {
		until, err = instant("--to", c.To, d.TimeZone)
	}
	return from, until, err
}

// oncallOverrideCmd makes overrides and takes them back.
type oncallOverrideCmd struct {
	Add oncallOverrideAddCmd `cmd:"" default:"withargs" help:"Put somebody on call for a time."`
	End oncallOverrideEndCmd `cmd:"" help:"Take an override back; what was so until now stays so."`
}

type oncallOverrideAddCmd struct {
	remote
	span
	Schedule string `arg:"" help:"The schedule."`
	Person   string `arg:"" help:"Who comes, or goes with --change remove; me is you."`
	Instead  string `help:"Who goes; everybody by default." placeholder:"PERSON"`
	Change   string `help:"What to do: replace, add or remove." enum:"replace,add,remove" default:"replace"`
	Role     string `help:"As what: primary, secondary or shadow." enum:"primary,secondary,shadow" default:"primary"`
	Reason   string `help:"Why; everybody can read it." placeholder:"TEXT"`
}

func (c *oncallOverrideAddCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	from, until, err := c.read(ctx, to, c.Schedule)
	if err != nil {
		return err
	}
	var o oncall.Override
	body := oncall.NewOverride{Role: rota.Role(c.Role), Change: rota.Change(c.Change), Person: c.Person, Instead: c.Instead, From: from, To: until, Reason: c.Reason}
	if err := to.call(ctx, http.MethodPost, schedulePath(c.Schedule, "/overrides"), nil, body, &o); err != nil {
		return err
	}
	fmt.Fprintln(s.out, o.ID)
	return nil
}

type oncallOverrideEndCmd struct {
	remote
	ID string `arg:"" help:"Which one; add prints it, and oncall SCHEDULE shows it."`
}

func (c *oncallOverrideEndCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if err := to.call(ctx, http.MethodDelete, "/api/v1/overrides/"+url.PathEscape(c.ID), nil, nil, nil); err != nil {
		return err
	}
	s.say(text.Say("taken back", "取り消しました"))
	return nil
}

// oncallSwapCmd asks for swaps and answers them.
type oncallSwapCmd struct {
	Ask      swapAskCmd      `cmd:"" help:"Ask somebody to take a time of yours."`
	List     swapListCmd     `cmd:"" help:"Swaps of a schedule whose time is not over."`
	Accept   swapAcceptCmd   `cmd:"" help:"Accept a swap."`
	Decline  swapDeclineCmd  `cmd:"" help:"Decline a swap."`
	Withdraw swapWithdrawCmd `cmd:"" help:"Take back a swap that nobody has answered."`
}

type swapAskCmd struct {
	remote
	span
	Schedule string `arg:"" help:"The schedule."`
	Asked    string `arg:"" help:"Who is to take the time."`
	Asker    string `help:"Whose time it is; yours by default." placeholder:"PERSON"`
	Role     string `help:"As what: primary, secondary or shadow." enum:"primary,secondary,shadow" default:"primary"`
	Reason   string `help:"Why; everybody can read it." placeholder:"TEXT"`
}

func (c *swapAskCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	from, until, err := c.read(ctx, to, c.Schedule)
	if err != nil {
		return err
	}
	var w oncall.Swap
	body := oncall.NewSwap{Role: rota.Role(c.Role), Asker: c.Asker, Asked: c.Asked, From: from, To: until, Reason: c.Reason}
	if err := to.call(ctx, http.MethodPost, schedulePath(c.Schedule, "/swaps"), nil, body, &w); err != nil {
		return err
	}
	fmt.Fprintln(s.out, w.ID)
	return nil
}

type swapListCmd struct {
	remote
	Schedule string `arg:"" help:"The schedule."`
	Output   string `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *swapListCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var page httpapi.Page[oncall.Swap]
	if err := to.call(ctx, http.MethodGet, schedulePath(c.Schedule, "/swaps"), nil, nil, &page); err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(page.Items)
	}
	s.table([]text.Both{text.Say("ID", "ID"), text.Say("ASKER", "申込者"), text.Say("ASKED", "相手"), text.Say("FROM", "開始"), text.Say("TO", "終了"), text.Say("STATE", "状態")}, len(page.Items), func(i int) []any {
		w := page.Items[i]
		return []any{w.ID, w.Asker, w.Asked, w.From.Local().Format(time.DateTime), w.To.Local().Format(time.DateTime), w.State}
	})
	return nil
}

// settling answers a swap.
type settling struct {
	remote
	ID string `arg:"" help:"Which one; list shows the ids."`
}

func (c settling) settle(ctx context.Context, s *streams, word string) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var w oncall.Swap
	if err := to.call(ctx, http.MethodPost, "/api/v1/swaps/"+url.PathEscape(c.ID)+"/"+word, nil, nil, &w); err != nil {
		return err
	}
	fmt.Fprintln(s.out, w.State)
	return nil
}

type (
	swapAcceptCmd   struct{ settling }
	swapDeclineCmd  struct{ settling }
	swapWithdrawCmd struct{ settling }
)

func (c *swapAcceptCmd) Run(ctx context.Context, s *streams) error { return c.settle(ctx, s, "accept") }

func (c *swapDeclineCmd) Run(ctx context.Context, s *streams) error {
	return c.settle(ctx, s, "decline")
}

func (c *swapWithdrawCmd) Run(ctx context.Context, s *streams) error {
	return c.settle(ctx, s, "withdraw")
}

// oncallNoteCmd leaves a note to the next shift.
type oncallNoteCmd struct {
	remote
	Schedule string   `arg:"" help:"The schedule."`
	Text     []string `arg:"" optional:"" help:"What the next person has to know; without it the last note is shown."`
}

func (c *oncallNoteCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if len(c.Text) == 0 {
		var page httpapi.Page[oncall.Handover]
		if err := to.call(ctx, http.MethodGet, schedulePath(c.Schedule, "/handovers"), url.Values{"limit": {"1"}}, nil, &page); err != nil {
			return err
		}
		for _, h := range page.Items {
			fmt.Fprintf(s.out, "%s, %s\n%s\n", h.CreatedBy.Name, h.CreatedAt.Local().Format(time.DateTime), h.Body)
		}
		return nil
	}
	if err := to.call(ctx, http.MethodPost, schedulePath(c.Schedule, "/handovers"), nil, map[string]string{"body": strings.Join(c.Text, " ")}, nil); err != nil {
		return err
	}
	s.say(text.Say("left for the next shift", "次の当番に残しました"))
	return nil
}

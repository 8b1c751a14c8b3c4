package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// validateCmd judges documents without a server.
type validateCmd struct {
	inputs
}

func (c *validateCmd) Run(ctx context.Context, s *streams) error {
	files, err := c.read(s)
	if err != nil {
		return err
	}
	return app.Offline(ctx, func(a *app.App) error {
		docs, faults := a.AsCode.Registry().Parse(files)
		if len(faults) > 0 {
			return fault.Join(faults)
		}
		s.say(text.Say("%d documents in %d files are good", "%[2]d個のファイルの%[1]d件の文書に問題はありません", len(docs), len(files)))
		return nil
	})
}

// applying are the flags that diff and apply share.
type applying struct {
	remote
	inputs
	Set   string `help:"What belongs together: what one set applied, no other changes." default:"default" placeholder:"NAME"`
	Prune bool   `help:"Remove what the set holds and the files no longer do."`
}

type applyBody struct {
	Set     string        `json:"set"`
	Files   []ascode.File `json:"files"`
	Prune   bool          `json:"prune,omitempty"`
	Confirm string        `json:"confirm,omitempty"`
}

// plan asks the server what an apply would do.
func (c *applying) plan(ctx context.Context, s *streams) (*client, applyBody, ascode.PlanView, error) {
	var plan ascode.PlanView
	files, err := c.read(s)
	if err != nil {
		return nil, applyBody{}, plan, err
	}
	to, err := c.client(s)
	if err != nil {
		return nil, applyBody{}, plan, err
	}
	body := applyBody{Set: c.Set, Files: files, Prune: c.Prune}
	err = to.call(ctx, http.MethodPost, "/api/v1/plan", nil, body, &plan)
	return to, body, plan, err
}

// diffCmd shows what an apply would do.
type diffCmd struct {
	applying
}

func (c *diffCmd) Run(ctx context.Context, s *streams) error {
	_, _, plan, err := c.plan(ctx, s)
	if err != nil {
		return err
	}
	s.showPlan(plan)
	return nil
}

// applyCmd makes the server hold what the files say.
type applyCmd struct {
	applying
	DryRun bool `help:"Only show what would be done."`
	Yes    bool `help:"Do not ask before something is removed." short:"y"`
}

func (c *applyCmd) Run(ctx context.Context, s *streams) error {
	to, body, plan, err := c.plan(ctx, s)
	if err != nil {
		return err
	}
	s.showPlan(plan)
	if c.DryRun || plan.Empty() {
		return nil
	}
	if plan.Removed > 0 && !c.Yes && !s.agrees(text.Say("Remove %d documents?", "%d件の文書を削除しますか?", plan.Removed)) {
		return fault.New(fault.Conflict, "cli.not_confirmed", text.Say("nothing was changed", "何も変更していません")).
			Fix(text.Say("answer y, or pass --yes", "y と答えるか、--yes を付けてください"))
	}
	body.Confirm = plan.Digest // exactly what was shown, or nothing
	if err := to.call(ctx, http.MethodPost, "/api/v1/apply", nil, body, nil); err != nil {
		return err
	}
	s.say(text.Say("applied", "適用しました"))
	return nil
}

// agrees asks a person; anything but y or yes is a no.
func (s *streams) agrees(question text.Both) bool {
	fmt.Fprint(s.out, question.In(s.lang)+" [y/N] ")
	line, err := bufio.NewReader(s.in).ReadString('\n')
	if err != nil && err != io.EOF {
		return false
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}

var signs = map[ascode.Action]struct{ sign, colour string }{
	ascode.Added:   {"+", "\x1b[32m"},
	ascode.Changed: {"~", "\x1b[33m"},
	ascode.Removed: {"-", "\x1b[31m"},
}

const plainColour = "\x1b[0m"

// showPlan writes a plan as a person reads it, in colour on a terminal.
func (s *streams) showPlan(p ascode.PlanView) {
	for _, c := range p.Changes {
		mark, shown := signs[c.Action]
		if !shown {
			continue
		}
		line := fmt.Sprintf("%s %s %s", mark.sign, c.Kind, c.Name)
		if c.File != "" {
			line += fmt.Sprintf("  (%s:%d)", c.File, c.Line)
		}
		fmt.Fprintln(s.out, s.coloured(line, mark.colour))
		for _, f := range c.Fields {
			fmt.Fprintf(s.out, "    %s: %s → %s\n", f.Path, orNothing(f.Before), orNothing(f.After))
		}
	}
	for _, w := range p.Warnings {
		line := text.Say("warning: ", "警告: ").In(s.lang)
		if w.Where != nil {
			line += w.Where.String() + ": "
		}
		line += w.Detail
		if w.Remedy != "" {
			line += " — " + w.Remedy
		}
		fmt.Fprintln(s.out, s.coloured(line, signs[ascode.Changed].colour))
	}
	s.say(text.Say("%d to add, %d to change, %d to remove, %d unchanged", "追加%d件、変更%d件、削除%d件、変更なし%d件", p.Added, p.Changed, p.Removed, p.Same))
}

func orNothing(v string) string {
	if v == "" {
		return "∅"
	}
	return v
}

func (s *streams) coloured(line, colour string) string {
	f, ok := s.out.(*os.File)
	if !ok || s.env("NO_COLOR") != "" {
		return line
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return line
	}
	return colour + line + plainColour
}

package cli

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// journalCmd reads the journal.
type journalCmd struct {
	List   journalListCmd   `cmd:"" help:"What happened, newest first."`
	Verify journalVerifyCmd `cmd:"" help:"Compute every seal again and compare."`
}

type journalListCmd struct {
	remote
	Kind    []string `help:"Only these kinds; one may end in .*" placeholder:"KIND"`
	Subject string   `help:"Only what touches this, such as service:checkout." placeholder:"REF"`
	Since   string   `help:"Only the last so long, such as 24h." default:"24h" placeholder:"TIME"`
	Output  string   `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *journalListCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	since, err := time.ParseDuration(c.Since)
	if err != nil {
		return fault.New(fault.Invalid, "cli.since", text.Say("--since: %q is not a duration", "--since: %q は時間の長さとして読めません", c.Since)).
			Fix(text.Say("write 90m or 24h", "90m や 24h のように書いてください"))
	}
	q := url.Values{"kind": c.Kind, "from": {time.Now().Add(-since).UTC().Format(time.RFC3339)}}
	if c.Subject != "" {
		q.Set("subject", c.Subject)
	}
	entries, err := everything[journal.Entry](ctx, to, "/api/v1/journal", q)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(entries)
	}
	s.table([]text.Both{text.Say("TIME", "日時"), text.Say("WHAT", "内容"), text.Say("SUBJECT", "対象"), text.Say("BY", "実行者")}, len(entries), func(i int) []any {
		e := entries[i]
		return []any{e.Time.Local().Format(time.DateTime), e.Kind, e.Subject, e.Actor.Name}
	})
	return nil
}

type journalVerifyCmd struct {
	remote
}

func (c *journalVerifyCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var v journal.Verification
	if err := to.call(ctx, http.MethodPost, "/api/v1/journal/verify", nil, nil, &v); err != nil {
		return err
	}
	if v.Broken != 0 {
		return fault.New(fault.Conflict, "cli.journal_broken",
			text.Say("the journal was tampered with: seal %d does not hold (%s)", "ジャーナルが改ざんされています。封印 %d が一致しません(%s)", v.Broken, v.Problem)).
			Fix(text.Say("compare with a backup, and with the hashes you kept elsewhere", "バックアップや、別に保管したハッシュと照合してください"))
	}
	s.say(text.Say("%d seals over %d entries hold; %d entries are not sealed yet\nlast seal: %s",
		"%d件の封印(記録%d件)はすべて一致しました。未封印の記録は%d件です\n最後の封印: %s", v.Seals, v.Entries, v.Unsealed, v.Last))
	return nil
}

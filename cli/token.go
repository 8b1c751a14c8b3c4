package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// tokenCmd makes, lists and revokes tokens.
type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token; it is shown once."`
	List   tokenListCmd   `cmd:"" help:"List tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke a token."`
}

const tokensPath = "/api/v1/tokens"

type tokenCreateCmd struct {
	remote
	Name    string          `arg:"" help:"What it is for."`
	Scope   []httpapi.Scope `help:"What it may do, such as ascode:write; repeat or separate by commas." required:""`
	Days    int             `help:"After how many days it expires." default:"90"`
	Service bool            `help:"A token of a program, not of a person."`
}

func (c *tokenCreateCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	kind := "personal"
	if c.Service {
		kind = "service"
	}
	var made access.IssuedToken
	body := map[string]any{"name": c.Name, "kind": kind, "scopes": c.Scope, "days": c.Days}
	if err := to.call(ctx, http.MethodPost, tokensPath, nil, body, &made); err != nil {
		return err
	}
	// The secret alone goes to standard output, so that it can be piped on.
	fmt.Fprintln(s.err, text.Say("Keep this token now: it is not shown again. It expires on %s.", "このトークンは再表示できません。今すぐ保管してください。有効期限は %s です。", made.Info.ExpiresAt.Format(time.DateOnly)).In(s.lang))
	fmt.Fprintln(s.out, made.Token)
	return nil
}

type tokenListCmd struct {
	remote
	All    bool   `help:"Everybody's, for administrators."`
	Output string `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *tokenListCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	q := url.Values{}
	if c.All {
		q.Set("all", "true")
	}
	tokens, err := everything[access.TokenInfo](ctx, to, tokensPath, q)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(tokens)
	}
	s.table([]text.Both{text.Say("ID", "ID"), text.Say("NAME", "名前"), text.Say("BEGINS", "先頭"), text.Say("SCOPES", "権限"), text.Say("EXPIRES", "期限")}, len(tokens), func(i int) []any {
		t := tokens[i]
		scopes := make([]string, len(t.Scopes))
		for i, scope := range t.Scopes {
			scopes[i] = string(scope)
		}
		return []any{t.ID, t.Name, t.Hint, strings.Join(scopes, " "), t.ExpiresAt.Format(time.DateOnly)}
	})
	return nil
}

type tokenRevokeCmd struct {
	remote
	ID string `arg:"" help:"Which one; list shows the ids."`
}

func (c *tokenRevokeCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if err := to.call(ctx, http.MethodDelete, tokensPath+"/"+url.PathEscape(c.ID), nil, nil, nil); err != nil {
		return err
	}
	s.say(text.Say("revoked", "失効させました"))
	return nil
}

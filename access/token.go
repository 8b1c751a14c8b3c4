package access

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// TokenKind tells whose a token is.
type TokenKind string

// The kinds of token. A personal one can never do more than its person can now,
// and ends with them; a service one has a role of its own.
const (
	PersonalToken TokenKind = "personal"
	ServiceToken  TokenKind = "service"
)

// TokenInfo is what is known of a token. The token itself is shown once, when it
// is made, and stored as a hash.
type TokenInfo struct {
	ID         string          `json:"id"`
	Kind       TokenKind       `json:"kind" enum:"personal,service"`
	Name       string          `json:"name"`
	Hint       string          `json:"hint" doc:"How the token begins, to recognise it by."`
	UserID     string          `json:"userId" doc:"Whose it is, or for a service token who made it."`
	Role       Role            `json:"role,omitempty" doc:"Of a service token."`
	Scopes     []httpapi.Scope `json:"scopes"`
	CreatedAt  time.Time       `json:"createdAt"`
	ExpiresAt  time.Time       `json:"expiresAt"`
	LastUsedAt *time.Time      `json:"lastUsedAt,omitempty" doc:"To within a few minutes."`
}

// Ref is how the journal names the token.
func (t TokenInfo) Ref() journal.Ref { return journal.RefTo("token", t.ID) }

// NewToken describes a token to be made.
type NewToken struct {
	Name   string          `json:"name" minLength:"1" maxLength:"100" doc:"What it is for."`
	Kind   TokenKind       `json:"kind,omitempty" enum:"personal,service" default:"personal"`
	Scopes []httpapi.Scope `json:"scopes" minItems:"1" maxItems:"50" doc:"What it may do, at most what its maker may. probe:run@NAME is for one location."`
	Days   int             `json:"days,omitempty" minimum:"1" maximum:"366" default:"90" doc:"After how many days it expires."`
}

const (
	standardTokenDays = 90
	mostTokenDays     = 366
)

// check tidies what was asked for and returns what p may not give.
func (n NewToken) check(p Principal) (NewToken, error) {
	n.Name = strings.TrimSpace(n.Name)
	if n.Kind == "" {
		n.Kind = PersonalToken
	}
	if n.Days == 0 {
		n.Days = standardTokenDays
	}
	if n.Name == "" || utf8.RuneCountInString(n.Name) > 100 || strings.ContainsFunc(n.Name, unicode.IsControl) {
		return n, fault.New(fault.Invalid, "access.token_name", text.Say("a token's name has 1 to 100 characters", "トークンの名前は1〜100文字です")).On("body.name")
	}
	if n.Days < 1 || n.Days > mostTokenDays {
		return n, fault.New(fault.Invalid, "access.token_days", text.Say("a token lives for 1 to %d days", "トークンの有効期間は1〜%d日です", mostTokenDays)).On("body.days")
	}
	slices.Sort(n.Scopes)
	n.Scopes = slices.Compact(n.Scopes)
	return n, n.checkPower(p)
}

// checkPower returns what the token would be able to do beyond its maker.
func (n NewToken) checkPower(p Principal) error {
	for _, s := range n.Scopes {
		if !known(s) {
			return fault.New(fault.Invalid, "access.scope_unknown", text.Say("there is no scope %q", "%q というスコープはありません", string(s))).On("body.scopes")
		}
		if !covers(p.Scopes, s) {
			return fault.New(fault.Denied, "access.scope_beyond", text.Say("you do not have the scope %s yourself", "自分が持っていないスコープ %s は付けられません", string(s))).
				Fix(text.Say("leave it out", "このスコープを外してください")).On("body.scopes")
		}
	}
	switch n.Kind {
	case PersonalToken:
		if p.Kind == System || p.UserID == "" {
			return fault.New(fault.Invalid, "access.token_kind", text.Say("only a person can make a personal token", "個人トークンを作れるのは利用者本人だけです")).On("body.kind")
		}
	case ServiceToken:
		if !p.Has(AccessAdmin) {
			return httpapi.Forbidden(AccessAdmin)
		}
	default:
		return fault.New(fault.Invalid, "access.token_kind", text.Say("a token is personal or service", "種類は personal か service です")).On("body.kind")
	}
	if len(n.Scopes) == 0 {
		return fault.New(fault.Invalid, "access.scopes", text.Say("a token needs at least one scope", "スコープを1つ以上指定してください")).On("body.scopes")
	}
	return nil
}

// roleFor is the least role that has all the scopes: what a service token counts
// as where roles are compared.
func roleFor(scopes []httpapi.Scope) Role {
	for i := range roles {
		r := roles[i].role
		if len(intersect(scopes, r.Scopes())) == len(scopes) {
			return r
		}
	}
	return Admin
}

func noToken() error {
	return fault.New(fault.NotFound, "access.no_token", text.Say("there is no such token", "該当するトークンが見つかりません"))
}

// Package access says who may do what.
//
// It holds the people of a small team, the roles they have, and the ways in
// which they and their programs prove who they are: a password that opens a
// session in a browser, a token for everything else, and one-time links for the
// first steps. It knows nothing of what it guards: rooms name a scope for each
// operation and ask MayEdit where a team owns the thing.
package access

import (
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// The scopes that operations need. A role is a set of them; a token has some of
// its owner's.
const (
	JournalRead  httpapi.Scope = "journal:read"
	CatalogRead  httpapi.Scope = "catalog:read"
	CatalogWrite httpapi.Scope = "catalog:write"
	SLORead      httpapi.Scope = "slo:read"
	SLOWrite     httpapi.Scope = "slo:write"
	MetricsRead  httpapi.Scope = "metrics:read"
	MetricsWrite httpapi.Scope = "metrics:write"
	MeasureRead  httpapi.Scope = "measure:read"
	NotifyRead   httpapi.Scope = "notify:read"
	NotifyWrite  httpapi.Scope = "notify:write"
	AsCodeRead   httpapi.Scope = "ascode:read"
	AsCodeWrite  httpapi.Scope = "ascode:write"
	AccessRead   httpapi.Scope = "access:read"
	AccessAdmin  httpapi.Scope = "access:admin"
	SystemRead   httpapi.Scope = "system:read"
	SystemAdmin  httpapi.Scope = "system:admin"
	EventsWrite  httpapi.Scope = "events:write"
	ProbeRun     httpapi.Scope = "probe:run"
	AlertRead    httpapi.Scope = "alert:read"
	AlertWrite   httpapi.Scope = "alert:write"
	AlertManage  httpapi.Scope = "alert:manage"
	OncallRead   httpapi.Scope = "oncall:read"
	OncallWrite  httpapi.Scope = "oncall:write"
	PageRead     httpapi.Scope = "page:read"
	PageAnswer   httpapi.Scope = "page:answer"

	IncidentRead  httpapi.Scope = "incident:read"
	IncidentWrite httpapi.Scope = "incident:write"
)

// Role is what a person may do everywhere. Each role includes those before it:
// viewer, responder, editor, admin.
type Role string

// The roles. Owning a team is not a role but a membership: who owns a team may
// edit what the team owns, whatever their role.
const (
	Viewer    Role = "viewer"
	Responder Role = "responder"
	Editor    Role = "editor"
	Admin     Role = "admin"
)

// roles lists the roles in order, each with what it adds to the one before.
var roles = []struct {
	role  Role
	title text.Both
	about text.Both
	adds  []httpapi.Scope
}{
	{Viewer, text.Say("Viewer", "閲覧者"), text.Say("Reads everything but the list of people.", "利用者の一覧以外のすべてを閲覧できます。"),
		[]httpapi.Scope{JournalRead, CatalogRead, SLORead, MetricsRead, MeasureRead, NotifyRead, AsCodeRead, SystemRead, OncallRead, AlertRead, PageRead, IncidentRead}},
	{Responder, text.Say("Responder", "対応者"), text.Say("Reads everything, answers alerts, leads incidents and swaps shifts.", "すべてを閲覧し、アラートやインシデントへの対応と当番の交代ができます。"),
		[]httpapi.Scope{AccessRead, OncallWrite, AlertWrite, PageAnswer, IncidentWrite}},
	{Editor, text.Say("Editor", "編集者"), text.Say("Also changes objectives, channels and the catalog.", "加えて、目標・通知先・カタログを変更できます。"),
		[]httpapi.Scope{CatalogWrite, SLOWrite, NotifyWrite, AsCodeWrite, EventsWrite, MetricsWrite, AlertManage}},
	{Admin, text.Say("Administrator", "管理者"), text.Say("Also manages people, tokens and the system.", "加えて、利用者・トークン・システムを管理できます。"),
		[]httpapi.Scope{AccessAdmin, SystemAdmin, ProbeRun}},
}

// ownerScopes are what owning a team adds; MayEdit narrows them to what the
// team owns.
var ownerScopes = []httpapi.Scope{CatalogWrite, SLOWrite, NotifyWrite, AsCodeWrite, OncallWrite, AlertManage}

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool { return r.rank() >= 0 }

// AtLeast reports whether r includes other.
func (r Role) AtLeast(other Role) bool { return r.Valid() && r.rank() >= other.rank() }

func (r Role) rank() int {
	for i := range roles {
		if roles[i].role == r {
			return i
		}
	}
	return -1
}

// Scopes returns what a role may do, in order.
func (r Role) Scopes() []httpapi.Scope {
	var all []httpapi.Scope
	for i := range roles {
		if i <= r.rank() {
			all = append(all, roles[i].adds...)
		}
	}
	return all
}

// AllScopes lists every scope there is.
func AllScopes() []httpapi.Scope { return Admin.Scopes() }

// Kind tells what sort of principal acts.
type Kind string

// The sorts of principal.
const (
	Person Kind = "person"
	Token  Kind = "token"
	System Kind = "system"
)

// Principal is who acts: a person in a session, a token, or the product itself.
// Owns holds references of teams, "team:payments". Scopes is what it may do
// after everything was taken into account.
type Principal struct {
	Kind      Kind
	UserID    string // also of the person a personal token belongs to
	TokenID   string
	SessionID string
	Name      string
	Login     string // of a person, an e-mail address
	Role      Role
	Owns      []string
	Scopes    []httpapi.Scope
	Language  text.Lang

	until time.Time // when a token ends; zero for others
}

// Has reports whether the principal has a scope. Everybody has Public, and
// every principal SignedIn. A scope that is narrowed to something is had: what it
// is narrowed to is looked at by the operation.
func (p Principal) Has(scope httpapi.Scope) bool {
	return scope == httpapi.Public || scope == httpapi.SignedIn ||
		slices.ContainsFunc(p.Scopes, func(s httpapi.Scope) bool { whole, _ := narrowed(s); return whole == scope })
}

// is reports whether the principal is this person, and no token of theirs: what
// concerns somebody's own account is not for whoever finds a token.
func (p Principal) is(userID string) bool { return p.Kind == Person && p.UserID == userID }

// ID identifies the principal in logs, limits and the journal.
func (p Principal) ID() string {
	switch p.Kind {
	case Token:
		return p.TokenID
	case Person:
		return p.UserID
	}
	return "teiten"
}

func (p Principal) actor() journal.Actor {
	switch p.Kind {
	case Token:
		return journal.Actor{Kind: journal.Token, ID: p.TokenID, Name: p.Name}
	case Person:
		return journal.Actor{Kind: journal.Person, ID: p.UserID, Name: p.Name}
	}
	return journal.Teiten
}

type principalKey struct{}

// WithPrincipal returns a context in which p acts, for the journal as well.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	ctx = context.WithValue(ctx, principalKey{}, p)
	if p.Kind != System {
		ctx = httpapi.WithCaller(ctx, httpapi.Caller{Kind: string(p.Kind), ID: p.ID()})
	}
	ctx = journal.WithActor(ctx, p.actor())
	if id := httpapi.RequestID(ctx); id != "" {
		ctx = journal.WithCause(ctx, id)
	}
	return ctx
}

// AsSystem returns a context in which the product itself acts and may do
// everything: for start-up, the demo and periodic work.
func AsSystem(ctx context.Context) context.Context {
	return WithPrincipal(ctx, Principal{Kind: System, Name: "Teiten", Role: Admin, Scopes: AllScopes()})
}

// From returns who acts, and false where nobody was authenticated.
func From(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// Require returns nil when the principal in ctx has scope, and the Denied fault
// that answers otherwise.
func Require(ctx context.Context, scope httpapi.Scope) error {
	p, ok := From(ctx)
	switch {
	case scope == httpapi.Public:
		return nil
	case !ok:
		return httpapi.Unauthenticated()
	case !p.Has(scope):
		return httpapi.Forbidden(scope)
	}
	return nil
}

// MayEdit returns nil when the principal in ctx may change what ownerTeam owns:
// editors may change everything, and who owns the team may change that. An
// operation's scope has been checked before; a token's role is bounded by it.
// ownerTeam is a team's name or reference; "" is what nobody owns.
func MayEdit(ctx context.Context, ownerTeam string) error {
	p, ok := From(ctx)
	if !ok {
		return httpapi.Unauthenticated()
	}
	if p.Role.AtLeast(Editor) || ownerTeam != "" && slices.Contains(p.Owns, teamRef(ownerTeam)) {
		return nil
	}
	if ownerTeam == "" {
		return fault.New(fault.Denied, "access.not_editor",
			text.Say("nobody owns this, so only editors may change it", "所有チームがないため、変更できるのは編集者だけです")).
			Fix(text.Say("ask an administrator for the editor role", "管理者に編集者ロールを依頼してください"))
	}
	return fault.New(fault.Denied, "access.not_owner",
		text.Say("only editors and the owners of %s may change this", "変更できるのは、編集者と %s の所有者だけです", teamRef(ownerTeam))).
		Fix(text.Say("ask an owner of the team, or an administrator for the editor role",
			"チームの所有者に依頼するか、管理者に編集者ロールを依頼してください"))
}

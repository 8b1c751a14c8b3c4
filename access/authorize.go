package access

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/teiten/teiten/access/db"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// The cookies: the session, and the browser that has been seen before.
const (
	SessionCookie = "teiten_session"
	deviceCookie  = "teiten_device"
)

var _ httpapi.Authorizer = (*Service)(nil)

// Authorize finds out who sent r, by its bearer token or else its session, and
// whether they have scope. It returns the context in which they act.
func (s *Service) Authorize(r *http.Request, scope httpapi.Scope) (context.Context, error) {
	if scope == httpapi.Public {
		return r.Context(), nil
	}
	p, err := s.identify(r)
	if err != nil {
		return nil, err
	}
	ctx := WithPrincipal(r.Context(), p)
	return ctx, Require(ctx, scope)
}

// identify returns who sent r. A bad token is refused even where a good session
// came with it: whoever sends a token means it.
func (s *Service) identify(r *http.Request) (Principal, error) {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return Principal{}, badToken()
		}
		return s.byToken(r.Context(), strings.TrimSpace(token))
	}
	if c, err := r.Cookie(SessionCookie); err == nil && c.Value != "" {
		return s.bySession(r, c.Value)
	}
	return Principal{}, httpapi.Unauthenticated()
}

func badToken() error {
	return httpapi.Status(http.StatusUnauthorized, fault.New(fault.Denied, "access.token_invalid",
		text.Say("the token is not valid: mistyped, expired or revoked", "トークンが無効です（誤り、期限切れ、または取り消し済み）")).
		Fix(text.Say("make a new one under Settings → Tokens", "「設定 → トークン」で新しく作成してください")).On("header.Authorization"))
}

func (s *Service) byToken(ctx context.Context, secret string) (Principal, error) {
	if !wellFormed(secret) {
		return Principal{}, badToken()
	}
	q, now := s.read(), s.now()
	row, err := q.GetTokenByHash(ctx, digest(secret))
	ok, err := found(err)
	if err != nil {
		return Principal{}, fmt.Errorf("read token: %w", database.Fault(err))
	}
	info := tokenOf(row)
	if !ok || !now.Before(info.ExpiresAt) {
		return Principal{}, badToken()
	}
	p := Principal{Kind: Token, TokenID: info.ID, UserID: info.UserID, Name: info.Name, Role: info.Role, Scopes: info.Scopes, until: info.ExpiresAt}
	if info.Kind == PersonalToken {
		u, err := getUser(ctx, q, info.UserID)
		if fault.KindOf(err) == fault.NotFound || err == nil && u.disabled {
			return Principal{}, badToken()
		}
		if err != nil {
			return Principal{}, err
		}
		p.Name, p.Role, p.Owns, p.Language = info.Name+" ("+u.Name+")", u.Role, u.Teams, u.Language
		p.Scopes = intersect(info.Scopes, u.scopes())
	} else {
		p.UserID = "" // made by a person, but not acting for one
	}
	if info.LastUsedAt == nil || now.Sub(*info.LastUsedAt) >= usedEvery {
		err := s.write(ctx, func(ctx context.Context, _ *sql.Tx, q *db.Queries) error {
			return q.TouchToken(ctx, db.TouchTokenParams{ID: info.ID, At: database.Micros(now)})
		})
		s.logTouch(ctx, "token", info.ID, err)
	}
	return p, nil
}

func intersect(a, b []httpapi.Scope) []httpapi.Scope {
	return slices.DeleteFunc(slices.Clone(a), func(s httpapi.Scope) bool { return !covers(b, s) })
}

func (s *Service) bySession(r *http.Request, secret string) (Principal, error) {
	ctx, q, now := r.Context(), s.read(), s.now()
	row, err := q.GetSessionByHash(ctx, digest(secret))
	ok, err := found(err)
	if err != nil {
		return Principal{}, fmt.Errorf("read session: %w", database.Fault(err))
	}
	session := sessionOf(row)
	if !ok || !session.alive(now) {
		return Principal{}, httpapi.Unauthenticated()
	}
	u, err := getUser(ctx, q, session.UserID)
	if fault.KindOf(err) == fault.NotFound || err == nil && u.disabled {
		return Principal{}, httpapi.Unauthenticated()
	}
	if err != nil {
		return Principal{}, err
	}
	// A page left open keeps its stream, but does not count as a person there.
	if now.Sub(session.SeenAt) >= seenEvery && !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		err := s.write(ctx, func(ctx context.Context, _ *sql.Tx, q *db.Queries) error {
			return q.TouchSession(ctx, db.TouchSessionParams{ID: session.ID, At: database.Micros(now), Address: httpapi.ClientIP(ctx).String()})
		})
		s.logTouch(ctx, "session", session.ID, err)
	}
	p := u.principal()
	p.SessionID = session.ID
	return p, nil
}

// logTouch reports that a last use was not noted. That must not refuse the
// request: with a full disk, people still need to read.
func (s *Service) logTouch(ctx context.Context, what, id string, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "last use not noted", what, id, "error", err)
	}
}

package access

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/teiten/teiten/access/db"
	"github.com/teiten/teiten/kit/database"
)

// IssueToken makes a token and returns it: the only time it can be read. It can
// do at most what the principal in ctx can, and a token made with a token does
// not outlive it.
func (s *Service) IssueToken(ctx context.Context, n NewToken) (secret string, info TokenInfo, err error) {
	p, ok := From(ctx)
	if !ok {
		return "", info, onlyPersons()
	}
	if n, err = n.check(p); err != nil {
		return "", info, err
	}
	id, err := newID()
	if err != nil {
		return "", info, err
	}
	secret = newToken()
	now := s.stamp()
	info = TokenInfo{
		ID: id, Kind: n.Kind, Name: n.Name, Hint: secret[:tokenHintSize] + "…", UserID: p.UserID,
		Scopes: n.Scopes, CreatedAt: now, ExpiresAt: now.Add(time.Duration(n.Days) * 24 * time.Hour),
	}
	if n.Kind == ServiceToken {
		info.Role = roleFor(n.Scopes)
	}
	if !p.until.IsZero() && info.ExpiresAt.After(p.until) {
		info.ExpiresAt = p.until
	}
	scopes, err := json.Marshal(info.Scopes)
	if err != nil {
		return "", info, fmt.Errorf("write scopes: %w", err)
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		err := q.InsertToken(ctx, db.InsertTokenParams{
			ID: id, Hash: digest(secret), Hint: info.Hint, Kind: string(info.Kind), UserID: info.UserID, Name: info.Name,
			Role: string(info.Role), Scopes: string(scopes), CreatedAt: database.Micros(now), ExpiresAt: database.Micros(info.ExpiresAt),
		})
		if err != nil {
			return fmt.Errorf("save token: %w", err)
		}
		return s.note(ctx, tx, "access.token_created", info.Ref(),
			map[string]any{"name": info.Name, "kind": info.Kind, "scopes": info.Scopes, "expiresAt": info.ExpiresAt},
			User{ID: info.UserID}.Ref())
	})
	return secret, info, err
}

// Tokens returns one's own personal tokens, or with everybody all tokens, newest
// first: those with an id before the given one, one more than the limit where
// there are more.
func (s *Service) Tokens(ctx context.Context, everybody bool, before string, limit int) ([]TokenInfo, error) {
	p, ok := From(ctx)
	if !ok {
		return nil, onlyPersons()
	}
	if before == "" {
		before = "~" // after every id
	}
	var rows []db.AccessToken
	var err error
	if everybody {
		if err := Require(ctx, AccessAdmin); err != nil {
			return nil, err
		}
		rows, err = s.read().ListTokens(ctx, db.ListTokensParams{Before: before, Most: int32(limit) + 1})
	} else {
		rows, err = s.read().ListTokensOf(ctx, db.ListTokensOfParams{UserID: p.UserID, Before: before, Most: int32(limit) + 1})
	}
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	tokens := make([]TokenInfo, 0, len(rows))
	for _, row := range rows {
		tokens = append(tokens, tokenOf(row))
	}
	return tokens, nil
}

// mayRevoke reports whether the principal may end a token: administrators any,
// persons their own, and a token itself and those of its person that may do no
// more than it.
func (p Principal) mayRevoke(t TokenInfo) bool {
	if p.Has(AccessAdmin) {
		return true
	}
	if p.Kind == Token && p.TokenID == t.ID {
		return true
	}
	own := p.UserID != "" && t.UserID == p.UserID && t.Kind == PersonalToken
	return own && (p.Kind == Person || len(intersect(t.Scopes, p.Scopes)) == len(t.Scopes))
}

// RevokeToken ends a token at once, where mayRevoke allows it.
func (s *Service) RevokeToken(ctx context.Context, id string) error {
	p, ok := From(ctx)
	if !ok {
		return onlyPersons()
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		row, err := q.GetToken(ctx, id)
		exists, err := found(err)
		if err != nil {
			return fmt.Errorf("read token %s: %w", id, err)
		}
		if !exists || !p.mayRevoke(tokenOf(row)) {
			return noToken()
		}
		if _, err := q.DeleteToken(ctx, id); err != nil {
			return fmt.Errorf("revoke token %s: %w", id, err)
		}
		info := tokenOf(row)
		return s.note(ctx, tx, "access.token_revoked", info.Ref(),
			map[string]any{"name": info.Name, "kind": info.Kind, "scopes": info.Scopes}, User{ID: row.UserID}.Ref())
	})
}

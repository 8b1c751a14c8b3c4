package access

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/access/db"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the room's tables.
var Migrations = mustSub(migrations, "migrations")

func mustSub(f embed.FS, dir string) fs.FS {
	sub, err := fs.Sub(f, dir)
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return id.String(), nil
}

// found turns "no rows" into false.
func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

func optional(micros int64) *time.Time {
	if micros == 0 {
		return nil
	}
	t := database.Time(micros)
	return &t
}

// userBy completes a row with the teams its person owns.
func userBy(ctx context.Context, q *db.Queries, row db.AccessUser, err error) (User, error) {
	ok, err := found(err)
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	if !ok {
		return User{}, noUser()
	}
	teams, err := q.Memberships(ctx, row.ID)
	if err != nil {
		return User{}, fmt.Errorf("read teams of user %s: %w", row.ID, err)
	}
	u := User{
		ID: row.ID, Login: row.Login, Name: row.Name, Role: Role(row.Role), Teams: teams,
		Language: text.Lang(row.Language), CreatedAt: database.Time(row.CreatedAt), UpdatedAt: database.Time(row.UpdatedAt),
		SignedInAt: optional(row.SignedInAt), disabled: row.Disabled, password: row.Password,
	}
	return u.derived(), nil
}

func getUser(ctx context.Context, q *db.Queries, id string) (User, error) {
	row, err := q.GetUser(ctx, id)
	return userBy(ctx, q, row, err)
}

func getUserByLogin(ctx context.Context, q *db.Queries, login string) (User, error) {
	row, err := q.GetUserByLogin(ctx, login)
	return userBy(ctx, q, row, err)
}

// insertUser stores a new user with their teams.
func insertUser(ctx context.Context, q *db.Queries, u User) error {
	err := q.InsertUser(ctx, db.InsertUserParams{
		ID: u.ID, Login: u.Login, Name: u.Name, Role: string(u.Role), Language: string(u.Language),
		Password: u.password, Disabled: u.disabled,
		CreatedAt: database.Micros(u.CreatedAt), UpdatedAt: database.Micros(u.UpdatedAt),
	})
	if err != nil {
		return fmt.Errorf("save user %s: %w", u.ID, err)
	}
	return putTeams(ctx, q, u)
}

func putTeams(ctx context.Context, q *db.Queries, u User) error {
	if err := q.DeleteMemberships(ctx, u.ID); err != nil {
		return fmt.Errorf("clear teams of user %s: %w", u.ID, err)
	}
	for _, team := range u.Teams {
		if err := q.InsertMembership(ctx, db.InsertMembershipParams{UserID: u.ID, Team: team}); err != nil {
			return fmt.Errorf("save team %s of user %s: %w", team, u.ID, err)
		}
	}
	return nil
}

func sessionOf(row db.AccessSession) Session {
	return Session{
		ID: row.ID, UserID: row.UserID, CreatedAt: database.Time(row.CreatedAt), SeenAt: database.Time(row.SeenAt),
		ExpiresAt: database.Time(row.ExpiresAt), Address: row.Address, Agent: row.Agent,
	}
}

func tokenOf(row db.AccessToken) TokenInfo {
	t := TokenInfo{
		ID: row.ID, Kind: TokenKind(row.Kind), Name: row.Name, Hint: row.Hint, UserID: row.UserID, Role: Role(row.Role),
		Scopes: []httpapi.Scope{}, CreatedAt: database.Time(row.CreatedAt), ExpiresAt: database.Time(row.ExpiresAt),
		LastUsedAt: optional(row.LastUsedAt),
	}
	_ = json.Unmarshal([]byte(row.Scopes), &t.Scopes) // unreadable scopes are none
	return t
}

// takeAttempts locks and reads the failed sign-ins of a subject.
func takeAttempts(ctx context.Context, q *db.Queries, subject string) (attempts, error) {
	row, err := q.TakeAttempts(ctx, subject)
	if err != nil {
		return attempts{}, fmt.Errorf("read failed sign-ins: %w", err)
	}
	return attempts{
		failures: int(row.Failures), last: database.Time(row.LastAt), blockedUntil: database.Time(row.BlockedUntil),
	}, nil
}

func putAttempts(ctx context.Context, q *db.Queries, subject string, a attempts) error {
	err := q.PutAttempts(ctx, db.PutAttemptsParams{
		Subject: subject, Failures: int64(a.failures), LastAt: database.Micros(a.last), BlockedUntil: database.Micros(a.blockedUntil),
	})
	if err != nil {
		return fmt.Errorf("save failed sign-ins: %w", err)
	}
	return nil
}

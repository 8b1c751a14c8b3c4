package access

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/teiten/teiten/access/db"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Deps are what the room stands on. Secure says that people reach the server by
// https, so that cookies may insist on it. Passwords may be left zero.
type Deps struct {
	DB        *database.DB
	Journal   *journal.Journal
	Now       func() time.Time
	BaseURL   string
	Secure    bool
	Log       *slog.Logger
	Passwords Argon2
}

// Service are the room's use cases.
type Service struct {
	db      *database.DB
	journal *journal.Journal
	now     func() time.Time
	baseURL string
	secure  bool
	log     *slog.Logger
	hasher  *hasher
}

// New returns the room over its tables, which are there after
// db.Migrate(ctx, "access", access.Migrations).
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{
		db: d.DB, journal: d.Journal, now: d.Now, baseURL: strings.TrimRight(d.BaseURL, "/"),
		secure: d.Secure, log: d.Log, hasher: newHasher(d.Passwords),
	}
}

func (s *Service) read() *db.Queries { return db.New(s.db.Read()) }

// write runs fn in a transaction.
func (s *Service) write(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx, q *db.Queries) error) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error { return fn(ctx, tx, db.New(tx)) })
}

// note appends to the journal.
func (s *Service) note(ctx context.Context, tx *sql.Tx, kind string, subject journal.Ref, data any, also ...journal.Ref) error {
	_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: subject, Also: also, Data: data})
	return err
}

// UserFilter narrows the list of people.
type UserFilter struct {
	Query string // part of a name or address
	After string // the login after which the page begins
	Limit int
}

// Users returns the people, by login, one more than the limit where there are
// more.
func (s *Service) Users(ctx context.Context, f UserFilter) ([]User, error) {
	if err := Require(ctx, AccessRead); err != nil {
		return nil, err
	}
	q := s.read()
	escaped := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(strings.ToLower(f.Query))
	rows, err := q.ListUsers(ctx, db.ListUsersParams{After: f.After, Pattern: "%" + escaped + "%", Most: int32(f.Limit) + 1})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	users := make([]User, 0, len(rows))
	for _, row := range rows {
		u, err := userBy(ctx, q, row, nil)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, nil
}

// User returns one person. Everybody may see themselves.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	if p, ok := From(ctx); !ok || p.UserID != id {
		if err := Require(ctx, AccessRead); err != nil {
			return User{}, err
		}
	}
	return getUser(ctx, s.read(), id)
}

// AddUser adds a person, who is invited by the one-time link it returns.
func (s *Service) AddUser(ctx context.Context, n NewUser) (u User, link Link, err error) {
	if err := Require(ctx, AccessAdmin); err != nil {
		return u, link, err
	}
	n, err = n.check()
	if err != nil {
		return u, link, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		if u, err = s.insert(ctx, tx, q, n, ""); err != nil {
			return err
		}
		link, err = s.newLink(ctx, q, purposeInvite, u.ID)
		return err
	})
	if database.IsUnique(err) {
		err = loginTaken(n.Login)
	}
	return u, link, err
}

// insert stores a checked new user and notes it.
func (s *Service) insert(ctx context.Context, tx *sql.Tx, q *db.Queries, n NewUser, password string) (User, error) {
	if _, err := getUserByLogin(ctx, q, n.Login); fault.KindOf(err) != fault.NotFound {
		if err == nil {
			err = loginTaken(n.Login)
		}
		return User{}, err
	}
	id, err := newID()
	if err != nil {
		return User{}, err
	}
	now := s.stamp()
	u := User{
		ID: id, Login: n.Login, Name: n.Name, Role: n.Role, Teams: n.Teams, Language: n.Language,
		CreatedAt: now, UpdatedAt: now, password: password,
	}
	u = u.derived()
	if err := insertUser(ctx, q, u); err != nil {
		return User{}, err
	}
	return u, s.note(ctx, tx, "access.user_added", u.Ref(), userData(u))
}

// stamp is the present as the database will give it back.
func (s *Service) stamp() time.Time { return database.Time(database.Micros(s.now())) }

func userData(u User) map[string]any {
	return map[string]any{"login": u.Login, "name": u.Name, "role": u.Role, "teams": u.Teams, "language": u.Language, "state": u.state()}
}

func loginTaken(login string) error {
	return fault.New(fault.Conflict, "access.login_taken", text.Say("%s is already there", "%s はすでに登録されています", login)).
		Fix(text.Say("change the person in the list instead", "一覧からその利用者を変更してください")).On("body.login")
}

// EnsureUser returns the person with n's login, adding them without an
// invitation if need be. It is for the demo and for start-up.
func (s *Service) EnsureUser(ctx context.Context, n NewUser) (u User, err error) {
	if err := Require(ctx, AccessAdmin); err != nil {
		return u, err
	}
	if n, err = n.check(); err != nil {
		return u, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		u, err = getUserByLogin(ctx, q, n.Login)
		if fault.KindOf(err) == fault.NotFound {
			u, err = s.insert(ctx, tx, q, n, "")
		}
		return err
	})
	return u, err
}

// ChangeUser applies a change to the version of a person that seen names. Who is
// disabled loses their sessions and personal tokens in the same transaction.
func (s *Service) ChangeUser(ctx context.Context, id string, seen func(etag string) error, c UserChange) (after User, err error) {
	if err := Require(ctx, AccessAdmin); err != nil {
		return after, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		if err := q.LockAdmins(ctx); err != nil {
			return fmt.Errorf("lock administrators: %w", err)
		}
		before, err := getUser(ctx, q, id)
		if err != nil {
			return err
		}
		if err := seen(before.Version); err != nil {
			return err
		}
		if after, err = c.apply(before); err != nil {
			return err
		}
		if err := s.update(ctx, q, before, &after); err != nil {
			return err
		}
		return s.noteChange(ctx, tx, before, after)
	})
	return after, err
}

// update stores a changed user and what follows from the change.
func (s *Service) update(ctx context.Context, q *db.Queries, before User, after *User) error {
	expected := database.Micros(before.UpdatedAt)
	// Strictly later than before, even if the clock is not: it names the version.
	updated := max(database.Micros(s.now()), expected+1)
	n, err := q.UpdateUser(ctx, db.UpdateUserParams{
		ID: after.ID, Name: after.Name, Role: string(after.Role), Language: string(after.Language), Disabled: after.disabled,
		UpdatedAt: updated, Expected: expected,
	})
	if err != nil {
		return fmt.Errorf("save user %s: %w", after.ID, err)
	}
	if n != 1 {
		return fmt.Errorf("save user %s: %d rows changed", after.ID, n)
	}
	after.UpdatedAt = database.Time(updated)
	*after = after.derived()
	if err := putTeams(ctx, q, *after); err != nil {
		return err
	}
	if before.administers() && !after.administers() {
		left, err := q.CountAdmins(ctx)
		if err != nil {
			return fmt.Errorf("count administrators: %w", err)
		}
		if left == 0 {
			return lastAdmin()
		}
	}
	if after.disabled && !before.disabled {
		return s.endAll(ctx, q, after.ID)
	}
	return nil
}

// endAll ends everything with which a person could still come in.
func (s *Service) endAll(ctx context.Context, q *db.Queries, userID string) error {
	if _, err := q.DeleteSessionsOf(ctx, db.DeleteSessionsOfParams{UserID: userID}); err != nil {
		return fmt.Errorf("end sessions of user %s: %w", userID, err)
	}
	if _, err := q.DeletePersonalTokensOf(ctx, userID); err != nil {
		return fmt.Errorf("end tokens of user %s: %w", userID, err)
	}
	if err := q.DeleteAllLinksOf(ctx, userID); err != nil {
		return fmt.Errorf("end links of user %s: %w", userID, err)
	}
	if err := q.DeleteDevicesOf(ctx, userID); err != nil {
		return fmt.Errorf("forget browsers of user %s: %w", userID, err)
	}
	return nil
}

func (s *Service) noteChange(ctx context.Context, tx *sql.Tx, before, after User) error {
	kind := "access.user_changed"
	if before.Role != after.Role || strings.Join(before.Teams, " ") != strings.Join(after.Teams, " ") {
		kind = "access.role_changed"
	}
	return s.note(ctx, tx, kind, after.Ref(), map[string]any{"before": userData(before), "after": userData(after)})
}

// ChangeSelf lets a person change their own name and language.
func (s *Service) ChangeSelf(ctx context.Context, name *string, lang *text.Lang) (after User, err error) {
	p, ok := From(ctx)
	if !ok || p.Kind != Person {
		return after, onlyPersons()
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		before, err := getUser(ctx, q, p.UserID)
		if err != nil {
			return err
		}
		if after, err = (UserChange{Name: name, Language: lang}).apply(before); err != nil {
			return err
		}
		if err := s.update(ctx, q, before, &after); err != nil {
			return err
		}
		return s.noteChange(ctx, tx, before, after)
	})
	return after, err
}

func onlyPersons() error {
	return fault.New(fault.Denied, "access.only_persons", text.Say("only a person who signed in can do this", "サインインした本人だけが行えます")).
		Fix(text.Say("sign in with a browser", "ブラウザでサインインしてください"))
}

// Sweep deletes what has expired.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.now()
	return s.write(ctx, func(ctx context.Context, _ *sql.Tx, q *db.Queries) error {
		for _, sweep := range []struct {
			what string
			do   func() error
		}{
			{"sessions", func() error {
				return q.SweepSessions(ctx, db.SweepSessionsParams{Now: database.Micros(now), IdleSince: database.Micros(now.Add(-sessionIdle))})
			}},
			{"links", func() error { return q.SweepLinks(ctx, database.Micros(now)) }},
			{"tokens", func() error { return q.SweepTokens(ctx, database.Micros(now.Add(-deviceLife))) }},
			{"attempts", func() error { return q.SweepAttempts(ctx, database.Micros(now.Add(-24*time.Hour))) }},
			{"browsers", func() error { return q.SweepDevices(ctx, database.Micros(now.Add(-deviceLife))) }},
		} {
			if err := sweep.do(); err != nil {
				return fmt.Errorf("sweep %s: %w", sweep.what, err)
			}
		}
		return nil
	})
}

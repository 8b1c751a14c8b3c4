package access

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/teiten/teiten/access/db"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// Visit is what is known of the browser that somebody signs in with. Session
// and Device are the values of its cookies, if any.
type Visit struct {
	Address netip.Addr
	Agent   string
	Session string
	Device  string
}

// Opened is a session that has just begun: the secrets go into cookies and are
// known nowhere else.
type Opened struct {
	User          User
	Session       Session
	SessionSecret string
	DeviceSecret  string
}

// SignIn opens a session for who knows the password. A failed attempt is
// counted before the password is looked at, so that guessing side by side gains
// nothing, and takes as long for an account that does not exist.
func (s *Service) SignIn(ctx context.Context, login, password string, v Visit) (o Opened, err error) {
	login, err = checkLogin(login)
	if err != nil {
		login = "" // as wrong as an unknown one
	}
	t, err := s.beginAttempt(ctx, login, v)
	if err != nil {
		return o, err
	}
	ok, outdated, err := s.hasher.verify(ctx, t.user.password, truncate(password, 4*longestPassword))
	if err != nil {
		return o, fmt.Errorf("verify password: %w", err)
	}
	if !ok || t.user.disabled {
		return o, s.failed(ctx, t, v)
	}
	renewed := ""
	if outdated {
		if renewed, err = s.hasher.hash(ctx, password); err != nil {
			return o, fmt.Errorf("hash password again: %w", err)
		}
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		u, err := getUser(ctx, q, t.user.ID)
		if err != nil {
			return err
		}
		if u.disabled || u.password != t.user.password { // changed while we were hashing
			return wrongPassword()
		}
		if renewed != "" {
			if err := q.SetPassword(ctx, db.SetPasswordParams{ID: u.ID, Password: renewed}); err != nil {
				return fmt.Errorf("save password of user %s: %w", u.ID, err)
			}
		}
		if err := s.endAttempt(ctx, q, t); err != nil {
			return err
		}
		o, err = s.open(ctx, tx, q, u, v, "password")
		return err
	})
	return o, err
}

// attempt is a sign-in that has been counted as failed until it succeeds.
type attempt struct {
	user             User   // without an ID where there is none
	account, address string // whose failures are counted
}

// beginAttempt refuses the attempt where too many have failed, and counts it.
func (s *Service) beginAttempt(ctx context.Context, login string, v Visit) (t attempt, err error) {
	err = s.write(ctx, func(ctx context.Context, _ *sql.Tx, q *db.Queries) error {
		t = attempt{account: "account:" + digest(login), address: "address:" + httpapi.AddressKey(v.Address)}
		if t.user, err = getUserByLogin(ctx, q, login); err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		if device, err := knownDevice(ctx, q, t.user.ID, v.Device, s.now()); err != nil {
			return err
		} else if device != "" {
			t.account = "device:" + device
		}
		return s.count(ctx, q, t)
	})
	return t, err
}

// count adds a failure to the account and the address, or refuses.
func (s *Service) count(ctx context.Context, q *db.Queries, t attempt) error {
	now := s.now()
	account, err := takeAttempts(ctx, q, t.account)
	if err != nil {
		return err
	}
	address, err := takeAttempts(ctx, q, t.address)
	if err != nil {
		return err
	}
	if wait := max(account.wait(now, perAccount), address.wait(now, perAddress)); wait > 0 {
		return tooManyAttempts(wait)
	}
	if err := putAttempts(ctx, q, t.account, account.fail(now, perAccount)); err != nil {
		return err
	}
	return putAttempts(ctx, q, t.address, address.fail(now, perAddress))
}

// endAttempt forgives the account, and takes this attempt off the address.
func (s *Service) endAttempt(ctx context.Context, q *db.Queries, t attempt) error {
	if err := q.DeleteAttempts(ctx, t.account); err != nil {
		return fmt.Errorf("forgive failed sign-ins: %w", err)
	}
	address, err := takeAttempts(ctx, q, t.address)
	if err != nil {
		return err
	}
	return putAttempts(ctx, q, t.address, address.succeed())
}

// failed notes a failed attempt and returns what the person is told. What was
// typed as the login of nobody is not noted: it may be a password.
func (s *Service) failed(ctx context.Context, t attempt, v Visit) error {
	subject, data := User{ID: "unknown"}.Ref(), map[string]any{"address": v.Address.String()}
	if t.user.ID != "" {
		subject, data["login"], data["disabled"] = t.user.Ref(), t.user.Login, t.user.disabled
	}
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx, _ *db.Queries) error {
		return s.note(ctx, tx, "access.sign_in_failed", subject, data)
	})
	if err != nil {
		return err
	}
	return wrongPassword()
}

func wrongPassword() error {
	return httpapi.Status(http.StatusUnauthorized, fault.New(fault.Denied, "access.wrong_password",
		text.Say("the e-mail address or the password is wrong", "メールアドレスまたはパスワードが違います")).
		Fix(text.Say("check both; an administrator can send you a one-time link", "入力を確認してください。管理者にワンタイムリンクを発行してもらうこともできます")))
}

// knownDevice returns the id of the browser from which this person has signed
// in before, and "" where there is none.
func knownDevice(ctx context.Context, q *db.Queries, userID, secret string, now time.Time) (string, error) {
	if userID == "" || secret == "" {
		return "", nil
	}
	row, err := q.GetDevice(ctx, digest(secret))
	ok, err := found(err)
	if err != nil {
		return "", fmt.Errorf("read browser: %w", err)
	}
	if !ok || row.UserID != userID || now.Sub(database.Time(row.SeenAt)) > deviceLife {
		return "", nil
	}
	return row.ID, nil
}

// open begins a session: always with a new secret, so that one planted before
// signing in is worth nothing, and the browser's old session ends.
func (s *Service) open(ctx context.Context, tx *sql.Tx, q *db.Queries, u User, v Visit, how string) (Opened, error) {
	if u.disabled {
		return Opened{}, wrongPassword()
	}
	if err := s.endOld(ctx, q, v.Session); err != nil {
		return Opened{}, err
	}
	id, err := newID()
	if err != nil {
		return Opened{}, err
	}
	now := s.stamp()
	o := Opened{User: u, SessionSecret: newSecret(), Session: Session{
		ID: id, UserID: u.ID, Current: true, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(sessionLife),
		Address: v.Address.String(), Agent: truncate(v.Agent, 300),
	}}
	err = q.InsertSession(ctx, db.InsertSessionParams{
		ID: id, Hash: digest(o.SessionSecret), UserID: u.ID, CreatedAt: database.Micros(now), SeenAt: database.Micros(now),
		ExpiresAt: database.Micros(o.Session.ExpiresAt), Address: o.Session.Address, Agent: o.Session.Agent,
	})
	if err != nil {
		return Opened{}, fmt.Errorf("open session of user %s: %w", u.ID, err)
	}
	if err := q.SetSignedIn(ctx, db.SetSignedInParams{ID: u.ID, At: database.Micros(now)}); err != nil {
		return Opened{}, fmt.Errorf("note sign-in of user %s: %w", u.ID, err)
	}
	if o.DeviceSecret, err = s.rememberDevice(ctx, q, u, v); err != nil {
		return Opened{}, err
	}
	p := u.principal()
	p.SessionID = id
	return o, s.note(WithPrincipal(ctx, p), tx, "access.signed_in", u.Ref(),
		map[string]any{"login": u.Login, "how": how, "address": o.Session.Address, "agent": o.Session.Agent})
}

func (s *Service) endOld(ctx context.Context, q *db.Queries, secret string) error {
	if secret == "" {
		return nil
	}
	row, err := q.GetSessionByHash(ctx, digest(secret))
	ok, err := found(err)
	if err == nil && ok {
		_, err = q.DeleteSession(ctx, row.ID)
	}
	if err != nil {
		return fmt.Errorf("end the browser's old session: %w", err)
	}
	return nil
}

func (s *Service) rememberDevice(ctx context.Context, q *db.Queries, u User, v Visit) (string, error) {
	known, err := knownDevice(ctx, q, u.ID, v.Device, s.now())
	if err != nil {
		return "", err
	}
	secret := v.Device
	if known == "" {
		secret = newSecret()
		if known, err = newID(); err != nil {
			return "", err
		}
	}
	err = q.PutDevice(ctx, db.PutDeviceParams{Hash: digest(secret), ID: known, UserID: u.ID, SeenAt: database.Micros(s.now())})
	if err != nil {
		return "", fmt.Errorf("remember the browser: %w", err)
	}
	return secret, nil
}

// truncate cuts s to at most n bytes at a rune's end, and drops what is not text.
func truncate(s string, n int) string {
	if len(s) > n {
		s = s[:n]
		for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
			s = s[:len(s)-1]
		}
	}
	return s
}

// SignOut ends the session that is in ctx.
func (s *Service) SignOut(ctx context.Context) error {
	p, ok := From(ctx)
	if !ok || p.SessionID == "" {
		return nil
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		n, err := q.DeleteSession(ctx, p.SessionID)
		if err != nil {
			return fmt.Errorf("end session %s: %w", p.SessionID, err)
		}
		if n == 0 {
			return nil
		}
		return s.note(ctx, tx, "access.signed_out", User{ID: p.UserID}.Ref(), nil)
	})
}

// ChangePassword sets a person's own password. The one before must be known
// where there is one; every other session of the person ends.
func (s *Service) ChangePassword(ctx context.Context, current, next string, v Visit) error {
	p, ok := From(ctx)
	if !ok || p.Kind != Person || p.SessionID == "" {
		return onlyPersons()
	}
	u, err := getUser(ctx, s.read(), p.UserID)
	if err != nil {
		return err
	}
	if err := checkPassword(next, u.Login, u.Name); err != nil {
		return err
	}
	t, err := s.beginAttempt(ctx, u.Login, v)
	if err != nil {
		return err
	}
	if u.password != "" {
		ok, _, err := s.hasher.verify(ctx, u.password, truncate(current, 4*longestPassword))
		if err != nil {
			return fmt.Errorf("verify password: %w", err)
		}
		if !ok {
			return fault.New(fault.Invalid, "access.current_password", text.Say("the present password is wrong", "現在のパスワードが違います")).
				On("body.current")
		}
	}
	hash, err := s.hasher.hash(ctx, next)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		if err := s.endAttempt(ctx, q, t); err != nil {
			return err
		}
		return s.setPassword(ctx, tx, q, u, hash, p.SessionID)
	})
}

// setPassword stores a password and ends every session but keep.
func (s *Service) setPassword(ctx context.Context, tx *sql.Tx, q *db.Queries, u User, hash, keep string) error {
	if err := q.SetPassword(ctx, db.SetPasswordParams{ID: u.ID, Password: hash}); err != nil {
		return fmt.Errorf("save password of user %s: %w", u.ID, err)
	}
	if _, err := q.DeleteSessionsOf(ctx, db.DeleteSessionsOfParams{UserID: u.ID, Keep: keep}); err != nil {
		return fmt.Errorf("end sessions of user %s: %w", u.ID, err)
	}
	return s.note(ctx, tx, "access.user_changed", u.Ref(), map[string]any{"login": u.Login, "password": "changed"})
}

// Sessions returns the live sessions of a person: one's own, or with the scope
// anybody's.
func (s *Service) Sessions(ctx context.Context, userID string) ([]Session, error) {
	p, ok := From(ctx)
	if !ok {
		return nil, httpapi.Unauthenticated()
	}
	if userID == "" {
		userID = p.UserID
	}
	if !p.is(userID) {
		if err := Require(ctx, AccessAdmin); err != nil {
			return nil, err
		}
	}
	now := s.now()
	rows, err := s.read().ListSessions(ctx, db.ListSessionsParams{
		UserID: userID, Now: database.Micros(now), IdleSince: database.Micros(now.Add(-sessionIdle)),
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions of user %s: %w", userID, err)
	}
	sessions := make([]Session, 0, len(rows))
	for _, row := range rows {
		one := sessionOf(row)
		one.Current = one.ID == p.SessionID
		sessions = append(sessions, one)
	}
	return sessions, nil
}

// EndSession ends one session: one's own, or with the scope anybody's.
func (s *Service) EndSession(ctx context.Context, id string) error {
	p, ok := From(ctx)
	if !ok {
		return httpapi.Unauthenticated()
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		row, err := q.GetSession(ctx, id)
		exists, err := found(err)
		if err != nil {
			return fmt.Errorf("read session %s: %w", id, err)
		}
		if !exists || !p.is(row.UserID) && !p.Has(AccessAdmin) {
			return fault.New(fault.NotFound, "access.no_session", text.Say("there is no such session", "該当するセッションが見つかりません"))
		}
		if _, err := q.DeleteSession(ctx, id); err != nil {
			return fmt.Errorf("end session %s: %w", id, err)
		}
		return s.note(ctx, tx, "access.session_revoked", User{ID: row.UserID}.Ref(), map[string]any{"session": id, "address": row.Address, "agent": row.Agent})
	})
}

// EndSessions ends every session of a person but the one that asks.
func (s *Service) EndSessions(ctx context.Context, userID string) error {
	p, ok := From(ctx)
	if !ok {
		return httpapi.Unauthenticated()
	}
	if userID == "" {
		userID = p.UserID
	}
	if !p.is(userID) {
		if err := Require(ctx, AccessAdmin); err != nil {
			return err
		}
	}
	return s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		n, err := q.DeleteSessionsOf(ctx, db.DeleteSessionsOfParams{UserID: userID, Keep: p.SessionID})
		if err != nil {
			return fmt.Errorf("end sessions of user %s: %w", userID, err)
		}
		if n == 0 {
			return nil
		}
		return s.note(ctx, tx, "access.session_revoked", User{ID: userID}.Ref(), map[string]any{"sessions": n})
	})
}

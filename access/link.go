package access

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/teiten/teiten/access/db"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// Link is a one-time link. Its address holds the secret and is known nowhere
// else: the database has a hash.
type Link struct {
	URL       string    `json:"url" doc:"Hand it to the person; it works once."`
	ExpiresAt time.Time `json:"expiresAt"`
}

// purpose is what a one-time link is good for.
type purpose string

const (
	purposeSetup  purpose = "setup"  // make the first administrator
	purposeSignIn purpose = "signin" // open a session
	purposeInvite purpose = "invite" // choose a password, the first or a new one
)

// linkTerms says where a link leads and how long it lives.
var linkTerms = map[purpose]struct {
	path string
	life time.Duration
}{
	purposeSetup:  {"/setup", 24 * time.Hour},
	purposeSignIn: {"/signin", time.Hour},
	purposeInvite: {"/invite", 7 * 24 * time.Hour},
}

func (s *Service) newLink(ctx context.Context, q *db.Queries, p purpose, userID string) (Link, error) {
	id, err := newID()
	if err != nil {
		return Link{}, err
	}
	terms, secret, now := linkTerms[p], newSecret(), s.stamp()
	l := Link{URL: s.baseURL + terms.path + "?token=" + url.QueryEscape(secret), ExpiresAt: now.Add(terms.life)}
	err = q.InsertLink(ctx, db.InsertLinkParams{
		ID: id, Hash: digest(secret), Purpose: string(p), UserID: userID,
		CreatedAt: database.Micros(now), ExpiresAt: database.Micros(l.ExpiresAt),
	})
	if err != nil {
		return Link{}, fmt.Errorf("save one-time link: %w", err)
	}
	return l, nil
}

// SetupLink returns the one-time address at which the first administrator is
// made, and "" where there is one already. Each call makes another link; all
// end once one was used.
func (s *Service) SetupLink(ctx context.Context) (string, error) {
	var l Link
	err := s.write(ctx, func(ctx context.Context, _ *sql.Tx, q *db.Queries) error {
		admins, err := q.CountAdmins(ctx)
		if err != nil {
			return fmt.Errorf("count administrators: %w", err)
		}
		if admins > 0 {
			return nil
		}
		l, err = s.newLink(ctx, q, purposeSetup, "")
		return err
	})
	return l.URL, err
}

// SignInLink returns a one-time address that signs in the person with this
// login, without a password.
func (s *Service) SignInLink(ctx context.Context, login string) (string, error) {
	if err := Require(ctx, AccessAdmin); err != nil {
		return "", err
	}
	login, err := checkLogin(login)
	if err != nil {
		return "", err
	}
	var l Link
	err = s.write(ctx, func(ctx context.Context, _ *sql.Tx, q *db.Queries) error {
		u, err := getUserByLogin(ctx, q, login)
		if err != nil {
			return err
		}
		l, err = s.newLink(ctx, q, purposeSignIn, u.ID)
		return err
	})
	return l.URL, err
}

// Invite returns a new one-time link with which a person chooses a password. It
// replaces the invitations before it.
func (s *Service) Invite(ctx context.Context, userID string) (l Link, err error) {
	if err := Require(ctx, AccessAdmin); err != nil {
		return l, err
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		u, err := getUser(ctx, q, userID)
		if err != nil {
			return err
		}
		if u.disabled {
			return fault.New(fault.Conflict, "access.disabled", text.Say("this person is disabled", "この利用者は無効になっています")).
				Fix(text.Say("enable the person first", "先に有効にしてください"))
		}
		if err := q.DeleteLinksOf(ctx, db.DeleteLinksOfParams{UserID: u.ID, Purpose: string(purposeInvite)}); err != nil {
			return fmt.Errorf("end invitations of user %s: %w", u.ID, err)
		}
		if l, err = s.newLink(ctx, q, purposeInvite, u.ID); err != nil {
			return err
		}
		return s.note(ctx, tx, "access.user_changed", u.Ref(), map[string]any{"login": u.Login, "invited": true})
	})
	return l, err
}

// linkFor returns whom a link is for, without using it up.
func (s *Service) linkFor(ctx context.Context, q *db.Queries, p purpose, secret string) (User, error) {
	row, err := q.GetLink(ctx, digest(secret))
	ok, err := found(err)
	if err != nil {
		return User{}, fmt.Errorf("read one-time link: %w", err)
	}
	if !ok || secret == "" || row.Purpose != string(p) || !s.now().Before(database.Time(row.ExpiresAt)) {
		return User{}, deadLink()
	}
	if row.UserID == "" {
		return User{}, nil
	}
	u, err := getUser(ctx, q, row.UserID)
	if fault.KindOf(err) == fault.NotFound || u.disabled {
		return User{}, deadLink()
	}
	return u, err
}

// spend uses a link up; only one of several who try at once succeeds.
func (s *Service) spend(ctx context.Context, q *db.Queries, p purpose, secret string) (User, error) {
	u, err := s.linkFor(ctx, q, p, secret)
	if err != nil {
		return u, err
	}
	n, err := q.DeleteLink(ctx, digest(secret))
	if err != nil {
		return u, fmt.Errorf("use up one-time link: %w", err)
	}
	if n != 1 {
		return u, deadLink()
	}
	return u, nil
}

func deadLink() error {
	return httpapi.Status(http.StatusGone, fault.New(fault.NotFound, "access.dead_link",
		text.Say("this link has been used already or has expired", "このリンクは使用済みか、有効期限が切れています")).
		Fix(text.Say("ask an administrator for a new one; the server prints one when it starts and nobody administers it yet",
			"管理者に新しいリンクを発行してもらってください。管理者がまだいない場合は、サーバーの起動時に表示されます")))
}

// SetUp makes the first administrator, by the link that SetupLink returned.
func (s *Service) SetUp(ctx context.Context, secret string, n NewUser, password string, v Visit) (o Opened, err error) {
	n.Role = Admin
	if n, err = n.check(); err != nil {
		return o, err
	}
	if err := checkPassword(password, n.Login, n.Name); err != nil {
		return o, err
	}
	if _, err := s.linkFor(ctx, s.read(), purposeSetup, secret); err != nil {
		return o, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return o, fmt.Errorf("hash password: %w", err)
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		if err := q.LockAdmins(ctx); err != nil {
			return fmt.Errorf("lock administrators: %w", err)
		}
		if _, err := s.spend(ctx, q, purposeSetup, secret); err != nil {
			return err
		}
		if admins, err := q.CountAdmins(ctx); err != nil || admins > 0 {
			if err == nil {
				err = deadLink()
			}
			return err
		}
		if err := q.DeleteLinksFor(ctx, string(purposeSetup)); err != nil {
			return fmt.Errorf("end set-up links: %w", err)
		}
		u, err := s.insert(ctx, tx, q, n, hash)
		if err != nil {
			return err
		}
		o, err = s.open(ctx, tx, q, u, v, "setup")
		return err
	})
	return o, err
}

// SignInByLink opens a session by the link that SignInLink returned.
func (s *Service) SignInByLink(ctx context.Context, secret string, v Visit) (o Opened, err error) {
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		u, err := s.spend(ctx, q, purposeSignIn, secret)
		if err != nil {
			return err
		}
		o, err = s.open(ctx, tx, q, u, v, "link")
		return err
	})
	return o, err
}

// Accept sets the password of an invited person and opens a session. All their
// sessions before it end: an invitation is also how a lost password is replaced.
func (s *Service) Accept(ctx context.Context, secret, name, password string, v Visit) (o Opened, err error) {
	if name, err = checkName(name); err != nil {
		return o, err
	}
	u, err := s.linkFor(ctx, s.read(), purposeInvite, secret)
	if err != nil {
		return o, err
	}
	if err := checkPassword(password, u.Login, name); err != nil {
		return o, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return o, fmt.Errorf("hash password: %w", err)
	}
	err = s.write(ctx, func(ctx context.Context, tx *sql.Tx, q *db.Queries) error {
		u, err := s.spend(ctx, q, purposeInvite, secret)
		if err != nil {
			return err
		}
		ctx = WithPrincipal(ctx, u.principal())
		if err := s.setPassword(ctx, tx, q, u, hash, ""); err != nil {
			return err
		}
		if name != u.Name {
			before := u
			u.Name = name
			if err := s.update(ctx, q, before, &u); err != nil {
				return err
			}
			if err := s.noteChange(ctx, tx, before, u); err != nil {
				return err
			}
		}
		o, err = s.open(ctx, tx, q, u, v, "invite")
		return err
	})
	return o, err
}

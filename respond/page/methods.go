package page

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/respond/page/db"
)

// Self is the name under which the caller is paged: that of the person in the
// catalog with the same address, or the address itself.
func (s *Service) Self(ctx context.Context) (string, error) {
	p, ok := access.From(ctx)
	if !ok {
		return "", httpapi.Unauthenticated()
	}
	if p.Login == "" {
		return "", fault.New(fault.Denied, "page.not_a_person", text.Say("contact methods belong to people who signed in", "連絡方法はサインインした人のものです")).
			Fix(text.Say("sign in with a browser, or name the person as an administrator", "ブラウザーでサインインするか、管理者として人を指定してください"))
	}
	people, _, err := s.catalog.List(ctx, catalog.Filter{Kind: catalog.KindUser})
	if err != nil {
		return "", err
	}
	for _, e := range people {
		if strings.EqualFold(e.Email, p.Login) {
			return e.Short, nil
		}
	}
	return p.Login, nil
}

// mayActFor returns the person that a name in a request stands for: "me", or
// somebody else, for whom only administrators act.
func (s *Service) mayActFor(ctx context.Context, person string) (string, error) {
	person = strings.ToLower(strings.TrimPrefix(person, "user:"))
	self, err := s.Self(ctx)
	if person == "me" || person == "" {
		return self, err
	}
	if err == nil && person == self {
		return self, nil
	}
	return person, access.Require(ctx, access.AccessAdmin)
}

// Contact is everything about how a person is reached.
type Contact struct {
	Person      string
	Methods     []Method
	Preferences Preferences
}

// Contact returns how a person is reached.
func (s *Service) Contact(ctx context.Context, person string) (c Contact, err error) {
	if c.Person, err = s.mayActFor(ctx, person); err != nil {
		return c, err
	}
	if c.Methods, err = methodsOf(ctx, s.db.Read(), c.Person); err != nil {
		return c, err
	}
	c.Preferences, err = preferencesOf(ctx, s.db.Read(), c.Person)
	return c, err
}

// AddMethod adds a method and sends a code over it. It is not used before the
// code came back.
func (s *Service) AddMethod(ctx context.Context, person, title string, spec MethodSpec) (Method, error) {
	person, err := s.mayActFor(ctx, person)
	if err != nil {
		return Method{}, err
	}
	m := Method{Person: person, Title: strings.TrimSpace(title), Spec: spec, CreatedAt: s.now()}
	if err := m.check(); err != nil {
		return m, err
	}
	if m.ID, err = newID(); err != nil {
		return m, err
	}
	body, err := marshal(spec)
	if err != nil {
		return m, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		others, err := methodsOf(ctx, tx, person)
		if err != nil {
			return err
		}
		if len(others) >= mostMethods {
			return fault.New(fault.Conflict, "page.many_methods", text.Say("there are %d contact methods already", "連絡方法がすでに%d件あります", len(others))).
				Fix(text.Say("remove one that is not used", "使っていないものを削除してください"))
		}
		err = db.New(tx).AddMethod(ctx, db.AddMethodParams{ID: m.ID, Person: person, Title: m.Title, Spec: body, CreatedAt: database.Micros(m.CreatedAt)})
		if err != nil {
			return fmt.Errorf("store method: %w", err)
		}
		if err := s.noteMethod(ctx, tx, "page.method_added", m); err != nil {
			return err
		}
		m, err = s.sendCode(ctx, tx, m)
		return err
	})
	return m, err
}

// noteMethod journals what became of a method, without its address.
func (s *Service) noteMethod(ctx context.Context, tx *sql.Tx, kind string, m Method) error {
	_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: personRef(m.Person),
		Data: map[string]any{"method": m.ID, "type": m.Spec.Type, "title": m.Title, "state": m.State()}})
	return err
}

// sendCode draws a code and sends it over the method.
func (s *Service) sendCode(ctx context.Context, tx *sql.Tx, m Method) (Method, error) {
	drawn, c, err := newCode(m.ID, s.now())
	if err != nil {
		return m, err
	}
	m.code = c
	if err := putMethod(ctx, tx, m); err != nil {
		return m, err
	}
	p, err := preferencesOf(ctx, tx, m.Person)
	if err != nil {
		return m, err
	}
	msg := notice.Message{
		Key: notify.HashKey(m.ID, c.hash), Kind: "page.code", Subject: string(personRef(m.Person)), Thread: "method:" + m.ID + c.hash[:8],
		Severity: notice.Info, Time: s.now(),
		Title: text.Say("Your Teiten code: %s", "Teitenの確認コード: %s", drawn),
		Body: text.Say("Enter it in Teiten within 15 minutes, so that you can be paged here. If you did not ask for it, do nothing.",
			"15分以内にTeitenで入力すると、ここで呼び出しを受け取れるようになります。心当たりがなければ何もする必要はありません。"),
	}
	_, err = s.notify.Send(ctx, tx, s.channel(m, p), msg)
	return m, err
}

// change reads a method of a person, changes it and stores it.
func (s *Service) change(ctx context.Context, person, id, entry string, do func(ctx context.Context, tx *sql.Tx, m Method) (Method, error)) (Method, error) {
	person, err := s.mayActFor(ctx, person)
	if err != nil {
		return Method{}, err
	}
	var m Method
	var refused error
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if m, err = getMethod(ctx, tx, id); err != nil {
			return err
		}
		if m.Person != person {
			return errNoMethod()
		}
		m, refused = do(ctx, tx, m)
		if refused != nil {
			if f, ok := fault.As(refused); ok && f.Code == "page.code_wrong" {
				return putMethod(ctx, tx, m) // a wrong try is remembered
			}
			return refused
		}
		if err := putMethod(ctx, tx, m); err != nil {
			return err
		}
		return s.noteMethod(ctx, tx, entry, m)
	})
	return m, errors.Join(err, refusedOnce(err, refused))
}

// refusedOnce is the refusal that a committed transaction recorded.
func refusedOnce(err, refused error) error {
	if err != nil {
		return nil // it is that refusal, or worse
	}
	return refused
}

// Verify checks the code that was sent over a method, which may be used from
// then on.
func (s *Service) Verify(ctx context.Context, person, id, entered string) (Method, error) {
	return s.change(ctx, person, id, "page.method_verified", func(_ context.Context, _ *sql.Tx, m Method) (Method, error) {
		return m.verified(strings.TrimSpace(entered), s.now())
	})
}

// SendCode sends a new code over a method.
func (s *Service) SendCode(ctx context.Context, person, id string) (Method, error) {
	return s.change(ctx, person, id, "page.method_code_sent", func(ctx context.Context, tx *sql.Tx, m Method) (Method, error) {
		return s.sendCode(ctx, tx, m)
	})
}

// Enable has a method used again, or not any more.
func (s *Service) Enable(ctx context.Context, person, id string, on bool) (Method, error) {
	entry := "page.method_disabled"
	if on {
		entry = "page.method_enabled"
	}
	return s.change(ctx, person, id, entry, func(_ context.Context, _ *sql.Tx, m Method) (Method, error) {
		m.DisabledAt = s.now()
		if on {
			m.DisabledAt = time.Time{}
		}
		return m, nil
	})
}

// RemoveMethod removes a method. What waits for it fails, and the person's other
// methods follow.
func (s *Service) RemoveMethod(ctx context.Context, person, id string) error {
	_, err := s.change(ctx, person, id, "page.method_removed", func(ctx context.Context, tx *sql.Tx, m Method) (Method, error) {
		if err := db.New(tx).DropMethod(ctx, m.ID); err != nil {
			return m, fmt.Errorf("remove method: %w", err)
		}
		return m, nil
	})
	return err
}

// Prefer stores how a person wants to be reached.
func (s *Service) Prefer(ctx context.Context, person string, p Preferences) error {
	person, err := s.mayActFor(ctx, person)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		methods, err := methodsOf(ctx, tx, person)
		if err != nil {
			return err
		}
		if err := p.check(methods); err != nil {
			return err
		}
		body, err := marshal(p)
		if err != nil {
			return err
		}
		if err := db.New(tx).PutPreferences(ctx, db.PutPreferencesParams{Person: person, Spec: body, UpdatedAt: database.Micros(s.now())}); err != nil {
			return fmt.Errorf("store preferences: %w", err)
		}
		_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: "page.rules_changed", Subject: personRef(person), Data: map[string]any{"rules": len(p.Rules)}})
		return err
	})
}

// Trust marks a person's method as verified without a code. It is for the demo,
// whose people are imaginary.
func (s *Service) Trust(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		m, err := getMethod(ctx, tx, id)
		if err != nil {
			return err
		}
		m.VerifiedAt, m.code = s.now(), code{}
		return putMethod(ctx, tx, m)
	})
}

// spec is the method that somebody wants to add.
func (n NewMethod) spec() MethodSpec {
	return MethodSpec{Type: notify.ChannelType(n.Type), Address: secret.Secret(strings.TrimSpace(n.Address)), Token: secret.Secret(n.Token),
		P256DH: n.P256DH, Auth: secret.Secret(n.Auth)}
}

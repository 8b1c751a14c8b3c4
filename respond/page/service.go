package page

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/webpush"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/page/db"
)

// Groups are the groups of alerts, which hear that somebody answered.
type Groups interface {
	AcknowledgeIn(ctx context.Context, tx *sql.Tx, ids ...string) error
}

// Duty says who is on call.
type Duty interface {
	On(ctx context.Context, schedule string, at time.Time) (oncall.Answer, error)
}

// Deps is what the room stands on. Permit refuses who may not change what a team
// owns. Heartbeat, where it is set, is told every minute that pages go out.
type Deps struct {
	DB        *database.DB
	Journal   *journal.Journal
	Notify    *notify.Service
	Catalog   *catalog.Service
	Oncall    Duty
	Groups    Groups
	Now       func() time.Time
	Log       *slog.Logger
	BaseURL   string
	Heartbeat string
}

// Service finds people who answer.
type Service struct {
	db        *database.DB
	journal   *journal.Journal
	notify    *notify.Service
	catalog   *catalog.Service
	oncall    Duty
	groups    Groups
	now       func() time.Time
	log       *slog.Logger
	base      string
	heartbeat string

	linkKey []byte
	vapid   webpush.Key
	knock   chan struct{} // holds one when something may be due
}

// New returns the room. Its tables are there after
// db.Migrate(ctx, "page", page.Migrations).
func New(ctx context.Context, d Deps) (*Service, error) {
	s := &Service{db: d.DB, journal: d.Journal, notify: d.Notify, catalog: d.Catalog, oncall: d.Oncall, groups: d.Groups, now: d.Now,
		log: d.Log, base: d.BaseURL, heartbeat: d.Heartbeat, knock: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, s.keys(ctx)
}

// keys reads the keys that this server made for itself, or makes them.
func (s *Service) keys(ctx context.Context) error {
	link, err := s.key(ctx, "link", func() (string, error) {
		b := make([]byte, 32)
		_, err := rand.Read(b)
		return base64.StdEncoding.EncodeToString(b), err
	})
	if err != nil {
		return err
	}
	if s.linkKey, err = base64.StdEncoding.DecodeString(link); err != nil {
		return fmt.Errorf("read key of links: %w", err)
	}
	vapid, err := s.key(ctx, "vapid", func() (string, error) {
		k, err := webpush.NewKey()
		if err != nil {
			return "", err
		}
		return marshal(k)
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(vapid), &s.vapid); err != nil {
		return fmt.Errorf("read key of pushes: %w", err)
	}
	return nil
}

func (s *Service) key(ctx context.Context, name string, draw func() (string, error)) (value string, err error) {
	fresh, err := draw()
	if err != nil {
		return "", fmt.Errorf("make key %s: %w", name, err)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(tx)
		if err := q.PutKey(ctx, db.PutKeyParams{Name: name, Value: fresh}); err != nil { // the first one stays
			return err
		}
		value, err = q.GetKey(ctx, name)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("keep key %s: %w", name, err)
	}
	return value, nil
}

// Ways lets notify send over contact methods. Call it before notify runs.
func (s *Service) Ways() {
	s.notify.Ways(wayKind, func(ctx context.Context, from notify.Reader, id string) (notify.Channel, error) {
		m, err := getMethod(ctx, from, id)
		if err != nil {
			return notify.Channel{}, err
		}
		p, err := preferencesOf(ctx, from, m.Person)
		if err != nil {
			return notify.Channel{}, err
		}
		return s.channel(m, p), nil
	})
}

// channel is a method as notify knows it, with the key of this server where its
// push service asks for it.
func (s *Service) channel(m Method, p Preferences) notify.Channel {
	c := m.channel(p)
	if c.Spec.WebPush != nil {
		c.Spec.WebPush.Key = s.vapid
	}
	return c
}

// Acknowledge says that somebody looks after it: whoever ctx says acts. A second
// answer changes nothing.
func (s *Service) Acknowledge(ctx context.Context, id string) (Page, error) {
	var p Page
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var err error
		if p, err = getPage(ctx, tx, id); err != nil {
			return err
		}
		before := p.State
		if p, err = s.answer(ctx, tx, p); err != nil || before == Acknowledged || s.groups == nil {
			return err
		}
		return s.groups.AcknowledgeIn(ctx, tx, p.Group)
	})
	return p, err
}

// answer records that somebody acknowledged a page, and lets everybody else be.
func (s *Service) answer(ctx context.Context, tx *sql.Tx, p Page) (Page, error) {
	p, changed, err := p.acknowledged(journal.ActorFrom(ctx), s.now())
	if err != nil || !changed {
		return p, err
	}
	if err := s.quiet(ctx, tx, p); err != nil {
		return p, err
	}
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: EntryAcknowledged, Subject: Ref(p.ID), Also: p.about(), Data: map[string]any{
		"page": p.ID, "group": p.Group, "title": p.Notice.Title, "seconds": p.AcknowledgedAt.Sub(p.BeganAt).Seconds(), "by": p.AcknowledgedBy,
	}})
	return p, err
}

// quiet stores a page and stops whatever was still to come of it.
func (s *Service) quiet(ctx context.Context, tx *sql.Tx, p Page) error {
	if err := putPage(ctx, tx, p); err != nil {
		return err
	}
	q, now := db.New(tx), database.Micros(s.now())
	if err := q.StopSteps(ctx, db.StopStepsParams{Page: p.ID, DoneAt: now}); err != nil {
		return fmt.Errorf("stop steps: %w", err)
	}
	if err := q.StopMessages(ctx, db.StopMessagesParams{Page: p.ID, EndedAt: now}); err != nil {
		return fmt.Errorf("stop messages: %w", err)
	}
	handed, err := q.HandedOfPage(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("stop messages: %w", err)
	}
	return s.notify.Withdraw(ctx, tx, handed...)
}

// about are the things that a page touches.
func (p Page) about() []journal.Ref {
	refs := []journal.Ref{journal.RefTo("alert-group", p.Group)}
	if p.Notice.Service != "" {
		refs = append(refs, journal.RefTo("service", p.Notice.Service))
	}
	if p.Team != "" {
		refs = append(refs, journal.RefTo("team", p.Team))
	}
	return refs
}

// Pages lists pages, newest first.
func (s *Service) Pages(ctx context.Context, f Filter) ([]Page, error) {
	return listPages(ctx, s.db.Read(), f)
}

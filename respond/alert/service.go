package alert

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/db"
	"github.com/teiten/teiten/respond/alert/route"
)

// Catalog tells whose a service is, and what it depends on.
type Catalog interface {
	Find(ctx context.Context, q catalog.Reader, name string) (catalog.Entity, error)
}

// Documents tells where an integration's document comes from.
type Documents interface {
	Origin(ctx context.Context, k ascode.Key) (o ascode.Origin, found bool, err error)
}

// Retention is how long what is over is kept.
type Retention struct {
	Raw    time.Duration // what arrived, as it arrived; DefaultRawRetention where 0
	Closed time.Duration // resolved alerts and groups; DefaultClosedRetention where 0
}

// Defaults of Retention. The journal keeps what it says of an alert.
const (
	DefaultRawRetention    = 30 * 24 * time.Hour
	DefaultClosedRetention = 400 * 24 * time.Hour
)

// Deps is what the room stands on. Permit refuses who may not change what a team
// owns. Forgotten is after how long an acknowledged group that is still open pages
// again: DefaultForgotten where 0, never where negative. Backlog is how many
// events may wait in the intake log: DefaultBacklog where 0. Spool, where it is
// set, is a SQLite file of its own that takes in what arrives, so that this waits
// for nobody who writes to a SQLite database; it has the tables of
// SpoolMigrations.
type Deps struct {
	DB        *database.DB
	Spool     *database.DB
	Journal   *journal.Journal
	Queue     *queue.Queue
	Catalog   Catalog
	Documents Documents
	Permit    func(ctx context.Context, owner string) error
	Now       func() time.Time
	Log       *slog.Logger
	Retention Retention
	Forgotten time.Duration
	Backlog   int64
	BaseURL   string // of the addresses that sources send to
	// Routes is the router that holds now; nil routes everything to the owner.
	Routes func() *route.Router
	// Fetch reads what Amazon SNS refers to; nil asks over HTTP.
	Fetch func(ctx context.Context, url string) ([]byte, error)
}

// Service takes alerts in and keeps them.
type Service struct {
	Deps
	door  *door
	bell  chan struct{}
	known known
	keys  keyBook
	own   processor
	sns   snsKeys
}

// New returns the service over a database that holds the tables of Migrations.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Routes == nil {
		standard := route.New(route.Default(), nil, nil)
		d.Routes = func() *route.Router { return standard }
	}
	if d.Fetch == nil {
		d.Fetch = fetch
	}
	d.Retention.Raw = cmp.Or(d.Retention.Raw, DefaultRawRetention)
	d.Retention.Closed = cmp.Or(d.Retention.Closed, DefaultClosedRetention)
	d.Forgotten = cmp.Or(d.Forgotten, DefaultForgotten)
	d.Backlog = cmp.Or(d.Backlog, DefaultBacklog)
	s := &Service{Deps: d, bell: make(chan struct{}, 1)}
	if d.Spool == nil {
		s.Spool = d.DB
	}
	s.door = &door{db: s.Spool, now: d.Now, wake: s.ring, limit: d.Backlog}
	s.own.s = s
	return s
}

// ring has the processor look at the log.
func (s *Service) ring() {
	select {
	case s.bell <- struct{}{}:
	default: // it will look anyway
	}
}

// Hear takes over that an SLO's alert fired or ended, in the transaction of the
// entry that says so: it comes through the same door as everything else.
func (s *Service) Hear(ctx context.Context, tx *sql.Tx, e journal.Entry) error {
	_, err := s.door.insert(ctx, tx, []rawEvent{{kind: eventReceived, integration: fromSLO, format: fromSLO, body: e.Data}})
	return err
}

// receive makes events durable and returns their ids.
func (s *Service) receive(ctx context.Context, events ...rawEvent) (ids []string, err error) {
	batch, first, err := s.door.put(ctx, events)
	if err != nil {
		return nil, err
	}
	for i := range events {
		ids = append(ids, eventID(batch, first+i))
	}
	return ids, nil
}

// Acknowledge notes that the caller sees to alerts or groups, by their ids, and
// returns once that is so. One that is acknowledged or over stays as it is.
func (s *Service) Acknowledge(ctx context.Context, ids ...string) error {
	return s.operate(ctx, opAcknowledge, ids)
}

// Unacknowledge has open alerts or groups page people again.
func (s *Service) Unacknowledge(ctx context.Context, ids ...string) error {
	return s.operate(ctx, opUnacknowledge, ids)
}

// Resolve ends alerts or groups. What its source says of an alert afterwards
// counts: one that still fires is told again.
func (s *Service) Resolve(ctx context.Context, ids ...string) error {
	return s.operate(ctx, opResolve, ids)
}

// AcknowledgeIn is Acknowledge within a transaction: it takes effect soon after
// that commits.
func (s *Service) AcknowledgeIn(ctx context.Context, tx *sql.Tx, ids ...string) error {
	_, err := s.command(ctx, tx, opAcknowledge, ids)
	return err
}

// ResolveIn is Resolve within a transaction: it takes effect soon after that
// commits.
func (s *Service) ResolveIn(ctx context.Context, tx *sql.Tx, ids ...string) error {
	_, err := s.command(ctx, tx, opResolve, ids)
	return err
}

func (s *Service) command(ctx context.Context, tx *sql.Tx, op string, ids []string) (batch string, err error) {
	body, err := json.Marshal(command{Op: op, IDs: ids, Actor: journal.ActorFrom(ctx), Cause: journal.CauseFrom(ctx)})
	if err != nil {
		return "", fmt.Errorf("write command: %w", err)
	}
	return s.door.insert(ctx, tx, []rawEvent{{kind: eventCommand, body: body}})
}

// operate carries out a command on what is there and waits until it is so.
func (s *Service) operate(ctx context.Context, op string, ids []string) error {
	for _, id := range ids {
		if err := s.there(ctx, id); err != nil {
			return err
		}
	}
	batch := ""
	err := s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		batch, err = s.command(ctx, tx, op, ids)
		return err
	})
	if err != nil {
		return err
	}
	return s.await(ctx, batch)
}

// there returns a NotFound fault where there is neither an alert nor a group of
// this id.
func (s *Service) there(ctx context.Context, id string) error {
	q := db.New(s.DB.Read())
	_, err := q.GetGroup(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = q.GetAlert(ctx, id)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return notThere(id)
	}
	return database.Fault(err)
}

func notThere(id string) error {
	return fault.New(fault.NotFound, "alert.not_found", text.Say("there is no alert or group %q", "アラートまたはグループ %q はありません", id)).
		Fix(text.Say("teiten alerts lists what is there", "teiten alerts で一覧を確認してください"))
}

// How long an operation waits for its effect, and how often it looks where
// another replica brings it about.
const (
	longestWait = 3 * time.Second
	lookAgain   = 25 * time.Millisecond
)

// await returns once a batch was looked at. What is durable but not looked at in
// time takes effect later: that is no fault.
func (s *Service) await(ctx context.Context, batch string) error {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	t := time.NewTicker(lookAgain)
	defer t.Stop()
	for {
		b, err := db.New(s.DB.Read()).GetBatch(ctx, batch)
		switch {
		case err == nil && b.ProcessedAt > 0, errors.Is(err, sql.ErrNoRows), ctx.Err() != nil:
			return nil
		case err != nil:
			return database.Fault(fmt.Errorf("wait for the effect: %w", err))
		}
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
}

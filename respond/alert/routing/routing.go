// Package routing keeps what alerts are routed by: the documents of kind
// AlertRouting, silences, and the maintenance windows of services.
//
// All of it together is one route.Router, which is replaced as a whole whenever
// anything changes, on every replica within a second. The package takes in no
// alerts: whoever does asks for the router, and tells of past alerts where a
// change is to be judged by what it would have done.
package routing

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing/db"
)

// Past is one alert as it fired.
type Past struct {
	route.Alert
	ID       string
	Title    string
	Severity string
	FiredAt  time.Time
	Open     bool
}

// History tells of past alerts.
type History interface {
	// Past calls use with alerts that fired since, the latest first, and at most so
	// many.
	Past(ctx context.Context, since time.Time, most int, use func(Past) error) error
}

// Documents tells where a document comes from.
type Documents interface {
	Origin(ctx context.Context, k ascode.Key) (o ascode.Origin, found bool, err error)
}

// Deps is what the package stands on. History may be set later than New, and may
// be nil: nothing is known of the past then.
type Deps struct {
	DB        *database.DB
	Journal   *journal.Journal
	Catalog   *catalog.Service
	Documents Documents
	Registry  Registry
	History   History
	Now       func() time.Time
	Log       *slog.Logger
}

// Service keeps the router.
type Service struct {
	Deps
	router  atomic.Pointer[route.Router]
	reading sync.Mutex // one reads at a time, so that an older answer does not win
	version int64      // of what the router was made of
	readAt  time.Time
	bell    chan struct{}
}

// New returns the service over a database that holds the tables of Migrations.
// Until it has read them everything goes to the owners.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Deps: d, bell: make(chan struct{}, 1)}
	s.router.Store(route.New(route.Default(), nil, nil))
	return s
}

// Router is what alerts are routed by at present. It is another one after any
// change.
func (s *Service) Router() *route.Router { return s.router.Load() }

const (
	// lookEvery is how often a replica looks whether another one changed anything.
	lookEvery = time.Second
	// staleAfter is after which time all is read anew: windows that recur are read
	// for windowsAhead.
	staleAfter   = 10 * time.Minute
	windowsAhead = 24 * time.Hour
)

// Run follows what changes until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		if err := s.Refresh(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "what alerts are routed by was not read", "error", err)
		}
		select {
		case <-t.C:
		case <-s.bell:
		case <-ctx.Done():
			return nil
		}
	}
}

// Refresh makes the router anew where anything changed since it was made.
func (s *Service) Refresh(ctx context.Context) error {
	s.reading.Lock()
	defer s.reading.Unlock()
	version, err := db.New(s.DB.Read()).Version(ctx)
	if err != nil {
		return database.Fault(fmt.Errorf("read version of routing: %w", err))
	}
	if age := s.Now().Sub(s.readAt); version == s.version && age >= 0 && age < staleAfter {
		return nil
	}
	r, err := s.read(ctx)
	if err != nil {
		return err
	}
	s.router.Store(r)
	s.version, s.readAt = version, s.Now()
	return nil
}

// read makes a router of what the database holds.
func (s *Service) read(ctx context.Context) (*route.Router, error) {
	q := s.DB.Read()
	tree, err := s.tree(ctx, q)
	if err != nil {
		return nil, err
	}
	silences, err := silencesInForce(ctx, q, s.Now())
	if err != nil {
		return nil, err
	}
	windows, err := s.windows(ctx)
	if err != nil {
		return nil, err
	}
	return route.New(tree, route.NewSilences(silences), route.NewWindows(windows)), nil
}

// changed has every replica read anew once the transaction is durable.
func (s *Service) changed(ctx context.Context, tx *sql.Tx) error {
	if err := db.New(tx).NextVersion(ctx); err != nil {
		return fmt.Errorf("note that routing changed: %w", err)
	}
	database.AfterCommit(ctx, func() {
		select {
		case s.bell <- struct{}{}:
		default: // it will look anyway
		}
	})
	return nil
}

// Hear notes that something changed that other rooms keep: a maintenance window,
// or whose a service is.
func (s *Service) Hear(ctx context.Context, tx *sql.Tx, _ journal.Entry) error {
	return s.changed(ctx, tx)
}

// kindsOutside are the entries of other rooms after which alerts are routed
// otherwise.
var kindsOutside = []string{
	"slo.exclusion_added", "slo.exclusion_taken_back",
	"slo.maintenance_window_added", "slo.maintenance_window_changed", "slo.maintenance_window_removed",
}

// Subscribe has the journal tell of what other rooms keep.
func (s *Service) Subscribe(j *journal.Journal) {
	for _, kind := range kindsOutside {
		j.Subscribe(kind, "routing", s.Hear)
	}
}

// tree builds the tree of the documents that are stored.
func (s *Service) tree(ctx context.Context, q db.DBTX) (*route.Tree, error) {
	docs, err := documents(ctx, q)
	if err != nil {
		return nil, err
	}
	tree, faults := route.Build(docs)
	if len(faults) > 0 {
		var all []error
		for _, f := range faults {
			all = append(all, f)
		}
		return nil, fmt.Errorf("routing that is stored: %w", errors.Join(all...))
	}
	return tree, nil
}

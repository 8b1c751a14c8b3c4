package probe

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/db"
	"github.com/teiten/teiten/observe/probe/runner"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// Objectives is where a probe's objective is installed.
type Objectives interface {
	Bring(ctx context.Context, tx *sql.Tx, o *openslo.SLO, from ascode.Source) error
	TakeBack(ctx context.Context, tx *sql.Tx, name string) error
}

// Samples is the store that counters and gauges are appended to.
type Samples interface {
	Append(ctx context.Context, rows []metrics.Series) error
}

// Documents tells where the document of a probe comes from.
type Documents interface {
	Origin(ctx context.Context, k ascode.Key) (o ascode.Origin, found bool, err error)
}

// Deps is what the room stands on. Samples may be nil, where metrics come from
// elsewhere only.
type Deps struct {
	DB         *database.DB
	Journal    *journal.Journal
	Queue      *queue.Queue
	Catalog    *catalog.Service
	Events     *pushed.Service
	Objectives Objectives
	Samples    Samples
	Documents  Documents
	Env        check.Env // what the server's own checks may use
	Now        func() time.Time
	Log        *slog.Logger
}

// Service keeps probes, makes the server's checks and takes the results of all.
type Service struct {
	Deps
	runner  *runner.Runner
	changed chan struct{}
}

// New returns the room over a database that holds the tables of Migrations.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Deps: d, changed: make(chan struct{}, 1)}
	s.runner = &runner.Runner{Location: Server, Env: d.Env, Log: d.Log, Deliver: s.deliver}
	d.Journal.Subscribe("catalog.*", "probe.owner", s.followCatalog)
	return s
}

// followCatalog keeps owner, tier and system of a service's probes what the
// catalog says.
func (s *Service) followCatalog(ctx context.Context, tx *sql.Tx, e journal.Entry) error {
	if e.Subject.Kind() != "service" {
		return nil
	}
	name := e.Subject.Name()
	entity, _, err := s.lookUp(ctx, tx, name)
	if err != nil {
		return err
	}
	return db.New(tx).DescribeService(ctx, db.DescribeServiceParams{Service: name, Owner: entity.Owner, Tier: entity.Tier, System: entity.System})
}

// lookUp asks the catalog for a service.
func (s *Service) lookUp(ctx context.Context, q db.DBTX, name string) (catalog.Entity, bool, error) {
	e, err := s.Catalog.Find(ctx, q, name)
	if k := fault.KindOf(err); k == fault.NotFound || k == fault.Invalid {
		return catalog.Entity{}, false, nil
	}
	return e, err == nil, err
}

// wake has the server's runner look for changed probes.
func (s *Service) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

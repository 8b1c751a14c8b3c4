// Package slo keeps the promises that services make: it counts good and total
// events by the minute into a ledger, reads error budgets and burn rates from
// it, and says when a budget burns so fast that somebody must act.
//
// Objectives come as OpenSLO documents (package openslo). Counts come from
// package metrics, are kept packed (package ledger) and slid in memory (package
// window); package burn says what they mean. What it finds leaves the room as
// journal entries; it knows nothing of who is told.
package slo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo/agreement"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/exclusion"
	"github.com/teiten/teiten/observe/slo/openslo"
	"github.com/teiten/teiten/observe/slo/policy"
)

const (
	// defaultSettle is how long after its end a minute is final. It is counted
	// sooner, and read again until then.
	defaultSettle = 2 * time.Minute
	// defaultScrape is how often counters are taken to be scraped where the
	// source cannot give exact increases.
	defaultScrape = 30 * time.Second
)

// Sources gives the data source that a name stands for, "" for the default.
type Sources interface {
	Get(name string) (metrics.Querier, error)
}

// Deps is what the room stands on.
type Deps struct {
	DB      *database.DB
	Journal *journal.Journal
	Queue   *queue.Queue
	Catalog *catalog.Service
	Sources Sources
	Now     func() time.Time
	Log     *slog.Logger
	// Settle is how long after its end a minute is final, for objectives that do
	// not say; two minutes where it is 0.
	Settle time.Duration
	// Instances is how many instances of grouped objectives there may be in all;
	// DefaultInstances where it is 0.
	Instances int
	// Retention is how long minutes and hours are kept; DefaultRetention where it
	// is zero.
	Retention Retention
}

// Service keeps objectives, evaluates them and answers for them.
type Service struct {
	db      *database.DB
	journal *journal.Journal
	queue   *queue.Queue
	catalog *catalog.Service
	sources Sources
	now     func() time.Time
	log     *slog.Logger
	engine  *engine
	book    book
	board   board
	figures figures
	settled time.Duration

	exclusions *exclusion.Service
	policies   *policy.Service
	agreements *agreement.Service

	instances  int // how many there may be
	boundaries boundaries

	retention Retention
}

// New returns the room. It evaluates nothing until Run.
func New(d Deps) *Service {
	s := &Service{
		db: d.DB, journal: d.Journal, queue: d.Queue, catalog: d.Catalog,
		sources: d.Sources, now: d.Now, log: d.Log, settled: d.Settle,
	}
	s.retention, s.instances = cmp.Or(d.Retention, DefaultRetention), cmp.Or(d.Instances, DefaultInstances)
	d.Queue.Every("slo.retention", thinEvery, s.Thin)
	if s.settled == 0 {
		s.settled = defaultSettle
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.exclusions = exclusion.New(exclusion.Deps{DB: s.db, Journal: s.journal, Catalog: s.catalog, Objectives: objectives{s}, Now: s.now})
	s.policies = policy.New(policy.Deps{DB: s.db, Journal: s.journal, Objectives: objectives{s}, Now: s.now})
	s.agreements = agreement.New(agreement.Deps{DB: s.db, Journal: s.journal, Catalog: s.catalog, Objectives: objectives{s}, Now: s.now})
	s.engine = newEngine(s)
	s.handleJobs(d.Queue)
	s.figures.init()
	d.Journal.Subscribe("catalog.*", "slo.owner", s.followCatalog)
	d.Journal.Subscribe(entryLate, "slo.late", s.hearLate)
	return s
}

// Schedule has the states of error-budget policies judged every minute.
func (s *Service) Schedule(q *queue.Queue) { s.policies.Schedule(q) }

// JudgePolicies tells of each budget that came into another state of its policy.
func (s *Service) JudgePolicies(ctx context.Context) error { return s.policies.Judge(ctx) }

// settle is how long after its end a minute of an objective is final.
func (s *Service) settle(d *Definition) time.Duration {
	if d.Settle != nil {
		return *d.Settle
	}
	return s.settled
}

// soon is how long after its end a minute of an objective is counted first.
func (s *Service) soon(d *Definition) time.Duration { return min(s.settle(d), early) }

// followCatalog keeps owner, tier and system of a service's objectives what the
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
	moved, err := db.New(tx).NamesOutsideTier(ctx, db.NamesOutsideTierParams{Service: name, Tier: entity.Tier})
	if err != nil {
		return fmt.Errorf("describe the objectives of %s: %w", name, err)
	}
	q := db.New(tx)
	changed, err := q.KeepMemberships(ctx, db.KeepMembershipsParams{SupersededAt: database.Micros(s.now()),
		Service: name, Owner: entity.Owner, Tier: entity.Tier, System: entity.System})
	if err == nil {
		err = errors.Join(s.coveredAnew(ctx, tx, changed), q.DescribeService(ctx, db.DescribeServiceParams{
			Service: name, Owner: entity.Owner, Tier: entity.Tier, System: entity.System}))
	}
	if err = errors.Join(err, s.nextGeneration(ctx, tx)); err != nil {
		return fmt.Errorf("describe the objectives of %s: %w", name, err)
	}
	if err := s.reinstallEach(ctx, tx, moved); err != nil {
		return err
	}
	return s.followDependants(ctx, tx, name, "")
}

// nextGeneration has definitions and exclusions read anew, soon.
func (s *Service) nextGeneration(ctx context.Context, tx *sql.Tx) error {
	s.engine.bell.ring()
	return db.New(tx).NextGeneration(ctx)
}

// define has a definition executed from the next round on. The ledger stays
// where the queries are the same; otherwise the whole window is read anew.
func (s *Service) define(ctx context.Context, tx *sql.Tx, d *Definition, managedBy string) error {
	q := db.New(tx)
	old, err := q.GetDefinition(ctx, d.Name)
	known := err == nil
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("define %s: %w", d.Name, err)
	}
	revision, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("define %s: %w", d.Name, err)
	}
	if known && old.Data != marshal(d) {
		err := q.KeepDefinition(ctx, db.KeepDefinitionParams{Slo: d.Name, SupersededAt: database.Micros(s.now()), Data: old.Data})
		if err != nil {
			return fmt.Errorf("define %s: %w", d.Name, err)
		}
	}
	slot := old.Slot
	if !known || old.Counted != d.counted() {
		if slot, err = q.NextSlot(ctx); err != nil {
			return fmt.Errorf("define %s: %w", d.Name, err)
		}
	}
	err = q.PutDefinition(ctx, db.PutDefinitionParams{
		Name: d.Name, Revision: revision.String(), Counted: d.counted(), Data: marshal(d), ManagedBy: managedBy, Slot: slot,
		Document: documentOf(d.Name)})
	if err = errors.Join(err, s.nextGeneration(ctx, tx)); err != nil {
		return fmt.Errorf("define %s: %w", d.Name, err)
	}
	if err := s.describe(ctx, tx, d); err != nil {
		return err
	}
	if known && old.Counted != d.counted() {
		if err := giveUpLedger(ctx, tx, d.Name, s.now()); err != nil {
			return fmt.Errorf("define %s: %w", d.Name, err)
		}
	}
	return nil
}

func (s *Service) describe(ctx context.Context, tx *sql.Tx, d *Definition) error {
	e, _, err := s.lookUp(ctx, tx, d.Service)
	if err != nil {
		return fmt.Errorf("define %s: %w", d.Name, err)
	}
	q := db.New(tx)
	changed, err := q.KeepMembership(ctx, db.KeepMembershipParams{SupersededAt: database.Micros(s.now()), Name: d.Name,
		Service: d.Service, Owner: e.Owner, Tier: e.Tier, System: e.System})
	if err == nil {
		err = errors.Join(s.coveredAnew(ctx, tx, changed), q.DescribeStatus(ctx, db.DescribeStatusParams{
			Name: d.Name, Title: d.Title, Service: d.Service, Owner: e.Owner, Tier: e.Tier, System: e.System,
			Objective: float64(d.Objective), Period: int64(d.Period / time.Second)}))
	}
	if err != nil {
		return fmt.Errorf("define %s: %w", d.Name, err)
	}
	return nil
}

// coveredAnew has objectives that belong elsewhere now summed up again: other
// exclusions cover them.
func (s *Service) coveredAnew(ctx context.Context, tx *sql.Tx, names []string) error {
	if len(names) == 0 {
		return nil
	}
	book, err := exclusion.Load(ctx, tx, time.Time{})
	if err != nil || book.Empty() {
		return err
	}
	for _, name := range names {
		if err := askRebuild(ctx, tx, name, 0); err != nil {
			return err
		}
	}
	return nil
}

// dropSLO takes an SLO out, with all its objectives.
func (s *Service) dropSLO(ctx context.Context, tx *sql.Tx, doc *ascode.Document) error {
	var was openslo.SLO
	if _, err := loadPart(ctx, tx, kindSLO, doc.Name, &was); err != nil {
		return err
	}
	if err := s.retire(ctx, tx, doc.Name, nil); err != nil {
		return err
	}
	err := errors.Join(s.agreements.End(ctx, tx, doc.Name),
		db.New(tx).DeletePart(ctx, db.DeletePartParams{Kind: kindSLO, Name: doc.Name}))
	if err != nil {
		return fmt.Errorf("remove %s: %w", doc.Name, err)
	}
	return s.followDependants(ctx, tx, was.Spec.Service, doc.Name)
}

// undefine takes an objective out: its open alerts end, its ledger goes.
func (s *Service) undefine(ctx context.Context, tx *sql.Tx, name string) error {
	q := db.New(tx)
	row, err := q.GetDefinition(ctx, name)
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	var d Definition
	if err := unmarshal(row.Data, &d); err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	if err := s.endAlerts(ctx, tx, &d); err != nil {
		return err
	}
	err = errors.Join(s.dropInstances(ctx, tx, name), s.nextGeneration(ctx, tx),
		q.DeleteDefinition(ctx, name), q.DeleteStatus(ctx, name), dropLedger(ctx, tx, name), q.DropRebuild(ctx, name), q.DropLate(ctx, name), policy.Forget(ctx, tx, name))
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

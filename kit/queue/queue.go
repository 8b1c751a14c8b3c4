// Package queue runs work that must not be lost: a job is inserted in the
// transaction that calls for it, and runs at least once after that transaction
// commits, with retries, on any replica. It also runs periodic work on exactly
// one replica at a time.
//
// It is River over the database's own transactions. Rooms see only what is here.
package queue

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"

	"github.com/teiten/teiten/kit/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	defaultTimeout     = time.Minute
	defaultMaxAttempts = 25
	defaultWorkers     = 8
	completedRetention = time.Hour
	maxBackoff         = 5 * time.Minute

	// pollInterval is how often new jobs are looked for. A look costs a millisecond
	// of the processor, also where nothing ever happens: what must not wait as long
	// has a loop of its own that is woken after the commit.
	pollInterval = 2 * time.Second
)

// Queue inserts and runs jobs.
type Queue struct {
	db   *database.DB
	log  *slog.Logger
	now  func() time.Time
	self string // names this process as the holder of leases

	workers    *river.Workers
	queues     map[string]river.QueueConfig
	settings   map[string]setting // by kind of job
	maxTimeout time.Duration

	freeze sync.Once
	client *river.Client[*sql.Tx]
	broken error // why the client could not be made

	periodic []periodic
	leases   leases
	ending   context.CancelFunc
	loops    sync.WaitGroup
}

// New prepares the queue's tables in db. Handlers and periodic work are
// registered before Start.
func New(ctx context.Context, db *database.DB, log *slog.Logger) (*Queue, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "queue", files); err != nil {
		return nil, err
	}
	q := &Queue{
		db: db, log: log, now: time.Now, self: uuid.NewString(),
		workers:    river.NewWorkers(),
		queues:     map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: defaultWorkers}},
		settings:   map[string]setting{},
		maxTimeout: defaultTimeout,
		leases:     leases{until: map[string]time.Time{}},
	}
	err = db.Exclusive(ctx, "queue.migrate", func(ctx context.Context) error {
		m, err := rivermigrate.New(q.driver(), &rivermigrate.Config{Logger: quiet(log)})
		if err != nil {
			return err
		}
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("migrate queue: %w", err)
	}
	return q, q.recover(ctx)
}

// At has leases and periodic work go by another clock, for tests.
func (q *Queue) At(now func() time.Time) { q.now = now }

func (q *Queue) driver() riverdriver.Driver[*sql.Tx] {
	if q.db.Dialect() == database.SQLite {
		return riversqlite.New(q.db.Writer())
	}
	return riverdatabasesql.New(q.db.Writer())
}

// recover takes up at once what a killed process left. Only one process serves a
// SQLite file, so whatever still looks held or running is from before; on
// PostgreSQL another replica may be alive, and time-outs decide.
func (q *Queue) recover(ctx context.Context) error {
	if q.db.Dialect() != database.SQLite {
		return nil
	}
	return q.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE queue_leases SET held_until = 0")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE river_job SET state = 'available' WHERE state = 'running'")
		return err
	})
}

// Args are what a job is told. They are stored as JSON, so they hold references
// and never secrets; Kind names the job's handler.
type Args = river.JobArgs

// Job is one attempt at a job. Attempt counts from 1.
type Job[A Args] struct {
	ID      int64
	Args    A
	Attempt int
}

// Handler does one kind of job. Work returns nil once the job is done; an error
// has it tried again after Backoff (by default exponential with jitter, at most
// five minutes) until MaxAttempts. Queue and Workers give the kind a lane of its
// own, so that slow work does not hold up quick work.
type Handler[A Args] struct {
	Work        func(ctx context.Context, job Job[A]) error
	Timeout     time.Duration
	MaxAttempts int
	Backoff     func(attempt int) time.Duration
	Queue       string
	Workers     int
}

// Handle registers the handler of A's kind. It panics after Start, or when the
// kind has one already: both are mistakes of the program.
func Handle[A Args](q *Queue, h Handler[A]) {
	if q.client != nil {
		panic("queue: Handle after the queue was started")
	}
	if h.Timeout == 0 {
		h.Timeout = defaultTimeout
	}
	if h.Backoff == nil {
		h.Backoff = Backoff
	}
	q.maxTimeout = max(q.maxTimeout, h.Timeout)
	if h.Queue != "" {
		q.queues[h.Queue] = river.QueueConfig{MaxWorkers: max(h.Workers, 1)}
	}
	var none A
	q.settings[none.Kind()] = setting{queue: h.Queue, maxAttempts: h.MaxAttempts}
	river.AddWorker(q.workers, &worker[A]{handler: h})
}

// setting is where and how often jobs of one kind run.
type setting struct {
	queue       string
	maxAttempts int
}

// worker is a handler as River sees it.
type worker[A Args] struct {
	river.WorkerDefaults[A]
	handler Handler[A]
}

func (w *worker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	return w.handler.Work(ctx, Job[A]{ID: job.ID, Args: job.Args, Attempt: job.Attempt})
}

func (w *worker[A]) Timeout(*river.Job[A]) time.Duration { return w.handler.Timeout }

func (w *worker[A]) NextRetry(job *river.Job[A]) time.Time {
	return time.Now().Add(w.handler.Backoff(job.Attempt))
}

// Backoff is how long to wait after the given attempt: 1 s, 2 s, 4 s … up to five
// minutes, each shortened at random by up to a quarter so that jobs that failed
// together do not come back together.
func Backoff(attempt int) time.Duration {
	d := maxBackoff
	if attempt < 10 {
		d = min(d, time.Second<<max(attempt-1, 0))
	}
	return d - rand.N(d/4)
}

// GiveUp ends a job that no further attempt can help.
func GiveUp(err error) error { return river.JobCancel(err) }

// Later has the job run again after d without counting the attempt.
func Later(d time.Duration) error { return river.JobSnooze(d) }

// InsertOption changes how one job is inserted.
type InsertOption func(*river.InsertOpts)

// At has the job wait until t.
func At(t time.Time) InsertOption {
	return func(o *river.InsertOpts) { o.ScheduledAt = t }
}

// Once skips the insertion while a job of the same kind with the same arguments
// has not ended.
func Once() InsertOption {
	return func(o *river.InsertOpts) {
		o.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
			rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}}
	}
}

// Insert adds a job that runs once tx commits, and never if it does not.
func (q *Queue) Insert(ctx context.Context, tx *sql.Tx, args Args, options ...InsertOption) error {
	client, err := q.open()
	if err != nil {
		return err
	}
	s := q.settings[args.Kind()]
	o := &river.InsertOpts{Queue: s.queue, MaxAttempts: s.maxAttempts}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = defaultMaxAttempts
	}
	for _, set := range options {
		set(o)
	}
	if _, err := client.InsertTx(ctx, tx, args, o); err != nil {
		return fmt.Errorf("insert job %s: %w", args.Kind(), err)
	}
	return nil
}

// open makes the client when the first job is inserted or the queue starts;
// every handler is known by then.
func (q *Queue) open() (*river.Client[*sql.Tx], error) {
	q.freeze.Do(func() {
		q.client, q.broken = river.NewClient(q.driver(), &river.Config{
			Workers:                     q.workers,
			Queues:                      maps.Clone(q.queues),
			FetchPollInterval:           pollInterval,
			JobTimeout:                  defaultTimeout,
			RescueStuckJobsAfter:        q.maxTimeout + time.Minute,
			CompletedJobRetentionPeriod: completedRetention,
			Logger:                      quiet(q.log),
		})
	})
	return q.client, q.broken
}

// Start runs jobs and periodic work until Stop.
func (q *Queue) Start(ctx context.Context) error {
	ctx, q.ending = context.WithCancel(context.WithoutCancel(ctx))
	if len(q.settings) > 0 { // River refuses to start with nothing to do
		client, err := q.open()
		if err != nil {
			return err
		}
		if err := client.Start(ctx); err != nil {
			return fmt.Errorf("start queue: %w", err)
		}
	}
	for _, p := range q.periodic {
		q.loops.Go(func() { q.loop(ctx, p) })
	}
	return nil
}

// Stop takes no more work and waits for what runs. When ctx ends first, it
// cancels what runs, which is then tried again later. Leases are given back, so
// that another replica goes on at once.
func (q *Queue) Stop(ctx context.Context) error {
	if q.ending == nil {
		return nil
	}
	err := q.drain(ctx)
	q.ending()
	q.loops.Wait()
	return errors.Join(err, q.release(context.WithoutCancel(ctx)))
}

func (q *Queue) drain(ctx context.Context) error {
	if q.client == nil {
		return nil
	}
	err := q.client.Stop(ctx)
	if ctx.Err() == nil {
		return err
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	return q.client.StopAndCancel(last)
}

// quiet lets River's warnings through, with a name, and not its chatter.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(leveled{log.With("part", "queue").Handler()})
}

type leveled struct{ slog.Handler }

func (l leveled) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && l.Handler.Enabled(ctx, level)
}

func (l leveled) WithAttrs(a []slog.Attr) slog.Handler { return leveled{l.Handler.WithAttrs(a)} }
func (l leveled) WithGroup(name string) slog.Handler   { return leveled{l.Handler.WithGroup(name)} }

// Counts is how many jobs are in which state.
type Counts struct{ Waiting, Running, Retrying, Discarded int64 }

// Counts returns the present length of the queue.
func (q *Queue) Counts(ctx context.Context) (Counts, error) {
	var c Counts
	rows, err := q.db.Read().QueryContext(ctx, "SELECT CAST(state AS TEXT), count(*) FROM river_job GROUP BY state")
	if err != nil {
		return c, database.Fault(fmt.Errorf("count jobs: %w", err))
	}
	defer rows.Close()
	for rows.Next() {
		var state string
		var n int64
		if err := rows.Scan(&state, &n); err != nil {
			return c, fmt.Errorf("count jobs: %w", err)
		}
		switch rivertype.JobState(state) {
		case rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateScheduled:
			c.Waiting += n
		case rivertype.JobStateRunning:
			c.Running += n
		case rivertype.JobStateRetryable:
			c.Retrying += n
		case rivertype.JobStateDiscarded:
			c.Discarded += n
		case rivertype.JobStateCancelled, rivertype.JobStateCompleted:
		}
	}
	return c, database.Fault(rows.Err())
}

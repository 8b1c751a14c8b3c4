package queue_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
)

type greet struct {
	Name string `json:"name"`
}

func (greet) Kind() string { return "greet" }

func open(t *testing.T, db *database.DB) *queue.Queue {
	t.Helper()
	q, err := queue.New(t.Context(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func start(t *testing.T, q *queue.Queue) {
	t.Helper()
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func insert(t *testing.T, db *database.DB, q *queue.Queue, name string, outcome error) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		return errors.Join(q.Insert(ctx, tx, greet{name}), outcome)
	})
	if !errors.Is(err, outcome) {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c <-chan string) string {
	t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(2 * time.Minute):
		t.Fatal("nothing ran")
		return ""
	}
}

func TestJobRunsOnlyIfItsTransactionCommits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		q, ran := open(t, db), make(chan string, 10)
		queue.Handle(q, queue.Handler[greet]{Work: func(_ context.Context, j queue.Job[greet]) error {
			ran <- j.Args.Name
			return nil
		}})
		insert(t, db, q, "rolled back", errors.New("no"))
		insert(t, db, q, "committed", nil)
		start(t, q)
		if got := receive(t, ran); got != "committed" {
			t.Fatalf("ran %q", got)
		}
	})
}

func TestFailedJobIsTriedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		q, ran := open(t, db), make(chan string, 10)
		queue.Handle(q, queue.Handler[greet]{
			Queue: "slow", Workers: 1,
			Backoff: func(int) time.Duration { return 0 },
			Work: func(_ context.Context, j queue.Job[greet]) error {
				if j.Attempt < 3 {
					return errors.New("not yet")
				}
				ran <- j.Args.Name
				return nil
			},
		})
		start(t, q)
		insert(t, db, q, "stubborn", nil)
		receive(t, ran)
	})
}

func TestJobOfAKilledProcessRunsAtOnce(t *testing.T) {
	address := dbtest.SQLite(t)
	db := dbtest.Open(t, address)
	q, ran := open(t, db), make(chan string, 1)
	queue.Handle(q, queue.Handler[greet]{Work: func(context.Context, queue.Job[greet]) error { return nil }})
	insert(t, db, q, "left behind", nil)
	// What the table looks like after a kill in the middle of an attempt.
	if _, err := db.Writer().ExecContext(t.Context(), "UPDATE river_job SET state = 'running', attempt = 1, attempted_at = CURRENT_TIMESTAMP"); err != nil {
		t.Fatal(err)
	}
	again := open(t, dbtest.Open(t, address))
	queue.Handle(again, queue.Handler[greet]{Work: func(_ context.Context, j queue.Job[greet]) error {
		ran <- j.Args.Name
		return nil
	}})
	start(t, again)
	receive(t, ran)
}

func TestPeriodicWorkRunsOnceAmongReplicas(t *testing.T) {
	address := dbtest.Postgres(t)
	var running, runs atomic.Int32
	enough := make(chan struct{})
	var once sync.Once
	began := time.Now()
	for range 3 {
		q := open(t, dbtest.Open(t, address))
		q.Every("tick", time.Second, func(context.Context) error {
			if running.Add(1) > 1 {
				t.Error("two replicas run at the same time")
			}
			defer running.Add(-1)
			if runs.Add(1) == 3 {
				once.Do(func() { close(enough) })
			}
			return nil
		})
		start(t, q)
	}
	select {
	case <-enough:
	case <-time.After(2 * time.Minute):
		t.Fatalf("ran %d times", runs.Load())
	}
	// At most once for each second that began, of which the first was under way.
	ran, now := runs.Load(), time.Now()
	if most := int32(now.Truncate(time.Second).Sub(began.Truncate(time.Second))/time.Second) + 1; ran > most {
		t.Fatalf("ran %d times in %d seconds", ran, most)
	}
}

func TestLeaseHasOneHolderAndFencesTheOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		first, second := open(t, db), open(t, db)
		lease := func(q *queue.Queue) bool {
			held, err := q.Lease(t.Context(), "work", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			return held
		}
		holds := func(q *queue.Queue) error {
			return db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return q.Holds(ctx, tx, "work") })
		}
		if !lease(first) || lease(second) || !lease(first) {
			t.Fatal("the lease is not exclusive")
		}
		if err := holds(first); err != nil {
			t.Fatal(err)
		}
		if err := holds(second); fault.KindOf(err) != fault.Conflict {
			t.Fatalf("the second may write: %v", err)
		}
	})
}

func TestStoppedReplicaGivesItsLeasesBack(t *testing.T) {
	address := dbtest.Postgres(t)
	first, second := open(t, dbtest.Open(t, address)), open(t, dbtest.Open(t, address))
	if err := first.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if held, err := first.Lease(t.Context(), "work", time.Minute); !held || err != nil {
		t.Fatal(held, err)
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if held, err := second.Lease(t.Context(), "work", time.Minute); !held || err != nil {
		t.Fatal("not given back", err)
	}
}

func TestBackoffGrowsAndStaysUnderFiveMinutes(t *testing.T) {
	for attempt := 1; attempt < 100; attempt++ {
		d := queue.Backoff(attempt)
		if d < 750*time.Millisecond || d > 5*time.Minute {
			t.Fatalf("attempt %d waits %s", attempt, d)
		}
		if attempt >= 10 && d < 3*time.Minute {
			t.Fatalf("attempt %d waits only %s", attempt, d)
		}
	}
}

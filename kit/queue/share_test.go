package queue_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
)

// replicas are several processes that share sixteen pieces, under one clock.
type replicas struct {
	t     *testing.T
	db    *database.DB
	now   time.Time
	all   []*queue.Share
	alive []*queue.Share
}

const pieces, shareTTL = 16, 20 * time.Second

func (r *replicas) start() *queue.Share {
	q := open(r.t, r.db)
	q.At(func() time.Time { return r.now })
	s := q.Share("work", pieces, shareTTL)
	r.all, r.alive = append(r.all, s), append(r.alive, s)
	return s
}

func (r *replicas) kill(s *queue.Share) {
	r.alive = slices.DeleteFunc(r.alive, func(o *queue.Share) bool { return o == s })
}

// pass lets time pass, in which every living replica looks each second. It fails
// where a piece has two holders who may both write.
func (r *replicas) pass(d time.Duration) {
	r.t.Helper()
	for range d / time.Second {
		r.now = r.now.Add(time.Second)
		for _, s := range r.alive {
			if _, err := s.Held(r.t.Context()); err != nil {
				r.t.Fatal(err)
			}
		}
		for n := range pieces {
			var writers []int
			for i, s := range r.all {
				if r.writes(s, n) {
					writers = append(writers, i)
				}
			}
			if len(writers) > 1 {
				r.t.Fatalf("replicas %v may all write piece %d", writers, n)
			}
		}
	}
}

func (r *replicas) writes(s *queue.Share, pieces ...int) bool {
	err := r.db.Write(r.t.Context(), func(ctx context.Context, tx *sql.Tx) error { return s.Holds(ctx, tx, pieces...) })
	if err != nil && fault.KindOf(err) != fault.Conflict {
		r.t.Fatal(err)
	}
	return err == nil
}

// held is how many pieces each living replica holds; together they must be all.
func (r *replicas) held() string {
	r.t.Helper()
	var counts []int
	var all []int
	for _, s := range r.alive {
		held, err := s.Held(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		counts = append(counts, len(held))
		all = append(all, held...)
	}
	slices.Sort(all)
	if len(slices.Compact(slices.Clone(all))) != len(all) || len(all) != pieces {
		return fmt.Sprintf("%v, together %v", counts, all)
	}
	slices.Sort(counts)
	return fmt.Sprint(counts)
}

func TestReplicasShareThePiecesEvenlyAndTakeOverFromTheDead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := &replicas{t: t, db: db, now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
		first := r.start()
		want := func(when, counts string) {
			t.Helper()
			if got := r.held(); got != counts {
				t.Fatalf("%s: %s, want %s", when, got, counts)
			}
		}
		r.pass(time.Second)
		want("alone", "[16]")
		second := r.start()
		r.pass(10 * time.Second)
		want("with a second", "[8 8]")
		r.start()
		r.pass(10 * time.Second)
		want("with a third", "[4 6 6]")
		r.kill(first)
		r.pass(shareTTL + 10*time.Second)
		want("after the first died", "[8 8]")
		if held, _ := first.Held(t.Context()); len(held) > 6 {
			t.Errorf("the dead one, awake again, believes to hold %v", held)
		}
		r.kill(second)
		r.pass(30 * time.Second)
		want("after the second died", "[16]")
		for n := range pieces {
			if r.writes(second, n) {
				t.Errorf("the dead one still writes piece %d", n)
			}
		}
	})
}

func TestAPieceThatOneHoldsIsWrittenByNobodyElse(t *testing.T) {
	r := &replicas{t: t, db: dbtest.Open(t, dbtest.SQLite(t)), now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
	first, second := r.start(), r.start()
	r.kill(second)
	r.pass(time.Second)
	if r.writes(second, 3) || r.writes(second, 3, 4) {
		t.Error("a piece of the first is written by the second")
	}
	if !r.writes(first, 3, 4, 15, 3) {
		t.Error("the holder cannot write")
	}
	r.now = r.now.Add(shareTTL + time.Second)
	if r.writes(first, 3) {
		t.Error("a lease that ran out still writes")
	}
}

package queue

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"
)

const (
	leaseTTL = 30 * time.Second
	// look is how often a periodic loop looks at the clock: often enough to
	// notice that the clock jumped.
	look = 5 * time.Second
)

type periodic struct {
	name  string
	every time.Duration
	do    func(ctx context.Context) error
}

// Every runs do each time the clock passes a multiple of every, on one replica
// at a time; a run that was missed while nothing was running is made up for
// once. Errors are logged and the next run comes as usual. Call it before Start.
func (q *Queue) Every(name string, every time.Duration, do func(ctx context.Context) error) {
	q.periodic = append(q.periodic, periodic{name, every, do})
}

func (q *Queue) loop(ctx context.Context, p periodic) {
	var last time.Time
	for {
		due := q.now().Truncate(p.every)
		if due.After(last) || last.Sub(due) > p.every { // the second: the clock was put back
			if q.turn(ctx, p, due) {
				last = due
			}
		}
		if !q.sleep(ctx, p.every) {
			return
		}
	}
}

// sleep waits for the next multiple of every, or a look at the clock before it,
// and reports whether to go on.
func (q *Queue) sleep(ctx context.Context, every time.Duration) bool {
	now := q.now()
	t := time.NewTimer(min(now.Truncate(every).Add(every).Sub(now), look))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// turn runs p for the instant due unless another replica does or did, and
// reports whether that instant is dealt with.
func (q *Queue) turn(ctx context.Context, p periodic, due time.Time) bool {
	held, err := q.Lease(ctx, p.name, leaseTTL)
	if err != nil || !held {
		q.complain(ctx, p.name, err)
		return false
	}
	mine, err := q.claim(ctx, p, due)
	if err != nil || !mine {
		q.complain(ctx, p.name, err)
		return err == nil
	}
	defer q.keep(ctx, p.name)()
	q.complain(ctx, p.name, p.do(ctx))
	return true
}

func (q *Queue) complain(ctx context.Context, name string, err error) {
	if err != nil && ctx.Err() == nil {
		q.log.ErrorContext(ctx, "periodic work failed", "work", name, "error", err)
	}
}

// claim marks the instant due as run, and reports whether it was not before. A
// mark far in the future is from a clock that was wrong, and does not count.
func (q *Queue) claim(ctx context.Context, p periodic, due time.Time) (mine bool, err error) {
	err = q.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx,
			"UPDATE queue_leases SET ran_at = $1 WHERE name = $2 AND holder = $3 AND (ran_at < $1 OR ran_at > $4)",
			due.UnixMicro(), p.name, q.self, due.Add(p.every).UnixMicro())
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		mine = n == 1
		return err
	})
	return mine, err
}

// keep renews the lease while long work runs; the function it returns ends that.
func (q *Queue) keep(ctx context.Context, name string) func() {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(leaseTTL / 3)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				_, err := q.Lease(ctx, name, leaseTTL)
				q.complain(ctx, name, err)
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// leases remembers what this process holds, so that it asks the database only
// when a lease is a third spent.
type leases struct {
	sync.Mutex
	until map[string]time.Time
}

// Lease takes or renews the lease called name for ttl and reports whether this
// process holds it. The clocks of the replicas must agree to well within ttl.
func (q *Queue) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	now := q.now()
	q.leases.Lock()
	left := q.leases.until[name].Sub(now)
	q.leases.Unlock()
	if left > ttl*2/3 && left <= ttl {
		return true, nil
	}
	var held bool
	err := q.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `INSERT INTO queue_leases (name, holder, held_until) VALUES ($1, $2, $3)
			ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
			WHERE queue_leases.holder = excluded.holder OR queue_leases.held_until < $4`,
			name, q.self, now.Add(ttl).UnixMicro(), now.UnixMicro())
		if err != nil {
			return fmt.Errorf("lease %s: %w", name, err)
		}
		n, err := r.RowsAffected()
		held = n == 1
		return err
	})
	q.leases.Lock()
	defer q.leases.Unlock()
	if err != nil || !held {
		delete(q.leases.until, name)
		return false, err
	}
	q.leases.until[name] = now.Add(ttl)
	return true, nil
}

// Holds returns a Conflict fault unless this process holds the lease, as tx sees
// it. Work that only the holder may do asks this in the transaction that records
// it, so that a replica that was thought dead cannot write when it wakes.
func (q *Queue) Holds(ctx context.Context, tx *sql.Tx, name string) error {
	// An update locks the row, so that nobody takes the lease before tx commits.
	r, err := tx.ExecContext(ctx, "UPDATE queue_leases SET ran_at = ran_at WHERE name = $1 AND holder = $2 AND held_until >= $3",
		name, q.self, q.now().UnixMicro())
	if err != nil {
		return fmt.Errorf("lease %s: %w", name, err)
	}
	n, err := r.RowsAffected()
	if err != nil {
		return fmt.Errorf("lease %s: %w", name, err)
	}
	if n == 0 {
		return leaseLost(name)
	}
	return nil
}

// release gives back every lease that this process holds.
func (q *Queue) release(ctx context.Context) error {
	q.leases.Lock()
	clear(q.leases.until)
	q.leases.Unlock()
	return q.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE queue_leases SET held_until = 0 WHERE holder = $1", q.self)
		return err
	})
}

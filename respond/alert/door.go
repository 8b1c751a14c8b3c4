package alert

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/db"
)

// door makes what arrives durable before it is answered. All requests that are in
// flight together wait for one commit, which costs about as much for a thousand
// as for one.
type door struct {
	db   *database.DB
	now  func() time.Time
	wake func() // once something waits in the log

	mu      sync.Mutex
	waiting []*entrant
	busy    bool // somebody writes

	// backlog is how many events wait in the log, as last counted, and what came
	// since.
	backlog atomic.Int64
	limit   int64
	refused atomic.Int64 // requests that were refused because of it, since the start
}

// entrant is one request that waits for its commit.
type entrant struct {
	events []rawEvent
	size   int
	batch  string
	first  int // number of its first event in the batch
	err    error
	done   chan struct{}
}

const (
	mostTogether   = 4000    // requests of one commit
	mostBytes      = 8 << 20 // of one commit
	commitTimeout  = 20 * time.Second
	backlogRetry   = 5 * time.Second
	DefaultBacklog = 200_000 // events that may wait to be looked at
)

// put returns once the events are durable: the batch that holds them, and the
// number of the first.
func (d *door) put(ctx context.Context, events []rawEvent) (batch string, first int, err error) {
	if d.limit > 0 && d.backlog.Load() >= d.limit {
		d.refused.Add(1)
		return "", 0, fullDoor(d.limit)
	}
	e := &entrant{events: events, done: make(chan struct{})}
	for i := range events {
		e.size += len(events[i].body) + 64
	}
	d.mu.Lock()
	d.waiting = append(d.waiting, e)
	if !d.busy {
		d.busy = true
		go d.write()
	}
	d.mu.Unlock()
	select {
	case <-e.done:
		return e.batch, e.first, e.err
	case <-ctx.Done(): // it may yet be written: whoever left must send it again
		return "", 0, ctx.Err()
	}
}

func fullDoor(limit int64) error {
	return fault.New(fault.Limited, "alert.backlog",
		text.Say("more than %d events wait to be looked at: nothing more is accepted for the moment", "処理待ちのイベントが%d件を超えたため、一時的に受け付けを止めています", limit)).
		Fix(text.Say("send it again after the time in Retry-After", "Retry-After の時間が過ぎてから、もう一度送ってください")).After(backlogRetry)
}

// write commits what waits until nothing does.
func (d *door) write() {
	for {
		d.mu.Lock()
		n, size := 0, 0
		for n < len(d.waiting) && n < mostTogether && (n == 0 || size+d.waiting[n].size <= mostBytes) {
			size += d.waiting[n].size
			n++
		}
		if n == 0 {
			d.busy = false
			d.mu.Unlock()
			return
		}
		these := d.waiting[:n:n]
		d.waiting = d.waiting[n:]
		d.mu.Unlock()
		d.commit(these)
	}
}

// pressed reports whether requests wait.
func (d *door) pressed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.busy
}

// commit writes one batch of all that the entrants bring.
func (d *door) commit(these []*entrant) {
	var all []rawEvent
	for _, e := range these {
		e.first = len(all)
		all = append(all, e.events...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout) // nobody's request: others wait for it as well
	defer cancel()
	batch := ""
	err := d.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		batch, err = d.insert(ctx, tx, all)
		return err
	})
	for _, e := range these {
		e.batch, e.err = batch, err
		close(e.done)
	}
}

// insert writes a batch in a transaction of the caller.
func (d *door) insert(ctx context.Context, tx *sql.Tx, all []rawEvent) (batch string, err error) {
	batch = newID()
	err = db.New(tx).PutBatch(ctx, db.PutBatchParams{ID: batch, ReceivedAt: database.Micros(d.now()), Count: int64(len(all)), Data: packEvents(all)})
	if err != nil {
		return "", database.Fault(fmt.Errorf("write the intake log: %w", err))
	}
	database.AfterCommit(ctx, func() {
		d.backlog.Add(int64(len(all)))
		d.wake()
	})
	return batch, nil
}

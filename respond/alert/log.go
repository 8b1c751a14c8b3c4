package alert

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/alert/db"
)

// The intake log has two places on SQLite. What arrives over HTTP is made durable
// in the spool, a file of its own; what is part of a transaction, such as a
// command, in the database. The processor moves the former over in the
// transaction that enters it. After a crash between that and its removal from the
// spool a batch is in both places, and is not entered again.

// waiting is a batch of the log that was not entered yet.
type waiting struct {
	db.AlertBatch
	spooled bool
}

// hasSpool reports whether what arrives is kept in a file of its own.
func (s *Service) hasSpool() bool { return s.Spool != s.DB }

// waitingBatches are the first that wait, in order within each place.
func (s *Service) waitingBatches(ctx context.Context) ([]waiting, error) {
	var out []waiting
	rows, err := db.New(s.DB.Read()).WaitingBatches(ctx, mostBatches)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read the intake log: %w", err))
	}
	for i := range rows {
		out = append(out, waiting{rows[i], false})
	}
	if !s.hasSpool() {
		return out, nil
	}
	if rows, err = db.New(s.Spool.Read()).WaitingBatches(ctx, mostBatches); err != nil {
		return nil, database.Fault(fmt.Errorf("read the spool: %w", err))
	}
	for i := range rows {
		taken, err := db.New(s.DB.Read()).IsTaken(ctx, rows[i].ID)
		if err != nil {
			return nil, database.Fault(fmt.Errorf("look for a batch: %w", err))
		}
		if taken > 0 {
			if err := s.unspool(ctx, []waiting{{rows[i], true}}); err != nil {
				return nil, err
			}
			continue
		}
		out = append(out, waiting{rows[i], true})
	}
	return out, nil
}

// entered marks batches in the transaction that enters them.
func entered(ctx context.Context, q *db.Queries, batches []waiting, now time.Time) error {
	for i := range batches {
		b, at := &batches[i], database.Micros(now)
		var n int64
		var err error
		if b.spooled {
			n, err = q.TakeBatch(ctx, db.TakeBatchParams{ID: b.ID, ReceivedAt: b.ReceivedAt, ProcessedAt: at, Count: b.Count, Data: b.Data})
		} else {
			n, err = q.BatchDone(ctx, db.BatchDoneParams{ID: b.ID, At: at})
		}
		if err != nil {
			return fmt.Errorf("mark batch %s: %w", b.ID, err)
		}
		if n == 0 {
			return fmt.Errorf("batch %s was entered by somebody else", b.ID)
		}
	}
	return nil
}

// unspool removes from the spool what the database holds.
func (s *Service) unspool(ctx context.Context, batches []waiting) error {
	var ids []string
	for i := range batches {
		if batches[i].spooled {
			ids = append(ids, batches[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return s.Spool.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(tx)
		for _, id := range ids {
			if err := q.DropBatch(ctx, id); err != nil {
				return fmt.Errorf("clear the spool: %w", err)
			}
		}
		return nil
	})
}

// countWaiting is how many events wait, of all replicas.
func (s *Service) countWaiting(ctx context.Context) (int64, error) {
	c, err := db.New(s.DB.Read()).CountWaiting(ctx)
	if err != nil {
		return 0, database.Fault(fmt.Errorf("count the intake log: %w", err))
	}
	if !s.hasSpool() {
		return c.Events, nil
	}
	spooled, err := db.New(s.Spool.Read()).CountWaiting(ctx)
	if err != nil {
		return 0, database.Fault(fmt.Errorf("count the spool: %w", err))
	}
	return c.Events + spooled.Events, nil
}

// countBacklog sets the backlog to what the log holds.
func (s *Service) countBacklog(ctx context.Context) error {
	n, err := s.countWaiting(ctx)
	if err == nil {
		s.door.backlog.Store(n)
	}
	return err
}

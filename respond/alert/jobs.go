package alert

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/respond/alert/db"
)

const (
	forgetEvery = time.Hour
	// forgotAtOnce is how many rows one transaction of Forget drops: writers wait for
	// it.
	forgotAtOnce = 200
)

// Schedule has what is over forgotten in time.
func (s *Service) Schedule(q *queue.Queue) { q.Every("alert.forget", forgetEvery, s.Forget) }

// Forget drops raw events, resolved alerts and groups that are kept no longer.
// The journal keeps what it says of them.
func (s *Service) Forget(ctx context.Context) error {
	now := s.Now()
	raw, closed := database.Micros(now.Add(-s.Retention.Raw)), database.Micros(now.Add(-s.Retention.Closed))
	read := db.New(s.DB.Read())
	return errors.Join(
		s.forget(ctx, "raw events", func() ([]string, error) {
			return read.OldBatches(ctx, db.OldBatchesParams{Before: raw, Most: forgotAtOnce})
		}, (*db.Queries).DropBatch),
		s.forget(ctx, "alerts", func() ([]string, error) {
			return read.OldAlerts(ctx, db.OldAlertsParams{Before: closed, Most: forgotAtOnce})
		}, (*db.Queries).DropMembersOfAlert, (*db.Queries).DropAlert),
		s.forget(ctx, "groups", func() ([]string, error) {
			return read.OldGroups(ctx, db.OldGroupsParams{Before: closed, Most: forgotAtOnce})
		}, (*db.Queries).DropMembersOfGroup, (*db.Queries).DropGroup),
	)
}

// forget drops rows until old finds no more.
func (s *Service) forget(ctx context.Context, what string, old func() ([]string, error), drop ...func(q *db.Queries, ctx context.Context, id string) error) error {
	for {
		ids, err := old()
		if err != nil {
			return database.Fault(fmt.Errorf("look for old %s: %w", what, err))
		}
		if len(ids) == 0 {
			return nil
		}
		err = s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			q := db.New(tx)
			for _, id := range ids {
				for _, d := range drop {
					if err := d(q, ctx, id); err != nil {
						return fmt.Errorf("drop old %s: %w", what, err)
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

package notify

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/notify/db"
)

// DefaultRetention is how long a delivery that ended is kept: longer than a year,
// so that one can be compared with the year before.
const DefaultRetention = 400 * 24 * time.Hour

// forgetAtATime is how many deliveries are forgotten in one transaction.
const forgetAtATime = 500

// Forget removes deliveries that ended longer ago than they are to be kept. Of a
// thread that was heard of since, all is kept: what a channel hears of it next
// depends on what it heard first.
func (s *Service) Forget(ctx context.Context) error {
	before := database.Micros(s.now().Add(-s.kept))
	for more := true; more; {
		err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			q := db.New(tx)
			old, err := q.ListForgettable(ctx, db.ListForgettableParams{EndedAt: before, Limit: forgetAtATime})
			if err != nil {
				return err
			}
			for _, id := range old {
				if err := q.DropAttempts(ctx, id); err != nil {
					return err
				}
				if err := q.DropDelivery(ctx, id); err != nil {
					return err
				}
			}
			more = len(old) == forgetAtATime
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget deliveries: %w", err)
		}
	}
	return nil
}

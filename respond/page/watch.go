package page

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/page/db"
)

// beatEvery is how often an outside watcher hears that pages go out.
const beatEvery = time.Minute

// beat tells an outside watcher, which somebody else runs, that this server lives
// and can page: as long as it can write to its database and takes its steps in
// time. When it falls silent, the watcher pages by another way.
func (s *Service) beat(ctx context.Context) {
	if s.heartbeat == "" {
		return
	}
	client := &http.Client{Timeout: 15 * time.Second}
	for {
		if err := s.healthy(ctx); err != nil {
			s.log.ErrorContext(ctx, "the heartbeat is withheld", "error", err)
		} else if err := ping(ctx, client, s.heartbeat); err != nil {
			s.log.WarnContext(ctx, "the heartbeat was not heard", "error", err)
		}
		rest(ctx, beatEvery)
		if ctx.Err() != nil {
			return
		}
	}
}

// ping calls the watcher. Its address is a secret and is not repeated in errors.
func ping(ctx context.Context, client *http.Client, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, nil)
	if err != nil {
		return errBeat("its address is no URL")
	}
	resp, err := client.Do(req)
	if err != nil {
		return errBeat("it does not answer")
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return errBeat(resp.Status)
	}
	return nil
}

type errBeat string

func (e errBeat) Error() string { return "watcher: " + string(e) }

// overdueAfter is how late a step may be before something is wrong with this
// server itself.
const overdueAfter = 30 * time.Second

// healthy reports why this server cannot page, if it cannot: what is due is not
// taken, or nothing can be stored.
func (s *Service) healthy(ctx context.Context) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(tx)
		if err := q.TouchKey(ctx, "link"); err != nil {
			return err
		}
		overdue, err := q.CountOverdue(ctx, database.Micros(s.now().Add(-overdueAfter)))
		if err == nil && overdue > 0 {
			err = fmt.Errorf("%d steps are overdue", overdue)
		}
		return err
	})
}

package probe

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/observe/probe/db"
	"github.com/teiten/teiten/observe/probe/runner"
)

const (
	lease         = "probe.server" // one replica makes the server's checks
	leaseTTL      = 30 * time.Second
	look          = 5 * time.Second // for changed probes, and for the lease
	keepFailures  = 14 * 24 * time.Hour
	keepSuccesses = 48 * time.Hour
	deliverWithin = 30 * time.Second
)

// Schedule has silent locations told and old results removed.
func (s *Service) Schedule(q *queue.Queue) {
	q.Every("probe.silence", time.Minute, s.tellSilent)
	q.Every("probe.prune", time.Hour, s.prune)
}

func (s *Service) prune(ctx context.Context) error {
	now := s.Now()
	return s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(tx)
		return errors.Join(q.PruneSuccesses(ctx, database.Micros(now.Add(-keepSuccesses))), q.PruneResults(ctx, database.Micros(now.Add(-keepFailures))))
	})
}

// Run makes the server's own checks until ctx ends, while this replica holds the
// lease.
func (s *Service) Run(ctx context.Context) error {
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		if err := s.runner.Run(ctx); err != nil {
			s.Log.ErrorContext(ctx, "probes ended", "error", err)
		}
	})
	for {
		if err := s.refresh(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "probes could not be read", "error", err)
		}
		t := time.NewTimer(look)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-s.changed:
		case <-t.C:
		}
		t.Stop()
	}
}

// refresh gives the runner the checks of the server, and none where another
// replica makes them.
func (s *Service) refresh(ctx context.Context) error {
	held, err := s.Queue.Lease(ctx, lease, leaseTTL)
	if err != nil {
		return err
	}
	var jobs []runner.Job
	if held {
		if err := s.see(ctx, Server, ""); err != nil {
			return err
		}
		if jobs, err = s.jobs(ctx, Server); err != nil {
			return err
		}
	}
	s.runner.Set(jobs)
	return nil
}

// deliver records a result of the server's own checks. What cannot be stored is
// gone: its minute is unknown.
func (s *Service) deliver(ctx context.Context, r runner.Result) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deliverWithin)
	defer cancel()
	if _, err := s.Record(ctx, Server, []runner.Result{r}); err != nil {
		s.Log.WarnContext(ctx, "a probe's result was not stored", "probe", r.Probe, "error", err)
	}
}

package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/teiten/teiten/observe/slo/db"
)

// errChanged says that an objective was defined anew while a step was made.
var errChanged = errors.New("the definitions changed meanwhile")

// writeSteps writes steps of several shards in one transaction, fenced by their
// leases and by the definitions they were made of.
func (s *Service) writeSteps(ctx context.Context, steps []*step, generation int64, now time.Time) error {
	if len(steps) == 0 {
		return nil
	}
	var numbers []int
	for _, x := range steps {
		numbers = append(numbers, x.sh.number)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.engine.share.Holds(ctx, tx, numbers...); err != nil {
			return err
		}
		n, err := db.New(tx).LockGeneration(ctx, generation)
		if err != nil {
			return fmt.Errorf("write objectives: %w", err)
		}
		if n == 0 {
			return errChanged
		}
		stmts, with := prepare(tx), s.company(tx)
		for _, x := range steps {
			if err := s.writeStep(ctx, tx, stmts, x, now, with); err != nil {
				return fmt.Errorf("write shard %d: %w", x.sh.number, err)
			}
		}
		return nil
	})
}

func (s *Service) writeStep(ctx context.Context, tx *sql.Tx, stmts *prepared, x *step, now time.Time, with *company) error {
	q := db.New(stmts)
	for _, c := range x.columns {
		if err := q.PutMinute(ctx, c); err != nil {
			return err
		}
	}
	if err := putHours(ctx, stmts, now, x.hours); err != nil {
		return err
	}
	number := int64(x.sh.number)
	if x.closed > 0 {
		if err := q.DropMinutes(ctx, db.DropMinutesParams{Shard: number, Minute: x.closed}); err != nil {
			return err
		}
	}
	if x.cut > 0 {
		if err := q.CutMinutes(ctx, db.CutMinutesParams{Shard: number, Minute: x.cut}); err != nil {
			return err
		}
	}
	err := q.PutShard(ctx, db.PutShardParams{Shard: number, Minute: x.sh.end, Version: x.sh.version, State: packStandings(x.sh.final, x.sh.end, x.made, x.standings)})
	if err != nil {
		return err
	}
	for _, r := range x.rebuilt {
		if err := q.RebuildDone(ctx, r); err != nil {
			return err
		}
	}
	for _, id := range x.reread {
		if err := q.LateDone(ctx, id); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, x, now, with)
}

// tell puts into the journal what a step changed.
func (s *Service) tell(ctx context.Context, tx *sql.Tx, x *step, now time.Time, with *company) error {
	for _, c := range x.changes {
		if err := s.record(ctx, tx, c.change, c.m.d.Owner, now, with); err != nil {
			return err
		}
	}
	for _, m := range x.started {
		if err := s.tellBackfill(ctx, tx, EntryBackfillStarted, m.def, m.d.Owner, m.backfill); err != nil {
			return err
		}
	}
	for _, m := range x.finished {
		if err := s.tellBackfill(ctx, tx, EntryBackfillFinished, m.def, m.d.Owner, m.backfill); err != nil {
			return err
		}
	}
	return nil
}

package incident

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/respond/incident/db"
)

// alarmEvery is how often overdue updates are looked for.
const alarmEvery = 30 * time.Second

// Schedule registers what runs repeatedly.
func (s *Service) Schedule(q *queue.Queue) { q.Every("incident.overdue", alarmEvery, s.Alarm) }

// Alarm tells of each update that is overdue, once for each interval that it is.
func (s *Service) Alarm(ctx context.Context) error {
	late, err := db.New(s.db.Read()).OverdueIncidents(ctx, database.Micros(s.now()))
	if err != nil {
		return database.Fault(fmt.Errorf("look for overdue updates: %w", err))
	}
	for _, n := range late {
		err = errors.Join(err, s.alarm(ctx, n))
	}
	return err
}

func (s *Service) alarm(ctx context.Context, number int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := take(ctx, tx, number)
		if err != nil {
			return err
		}
		now, i := s.now(), before.clone()
		for _, a := range i.Overdue(now) {
			late := now.Sub(i.Updates[a].Due)
			i.told(a, now)
			if err := s.tell(ctx, tx, EntryOverdue, &before, &i, Told{Audience: a, Minutes: late.Minutes()}); err != nil {
				return err
			}
		}
		return put(ctx, tx, &i)
	})
}

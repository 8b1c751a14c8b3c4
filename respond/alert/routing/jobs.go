package routing

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/respond/alert/routing/db"
)

const (
	// remindEvery is how often ends that come near are looked for.
	remindEvery = time.Minute
	// remindBefore is how long before its end people are reminded of a silence; of a
	// short one, when a quarter of it is left.
	remindBefore = time.Hour
	remindShare  = 4
)

// What people were told of a silence's end.
const (
	toldEnding  = "ending"
	toldExpired = "expired"
)

// Schedule runs what comes by itself.
func (s *Service) Schedule(q *queue.Queue) {
	q.Every("alert.silence_ends", remindEvery, s.Remind)
}

// Remind tells of silences that end soon, and of those that have ended.
func (s *Service) Remind(ctx context.Context) error {
	now := s.Now()
	rows, err := db.New(s.DB.Read()).SilencesUntold(ctx, db.SilencesUntoldParams{Now: database.Micros(now), Soon: database.Micros(now.Add(remindBefore))})
	if err != nil {
		return database.Fault(fmt.Errorf("look for silences that end: %w", err))
	}
	for _, r := range rows {
		one, err := storedSilence(r)
		if err != nil {
			return err
		}
		kind, told := one.due(now)
		if kind == "" {
			continue
		}
		err = s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			if err := db.New(tx).TellSilence(ctx, db.TellSilenceParams{ID: one.ID, Told: told}); err != nil {
				return fmt.Errorf("note that the end of silence %s was told: %w", one.ID, err)
			}
			_, err := s.Journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: SilenceRef(one.ID), Data: one.view(now)})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// due is what is to be told of a silence's end now, "" where nothing is.
func (s *stored) due(now time.Time) (kind, told string) {
	left := s.Ends.Sub(now)
	switch {
	case left <= 0:
		return EntrySilenceExpired, toldExpired
	case s.told == "" && left <= min(remindBefore, s.Ends.Sub(s.Starts)/remindShare):
		return EntrySilenceEnding, toldEnding
	}
	return "", ""
}

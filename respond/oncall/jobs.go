package oncall

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/respond/oncall/db"
)

// EntryGapAhead says that nobody will be on call in some times of the next seven
// days, of which nothing was said before.
const EntryGapAhead = "oncall.gap_ahead"

// Gaps is the data of an entry of kind oncall.gap_ahead.
type Gaps struct {
	Schedule string `json:"schedule"`
	Title    string `json:"title,omitempty"`
	TimeZone string `json:"timeZone"`
	Gaps     []Span `json:"gaps"`
}

// lookForGaps is how often schedules are looked at for gaps to come.
const lookForGaps = 10 * time.Minute

// Schedule has the room's periodic work done by q.
func (s *Service) Schedule(q *queue.Queue) {
	q.Every("oncall.gaps", lookForGaps, s.WarnOfGaps)
}

// WarnOfGaps tells once of each gap that begins within seven days or is there
// already.
func (s *Service) WarnOfGaps(ctx context.Context) error {
	rows, err := s.list(ctx, s.db.Read())
	if err != nil {
		return err
	}
	var failed []error
	for _, r := range rows {
		if err := s.warnOf(ctx, r); err != nil {
			failed = append(failed, fmt.Errorf("look for gaps of schedule %s: %w", r.Name, err))
		}
	}
	return errors.Join(failed...)
}

// warnOf tells of the gaps of one schedule. A gap is known by when it begins, so
// it is looked for from before now on; one that has lasted a month was told of.
func (s *Service) warnOf(ctx context.Context, r db.OncallSchedule) error {
	now := s.stamp()
	from := now.Add(-aheadNext)
	l, err := s.load(ctx, s.db.Read(), r.Name, from, now.Add(aheadGap), Then)
	if err != nil {
		return err
	}
	var ahead []Span
	for _, g := range l.gaps(from, now.Add(aheadGap)) {
		if g.To.After(now) && g.From.After(from) {
			ahead = append(ahead, g)
		}
	}
	if len(ahead) == 0 {
		return nil
	}
	return s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		data := Gaps{Schedule: r.Name, Title: r.Title, TimeZone: l.spec().TimeZone}
		for _, g := range ahead {
			n, err := db.New(tx).TellGap(ctx, db.TellGapParams{Schedule: r.Name, FromAt: database.Micros(g.From), ToAt: database.Micros(g.To), ToldAt: database.Micros(now)})
			if err != nil {
				return database.Fault(err)
			}
			if n > 0 {
				data.Gaps = append(data.Gaps, g)
			}
		}
		if err := db.New(tx).ForgetGaps(ctx, database.Micros(now.Add(-2*aheadNext))); err != nil {
			return database.Fault(err)
		}
		if len(data.Gaps) == 0 {
			return nil
		}
		_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: EntryGapAhead, Subject: refTo(r.Name), Also: []journal.Ref{journal.RefTo("team", r.Owner)}, Data: data})
		return err
	})
}

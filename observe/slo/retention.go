package slo

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Retention is how long the ledger keeps what it counted, and how finely: minutes
// first, then hours, then days for good. What is given up is where within an hour
// or a day events happened; how many there were never changes.
type Retention struct {
	Minutes time.Duration
	Hours   time.Duration
}

// DefaultRetention is long enough for windows of a quarter to be exact to the
// minute.
var DefaultRetention = Retention{Minutes: 100 * 24 * time.Hour, Hours: 3 * 365 * 24 * time.Hour}

const (
	thinEvery   = 6 * time.Hour
	thinAtATime = 10 // days of one objective in a transaction

	minutesPerDay = ledger.HoursPerDay * ledger.MinutesPerHour
)

// Thin gives up minutes, and later hours, that are older than they are to be
// kept. It goes on where an earlier run was cut off, and does nothing twice.
func (s *Service) Thin(ctx context.Context) error {
	defs, err := s.book.read(ctx, s.db.Read())
	if err != nil {
		return err
	}
	now := s.now()
	for _, row := range defs.all {
		if err := s.thin(ctx, row.def, dayOf(now.Add(-s.retention.Minutes)), dayOf(now.Add(-s.retention.Hours))); err != nil {
			return fmt.Errorf("thin the ledger of %s: %w", row.Name, err)
		}
	}
	return nil
}

func dayOf(t time.Time) int64 { return ledger.Done(t) / minutesPerDay }

// thin turns the minutes of the days before one into hours, and the hours of the
// days before another into days.
func (s *Service) thin(ctx context.Context, d *Definition, minutesFrom, hoursFrom int64) error {
	for more := d.Counting.Start(minutesPerDay) == minutesPerDay; more; { // a slice that spans two days needs their minutes
		err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			more, err = s.thinMinutes(ctx, tx, d, minutesFrom)
			return err
		})
		if err != nil {
			return err
		}
	}
	for more := true; more; {
		err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			more, err = thinHours(ctx, tx, d.Name, hoursFrom)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// thinMinutes turns the minutes of a few days into hours: those of the oldest
// before the given one. It reports whether there were any.
func (s *Service) thinMinutes(ctx context.Context, tx *sql.Tx, d *Definition, before int64) (bool, error) {
	q := db.New(tx)
	oldest, err := q.OldestHour(ctx, d.Name)
	if err != nil || oldest < 0 || oldest >= before*ledger.HoursPerDay {
		return false, err
	}
	from := oldest / ledger.HoursPerDay
	to := min(from+thinAtATime, before)
	c, err := s.account(ctx, tx, d, ledger.Between(from*minutesPerDay, to*minutesPerDay), to*minutesPerDay, time.Time{})
	if err != nil {
		return false, err
	}
	for number := from; number < to; number++ {
		day := c.digest(number)
		if day == nil {
			continue
		}
		err := q.PutDay(ctx, db.PutDayParams{Slo: d.Name, Day: number, Data: day.Pack(nil), Parts: int64(len(day.Parts))})
		if err != nil {
			return false, err
		}
	}
	if err := q.DeleteHoursBefore(ctx, db.DeleteHoursBeforeParams{Slo: d.Name, Hour: to * ledger.HoursPerDay}); err != nil {
		return false, err
	}
	return true, q.DeleteRevisionsBefore(ctx, db.DeleteRevisionsBeforeParams{Slo: d.Name, Hour: to * ledger.HoursPerDay})
}

// digest sums a day up by the hour, and returns nil where nothing is known of it.
// What was given up before stays as it was.
func (c *account) digest(number int64) *ledger.Day {
	day := &ledger.Day{Number: number, Parts: make([]ledger.Digest, ledger.HoursPerDay)}
	known := false
	for i := range day.Parts {
		start := day.First() + int64(i)*ledger.MinutesPerHour
		end := start + ledger.MinutesPerHour
		if old := c.oldAt(start); old != nil {
			if old.To-old.From == minutesPerDay {
				return &ledger.Day{Number: number, Parts: []ledger.Digest{old.Digest}}
			}
			day.Parts[i], known = old.Digest, true
			continue
		}
		p := &day.Parts[i]
		for m := start; m < end; m++ {
			p.Events = p.Events.Add(c.raw[m-c.span.From])
		}
		p.Budget = c.over(start, end)
		p.Largest = c.peaks[(start-c.span.From)/ledger.MinutesPerHour]
		for _, l := range c.late {
			if l.From < start && l.To >= start && l.To < end {
				p.Lumps = append(p.Lumps, l)
			}
		}
		known = known || p.Events.Known > 0
	}
	if !known {
		return nil
	}
	return day
}

// thinHours turns the hours of a few days before the given one into days, and
// reports whether there were any.
func thinHours(ctx context.Context, tx *sql.Tx, name string, before int64) (bool, error) {
	q := db.New(tx)
	rows, err := q.DaysInParts(ctx, db.DaysInPartsParams{Slo: name, Day: before})
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		var day ledger.Day
		if err := day.Unpack(row.Day, row.Data); err != nil {
			return false, fmt.Errorf("day %d: %w", row.Day, err)
		}
		day = day.Whole()
		if err := q.PutDay(ctx, db.PutDayParams{Slo: name, Day: row.Day, Data: day.Pack(nil), Parts: 1}); err != nil {
			return false, err
		}
	}
	return len(rows) > 0, nil
}

// old is a part of the past of which only sums are kept.
type old struct {
	minutes
	ledger.Digest
}

// addOld adds the parts of the past that were given up, and returns the hours for
// which that is so even where there are minutes of them.
func (h *History) addOld(ctx context.Context, q db.DBTX, name string, span minutes) error {
	rows, err := db.New(q).Days(ctx, db.DaysParams{Slo: name, Day: span.From / minutesPerDay, Day_2: (span.To - 1) / minutesPerDay})
	if err != nil {
		return database.Fault(fmt.Errorf("read the old days of %s: %w", name, err))
	}
	for _, row := range rows {
		var day ledger.Day
		if err := day.Unpack(row.Day, row.Data); err != nil {
			return fmt.Errorf("read day %d of %s: %w", row.Day, name, err)
		}
		for i, p := range day.Parts {
			start := day.First() + int64(i)*day.Length()
			if p.Events.Known > 0 && start < span.To && start+day.Length() > span.From {
				h.Old = append(h.Old, old{ledger.Between(start, start+day.Length()), p})
			}
		}
	}
	return nil
}

// replaced takes out the old part that an hour of minutes stands for, and reports
// whether the hour counts: it does unless its whole day was given up.
func (h *History) replaced(first int64) bool {
	for i, o := range h.Old {
		if o.From <= first && first < o.To {
			if o.Len() > ledger.MinutesPerHour {
				return false
			}
			h.Old = append(h.Old[:i], h.Old[i+1:]...)
			return true
		}
	}
	return true
}

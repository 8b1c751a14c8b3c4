package slo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// History is what was counted for an objective over a span of minutes: raw,
// before exclusions and the budgeting method. Minutes[i] is the minute span.From
// + i. Lumps are those that overlap the span, by the minute in which they are
// counted.
//
// Of the distant past only sums are kept; there minutes are not known.
type History struct {
	Minutes []ledger.Minute
	Lumps   []ledger.Lump
	Old     []old // parts of the span of which only sums are kept, ascending
}

// history reads a span of an objective's ledger as it was known at asOf, or as
// it is known now where asOf is zero.
func (s *Service) history(ctx context.Context, q db.DBTX, d *Definition, span minutes, asOf time.Time) (History, error) {
	h := History{Minutes: make([]ledger.Minute, span.Len())}
	from, to := hourOf(span.From), hourOf(span.To-1+longestLump)
	if err := h.addOld(ctx, q, d.Name, span); err != nil {
		return h, err
	}
	take := func(r *ledger.Record) {
		if len(h.Old) > 0 && !h.replaced(r.First()) {
			return
		}
		for i, m := range r.Hour {
			if at := r.First() + int64(i); at >= span.From && at < span.To {
				h.Minutes[at-span.From] = m
			}
		}
		for _, l := range r.Lumps {
			if l.From < span.To && l.To >= span.From {
				h.Lumps = append(h.Lumps, l)
			}
		}
	}
	settled := int64(math.MaxInt64)
	var err error
	if asOf.IsZero() {
		err = records(ctx, q, d.Name, from, to, take)
	} else {
		settled = ledger.Done(asOf.Add(-s.soon(d)))
		err = recordsAsOf(ctx, q, d.Name, from, to, asOf, s.soon(d), take)
	}
	err = errors.Join(err, h.addLog(ctx, q, d.Name, span, settled))
	slices.SortFunc(h.Lumps, func(a, b ledger.Lump) int { return cmp.Or(cmp.Compare(a.To, b.To), cmp.Compare(a.From, b.From)) })
	return h, err
}

// shards is how many parts all objectives are in, by their slots.
const shards = 16

// addLog adds the minutes of the hours that are not closed yet, up to the first
// that is not settled. Where the hour knows a minute, that counts.
func (h *History) addLog(ctx context.Context, q db.DBTX, name string, span minutes, settled int64) error {
	slot, err := db.New(q).SlotOf(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // an instance that was retired: all its hours are closed
	}
	if err != nil {
		return database.Fault(fmt.Errorf("read the recent minutes of %s: %w", name, err))
	}
	rows, err := db.New(q).MinuteLog(ctx, db.MinuteLogParams{
		Shard: slot % shards, Minute: span.From, Minute_2: min(settled, span.To+longestLump)})
	if err != nil {
		return database.Fault(fmt.Errorf("read the recent minutes of %s: %w", name, err))
	}
	for _, row := range rows {
		column, err := ledger.UnpackColumn(row.Data, row.Minute)
		if err != nil {
			return fmt.Errorf("read minute %d of %s: %w", row.Minute, name, err)
		}
		i, ok := slices.BinarySearchFunc(column, slot, func(c ledger.Cell, slot int64) int { return cmp.Compare(c.Slot, slot) })
		if !ok {
			continue
		}
		h.addCell(column[i], row.Minute, span)
	}
	return nil
}

func (h *History) addCell(c ledger.Cell, minute int64, span minutes) {
	inside := minute < span.To
	if inside && h.Minutes[minute-span.From].Known {
		return
	}
	if inside {
		h.Minutes[minute-span.From] = ledger.Minute{Total: c.Total, Bad: c.Bad, Known: true}
	}
	if c.Since != 0 && c.Since < span.To {
		h.Lumps = append(h.Lumps, ledger.Lump{From: c.Since, To: minute, Total: c.LateTotal, Bad: c.LateBad})
	}
}

// longestLump is how far, in minutes, after a gap began the events of it may be
// counted and still be found by who reads the gap.
const longestLump = 24 * 60

func hourOf(minute int64) int64 { return minute / ledger.MinutesPerHour }

// records calls each for every packed hour of an objective from the hour from to
// the hour to, both included, as it is known now.
func records(ctx context.Context, q db.DBTX, name string, from, to int64, each func(*ledger.Record)) error {
	rows, err := db.New(q).Hours(ctx, db.HoursParams{Slo: name, Hour: from, Hour_2: to})
	if err != nil {
		return database.Fault(fmt.Errorf("read the ledger of %s: %w", name, err))
	}
	var r ledger.Record
	for _, row := range rows {
		if err := r.Unpack(row.Hour, row.Data); err != nil {
			return fmt.Errorf("read the ledger of %s, hour %d: %w", name, row.Hour, err)
		}
		each(&r)
	}
	return nil
}

// hourRow is an hour of one objective on its way to the ledger.
type hourRow struct {
	slo string
	ledger.Record
}

// putHours writes hours to the ledger. It is the only way in. Each row is stamped
// with now, and where it corrects an hour, what the ledger said before is kept as
// a revision, so that it can still be asked for.
func putHours(ctx context.Context, q db.DBTX, now time.Time, rows []hourRow) error {
	for i := range rows {
		if err := putHour(ctx, db.New(q), now, &rows[i]); err != nil {
			return fmt.Errorf("write hour %d of %s: %w", rows[i].Number, rows[i].slo, err)
		}
	}
	return nil
}

func putHour(ctx context.Context, q *db.Queries, now time.Time, row *hourRow) error {
	data, at := row.Pack(nil), database.Micros(now)
	n, err := q.AddHour(ctx, db.AddHourParams{Slo: row.slo, Hour: row.Number, Data: data, WrittenAt: at})
	if err != nil || n > 0 {
		return err
	}
	found, err := q.GetHour(ctx, db.GetHourParams{Slo: row.slo, Hour: row.Number})
	if errors.Is(err, sql.ErrNoRows) { // given up meanwhile
		return putHour(ctx, q, now, row)
	}
	if err != nil {
		return err
	}
	former := version{written: found.WrittenAt}
	if err := former.Unpack(row.Number, found.Data); err != nil {
		return err
	}
	if former.Equal(&row.Record) {
		return nil
	}
	if former.correctedBy(&row.Record, now) {
		err = q.KeepRevision(ctx, db.KeepRevisionParams{
			Slo: row.slo, Hour: row.Number, SupersededAt: at, WrittenAt: found.WrittenAt, Data: found.Data})
	}
	return errors.Join(err, q.ReplaceHour(ctx, db.ReplaceHourParams{Slo: row.slo, Hour: row.Number, Data: data, WrittenAt: at}))
}

// giveUpLedger empties the ledger of an objective whose queries changed. What it
// said is kept as revisions, for who asks what was known until then. Days of which
// only sums are left are no minutes of the new queries and go.
func giveUpLedger(ctx context.Context, q db.DBTX, name string, now time.Time) error {
	x := db.New(q)
	return errors.Join(
		x.KeepAllAsRevisions(ctx, db.KeepAllAsRevisionsParams{Slo: name, SupersededAt: database.Micros(now)}),
		x.DeleteLedger(ctx, name), x.DeleteDays(ctx, name))
}

// dropLedger forgets all that was counted for an objective.
func dropLedger(ctx context.Context, q db.DBTX, name string) error {
	x := db.New(q)
	return errors.Join(x.DeleteLedger(ctx, name), x.DeleteRevisions(ctx, name), x.DeleteDays(ctx, name),
		x.DeleteFormerDefinitions(ctx, name), x.DeleteFormerMemberships(ctx, name))
}

package exclusion

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/exclusion/db"
)

// forever ends what has no end, in rows and as a minute.
const forever = math.MaxInt64

// Load reads every exclusion as it was known at asOf, and as it is known now
// where asOf is zero.
func Load(ctx context.Context, q db.DBTX, asOf time.Time) (*Book, error) {
	if asOf.IsZero() {
		all, err := InForce(ctx, q)
		return NewBook(all), err
	}
	rows, err := db.New(q).ExclusionsKnownAt(ctx, database.Micros(asOf))
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read exclusions: %w", err))
	}
	all, err := readAll(rows)
	return NewBook(all), err
}

// InForce lists the exclusions that were not taken back.
func InForce(ctx context.Context, q db.DBTX) ([]*Exclusion, error) {
	rows, err := db.New(q).ExclusionsInForce(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read exclusions: %w", err))
	}
	return readAll(rows)
}

func readAll(rows []db.SloExclusion) ([]*Exclusion, error) {
	all := make([]*Exclusion, len(rows))
	for i, row := range rows {
		var err error
		if all[i], err = read(row); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func read(row db.SloExclusion) (*Exclusion, error) {
	x := &Exclusion{ID: row.ID, Document: row.Document, Starts: database.Time(row.StartsAt), Reason: row.Reason, CreatedAt: database.Time(row.CreatedAt)}
	if row.EndsAt != forever {
		x.Ends = database.Time(row.EndsAt)
	}
	err := errors.Join(database.ReadJSON(row.Covers, &x.Covers), database.ReadJSON(row.Shape, &x.Shape), database.ReadJSON(row.CreatedBy, &x.CreatedBy))
	if row.TakenBackAt != 0 {
		x.TakenBack = &TakenBack{At: database.Time(row.TakenBackAt), Why: row.TakenBackWhy}
		err = errors.Join(err, database.ReadJSON(row.TakenBackBy, &x.TakenBack.By))
	}
	if err == nil {
		err = x.Shape.readInto(&x.pattern)
	}
	if err != nil {
		return nil, fmt.Errorf("read exclusion %s: %w", row.ID, err)
	}
	return x, nil
}

// one returns a single exclusion, or a NotFound fault.
func one(ctx context.Context, q db.DBTX, id string) (*Exclusion, error) {
	row, err := db.New(q).GetExclusion(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "slo.exclusion_not_found",
			text.Say("there is no exclusion %q", "除外 %q はありません", id)).
			Fix(text.Say("the list of exclusions shows which there are", "除外の一覧で確認してください"))
	}
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read exclusion %s: %w", id, err))
	}
	return read(row)
}

// ofDocument lists what a MaintenanceWindow made and was not taken back, the
// oldest first.
func ofDocument(ctx context.Context, q db.DBTX, name string) ([]*Exclusion, error) {
	rows, err := db.New(q).ExclusionsOfDocument(ctx, name)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read maintenance window %s: %w", name, err))
	}
	all := make([]*Exclusion, len(rows))
	for i, row := range rows {
		if all[i], err = read(row); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// add writes an exclusion and gives it its id.
func add(ctx context.Context, tx *sql.Tx, x *Exclusion) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("exclude: %w", err)
	}
	x.ID = id.String()
	ends := int64(forever)
	if !x.Ends.IsZero() {
		ends = database.Micros(x.Ends)
	}
	q := db.New(tx)
	err = q.AddExclusion(ctx, db.AddExclusionParams{ID: x.ID, Document: x.Document, Covers: database.JSON(x.Covers), Shape: database.JSON(x.Shape),
		StartsAt: database.Micros(x.Starts), EndsAt: ends, Reason: x.Reason, CreatedAt: database.Micros(x.CreatedAt), CreatedBy: database.JSON(x.CreatedBy)})
	for _, c := range x.Covers.all() {
		err = errors.Join(err, q.AddExclusionCover(ctx, db.AddExclusionCoverParams{Kind: c.kind, Name: c.name, Exclusion: x.ID}))
	}
	if err != nil {
		return fmt.Errorf("exclude: %w", err)
	}
	return nil
}

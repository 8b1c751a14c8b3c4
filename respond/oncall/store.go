package oncall

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/oncall/db"
	"github.com/teiten/teiten/respond/oncall/rota"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the room's tables.
var Migrations = func() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}()

// Reader is a connection or a transaction.
type Reader = db.DBTX

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return id.String(), nil
}

// version is one version of a schedule as it is kept. Doc is nil where the
// schedule was removed.
type version struct {
	number  int
	from    time.Time
	doc     *Document
	file    string
	lines   []int
	by      journal.Actor
	planned rota.Schedule
}

// versionsOf reads every version of a schedule, in order. What cannot be read any
// more as it was written is a version without anybody.
func versionsOf(ctx context.Context, q Reader, name string) ([]version, error) {
	rows, err := db.New(q).VersionsOf(ctx, name)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read versions of schedule %s: %w", name, err))
	}
	all := make([]version, len(rows))
	for i, r := range rows {
		v := version{number: int(r.Number), from: database.Time(r.InForce), file: r.File}
		err := errors.Join(database.ReadJSON(r.Lines, &v.lines), database.ReadJSON(r.ByActor, &v.by))
		if r.Document != "" {
			v.doc = &Document{}
			err = errors.Join(err, database.ReadJSON(r.Document, v.doc))
		}
		if err != nil {
			return nil, fmt.Errorf("read version %d of schedule %s: %w", r.Number, name, err)
		}
		if v.doc != nil {
			planned, problems := v.doc.Spec.compile()
			if len(problems) == 0 {
				v.planned = planned
			}
		}
		all[i] = v
	}
	return all, nil
}

// scheduleRow reads a schedule that is there now.
func scheduleRow(ctx context.Context, q Reader, name string) (db.OncallSchedule, error) {
	row, err := db.New(q).GetSchedule(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return row, notThere(name)
	}
	if err != nil {
		return row, database.Fault(fmt.Errorf("read schedule %s: %w", name, err))
	}
	return row, nil
}

// overridesOf reads the overrides of a schedule that have a part in [from, to),
// in the order in which they were made.
func overridesOf(ctx context.Context, q Reader, name string, from, to time.Time) ([]Override, error) {
	rows, err := db.New(q).OverridesOf(ctx, db.OverridesOfParams{Schedule: name, Since: database.Micros(from), Until: database.Micros(to)})
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read overrides of schedule %s: %w", name, err))
	}
	all := make([]Override, len(rows))
	for i, r := range rows {
		if all[i], err = overrideOf(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func overrideOf(r db.OncallOverride) (Override, error) {
	o := Override{ID: r.ID, Schedule: r.Schedule, Role: rota.Role(r.Role), Change: rota.Change(r.Change), Person: r.Person, Instead: r.Instead,
		From: database.Time(r.FromAt), To: database.Time(r.ToAt), Reason: r.Reason, Swap: r.Swap, CreatedAt: database.Time(r.CreatedAt)}
	if r.EndedAt != 0 {
		at := database.Time(r.EndedAt)
		o.EndedAt, o.EndedBy = &at, &journal.Actor{}
		if err := database.ReadJSON(r.EndedBy, o.EndedBy); err != nil {
			return o, fmt.Errorf("read override %s: %w", r.ID, err)
		}
	}
	if err := database.ReadJSON(r.CreatedBy, &o.CreatedBy); err != nil {
		return o, fmt.Errorf("read override %s: %w", r.ID, err)
	}
	return o, nil
}

func addOverride(ctx context.Context, tx *sql.Tx, o *Override) error {
	err := db.New(tx).AddOverride(ctx, db.AddOverrideParams{ID: o.ID, Schedule: o.Schedule, Role: string(o.Role), Change: string(o.Change),
		Person: o.Person, Instead: o.Instead, FromAt: database.Micros(o.From), ToAt: database.Micros(o.To), Reason: o.Reason, Swap: o.Swap,
		CreatedAt: database.Micros(o.CreatedAt), CreatedBy: database.JSON(o.CreatedBy)})
	if err != nil {
		return fmt.Errorf("save override of schedule %s: %w", o.Schedule, err)
	}
	return nil
}

package probe

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/probe/db"
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

// stored is a probe as it is kept.
type stored struct {
	db.ProbeProbe
	spec Spec
}

func read(row db.ProbeProbe) (stored, error) {
	p := stored{ProbeProbe: row}
	if err := json.Unmarshal([]byte(row.Spec), &p.spec); err != nil {
		return p, fmt.Errorf("read probe %s: %w", row.Name, err)
	}
	return p, nil
}

func list(ctx context.Context, q db.DBTX) ([]stored, error) {
	rows, err := db.New(q).ListProbes(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list probes: %w", err))
	}
	out := make([]stored, len(rows))
	for i, r := range rows {
		if out[i], err = read(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// put writes a document, whether or not it was there.
func (s *Service) put(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	o := d.Object.(*Document)
	data, err := json.Marshal(o.Spec)
	if err != nil {
		return fmt.Errorf("store probe %s: %w", d.Name, err)
	}
	e, _, err := s.lookUp(ctx, tx, o.Spec.Service)
	if err != nil {
		return err
	}
	q := db.New(tx)
	was, err := q.GetProbe(ctx, d.Name)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil // it is new
	}
	if err != nil {
		return fmt.Errorf("store probe %s: %w", d.Name, err)
	}
	row := db.PutProbeParams{
		Name: d.Name, Title: o.Metadata.DisplayName, Description: o.Spec.Description, Service: o.Spec.Service,
		Owner: e.Owner, Tier: e.Tier, System: e.System, Type: o.Spec.check().Type(), Target: o.Spec.check().Target(),
		Spec: string(data), Revision: was.Revision, UpdatedAt: database.Micros(s.Now()),
	}
	if was.Spec != row.Spec {
		revision, err := uuid.NewV7()
		if err != nil {
			return err
		}
		row.Revision = revision.String()
	}
	err = nil
	switch {
	case o.Spec.SLO != nil:
		row.Slo = promiseName(d.Name)
		err = s.Objectives.Bring(ctx, tx, promise(d.Name, o.Metadata, &o.Spec), d.Source)
	case was.Slo != "":
		err = s.Objectives.TakeBack(ctx, tx, was.Slo)
	}
	if err == nil {
		err = q.PutProbe(ctx, row)
	}
	if err != nil {
		return fmt.Errorf("store probe %s: %w", d.Name, err)
	}
	database.AfterCommit(ctx, s.wake)
	return nil
}

// drop removes a probe with its results. What it counted stays with the events,
// where objectives of its own may read it.
func (s *Service) drop(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	q := db.New(tx)
	was, err := q.GetProbe(ctx, d.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil && was.Slo != "" {
		err = s.Objectives.TakeBack(ctx, tx, was.Slo)
	}
	if err = errors.Join(err, q.DropProbe(ctx, d.Name), q.DropStates(ctx, d.Name), q.DropResults(ctx, d.Name)); err != nil {
		return fmt.Errorf("remove probe %s: %w", d.Name, err)
	}
	database.AfterCommit(ctx, s.wake)
	return nil
}

// standing is what is known of a probe at a location.
type standing struct {
	location  string
	state     State
	reason    text.Both
	since     time.Time
	lastAt    time.Time // zero before the first result
	lastMs    float64
	good, bad int64
}

func readState(row db.ProbeState) (standing, error) {
	s := standing{
		location: row.Location, state: State(row.State), since: database.Time(row.Since), lastMs: row.LastMs, good: row.Good, bad: row.Bad,
	}
	if row.LastAt > 0 {
		s.lastAt = database.Time(row.LastAt)
	}
	if err := json.Unmarshal([]byte(row.Reason), &s.reason); err != nil {
		return s, fmt.Errorf("read the state of probe %s: %w", row.Probe, err)
	}
	return s, nil
}

// states reads what is known of a probe, by location.
func states(ctx context.Context, q db.DBTX, probe string) (map[string]standing, error) {
	rows, err := db.New(q).StatesOf(ctx, probe)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read the state of probe %s: %w", probe, err))
	}
	all := map[string]standing{}
	for _, r := range rows {
		if all[r.Location], err = readState(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func putState(ctx context.Context, tx *sql.Tx, probe string, s standing) error {
	reason, err := json.Marshal(s.reason)
	if err != nil {
		return err
	}
	err = db.New(tx).PutState(ctx, db.PutStateParams{
		Probe: probe, Location: s.location, State: string(s.state), Reason: string(reason), Since: database.Micros(s.since),
		LastAt: database.Micros(s.lastAt), LastMs: s.lastMs, Good: s.good, Bad: s.bad,
	})
	if err != nil {
		return fmt.Errorf("store the state of probe %s: %w", probe, err)
	}
	return nil
}

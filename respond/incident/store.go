package incident

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/incident/db"
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

func read(version int64, body string) (Incident, error) {
	var i Incident
	err := database.ReadJSON(body, &i)
	i.Version = version
	return i, err
}

// get reads an incident.
func get(ctx context.Context, q Reader, number int64) (Incident, error) {
	row, err := db.New(q).GetIncident(ctx, number)
	if errors.Is(err, sql.ErrNoRows) {
		return Incident{}, notThere(Name(number))
	}
	if err != nil {
		return Incident{}, database.Fault(fmt.Errorf("read %s: %w", Name(number), err))
	}
	return read(row.Version, row.Body)
}

// take reads an incident to change it: until the transaction ends nobody else
// changes it. Its version is the one it has afterwards.
func take(ctx context.Context, tx *sql.Tx, number int64) (Incident, error) {
	row, err := db.New(tx).TakeIncident(ctx, number)
	if errors.Is(err, sql.ErrNoRows) {
		return Incident{}, notThere(Name(number))
	}
	if err != nil {
		return Incident{}, fmt.Errorf("take %s: %w", Name(number), err)
	}
	return read(row.Version, row.Body)
}

// add writes a new incident and gives it its number.
func add(ctx context.Context, tx *sql.Tx, i *Incident) error {
	q := db.New(tx)
	number, err := q.NextNumber(ctx)
	if err != nil {
		return fmt.Errorf("number an incident: %w", err)
	}
	i.Number, i.Version = number, 1
	err = q.AddIncident(ctx, db.AddIncidentParams{Number: number, State: string(i.State), Severity: string(i.Severity), Team: i.Team, Title: i.Title,
		DeclaredAt: database.Micros(i.DeclaredAt), LookAt: database.Micros(i.nextLook()), Body: database.JSON(i)})
	if err != nil {
		return fmt.Errorf("save %s: %w", i.ID(), err)
	}
	return relate(ctx, tx, i)
}

// put writes a taken incident back.
func put(ctx context.Context, tx *sql.Tx, i *Incident) error {
	err := db.New(tx).PutIncident(ctx, db.PutIncidentParams{Number: i.Number, State: string(i.State), Severity: string(i.Severity), Team: i.Team,
		Title: i.Title, EndedAt: database.Micros(i.EndedAt), LookAt: database.Micros(i.nextLook()), Body: database.JSON(i)})
	if err != nil {
		return fmt.Errorf("save %s: %w", i.ID(), err)
	}
	return relate(ctx, tx, i)
}

// relate writes which services it hurts and which groups of alerts belong to it.
func relate(ctx context.Context, tx *sql.Tx, i *Incident) error {
	q := db.New(tx)
	err := errors.Join(q.DropServices(ctx, i.Number), q.DropGroups(ctx, i.Number))
	for _, s := range i.Services {
		err = errors.Join(err, q.AddService(ctx, db.AddServiceParams{Service: s, Incident: i.Number}))
	}
	if err != nil {
		return fmt.Errorf("save %s: %w", i.ID(), err)
	}
	for _, g := range i.Groups {
		if err := ownGroup(ctx, tx, i, g); err != nil {
			return err
		}
	}
	return nil
}

// ownGroup puts a group of alerts to an incident, unless it is another one's.
func ownGroup(ctx context.Context, tx *sql.Tx, i *Incident, group string) error {
	q := db.New(tx)
	switch other, err := q.IncidentOfGroup(ctx, group); {
	case err == nil:
		return fault.New(fault.Conflict, "incident.group_taken", text.Say("these alerts belong to %s", "このアラートは %s に含まれています", Name(other))).
			Fix(text.Say("work on that one, or unlink the alerts there first", "そのインシデントで対応するか、先にそこからアラートを外してください"))
	case !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("look for the incident of a group: %w", err)
	}
	if err := q.AddGroup(ctx, db.AddGroupParams{AlertGroup: group, Incident: i.Number}); err != nil {
		return fmt.Errorf("save %s: %w", i.ID(), err)
	}
	return nil
}

// Filter selects incidents. The zero value selects all.
type Filter struct {
	States     []string
	Severities []string
	Service    string
	Team       string
	Group      string // of alerts
	Query      string
	Limit      int
	Before     int64 // only those with a smaller number
}

// List returns the incidents of a filter, the newest first, and whether there are
// more.
func (s *Service) List(ctx context.Context, f Filter) (list []Incident, more bool, err error) {
	var w database.Where
	w.AnyOf("state", f.States)
	w.AnyOf("severity", f.Severities)
	w.Contains(f.Query, "title", "body")
	if f.Team != "" {
		w.And("team = ?", f.Team)
	}
	if f.Service != "" {
		w.And("number IN (SELECT incident FROM incident_services WHERE service = ?)", f.Service)
	}
	if f.Group != "" {
		w.And("number IN (SELECT incident FROM incident_groups WHERE alert_group = ?)", f.Group)
	}
	if f.Before > 0 {
		w.And("number < ?", f.Before)
	}
	query := "SELECT version, body FROM incidents" + w.SQL() + " ORDER BY number DESC LIMIT " + w.Arg(f.Limit+1)
	err = database.Each(ctx, s.db.Read(), query, w.Args(), func(rows *sql.Rows) error {
		var version int64
		var body string
		if err := rows.Scan(&version, &body); err != nil {
			return err
		}
		i, err := read(version, body)
		list = append(list, i)
		return err
	})
	if err != nil {
		return nil, false, database.Fault(fmt.Errorf("list incidents: %w", err))
	}
	if len(list) > f.Limit {
		return list[:f.Limit], true, nil
	}
	return list, false, nil
}

// between are the incidents that were declared in [from, to).
func between(ctx context.Context, q Reader, from, to time.Time) ([]Incident, error) {
	rows, err := db.New(q).IncidentsBetween(ctx, db.IncidentsBetweenParams{Since: database.Micros(from), Until: database.Micros(to)})
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read incidents: %w", err))
	}
	all := make([]Incident, len(rows))
	for k, r := range rows {
		if all[k], err = read(r.Version, r.Body); err != nil {
			return nil, err
		}
	}
	return all, nil
}

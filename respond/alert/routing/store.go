package routing

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the package's tables.
var Migrations = func() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}()

// places is where the fields of a stored document are written.
type places struct {
	file string
	at   map[string][2]int // line and column
}

func pathOf(path []any) string {
	var b strings.Builder
	for _, step := range path {
		fmt.Fprintf(&b, "/%v", step)
	}
	return b.String()
}

// Pos is where a field is written, or the nearest field around it.
func (p places) Pos(path ...any) fault.Position {
	for n := len(path); n >= 0; n-- {
		if at, ok := p.at[pathOf(path[:n])]; ok {
			return fault.Position{File: p.file, Line: at[0], Column: at[1]}
		}
	}
	return fault.Position{File: p.file}
}

// Fault is an Invalid fault at a field.
func (p places) Fault(code string, what, remedy text.Both, path ...any) *fault.Error {
	return fault.New(fault.Invalid, code, what).Fix(remedy).At(p.Pos(path...)).On(strings.TrimPrefix(pathOf(path), "/"))
}

// noted are the places of everything that a decision can name.
func noted(spec *route.Spec, in route.Places) places {
	p := places{at: map[string][2]int{}}
	note := func(path ...any) {
		at := in.Pos(path...)
		p.file = at.File
		p.at[pathOf(path)] = [2]int{at.Line, at.Column}
	}
	note("spec")
	for i := range spec.Receivers {
		note("spec", "receivers", i)
	}
	for i := range spec.Inhibitions {
		note("spec", "inhibitions", i)
	}
	for i := range spec.TimeIntervals {
		note("spec", "timeIntervals", i)
	}
	noteRoutes(&spec.Route, note, "spec", "route")
	return p
}

func noteRoutes(r *route.Branch, note func(...any), path ...any) {
	note(path...)
	for i := range r.Routes {
		noteRoutes(&r.Routes[i], note, append(append([]any{}, path...), "routes", i)...)
	}
}

// documents reads every document.
func documents(ctx context.Context, q db.DBTX) ([]route.Document, error) {
	rows, err := db.New(q).ListDocuments(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read routing: %w", err))
	}
	docs := make([]route.Document, 0, len(rows))
	for _, r := range rows {
		d, p := route.Document{Name: r.Name}, places{file: r.File}
		if err := errors.Join(database.ReadJSON(r.Spec, &d.Spec), database.ReadJSON(r.Places, &p.at)); err != nil {
			return nil, fmt.Errorf("read routing %s: %w", r.Name, err)
		}
		d.Places = p
		docs = append(docs, d)
	}
	return docs, nil
}

// stored is a silence with what is known of its making.
type stored struct {
	route.Silence
	createdAt, changedAt time.Time
	createdBy            journal.Actor
	told                 string
}

func storedSilence(r db.RoutingSilence) (*stored, error) {
	s := &stored{Silence: route.Silence{ID: r.ID, Author: r.Author, Reason: r.Reason, Starts: database.Time(r.StartsAt), Ends: database.Time(r.EndsAt)},
		createdAt: database.Time(r.CreatedAt), changedAt: database.Time(r.ChangedAt), told: r.Told}
	var list []string
	err := errors.Join(database.ReadJSON(r.Matchers, &list), database.ReadJSON(r.CreatedBy, &s.createdBy))
	if err == nil {
		s.Matchers, err = parseAll(list)
	}
	if err != nil {
		return nil, fmt.Errorf("read silence %s: %w", r.ID, err)
	}
	return s, nil
}

// parseAll reads a list of matchers.
func parseAll(list []string) (route.Matchers, error) {
	var all route.Matchers
	for _, m := range list {
		ms, err := route.ParseMatchers(m)
		if err != nil {
			return nil, err
		}
		all = append(all, ms...)
	}
	return all, nil
}

// silencesInForce reads the silences that have not ended.
func silencesInForce(ctx context.Context, q db.DBTX, now time.Time) ([]*route.Silence, error) {
	rows, err := db.New(q).SilencesInForce(ctx, database.Micros(now))
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read silences: %w", err))
	}
	all := make([]*route.Silence, 0, len(rows))
	for _, r := range rows {
		one, err := storedSilence(r)
		if err != nil {
			return nil, err
		}
		all = append(all, &one.Silence)
	}
	return all, nil
}

// silence reads one silence, or returns a NotFound fault.
func silence(ctx context.Context, q db.DBTX, id string) (*stored, error) {
	r, err := db.New(q).GetSilence(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "silence.not_found", text.Say("there is no silence %q", "サイレンス %q はありません", id)).
			Fix(text.Say("teiten silence list shows which there are", "teiten silence list で確認してください"))
	}
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read silence %s: %w", id, err))
	}
	return storedSilence(r)
}

package journal

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/teiten/teiten/journal/db"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the journal's tables.
var Migrations = func() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}()

func insert(ctx context.Context, tx *sql.Tx, e Entry) error {
	also, err := json.Marshal(e.Also)
	if err != nil {
		return err
	}
	q, at := db.New(tx), database.Micros(e.Time)
	err = q.InsertEntry(ctx, db.InsertEntryParams{
		ID: e.ID, At: at, ActorKind: string(e.Actor.Kind), ActorID: e.Actor.ID, ActorName: e.Actor.Name,
		Kind: e.Kind, Subject: string(e.Subject), Also: string(also), Data: string(e.Data), Cause: e.Cause,
	})
	if err != nil {
		return err
	}
	for _, ref := range append([]Ref{e.Subject}, e.Also...) {
		if ref == "" {
			continue
		}
		if err := q.InsertRef(ctx, db.InsertRefParams{Ref: string(ref), At: at, Entry: e.ID}); err != nil {
			return err
		}
	}
	return nil
}

func fromRow(r db.JournalEntry) (Entry, error) {
	e := Entry{
		ID: r.ID, Time: database.Time(r.At),
		Actor: Actor{Kind: ActorKind(r.ActorKind), ID: r.ActorID, Name: r.ActorName},
		Kind:  r.Kind, Subject: Ref(r.Subject), Data: json.RawMessage(r.Data), Cause: r.Cause, Seal: r.Seal,
	}
	if err := json.Unmarshal([]byte(r.Also), &e.Also); err != nil {
		return Entry{}, fmt.Errorf("entry %s: %w", r.ID, err)
	}
	return e, nil
}

// Filter selects entries. The zero value selects all. Kinds may end in ".*";
// Subject also matches entries that merely touch it; Query finds text in the
// kind, the subject, the actor's name and the data.
type Filter struct {
	Kinds    []string
	Subject  Ref
	Actor    string
	From, To time.Time // From ≤ time < To
	Query    string
	Without  []string // not these kinds, which may end in ".*"
	Limit    int      // 50 where it is 0
	Cursor   string
}

const (
	defaultLimit = 50
	cursorName   = "journal"
)

type cursor struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

// List returns the selected entries, newest first, and the cursor of the next
// page, empty on the last one. A cursor it did not give out is an Invalid fault.
func (j *Journal) List(ctx context.Context, f Filter) (entries []Entry, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	query, args, err := f.sql()
	if err != nil {
		return nil, "", err
	}
	entries, err = j.query(ctx, query, args)
	if err != nil {
		return nil, "", err
	}
	if len(entries) > f.Limit {
		entries = entries[:f.Limit]
		last := entries[f.Limit-1]
		next = httpapi.EncodeCursor(cursorName, cursor{database.Micros(last.Time), last.ID})
	}
	return entries, next, nil
}

const columns = "e.id, e.at, e.actor_kind, e.actor_id, e.actor_name, e.kind, e.subject, e.also, e.data, e.cause, e.seal"

// sql asks for one entry more than the limit, which tells whether there is a
// next page.
func (f Filter) sql() (string, []any, error) {
	var w database.Where
	from, at, id := "journal_entries e", "e.at", "e.id"
	if f.Subject != "" {
		from, at, id = "journal_refs r JOIN journal_entries e ON e.id = r.entry", "r.at", "r.entry"
		w.And("r.ref = ?", string(f.Subject))
	}
	w.AnyOf("e.kind", f.Kinds)
	w.NoneOf("e.kind", f.Without)
	if f.Actor != "" {
		w.And("(e.actor_id = ? OR e.actor_name = ?)", f.Actor, f.Actor)
	}
	if !f.From.IsZero() {
		w.And(at+" >= ?", database.Micros(f.From))
	}
	if !f.To.IsZero() {
		w.And(at+" < ?", database.Micros(f.To))
	}
	w.Contains(f.Query, "e.kind", "e.subject", "e.actor_name", "e.data")
	if f.Cursor != "" {
		var c cursor
		if err := httpapi.DecodeCursor(cursorName, f.Cursor, &c); err != nil {
			return "", nil, err
		}
		w.And("("+at+" < ? OR ("+at+" = ? AND "+id+" < ?))", c.At, c.At, c.ID)
	}
	query := "SELECT " + columns + " FROM " + from + w.SQL() + " ORDER BY " + at + " DESC, " + id + " DESC LIMIT " + w.Arg(f.Limit+1)
	return query, w.Args(), nil
}

// Get returns one entry, or a NotFound fault.
func (j *Journal) Get(ctx context.Context, id string) (Entry, error) {
	r, err := db.New(j.db.Read()).GetEntry(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Entry{}, notThere(id)
	}
	if err != nil {
		return Entry{}, database.Fault(fmt.Errorf("read entry: %w", err))
	}
	return fromRow(r)
}

func notThere(id string) error {
	return fault.New(fault.NotFound, "journal.not_found", text.Say("no entry %s in the journal", "ジャーナルに %s という記録はありません", id))
}

// since returns the entries after the given one, oldest first.
func (j *Journal) since(ctx context.Context, after Entry, most int) ([]Entry, error) {
	var w database.Where
	at := database.Micros(after.Time)
	w.And("(e.at > ? OR (e.at = ? AND e.id > ?))", at, at, after.ID)
	limit := w.Arg(most) // before Args is read
	return j.query(ctx, "SELECT "+columns+" FROM journal_entries e"+w.SQL()+" ORDER BY e.at, e.id LIMIT "+limit, w.Args())
}

// query reads entries by a query that selects columns.
func (j *Journal) query(ctx context.Context, query string, args []any) ([]Entry, error) {
	rows, err := j.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read journal: %w", err))
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		var r db.JournalEntry
		if err := rows.Scan(&r.ID, &r.At, &r.ActorKind, &r.ActorID, &r.ActorName, &r.Kind, &r.Subject, &r.Also, &r.Data, &r.Cause, &r.Seal); err != nil {
			return nil, fmt.Errorf("read journal: %w", err)
		}
		e, err := fromRow(r)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, database.Fault(fmt.Errorf("read journal: %w", err))
	}
	return entries, nil
}

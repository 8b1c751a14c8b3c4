package ascode

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of this package.
var Migrations fs.FS = mustSub(migrations, "migrations")

func mustSub(f fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(f, dir)
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// row is one document as it is stored.
type row struct {
	id, kind, apiVersion, namespace, name, owner string
	body                                         string
	revision                                     int64
	managedBy, file                              string
	line                                         int
	createdAt, updatedAt                         int64
}

const rowColumns = `id, kind, api_version, namespace, name, owner, body, revision, managed_by, file, line, created_at, updated_at`

// querier is what reads: a transaction or a database.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// batch is how many documents one statement reads or writes.
const batch = 200

func selectRows(ctx context.Context, q querier, where string, args ...any) ([]*row, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+rowColumns+` FROM ascode_documents `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read documents: %w", err)
	}
	defer rows.Close()
	var all []*row
	for rows.Next() {
		r := &row{}
		if err := rows.Scan(&r.id, &r.kind, &r.apiVersion, &r.namespace, &r.name, &r.owner, &r.body, &r.revision,
			&r.managedBy, &r.file, &r.line, &r.createdAt, &r.updatedAt); err != nil {
			return nil, fmt.Errorf("read documents: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// rowsByID returns the stored documents of those ids, by id.
func rowsByID(ctx context.Context, q querier, ids []string) (map[string]*row, error) {
	found := make(map[string]*row, len(ids))
	for part := range slices.Chunk(ids, batch) {
		rows, err := selectRows(ctx, q, `WHERE id IN (`+holes(1, len(part))+`)`, anySlice(part)...)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			found[r.id] = r
		}
	}
	return found, nil
}

// lastRevisions returns the highest revision that each id ever had.
func lastRevisions(ctx context.Context, q querier, ids []string) (map[string]int64, error) {
	last := map[string]int64{}
	for part := range slices.Chunk(ids, batch) {
		if err := readRevisions(ctx, q, part, last); err != nil {
			return nil, fmt.Errorf("read revisions: %w", err)
		}
	}
	return last, nil
}

func readRevisions(ctx context.Context, q querier, ids []string, into map[string]int64) error {
	rows, err := q.QueryContext(ctx, `SELECT id, MAX(revision) FROM ascode_revisions WHERE id IN (`+holes(1, len(ids))+`) GROUP BY id`, anySlice(ids)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var revision int64
		if err := rows.Scan(&id, &revision); err != nil {
			return err
		}
		into[id] = revision
	}
	return rows.Err()
}

// allIDs returns the ids of every stored document.
func allIDs(ctx context.Context, q querier) (map[string]bool, error) {
	rows, err := q.QueryContext(ctx, `SELECT id FROM ascode_documents`)
	if err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	defer rows.Close()
	ids := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read ids: %w", err)
		}
		ids[id] = true
	}
	return ids, rows.Err()
}

// takeTurn waits until no other transaction applies documents.
func takeTurn(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, `UPDATE ascode_turn SET taken = taken + 1 WHERE id = 1`); err != nil {
		return fmt.Errorf("wait for other applies: %w", err)
	}
	return nil
}

func saveRows(ctx context.Context, tx *sql.Tx, rows []*row) error {
	for part := range slices.Chunk(rows, batch) {
		values := make([]any, 0, len(part)*13)
		for _, r := range part {
			values = append(values, r.id, r.kind, r.apiVersion, r.namespace, r.name, r.owner, r.body, r.revision,
				r.managedBy, r.file, r.line, r.createdAt, r.updatedAt)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO ascode_documents (`+rowColumns+`) VALUES `+tuples(len(part), 13)+`
			ON CONFLICT (id) DO UPDATE SET api_version = excluded.api_version, namespace = excluded.namespace, name = excluded.name,
			owner = excluded.owner, body = excluded.body, revision = excluded.revision, managed_by = excluded.managed_by,
			file = excluded.file, line = excluded.line, updated_at = excluded.updated_at`, values...)
		if err != nil {
			return fmt.Errorf("save documents: %w", err)
		}
	}
	return nil
}

func saveRevisions(ctx context.Context, tx *sql.Tx, steps []*step, at int64) error {
	for part := range slices.Chunk(steps, batch) {
		values := make([]any, 0, len(part)*5)
		for _, s := range part {
			values = append(values, s.doc.ID(), s.change.Revision, string(s.change.Action), s.body, at)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO ascode_revisions (id, revision, action, body, at) VALUES `+tuples(len(part), 5), values...)
		if err != nil {
			return fmt.Errorf("save revisions: %w", err)
		}
	}
	return nil
}

func deleteRows(ctx context.Context, tx *sql.Tx, ids []string) error {
	for part := range slices.Chunk(ids, batch) {
		if _, err := tx.ExecContext(ctx, `DELETE FROM ascode_documents WHERE id IN (`+holes(1, len(part))+`)`, anySlice(part)...); err != nil {
			return fmt.Errorf("delete documents: %w", err)
		}
	}
	return nil
}

// holes writes n placeholders from $first on.
func holes(first, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

// tuples writes n rows of placeholders.
func tuples(n, columns int) string {
	rows := make([]string, n)
	for i := range rows {
		rows[i] = "(" + holes(i*columns+1, columns) + ")"
	}
	return strings.Join(rows, ",")
}

func anySlice(s []string) []any {
	out := make([]any, len(s))
	for i, v := range s {
		out[i] = v
	}
	return out
}

// document makes a typed document of a stored one. It fails where the kind is
// not known any more or has changed so that it cannot read what is stored.
func (r *Registry) stored(s *row) (*Document, error) {
	k, ok := r.kinds[s.kind]
	if !ok {
		return nil, fmt.Errorf("stored document %s: kind is not known", s.id)
	}
	d, _, err := k.restore(s)
	return d, err
}

// restore is stored for a known kind; it returns the tree, too.
func (k *Kind) restore(s *row) (*Document, *yaml.Node, error) {
	d := &Document{APIVersion: s.apiVersion, Kind: s.kind, Namespace: s.namespace, Name: s.name, kind: k, Object: k.New(),
		Source: Source{Set: setOf(s.managedBy), File: s.file, Line: s.line}}
	tree, err := jsonNode(s.body)
	if err != nil {
		return nil, nil, fmt.Errorf("stored document %s: %w", s.id, err)
	}
	if faults := decode(d, tree, d.Object); len(faults) > 0 {
		return nil, nil, fmt.Errorf("stored document %s: %w", s.id, faults[0])
	}
	return d, tree, nil
}

// shown returns the tree of a document without its secrets. The document's
// object loses them, so it must not be used for anything else afterwards.
func (d *Document) shown() (*yaml.Node, error) {
	if d.kind.Redact != nil {
		d.kind.Redact(d)
	}
	return encode(d.Object)
}

// Stored is one document as it is kept, without its secrets.
type Stored struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	KindID     string `json:"kindId" doc:"The plural that the command line uses."`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	Ref        string `json:"ref"`
	Owner      string `json:"owner,omitempty"`
	Revision   int64  `json:"revision"`
	ManagedBy  string `json:"managedBy" doc:"code: and the set it was applied in, or browser."`
	File       string `json:"file,omitempty" doc:"Where it is written, for a document from code."`
	Line       int    `json:"line,omitempty"`
	CreatedAt  string `json:"createdAt" format:"date-time"`
	UpdatedAt  string `json:"updatedAt" format:"date-time"`
	Document   any    `json:"document" doc:"The document itself; secrets read (hidden)."`

	tree *yaml.Node
}

// view makes a Stored of a row.
func (r *Registry) view(s *row) (Stored, error) {
	d, err := r.stored(s)
	if err != nil {
		return Stored{}, err
	}
	out := Stored{APIVersion: s.apiVersion, Kind: s.kind, KindID: d.kind.ID, Namespace: s.namespace, Name: s.name,
		Ref: d.Ref(), Owner: s.owner, Revision: s.revision, ManagedBy: s.managedBy, File: s.file, Line: s.line,
		CreatedAt: stamp(s.createdAt), UpdatedAt: stamp(s.updatedAt)}
	if out.tree, err = d.shown(); err != nil {
		return Stored{}, err
	}
	out.Document = json.RawMessage(writeJSON(out.tree))
	return out, nil
}

func stamp(micros int64) string {
	return database.Time(micros).Format("2006-01-02T15:04:05.000000Z07:00")
}

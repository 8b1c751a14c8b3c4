package slo

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/openslo"
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

// mentions is the pattern of the refs of a part that refers to another.
func mentions(kind, name string) string { return "% " + mention(kind, name) + " %" }

// mention names a part inside refs. Names hold no wildcard but "_", which can
// only find too much, and what is found is compiled to the same.
func mention(kind, name string) string { return kind + "/" + name }

func savePart(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	data, err := json.Marshal(d.Object)
	if err != nil {
		return fmt.Errorf("save %s %s: %w", d.Kind, d.Name, err)
	}
	var refs strings.Builder
	refs.WriteByte(' ')
	for _, r := range references(d) {
		refs.WriteString(mention(r.kind, r.name) + " ")
	}
	if o, ok := d.Object.(*openslo.SLO); ok && o.Metadata.Annotations[openslo.Dependencies] != "" {
		refs.WriteString(mention(dependants.kind, dependants.name) + " ")
	}
	err = db.New(tx).PutPart(ctx, db.PutPartParams{Kind: d.Kind, Name: d.Name, Data: string(data), Refs: refs.String()})
	if err != nil {
		return fmt.Errorf("save %s %s: %w", d.Kind, d.Name, err)
	}
	return nil
}

// loadPart reads a document into o and reports whether it is there.
func loadPart(ctx context.Context, q db.DBTX, kind, name string, o any) (bool, error) {
	data, err := db.New(q).GetPart(ctx, db.GetPartParams{Kind: kind, Name: name})
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err == nil {
		err = unmarshal(data, o)
	}
	if err != nil {
		return false, fmt.Errorf("load %s %s: %w", kind, name, err)
	}
	return true, nil
}

func unmarshal(data string, o any) error { return database.ReadJSON(data, o) }

func marshal(o any) string { return database.JSON(o) }

// managed says where a definition came from, as lists show it.
type managed struct {
	By   string `json:"by" enum:"code,browser"`
	Set  string `json:"set,omitempty"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

func managedBy(s ascode.Source) string {
	m := managed{By: "browser"}
	if s.Set != "" {
		m = managed{By: "code", Set: s.Set, File: s.File, Line: s.Line}
	}
	return marshal(m)
}

// minutes is a span of them.
type minutes = ledger.Span

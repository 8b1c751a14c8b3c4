package app

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
)

// recorder writes into the journal what was applied as code.
type recorder struct{ journal *journal.Journal }

var _ ascode.Recorder = recorder{}

// changed is what the journal keeps of one document's change.
type changed struct {
	Kind      string               `json:"kind"`
	Name      string               `json:"name"`
	ManagedBy string               `json:"managedBy"`
	File      string               `json:"file,omitempty"`
	Line      int                  `json:"line,omitempty"`
	Revision  int64                `json:"revision"`
	Fields    []ascode.FieldChange `json:"fields,omitempty"`
	Before    json.RawMessage      `json:"before,omitempty"`
	After     json.RawMessage      `json:"after,omitempty"`
}

func (r recorder) Changed(ctx context.Context, tx *sql.Tx, c ascode.Change) error {
	d := journal.Draft{
		Kind: c.Event, Subject: journal.Ref(c.Ref),
		Data: changed{c.Kind, c.Name, c.ManagedBy, c.File, c.Line, c.Revision, c.Fields, c.Before, c.After},
	}
	if c.Owner != "" {
		d.Also = []journal.Ref{teamRef(c.Owner)}
	}
	_, err := r.journal.Append(ctx, tx, d)
	return err
}

func (r recorder) Applied(ctx context.Context, tx *sql.Tx, p ascode.Plan) error {
	if p.Empty() {
		return nil
	}
	_, err := r.journal.Append(ctx, tx, journal.Draft{
		Kind: "ascode.applied", Subject: journal.RefTo("set", p.Set),
		Data: map[string]int{"added": p.Added, "changed": p.Changed, "removed": p.Removed},
	})
	return err
}

// teamRef is how the journal refers to an owner, which kinds write as "payments",
// "team:payments" or "group:default/payments".
func teamRef(owner string) journal.Ref {
	if _, name, ok := strings.Cut(owner, ":"); ok {
		owner = name
	}
	return journal.RefTo("team", strings.TrimPrefix(owner, "default/"))
}

package ascode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
)

// carryOut has the rooms do it, keeps the documents and tells the recorder.
func (e *Engine) carryOut(ctx context.Context, tx *sql.Tx, j *job, p *Plan, steps []*step) error {
	known, err := allIDs(ctx, tx)
	if err != nil {
		return err
	}
	for _, s := range steps {
		known[s.doc.ID()] = s.change.Action != Removed
	}
	ctx = context.WithValue(ctx, knownKey{}, known)
	if err := e.haveApplied(ctx, tx, j, steps); err != nil {
		return err
	}
	for i, s := range steps {
		p.Changes[i].Owner = s.change.Owner
	}
	if err := e.save(ctx, tx, steps); err != nil {
		return err
	}
	if err := e.check(ctx, tx, p, steps); err != nil {
		return err
	}
	if e.recorder == nil || j.dryRun || p.Empty() {
		return nil
	}
	return e.record(ctx, tx, j, p)
}

// haveApplied has the rooms write their tables, between asking those who own
// what is there and those who own what it has become.
func (e *Engine) haveApplied(ctx context.Context, tx *sql.Tx, j *job, steps []*step) error {
	g := guard{permit: e.Permit, asked: map[string]bool{}}
	if j.dryRun {
		g.permit = nil
	}
	if err := g.before(ctx, tx, steps); err != nil {
		return err
	}
	for _, s := range steps {
		if err := s.apply(ctx, tx); err != nil {
			return err
		}
	}
	return g.after(ctx, tx, steps)
}

// record tells the recorder of each change, and of the apply where it was one of
// files.
func (e *Engine) record(ctx context.Context, tx *sql.Tx, j *job, p *Plan) error {
	for _, c := range p.Changes {
		if c.Action == Unchanged {
			continue
		}
		if err := e.recorder.Changed(ctx, tx, c); err != nil {
			return fmt.Errorf("record %s of %s: %w", c.Action, c.Ref, err)
		}
	}
	if j.set == "" {
		return nil
	}
	if err := e.recorder.Applied(ctx, tx, *p); err != nil {
		return fmt.Errorf("record the apply: %w", err)
	}
	return nil
}

func (s *step) apply(ctx context.Context, tx *sql.Tx) error {
	do := s.doc.kind.Apply
	switch s.change.Action {
	case Unchanged:
		return nil
	case Removed:
		do = s.doc.kind.Remove
	}
	if do == nil {
		return nil
	}
	if err := do(ctx, tx, s.doc); err != nil {
		return located(fmt.Errorf("%s %s: %w", s.change.Action, s.doc.ID(), err), s.doc)
	}
	return nil
}

// save writes the engine's own tables.
func (e *Engine) save(ctx context.Context, tx *sql.Tx, steps []*step) error {
	now := database.Micros(e.Now())
	var rows []*row
	var moved []*step
	var gone []string
	for _, s := range steps {
		if s.change.Action != Unchanged {
			moved = append(moved, s)
		}
		if s.change.Action == Removed {
			gone = append(gone, s.doc.ID())
			continue
		}
		if s.change.Action == Unchanged && s.before.file == s.change.File && s.before.line == s.change.Line {
			continue
		}
		r := &row{id: s.doc.ID(), kind: s.doc.Kind, apiVersion: s.doc.APIVersion, namespace: s.doc.Namespace, name: s.doc.Name,
			owner: s.change.Owner, body: s.body, revision: s.change.Revision, managedBy: s.change.ManagedBy,
			file: s.change.File, line: s.change.Line, createdAt: now, updatedAt: now}
		if s.change.Action == Unchanged {
			r.updatedAt = s.before.updatedAt
		}
		rows = append(rows, r)
	}
	return errors.Join(saveRows(ctx, tx, rows), saveRevisions(ctx, tx, moved, now), deleteRows(ctx, tx, gone))
}

// check resolves references: of every document of the batch, and where
// something was removed, of every other document as well.
func (e *Engine) check(ctx context.Context, tx *sql.Tx, p *Plan, steps []*step) error {
	var docs []*Document
	seen := map[string]bool{}
	for _, s := range steps {
		seen[s.doc.ID()] = true
		if s.change.Action != Removed {
			docs = append(docs, s.doc)
		}
	}
	if p.Removed > 0 {
		rest, err := e.others(ctx, tx, seen)
		if err != nil {
			return err
		}
		docs = append(docs, rest...)
	}
	var faults []*fault.Error
	for _, d := range docs {
		if d.kind.Check != nil {
			faults = append(faults, d.kind.Check(ctx, tx, d)...)
		}
		if d.kind.Warn != nil && seen[d.ID()] {
			p.Warnings = append(p.Warnings, d.kind.Warn(ctx, tx, d)...)
		}
		if len(faults) > maxFaults {
			break
		}
	}
	return fault.Join(faults)
}

// others returns the stored documents whose references may have been broken.
func (e *Engine) others(ctx context.Context, tx *sql.Tx, seen map[string]bool) ([]*Document, error) {
	rows, err := selectRows(ctx, tx, `ORDER BY id`)
	if err != nil {
		return nil, err
	}
	var docs []*Document
	for _, r := range rows {
		k, ok := e.registry.kinds[r.kind]
		if !ok || k.Check == nil || seen[r.id] {
			continue
		}
		d, err := e.registry.stored(r)
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return docs, nil
}

type knownKey struct{}

// Known reports whether a document is there once the running apply is done. It
// asks no database; outside Apply, Remove, Check and Warn of a Kind nothing is
// known.
func Known(ctx context.Context, kind, namespace, name string) bool {
	known, _ := ctx.Value(knownKey{}).(map[string]bool)
	if namespace == "" {
		namespace = DefaultNamespace
	}
	return known[documentID(kind, namespace, name)]
}

// KnownNames returns the names of the documents of a kind that Known knows, for
// suggestions.
func KnownNames(ctx context.Context, kind string) []string {
	known, _ := ctx.Value(knownKey{}).(map[string]bool)
	var names []string
	for id, there := range known {
		if there && strings.HasPrefix(id, kind+"/") {
			names = append(names, id[strings.LastIndexByte(id, '/')+1:])
		}
	}
	slices.Sort(names)
	return names
}

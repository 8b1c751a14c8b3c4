package ascode

import (
	"context"
	"database/sql"
)

// guard asks for each team whose documents change whether the caller may, once.
type guard struct {
	permit func(ctx context.Context, owner string) error
	asked  map[string]bool
}

func (g *guard) ask(ctx context.Context, owner string, d *Document) error {
	if g.permit == nil || g.asked[owner] {
		return nil
	}
	g.asked[owner] = true
	return located(g.permit(ctx, owner), d)
}

// before asks for everything that can be known before anything is applied: the
// owners of what is there, and those that the documents name themselves.
func (g *guard) before(ctx context.Context, tx *sql.Tx, steps []*step) error {
	for _, s := range steps {
		if s.change.Action == Unchanged {
			continue
		}
		if s.doc.kind.OwnerIn == nil {
			if err := g.ask(ctx, s.change.Owner, s.doc); err != nil {
				return err
			}
		}
		if s.before == nil {
			continue
		}
		owner, err := s.ownerBefore(ctx, tx)
		if err != nil {
			return err
		}
		if err := g.ask(ctx, owner, s.doc); err != nil {
			return err
		}
		if s.change.Action == Removed {
			s.change.Owner = owner
		}
	}
	return nil
}

// ownerBefore is who owns the version that is there.
func (s *step) ownerBefore(ctx context.Context, tx *sql.Tx) (string, error) {
	in := s.doc.kind.OwnerIn
	if in == nil {
		return s.before.owner, nil
	}
	was, _, err := s.doc.kind.restore(s.before)
	if err != nil {
		return s.before.owner, nil //nolint:nilerr // written by an older version: who owned it then is all that is known
	}
	return in(ctx, tx, was)
}

// after asks for the owners that only what was applied tells.
func (g *guard) after(ctx context.Context, tx *sql.Tx, steps []*step) error {
	for _, s := range steps {
		in := s.doc.kind.OwnerIn
		if in == nil || s.change.Action == Unchanged || s.change.Action == Removed {
			continue
		}
		owner, err := in(ctx, tx, s.doc)
		if err != nil {
			return err
		}
		s.change.Owner = owner
		if err := g.ask(ctx, owner, s.doc); err != nil {
			return err
		}
	}
	return nil
}

// Package measure is the registry of everything the product can put a number on.
//
// A room registers its measures once; scorecards, gates, reviews and reports
// read them by id without knowing the room. A definition has a version, because
// a figure means nothing without the rule it was computed by.
package measure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Direction tells which way a measure gets better.
type Direction string

// The two directions.
const (
	HigherIsBetter Direction = "higher"
	LowerIsBetter  Direction = "lower"
)

// Definition says what a measure is. ID is "room.what" ("slo.budget_left"), Unit
// is written as people read it ("ratio", "minutes", "hours"), and Version grows
// whenever the same facts would yield another figure.
type Definition struct {
	ID      string
	Version int
	Unit    string
	Better  Direction
	Title   text.Both
	Source  Source
}

// Value is a figure at an instant. Known is the share of what it stands on that
// was observed, from 0 to 1: 1 for a figure without gaps.
type Value struct {
	At    time.Time
	V     float64
	Known float64
}

// Source yields the values of one measure for a subject in from ≤ t < to, oldest
// first. A subject that the source does not know has no values.
type Source interface {
	Values(ctx context.Context, subject journal.Ref, from, to time.Time) ([]Value, error)
}

// SourceFunc is a function as a Source.
type SourceFunc func(ctx context.Context, subject journal.Ref, from, to time.Time) ([]Value, error)

// Values calls f.
func (f SourceFunc) Values(ctx context.Context, subject journal.Ref, from, to time.Time) ([]Value, error) {
	return f(ctx, subject, from, to)
}

// Registry holds the measures of all rooms.
type Registry struct {
	mu   sync.RWMutex
	byID map[string]Definition
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry { return &Registry{byID: map[string]Definition{}} }

// Add registers a measure. It panics where the definition is incomplete or its
// id is taken: both are mistakes of the program.
func (r *Registry) Add(d Definition) {
	if d.ID == "" || d.Version < 1 || d.Unit == "" || d.Title.EN == "" || d.Title.JA == "" || d.Source == nil ||
		d.Better != HigherIsBetter && d.Better != LowerIsBetter {
		panic(fmt.Sprintf("measure: incomplete definition %q", d.ID))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.byID[d.ID]; taken {
		panic("measure: " + d.ID + " is registered twice")
	}
	r.byID[d.ID] = d
}

// Lookup returns the measure with that id, or a NotFound fault.
func (r *Registry) Lookup(id string) (Definition, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	d, ok := r.byID[id]
	if !ok {
		return Definition{}, fault.New(fault.NotFound, "measure.not_found", text.Say("there is no measure %q", "%q という指標はありません", id)).
			Fix(text.Say("GET /api/v1/measures lists them", "GET /api/v1/measures で一覧できます"))
	}
	return d, nil
}

// All returns every measure in the order of their ids.
func (r *Registry) All() []Definition {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]Definition, 0, len(r.byID))
	for _, d := range r.byID {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Definition) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Package exclusion is about time that does not count for service level
// objectives: maintenance that was planned, hours outside business, and what was
// corrected after the fact.
//
// An exclusion is never rewritten: it is taken back, or ended, and both are
// noted, so that what counted can be asked for as it was known at any time. What
// an exclusion does to budgets is known to package slo, which reads a Book and is
// asked through Objectives.
package exclusion

import (
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Covers is whom an exclusion covers: everything that any of the lists names.
type Covers struct {
	SLOs     []string `json:"slos,omitempty" doc:"Objectives by name." ja:"SLO の名前。"`
	Services []string `json:"services,omitempty" doc:"Every objective of these services." ja:"これらのサービスのすべての SLO。"`
	Systems  []string `json:"systems,omitempty" doc:"Every objective of the services of these systems." ja:"これらのシステムに属するサービスのすべての SLO。"`
	Teams    []string `json:"teams,omitempty" doc:"Every objective of the services that these teams own." ja:"これらのチームが所有するサービスのすべての SLO。"`
}

// cover is one entry of a Covers.
type cover struct{ kind, name string }

const (
	coverSLO     = "slo"
	coverService = "service"
	coverSystem  = "system"
	coverTeam    = "team"
)

func (c Covers) all() []cover {
	var all []cover
	for _, list := range []struct {
		kind  string
		names []string
	}{{coverSLO, c.SLOs}, {coverService, c.Services}, {coverSystem, c.Systems}, {coverTeam, c.Teams}} {
		for _, name := range list.names {
			all = append(all, cover{list.kind, name})
		}
	}
	return all
}

// Coverage is by what an objective can be covered: its own name, that of the
// objective whose instance it is, and what it belongs to, where it belongs to any.
type Coverage struct{ SLO, Whole, Service, System, Team string }

func (c Coverage) covers() []cover {
	all := []cover{{coverSLO, c.SLO}, {coverService, c.Service}, {coverSystem, c.System}, {coverTeam, c.Team}}
	if c.Whole != "" {
		all = append(all, cover{coverSLO, c.Whole})
	}
	return all
}

// by reports whether an objective is covered.
func (c Coverage) by(covers Covers) bool {
	all := covers.all()
	return slices.ContainsFunc(c.covers(), func(x cover) bool { return x.name != "" && slices.Contains(all, x) })
}

// Exclusion is time that does not count for those that it covers.
type Exclusion struct {
	ID       string // empty before it is there
	Document string // the MaintenanceWindow that it comes from, or empty
	Covers   Covers
	Shape    Shape
	Starts   time.Time // nothing before is excluded
	Ends     time.Time // nothing from here on is excluded; zero where there is no end
	Reason   string

	CreatedAt time.Time
	CreatedBy journal.Actor
	TakenBack *TakenBack

	pattern pattern // Shape, read
}

// TakenBack is who had an exclusion count for nothing, when and why.
type TakenBack struct {
	At  time.Time     `json:"at"`
	By  journal.Actor `json:"by"`
	Why string        `json:"why"`
}

// The states of an exclusion.
const (
	Planned = "planned"    // it has not begun
	Active  = "active"     // between its start and its end
	Past    = "past"       // it is over
	Revoked = "taken_back" // it counts for nothing
)

// State is the state of the exclusion at an instant.
func (x *Exclusion) State(now time.Time) string {
	switch {
	case x.TakenBack != nil:
		return Revoked
	case now.Before(x.Starts):
		return Planned
	case x.holds(now):
		return Active
	}
	return Past
}

// holds reports whether the exclusion has not ended at an instant.
func (x *Exclusion) holds(now time.Time) bool { return x.Ends.IsZero() || now.Before(x.Ends) }

// once reports whether all of the time between start and end is excluded.
func (x *Exclusion) once() bool { return x.Shape == Shape{} }

// bounds are the minutes that the exclusion may exclude: those it touches.
func (x *Exclusion) bounds() ledger.Span {
	if x.Ends.IsZero() {
		return ledger.Between(ledger.Done(x.Starts), forever)
	}
	return ledger.Touched(x.Starts, x.Ends)
}

// Within are the minutes of span that the exclusion excludes.
func (x *Exclusion) Within(span ledger.Span) []ledger.Span {
	if span = span.Within(x.bounds()); span.Len() <= 0 {
		return nil
	}
	return x.pattern.within(span)
}

// Next is the occurrence that is under way at an instant, or else the first one
// after it. It reports false where there is none.
func (x *Exclusion) Next(now time.Time) (ledger.Span, bool) { return x.pattern.next(now, x.bounds()) }

// Book answers which minutes of which objective do not count. It does no I/O and
// does not change: Load reads another one.
type Book struct {
	by map[cover][]*Exclusion
}

// NewBook is the book of some exclusions.
func NewBook(all []*Exclusion) *Book {
	b := &Book{by: map[cover][]*Exclusion{}}
	for _, x := range all {
		for _, c := range x.Covers.all() {
			b.by[c] = append(b.by[c], x)
		}
	}
	return b
}

// Empty reports whether every minute of every objective counts. Nil is empty.
func (b *Book) Empty() bool { return b == nil || len(b.by) == 0 }

// Of lists the exclusions that cover an objective, each once.
func (b *Book) Of(c Coverage) []*Exclusion {
	var found []*Exclusion
	for _, key := range c.covers() {
		for _, x := range b.by[key] {
			if !slices.Contains(found, x) {
				found = append(found, x)
			}
		}
	}
	return found
}

// Minutes are the minutes of span that do not count for an objective, ascending
// and apart from one another.
func (b *Book) Minutes(c Coverage, span ledger.Span) []ledger.Span {
	var all []ledger.Span
	for _, x := range b.Of(c) {
		all = append(all, x.Within(span)...)
	}
	return ledger.Join(all)
}

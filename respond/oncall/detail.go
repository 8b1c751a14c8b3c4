package oncall

import (
	"context"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
)

// Detail is everything about one schedule but its shifts.
type Detail struct {
	Summary
	ascode.Origin
	Description string        `json:"description,omitempty"`
	People      []Person      `json:"people" doc:"Who takes part, or was put on call by an override."`
	Me          string        `json:"me,omitempty" doc:"The name of the caller among people."`
	Owns        bool          `json:"owns" doc:"Whether the caller may change everything about it."`
	Versions    []VersionView `json:"versions" doc:"The newest first."`
	Handover    *Handover     `json:"handover,omitempty" doc:"The latest hand-over note."`
	Swaps       []Swap        `json:"swaps" doc:"Swaps whose time is not over."`
}

// VersionView is one version of a schedule.
type VersionView struct {
	Number  int           `json:"number"`
	From    time.Time     `json:"from" doc:"From when it was in force."`
	By      journal.Actor `json:"by"`
	Removed bool          `json:"removed,omitempty"`
}

// Detail returns one schedule with who is on call at an instant.
func (s *Service) Detail(ctx context.Context, name string, at time.Time) (Detail, error) {
	q := s.db.Read()
	row, err := scheduleRow(ctx, q, name)
	if err != nil {
		return Detail{}, err
	}
	var d Detail
	if d.Summary, err = s.summary(ctx, q, row.Name, at); err != nil {
		return d, err
	}
	l, err := s.load(ctx, q, row.Name, at.Add(-aheadNext), at.Add(feedAhead), Then)
	if err != nil {
		return d, err
	}
	for i := len(l.versions) - 1; i >= 0; i-- {
		v := l.versions[i]
		d.Versions = append(d.Versions, VersionView{v.number, v.from, v.by, v.doc == nil})
	}
	if doc := l.latest().doc; doc != nil {
		d.Description = doc.Metadata.Description
	}
	found, err := s.People(ctx, q, l.everybody())
	if err != nil {
		return d, err
	}
	d.People = named(found, l.everybody())
	return d, s.around(ctx, q, row.Owner, &d)
}

// around fills in who asks and what is going on.
func (s *Service) around(ctx context.Context, q Reader, owner string, d *Detail) error {
	who, err := s.actor(ctx, q, owner)
	if err != nil {
		return err
	}
	d.Me, d.Owns = who.name, who.owns
	if d.Swaps, err = s.Swaps(ctx, d.Name, s.now()); err != nil {
		return err
	}
	notes, err := s.Handovers(ctx, d.Name, time.Time{}, 1)
	if err != nil {
		return err
	}
	if len(notes) > 0 {
		d.Handover = &notes[0]
	}
	o, found, err := s.documents.Origin(ctx, ascode.Key{Kind: KindName, Name: d.Name})
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	if found {
		d.Origin = o
	}
	return nil
}

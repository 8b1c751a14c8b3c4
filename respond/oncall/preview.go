package oncall

import (
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Preview is what an edit of a schedule would change of the next 90 days.
type Preview struct {
	Schedule string    `json:"schedule"`
	New      bool      `json:"new,omitempty" doc:"There is no such schedule yet."`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	TimeZone string    `json:"timeZone"`
	Changes  []Moved   `json:"changes" doc:"When other people would be on call, in order, role by role."`
	Gaps     []Span    `json:"gaps" doc:"When nobody would be on call although somebody has to be."`
}

// Moved is a time in which an edit puts other people on call.
type Moved struct {
	Role   rota.Role `json:"role" enum:"primary,secondary,shadow"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Before []Person  `json:"before"`
	After  []Person  `json:"after"`
}

// Preview reads documents and says what each Schedule among them would change.
// Nothing is written. Documents that cannot be read are one fault with all
// positions.
func (s *Service) Preview(ctx context.Context, files []ascode.File) ([]Preview, error) {
	docs, faults := s.documents.Registry().Parse(files)
	if len(faults) > 0 {
		return nil, fault.Join(faults)
	}
	var all []Preview
	for _, d := range docs {
		o, ok := d.Object.(*Document)
		if !ok {
			continue
		}
		p, err := s.preview(ctx, d.Name, o)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func (s *Service) preview(ctx context.Context, name string, doc *Document) (Preview, error) {
	q, now := s.db.Read(), s.stamp()
	p := Preview{Schedule: name, From: now, To: now.Add(aheadAtEdit), TimeZone: doc.Spec.TimeZone}
	before, err := s.load(ctx, q, name, p.From, p.To, Then)
	if fault.KindOf(err) == fault.NotFound {
		before, err, p.New = &loaded{name: name}, nil, true
	}
	if err != nil {
		return p, err
	}
	after := before.edited(doc, now)
	found, err := s.People(ctx, q, after.everybody())
	if err != nil {
		return p, err
	}
	for _, role := range rota.Roles {
		for _, d := range rota.Differences(before.plan.Shifts(role, p.From, p.To), after.plan.Shifts(role, p.From, p.To)) {
			p.Changes = append(p.Changes, Moved{Role: role, From: d.From, To: d.To, Before: named(found, d.Before), After: named(found, d.After)})
		}
	}
	p.Gaps = after.gaps(p.From, p.To)
	return p, nil
}

// edited is the schedule with one more version, in force from an instant on.
func (l *loaded) edited(doc *Document, from time.Time) *loaded {
	planned, _ := doc.Spec.compile() // it was judged as it was read
	v := version{number: len(l.versions) + 1, from: from, doc: doc, planned: planned}
	out := &loaded{name: l.name, versions: append(slices.Clone(l.versions), v), overrides: l.overrides, plan: l.plan}
	out.plan.Versions = append(slices.Clone(l.plan.Versions), rota.Version{Number: v.number, From: from, Schedule: planned})
	return out
}

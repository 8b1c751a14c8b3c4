package incident

import (
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
)

// Everything is the subject that stands for all incidents.
const Everything journal.Ref = "system:incidents"

// Measures registers what the room can put a number on: one value for each
// incident, at its declaration. The subject is a service, a team, or all of them
// together; incidents that were declined or merged are none.
func (s *Service) Measures(r *measure.Registry) {
	add := func(id, unit string, title text.Both, figure func(i *Incident) *float64) {
		r.Add(measure.Definition{ID: id, Version: 1, Unit: unit, Better: measure.LowerIsBetter, Title: title,
			Source: measure.SourceFunc(func(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
				return s.values(ctx, subject, from, to, figure)
			})})
	}
	one := func(keep func(i *Incident) bool) func(i *Incident) *float64 {
		return func(i *Incident) *float64 {
			if !keep(i) {
				return nil
			}
			n := 1.0
			return &n
		}
	}
	add("incident.count", "incidents", text.Say("Incidents", "インシデント"), one(func(*Incident) bool { return true }))
	for _, severity := range Severities {
		add("incident.count_"+lower(severity), "incidents", text.Say("Incidents of severity %s", "重大度 %s のインシデント", severity),
			one(func(i *Incident) bool { return i.Severity == severity }))
	}
	add("incident.seconds_to_detect", "seconds", text.Say("Time from the start of the impact to its detection", "影響の開始から検知までの時間"),
		func(i *Incident) *float64 { return i.Stamps.Times().Detect })
	add("incident.seconds_to_acknowledge", "seconds", text.Say("Time from detection to acknowledgement", "検知から確認までの時間"),
		func(i *Incident) *float64 { return i.Stamps.Times().Acknowledge })
	add("incident.seconds_to_mitigate", "seconds", text.Say("Time from detection to mitigation", "検知から緩和までの時間"),
		func(i *Incident) *float64 { return i.Stamps.Times().Mitigate })
	add("incident.seconds_to_resolve", "seconds", text.Say("Time from detection to resolution", "検知から解決までの時間"),
		func(i *Incident) *float64 { return i.Stamps.Times().Resolve })
	r.Add(measure.Definition{ID: "incident.budget_minutes", Version: 1, Unit: "minutes", Better: measure.LowerIsBetter,
		Title: text.Say("Minutes of error budget that incidents burned", "インシデントが消費したエラーバジェット(分)"), Source: measure.SourceFunc(s.burns)})
}

func lower(s Severity) string { return "sev" + string(s[len(s)-1]) }

// chosen are the incidents of a subject that were declared in [from, to).
func (s *Service) chosen(ctx context.Context, subject journal.Ref, from, to time.Time) ([]Incident, error) {
	all, err := between(ctx, s.db.Read(), from, to)
	return slices.DeleteFunc(all, func(i Incident) bool {
		return i.State == Declined || i.State == Merged || !(subject == Everything ||
			subject.Kind() == "team" && subject.Name() == i.Team || subject.Kind() == "service" && slices.Contains(i.Services, subject.Name()))
	}), err
}

func (s *Service) values(ctx context.Context, subject journal.Ref, from, to time.Time, figure func(i *Incident) *float64) ([]measure.Value, error) {
	all, err := s.chosen(ctx, subject, from, to)
	var out []measure.Value
	for k := range all {
		if v := figure(&all[k]); v != nil {
			out = append(out, measure.Value{At: all[k].DeclaredAt, V: *v, Known: 1})
		}
	}
	return out, err
}

// burns are the minutes of budget that each incident burned, or that somebody put
// in their place. Known is that of the objective that burned most.
func (s *Service) burns(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
	all, err := s.chosen(ctx, subject, from, to)
	if err != nil {
		return nil, err
	}
	var out []measure.Value
	for k := range all {
		v := measure.Value{At: all[k].DeclaredAt, Known: 1}
		if all[k].Burned != nil {
			v.V = all[k].Burned.Minutes
		} else {
			b, err := s.burnOf(ctx, &all[k])
			if err != nil {
				return nil, err
			}
			v.V = b.Computed
			if len(b.Items) > 0 {
				v.Known = b.Items[0].Known
			}
		}
		out = append(out, v)
	}
	return out, nil
}

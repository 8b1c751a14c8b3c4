package oncall

import (
	"context"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Measures registers what the room measures.
func (s *Service) Measures(r *measure.Registry) {
	r.Add(measure.Definition{ID: "oncall.coverage", Version: 1, Unit: "ratio", Better: measure.HigherIsBetter,
		Title: text.Say("Share of the time that needs somebody on call in which somebody is", "当番が必要な時間のうち、当番がいる割合"), Source: measure.SourceFunc(s.coverage)})
	r.Add(measure.Definition{ID: "oncall.hours", Version: 1, Unit: "hours", Better: measure.LowerIsBetter,
		Title: text.Say("Hours on call as primary, by person", "主担当だった時間(人ごと)"), Source: measure.SourceFunc(s.load24(func(x Share) float64 { return x.Hours }))})
	r.Add(measure.Definition{ID: "oncall.night_hours", Version: 1, Unit: "hours", Better: measure.LowerIsBetter,
		Title: text.Say("Hours on call as primary between 22:00 and 06:00, by person", "22時から6時に主担当だった時間(人ごと)"), Source: measure.SourceFunc(s.load24(func(x Share) float64 { return x.Nights }))})
}

// present is the span of a question: where only an instant is asked for, the day
// before it.
func present(from, to time.Time) (time.Time, time.Time) {
	if !from.Before(to) {
		return to.Add(-24 * time.Hour), to
	}
	return from, to
}

// coverage is the share of covered time, day by day, of a schedule.
func (s *Service) coverage(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
	if subject.Kind() != "schedule" {
		return nil, nil
	}
	from, to = present(from, to)
	l, err := s.load(ctx, s.db.Read(), subject.Name(), from, to, Then)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var values []measure.Value
	for at := from; at.Before(to); at = at.Add(24 * time.Hour) {
		end := at.Add(24 * time.Hour)
		if end.After(to) {
			end = to
		}
		need, gap := 0.0, 0.0
		for _, x := range l.covered(at, end) {
			need += x.To.Sub(x.From).Hours()
		}
		for _, g := range l.gaps(at, end) {
			gap += g.To.Sub(g.From).Hours()
		}
		if need > 0 {
			values = append(values, measure.Value{At: end, V: 1 - gap/need, Known: 1})
		}
	}
	return values, nil
}

// load24 is what fell to a person by all schedules, day by day.
func (s *Service) load24(of func(Share) float64) func(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
	return func(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
		if subject.Kind() != "person" {
			return nil, nil
		}
		from, to = present(from, to)
		rows, err := s.list(ctx, s.db.Read())
		if err != nil {
			return nil, err
		}
		var values []measure.Value
		for at := from; at.Before(to); at = at.Add(24 * time.Hour) {
			end := at.Add(24 * time.Hour)
			if end.After(to) {
				end = to
			}
			values = append(values, measure.Value{At: end, Known: 1})
		}
		took := false
		for _, r := range rows {
			l, err := s.load(ctx, s.db.Read(), r.Name, from, to, Then)
			if err != nil {
				return nil, err
			}
			for i := range values {
				begin := from.Add(time.Duration(i) * 24 * time.Hour)
				shares := sharesOf(l.plan.Shifts(rota.Primary, begin, values[i].At), l.zone(), l.isHoliday())
				if x := shares[subject.Name()]; x != nil {
					values[i].V += of(*x)
					took = true
				}
			}
			took = took || l.takesPart(subject.Name(), rota.Primary)
		}
		if !took {
			return nil, nil
		}
		return values, nil
	}
}

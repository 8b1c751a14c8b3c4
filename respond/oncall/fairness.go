package oncall

import (
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/holiday"
	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Share is how much of a schedule fell to one person. Nights are hours from 22:00
// to 06:00, weekends those of Saturdays and Sundays, on the schedule's wall clock;
// an hour may be several of them.
type Share struct {
	Person   Person   `json:"person"`
	Hours    float64  `json:"hours"`
	Nights   float64  `json:"nights" doc:"Hours from 22:00 to 06:00."`
	Weekends float64  `json:"weekends" doc:"Hours of Saturdays and Sundays."`
	Holidays float64  `json:"holidays" doc:"Hours of holidays of the schedule's calendar."`
	Shifts   int      `json:"shifts"`
	Pages    *float64 `json:"pages,omitempty" doc:"How often they were paged in that time; absent where nothing counts it."`
}

// pagesMeasure is how often a person was paged, by everything.
const pagesMeasure = "page.per_person"

// The hours of the night on the wall clock.
const (
	nightEnds   = 6 * 60
	nightBegins = 22 * 60
)

// Fairness is what fell to each person as a role in [from, to), the most hours
// first.
func (s *Service) Fairness(ctx context.Context, name string, role rota.Role, from, to time.Time) ([]Share, error) {
	if role == "" {
		role = rota.Primary
	}
	q := s.db.Read()
	l, err := s.load(ctx, q, name, from, to, Then)
	if err != nil {
		return nil, err
	}
	shares := sharesOf(l.plan.Shifts(role, from, to), l.zone(), l.isHoliday())
	var names []string
	for n := range shares {
		names = append(names, n)
	}
	for _, n := range l.spec().everybody() { // whoever did nothing is shown, too
		if _, there := shares[n]; !there && l.takesPart(n, role) {
			shares[n] = &Share{}
			names = append(names, n)
		}
	}
	found, err := s.People(ctx, q, names)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Share
	for _, n := range names {
		x := *shares[n]
		x.Person = named(found, []string{n})[0]
		if x.Pages, err = s.pages(ctx, n, from, to); err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	slices.SortStableFunc(all, func(a, b Share) int {
		switch {
		case a.Hours > b.Hours:
			return -1
		case a.Hours < b.Hours:
			return 1
		}
		return 0
	})
	return all, nil
}

// takesPart reports whether somebody is in a layer of a role.
func (l *loaded) takesPart(name string, role rota.Role) bool {
	for _, x := range l.spec().Layers {
		for _, p := range x.Participants {
			if x.role() == role && slices.Contains(p.names(), name) {
				return true
			}
		}
	}
	return false
}

// pages is how often somebody was paged, where a room counts that.
func (s *Service) pages(ctx context.Context, name string, from, to time.Time) (*float64, error) {
	d, err := s.measures.Lookup(pagesMeasure)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	values, err := d.Source.Values(ctx, journal.RefTo("person", name), from, to)
	sum := 0.0
	for _, v := range values {
		sum += v.V
	}
	return &sum, err
}

// sharesOf adds up shifts by person, day by day on the wall clock.
func sharesOf(shifts []rota.Shift, zone *time.Location, isHoliday func(holiday.Day) bool) map[string]*Share {
	shares := map[string]*Share{}
	for _, x := range shifts {
		if x.Gap() {
			continue
		}
		var all Share
		for d := recur.LocalOf(x.From, zone).Midnight(); d.In(zone).Before(x.To); d += aDay {
			all.addDay(x, d, zone, isHoliday)
		}
		for _, user := range x.Users {
			if shares[user] == nil {
				shares[user] = &Share{}
			}
			shares[user].add(all)
		}
	}
	return shares
}

// addDay adds the part of a shift that lies on one day.
func (s *Share) addDay(x rota.Shift, day recur.Local, zone *time.Location, isHoliday func(holiday.Day) bool) {
	within := func(from, to recur.Local) float64 {
		a, b := from.In(zone), to.In(zone)
		if a.Before(x.From) {
			a = x.From
		}
		if b.After(x.To) {
			b = x.To
		}
		return max(0, b.Sub(a).Hours())
	}
	hours := within(day, day+aDay)
	s.Hours += hours
	s.Nights += within(day, day+nightEnds) + within(day+nightBegins, day+aDay)
	y, m, n := day.Date()
	if w := time.Date(y, m, n, 0, 0, 0, 0, time.UTC).Weekday(); w == time.Saturday || w == time.Sunday {
		s.Weekends += hours
	}
	if isHoliday(holiday.Day{Year: y, Month: m, Day: n}) {
		s.Holidays += hours
	}
}

// add adds one shift.
func (s *Share) add(o Share) {
	s.Hours, s.Nights, s.Weekends, s.Holidays, s.Shifts = s.Hours+o.Hours, s.Nights+o.Nights, s.Weekends+o.Weekends, s.Holidays+o.Holidays, s.Shifts+1
}

package oncall

import (
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/holiday"
	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Summary is a schedule in a list: who is on call now and next, and the next gap.
type Summary struct {
	Name     string `json:"name"`
	Title    string `json:"title,omitempty"`
	Owner    string `json:"owner" doc:"The owning team's name."`
	TimeZone string `json:"timeZone"`
	Version  int    `json:"version"`
	Now      []Duty `json:"now" doc:"Who is on call, primary first."`
	Next     []Duty `json:"next" doc:"Who comes next in each role that somebody comes in within a month."`
	Gap      *Span  `json:"gap,omitempty" doc:"The first time in the next seven days for which somebody has to be on call and nobody is."`
}

const (
	aheadNext = 31 * 24 * time.Hour
	aheadGap  = 7 * 24 * time.Hour
)

// List returns all schedules, by name, each with who is on call at an instant and
// who comes next.
func (s *Service) List(ctx context.Context, at time.Time) ([]Summary, error) {
	q := s.db.Read()
	rows, err := s.list(ctx, q)
	if err != nil {
		return nil, err
	}
	all := make([]Summary, len(rows))
	for i, r := range rows {
		if all[i], err = s.summary(ctx, q, r.Name, at); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (s *Service) summary(ctx context.Context, q Reader, name string, at time.Time) (Summary, error) {
	l, err := s.load(ctx, q, name, at.Add(-aheadNext), at.Add(aheadNext), Then)
	if err != nil {
		return Summary{}, err
	}
	spec := l.spec()
	out := Summary{Name: name, Owner: owner(spec), TimeZone: spec.TimeZone, Version: l.latest().number}
	if doc := l.latest().doc; doc != nil {
		out.Title = doc.Metadata.Title
	}
	found, err := s.People(ctx, q, l.everybody())
	if err != nil {
		return out, err
	}
	for _, role := range l.roles() {
		x := l.plan.At(role, at)
		out.Now = append(out.Now, l.duty(role, x, found))
		for _, y := range l.plan.Shifts(role, at, at.Add(aheadNext)) {
			if !y.From.Before(x.To) && !y.Gap() {
				out.Next = append(out.Next, l.duty(role, y, found))
				break
			}
		}
	}
	if gaps := l.gaps(at, at.Add(aheadGap)); len(gaps) > 0 {
		out.Gap = &gaps[0]
	}
	return out, nil
}

func (l *loaded) duty(role rota.Role, x rota.Shift, found map[string]Person) Duty {
	return Duty{Role: role, People: named(found, x.Users), From: x.From, To: x.To, Source: l.source(x.Source)}
}

// everybody are all who take part in a version or an override.
func (l *loaded) everybody() []string {
	var all []string
	for _, v := range l.versions {
		if v.doc != nil {
			all = append(all, v.doc.Spec.everybody()...)
		}
	}
	for _, o := range l.overrides {
		all = append(all, o.Person)
		if o.Instead != "" {
			all = append(all, o.Instead)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Calendar is a schedule over a time: what results, and each layer by itself.
type Calendar struct {
	Schedule  string       `json:"schedule"`
	From      time.Time    `json:"from"`
	To        time.Time    `json:"to"`
	TimeZone  string       `json:"timeZone"`
	Final     []Duty       `json:"final" doc:"Who is on call, role by role; shifts of one role tile the time, gaps included."`
	Layers    []LayerShown `json:"layers" doc:"The layers of the present version, each by itself."`
	Overrides []Override   `json:"overrides" doc:"What people changed in this time, those that were taken back included."`
	Gaps      []Span       `json:"gaps" doc:"When somebody has to be on call as primary and nobody is."`
	Holidays  []Holiday    `json:"holidays" doc:"Holidays of the schedule's calendar."`
}

// LayerShown is a layer over a time.
type LayerShown struct {
	Name     string    `json:"name"`
	Role     rota.Role `json:"role" enum:"primary,secondary,shadow"`
	TimeZone string    `json:"timeZone"`
	File     string    `json:"file,omitempty"`
	Line     int       `json:"line,omitempty"`
	Shifts   []Duty    `json:"shifts" doc:"In the layer's hours only."`
}

// Holiday is a day off.
type Holiday struct {
	Date string    `json:"date" format:"date"`
	Name text.Both `json:"name,omitzero"`
}

// longestCalendar is how much time one calendar may show.
const longestCalendar = 400 * 24 * time.Hour

// Calendar is a schedule over [from, to), as of then or as of now.
func (s *Service) Calendar(ctx context.Context, name string, from, to time.Time, view View) (Calendar, error) {
	if !from.Before(to) || to.Sub(from) > longestCalendar {
		return Calendar{}, fault.New(fault.Invalid, "oncall.span", text.Say("the time must end after it begins and be 400 days at most", "期間は、終了が開始より後で、400日以内にしてください")).
			Fix(text.Say("correct from or to", "from か to を直してください")).On("query.to")
	}
	q := s.db.Read()
	l, err := s.load(ctx, q, name, from, to, view)
	if err != nil {
		return Calendar{}, err
	}
	found, err := s.People(ctx, q, l.everybody())
	if err != nil {
		return Calendar{}, err
	}
	c := Calendar{Schedule: name, From: from, To: to, TimeZone: l.spec().TimeZone, Overrides: l.overrides, Gaps: l.gaps(from, to), Holidays: l.holidays(from, to)}
	for _, role := range l.roles() {
		for _, x := range l.plan.Shifts(role, from, to) {
			c.Final = append(c.Final, l.duty(role, x, found))
		}
	}
	c.Layers = l.layers(from, to, found)
	return c, nil
}

// layers shows those of the last version, each by itself.
func (l *loaded) layers(from, to time.Time, found map[string]Person) []LayerShown {
	v := l.latest()
	var all []LayerShown
	for i, x := range v.planned.Layers {
		shown := LayerShown{Name: x.Name, Role: x.Role, TimeZone: x.Zone.String()}
		if v.file != "" && i < len(v.lines) {
			shown.File, shown.Line = v.file, v.lines[i]
		}
		for _, y := range (rota.Version{Number: v.number, Schedule: v.planned}).LayerShifts(i, from, to) {
			shown.Shifts = append(shown.Shifts, l.duty(x.Role, y, found))
		}
		all = append(all, shown)
	}
	return all
}

// isHoliday is which days are holidays of the schedule.
func (l *loaded) isHoliday() func(holiday.Day) bool {
	c := compiler{spec: l.spec()}
	return c.holidays()
}

func (l *loaded) holidays(from, to time.Time) []Holiday {
	var all []Holiday
	zone, is := l.zone(), l.isHoliday()
	for d := recur.LocalOf(from, zone).Midnight(); d.In(zone).Before(to); d += aDay {
		y, m, n := d.Date()
		day := holiday.Day{Year: y, Month: m, Day: n}
		if !is(day) {
			continue
		}
		name, _ := holiday.Japan(day)
		all = append(all, Holiday{Date: d.String()[:len(time.DateOnly)], Name: name})
	}
	return all
}

// aDay is a day on the wall clock.
const aDay recur.Local = 24 * 60

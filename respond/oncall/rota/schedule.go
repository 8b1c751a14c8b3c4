package rota

import (
	"slices"
	"time"

	"github.com/teiten/teiten/kit/holiday"
	"github.com/teiten/teiten/kit/recur"
)

// Role is what somebody is on call as.
type Role string

// The roles. Pages go to the primary; the secondary is there for a later step of
// an escalation, and a shadow hears without being counted on.
const (
	Primary   Role = "primary"
	Secondary Role = "secondary"
	Shadow    Role = "shadow"
)

// Roles are all roles, the first to be called first.
var Roles = []Role{Primary, Secondary, Shadow}

// Holidays says what public holidays mean for hours.
type Holidays string

// The meanings of public holidays.
const (
	HolidaysAsDays  Holidays = ""        // like any other day
	HolidaysClosed  Holidays = "closed"  // no hours on them
	HolidaysAllDay  Holidays = "all-day" // all of the day, in addition to the hours
	HolidaysOnlyDay Holidays = "only"    // nothing but them
)

// Hours are when a layer holds.
type Hours struct {
	Week     recur.Hours
	Holidays Holidays
	Calendar func(holiday.Day) bool // which days are holidays
}

// Layer is one rotation, and the hours in which it holds; nil is always. Zone is
// the clock of its hours.
type Layer struct {
	Name     string
	Role     Role
	Rotation *Rotation
	Hours    *Hours
	Zone     *time.Location
}

// Schedule is who is on call when, as planned: of the layers of a role each lies
// on top of those before it.
type Schedule struct {
	Layers []Layer
}

// Version is a schedule and the moment from which it is in force.
type Version struct {
	Number   int
	From     time.Time
	Schedule Schedule
}

// Plan is a schedule with its history: its versions in the order in which they
// came into force, and what people changed for a time, in the order in which they
// did. Who was on call in the past follows from what was in force then.
type Plan struct {
	Versions  []Version
	Overrides []Override
}

// At is who is on call in a role at an instant.
func (p Plan) At(role Role, at time.Time) Shift {
	return p.Shifts(role, at, at.Add(time.Nanosecond))[0].whole(p, role, at)
}

// whole widens the instant that a shift was looked up for to all of the shift, as
// far as it lies within a month on either side. Its source stays that of the
// instant: an edit that leaves the people as they are does not end their shift.
func (s Shift) whole(p Plan, role Role, at time.Time) Shift {
	for _, x := range p.Shifts(role, at.AddDate(0, -1, 0), at.AddDate(0, 1, 0)) {
		if !x.From.After(at) && x.To.After(at) {
			s.From, s.To = x.From, x.To
		}
	}
	return s
}

// Shifts tile [from, to): who is on call in a role, gaps included.
func (p Plan) Shifts(role Role, from, to time.Time) []Shift {
	var out []Shift
	at := from
	add := func(v Version, until time.Time) {
		if at.Before(until) {
			out = append(out, v.shifts(role, at, until)...)
			at = until
		}
	}
	var former Version
	for _, v := range p.Versions {
		if v.From.After(at) {
			add(former, earlier(v.From, to))
		}
		former = v
	}
	add(former, to)
	for _, o := range p.Overrides {
		out = o.apply(role, out)
	}
	return joined(out)
}

// shifts are those of one version.
func (v Version) shifts(role Role, from, to time.Time) []Shift {
	nobody := Shift{From: from, To: to, Source: Source{Version: v.Number, Layer: -1}}
	out := []Shift{nobody}
	for i, l := range v.Schedule.Layers {
		if l.Role != role {
			continue
		}
		top := l.shifts(Source{Version: v.Number, Layer: i, Name: l.Name}, from, to)
		if tiles(top, from, to) {
			out = joined(top) // nothing of what is below is seen
		} else {
			out = cover(out, top)
		}
	}
	return out
}

func (l Layer) shifts(source Source, from, to time.Time) []Shift {
	var out []Shift
	for _, open := range l.open(from, to) {
		out = l.Rotation.appendShifts(out, open.From, open.To, source)
	}
	return out
}

// LayerShifts are those of one layer by itself, in its hours.
func (v Version) LayerShifts(place int, from, to time.Time) []Shift {
	l := v.Schedule.Layers[place]
	return joined(l.shifts(Source{Version: v.Number, Layer: place, Name: l.Name}, from, to))
}

// open is when the layer holds.
func (l Layer) open(from, to time.Time) []recur.Span {
	if l.Hours == nil {
		return []recur.Span{{From: from, To: to}}
	}
	return l.Hours.spans(l.Zone, from, to)
}

// aDay is a day on the wall clock.
const aDay recur.Local = 24 * 60

// spans are the hours between two instants.
func (h Hours) spans(zone *time.Location, from, to time.Time) []recur.Span {
	week := recur.Week{Hours: h.Week, Zone: zone}
	var days []recur.Span
	if h.Holidays != HolidaysAsDays {
		last := recur.LocalOf(to, zone)
		for d := recur.LocalOf(from, zone).Midnight() - 2*aDay; d <= last; d += aDay {
			y, m, n := d.Date()
			if h.Calendar(holiday.Day{Year: y, Month: m, Day: n}) {
				week.Closed = append(week.Closed, d)
				days = append(days, recur.Span{From: d.In(zone), To: (d + aDay).In(zone)})
			}
		}
	}
	if h.Holidays == HolidaysOnlyDay {
		return clip(days, from, to)
	}
	open := slices.Collect(week.Between(from, to))
	if h.Holidays == HolidaysAllDay {
		return union(open, clip(days, from, to))
	}
	return open
}

// clip cuts spans to [from, to).
func clip(spans []recur.Span, from, to time.Time) []recur.Span {
	var out []recur.Span
	for _, s := range spans {
		s.From, s.To = later(s.From, from), earlier(s.To, to)
		if s.From.Before(s.To) {
			out = append(out, s)
		}
	}
	return out
}

// union joins two lists of spans into one, ascending and apart.
func union(a, b []recur.Span) []recur.Span {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y recur.Span) int { return x.From.Compare(y.From) })
	var out []recur.Span
	for _, s := range all {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			out[n-1].To = later(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

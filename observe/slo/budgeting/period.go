package budgeting

import (
	"errors"
	"sync"
	"time"
	_ "time/tzdata" // for machines without a database of zones

	"github.com/teiten/teiten/observe/slo/ledger"
)

// Period is the time over which an objective is promised. It rolls, ending at
// the present minute, unless it has a Calendar.
type Period struct {
	Length   time.Duration `json:"length"` // nominal, where there is a calendar
	Calendar *Calendar     `json:"calendar,omitempty"`
}

// Unit is what a calendar counts in.
type Unit string

// The units. Minutes and hours pass; days, weeks, months, quarters and years go
// by the wall clock and have as many minutes as they have.
const (
	Minutes  Unit = "minute"
	Hours    Unit = "hour"
	Days     Unit = "day"
	Weeks    Unit = "week"
	Months   Unit = "month"
	Quarters Unit = "quarter"
	Years    Unit = "year"
)

// Calendar aligns windows: one begins at Origin, on the wall clock of the zone,
// and another every so many units after it and before it. In months without the
// day of the origin, a window begins on the last day. Where the wall clock skips
// the time of the origin, a window begins as it skips; where the time comes
// twice, at the first.
type Calendar struct {
	Origin time.Time `json:"origin"` // a wall clock, written as if it were UTC
	Zone   string    `json:"zone"`   // of the IANA database
	Every  int       `json:"every"`
	Unit   Unit      `json:"unit"`
}

// Natural is the origin of calendars without one: a Monday that begins a week, a
// month, a quarter and a year.
var Natural = time.Date(2018, time.January, 1, 0, 0, 0, 0, time.UTC)

// Nominal is the length of the window, for a calendar an average one: what
// burn-rate factors and forecasts are derived from.
func (p Period) Nominal() time.Duration { return p.Length }

// Start is the first minute of the window that ends before minute end.
func (p Period) Start(end int64) int64 {
	if p.Calendar == nil {
		return end - int64(p.Length/time.Minute)
	}
	return p.Calendar.begin(p.Calendar.index(end - 1))
}

// End is the first minute after the window of which end−1 is a minute. For a
// rolling window that is end itself.
func (p Period) End(end int64) int64 {
	if p.Calendar == nil {
		return end
	}
	return p.Calendar.begin(p.Calendar.index(end-1) + 1)
}

// index is the number of the window that holds a minute, counted from the one
// that begins at the origin.
func (c *Calendar) index(minute int64) int64 {
	n := c.guess(minute)
	for c.begin(n) > minute {
		n--
	}
	for c.begin(n+1) <= minute {
		n++
	}
	return n
}

// guess is the index to within a window or two.
func (c *Calendar) guess(minute int64) int64 {
	switch every := int64(c.Every); c.Unit {
	case Minutes:
		return floorDiv(minute-c.begin(0), every)
	case Hours:
		return floorDiv(minute-c.begin(0), 60*every)
	case Days, Weeks:
		wall := ledger.Start(minute).In(zone(c.Zone))
		_, offset := wall.Zone()
		days := floorDiv(minute+int64(offset/60)-c.Origin.Unix()/60, 24*60)
		if c.Unit == Weeks {
			every *= 7
		}
		return floorDiv(days, every)
	default:
		wall := ledger.Start(minute).In(zone(c.Zone))
		months := int64(wall.Year()-c.Origin.Year())*12 + int64(wall.Month()-c.Origin.Month())
		return floorDiv(months, c.months())
	}
}

// months is the length of a window in months.
func (c *Calendar) months() int64 {
	switch c.Unit {
	case Quarters:
		return 3 * int64(c.Every)
	case Years:
		return 12 * int64(c.Every)
	}
	return int64(c.Every)
}

// begin is the first minute of the window with the number n.
func (c *Calendar) begin(n int64) int64 {
	every := n * int64(c.Every)
	switch c.Unit {
	case Minutes:
		return c.instant(c.Origin) + every
	case Hours:
		return c.instant(c.Origin) + 60*every
	case Days:
		return c.instant(c.Origin.AddDate(0, 0, int(every)))
	case Weeks:
		return c.instant(c.Origin.AddDate(0, 0, 7*int(every)))
	}
	return c.instant(addMonths(c.Origin, int(n*c.months())))
}

// addMonths moves a wall clock by whole months, to the last day of a month that
// is too short.
func addMonths(wall time.Time, months int) time.Time {
	first := time.Date(wall.Year(), wall.Month()+time.Month(months), 1, wall.Hour(), wall.Minute(), 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(wall.Day(), last)-1)
}

// instant is the minute at which the wall clock of the zone shows a time.
func (c *Calendar) instant(wall time.Time) int64 {
	in := zone(c.Zone)
	at := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), 0, 0, in)
	since, until := at.ZoneBounds()
	switch shown := clock(at); {
	case shown.After(clock(wall)): // skipped; at lies after the change
		at = since
	case shown.Before(clock(wall)): // skipped; at lies before the change
		at = until
	case !since.IsZero():
		_, now := at.Zone()
		_, before := since.Add(-time.Second).Zone()
		if first := at.Add(time.Duration(now-before) * time.Second); first.Before(since) {
			at = first // it comes twice
		}
	}
	return floorDiv(at.Unix(), 60)
}

// clock is what a wall clock shows, to the minute, as if it were UTC.
func clock(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

var errNoZone = errors.New("no zone of the IANA database")

var zones sync.Map // name → *time.Location

// zone is the location of a name that Zone accepted, and UTC of another.
func zone(name string) *time.Location {
	if l, ok := zones.Load(name); ok {
		return l.(*time.Location)
	}
	l, err := Zone(name)
	if err != nil {
		l = time.UTC
	}
	zones.Store(name, l)
	return l
}

// Zone returns the location of a name of the IANA database. "Local", which
// depends on the machine, is none.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errNoZone
	}
	return time.LoadLocation(name)
}

package recur

import (
	"strconv"
	"strings"
	"time"
)

// Frequency is how often the periods of a rule follow one another.
type Frequency string

// The frequencies that a rule may have.
const (
	Yearly  Frequency = "YEARLY"
	Monthly Frequency = "MONTHLY"
	Weekly  Frequency = "WEEKLY"
	Daily   Frequency = "DAILY"
	Hourly  Frequency = "HOURLY"
)

// Day is a day of the week, or with Nth the n-th such day of its month or year,
// counted from the end where it is negative.
type Day struct {
	Nth     int
	Weekday time.Weekday
}

// Rule is a recurrence rule of RFC 5545, section 3.3.10. What it leaves open,
// such as the minute, comes from the start of the Schedule it is used in.
type Rule struct {
	Freq     Frequency
	Interval int   // every so many periods; 1 where it is 0
	Count    int   // how many occurrences, 0 for no limit; exceptions count
	Until    Until // the last moment

	ByMonth    []time.Month
	ByMonthDay []int // negative ones from the end of the month
	ByDay      []Day
	ByHour     []int
	ByMinute   []int
	WeekStart  time.Weekday // Monday where nothing is said; ParseRule sets it
}

// Until is the last moment at which something may recur: an instant, or a local
// time. The zero value is no end.
type Until struct {
	At  Local // on the clock of the schedule, or of UTC
	UTC bool
	Set bool
}

var dayNames = [...]string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

// String writes the rule as ParseRule reads it.
func (r Rule) String() string {
	parts := []string{"FREQ=" + string(r.Freq)}
	add := func(name, value string) { parts = append(parts, name+"="+value) }
	if r.Interval > 1 {
		add("INTERVAL", strconv.Itoa(r.Interval))
	}
	if r.Count > 0 {
		add("COUNT", strconv.Itoa(r.Count))
	}
	if r.Until.Set {
		add("UNTIL", r.Until.String())
	}
	list(add, "BYMONTH", r.ByMonth, func(m time.Month) string { return strconv.Itoa(int(m)) })
	list(add, "BYMONTHDAY", r.ByMonthDay, strconv.Itoa)
	list(add, "BYDAY", r.ByDay, Day.String)
	list(add, "BYHOUR", r.ByHour, strconv.Itoa)
	list(add, "BYMINUTE", r.ByMinute, strconv.Itoa)
	if r.WeekStart != time.Monday {
		add("WKST", dayNames[r.WeekStart])
	}
	return strings.Join(parts, ";")
}

func list[T any](add func(name, value string), name string, items []T, write func(T) string) {
	if len(items) == 0 {
		return
	}
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = write(item)
	}
	add(name, strings.Join(words, ","))
}

// String writes the day as rules do: MO, 1SU, -1FR.
func (d Day) String() string {
	if d.Nth == 0 {
		return dayNames[d.Weekday]
	}
	return strconv.Itoa(d.Nth) + dayNames[d.Weekday]
}

// String writes the moment as rules do: 20261231T235900, with a Z in UTC.
func (u Until) String() string {
	s := u.At.utc().Format("20060102T150405")
	if u.UTC {
		s += "Z"
	}
	return s
}

// allows reports whether an occurrence is not after the last moment.
func (u Until) allows(at Local, instant time.Time) bool {
	switch {
	case !u.Set:
		return true
	case u.UTC:
		return !instant.After(u.At.utc())
	}
	return at <= u.At
}

func (r Rule) interval() int64 { return int64(max(r.Interval, 1)) }

package recur

import (
	"iter"
	"slices"
	"time"
)

// Schedule is a rule with the moment from which it holds and the place whose
// clock it follows.
type Schedule struct {
	Rule   Rule
	Start  Local // nothing occurs before
	Zone   *time.Location
	Except []Except
}

// Except is a span of local time without occurrences, To not included.
type Except struct{ From, To Local }

// ParseExcept reads a local time, which is one occurrence, or a date, which is
// all of that day.
func ParseExcept(s string) (Except, error) {
	at, err := ParseLocal(s)
	if err != nil {
		return Except{}, err
	}
	if len(s) == len("2026-11-01") {
		return Except{at, at + perDay}, nil
	}
	return Except{at, at + 1}, nil
}

// far is how long Next looks ahead. The rarest of rules, the 29th of February on
// one day of the week, has gaps of forty years.
const far = 60 * 366 * 24 * time.Hour

// Next is the first occurrence after an instant, and false where there is none
// in the sixty years that follow.
func (s Schedule) Next(after time.Time) (time.Time, bool) {
	from := after.Add(1)
	if start := s.Start.In(s.Zone); start.After(from) {
		from = start
	}
	for t := range s.Between(from, from.Add(far)) {
		return t, true
	}
	return time.Time{}, false
}

// Between are the occurrences from an instant on and before another, strictly
// ascending. Where the clock is put forward several local times may become the
// same instant, which occurs once.
func (s Schedule) Between(from, to time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		if !from.Before(to) {
			return
		}
		// The widest of gaps, a day that was left out, moves no further than a day.
		low, high := LocalOf(from, s.Zone)-2*perDay, LocalOf(to, s.Zone)+perDay
		k, count := s.periodOf(low), 0
		if s.Rule.Count > 0 {
			k = 0
		}
		var last time.Time
		for ; ; k++ {
			begin, occurrences := s.period(k)
			if begin > high {
				return
			}
			for _, at := range occurrences {
				if at < s.Start {
					continue
				}
				count++
				t := at.In(s.Zone)
				switch {
				case s.Rule.Count > 0 && count > s.Rule.Count, !s.Rule.Until.allows(at, t), !t.Before(to):
					return
				case t.Before(from) || !t.After(last) || s.excepted(at):
					continue
				}
				last = t
				if !yield(t) {
					return
				}
			}
		}
	}
}

func (s Schedule) excepted(at Local) bool {
	return slices.ContainsFunc(s.Except, func(x Except) bool { return x.From <= at && at < x.To })
}

// periodOf is the number of a period that begins at or before a local time, 0
// for what lies before the start.
func (s Schedule) periodOf(at Local) int64 {
	if at <= s.Start {
		return 0
	}
	a, b := s.Start.utc(), at.utc()
	var n int64
	switch s.Rule.Freq {
	case Yearly:
		n = int64(b.Year() - a.Year())
	case Monthly:
		n = int64(b.Year()-a.Year())*12 + int64(b.Month()-a.Month())
	case Weekly:
		n = (at.day() - s.Start.day()) / 7
	case Daily:
		n = at.day() - s.Start.day()
	case Hourly:
		n = int64(at-s.Start) / perHour
	}
	return max(n/s.Rule.interval()-1, 0)
}

// period returns when the k-th period begins and what occurs in it, ascending.
func (s Schedule) period(k int64) (begin Local, occurrences []Local) {
	r, start := &s.Rule, s.Start.utc()
	n := k * r.interval()
	var days []int64
	switch r.Freq {
	case Yearly:
		year := start.Year() + int(n)
		begin, days = LocalAt(year, 1, 1, 0, 0), s.yearDays(year)
	case Monthly:
		first := LocalAt(start.Year(), start.Month()+time.Month(n), 1, 0, 0)
		begin, days = first, s.monthDays(first.utc().Year(), first.utc().Month())
	case Weekly:
		weekday := int64(start.Weekday()-r.WeekStart+7) % 7
		day := s.Start.day() - weekday + 7*n
		begin, days = Local(day*perDay), s.weekDays(day)
	case Daily:
		day := s.Start.day() + n
		begin, days = Local(day*perDay), r.limit([]int64{day})
	default:
		hour := floorDiv(int64(s.Start), perHour) + n
		begin = Local(hour * perHour)
		if len(r.ByHour) > 0 && !slices.Contains(r.ByHour, begin.utc().Hour()) || len(r.limit([]int64{begin.day()})) == 0 {
			return begin, nil
		}
		for _, m := range s.minutes() {
			occurrences = append(occurrences, begin+Local(m))
		}
		return begin, occurrences
	}
	hours := []int{start.Hour()}
	if len(r.ByHour) > 0 {
		hours = ascending(r.ByHour)
	}
	for _, d := range days {
		for _, h := range hours {
			for _, m := range s.minutes() {
				occurrences = append(occurrences, Local(d*perDay+int64(h*perHour+m)))
			}
		}
	}
	return begin, occurrences
}

func (s Schedule) minutes() []int {
	if len(s.Rule.ByMinute) > 0 {
		return ascending(s.Rule.ByMinute)
	}
	return []int{s.Start.utc().Minute()}
}

func (s Schedule) yearDays(year int) []int64 {
	r, start := &s.Rule, s.Start.utc()
	months := r.ByMonth
	switch {
	case len(r.ByMonthDay) == 0 && len(r.ByDay) > 0 && len(months) == 0:
		return named(r.ByDay, dayOf(year, 1, 1), dayOf(year, 12, 31))
	case len(r.ByMonthDay) == 0 && len(r.ByDay) == 0 && len(months) == 0:
		months = []time.Month{start.Month()}
	case len(months) == 0:
		months = []time.Month{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	}
	var days []int64
	for _, m := range ascending(months) {
		days = append(days, s.daysOf(year, m)...)
	}
	if len(r.ByMonthDay) > 0 && len(r.ByDay) > 0 && len(r.ByMonth) == 0 {
		// Days of the month that are also the n-th such day of the year.
		among := named(r.ByDay, dayOf(year, 1, 1), dayOf(year, 12, 31))
		days = slices.DeleteFunc(days, func(d int64) bool { return !slices.Contains(among, d) })
	}
	return days
}

func (s Schedule) monthDays(year int, month time.Month) []int64 {
	if by := s.Rule.ByMonth; len(by) > 0 && !slices.Contains(by, month) {
		return nil
	}
	return s.daysOf(year, month)
}

// daysOf are the days of one month that the rule names, or the day of the start.
func (s Schedule) daysOf(year int, month time.Month) []int64 {
	r := &s.Rule
	first, n := dayOf(year, month, 1), daysIn(year, month)
	last := first + int64(n) - 1
	if len(r.ByMonthDay) == 0 && len(r.ByDay) > 0 {
		return named(r.ByDay, first, last)
	}
	wanted := r.ByMonthDay
	if len(wanted) == 0 {
		wanted = []int{s.Start.utc().Day()}
	}
	var days []int64
	for _, d := range wanted {
		if d < 0 {
			d += n + 1
		}
		if d >= 1 && d <= n {
			days = append(days, first+int64(d)-1)
		}
	}
	days = ascending(days)
	if yearly := r.Freq == Yearly && len(r.ByMonth) == 0; len(r.ByDay) > 0 && !yearly {
		among := named(r.ByDay, first, last)
		days = slices.DeleteFunc(days, func(d int64) bool { return !slices.Contains(among, d) })
	}
	return days
}

func (s Schedule) weekDays(first int64) []int64 {
	r := &s.Rule
	if len(r.ByDay) > 0 {
		return inMonths(named(r.ByDay, first, first+6), r.ByMonth)
	}
	own := Day{Weekday: s.Start.utc().Weekday()}
	return inMonths(named([]Day{own}, first, first+6), r.ByMonth)
}

// limit keeps the days that none of the parts of the rule excludes.
func (r *Rule) limit(days []int64) []int64 {
	return slices.DeleteFunc(inMonths(days, r.ByMonth), func(d int64) bool {
		t := time.Unix(d*86400, 0).UTC()
		n := daysIn(t.Year(), t.Month())
		return len(r.ByMonthDay) > 0 && !slices.Contains(r.ByMonthDay, t.Day()) && !slices.Contains(r.ByMonthDay, t.Day()-n-1) ||
			len(r.ByDay) > 0 && !slices.ContainsFunc(r.ByDay, func(x Day) bool { return x.Weekday == t.Weekday() })
	})
}

func inMonths(days []int64, months []time.Month) []int64 {
	if len(months) == 0 {
		return days
	}
	return slices.DeleteFunc(days, func(d int64) bool { return !slices.Contains(months, time.Unix(d*86400, 0).UTC().Month()) })
}

// named are the days from first to last that one of names stands for, its number
// counted within them.
func named(names []Day, first, last int64) []int64 {
	var days []int64
	for _, x := range names {
		ahead := (int64(x.Weekday) - weekdayOf(first) + 7) % 7
		back := (weekdayOf(last) - int64(x.Weekday) + 7) % 7
		switch {
		case x.Nth > 0:
			if d := first + ahead + 7*int64(x.Nth-1); d <= last {
				days = append(days, d)
			}
		case x.Nth < 0:
			if d := last - back + 7*int64(x.Nth+1); d >= first {
				days = append(days, d)
			}
		default:
			for d := first + ahead; d <= last; d += 7 {
				days = append(days, d)
			}
		}
	}
	return ascending(days)
}

func weekdayOf(day int64) int64 { return ((day+4)%7 + 7) % 7 } // 1970-01-01 was a Thursday

func dayOf(year int, month time.Month, day int) int64 { return LocalAt(year, month, day, 0, 0).day() }

func daysIn(year int, month time.Month) int {
	return int(dayOf(year, month+1, 1) - dayOf(year, month, 1))
}

// ascending is the same in order, each once.
func ascending[T int | int64 | time.Month](list []T) []T {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

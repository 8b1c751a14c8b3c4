package recur

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
)

// Spoken says in a sentence when the schedule recurs and how long it lasts each
// time: "on the second Tuesday of every month from 02:00 for 2 hours, Asia/Tokyo".
// Without a length it says only when. Everything that the rule says is in it.
func (s Schedule) Spoken(each time.Duration) text.Both {
	days, times := s.daysSpoken(), s.timesSpoken(each)
	both := text.Both{EN: days.EN + times.EN + ", " + s.Zone.String(), JA: days.JA + times.JA + "(" + s.Zone.String() + ")"}
	for _, more := range s.limitsSpoken() {
		both.EN += ", " + more.EN
		both.JA += "、" + more.JA
	}
	return both
}

// limitsSpoken are the parts that say from when, until when and when not.
func (s Schedule) limitsSpoken() []text.Both {
	r := s.Rule
	var more []text.Both
	y, m, d := s.Start.Date()
	if r.interval() > 1 || r.Count > 0 {
		more = append(more, text.Say("counted from %d-%02d-%02d", "起点は%d年%d月%d日", y, int(m), d))
	}
	if r.Freq == Weekly && r.interval() > 1 && r.WeekStart != time.Monday {
		more = append(more, text.Say("in weeks that begin on %s", "週の始まりは%s曜日", weekdaySpoken(r.WeekStart)))
	}
	if r.Count > 0 {
		more = append(more, text.Say("%d times in all", "全%d回", r.Count))
	}
	if r.Until.Set {
		at, zone := r.Until.At.utc(), ""
		if r.Until.UTC {
			zone = " UTC"
		}
		more = append(more, text.Say("until %s%s", "%s%sまで", at.Format("2006-01-02 15:04"), zone))
	}
	switch n := len(s.Except); n {
	case 0:
	case 1:
		more = append(more, text.Say("with one exception", "例外1件"))
	default:
		more = append(more, text.Say("with %d exceptions", "例外%d件", n))
	}
	return more
}

// daysSpoken says on which days, and of hourly rules in which hours.
func (s Schedule) daysSpoken() text.Both {
	switch s.Rule.Freq {
	case Yearly:
		return s.yearlySpoken()
	case Monthly:
		return s.monthlySpoken()
	case Weekly:
		return s.weeklySpoken()
	case Daily:
		r := s.Rule
		if r.interval() == 1 && len(r.ByMonthDay) == 0 && len(r.ByDay) > 0 {
			names := weekdaysSpoken(r.ByDay)
			return onlyIn(text.Say("every %s", "毎週%s曜日", names), r.ByMonth)
		}
		return r.filtered(every(r.interval(), text.Say("day", "日")))
	}
	both := s.Rule.filtered(every(s.Rule.interval(), text.Say("hour", "時間")))
	if hours := s.Rule.ByHour; len(hours) > 0 {
		list := numbersSpoken(ascending(hours))
		both = text.Say("%s in the hours %s", "%s、%s時台", both, list)
	}
	return both
}

// filtered adds the days that a daily or hourly rule keeps.
func (r *Rule) filtered(both text.Both) text.Both {
	if len(r.ByMonthDay) > 0 {
		both = text.Say("%s if it is %s", "%s(%sのみ)", both, monthDaysSpoken(r.ByMonthDay))
	}
	if len(r.ByDay) > 0 {
		both = text.Say("%s if it is a %s", "%s(%s曜日のみ)", both, weekdaysSpoken(r.ByDay))
	}
	return onlyIn(both, r.ByMonth)
}

func (s Schedule) weeklySpoken() text.Both {
	r := s.Rule
	days := r.ByDay
	if len(days) == 0 {
		days = []Day{{Weekday: s.Start.utc().Weekday()}}
	}
	names := weekdaysSpoken(days)
	if r.interval() == 1 {
		return onlyIn(text.Say("every %s", "毎週%s曜日", names), r.ByMonth)
	}
	return onlyIn(text.Say("%s on %s", "%sの%s曜日", every(r.interval(), text.Say("week", "週")), names), r.ByMonth)
}

func (s Schedule) monthlySpoken() text.Both {
	r := s.Rule
	of := every(r.interval(), text.Say("month", "月"))
	if r.interval() == 1 && len(r.ByMonth) > 0 {
		months := monthsSpoken(r.ByMonth)
		return s.within(text.Say("of %s", "毎年%sの", months))
	}
	possessive := "の"
	if r.interval() == 1 {
		possessive = ""
	}
	return onlyIn(s.within(text.Both{EN: "of " + of.EN, JA: of.JA + possessive}), r.ByMonth)
}

func (s Schedule) yearlySpoken() text.Both {
	r := s.Rule
	of := every(r.interval(), text.Say("year", "年"))
	end := ""
	if r.interval() > 1 {
		end = " " + of.EN
	}
	japanese := of.JA
	if r.interval() > 1 {
		japanese += "の"
	}
	switch {
	case len(r.ByMonth) > 0:
		months := monthsSpoken(r.ByMonth)
		both := s.within(text.Both{EN: "of " + months.EN, JA: japanese + months.JA + "の"})
		both.EN += end
		return both
	case len(r.ByMonthDay) > 0:
		both := s.within(text.Both{EN: "of every month", JA: strings.TrimPrefix(japanese, "毎年") + "毎月"})
		both.EN += end
		return both
	case len(r.ByDay) > 0:
		return s.within(text.Both{EN: "of " + of.EN, JA: japanese})
	}
	_, m, d := s.Start.Date()
	return text.Both{EN: fmt.Sprintf("%s on %d %s", of.EN, d, m), JA: fmt.Sprintf("%s%d月%d日", japanese, m, d)}
}

// within says which days of a month or year there are: the rule's, or the day of
// the start.
func (s Schedule) within(of text.Both) text.Both {
	r := s.Rule
	switch {
	case len(r.ByMonthDay) > 0 && len(r.ByDay) > 0:
		kind := nthsSpoken(r.ByDay, "a ", "")
		if r.Freq == Yearly && len(r.ByMonth) == 0 && slices.ContainsFunc(r.ByDay, func(d Day) bool { return d.Nth != 0 }) {
			kind = text.Say("%s of the year", "その年の%s", kind)
		}
		return text.Say("on %s %s if it is %s", "%[2]s%[1]s(%[3]sの場合のみ)", monthDaysSpoken(r.ByMonthDay), of, kind)
	case len(r.ByDay) > 0:
		return text.Say("on %s %s", "%[2]s%[1]s", nthsSpoken(r.ByDay, "every ", "すべての"), of)
	case len(r.ByMonthDay) > 0:
		return text.Say("on %s %s", "%[2]s%[1]s", monthDaysSpoken(r.ByMonthDay), of)
	}
	return text.Say("on %s %s", "%[2]s%[1]s", monthDaysSpoken([]int{s.Start.utc().Day()}), of)
}

// timesSpoken says at which times of the day.
func (s Schedule) timesSpoken(each time.Duration) text.Both {
	if s.Rule.Freq == Hourly {
		minutes := numbersSpoken(s.minutes())
		both := text.Say(" at minute %s", " %s分", minutes)
		if each > 0 {
			both = text.Say("%s for %s", "%sから%s", both, lengthSpoken(each))
		}
		return both
	}
	hours := []int{s.Start.utc().Hour()}
	if len(s.Rule.ByHour) > 0 {
		hours = ascending(s.Rule.ByHour)
	}
	var clock, plain []string
	for _, h := range hours {
		for _, m := range s.minutes() {
			clock, plain = append(clock, fmt.Sprintf("%02d:%02d", h, m)), append(plain, fmt.Sprintf("%d:%02d", h, m))
		}
	}
	at := listed(clock, plain)
	switch {
	case each <= 0:
		return text.Say(" at %s", " %s", at)
	case len(clock) > 1:
		return text.Say(" from %s for %s each", " %sからそれぞれ%s", at, lengthSpoken(each))
	}
	return text.Say(" from %s for %s", " %sから%s", at, lengthSpoken(each))
}

var englishDays = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

var japaneseDays = [...]string{"日", "月", "火", "水", "木", "金", "土"}

func weekdaySpoken(d time.Weekday) text.Both {
	return text.Both{EN: englishDays[d], JA: japaneseDays[d]}
}

// weekdaysSpoken are days of the week in their order from Monday, without numbers.
func weekdaysSpoken(days []Day) text.Both {
	var en, ja []string
	for i := range 7 {
		d := time.Weekday((i + 1) % 7)
		if slices.ContainsFunc(days, func(x Day) bool { return x.Weekday == d }) {
			en, ja = append(en, englishDays[d]), append(ja, japaneseDays[d])
		}
	}
	return listed(en, ja)
}

// nthsSpoken are days with their numbers: the second Tuesday and the last Friday.
// Those without a number have every and all in front.
func nthsSpoken(days []Day, every, all string) text.Both {
	var en, ja []string
	for _, d := range days {
		name := englishDays[d.Weekday]
		switch {
		case d.Nth == 0:
			en, ja = append(en, every+name), append(ja, all+japaneseDays[d.Weekday]+"曜日")
		case d.Nth == -1:
			en, ja = append(en, "the last "+name), append(ja, "最終"+japaneseDays[d.Weekday]+"曜日")
		case d.Nth < 0:
			en = append(en, "the "+ordinal(-d.Nth)+" to last "+name)
			ja = append(ja, fmt.Sprintf("最後から%d番目の%s曜日", -d.Nth, japaneseDays[d.Weekday]))
		default:
			en = append(en, "the "+ordinal(d.Nth)+" "+name)
			ja = append(ja, fmt.Sprintf("第%d%s曜日", d.Nth, japaneseDays[d.Weekday]))
		}
	}
	return listed(en, ja)
}

// monthDaysSpoken are days of a month: the 1st and the last day.
func monthDaysSpoken(days []int) text.Both {
	var en, ja []string
	for _, d := range days {
		switch {
		case d == -1:
			en, ja = append(en, "the last day"), append(ja, "末日")
		case d < 0:
			en, ja = append(en, "the "+ordinal(-d)+" to last day"), append(ja, fmt.Sprintf("最後から%d日目", -d))
		default:
			en, ja = append(en, "the "+numeral(d)), append(ja, strconv.Itoa(d)+"日")
		}
	}
	return listed(en, ja)
}

func monthsSpoken(months []time.Month) text.Both {
	var en, ja []string
	for _, m := range ascending(months) {
		en, ja = append(en, m.String()), append(ja, fmt.Sprintf("%d月", m))
	}
	return listed(en, ja)
}

func numbersSpoken(numbers []int) text.Both {
	var all []string
	for _, n := range numbers {
		all = append(all, strconv.Itoa(n))
	}
	return listed(all, all)
}

// onlyIn says in which months.
func onlyIn(both text.Both, months []time.Month) text.Both {
	if len(months) == 0 {
		return both
	}
	return text.Say("%s in %s", "%s(%sのみ)", both, monthsSpoken(months))
}

// every says "every month" or "every third month". Japanese has a counter of its
// own for a number of months.
func every(n int64, unit text.Both) text.Both {
	counter := map[string]string{"月": "か月", "週": "週間"}[unit.JA]
	if counter == "" {
		counter = unit.JA
	}
	switch {
	case n == 1 && unit.JA == "時間":
		return text.Say("every %s", "1%sごと", unit)
	case n == 1:
		return text.Say("every %s", "毎%s", unit)
	}
	return text.Both{EN: "every " + ordinal(int(n)) + " " + unit.EN, JA: strconv.FormatInt(n, 10) + counter + "ごと"}
}

// listed joins words as sentences do.
func listed(en, ja []string) text.Both {
	both := text.Both{EN: strings.Join(en, " and "), JA: strings.Join(ja, "・")}
	if n := len(en) - 1; n > 1 {
		both.EN = strings.Join(en[:n], ", ") + " and " + en[n]
	}
	return both
}

var ordinals = [...]string{"", "first", "second", "third", "fourth", "fifth"}

// ordinal is second, or 20th.
func ordinal(n int) string {
	if n < len(ordinals) {
		return ordinals[n]
	}
	return numeral(n)
}

// numeral is 1st, 2nd, 3rd, 11th.
func numeral(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// lengthSpoken is a length in days, hours and minutes.
func lengthSpoken(d time.Duration) text.Both {
	var en, ja []string
	rest := int64(d / time.Minute)
	for _, unit := range []struct {
		minutes int64
		en, ja  string
	}{{perDay, "day", "日"}, {perHour, "hour", "時間"}, {1, "minute", "分"}} {
		n := rest / unit.minutes
		rest -= n * unit.minutes
		if n == 0 {
			continue
		}
		plural := "s"
		if n == 1 {
			plural = ""
		}
		en, ja = append(en, fmt.Sprintf("%d %s%s", n, unit.en, plural)), append(ja, fmt.Sprintf("%d%s", n, unit.ja))
	}
	return text.Both{EN: strings.Join(en, " "), JA: strings.Join(ja, "")}
}

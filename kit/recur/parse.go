package recur

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
)

// Limits of what a rule may say, so that reading one is bounded.
const (
	mostInterval = 10_000
	mostCount    = 100_000
)

// ParseRule reads a recurrence rule, "FREQ=MONTHLY;BYDAY=1SU", with or without
// "RRULE:" in front. Its error is an *Error with the place and the remedy. What
// RFC 5545 allows and this package does not execute is refused by name.
func ParseRule(s string) (Rule, error) {
	p := &parser{rule: Rule{WeekStart: time.Monday}, at: map[string]int{}}
	if i := strings.IndexFunc(s, func(c rune) bool { return c > '~' }); i >= 0 {
		return Rule{}, wrong(i, text.Say("a rule is written in plain letters", "ルールに使えない文字があります"),
			text.Say("use letters, digits and , ; = + - only", "英数字と , ; = + - だけで書いてください"))
	}
	offset := 0
	if len(s) >= 6 && strings.EqualFold(s[:6], "RRULE:") {
		offset = 6
	}
	for part := range strings.SplitSeq(s[offset:], ";") {
		if err := p.part(part, offset); err != nil {
			return Rule{}, err
		}
		offset += len(part) + 1
	}
	if err := p.whole(); err != nil {
		return Rule{}, err
	}
	return p.rule, nil
}

// parser is a rule as far as it was read, and where its parts begin.
type parser struct {
	rule Rule
	at   map[string]int // the offset of each part's value
}

var readers = map[string]func(r *Rule, v string, at int) error{
	"FREQ": readFrequency,
	"INTERVAL": func(r *Rule, v string, at int) (err error) {
		r.Interval, err = number(v, at, 1, mostInterval)
		return err
	},
	"COUNT":      func(r *Rule, v string, at int) (err error) { r.Count, err = number(v, at, 1, mostCount); return err },
	"UNTIL":      func(r *Rule, v string, at int) (err error) { r.Until, err = until(v, at); return err },
	"BYMONTHDAY": func(r *Rule, v string, at int) (err error) { r.ByMonthDay, err = numbers(v, at, -31, 31); return err },
	"BYHOUR":     func(r *Rule, v string, at int) (err error) { r.ByHour, err = numbers(v, at, 0, 23); return err },
	"BYMINUTE":   func(r *Rule, v string, at int) (err error) { r.ByMinute, err = numbers(v, at, 0, 59); return err },
	"BYMONTH":    readMonths,
	"BYDAY":      readDays,
	"WKST":       func(r *Rule, v string, at int) (err error) { r.WeekStart, err = weekday(v, at); return err },
}

const parts = "FREQ, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY, BYDAY, BYHOUR, BYMINUTE, WKST"

var unsupported = []string{"BYSECOND", "BYSETPOS", "BYWEEKNO", "BYYEARDAY", "RSCALE", "SKIP"}

func (p *parser) part(part string, at int) error {
	name, value, ok := strings.Cut(part, "=")
	name = strings.ToUpper(strings.TrimSpace(name))
	if !ok || value == "" {
		return wrong(at, text.Say("%q is not of the form NAME=value", "%q が「名前=値」の形になっていません", shorten(part)),
			text.Say("write the rule as FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO のように書いてください"))
	}
	read, known := readers[name]
	switch {
	case slices.Contains(unsupported, name):
		return wrong(at, text.Say("%s is not supported", "%s には対応していません", name),
			text.Say("express it with %s, or with several schedules", "%s を使うか、複数のスケジュールに分けてください", parts))
	case !known:
		return wrong(at, text.Say("a rule has no part %q", "ルールに %q という項目はありません", shorten(name)),
			text.Say("use one of %s", "%s のいずれかを使ってください", parts))
	}
	if _, twice := p.at[name]; twice {
		return wrong(at, text.Say("%s is there twice", "%s が2回書かれています", name),
			text.Say("join them with a comma, or remove one", "カンマでつなぐか、片方を消してください"))
	}
	at += len(part) - len(value)
	p.at[name] = at
	return read(&p.rule, strings.ToUpper(strings.TrimSpace(value)), at)
}

// whole judges the parts together.
func (p *parser) whole() error {
	r := &p.rule
	switch {
	case r.Freq == "":
		return wrong(0, text.Say("the rule does not say how often", "繰り返しの頻度がありません"),
			text.Say("begin with FREQ=YEARLY, MONTHLY, WEEKLY, DAILY or HOURLY", "FREQ=YEARLY、MONTHLY、WEEKLY、DAILY、HOURLY のいずれかで始めてください"))
	case r.Count > 0 && r.Until.Set:
		return wrong(p.at["COUNT"], text.Say("COUNT and UNTIL exclude each other", "COUNT と UNTIL は同時に使えません"),
			text.Say("keep one of the two", "どちらか一方だけを残してください"))
	case r.Freq == Weekly && len(r.ByMonthDay) > 0:
		return wrong(p.at["BYMONTHDAY"], text.Say("a week has no days of the month", "WEEKLY では BYMONTHDAY を使えません"),
			text.Say("use FREQ=MONTHLY, or BYDAY", "FREQ=MONTHLY にするか、BYDAY を使ってください"))
	case !r.possible():
		return wrong(p.at["BYMONTHDAY"], text.Say("none of the months has such a day", "指定した月にその日はありません"),
			text.Say("correct BYMONTH or BYMONTHDAY", "BYMONTH か BYMONTHDAY を直してください"))
	}
	for _, d := range r.ByDay {
		most := 5
		if r.Freq == Yearly && len(r.ByMonth) == 0 {
			most = 53
		}
		switch {
		case d.Nth != 0 && r.Freq != Monthly && r.Freq != Yearly:
			return wrong(p.at["BYDAY"], text.Say("%s counts days within a month or year, which FREQ=%s has not", "%s は月や年の何番目かを表すため、FREQ=%s では使えません", d, string(r.Freq)),
				text.Say("use FREQ=MONTHLY or FREQ=YEARLY, or leave out the number", "FREQ=MONTHLY か FREQ=YEARLY にするか、数字を外してください"))
		case d.Nth > most || d.Nth < -most:
			return wrong(p.at["BYDAY"], text.Say("there is no %s", "%s はありません", d),
				text.Say("use a number from 1 to %[1]d, or from -1 to -%[1]d", "1〜%[1]d か -1〜-%[1]d の数にしてください", most))
		}
	}
	return nil
}

// possible reports whether any month has one of the days.
func (r *Rule) possible() bool {
	if len(r.ByMonthDay) == 0 || len(r.ByMonth) == 0 {
		return true
	}
	for _, m := range r.ByMonth {
		for _, d := range r.ByMonthDay {
			if max(d, -d) <= daysIn(2024, m) { // a leap year
				return true
			}
		}
	}
	return false
}

func readFrequency(r *Rule, v string, at int) error {
	switch f := Frequency(v); f {
	case Yearly, Monthly, Weekly, Daily, Hourly:
		r.Freq = f
		return nil
	}
	return wrong(at, text.Say("%q is not a frequency that is supported", "%q という頻度には対応していません", shorten(v)),
		text.Say("use YEARLY, MONTHLY, WEEKLY, DAILY or HOURLY", "YEARLY、MONTHLY、WEEKLY、DAILY、HOURLY のいずれかにしてください"))
}

func readMonths(r *Rule, v string, at int) error {
	list, err := numbers(v, at, 1, 12)
	for _, m := range list {
		r.ByMonth = append(r.ByMonth, time.Month(m))
	}
	return err
}

func readDays(r *Rule, v string, at int) error {
	for word := range strings.SplitSeq(v, ",") {
		split := max(len(word)-2, 0)
		d := Day{}
		var err error
		if d.Weekday, err = weekday(word[split:], at+split); err != nil {
			return err
		}
		if split > 0 {
			if d.Nth, err = number(strings.TrimPrefix(word[:split], "+"), at, -53, 53); err != nil {
				return err
			}
			if d.Nth == 0 {
				return notIn(word[:split], at, -53, 53)
			}
		}
		r.ByDay = append(r.ByDay, d)
		at += len(word) + 1
	}
	return nil
}

func weekday(v string, at int) (time.Weekday, error) {
	if i := slices.Index(dayNames[:], v); i >= 0 {
		return time.Weekday(i), nil
	}
	return 0, wrong(at, text.Say("%q is not a day of the week", "%q は曜日ではありません", shorten(v)),
		text.Say("use MO, TU, WE, TH, FR, SA or SU", "MO、TU、WE、TH、FR、SA、SU のいずれかにしてください"))
}

func until(v string, at int) (Until, error) {
	u := Until{Set: true}
	v, u.UTC = strings.TrimSuffix(v, "Z"), strings.HasSuffix(v, "Z")
	if t, err := time.Parse("20060102T150405", v); err == nil {
		u.At = Local(floorDiv(t.Unix(), 60))
		return u, nil
	}
	if t, err := time.Parse("20060102", v); err == nil && !u.UTC {
		u.At = Local(floorDiv(t.Unix(), 60) + perDay - 1) // the whole day
		return u, nil
	}
	return Until{}, wrong(at, text.Say("%q is not a moment", "%q は日時として読み取れません", shorten(v)),
		text.Say("write 20261231, 20261231T235900, or 20261231T145900Z in UTC", "20261231、20261231T235900、または UTC で 20261231T145900Z のように書いてください"))
}

func number(v string, at, least, most int) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		return 0, notIn(v, at, least, most)
	}
	return n, nil
}

// numbers reads a list; where it may hold negative numbers, it may not hold 0.
func numbers(v string, at, least, most int) ([]int, error) {
	var list []int
	for word := range strings.SplitSeq(v, ",") {
		n, err := number(strings.TrimPrefix(word, "+"), at, least, most)
		if err != nil {
			return nil, err
		}
		if n == 0 && least < 0 {
			return nil, notIn(word, at, least, most)
		}
		if !slices.Contains(list, n) {
			list = append(list, n)
		}
		at += len(word) + 1
	}
	return list, nil
}

func notIn(v string, at, least, most int) error {
	if least < 0 {
		return wrong(at, text.Say("%q is not a number from 1 to %[2]d or from -1 to -%[2]d", "%q は 1〜%[2]d または -1〜-%[2]d の数ではありません", shorten(v), most),
			text.Say("correct the number", "数を直してください"))
	}
	return wrong(at, text.Say("%q is not a number from %d to %d", "%q は%d〜%dの数ではありません", shorten(v), least, most),
		text.Say("correct the number", "数を直してください"))
}

func wrong(at int, what, remedy text.Both) error { return &Error{at, what, remedy} }

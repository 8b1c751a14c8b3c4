package exclusion

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// Schedule is when a maintenance window recurs.
type Schedule struct {
	Start    string   `json:"start" doc:"The first time it may begin, on the clock of timeZone: 2026-11-01T02:00." ja:"最初の開始日時(timeZone の現地時刻。例: 2026-11-01T02:00)。"`
	TimeZone string   `json:"timeZone" doc:"IANA time zone, such as Asia/Tokyo." ja:"IANAタイムゾーン(例: Asia/Tokyo)。"`
	RRule    string   `json:"rrule" doc:"Recurrence rule of RFC 5545: FREQ=MONTHLY;BYDAY=1SU." ja:"RFC 5545 の繰り返しルール(例: FREQ=MONTHLY;BYDAY=1SU)。"`
	Duration string   `json:"duration" doc:"How long it takes each time: 90m, 2h, 1d." ja:"1回の長さ(90m、2h、1d など)。"`
	Except   []string `json:"except,omitempty" doc:"Times or dates at which it does not take place." ja:"実施しない日時または日付。"`
}

// BusinessHours are the only hours that count; everything outside is excluded.
type BusinessHours struct {
	TimeZone string   `json:"timeZone" doc:"IANA time zone, such as Asia/Tokyo." ja:"IANAタイムゾーン(例: Asia/Tokyo)。"`
	Hours    []string `json:"hours" doc:"Hours of the week that count: Mon-Fri 09:00-18:00." ja:"数える曜日と時間帯(例: Mon-Fri 09:00-18:00)。"`
	Closed   []string `json:"closed,omitempty" doc:"Dates on which nothing counts, such as public holidays: 2026-01-01." ja:"数えない日(祝日など。例: 2026-01-01)。"`
}

// Shape is when within its time an exclusion excludes: by a schedule, outside
// business hours, or all of it where it has neither.
type Shape struct {
	Schedule      *Schedule      `json:"schedule,omitempty"`
	BusinessHours *BusinessHours `json:"businessHours,omitempty"`
}

// pattern is a Shape that was read.
type pattern struct {
	recurs *recur.Schedule
	each   time.Duration // how long an occurrence of recurs takes
	open   *recur.Week
}

// wrongShape is what is wrong with a field of a shape.
type wrongShape struct {
	path         []any
	what, remedy text.Both
}

const longestMaintenance = 31 * 24 * time.Hour

// read turns a shape into a pattern, and tells everything that is wrong with it.
func (s Shape) read() (p pattern, wrong []wrongShape) {
	fail := func(err error, path ...any) bool {
		if err == nil {
			return false
		}
		w := wrongShape{path: path, what: text.Both{EN: err.Error(), JA: err.Error()}}
		if e := (*recur.Error)(nil); errors.As(err, &e) {
			w.what, w.remedy = e.What, e.Remedy
			if e.Offset > 0 {
				w.what = text.Say("at character %d: %s", "%d文字目: %s", e.Offset+1, e.What)
			}
		}
		wrong = append(wrong, w)
		return true
	}
	if x := s.Schedule; x != nil {
		r := &recur.Schedule{}
		var err error
		r.Start, err = recur.ParseLocal(x.Start)
		fail(err, "schedule", "start")
		r.Zone, err = zoneNamed(x.TimeZone)
		fail(err, "schedule", "timeZone")
		r.Rule, err = recur.ParseRule(x.RRule)
		fail(err, "schedule", "rrule")
		p.each, err = maintenanceLength(x.Duration)
		fail(err, "schedule", "duration")
		for i, e := range x.Except {
			except, err := recur.ParseExcept(e)
			if !fail(err, "schedule", "except", i) {
				r.Except = append(r.Except, except)
			}
		}
		p.recurs = r
	}
	if x := s.BusinessHours; x != nil {
		w := &recur.Week{}
		var err error
		var line int
		w.Zone, err = zoneNamed(x.TimeZone)
		fail(err, "businessHours", "timeZone")
		if len(x.Hours) == 0 {
			fail(&recur.Error{What: text.Say("there are no hours", "時間帯がありません"),
				Remedy: text.Say("name the hours that count, such as Mon-Fri 09:00-18:00", "数える時間帯を Mon-Fri 09:00-18:00 のように書いてください")}, "businessHours", "hours")
		}
		w.Hours, line, err = recur.ParseHours(x.Hours)
		fail(err, "businessHours", "hours", line)
		for i, c := range x.Closed {
			day, err := recur.ParseExcept(c)
			if !fail(err, "businessHours", "closed", i) {
				w.Closed = append(w.Closed, day.From)
			}
		}
		p.open = w
	}
	return p, wrong
}

// readInto is read for a shape that was judged before.
func (s Shape) readInto(p *pattern) error {
	read, wrong := s.read()
	if len(wrong) > 0 {
		return fmt.Errorf("%v", wrong)
	}
	*p = read
	return nil
}

func zoneNamed(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || strings.EqualFold(name, "local") {
		return time.UTC, &recur.Error{What: text.Say("there is no time zone %q", "タイムゾーン %q はありません", name),
			Remedy: text.Say("use a name such as Asia/Tokyo or UTC", "Asia/Tokyo や UTC のような名前にしてください")}
	}
	return zone, nil
}

func maintenanceLength(s string) (time.Duration, error) {
	d, ok := openslo.ParseDuration(s)
	if !ok || d <= 0 || d > longestMaintenance {
		return time.Minute, &recur.Error{What: text.Say("%q is not a length of 1 minute to 31 days", "%q は1分〜31日の長さではありません", s),
			Remedy: text.Say("write it as 90m, 2h or 1d", "90m、2h、1d のように書いてください")}
	}
	return d, nil
}

// within are the minutes of span that the pattern excludes: those it touches.
func (p pattern) within(span ledger.Span) []ledger.Span {
	from, to := ledger.Start(span.From), ledger.Start(span.To)
	var all []ledger.Span
	switch {
	case p.recurs != nil:
		for at := range p.recurs.Between(from.Add(-p.each), to) {
			all = append(all, ledger.Touched(at, at.Add(p.each)))
		}
	case p.open != nil:
		for x := range p.open.Outside(from, to) {
			all = append(all, ledger.Touched(x.From, x.To))
		}
	default:
		all = append(all, span)
	}
	return ledger.Clip(all, span)
}

// next is the occurrence that is under way at an instant, or else the first one
// after it.
func (p pattern) next(now time.Time, within ledger.Span) (ledger.Span, bool) {
	const ahead = 400 * 24 * 60
	from := max(ledger.Done(now), within.From)
	if p.recurs != nil {
		at, ok := p.recurs.Next(ledger.Start(from).Add(-p.each))
		m := ledger.Touched(at, at.Add(p.each))
		return ledger.Between(max(m.From, within.From), min(m.To, within.To)), ok && m.From < within.To
	}
	if p.open != nil {
		within.To = min(within.To, from+ahead)
	}
	for _, m := range p.within(ledger.Between(from, within.To)) {
		return m, true
	}
	return ledger.Span{}, false
}

// say tells in one sentence when a shape excludes.
func (s Shape) say() text.Both {
	switch {
	case s.Schedule != nil:
		p, wrong := s.read()
		if len(wrong) > 0 {
			return text.Say("%s", "%s", s.Schedule.RRule) // it was judged before, by other rules
		}
		return p.recurs.Spoken(p.each)
	case s.BusinessHours != nil:
		return text.Say("outside %s (%s)", "%sの外(%s)", strings.Join(s.BusinessHours.Hours, ", "), s.BusinessHours.TimeZone)
	}
	return text.Say("once", "1回だけ")
}

func (w wrongShape) String() string { return fmt.Sprint(w.path, w.what) }

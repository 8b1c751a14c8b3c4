// Package oncall keeps schedules: who is on call, as code, with everything that
// people change for a time.
//
// A schedule is a document in versions. Who is on call at a time follows from the
// versions and the overrides by a pure function (package rota); no shift is
// stored, and nothing has to run for one to begin. What was so in the past stays
// so: a version or an override holds from when it is made.
package oncall

import (
	"errors"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/holiday"
	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Document is a Schedule as it is written down.
type Document struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata names a schedule.
type Metadata struct {
	Name        string            `json:"name" doc:"How the schedule is referred to, also by escalation policies." ja:"参照に使う名前。エスカレーションポリシーからも使います。"`
	Title       string            `json:"title,omitempty" doc:"What people call it." ja:"表示名。"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

// Spec is who is on call when.
type Spec struct {
	Owner    string        `json:"owner" doc:"The team whose schedule it is; its owners may change it." ja:"この当番表を持つチーム。チームの所有者が変更できます。"`
	TimeZone string        `json:"timeZone" doc:"The time zone of the wall clock that handoffs and hours are written in, such as Asia/Tokyo." ja:"交代時刻と時間帯を書くタイムゾーン(例: Asia/Tokyo)。"`
	Holidays *HolidaysSpec `json:"holidays,omitempty" doc:"Which days are public holidays." ja:"祝日とする日。"`
	Coverage []string      `json:"coverage,omitempty" doc:"When somebody has to be on call, such as Mon-Fri 09:00-18:00; always by default. Outside of it nobody is missed." ja:"当番が必要な時間帯(例: Mon-Fri 09:00-18:00)。既定は常時。この外は空白とみなしません。"`
	Layers   []LayerSpec   `json:"layers" doc:"Rotations. Of those with one role, a later one lies on top of those before it in its hours." ja:"ローテーション。同じ役割のものは、後に書いたものがその時間帯で優先されます。"`
}

// HolidaysSpec says which days are holidays.
type HolidaysSpec struct {
	Calendar string   `json:"calendar,omitempty" doc:"japan for the national holidays of Japan." ja:"japan とすると、日本の国民の祝日です。"`
	Dates    []string `json:"dates,omitempty" doc:"Further days off, such as 2026-12-30." ja:"そのほかの休日(例: 2026-12-30)。"`
}

// LayerSpec is one rotation.
type LayerSpec struct {
	Name         string            `json:"name" doc:"What people call the layer." ja:"レイヤーの名前。"`
	Role         rota.Role         `json:"role,omitempty" doc:"primary, secondary or shadow; primary by default. A shadow hears of everything without being counted on." ja:"primary、secondary、shadow のいずれか。既定は primary。shadow は見習いで、対応の責任は負いません。"`
	TimeZone     string            `json:"timeZone,omitempty" doc:"The layer's own time zone, for follow-the-sun." ja:"このレイヤーだけのタイムゾーン(地域をまたぐ当番に使います)。"`
	Rotation     rota.Unit         `json:"rotation" doc:"hourly, daily, weekly or monthly." ja:"交代の単位。hourly、daily、weekly、monthly のいずれか。"`
	Every        int               `json:"every,omitempty" doc:"How many of them a turn lasts; 1 by default." ja:"1回の当番の長さ(単位の数)。既定は1。"`
	Start        string            `json:"start" doc:"The first handoff on the wall clock, such as 2026-06-01T09:00. Later ones follow from it." ja:"最初の交代の現地日時(例: 2026-06-01T09:00)。以後の交代はここから数えます。"`
	Participants []ParticipantSpec `json:"participants" doc:"Who takes turns, in this order." ja:"当番に入る人(この順)。"`
	Hours        []string          `json:"hours,omitempty" doc:"When the layer holds, such as Mon-Fri 09:00-18:00; always by default." ja:"このレイヤーが有効な時間帯(例: Mon-Fri 09:00-18:00)。既定は常時。"`
	OnHolidays   rota.Holidays     `json:"onHolidays,omitempty" doc:"What holidays mean for the hours: closed, all-day or only. By default they are days like others." ja:"祝日の扱い。closed(時間帯から除く)、all-day(終日加える)、only(祝日だけ)。既定は平日と同じ扱い。"`
}

// ParticipantSpec is somebody who takes turns.
type ParticipantSpec struct {
	Person string   `json:"person,omitempty" doc:"A person of the catalog, or the address of an account." ja:"カタログの人の名前、またはアカウントのメールアドレス。"`
	People []string `json:"people,omitempty" doc:"Several people who are on call together." ja:"同時に当番に入る複数の人。"`
	From   string   `json:"from,omitempty" doc:"From when on they take part, on the wall clock: 2026-06-01 or 2026-06-01T09:00." ja:"参加する最初の現地日時(2026-06-01 または 2026-06-01T09:00)。"`
	Until  string   `json:"until,omitempty" doc:"From when on they no longer take part." ja:"参加しなくなる現地日時。"`
}

// names are who the participant is, as they are kept.
func (p ParticipantSpec) names() []string {
	all := make([]string, 0, 1+len(p.People))
	for i, s := range append([]string{p.Person}, p.People...) {
		if i > 0 || s != "" {
			all = append(all, personName(s))
		}
	}
	return all
}

// refTo is how the journal names a schedule.
func refTo(name string) journal.Ref { return journal.RefTo("schedule", name) }

// Planned is the schedule that a document describes, or the first thing that is
// wrong with it.
func Planned(d *Document) (rota.Schedule, error) {
	s, problems := d.Spec.compile()
	if len(problems) > 0 {
		return s, fault.New(fault.Invalid, problems[0].code, problems[0].what).Fix(problems[0].remedy)
	}
	return s, nil
}

// problem is something wrong with a spec, and where.
type problem struct {
	code         string
	what, remedy text.Both
	path         []any
}

// compiler turns a spec into a schedule, noting what is wrong with it.
type compiler struct {
	spec     *Spec
	zone     *time.Location
	calendar func(holiday.Day) bool
	problems []problem
}

// compile is the schedule of a spec. What is wrong with the spec is in problems;
// the schedule is of use only where there are none.
func (s *Spec) compile() (rota.Schedule, []problem) {
	c := compiler{spec: s}
	c.zone = c.location(s.TimeZone, "timeZone")
	c.calendar = c.holidays()
	c.hours(s.Coverage, "coverage")
	var out rota.Schedule
	for i := range s.Layers {
		out.Layers = append(out.Layers, c.layer(i, &s.Layers[i]))
	}
	return out, c.problems
}

func (c *compiler) wrong(code string, what, remedy text.Both, path ...any) {
	c.problems = append(c.problems, problem{"oncall." + code, what, remedy, append([]any{"spec"}, path...)})
}

// location reads a time zone, and is UTC where it cannot.
func (c *compiler) location(name string, path ...any) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		c.wrong("time_zone", text.Say("%q is not a time zone", "%q はタイムゾーンではありません", name),
			text.Say("write a name of the IANA database, such as Asia/Tokyo", "Asia/Tokyo のように、IANA の名前で書いてください"), path...)
		return time.UTC
	}
	return z
}

// holidays is which days are holidays: none where nothing is said.
func (c *compiler) holidays() func(holiday.Day) bool {
	h := c.spec.Holidays
	if h == nil {
		return func(holiday.Day) bool { return false }
	}
	if h.Calendar != "" && h.Calendar != "japan" {
		c.wrong("calendar", text.Say("there is no calendar %q", "%q という祝日の暦はありません", h.Calendar),
			text.Say("use japan, or list the days under dates", "japan を使うか、日付を dates に並べてください"), "holidays", "calendar")
	}
	further := map[holiday.Day]bool{}
	for i, s := range h.Dates {
		t, err := time.Parse(time.DateOnly, s)
		if err != nil {
			c.wrong("date", text.Say("%q is not a date", "%q は日付ではありません", s),
				text.Say("write it as 2026-12-30", "2026-12-30 のように書いてください"), "holidays", "dates", i)
		}
		further[holiday.DayOf(t)] = true
	}
	return func(d holiday.Day) bool {
		_, japan := holiday.Japan(d)
		return further[d] || japan && h.Calendar == "japan"
	}
}

// The bounds of what a layer may say.
const (
	mostEvery        = 366 * 24
	mostParticipants = 500
	mostLayers       = 50
)

func (c *compiler) layer(i int, l *LayerSpec) rota.Layer {
	out := rota.Layer{Name: l.Name, Role: l.role(), Zone: c.zone}
	if l.TimeZone != "" {
		out.Zone = c.location(l.TimeZone, "layers", i, "timeZone")
	}
	wrong := func(code string, what, remedy text.Both, path ...any) {
		c.wrong(code, what, remedy, append([]any{"layers", i}, path...)...)
	}
	if l.Every < 0 || l.Every > mostEvery {
		wrong("every", text.Say("a turn cannot last %d units", "当番の長さを%d単位にはできません", l.Every),
			text.Say("write a number from 1 to %d", "1から%dまでの数を書いてください", mostEvery), "every")
	}
	if !slices.Contains(rota.Units, l.Rotation) {
		wrong("rotation", text.Say("there is no rotation %q", "%q という交代の単位はありません", l.Rotation),
			ascode.OneOf(string(l.Rotation), "hourly", "daily", "weekly", "monthly"), "rotation")
	}
	cadence := rota.Cadence{Unit: l.Rotation, Every: max(l.Every, 1), First: c.local(l.Start, "layers", i, "start"), Zone: out.Zone}
	var participants []rota.Participant
	for j, p := range l.Participants {
		participants = append(participants, c.participant(p, "layers", i, "participants", j))
	}
	if len(c.problems) == 0 {
		out.Rotation = rota.NewRotation(cadence, participants)
	}
	if len(l.Hours) == 0 && l.OnHolidays == rota.HolidaysAsDays {
		return out
	}
	out.Hours = &rota.Hours{Holidays: l.OnHolidays, Calendar: c.calendar}
	lines := l.Hours
	if len(lines) == 0 && l.OnHolidays == rota.HolidaysClosed {
		lines = []string{"Mon-Sun 00:00-24:00"}
	}
	out.Hours.Week = c.hours(lines, "layers", i, "hours")
	return out
}

// hours reads the hours of a week.
func (c *compiler) hours(lines []string, path ...any) recur.Hours {
	week, line, err := recur.ParseHours(lines)
	if err != nil {
		c.unreadable(err, "hours", append(path, line)...)
	}
	return week
}

// role is the role of the layer, primary where it says none.
func (l *LayerSpec) role() rota.Role {
	if l.Role == "" {
		return rota.Primary
	}
	return l.Role
}

func (c *compiler) participant(p ParticipantSpec, path ...any) rota.Participant {
	out := rota.Participant{Users: p.names()}
	if p.From != "" {
		out.From = c.local(p.From, append(path, "from")...)
	}
	if p.Until != "" {
		out.Until = c.local(p.Until, append(path, "until")...)
	}
	if p.From != "" && p.Until != "" && out.From >= out.Until {
		c.wrong("participant_time", text.Say("they leave before they join", "参加する前に抜けています"),
			text.Say("correct from or until", "from か until を直してください"), append(path, "until")...)
	}
	return out
}

func (c *compiler) local(s string, path ...any) recur.Local {
	l, err := recur.ParseLocal(s)
	if err != nil {
		c.unreadable(err, "time", path...)
	}
	return l
}

// unreadable notes what package recur says of a text.
func (c *compiler) unreadable(err error, code string, path ...any) {
	w := &recur.Error{What: text.Say("%s", "%s", err)}
	errors.As(err, &w)
	c.wrong(code, w.What, w.Remedy, path...)
}

func notThere(name string) error {
	return fault.New(fault.NotFound, "oncall.no_schedule", text.Say("there is no schedule %q", "当番表 %q はありません", name)).
		Fix(text.Say("list what there is: `teiten oncall`", "`teiten oncall` で一覧を確かめてください"))
}

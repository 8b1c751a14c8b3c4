package exchange

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// goObject is a schedule, a shift or a user of Grafana OnCall's API: which of them
// is told by its fields, because lists of all three are called results.
type goObject struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Team     string   `json:"team_id"`
	Zone     string   `json:"time_zone"`
	Shifts   []string `json:"shifts"`
	Username string   `json:"username"`
	Email    string   `json:"email"`

	Level     int        `json:"level"`
	Start     string     `json:"start"`
	Until     string     `json:"until"`
	Duration  int64      `json:"duration"`
	Frequency string     `json:"frequency"`
	Interval  int        `json:"interval"`
	ByDay     []string   `json:"by_day"`
	ByMonth   []int      `json:"by_month"`
	ByDate    []int      `json:"by_monthday"`
	WeekStart string     `json:"week_start"`
	Users     []string   `json:"users"`
	Rolling   [][]string `json:"rolling_users"`
	Index     int        `json:"start_rotation_from_user_index"`
}

// GrafanaOnCall reads schedules, on_call_shifts and users as Grafana OnCall's API
// answers them.
func GrafanaOnCall(files []ascode.File, o Options) (Result, error) {
	im := newImporter(o)
	shifts := map[string]goObject{}
	var schedules []goObject
	for _, f := range files {
		found, err := objects[goObject](f, "schedules", "on_call_shifts", "shifts", "users", "results")
		if err != nil {
			return Result{}, err
		}
		for _, x := range found {
			switch {
			case x.Duration > 0 || x.Frequency != "":
				shifts[x.ID] = x
			case x.Username != "" || x.Email != "":
				im.people[x.ID] = strings.ToLower(cmp.Or(x.Email, x.Username))
			default:
				schedules = append(schedules, x)
			}
		}
	}
	for _, s := range schedules {
		im.grafana(s, shifts)
	}
	return im.Result, nil
}

func (im *importer) grafana(s goObject, shifts map[string]goObject) {
	d := im.document(s.Name, s.ID, "", cmp.Or(s.Zone, "UTC"), "")
	zone := im.zoneOf(d)
	if s.Type == "ical" {
		im.note(d.Metadata.Name, text.Say("it is read from a calendar elsewhere: write its rotations as layers", "ほかのカレンダーを読む当番表です。ローテーションをレイヤーとして書いてください"))
	}
	var of []goObject
	for _, id := range s.Shifts {
		if x, ok := shifts[id]; ok {
			of = append(of, x)
		} else {
			im.note(d.Metadata.Name, text.Say("the shift %s is not in the export", "シフト %s が書き出しにありません", id))
		}
	}
	slices.SortStableFunc(of, func(a, b goObject) int { return a.Level - b.Level })
	for i, x := range of {
		if i > 0 && of[i-1].Level == x.Level {
			im.note(d.Metadata.Name, text.Say("where %q and %q overlap, both are on call there; here the second one is", "%q と %q が重なる時間は、元では両方が当番ですが、ここでは後者だけになります", of[i-1].Name, x.Name))
		}
		im.grafanaShift(d, x, zone)
	}
}

var periods = map[rota.Unit]int64{rota.Hourly: 3600, rota.Daily: 86400, rota.Weekly: 7 * 86400}

// grafanaShift carries a recurring shift over: its rotation hands over each
// period, and its hours are those that each occurrence lasts.
func (im *importer) grafanaShift(d *oncall.Document, x goObject, zone *time.Location) {
	lost := func(why text.Both) {
		im.note(d.Metadata.Name, text.Say("the shift %q is not carried over: %s", "シフト %q は引き継がれません: %s", x.Name, why))
	}
	at := zone
	r := rotation{layer: oncall.LayerSpec{Name: x.Name, Rotation: rota.Unit(x.Frequency), Every: max(x.Interval, 1)}}
	if x.Zone != "" && x.Zone != d.Spec.TimeZone {
		z, err := time.LoadLocation(x.Zone)
		if err != nil {
			lost(text.Say("%q is not a time zone", "%q はタイムゾーンではありません", x.Zone))
			return
		}
		at, r.layer.TimeZone = z, x.Zone
	}
	begin, err := time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSuffix(x.Start, "Z"), at)
	period := periods[r.layer.Rotation] * int64(r.layer.Every)
	switch {
	case x.Type == "single_event" || x.Type == "override":
		lost(text.Say("it happens once; make it with `teiten oncall override`", "1回だけのものです。`teiten oncall override` で作ってください"))
	case err != nil:
		lost(text.Say("%q is not a time", "%q は日時ではありません", x.Start))
	case period == 0 || len(x.ByMonth)+len(x.ByDate) > 0:
		lost(text.Say("days of months cannot be said here", "月の日付による指定は、ここでは表せません"))
	case r.layer.Every > 1 && x.Duration < period:
		lost(text.Say("it leaves out whole periods", "間の期間が空くため、表せません"))
	default:
		im.grafanaLayer(d, x, r, begin, at, period)
	}
}

func (im *importer) grafanaLayer(d *oncall.Document, x goObject, r rotation, begin time.Time, zone *time.Location, period int64) {
	r.virtual = begin
	rolling := x.Rolling
	if len(rolling) == 0 {
		rolling = [][]string{x.Users}
	}
	for _, group := range rolling {
		var names []string
		for _, id := range group {
			names = append(names, im.person(d.Metadata.Name, id, id))
		}
		if len(names) > 0 {
			r.users = append(r.users, names)
		}
	}
	if len(r.users) == 0 {
		im.note(d.Metadata.Name, text.Say("the shift %q has nobody in it: it is not carried over", "シフト %q には誰もいないため、引き継がれません", x.Name))
		return
	}
	if n := x.Index; n > 0 && n < len(r.users) {
		r.users = append(slices.Clone(r.users[n:]), r.users[:n]...)
	}
	if t, err := time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSuffix(x.Until, "Z"), zone); err == nil {
		r.ends = t
	}
	clock, minutes := begin.Hour()*60+begin.Minute(), int(x.Duration/60)
	weekday := (int(begin.Weekday()) + 6) % 7
	switch {
	case len(x.ByDay) > 0:
		for _, name := range x.ByDay {
			r.layer.Hours = append(r.layer.Hours, weekHours(max(0, slices.Index(daysByTwo, strings.ToUpper(name)))*aDay+clock, minutes)...)
		}
		if r.layer.Rotation == rota.Weekly { // people change as the week does
			first := max(0, slices.Index(daysByTwo, strings.ToUpper(cmp.Or(x.WeekStart, "MO"))))
			y, m, day := begin.Date()
			r.virtual, r.begins = time.Date(y, m, day-(weekday-first+7)%7, 0, 0, 0, 0, zone), begin
		}
	case x.Duration >= period:
	case r.layer.Rotation == rota.Weekly:
		r.layer.Hours = weekHours(weekday*aDay+clock, minutes)
	case r.layer.Rotation == rota.Daily:
		r.layer.Hours = dayHours(clock, minutes)
	default:
		im.note(d.Metadata.Name, text.Say("the shift %q lasts less than its hours: here it lasts all of them", "シフト %q は時間の一部だけですが、ここでは全体になります", x.Name))
	}
	r.put(d, zone)
}

// daysByTwo are the days of iCalendar.
var daysByTwo = []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}

package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/exchange"
	"github.com/teiten/teiten/respond/oncall/rota"
)

const pagerDuty = `{"schedules": [{"id": "PI7DH85", "name": "Shop: Night & Day", "time_zone": "America/New_York", "teams": [{"id": "T1", "summary": "Payments"}],
 "schedule_layers": [
  {"name": "Day", "start": "2026-10-20T12:00:00-04:00", "rotation_virtual_start": "2026-10-01T09:00:00-04:00", "rotation_turn_length_seconds": 86400,
   "users": [{"user": {"id": "U1", "summary": "Lead"}}, {"user": {"id": "U2", "summary": "Engineer"}}, {"user": {"id": "U3", "summary": "Apprentice"}}],
   "restrictions": [{"type": "daily_restriction", "start_time_of_day": "09:00:00", "duration_seconds": 32400}]},
  {"name": "Night", "start": "2026-10-01T09:00:00-04:00", "end": "2026-12-15T00:00:00-05:00", "rotation_virtual_start": "2026-10-01T09:00:00-04:00", "rotation_turn_length_seconds": 604800,
   "users": [{"user": {"id": "U2", "summary": "Engineer"}}, {"user": {"id": "U1", "summary": "Lead"}}], "restrictions": []}],
 "overrides_subschedule": {"rendered_schedule_entries": [{}]}}],
 "users": [{"id": "U1", "email": "Lead@example.com"}, {"id": "U2", "email": "engineer@example.com"}]}`

const opsgenie = `{"data": [{"id": "d1", "name": "ops", "timezone": "Europe/Berlin", "enabled": true, "ownerTeam": {"name": "ops"}, "rotations": [
 {"name": "week", "startDate": "2026-09-28T08:00:00+02:00", "type": "weekly", "length": 2, "participants": [{"type": "user", "username": "a@example.com"}, {"type": "user", "username": "b@example.com"}, {"type": "team", "name": "others"}]},
 {"name": "weekend", "startDate": "2026-09-28T00:00:00+02:00", "type": "daily", "length": 1, "participants": [{"type": "user", "username": "c@example.com"}, {"type": "user", "username": "d@example.com"}],
  "timeRestriction": {"type": "weekday-and-time-of-day", "restrictions": [{"startDay": "friday", "startHour": 18, "startMin": 30, "endDay": "monday", "endHour": 8, "endMin": 0}]}}]}]}`

const grafana = `{"schedules": [{"id": "S1", "name": "grafana", "type": "calendar", "time_zone": "Asia/Tokyo", "shifts": ["A", "B", "C"]}],
 "on_call_shifts": [
  {"id": "B", "name": "office", "type": "rolling_users", "level": 2, "start": "2026-10-07T10:00:00", "duration": 28800, "frequency": "weekly", "interval": 1, "week_start": "MO", "by_day": ["MO", "TU", "WE", "TH", "FR"], "rolling_users": [["U1"], ["U2"]], "start_rotation_from_user_index": 1},
  {"id": "A", "name": "all", "type": "rolling_users", "level": 1, "start": "2026-10-01T00:00:00", "duration": 259200, "frequency": "daily", "interval": 3, "rolling_users": [["U3"], ["U1", "U2"]]},
  {"id": "C", "name": "once", "type": "single_event", "start": "2026-10-07T10:00:00", "duration": 3600, "users": ["U1"]}],
 "users": [{"id": "U1", "username": "one", "email": "one@example.com"}, {"id": "U2", "username": "two", "email": "two@example.com"}, {"id": "U3", "username": "three", "email": "three@example.com"}]}`

// wall is what the clock of a zone shows, as if it were UTC.
func wall(t time.Time, zone string) time.Time {
	z, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	l := t.In(z)
	return time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)
}

// since is how many turns of a length have passed on the wall clock.
func since(t time.Time, first string, length time.Duration) int {
	f, err := time.Parse("2006-01-02T15:04", first)
	if err != nil {
		panic(err)
	}
	return int(t.Sub(f) / length)
}

const aDay = 24 * time.Hour

// The same schedules by what each tool says of itself, hour by hour, without a
// line of what is tested.
var expected = map[string]func(at time.Time) []string{
	"pagerduty": func(at time.Time) []string {
		l := wall(at, "America/New_York")
		if l.Hour() >= 9 && l.Hour() < 18 && !at.Before(time.Date(2026, 10, 20, 16, 0, 0, 0, time.UTC)) {
			return []string{[]string{"lead@example.com", "engineer@example.com", "apprentice"}[since(l, "2026-10-01T09:00", aDay)%3]}
		}
		if !at.Before(time.Date(2026, 12, 15, 5, 0, 0, 0, time.UTC)) {
			return nil
		}
		return []string{[]string{"engineer@example.com", "lead@example.com"}[since(l, "2026-10-01T09:00", 7*aDay)%2]}
	},
	"opsgenie": func(at time.Time) []string {
		l := wall(at, "Europe/Berlin")
		minute := l.Hour()*60 + l.Minute()
		weekend := l.Weekday() == time.Saturday || l.Weekday() == time.Sunday || l.Weekday() == time.Friday && minute >= 18*60+30 || l.Weekday() == time.Monday && minute < 8*60
		if weekend {
			return []string{[]string{"c@example.com", "d@example.com"}[since(l, "2026-09-28T00:00", aDay)%2]}
		}
		return []string{[]string{"a@example.com", "b@example.com"}[since(l, "2026-09-28T08:00", 14*aDay)%2]}
	},
	"grafana": func(at time.Time) []string {
		l := wall(at, "Asia/Tokyo")
		began := !l.Before(time.Date(2026, 10, 7, 10, 0, 0, 0, time.UTC))
		if began && l.Weekday() != time.Saturday && l.Weekday() != time.Sunday && l.Hour() >= 10 && l.Hour() < 18 {
			return []string{[]string{"two@example.com", "one@example.com"}[since(l, "2026-10-05T00:00", 7*aDay)%2]}
		}
		return [][]string{{"three@example.com"}, {"one@example.com", "two@example.com"}}[since(l, "2026-10-01T00:00", 3*aDay)%2]
	},
}

func TestImportedSchedulesPutTheSamePeopleOnCallAsTheToolDoes(t *testing.T) {
	for name, c := range map[string]struct {
		from func([]ascode.File, exchange.Options) (exchange.Result, error)
		data string
		lost []string
	}{
		"pagerduty": {exchange.PagerDuty, pagerDuty, []string{"address of", "overrides"}},
		"opsgenie":  {exchange.Opsgenie, opsgenie, []string{"is a team", "overlap"}},
		"grafana":   {exchange.GrafanaOnCall, grafana, []string{"no team owns", "teiten oncall override"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := c.from([]ascode.File{{Name: name + ".json", Data: c.data}}, exchange.Options{})
			if err != nil || len(r.Documents) != 1 {
				t.Fatal(r, err)
			}
			yaml, err := r.YAML()
			if err != nil {
				t.Fatal(err)
			}
			kinds := ascode.NewRegistry()
			new(oncall.Service).Kinds(kinds)
			docs, faults := kinds.Parse([]ascode.File{{Name: "imported.yaml", Data: yaml}})
			for _, f := range faults {
				t.Error(f.In(text.EN))
			}
			schedule, err := oncall.Planned(docs[0].Object.(*oncall.Document))
			if err != nil {
				t.Fatal(err)
			}
			plan := rota.Plan{Versions: []rota.Version{{Number: 1, Schedule: schedule}}}
			from := time.Date(2026, 10, 21, 0, 30, 0, 0, time.UTC) // over the end of summer time in both places
			for _, x := range plan.Shifts(rota.Primary, from, from.Add(60*aDay)) {
				for at := x.From.Truncate(30 * time.Minute); at.Before(x.To); at = at.Add(30 * time.Minute) {
					if want := expected[name](at); !at.Before(x.From) && !slices.Equal(x.Users, want) {
						t.Fatalf("at %s %v are on call, the tool says %v\n%s", at, x.Users, want, yaml)
					}
				}
			}
			var notes []string
			for _, n := range r.Notes {
				notes = append(notes, n.What.EN)
			}
			for _, want := range c.lost {
				if !strings.Contains(strings.Join(notes, "\n"), want) {
					t.Errorf("nothing says %q: %q", want, notes)
				}
			}
			if len(notes) != len(c.lost) {
				t.Errorf("the notes are %q", notes)
			}
		})
	}
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{pagerDuty, opsgenie, grafana, `[]`, `{"schedules": 5}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		for _, from := range []func([]ascode.File, exchange.Options) (exchange.Result, error){exchange.PagerDuty, exchange.Opsgenie, exchange.GrafanaOnCall} {
			if r, err := from([]ascode.File{{Name: "x.json", Data: data}}, exchange.Options{Owner: "x"}); err == nil {
				_, _ = r.YAML() // what it gives is judged as any document is
			}
		}
	})
}

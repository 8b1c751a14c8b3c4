package exchange

import (
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// The shapes of Opsgenie's schedule API, as far as they matter here.
type (
	ogSchedule struct {
		ID          string       `json:"id"`
		Name        string       `json:"name"`
		Description string       `json:"description"`
		Zone        string       `json:"timezone"`
		Enabled     *bool        `json:"enabled"`
		Team        *ogNamed     `json:"ownerTeam"`
		Rotations   []ogRotation `json:"rotations"`
	}
	ogNamed struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
		Type     string `json:"type"`
	}
	ogRotation struct {
		Name         string     `json:"name"`
		Start        time.Time  `json:"startDate"`
		End          *time.Time `json:"endDate"`
		Type         string     `json:"type"`
		Length       int        `json:"length"`
		Participants []ogNamed  `json:"participants"`
		Restriction  *struct {
			Type         string   `json:"type"`
			Restriction  *ogSpan  `json:"restriction"`
			Restrictions []ogSpan `json:"restrictions"`
		} `json:"timeRestriction"`
	}
	ogSpan struct {
		StartDay  string `json:"startDay"`
		StartHour int    `json:"startHour"`
		StartMin  int    `json:"startMin"`
		EndDay    string `json:"endDay"`
		EndHour   int    `json:"endHour"`
		EndMin    int    `json:"endMin"`
	}
)

// Opsgenie reads schedules with their rotations as Opsgenie's API answers them.
func Opsgenie(files []ascode.File, o Options) (Result, error) {
	im := newImporter(o)
	for _, f := range files {
		schedules, err := objects[ogSchedule](f, "data", "schedules")
		if err != nil {
			return Result{}, err
		}
		for _, s := range schedules {
			im.opsgenie(s)
		}
	}
	return im.Result, nil
}

func (im *importer) opsgenie(s ogSchedule) {
	team := ""
	if s.Team != nil {
		team = s.Team.Name
	}
	d := im.document(s.Name, s.ID, s.Description, s.Zone, team)
	zone := im.zoneOf(d)
	if s.Enabled != nil && !*s.Enabled {
		im.note(d.Metadata.Name, text.Say("it is disabled there, and would be in force here", "元では無効ですが、ここでは有効になります"))
	}
	for _, r := range s.Rotations {
		im.opsgenieRotation(d, r, zone)
	}
	if len(d.Spec.Layers) > 1 {
		im.note(d.Metadata.Name, text.Say("where rotations overlap, all of them are on call there; here the last one is", "ローテーションが重なる時間は、元では全員が当番ですが、ここでは最後のものだけが当番になります"))
	}
}

func (im *importer) opsgenieRotation(d *oncall.Document, og ogRotation, zone *time.Location) {
	name := d.Metadata.Name
	r := rotation{layer: oncall.LayerSpec{Name: og.Name, Rotation: rota.Unit(og.Type), Every: max(og.Length, 1)}, virtual: og.Start}
	if !slices.Contains([]rota.Unit{rota.Hourly, rota.Daily, rota.Weekly}, r.layer.Rotation) {
		im.note(name, text.Say("rotation %q is of an unknown type, %q: it is not carried over", "ローテーション %q の種類 %q は扱えないため、引き継がれません", og.Name, og.Type))
		return
	}
	if og.End != nil {
		r.ends = *og.End
	}
	for _, p := range og.Participants {
		if p.Type != "user" {
			im.note(name, text.Say("rotation %q: the participant %q is a %s and no person: turns move up", "ローテーション %q の参加者 %q(%s)は人ではないため、順番が繰り上がります", og.Name, p.Name, p.Type))
			continue
		}
		called := p.Username
		if called == "" {
			called = p.Name
		}
		r.users = append(r.users, []string{im.person(name, p.ID, called)})
	}
	if len(r.users) == 0 {
		im.note(name, text.Say("rotation %q has no people in it: it is not carried over", "ローテーション %q には人がいないため、引き継がれません", og.Name))
		return
	}
	if x := og.Restriction; x != nil {
		if x.Restriction != nil {
			from, to := x.Restriction.clock()
			r.layer.Hours = dayHours(from, (to-from+aDay-1)%aDay+1)
		}
		for _, w := range x.Restrictions {
			r.layer.Hours = append(r.layer.Hours, w.hours()...)
		}
	}
	r.put(d, zone)
}

// clock is from when to when of a day, in minutes.
func (s ogSpan) clock() (from, to int) { return s.StartHour*60 + s.StartMin, s.EndHour*60 + s.EndMin }

// hours is a time of the week.
func (s ogSpan) hours() []string {
	day := func(name string) int {
		return max(0, slices.IndexFunc(dayNames, func(d string) bool { return strings.HasPrefix(strings.ToLower(name), strings.ToLower(d)) }))
	}
	from, to := s.clock()
	from, to = from+day(s.StartDay)*aDay, to+day(s.EndDay)*aDay
	return weekHours(from, (to-from+aWeek-1)%aWeek+1)
}

package exchange

import (
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall"
)

// The shapes of PagerDuty's REST API v2, as far as they matter here.
type (
	pdSchedule struct {
		ID          string    `json:"id"`
		Name        string    `json:"name"`
		Summary     string    `json:"summary"`
		TimeZone    string    `json:"time_zone"`
		Description string    `json:"description"`
		Layers      []pdLayer `json:"schedule_layers"`
		Teams       []pdNamed `json:"teams"`
		Overrides   *struct {
			Entries []any `json:"rendered_schedule_entries"`
		} `json:"overrides_subschedule"`
	}
	pdLayer struct {
		Name         string          `json:"name"`
		Start        time.Time       `json:"start"`
		End          *time.Time      `json:"end"`
		Virtual      time.Time       `json:"rotation_virtual_start"`
		Turn         int64           `json:"rotation_turn_length_seconds"`
		Users        []pdMember      `json:"users"`
		Restrictions []pdRestriction `json:"restrictions"`
	}
	pdMember struct {
		User pdNamed `json:"user"`
	}
	pdNamed struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Summary string `json:"summary"`
		Email   string `json:"email"`
	}
	pdRestriction struct {
		Type     string `json:"type"`
		Start    string `json:"start_time_of_day"`
		Duration int    `json:"duration_seconds"`
		Day      int    `json:"start_day_of_week"` // 1 is Monday
	}
)

func (n pdNamed) called() string {
	if n.Summary != "" {
		return n.Summary
	}
	return n.Name
}

// PagerDuty reads schedules (with their layers) and users as PagerDuty's REST API
// answers them.
func PagerDuty(files []ascode.File, o Options) (Result, error) {
	im := newImporter(o)
	var schedules []pdSchedule
	for _, f := range files {
		found, err := objects[pdSchedule](f, "schedules", "schedule")
		if err != nil {
			return Result{}, err
		}
		schedules = append(schedules, found...)
		users, err := objects[pdNamed](f, "users", "user")
		if err != nil {
			return Result{}, err
		}
		for _, u := range users {
			if u.Email != "" {
				im.people[u.ID] = strings.ToLower(u.Email)
			}
		}
	}
	for _, s := range schedules {
		if s.TimeZone != "" || len(s.Layers) > 0 { // not a user of a list without a name
			im.pagerDuty(s)
		}
	}
	return im.Result, nil
}

func (im *importer) pagerDuty(s pdSchedule) {
	if s.Name == "" {
		s.Name = s.Summary
	}
	team := ""
	if len(s.Teams) > 0 {
		team = s.Teams[0].called()
	}
	d := im.document(s.Name, s.ID, s.Description, s.TimeZone, team)
	zone := im.zoneOf(d)
	if len(s.Layers) == 0 {
		im.note(d.Metadata.Name, text.Say("its layers are not in the export: save the answer to GET /schedules/%s", "レイヤーが書き出しにありません。GET /schedules/%s の応答を保存してください", s.ID))
	}
	// The API lists the layer that wins first; here it comes last.
	for _, l := range slices.Backward(s.Layers) {
		im.pagerDutyLayer(d, l, zone)
	}
	if s.Overrides != nil && len(s.Overrides.Entries) > 0 {
		im.note(d.Metadata.Name, text.Say("%d overrides are not carried over: make those to come again with `teiten oncall override`", "一時的な変更%d件は引き継がれません。これからのものは `teiten oncall override` で作り直してください", len(s.Overrides.Entries)))
	}
}

func (im *importer) pagerDutyLayer(d *oncall.Document, l pdLayer, zone *time.Location) {
	name := d.Metadata.Name
	unit, every, ok := turnOf(l.Turn)
	switch {
	case !ok:
		im.note(name, text.Say("layer %q has turns of %d seconds, which are no whole hours: it is not carried over", "レイヤー %q の当番の長さ(%d秒)は1時間単位でないため、引き継がれません", l.Name, l.Turn))
		return
	case len(l.Users) == 0:
		im.note(name, text.Say("layer %q has nobody in it: it is not carried over", "レイヤー %q には誰もいないため、引き継がれません", l.Name))
		return
	}
	r := rotation{layer: oncall.LayerSpec{Name: l.Name, Rotation: unit, Every: every}, virtual: l.Virtual, begins: l.Start}
	if l.Virtual.IsZero() {
		r.virtual = l.Start
	}
	if l.End != nil {
		r.ends = *l.End
	}
	for _, u := range l.Users {
		r.users = append(r.users, []string{im.person(name, u.User.ID, u.User.called())})
	}
	for _, x := range l.Restrictions {
		from, whole := clockOf(x.Start)
		if !whole || x.Duration%60 != 0 {
			im.note(name, text.Say("layer %q: hours are carried over to the minute", "レイヤー %q: 時間帯は分単位で引き継がれます", l.Name))
		}
		if x.Type == "weekly_restriction" {
			r.layer.Hours = append(r.layer.Hours, weekHours((max(x.Day, 1)-1)*aDay+from, x.Duration/60)...)
		} else {
			r.layer.Hours = append(r.layer.Hours, dayHours(from, x.Duration/60)...)
		}
	}
	r.put(d, zone)
}

// Package exchange carries on-call schedules from other tools: it reads what the
// APIs of Grafana OnCall, PagerDuty and Opsgenie answer and gives Schedule
// documents by which the same people are on call.
//
// What an export says and a Schedule cannot is never dropped in silence: it is a
// note. Escalation policies and contact methods are for those who page. The
// package is pure.
package exchange

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Note says what of a schedule became something else, or nothing.
type Note struct {
	Schedule string
	What     text.Both
}

// Result is what came of an import.
type Result struct {
	Documents []*oncall.Document
	Notes     []Note
}

// YAML writes the documents as one file.
func (r Result) YAML() (string, error) {
	all := make([]any, len(r.Documents))
	for i, d := range r.Documents {
		all[i] = d
	}
	return ascode.Write(all...)
}

// Options fill in what exports do not say.
type Options struct {
	Owner string // the team of schedules that name none
}

// importer gathers the result of one import.
type importer struct {
	Options
	Result
	people map[string]string // how a person is named here, by their id there
	taken  map[string]bool   // names of schedules
}

func newImporter(o Options) *importer {
	return &importer{Options: o, people: map[string]string{}, taken: map[string]bool{}}
}

func (im *importer) note(schedule string, what text.Both) {
	im.Notes = append(im.Notes, Note{schedule, what})
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a name of what people call something.
func slug(s, fallback string) string {
	s = strings.Trim(notInName.ReplaceAllString(strings.ToLower(s), "-"), "-")
	if s == "" {
		s = strings.Trim(notInName.ReplaceAllString(strings.ToLower(fallback), "-"), "-")
	}
	return strings.Trim(s[:min(len(s), 60)], "-")
}

// document begins a schedule.
func (im *importer) document(title, id, description, zone, team string) *oncall.Document {
	name := slug(title, id)
	if im.taken[name] || name == "" {
		name = slug(name+"-"+id, "schedule")
	}
	im.taken[name] = true
	owner := im.Owner
	if owner == "" {
		owner = slug(team, "")
	}
	if owner == "" {
		owner = "unknown"
		im.note(name, text.Say("no team owns it", "所有するチームが書かれていません"))
	}
	d := &oncall.Document{APIVersion: "teiten.dev/v1", Kind: oncall.KindName,
		Metadata: oncall.Metadata{Name: name, Title: title, Description: description}, Spec: oncall.Spec{Owner: owner, TimeZone: zone}}
	im.Documents = append(im.Documents, d)
	return d
}

// person is how somebody is named here: by their address where it is known.
func (im *importer) person(schedule, id, name string) string {
	if known := im.people[id]; known != "" {
		return known
	}
	if strings.Contains(name, "@") {
		return strings.ToLower(name)
	}
	called := slug(name, id)
	im.people[id] = called
	im.note(schedule, text.Say("the address of %q is not in the export: name the person of the catalog in place of %q", "%q のメールアドレスが書き出しにありません。%q をカタログの人の名前に直してください", name, called))
	return called
}

// turnOf says how long a turn is in units of the wall clock.
func turnOf(seconds int64) (rota.Unit, int, bool) {
	for _, u := range []struct {
		unit   rota.Unit
		length int64
	}{{rota.Weekly, 7 * 24 * 3600}, {rota.Daily, 24 * 3600}, {rota.Hourly, 3600}} {
		if seconds > 0 && seconds%u.length == 0 {
			return u.unit, int(seconds / u.length), true
		}
	}
	return "", 0, false
}

const local = "2006-01-02T15:04"

// zoneOf reads a time zone, and notes where it is none.
func (im *importer) zoneOf(d *oncall.Document) *time.Location {
	z, err := time.LoadLocation(d.Spec.TimeZone)
	if err != nil || d.Spec.TimeZone == "" {
		im.note(d.Metadata.Name, text.Say("%q is not a time zone; UTC is taken", "%q はタイムゾーンではないため、UTC とします", d.Spec.TimeZone))
		d.Spec.TimeZone = "UTC"
		return time.UTC
	}
	return z
}

// rotation is a layer on its way. Turns are counted from Virtual on; the layer
// holds from Begins on and until Ends, zero for no limit.
type rotation struct {
	layer                 oncall.LayerSpec
	virtual, begins, ends time.Time
	users                 [][]string
}

// put adds the layer to a document. Who has the turn under way as the layer begins
// comes first, because those who join then take their turns in order.
func (r rotation) put(d *oncall.Document, zone *time.Location) {
	from, until := "", ""
	users := r.users
	first := r.virtual.In(zone)
	if r.begins.After(r.virtual) {
		from = r.begins.In(zone).Format(local)
		n := turnAt(r.layer, r.virtual.In(zone), r.begins.In(zone)) % len(users)
		users = append(slices.Clone(users[n:]), users[:n]...)
	}
	if !r.ends.IsZero() {
		until = r.ends.In(zone).Format(local)
	}
	r.layer.Start = first.Format(local)
	r.layer.Participants = nil
	for _, u := range users {
		p := oncall.ParticipantSpec{From: from, Until: until}
		if len(u) == 1 {
			p.Person = u[0]
		} else {
			p.People = u
		}
		r.layer.Participants = append(r.layer.Participants, p)
	}
	r.layer.Name = unique(d, r.layer.Name)
	if r.layer.Every == 1 {
		r.layer.Every = 0
	}
	d.Spec.Layers = append(d.Spec.Layers, r.layer)
}

// turnAt is the number of the turn under way at a time, on the wall clock.
func turnAt(l oncall.LayerSpec, first, at time.Time) int {
	wall := func(t time.Time) int64 {
		_, offset := t.Zone()
		return t.Unix() + int64(offset)
	}
	length := map[rota.Unit]int64{rota.Hourly: 3600, rota.Daily: 86400, rota.Weekly: 7 * 86400}[l.Rotation] * int64(max(l.Every, 1))
	return int((wall(at) - wall(first)) / length)
}

// unique makes the name of a layer differ from those before it.
func unique(d *oncall.Document, name string) string {
	if name == "" {
		name = "layer"
	}
	made := name
	for i := 2; slices.ContainsFunc(d.Spec.Layers, func(l oncall.LayerSpec) bool { return l.Name == made }); i++ {
		made = fmt.Sprintf("%s %d", name, i)
	}
	return made
}

const (
	aDay  = 24 * 60
	aWeek = 7 * aDay
)

var dayNames = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// weekHours writes a time of the week as lines of hours; from is minutes since
// Monday 00:00.
func weekHours(from, length int) []string {
	if length >= aWeek {
		return []string{"Mon-Sun 00:00-24:00"}
	}
	var lines []string
	for length > 0 {
		from %= aWeek
		begin := from % aDay
		part := min(length, aDay-begin)
		lines = append(lines, fmt.Sprintf("%s %02d:%02d-%02d:%02d", dayNames[from/aDay], begin/60, begin%60, (begin+part)/60, (begin+part)%60))
		from, length = from+part, length-part
	}
	return lines
}

// dayHours writes a time of every day.
func dayHours(from, length int) []string {
	if length >= aDay {
		return nil
	}
	to := (from + length) % aDay
	if to == 0 {
		return []string{fmt.Sprintf("Mon-Sun %02d:%02d-24:00", from/60, from%60)}
	}
	return []string{fmt.Sprintf("Mon-Sun %02d:%02d-%02d:%02d", from/60, from%60, to/60, to%60)}
}

// clockOf reads 08:30:00 as minutes of the day.
func clockOf(s string) (int, bool) {
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Hour()*60 + t.Minute(), t.Second() == 0
		}
	}
	return 0, false
}

// objects reads every object of a kind that a file holds: by itself under one of
// the names, in a list under one of them, or in a list at the root.
func objects[T any](f ascode.File, names ...string) ([]T, error) {
	var root map[string]json.RawMessage
	if err := json.Unmarshal([]byte(f.Data), &root); err != nil {
		var list []T
		if json.Unmarshal([]byte(f.Data), &list) == nil {
			return list, nil
		}
		return nil, fault.New(fault.Invalid, "oncall.import_json", text.Say("%s is not the JSON of an export", "%s は書き出した JSON として読めません", f.Name)).
			Fix(text.Say("save the answers of the tool's API as they are", "ツールの API の応答を、そのまま保存してください")).At(fault.Position{File: f.Name}).Wrap(err)
	}
	var all []T
	for _, name := range names {
		raw, there := root[name]
		if !there {
			continue
		}
		var list []T
		if err := json.Unmarshal(raw, &list); err != nil {
			var one T
			if err := json.Unmarshal(raw, &one); err != nil {
				return nil, fault.New(fault.Invalid, "oncall.import_shape", text.Say("%s: %q is not as the tool's API answers it", "%s: %q がツールの API の形と違います", f.Name, name)).
					Fix(text.Say("save the answers of the tool's API as they are", "ツールの API の応答を、そのまま保存してください")).At(fault.Position{File: f.Name}).Wrap(err)
			}
			list = []T{one}
		}
		all = append(all, list...)
	}
	return all, nil
}

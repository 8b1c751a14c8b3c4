package oncall

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/oncall/db"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// KindName is the kind of document that describes a schedule.
const KindName = "Schedule"

// Kinds makes the kind Schedule known.
func (s *Service) Kinds(r *ascode.Registry) {
	r.Add(ascode.Kind{
		APIVersion: "teiten.dev/v1", Kind: KindName, ID: "schedules", Order: 60, Event: "oncall.schedule_",
		Title:    text.Say("On-call schedule", "当番表"),
		New:      func() any { return &Document{} },
		Ref:      func(d *ascode.Document) string { return string(refTo(d.Name)) },
		Owner:    func(d *ascode.Document) string { return owner(specOf(d)) },
		Validate: validate, Check: s.check, Warn: s.warn,
		Apply: s.put, Remove: s.drop,
	})
}

func specOf(d *ascode.Document) *Spec {
	if o, ok := d.Object.(*Document); ok {
		return &o.Spec
	}
	return &Spec{}
}

// owner is the short name of the team that owns a schedule.
func owner(s *Spec) string {
	if r, err := catalog.ParseRef(s.Owner, catalog.KindGroup, catalog.DefaultNamespace); err == nil {
		return r.Short()
	}
	return s.Owner
}

// validate judges a document by itself.
func validate(d *ascode.Document) []*fault.Error {
	s := specOf(d)
	_, problems := s.compile()
	c := compiler{spec: s, problems: problems}
	if strings.TrimSpace(s.Owner) == "" {
		c.wrong("owner", text.Say("it has no owner", "所有チームがありません"),
			text.Say("name the team whose schedule it is, for example `owner: payments`", "この当番表を持つチームを書いてください(例: `owner: payments`)"), "owner")
	}
	if n := len(s.Layers); n == 0 || n > mostLayers {
		c.wrong("layers", text.Say("it has %d layers", "レイヤーが%d個です", n),
			text.Say("write one layer at least, and %d at most", "1個以上、%d個以下のレイヤーを書いてください", mostLayers), "layers")
	}
	names := map[string]bool{}
	for i := range s.Layers {
		l := &s.Layers[i]
		if strings.TrimSpace(l.Name) == "" || names[l.Name] {
			c.wrong("layer_name", text.Say("the layer %q needs a name of its own", "レイヤー %q には、ほかと違う名前が必要です", l.Name),
				text.Say("say in a word or two what it is", "何のレイヤーかを短く書いてください"), "layers", i, "name")
		}
		names[l.Name] = true
		c.judgeLayer(i, l)
	}
	faults := make([]*fault.Error, len(c.problems))
	for i, p := range c.problems {
		faults[i] = d.Fault(p.code, p.what, p.remedy, p.path...)
	}
	return faults
}

// judgeLayer finds what compile does not mind.
func (c *compiler) judgeLayer(i int, l *LayerSpec) {
	wrong := func(code string, what, remedy text.Both, path ...any) {
		c.wrong(code, what, remedy, append([]any{"layers", i}, path...)...)
	}
	if !slices.Contains(rota.Roles, l.role()) {
		wrong("role", text.Say("there is no role %q", "%q という役割はありません", l.Role), ascode.OneOf(string(l.Role), "primary", "secondary", "shadow"), "role")
	}
	if !slices.Contains([]rota.Holidays{rota.HolidaysAsDays, rota.HolidaysClosed, rota.HolidaysAllDay, rota.HolidaysOnlyDay}, l.OnHolidays) {
		wrong("on_holidays", text.Say("holidays cannot be %q", "祝日の扱いに %q は使えません", l.OnHolidays),
			ascode.OneOf(string(l.OnHolidays), "closed", "all-day", "only"), "onHolidays")
	}
	if l.OnHolidays != rota.HolidaysAsDays && c.spec.Holidays == nil {
		wrong("no_calendar", text.Say("the schedule does not say which days are holidays", "どの日が祝日かが、当番表に書かれていません"),
			text.Say("add `holidays: {calendar: japan}` to its spec", "spec に `holidays: {calendar: japan}` を加えてください"), "onHolidays")
	}
	if n := len(l.Participants); n == 0 || n > mostParticipants {
		wrong("participants", text.Say("the layer has %d participants", "参加者が%d人です", n),
			text.Say("write one at least, and %d at most", "1人以上、%d人以下にしてください", mostParticipants), "participants")
	}
	for j, p := range l.Participants {
		switch {
		case (p.Person == "") == (len(p.People) == 0):
			wrong("participant", text.Say("a participant is either person or people", "参加者は person か people のどちらかです"),
				text.Say("write one of the two", "どちらか一方を書いてください"), "participants", j)
		case slices.Contains(p.names(), ""):
			wrong("participant", text.Say("a participant has no name", "参加者の名前がありません"),
				text.Say("name a person of the catalog", "カタログの人の名前を書いてください"), "participants", j)
		}
	}
}

// check refuses participants who are nobody, or who left: a shift of theirs would
// be a gap that nobody sees.
func (s *Service) check(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	var faults []*fault.Error
	spec := specOf(d)
	if team := owner(spec); !ascode.Known(ctx, "Group", catalog.DefaultNamespace, team) && !strings.Contains(team, "/") {
		faults = append(faults, d.Fault("oncall.owner", text.Say("there is no team %q", "チーム %q はありません", spec.Owner),
			suggest(ctx, "Group", team), "spec", "owner"))
	}
	names := spec.everybody()
	found, err := s.People(ctx, tx, names)
	if err != nil {
		return []*fault.Error{fault.New(fault.Unavailable, "oncall.people", text.Say("people cannot be looked up", "参加者を調べられません")).Wrap(err)}
	}
	for i, l := range spec.Layers {
		for j, p := range l.Participants {
			for k, name := range p.names() {
				path := []any{"spec", "layers", i, "participants", j, "person"}
				if p.Person == "" {
					path = append(path[:5], "people", k)
				}
				if f := s.judge(ctx, d, found[name], path); f != nil && !s.past(spec, l, p) {
					faults = append(faults, f)
				}
			}
		}
	}
	return faults
}

// past reports whether a participant no longer takes part: who left may stay in
// the document.
func (s *Service) past(spec *Spec, l LayerSpec, p ParticipantSpec) bool {
	c := compiler{spec: spec}
	zone := c.location(cmp.Or(l.TimeZone, spec.TimeZone))
	return p.Until != "" && !c.local(p.Until).In(zone).After(s.now())
}

// judge refuses one participant. What is stored is judged by the catalog alone:
// an account that is disabled must not keep others from changing documents.
func (s *Service) judge(ctx context.Context, d *ascode.Document, p Person, path []any) *fault.Error {
	stored := !d.Has("spec")
	if !p.Left || stored && strings.Contains(p.ID, "@") {
		return nil
	}
	if strings.Contains(p.ID, "@") {
		return d.Fault("oncall.participant_account", text.Say("%q has no account that may sign in", "%q には、サインインできるアカウントがありません", p.ID),
			text.Say("invite them, name a person of the catalog, or take them out of the layer", "招待するか、カタログの人の名前を書くか、レイヤーから外してください"), path...)
	}
	namespace, name := catalog.DefaultNamespace, p.ID
	if ns, rest, ok := strings.Cut(p.ID, "/"); ok {
		namespace, name = ns, rest
	}
	if ascode.Known(ctx, "User", namespace, name) {
		if stored {
			return nil
		}
		return d.Fault("oncall.participant_left", text.Say("the account of %q is disabled: they left", "%q のアカウントは無効です(離任済み)", p.ID),
			text.Say("take them out of the layer, or say under until when they left", "レイヤーから外すか、until に離任の日を書いてください"), path...)
	}
	return d.Fault("oncall.participant_unknown", text.Say("%q is not a person of the catalog", "%q という人はカタログにいません", p.ID), suggest(ctx, "User", name), path...)
}

func suggest(ctx context.Context, kind, name string) text.Both {
	if near := ascode.Nearest(name, ascode.KnownNames(ctx, kind)); near != "" {
		return text.Say("did you mean %q? Otherwise add a document of kind %s named %q", "%q の間違いではありませんか。そうでなければ、種類 %s の文書 %q を追加してください", near, kind, name)
	}
	return text.Say("add a document of kind %s named %q", "種類 %s の文書 %q を追加してください", kind, name)
}

// everybody are the names of all participants, each once.
func (s *Spec) everybody() []string {
	var all []string
	for _, l := range s.Layers {
		for _, p := range l.Participants {
			all = append(all, p.names()...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// aheadAtEdit is how far ahead gaps are looked for when a schedule is edited.
const aheadAtEdit = 90 * 24 * time.Hour

// warn names the gaps of the time to come, as they will be with the overrides
// that there are.
func (s *Service) warn(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	now := s.now()
	plan, err := s.load(ctx, tx, d.Name, now, now.Add(aheadAtEdit), Then)
	if err != nil {
		return nil // it was just read without error, and a warning stops nothing
	}
	gaps := plan.gaps(now, now.Add(aheadAtEdit))
	if len(gaps) == 0 {
		return nil
	}
	zone := plan.zone()
	var hours float64
	for _, g := range gaps {
		hours += g.To.Sub(g.From).Hours()
	}
	first := gaps[0]
	return []*fault.Error{d.Fault("oncall.gap",
		text.Say("nobody is on call in %d gaps of the next 90 days, %.0f hours in all; the first from %s to %s",
			"今後90日間に、当番のいない時間が%d回、合計%.0f時間あります。最初は %s から %s までです",
			len(gaps), hours, clockOf(first.From, zone), clockOf(first.To, zone)),
		text.Say("add a layer or hours that cover it; until then the team's fallback is paged", "その時間を埋めるレイヤーや時間帯を加えてください。それまではチームの予備の宛先に通知します"),
		"spec", "layers")}
}

// clockOf writes an instant as the wall clock of a zone shows it.
func clockOf(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// put adds a version, which is in force from now on.
func (s *Service) put(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	doc, ok := d.Object.(*Document)
	if !ok {
		return fmt.Errorf("schedule %s: %T is no schedule", d.Name, d.Object)
	}
	lines := make([]int, len(doc.Spec.Layers))
	for i := range lines {
		lines[i] = d.Pos("spec", "layers", i).Line
	}
	number, err := s.addVersion(ctx, tx, d.Name, database.JSON(doc), d.Source.File, lines)
	if err != nil {
		return err
	}
	err = db.New(tx).PutSchedule(ctx, db.PutScheduleParams{Name: d.Name, Title: doc.Metadata.Title, Owner: owner(&doc.Spec), Version: number})
	if err != nil {
		return fmt.Errorf("save schedule %s: %w", d.Name, err)
	}
	return nil
}

// drop ends a schedule: from now on nobody is on call by it. Its past stays.
func (s *Service) drop(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	if _, err := s.addVersion(ctx, tx, d.Name, "", "", nil); err != nil {
		return err
	}
	if err := db.New(tx).DropSchedule(ctx, d.Name); err != nil {
		return fmt.Errorf("remove schedule %s: %w", d.Name, err)
	}
	return nil
}

// addVersion adds a version that is in force from now on, and in any case after
// the one before: a clock that was put back rewrites nothing.
func (s *Service) addVersion(ctx context.Context, tx *sql.Tx, name, document, file string, lines []int) (int64, error) {
	last, err := db.New(tx).LastVersion(ctx, name)
	if err != nil {
		return 0, fmt.Errorf("read versions of schedule %s: %w", name, err)
	}
	err = db.New(tx).AddVersion(ctx, db.AddVersionParams{Schedule: name, Number: last.Number + 1, InForce: max(database.Micros(s.now()), last.InForce+1),
		Document: document, File: file, Lines: database.JSON(lines), ByActor: database.JSON(journal.ActorFrom(ctx))})
	if err != nil {
		return 0, fmt.Errorf("save version of schedule %s: %w", name, err)
	}
	return last.Number + 1, nil
}

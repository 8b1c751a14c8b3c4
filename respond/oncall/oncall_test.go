package oncall_test

import (
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

const day = 24 * time.Hour

func TestWhoIsOnCallIsAnsweredWithTheLayerAndItsLine(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.person("lead", access.Responder)
		w.apply(rotating)
		w.expect(start, rota.Primary, "lead")
		w.expect(start, rota.Shadow, "apprentice")
		w.expect(start.Add(7*day), rota.Primary, "engineer")
		w.expect(start.Add(6*day), rota.Shadow) // Sunday
		d := w.on(start).Duties[0]
		if d.Source.Layer != "week" || d.Source.File != "oncall.yaml" || d.Source.Line != 9 || d.Source.Version != 1 {
			t.Errorf("the source is %+v", d.Source)
		}
		if p := d.People[0]; p.Name != "Payments lead" || p.UserID == "" || p.Email != "lead@shop.example.jp" {
			t.Errorf("the person is %+v", p)
		}
		if want := time.Date(2026, 11, 9, 1, 0, 0, 0, time.UTC); !d.To.Equal(want) {
			t.Errorf("the shift ends at %s, want %s", d.To, want)
		}
	})
}

// O3: an edit says nothing about the time before it. O4: the past is answered as
// of then and as of now, by asking.
func TestEditingAScheduleNeverChangesThePastWhichIsAnsweredAsOfThenAndAsOfNow(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		w.now = start.Add(3 * day)
		w.apply(strings.Replace(rotating, "[{person: lead}, {person: engineer}]", "[{person: apprentice}]", 1))
		w.expect(start.Add(2*day), rota.Primary, "lead")
		w.expect(w.now, rota.Primary, "apprentice")
		w.expect(start.Add(-time.Hour), rota.Primary) // there was no schedule
		for view, want := range map[oncall.View]string{oncall.Then: "lead", oncall.Now: "apprentice"} {
			a, err := w.oncall.OnAs(w.system(), w.db.Read(), "payments", start.Add(2*day), view)
			if err != nil || ids(a.People(rota.Primary))[0] != want {
				t.Errorf("as of %s: %+v, %v", view, a, err)
			}
		}
	})
}

func TestAScheduleThatIsRemovedKeepsItsPast(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		w.now = start.Add(day)
		p, err := w.ascode.Apply(w.system(), ascode.Request{Set: "test", Files: []ascode.File{{Name: "t.yaml", Data: team}}, Prune: true, DryRun: true})
		if err == nil {
			_, err = w.ascode.Apply(w.system(), ascode.Request{Set: "test", Files: []ascode.File{{Name: "t.yaml", Data: team}}, Prune: true, Confirm: p.Digest})
		}
		if err != nil {
			t.Fatal(err)
		}
		w.expect(start.Add(time.Hour), rota.Primary, "lead")
		w.expect(w.now.Add(time.Hour), rota.Primary)
		if a := w.on(w.now); !a.Removed {
			t.Error("nothing says that the schedule was removed")
		}
	})
}

func TestParticipantsWhoAreNobodyOrLeftAreRefusedWithARemedy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, err := w.tryApply(strings.Replace(rotating, "person: engineer", "person: enginer", 1))
		f := refused(t, err, "oncall.participant_unknown")
		if !strings.Contains(f.Remedy.EN, `"engineer"`) || f.Where.Line != 12 {
			t.Errorf("%s at %s", f.Remedy.EN, f.Where)
		}
		_, err = w.tryApply(strings.Replace(rotating, "person: engineer", "person: somebody@shop.example.jp", 1))
		refused(t, err, "oncall.participant_account")
		w.person("engineer", access.Responder)
		accounts, err := w.access.Accounts(w.system(), []string{"engineer@shop.example.jp"})
		if err != nil {
			t.Fatal(err)
		}
		gone := true
		if _, err := w.access.ChangeUser(w.system(), accounts["engineer@shop.example.jp"].ID, func(string) error { return nil }, access.UserChange{Disabled: &gone}); err != nil {
			t.Fatal(err)
		}
		_, err = w.tryApply(rotating)
		refused(t, err, "oncall.participant_left")
		w.apply(strings.Replace(rotating, "{person: engineer}", "{person: engineer, until: 2026-11-01}", 1))
	})
}

// O5: a gap is named when it is made, before anything is applied.
func TestAGapIsWarnedOfWhenItIsMade(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if p := w.apply(rotating); len(p.Warnings) != 0 {
			t.Errorf("a schedule without gaps warns: %v", p.Warnings)
		}
		gappy := strings.Replace(rotating, "participants: [{person: lead}, {person: engineer}]", "participants: [{person: lead, until: 2026-11-20}]", 1)
		p, err := w.ascode.Apply(w.system(), ascode.Request{Set: "test", DryRun: true, Files: []ascode.File{{Name: "oncall.yaml", Data: gappy}}})
		if err != nil || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0].What.EN, "from 2026-11-20 00:00 JST") {
			t.Errorf("%v, %v", p.Warnings, err)
		}
		w.expect(start.Add(30*day), rota.Primary, "lead") // nothing was applied
	})
}

func TestEachMistakeInAScheduleIsNamedAtItsPlaceWithARemedy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for mistake, want := range map[[2]string]string{
			{"timeZone: Asia/Tokyo", "timeZone: Asia/Tokio"}:                          "oncall.time_zone",
			{"rotation: weekly", "rotation: fortnightly"}:                             "oncall.rotation",
			{"start: 2026-11-02T10:00", "start: next monday"}:                         "oncall.time",
			{"role: shadow", "role: tertiary"}:                                        "oncall.role",
			{`["Mon-Fri 10:00-18:00"]`, `["Mon-Fry 10:00-18:00"]`}:                    "oncall.hours",
			{"calendar: japan", "calendar: atlantis"}:                                 "oncall.calendar",
			{"name: listening", "name: week"}:                                         "oncall.layer_name",
			{"{person: lead}", "{person: lead, people: [engineer]}"}:                  "oncall.participant",
			{"{person: lead}", "{person: lead, from: 2026-12-02, until: 2026-12-01}"}: "oncall.participant_time",
			{"owner: payments", "owner: nobody"}:                                      "oncall.owner",
		} {
			_, err := w.tryApply(strings.Replace(rotating, mistake[0], mistake[1], 1))
			f := refused(t, err, want)
			if f.Where.Line == 0 || f.Kind != fault.Invalid {
				t.Errorf("%s: %+v", want, f)
			}
		}
	})
}

package oncall_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	ical "github.com/arran4/golang-ical"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

func (w *world) kinds() []string {
	var all []string
	for _, e := range w.told {
		all = append(all, e.Kind+" "+string(e.Subject))
	}
	return all
}

// O3: an override holds from when it is made, whatever its beginning, and what it
// did until it was taken back stays so.
func TestAnOverrideChangesWhatIsToComeAndNeverThePast(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		engineer := w.person("engineer", access.Responder)
		w.now = start.Add(2 * time.Hour)
		o, err := w.oncall.Override(engineer, "payments", oncall.NewOverride{Person: "me", Instead: "lead", From: start, To: start.Add(day), Reason: "dentist"})
		if err != nil {
			t.Fatal(err)
		}
		w.expect(start.Add(time.Hour), rota.Primary, "lead")
		w.expect(w.now, rota.Primary, "engineer")
		if d := w.on(w.now).Duties[0]; !slices.Equal(d.Source.Overrides, []string{o.ID}) || d.Source.Layer != "week" {
			t.Errorf("the source is %+v", d.Source)
		}
		w.now = start.Add(5 * time.Hour)
		if _, err := w.oncall.EndOverride(engineer, o.ID); err != nil {
			t.Fatal(err)
		}
		w.expect(start.Add(4*time.Hour), rota.Primary, "engineer")
		w.expect(w.now, rota.Primary, "lead")
		if _, err := w.oncall.EndOverride(engineer, o.ID); err == nil {
			t.Error("an override can be taken back twice")
		}
		want := []string{"oncall.override_added schedule:payments", "oncall.override_ended schedule:payments"}
		if !slices.Equal(w.kinds(), want) {
			t.Errorf("the journal has %v", w.kinds())
		}
	})
}

func TestOnlyOwnersPutOthersOnCall(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		from, to := start.Add(day), start.Add(2*day)
		engineer := w.person("engineer", access.Responder)
		for _, n := range []oncall.NewOverride{
			{Person: "apprentice", From: from, To: to},
			{Change: rota.Remove, Person: "engineer", From: from, To: to},
			{Change: rota.Remove, Person: "lead", From: from, To: to},
		} {
			_, err := w.oncall.Override(engineer, "payments", n)
			refused(t, err, "oncall.override_denied")
		}
		owner := w.person("apprentice", access.Responder, "team:payments")
		if _, err := w.oncall.Override(owner, "payments", oncall.NewOverride{Change: rota.Remove, Person: "lead", From: from, To: to}); err != nil {
			t.Error(err)
		}
		w.expect(from, rota.Primary)
		for code, n := range map[string]oncall.NewOverride{
			"oncall.override_time":   {Person: "me", From: to, To: from},
			"oncall.override_past":   {Person: "me", From: start.Add(-day), To: start},
			"oncall.override_long":   {Person: "me", From: from, To: from.Add(100 * day)},
			"oncall.override_person": {Person: "nobody", From: from, To: to},
			"oncall.override_same":   {Person: "me", Instead: "apprentice", From: from, To: to},
		} {
			_, err := w.oncall.Override(owner, "payments", n)
			refused(t, err, code)
		}
		_, err := w.oncall.Override(owner, "nothing", oncall.NewOverride{Person: "me", From: from, To: to})
		refused(t, err, "oncall.no_schedule")
	})
}

func TestASwapIsAskedAndAcceptedByTheTwoWhomItConcerns(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		lead, engineer, other := w.person("lead", access.Responder), w.person("engineer", access.Responder), w.person("apprentice", access.Responder)
		ask := oncall.NewSwap{Asked: "engineer", From: start.Add(day), To: start.Add(2 * day), Back: &oncall.Span{From: start.Add(8 * day), To: start.Add(9 * day)}}
		swap := func() oncall.Swap {
			s, err := w.oncall.AskSwap(lead, "payments", ask)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		settle := func(ctx context.Context, id string, to oncall.SwapState, code string) {
			t.Helper()
			_, err := w.oncall.SettleSwap(ctx, id, to)
			if code != "" {
				refused(t, err, code)
			} else if err != nil {
				t.Error(err)
			}
		}
		s := swap()
		w.expect(start.Add(day), rota.Primary, "lead") // asked is not accepted
		settle(other, s.ID, oncall.Accepted, "oncall.concerns_others")
		settle(lead, s.ID, oncall.Accepted, "oncall.concerns_others")
		settle(engineer, s.ID, oncall.Withdrawn, "oncall.concerns_others")
		settle(engineer, s.ID, oncall.Accepted, "")
		settle(engineer, s.ID, oncall.Declined, "oncall.swap_settled")
		w.expect(start.Add(day), rota.Primary, "engineer")
		w.expect(start.Add(8*day), rota.Primary, "lead")
		w.expect(start.Add(10*day), rota.Primary, "engineer")

		ask.From, ask.To, ask.Back = start.Add(3*day), start.Add(4*day), nil
		s = swap()
		settle(engineer, s.ID, oncall.Declined, "")
		s = swap()
		settle(lead, s.ID, oncall.Withdrawn, "")
		s = swap()
		w.now = start.Add(5 * day)
		settle(engineer, s.ID, oncall.Accepted, "oncall.swap_settled") // its time is over
		w.expect(start.Add(3*day), rota.Primary, "lead")
		want := []string{"asked", "accepted", "asked", "declined", "asked", "withdrawn", "asked"}
		for i, k := range w.kinds() {
			if k != "oncall.swap_"+want[i]+" schedule:payments" {
				t.Errorf("entry %d is %s", i, k)
			}
		}
	})
}

func TestASwapOfTimeThatIsNotTheirsIsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		engineer := w.person("engineer", access.Responder)
		_, err := w.oncall.AskSwap(engineer, "payments", oncall.NewSwap{Asked: "lead", From: start.Add(day), To: start.Add(2 * day)})
		refused(t, err, "oncall.swap_not_theirs")
		_, err = w.oncall.AskSwap(engineer, "payments", oncall.NewSwap{Asker: "lead", Asked: "engineer", From: start.Add(day), To: start.Add(2 * day)})
		refused(t, err, "oncall.concerns_others")
	})
}

// O5: a gap is told of once, seven days before it comes.
func TestAGapIsToldOnceSevenDaysBeforeItComes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		gap := start.Add(17*day + 12*time.Hour) // 2026-11-20 00:00 in Tokyo
		w.apply(strings.Replace(rotating, "participants: [{person: lead}, {person: engineer}]", "participants: [{person: lead, until: 2026-11-20}, {person: engineer, until: 2026-11-20}]", 1))
		for _, x := range []struct {
			at   time.Time
			told int
		}{{gap.Add(-8 * day), 0}, {gap.Add(-7*day + time.Minute), 1}, {gap.Add(-6 * day), 1}, {gap.Add(day), 1}} {
			w.now = x.at
			if err := w.oncall.WarnOfGaps(w.system()); err != nil {
				t.Fatal(err)
			}
			if len(w.told) != x.told {
				t.Errorf("at %s there are %d entries, want %d", x.at, len(w.told), x.told)
			}
		}
	})
}

func TestOutsideOfTheCoverageNobodyIsMissed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		office := strings.NewReplacer("  layers:", "  coverage: [\"Mon-Fri 10:00-18:00\"]\n  layers:", "      participants: [{person: lead}, {person: engineer}]",
			"      participants: [{person: lead}, {person: engineer}]\n      hours: [\"Mon-Fri 10:00-18:00\"]").Replace(rotating)
		if p := w.apply(office); len(p.Warnings) != 0 {
			t.Errorf("%v", p.Warnings)
		}
		if err := w.oncall.WarnOfGaps(w.system()); err != nil || len(w.told) != 0 {
			t.Errorf("%v, %v", w.kinds(), err)
		}
	})
}

func TestAPreviewSaysWhatAnEditChangesAndWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		edited := strings.Replace(rotating, "participants: [{person: lead}, {person: engineer}]", "participants: [{person: lead}, {person: apprentice}]", 1)
		all, err := w.oncall.Preview(w.system(), []ascode.File{{Name: "edit.yaml", Data: edited}})
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		p := all[0]
		if len(p.Changes) != 6 || p.New || len(p.Gaps) != 0 { // every other week of 90 days
			t.Fatalf("%+v", p)
		}
		m := p.Changes[0]
		if m.Before[0].ID != "engineer" || m.After[0].ID != "apprentice" || !m.From.Equal(time.Date(2026, 11, 9, 1, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", m)
		}
		w.expect(start.Add(8*day), rota.Primary, "engineer")
		_, err = w.oncall.Preview(w.system(), []ascode.File{{Name: "edit.yaml", Data: strings.Replace(rotating, "weekly", "weakly", 1)}})
		refused(t, err, "oncall.rotation")
	})
}

func TestFairnessAddsUpHoursNightsWeekendsAndHolidays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		from := time.Date(2026, 11, 2, 15, 0, 0, 0, time.UTC) // Tuesday 2026-11-03, Culture Day, 00:00 in Tokyo
		shares, err := w.oncall.Fairness(w.system(), "payments", rota.Primary, from, from.Add(14*day))
		if err != nil || len(shares) != 2 {
			t.Fatal(shares, err)
		}
		lead, engineer := shares[1], shares[0]
		if engineer.Person.ID == "lead" {
			lead, engineer = engineer, lead
		}
		// Until Monday the 9th at 10:00, and from Monday the 16th at 10:00 on.
		if lead.Hours != 6*24+10+14 || lead.Nights != 6*8+6+2 || lead.Weekends != 48 || lead.Holidays != 24 {
			t.Errorf("lead: %+v", lead)
		}
		if engineer.Hours != 7*24 || engineer.Nights != 7*8 || engineer.Weekends != 48 || engineer.Holidays != 0 || engineer.Pages != nil {
			t.Errorf("engineer: %+v", engineer)
		}
	})
}

func TestAHandOverNoteIsShownToTheNextAndToldWithTheirName(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(rotating)
		lead := w.person("lead", access.Responder)
		if _, err := w.oncall.HandOver(lead, "payments", "The ledger is slow; see the dashboard."); err != nil {
			t.Fatal(err)
		}
		_, err := w.oncall.HandOver(lead, "payments", "  ")
		refused(t, err, "oncall.handover_empty")
		d, err := w.oncall.Detail(w.person("engineer", access.Responder), "payments", start.Add(8*day))
		if err != nil || d.Handover == nil || !strings.HasPrefix(d.Handover.Body, "The ledger") || d.Me != "engineer" || d.Owns {
			t.Errorf("%+v, %v", d, err)
		}
		if data := string(w.told[0].Data); !strings.Contains(data, `"to":["engineer"]`) {
			t.Errorf("the entry is %s", data)
		}
	})
}

// dst is a rotation that hands over at 02:30, which New York's clocks skip on
// 2027-03-14.
const dst = `apiVersion: teiten.dev/v1
kind: Schedule
metadata: {name: payments, title: Payments}
spec:
  owner: payments
  timeZone: America/New_York
  layers:
    - {name: days, rotation: daily, start: 2026-11-02T02:30, participants: [{person: lead}, {person: engineer}]}
`

func TestACalendarReadsShiftsByASecretAddressUntilItIsRevoked(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply(dst)
		engineer := w.person("engineer", access.Viewer)
		f, err := w.oncall.AddFeed(engineer, oncall.NewFeed{Person: "me", Language: "ja"})
		if err != nil || !strings.HasPrefix(f.URL, "https://teiten.example.jp/calendar/") {
			t.Fatal(f, err)
		}
		if strings.Contains(string(w.told[0].Data), "calendar") {
			t.Errorf("the journal holds the address: %s", w.told[0].Data)
		}
		secret := strings.Split(f.URL, "/")[4]
		body, err := w.oncall.ReadFeed(w.t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		c, err := ical.ParseCalendar(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		gapEnds := time.Date(2027, 3, 14, 7, 0, 0, 0, time.UTC) // 03:00 EDT, the first instant after the gap
		found := false
		for _, e := range c.Events() {
			from, err := e.GetStartAt()
			if err != nil {
				t.Fatal(err)
			}
			to, err := e.GetEndAt()
			if err != nil || !from.Before(to) {
				t.Fatal(from, to, err)
			}
			if a := w.on(from); !slices.Equal(ids(a.People(rota.Primary)), []string{"engineer"}) || !a.Duties[0].To.Equal(to) {
				t.Errorf("the event from %s to %s is not a shift: %+v", from, to, a.Duties[0])
			}
			found = found || from.Equal(gapEnds) || to.Equal(gapEnds)
		}
		if len(c.Events()) < 80 || !found {
			t.Errorf("%d events; a handoff at the change of the clocks: %v", len(c.Events()), found)
		}
		if again, _ := w.oncall.ReadFeed(w.t.Context(), secret); again != body {
			t.Error("the same shifts read differently a second time")
		}
		refused(t, w.oncall.RevokeFeed(w.person("lead", access.Responder), f.ID), "oncall.no_feed")
		if err := w.oncall.RevokeFeed(engineer, f.ID); err != nil {
			t.Fatal(err)
		}
		_, err = w.oncall.ReadFeed(w.t.Context(), secret)
		refused(t, err, "oncall.no_feed")
	})
}

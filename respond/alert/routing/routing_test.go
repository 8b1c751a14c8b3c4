package routing_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/exclusion"
	exclusiondb "github.com/teiten/teiten/observe/slo/exclusion/db"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing"
)

func TestRoutesOfSeveralDocumentsAreOneTreeWithItsPlaces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if got := heard(w.decide()); got != "owner " {
			t.Errorf("without a document: %q", got)
		}
		w.apply("all.yaml", organisation)
		w.apply("shop.yaml", shopRouting)
		for severity, want := range map[string]string{"info": "channels:ops ", "warning": "channels:ops ", "critical": "policy:shop-primary "} {
			if got := heard(w.decide("severity", severity)); got != want {
				t.Errorf("%s: %q, want %q", severity, got, want)
			}
		}
		_, trace := w.routing.Router().Explain(alert("severity", "warning"), nil, w.now)
		if said := trace.In(text.EN); !strings.Contains(said, "(shop.yaml:10:7)") || !strings.Contains(said, "(all.yaml:5:15)") {
			t.Error(said)
		}
	})
}

func TestUnknownReceiversAreRefusedWhereTheyStand(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct{ doc, from, to, code, where string }{
			{organisation, "channels: [ops]", "channels: [opps]", "routing.unresolved", "x.yaml:5:39"},
			{shopRouting, "policy: shop-primary", "policy: shop-primry", "routing.unresolved", "x.yaml:6:36"},
			{shopRouting, "team: shop", "team: shopp", "routing.unresolved", "x.yaml:5:9"},
			{organisation, "receiver: chat", "receiver: chatt", "routing.receiver_unknown", "x.yaml:8:49"},
			{shopRouting, "", "", "routing.receiver_unknown", "x.yaml:10:52"}, // chat is the organisation's, which is not there
		} {
			_, err := w.try("x.yaml", strings.Replace(c.doc, c.from, c.to, 1))
			f, _ := fault.As(err)
			if f != nil && len(f.Details) > 0 {
				f = f.Details[0]
			}
			if f == nil || f.Code != c.code || f.Where.String() != c.where || f.Remedy.IsZero() {
				t.Errorf("%s for %s: %v", c.to, c.from, err)
			}
		}
		if got := heard(w.decide("severity", "info")); got != "owner " {
			t.Errorf("what was refused is in force: %q", got)
		}
	})
}

func TestWhatATeamUsesCannotBeTakenAway(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply("all.yaml", organisation)
		w.apply("shop.yaml", shopRouting)
		_, err := w.try("all.yaml", strings.NewReplacer("name: chat, ", "name: room, ", "receiver: chat", "receiver: room").Replace(organisation))
		if f := refused(t, err, "routing.receiver_unknown"); f.Where.File != "shop.yaml" || f.Where.Line != 10 {
			t.Errorf("at %s", f.Where)
		}
	})
}

func TestAPlanTellsWhatItWouldHaveDoneToPastAlerts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.apply("all.yaml", organisation)
		for i := range 20 {
			w.past = append(w.past, routing.Past{Alert: alert("severity", []string{"warning", "critical", "critical"}[i%3]), ID: fmt.Sprint(i), Title: "T", FiredAt: start.AddDate(0, 0, 2*(i-19))})
		}
		p, err := w.ascode.Apply(w.ctx(), ascode.Request{Set: "shop.yaml", DryRun: true, Files: []ascode.File{{Name: "shop.yaml", Data: shopRouting}}})
		if err != nil || len(p.Warnings) != 1 {
			t.Fatal(p.Warnings, err)
		}
		want := "16 of the 16 alerts of the last 30 days would have gone to somebody else, 11 of them from owner:shop to policy:shop-primary"
		if got := p.Warnings[0].What; got.EN != want || got.JA == "" {
			t.Errorf("%q\nwant %q", got, want)
		}
		c, err := w.routing.Simulate(w.ctx(), []ascode.File{{Name: "shop.yaml", Data: shopRouting}})
		if err != nil || c.Changed != 16 || len(c.Moves) != 2 || c.Moves[0].Alerts != 11 || c.Moves[1].To[0] != "channels:ops" || c.Moves[0].Examples[0].ID != "19" {
			t.Errorf("%+v, %v", c, err)
		}
		if again := w.apply("all.yaml", organisation); len(again.Warnings) > 0 {
			t.Errorf("what stays as it is: %v", again.Warnings)
		}
	})
}

func TestASilenceIsKeptToldOfAndEnds(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v, _, err := w.routing.Silence(w.ctx(), wish(t, `service="checkout"`, "new racks", start.Add(8*time.Hour)))
		if err != nil || v.State != route.Active || v.Author != "Shop lead" {
			t.Fatalf("%+v, %v", v, err)
		}
		w.refresh()
		if d := w.decide(); len(d.Suppressed) != 1 || d.Suppressed[0].Ref != "silence:"+v.ID {
			t.Errorf("%+v", d.Suppressed)
		}
		for _, at := range []time.Duration{0, 6 * time.Hour, 7 * time.Hour, 7*time.Hour + time.Minute, 8 * time.Hour, 9 * time.Hour} {
			w.now = start.Add(at)
			if err := w.routing.Remind(w.ctx()); err != nil {
				t.Fatal(err)
			}
		}
		w.refresh()
		if d := w.decide(); len(d.Suppressed) > 0 {
			t.Errorf("it goes on after its end: %+v", d.Suppressed)
		}
		w.tells(routing.EntrySilenceAdded, routing.EntrySilenceEnding, routing.EntrySilenceExpired)
	})
}

func (w *world) tells(kinds ...string) {
	w.t.Helper()
	var got []string
	for _, e := range w.told {
		got = append(got, e.Kind)
	}
	if strings.Join(got, " ") != strings.Join(kinds, " ") {
		w.t.Errorf("the journal tells %v, want %v", got, kinds)
	}
}

func TestASilenceCanBeMadeLongerAndEnded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, _, err := w.routing.Silence(w.ctx(), wish(t, `service="checkout"`, "new racks", start.Add(time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		w.now = start.Add(50 * time.Minute)
		longer := wish(t, `service="checkout"`, "they are heavy", start.Add(3*time.Hour))
		longer.ID = first.ID
		second, _, err := w.routing.Silence(w.ctx(), longer)
		if err != nil || second.ID != first.ID || !second.Starts.Equal(start) || !second.Ends.Equal(start.Add(3*time.Hour)) {
			t.Fatalf("%+v, %v", second, err)
		}
		other := wish(t, `service="search"`, "another rack", start.Add(3*time.Hour))
		other.ID = first.ID
		third, _, err := w.routing.Silence(w.ctx(), other)
		if err != nil || third.ID == first.ID {
			t.Fatalf("%+v, %v", third, err)
		}
		if former, err := w.routing.OneSilence(w.ctx(), first.ID); err != nil || former.State != route.Expired {
			t.Errorf("the former is %+v, %v", former, err)
		}
		for range 2 { // the second time nothing is left to end
			if v, err := w.routing.EndSilence(w.ctx(), third.ID); err != nil || v.State != route.Expired {
				t.Errorf("%+v, %v", v, err)
			}
		}
		w.tells(routing.EntrySilenceAdded, routing.EntrySilenceChanged, routing.EntrySilenceEnded, routing.EntrySilenceAdded, routing.EntrySilenceEnded)
		_, err = w.routing.EndSilence(w.ctx(), "no-such")
		refused(t, err, "silence.not_found")
	})
}

func TestABroadSilenceShowsWhatItWouldHideBeforeItIsTaken(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 12 {
			w.past = append(w.past, routing.Past{Alert: alert("service", fmt.Sprint("s", i%3), "severity", "critical"), ID: fmt.Sprint(i), Title: "T", FiredAt: start.AddDate(0, 0, i-11), Open: i == 11})
		}
		broad := wish(t, `severity="critical"`, "quiet please", start.Add(time.Hour))
		_, _, err := w.routing.Silence(w.ctx(), broad)
		f := refused(t, err, "silence.broad")
		if want := "in the last 7 days it would have hidden 8 of 8 alerts, of 3 services (s0, s1, s2)"; f.What.EN != want {
			t.Errorf("%q, want %q", f.What.EN, want)
		}
		broad.DryRun = true
		_, hides, err := w.routing.Silence(w.ctx(), broad)
		if err != nil || hides.Alerts != 8 || hides.Open != 1 || hides.Confirm == "" || !strings.Contains(f.Remedy.EN, hides.Confirm) {
			t.Fatalf("%+v, %v", hides, err)
		}
		if all, _, err := w.routing.Silences(w.ctx(), routing.SilenceFilter{}); err != nil || len(all) > 0 {
			t.Errorf("it is there without a word: %v, %v", all, err)
		}
		broad.DryRun, broad.Confirm = false, hides.Confirm
		if _, _, err := w.routing.Silence(w.ctx(), broad); err != nil {
			t.Error(err)
		}
		narrow := wish(t, `service="s1"`, "one service", start.Add(time.Hour))
		if _, hides, err := w.routing.Silence(w.ctx(), narrow); err != nil || hides.Alerts != 3 {
			t.Errorf("%+v, %v", hides, err)
		}
	})
}

func TestSilencesAreListedByStateAndWords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i, d := range []time.Duration{time.Hour, 3 * time.Hour, 5 * time.Hour} {
			s := wish(t, fmt.Sprintf(`service="s%d"`, i), "reason of "+fmt.Sprint(i), start.Add(d))
			if i == 2 {
				s.Starts = start.Add(4 * time.Hour)
			}
			if _, _, err := w.routing.Silence(w.ctx(), s); err != nil {
				t.Fatal(err)
			}
		}
		w.now = start.Add(2 * time.Hour)
		for state, want := range map[string]string{route.Expired: "s0", route.Active: "s1", route.Pending: "s2"} {
			all, more, err := w.routing.Silences(w.ctx(), routing.SilenceFilter{State: state, Query: "reason of", Limit: 5})
			if err != nil || more || len(all) != 1 || !strings.Contains(all[0].Matchers[0], want) {
				t.Errorf("%s: %+v, %v", state, all, err)
			}
		}
		first, more, err := w.routing.Silences(w.ctx(), routing.SilenceFilter{Limit: 2})
		if err != nil || !more || len(first) != 2 {
			t.Fatal(first, more, err)
		}
		rest, more, err := w.routing.Silences(w.ctx(), routing.SilenceFilter{Limit: 2, After: first[1].ID})
		if err != nil || more || len(rest) != 1 {
			t.Error(rest, more, err)
		}
	})
}

// A maintenance window is one document with two effects: the ledger does not count
// its minutes, and its services' alerts are kept from people.
func TestMaintenanceWindowsSuppressTheAlertsOfWhatTheyCover(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.exclude("move", exclusion.Covers{Systems: []string{"store"}}, exclusion.Shape{}, start.Add(time.Hour), start.Add(2*time.Hour))
		w.exclude("", exclusion.Covers{Services: []string{"checkout"}}, exclusion.Shape{}, start, start.Add(time.Hour)) // a correction
		w.exclude("office", exclusion.Covers{Services: []string{"checkout"}}, exclusion.Shape{BusinessHours: &exclusion.BusinessHours{TimeZone: "UTC", Hours: []string{"Mon-Fri 09:00-18:00"}}}, start, time.Time{})
		w.refresh()
		for after, want := range map[time.Duration]int{0: 0, time.Hour: 1, 90 * time.Minute: 1, 2 * time.Hour: 0} {
			w.now = start.Add(after)
			d := w.decide()
			if len(d.Suppressed) != want || want == 1 && (d.Suppressed[0].Ref != "maintenance:move" || !d.Suppressed[0].Until.Equal(start.Add(2*time.Hour))) {
				t.Errorf("after %v: %+v", after, d.Suppressed)
			}
			if d := w.decide("service", "search"); len(d.Suppressed) > 0 {
				t.Errorf("another service: %+v", d.Suppressed)
			}
		}
	})
}

func (w *world) exclude(document string, covers exclusion.Covers, shape exclusion.Shape, from, to time.Time) {
	w.t.Helper()
	ends := int64(1<<63 - 1)
	if !to.IsZero() {
		ends = database.Micros(to)
	}
	err := w.db.Write(w.ctx(), func(ctx context.Context, tx *sql.Tx) error {
		return exclusiondb.New(tx).AddExclusion(ctx, exclusiondb.AddExclusionParams{ID: "x" + document, Document: document, Covers: database.JSON(covers), Shape: database.JSON(shape),
			StartsAt: database.Micros(from), EndsAt: ends, CreatedAt: database.Micros(start), CreatedBy: "{}", Reason: "r"})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.db.Write(w.ctx(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE routing_version SET version = version + 1")
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

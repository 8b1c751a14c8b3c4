package incident_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/alert/format"
	"github.com/teiten/teiten/respond/incident"
	"github.com/teiten/teiten/respond/oncall"
)

var start = time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)

const shop = `
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: lead, title: Payments lead}
spec: {profile: {email: lead@shop.example.jp}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: engineer, title: Payments engineer}
spec: {profile: {email: engineer@shop.example.jp}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: payments}
`

// burned is what every incident burned here: budgets are another room's, and have
// their own tests.
type burned []slo.Burn

func (b burned) Burned(context.Context, journal.Ref, []string, []string, time.Time) ([]slo.Burn, error) {
	return b, nil
}

// world is the room on a real database with a clock of the test's own.
type world struct {
	t         *testing.T
	db        *database.DB
	now       time.Time
	journal   *journal.Journal
	ascode    *ascode.Engine
	measures  *measure.Registry
	incidents *incident.Service
	lead      context.Context
	told      []journal.Entry
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) { f(t, newWorld(t, db)) },
		dbtest.Room{Name: "journal", Files: journal.Migrations}, dbtest.Room{Name: "ascode", Files: ascode.Migrations},
		dbtest.Room{Name: "access", Files: access.Migrations}, dbtest.Room{Name: "catalog", Files: catalog.Migrations},
		dbtest.Room{Name: "oncall", Files: oncall.Migrations}, dbtest.Room{Name: "incident", Files: incident.Migrations})
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: start, measures: measure.NewRegistry()}
	clock := func() time.Time { return w.now }
	w.journal = journal.New(db, clock)
	w.journal.Subscribe("incident.*", "test", func(_ context.Context, _ *sql.Tx, e journal.Entry) error {
		w.told = append(w.told, e)
		return nil
	})
	people := access.New(access.Deps{DB: db, Journal: w.journal, Now: clock})
	services := catalog.New(catalog.Deps{DB: db, Now: clock})
	r := ascode.NewRegistry()
	w.ascode = ascode.NewEngine(db, r, nil)
	w.ascode.Now = clock
	rota := oncall.New(oncall.Deps{DB: db, Journal: w.journal, Catalog: services, Accounts: people, Documents: w.ascode,
		Measures: w.measures, Permit: access.MayEdit, Now: clock})
	w.incidents = incident.New(incident.Deps{DB: db, Journal: w.journal, Catalog: services, People: rota,
		Budgets: burned{{SLO: "checkout", Share: 0.25, Minutes: 10.8, Known: 1}}, Now: clock, BaseURL: "https://teiten.example.jp"})
	services.Kinds(r)
	w.incidents.Kinds(r)
	w.incidents.Measures(w.measures)
	if err := w.apply(""); err != nil {
		t.Fatal(err)
	}
	u, err := people.EnsureUser(access.AsSystem(t.Context()), access.NewUser{Login: "lead@shop.example.jp", Name: "lead", Role: access.Responder})
	if err != nil {
		t.Fatal(err)
	}
	ctx := access.WithPrincipal(t.Context(), access.Principal{Kind: access.Person, UserID: u.ID, Name: "lead", Login: u.Login, Role: u.Role, Scopes: u.Role.Scopes()})
	w.lead = journal.WithActor(ctx, journal.Actor{Kind: journal.Person, ID: u.ID, Name: "lead"})
	return w
}

func (w *world) apply(yaml string) error {
	w.t.Helper()
	_, err := w.ascode.Apply(access.AsSystem(w.t.Context()), ascode.Request{Set: "test", Files: []ascode.File{{Name: "shop.yaml", Data: shop + "---\n" + yaml}}})
	return err
}

// tell appends an entry of another room.
func (w *world) tell(d journal.Draft) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := w.journal.Append(ctx, tx, d)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// fired is a group of alerts about checkout that opened now and was acknowledged
// three minutes later, after a deployment.
func (w *world) fired(group string) {
	w.t.Helper()
	n := alert.Notice{Group: group, Severity: format.Critical, Title: "checkout fails", Service: "checkout", Team: "payments", OpenedAt: w.now.Add(10 * time.Minute)}
	w.tell(journal.Draft{Kind: "deploy.finished", Subject: journal.RefTo("service", "checkout")})
	w.now = n.OpenedAt
	w.tell(journal.Draft{Kind: alert.EntryGroupOpened, Subject: alert.GroupRef(group), Data: n})
	w.now = w.now.Add(3 * time.Minute)
	w.tell(journal.Draft{Kind: alert.EntryGroupAcknowledged, Subject: alert.GroupRef(group), Data: n})
	w.now = w.now.Add(time.Minute)
}

func (w *world) declare(d incident.Declaration) incident.Incident {
	w.t.Helper()
	i, err := w.incidents.Declare(w.lead, d)
	if err != nil {
		w.t.Fatal(err)
	}
	return i
}

// refused expects a fault of a code.
func refused(t *testing.T, err error, code string) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		t.Fatalf("got %v, want a fault %s", err, code)
	}
	return f
}

func TestAnIncidentDeclaredFromAlertsHasItsCommanderAndItsStory(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.fired("g1")
		i := w.declare(incident.Declaration{Group: "g1"})
		if i.State != incident.Active || i.Severity != "SEV2" || i.Title != "checkout fails" || i.Team != "payments" || !slices.Equal(i.Services, []string{"checkout"}) {
			t.Errorf("%+v", i)
		}
		if i.Roles[incident.Commander] != (incident.Person{ID: "lead", Name: "Payments lead"}) {
			t.Errorf("commander %+v", i.Roles)
		}
		opened := start.Add(10 * time.Minute)
		if s := i.Stamps; !s.ImpactStart.Equal(opened) || !s.DetectedAt.Equal(opened) || !s.AcknowledgedAt.Equal(opened.Add(3*time.Minute)) {
			t.Errorf("stamps %+v", s)
		}
		timeline, err := w.incidents.Timeline(w.lead, i.ID())
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, m := range timeline.Moments {
			kinds = append(kinds, m.Kind)
		}
		if want := []string{"deploy.finished", "alert.group_opened", "alert.group_acknowledged", "incident.declared"}; !slices.Equal(kinds, want) {
			t.Errorf("timeline %v, want %v", kinds, want)
		}
		_, err = w.incidents.Declare(w.lead, incident.Declaration{Group: "g1"})
		refused(t, err, "incident.group_taken")
	})
}

func TestEveryEntrySaysWhomItHurtAndWhen(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.declare(incident.Declaration{Title: "slow", Services: []string{"checkout"}})
		w.now = w.now.Add(30 * time.Minute)
		if _, err := w.incidents.Mitigate(w.lead, i.ID(), nil, "rolled back"); err != nil {
			t.Fatal(err)
		}
		last := w.told[len(w.told)-1]
		var x slo.Impact
		if err := json.Unmarshal(last.Data, &x); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x.Services, []string{"checkout"}) || !x.ImpactStart.Equal(start) || !x.MitigatedAt.Equal(w.now) {
			t.Errorf("impact %+v", x)
		}
		if !slices.Contains(last.Also, journal.RefTo("service", "checkout")) || last.Actor.Name != "lead" {
			t.Errorf("entry %+v", last)
		}
		var told incident.Told
		if err := json.Unmarshal(last.Data, &told); err != nil {
			t.Fatal(err)
		}
		if len(told.Changes) != 2 || told.Changes[0].Field != "stamps" || told.Changes[1].Field != "state" || string(told.Changes[1].Before) != `"active"` {
			t.Errorf("before and after: %+v", told.Changes)
		}
	})
}

func TestWhoReadAnOldVersionChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.declare(incident.Declaration{Title: "slow"})
		edit := func(title string, read int64) error {
			_, err := w.incidents.Edit(w.lead, i.ID(), incident.Edit{Title: &title}, func(v int64) error {
				if v != read {
					return fault.New(fault.Conflict, "test.old", text.Say("old", "古い"))
				}
				return nil
			})
			return err
		}
		if err := edit("slow for all", i.Version); err != nil {
			t.Fatal(err)
		}
		refused(t, edit("slow for some", i.Version), "test.old")
		now, err := w.incidents.Get(w.lead, i.ID())
		if err != nil || now.Title != "slow for all" {
			t.Errorf("%q, %v", now.Title, err)
		}
	})
}

func TestACorrectionIsAnEntryOfItsOwnAndStandsWithTheNote(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.declare(incident.Declaration{Title: "slow"})
		if _, err := w.incidents.Note(w.lead, i.ID(), "the cache is **full**"); err != nil {
			t.Fatal(err)
		}
		note := w.told[len(w.told)-1].ID
		if _, err := w.incidents.Correct(w.lead, i.ID(), note, "the queue is full"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.incidents.Pin(w.lead, i.ID(), note, true); err != nil {
			t.Fatal(err)
		}
		timeline, err := w.incidents.Timeline(w.lead, i.ID())
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(timeline.Moments, func(m incident.Moment) bool { return m.ID == note })
		if m := timeline.Moments[at]; !m.Pinned || len(m.Corrections) != 1 || m.Corrections[0].Text != "the queue is full" || !strings.Contains(string(m.Data), "cache") {
			t.Errorf("%+v", m)
		}
		_, err = w.incidents.Correct(w.lead, i.ID(), "elsewhere", "x")
		refused(t, err, "incident.no_entry")
		data, err := w.incidents.Export(w.lead, i.ID(), text.JA)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"# INC-1: slow", "| 指揮官 | Payments lead |", "> the cache is **full**", "> the queue is full", "| checkout | 25.00 % | 10.80 |"} {
			if !strings.Contains(string(data), want) {
				t.Errorf("the export lacks %q:\n%s", want, data)
			}
		}
	})
}

func TestAnOverdueUpdateIsAnEntryAndPostingEndsIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.declare(incident.Declaration{Title: "down", Severity: "SEV1"})
		w.now = w.now.Add(31 * time.Minute)
		for range 2 {
			if err := w.incidents.Alarm(w.lead); err != nil {
				t.Fatal(err)
			}
		}
		overdue := func() (n int) {
			for _, e := range w.told {
				if e.Kind == incident.EntryOverdue {
					n++
				}
			}
			return n
		}
		if n := overdue(); n != 1 {
			t.Fatalf("told %d times of one overdue update", n)
		}
		if _, err := w.incidents.Update(w.lead, i.ID(), incident.Stakeholders, "We roll back."); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(20 * time.Minute)
		if err := w.incidents.Alarm(w.lead); err != nil || overdue() != 1 {
			t.Errorf("told %d times, %v", overdue(), err)
		}
	})
}

func TestI4ClosingTakesAPostmortemOrAReason(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		i := w.declare(incident.Declaration{Title: "down"})
		w.now = w.now.Add(time.Hour)
		if _, err := w.incidents.Resolve(w.lead, i.ID(), nil, ""); err != nil {
			t.Fatal(err)
		}
		_, err := w.incidents.Close(w.lead, i.ID(), " ")
		refused(t, err, "incident.no_postmortem")
		closed, err := w.incidents.Close(w.lead, "inc-1", "the same as INC-0")
		if err != nil || closed.State != incident.Closed || closed.Waiver.By.Name != "lead" {
			t.Errorf("%+v, %v", closed, err)
		}
		list, more, err := w.incidents.List(w.lead, incident.Filter{States: []string{"closed"}, Limit: 10})
		if err != nil || more || len(list) != 1 {
			t.Errorf("%d incidents, more %v, %v", len(list), more, err)
		}
		d, err := w.measures.Lookup("incident.seconds_to_resolve")
		if err != nil {
			t.Fatal(err)
		}
		values, err := d.Source.Values(w.lead, incident.Everything, start, w.now)
		if err != nil || len(values) != 1 || values[0].V != 3600 {
			t.Errorf("%v, %v", values, err)
		}
	})
}

func TestAPolicyAsCodeSaysWhatASeverityAsksFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		err := w.apply(`apiVersion: teiten.dev/v1
kind: IncidentPolicy
metadata: {name: payments}
spec:
  owner: payments
  severities:
    - severity: SEV3
      updates: [{audience: stakeholders, every: 2m}]
    - severity: SEV9
`)
		f, ok := fault.As(err)
		if !ok || len(f.Details) != 2 || f.Details[0].Where.Line == 0 || f.Details[1].Code != "incident.policy_severity" {
			t.Fatalf("%v", err)
		}
		err = w.apply(`apiVersion: teiten.dev/v1
kind: IncidentPolicy
metadata: {name: payments}
spec:
  owner: payments
  severities:
    - {severity: SEV3, updates: [{audience: team, every: 15m}], checklist: [tell support]}
`)
		if err != nil {
			t.Fatal(err)
		}
		i := w.declare(incident.Declaration{Title: "slow", Severity: "SEV3", Services: []string{"checkout"}})
		if len(i.Tasks) != 1 || len(i.Updates) != 1 || !i.Updates[incident.Team].Due.Equal(start.Add(15*time.Minute)) {
			t.Errorf("tasks %+v, updates %+v", i.Tasks, i.Updates)
		}
		if i, err = w.incidents.Check(w.lead, i.ID(), 0, true); err != nil || i.Tasks[0].DoneBy != "lead" {
			t.Errorf("%+v, %v", i.Tasks, err)
		}
	})
}

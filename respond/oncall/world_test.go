package oncall_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/respond/oncall"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// start is a Monday, 12:00 in Tokyo.
var start = time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)

const team = `
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
kind: User
metadata: {name: apprentice, title: Payments apprentice}
spec: {profile: {email: apprentice@shop.example.jp}, memberOf: [payments]}
`

const rotating = `apiVersion: teiten.dev/v1
kind: Schedule
metadata: {name: payments, title: Payments}
spec:
  owner: payments
  timeZone: Asia/Tokyo
  holidays: {calendar: japan}
  layers:
    - name: week
      rotation: weekly
      start: 2026-11-02T10:00
      participants: [{person: lead}, {person: engineer}]
    - name: listening
      role: shadow
      rotation: weekly
      start: 2026-11-02T10:00
      participants: [{person: apprentice}]
      hours: ["Mon-Fri 10:00-18:00"]
`

// world is the room on a real database with a clock of the test's own.
type world struct {
	t        *testing.T
	db       *database.DB
	now      time.Time
	journal  *journal.Journal
	access   *access.Service
	catalog  *catalog.Service
	measures *measure.Registry
	ascode   *ascode.Engine
	oncall   *oncall.Service
	told     []journal.Entry
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) { f(t, newWorld(t, db)) },
		dbtest.Room{Name: "journal", Files: journal.Migrations}, dbtest.Room{Name: "ascode", Files: ascode.Migrations},
		dbtest.Room{Name: "access", Files: access.Migrations}, dbtest.Room{Name: "catalog", Files: catalog.Migrations},
		dbtest.Room{Name: "oncall", Files: oncall.Migrations})
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: start}
	clock := func() time.Time { return w.now }
	w.journal = journal.New(db, clock)
	w.journal.Subscribe("oncall.*", "test", func(_ context.Context, _ *sql.Tx, e journal.Entry) error {
		w.told = append(w.told, e)
		return nil
	})
	w.access = access.New(access.Deps{DB: db, Journal: w.journal, Now: clock})
	w.catalog = catalog.New(catalog.Deps{DB: db, Now: clock})
	w.measures = measure.NewRegistry()
	r := ascode.NewRegistry()
	w.ascode = ascode.NewEngine(db, r, nil)
	w.ascode.Now = clock
	w.oncall = oncall.New(oncall.Deps{DB: db, Journal: w.journal, Catalog: w.catalog, Accounts: w.access, Documents: w.ascode,
		Measures: w.measures, Permit: access.MayEdit, Now: clock, BaseURL: "https://teiten.example.jp"})
	w.catalog.Kinds(r)
	w.oncall.Kinds(r)
	w.apply(team)
	return w
}

func (w *world) system() context.Context { return access.AsSystem(w.t.Context()) }

func (w *world) apply(yaml string) ascode.Plan {
	w.t.Helper()
	p, err := w.tryApply(yaml)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) tryApply(yaml string) (ascode.Plan, error) {
	return w.ascode.Apply(w.system(), ascode.Request{Set: "test", Files: []ascode.File{{Name: "oncall.yaml", Data: yaml}}})
}

// person gives somebody of the catalog an account and returns the context in
// which they act.
func (w *world) person(name string, role access.Role, teams ...string) context.Context {
	w.t.Helper()
	u, err := w.access.EnsureUser(w.system(), access.NewUser{Login: name + "@shop.example.jp", Name: name, Role: role, Teams: teams})
	if err != nil {
		w.t.Fatal(err)
	}
	return access.WithPrincipal(w.t.Context(), access.Principal{Kind: access.Person, UserID: u.ID, Name: name, Login: u.Login, Role: u.Role, Owns: u.Teams, Scopes: u.Role.Scopes()})
}

func (w *world) on(at time.Time) oncall.Answer {
	w.t.Helper()
	a, err := w.oncall.On(w.system(), "payments", at)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// ids are the names of who is on call.
func ids(people []oncall.Person) []string {
	var all []string
	for _, p := range people {
		all = append(all, p.ID)
	}
	return all
}

func (w *world) expect(at time.Time, role rota.Role, want ...string) {
	w.t.Helper()
	if got := ids(w.on(at).People(role)); !slices.Equal(got, want) {
		w.t.Errorf("at %s as %s: %v, want %v", at, role, got, want)
	}
}

// refused expects a fault of a code with a remedy in both languages.
func refused(t *testing.T, err error, code string) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		t.Fatalf("got %v, want a fault %s", err, code)
	}
	if f.Remedy.EN == "" || f.Remedy.JA == "" || f.What.JA == "" {
		t.Errorf("%s has no remedy in both languages: %+v", code, f)
	}
	return f
}

package routing_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/respond/alert/route"
	"github.com/teiten/teiten/respond/alert/routing"
)

var start = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

const shopTeam = `
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: store}
spec: {owner: shop}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: shop, system: store}
---
apiVersion: test/v1
kind: NotificationChannel
metadata: {name: ops}
---
apiVersion: test/v1
kind: EscalationPolicy
metadata: {name: shop-primary}
`

const organisation = `apiVersion: teiten.dev/v1
kind: AlertRouting
metadata: {name: all}
spec:
  receivers: [{name: chat, channels: [ops]}]
  route:
    routes:
    - {matchers: ['severity="info"'], receiver: chat}
`

const shopRouting = `apiVersion: teiten.dev/v1
kind: AlertRouting
metadata: {name: shop}
spec:
  team: shop
  receivers: [{name: page, policy: shop-primary}]
  route:
    receiver: page
    routes:
    - {matchers: ['severity="warning"'], receiver: chat}
`

// world is the room on a real database with a clock of the test's own.
type world struct {
	t       *testing.T
	db      *database.DB
	now     time.Time
	journal *journal.Journal
	ascode  *ascode.Engine
	routing *routing.Service
	told    []journal.Entry
	past    []routing.Past
}

// Past tells of the alerts that a test made up.
func (w *world) Past(_ context.Context, since time.Time, most int, use func(routing.Past) error) error {
	for i := len(w.past) - 1; i >= 0 && most > 0; i-- {
		if w.past[i].FiredAt.Before(since) {
			continue
		}
		most--
		if err := use(w.past[i]); err != nil {
			return err
		}
	}
	return nil
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) { f(t, newWorld(t, db)) },
		dbtest.Room{Name: "journal", Files: journal.Migrations}, dbtest.Room{Name: "ascode", Files: ascode.Migrations},
		dbtest.Room{Name: "catalog", Files: catalog.Migrations}, dbtest.Room{Name: "slo", Files: slo.Migrations},
		dbtest.Room{Name: "routing", Files: routing.Migrations})
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: start}
	clock := func() time.Time { return w.now }
	w.journal = journal.New(db, clock)
	w.journal.Subscribe("alert.*", "test", func(_ context.Context, _ *sql.Tx, e journal.Entry) error {
		w.told = append(w.told, e)
		return nil
	})
	r := ascode.NewRegistry()
	for _, kind := range []string{"NotificationChannel", "EscalationPolicy"} {
		r.Add(ascode.Kind{APIVersion: "test/v1", Kind: kind, ID: kind, Title: text.Say("a", "あ"), New: func() any {
			return &struct {
				APIVersion string           `json:"apiVersion"`
				Kind       string           `json:"kind"`
				Metadata   routing.Metadata `json:"metadata"`
			}{}
		}, Apply: func(context.Context, *sql.Tx, *ascode.Document) error { return nil }})
	}
	c := catalog.New(catalog.Deps{DB: db, Now: clock})
	w.ascode = ascode.NewEngine(db, r, nil)
	w.ascode.Now = clock
	w.routing = routing.New(routing.Deps{DB: db, Journal: w.journal, Catalog: c, Documents: w.ascode, Registry: r, History: w, Now: clock})
	c.Kinds(r)
	w.routing.Kinds(r)
	w.apply("team.yaml", shopTeam)
	return w
}

func (w *world) ctx() context.Context {
	return journal.WithActor(w.t.Context(), journal.Actor{Kind: journal.Person, ID: "u1", Name: "Shop lead"})
}

func (w *world) try(name, data string) (ascode.Plan, error) {
	return w.ascode.Apply(w.ctx(), ascode.Request{Set: name, Files: []ascode.File{{Name: name, Data: data}}})
}

func (w *world) apply(name, data string) ascode.Plan {
	w.t.Helper()
	p, err := w.try(name, data)
	if err != nil {
		w.t.Fatal(err)
	}
	w.refresh()
	return p
}

func (w *world) refresh() {
	w.t.Helper()
	if err := w.routing.Refresh(w.ctx()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) decide(pairs ...string) route.Verdict {
	a := alert(pairs...)
	return w.routing.Router().Decide(a, nil, w.now)
}

func alert(pairs ...string) route.Alert {
	l := route.Labels{"service": "checkout"}
	for i := 0; i+1 < len(pairs); i += 2 {
		l[pairs[i]] = pairs[i+1]
	}
	return route.Alert{Labels: l, Service: l["service"], Team: "shop"}
}

func heard(v route.Verdict) string {
	s := ""
	for _, d := range v.Heard() {
		s += d.Receiver.Key() + " "
	}
	return s
}

func wish(t *testing.T, matchers string, reason string, until time.Time) routing.Wish {
	t.Helper()
	ms, err := route.ParseMatchers(matchers)
	if err != nil {
		t.Fatal(err)
	}
	return routing.Wish{Matchers: ms, Reason: reason, Ends: until}
}

func refused(t *testing.T, err error, code string) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code || f.Remedy.JA == "" {
		t.Fatalf("want %s, got %v", code, err)
	}
	return f
}

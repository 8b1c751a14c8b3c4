package alert

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/queue"
)

// world is the room on a real database with a clock of the test's own.
type world struct {
	*testing.T
	*Service
	mu      sync.Mutex
	at      time.Time
	told    []journal.Entry
	ascode  *ascode.Engine
	handler http.Handler
	key     string
}

var began = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

const documents = `
apiVersion: teiten.dev/v1
kind: Integration
metadata: {name: monitor}
spec: {service: checkout}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
`

func (w *world) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.at }

func (w *world) later(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.at = w.at.Add(d) }

func each(t *testing.T, f func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB) { f(newWorld(t, db)) }, rooms()...)
}

func rooms() []dbtest.Room {
	return []dbtest.Room{{Name: "journal", Files: journal.Migrations}, {Name: "ascode", Files: ascode.Migrations}, {Name: "catalog", Files: catalog.Migrations}, {Name: "alert", Files: Migrations}}
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	w := &world{T: t, at: began}
	q, err := queue.New(t.Context(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	j := journal.New(db, w.now)
	w.ascode = ascode.NewEngine(db, ascode.NewRegistry(), nil)
	shop := catalog.New(catalog.Deps{DB: db, Now: w.now})
	d := Deps{DB: db, Journal: j, Queue: q, Catalog: shop, Now: w.now}
	if db.Dialect() == database.SQLite {
		d.Spool = dbtest.Open(t, dbtest.SQLite(t), dbtest.Room{Name: "spool", Files: SpoolMigrations})
	}
	w.Service = New(d)
	shop.Kinds(w.ascode.Registry())
	w.Service.Kinds(w.ascode.Registry())
	j.Subscribe("alert.*", "test", func(_ context.Context, _ *sql.Tx, e journal.Entry) error { w.told = append(w.told, e); return nil })
	w.apply(documents)
	if w.key, _, err = w.IssueKey(t.Context(), "monitor"); err != nil {
		t.Fatal(err)
	}
	w.told = nil
	api := httpapi.New(httpapi.Options{Title: "test", Authorizer: httpapi.AuthorizerFunc(func(r *http.Request, _ httpapi.Scope) (context.Context, error) { return r.Context(), nil })})
	w.Register(api)
	w.handler = api.Handler()
	return w
}

func (w *world) apply(data string) {
	w.Helper()
	_, err := w.ascode.Apply(w.Context(), ascode.Request{Set: "test", Files: []ascode.File{{Name: "test.yaml", Data: data}}})
	if err != nil {
		w.Fatal(err)
	}
}

// ask sends a request and returns the answer.
func (w *world) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	w.Helper()
	r := httptest.NewRequestWithContext(w.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	return out
}

// send posts a message, which must be taken, and has it looked at.
func (w *world) send(body string) {
	w.Helper()
	if r := w.ask(http.MethodPost, "/api/v1/alerts/in/"+w.key, body); r.Code != http.StatusAccepted {
		w.Fatalf("answered %d: %s", r.Code, r.Body)
	}
	w.process()
}

func (w *world) process() {
	w.Helper()
	if err := w.Process(w.Context()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) kinds() []string {
	var all []string
	for _, e := range w.told {
		all = append(all, e.Kind)
	}
	w.told = nil
	return all
}

func (w *world) open() []View {
	w.Helper()
	list, _, err := w.Alerts(w.Context(), Filter{States: []string{"open"}})
	if err != nil {
		w.Fatal(err)
	}
	return list
}

package probe_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"slices"
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
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/probe"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/runner"
	"github.com/teiten/teiten/observe/slo"
)

// start is on the minute.
var start = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

const shop = `
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout, labels: {teiten.dev/tier: gold}}
spec: {type: service, lifecycle: production, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
`

// front is a probe that three places look at.
const front = `
apiVersion: teiten.dev/v1
kind: Probe
metadata: {name: front, displayName: Shop front}
spec:
  service: checkout
  interval: 1m
  locations: [server, tokyo, osaka]
  quorum: 2
  http:
    steps:
      - url: https://shop.example.com/health?key=abc
        headers: {Authorization: "Bearer of-good-news", Accept: text/html}
  slo: {objective: 0.99}
`

// world is the room on a real database with a clock of the test's own.
type world struct {
	t       *testing.T
	db      *database.DB
	now     time.Time
	journal *journal.Journal
	slo     *slo.Service
	events  *pushed.Service
	ascode  *ascode.Engine
	probes  *probe.Service
	samples samples
	told    []journal.Entry
	api     *httpapi.API
}

// samples remembers what was appended.
type samples struct {
	mu   sync.Mutex
	rows []metrics.Series
}

func (s *samples) Append(_ context.Context, rows []metrics.Series) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, rows...)
	return nil
}

// last is the latest value of a series.
func (s *samples) last(name, location, result string) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range slices.Backward(s.rows) {
		if r.Labels["__name__"] == name && r.Labels["location"] == location && r.Labels["result"] == result {
			return r.Points[0].V
		}
	}
	return -1
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) { f(t, newWorld(t, db)) },
		dbtest.Room{Name: "journal", Files: journal.Migrations}, dbtest.Room{Name: "ascode", Files: ascode.Migrations},
		dbtest.Room{Name: "catalog", Files: catalog.Migrations}, dbtest.Room{Name: "slo", Files: slo.Migrations},
		dbtest.Room{Name: "metrics", Files: metrics.Migrations}, dbtest.Room{Name: "pushed", Files: pushed.Migrations},
		dbtest.Room{Name: "probe", Files: probe.Migrations})
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, now: start}
	clock := func() time.Time { return w.now }
	log := slog.New(slog.DiscardHandler)
	w.journal = journal.New(db, clock)
	w.journal.Subscribe("probe.*", "test", func(_ context.Context, _ *sql.Tx, e journal.Entry) error {
		w.told = append(w.told, e)
		return nil
	})
	q, err := queue.New(t.Context(), db, log)
	if err != nil {
		t.Fatal(err)
	}
	c := catalog.New(catalog.Deps{DB: db, Now: clock})
	w.events = pushed.New(pushed.Deps{DB: db, Journal: w.journal, Now: clock})
	sources := metrics.NewSources(metrics.Options{DB: db, Now: clock})
	sources.AddOwn(pushed.SourceName, metrics.KindEvents, w.events)
	w.slo = slo.New(slo.Deps{DB: db, Journal: w.journal, Queue: q, Catalog: c, Sources: sources, Now: clock})
	r := ascode.NewRegistry()
	w.ascode = ascode.NewEngine(db, r, nil)
	w.probes = probe.New(probe.Deps{
		DB: db, Journal: w.journal, Queue: q, Catalog: c, Events: w.events, Objectives: w.slo, Samples: &w.samples, Documents: w.ascode, Now: clock,
	})
	c.Kinds(r)
	sources.Kinds(r)
	w.slo.Kinds(r)
	w.probes.Kinds(r)
	w.apply(shop)
	return w
}

func (w *world) apply(yaml string) {
	w.t.Helper()
	if err := w.tryApply(yaml); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tryApply(yaml string) error {
	_, err := w.ascode.Apply(w.t.Context(), ascode.Request{Set: "test", Files: []ascode.File{{Name: "probe.yaml", Data: yaml}}})
	return err
}

// result is one at a minute after the start.
func result(minute int, o check.Outcome) runner.Result {
	at := start.Add(time.Duration(minute)*time.Minute + 30*time.Second)
	r := runner.Result{Probe: "front", Due: at, At: at, Attempts: 1, Last: check.Attempt{Outcome: o, TotalMs: 120, Steps: []check.Step{{Name: "GET /health", DNSMs: 20, TTFBMs: 100, TotalMs: 120, Outcome: o}}}}
	if o != check.Success {
		r.Last.Code, r.Last.Reason = check.CodeStatus, text.Say("status 500 instead of 2xx", "ステータスが 500 です")
	}
	return r
}

// record delivers at the time of the latest result.
func (w *world) record(location string, results ...runner.Result) probe.Taken {
	w.t.Helper()
	for _, r := range results {
		if r.At.After(w.now) {
			w.now = r.At
		}
	}
	taken, err := w.probes.Record(w.t.Context(), location, results)
	if err != nil {
		w.t.Fatal(err)
	}
	return taken
}

// kinds are what the journal was told, in order.
func (w *world) kinds() []string {
	var out []string
	for _, e := range w.told {
		out = append(out, e.Kind+" "+string(e.Subject))
	}
	return out
}

func (w *world) data(i int) map[string]any {
	w.t.Helper()
	var m map[string]any
	if err := json.Unmarshal(w.told[i].Data, &m); err != nil {
		w.t.Fatal(err)
	}
	return m
}

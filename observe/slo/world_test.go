package slo_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// rooms are the tables that the tests need.
var rooms = []dbtest.Room{
	{Name: "journal", Files: journal.Migrations}, {Name: "ascode", Files: ascode.Migrations},
	{Name: "catalog", Files: catalog.Migrations}, {Name: "slo", Files: slo.Migrations},
}

var discard = slog.New(slog.DiscardHandler)

// t0 is when the tests begin, on a full hour.
var t0 = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// world is the room on a real database, a real store of metrics, and a clock of
// the test's own.
type world struct {
	t       testing.TB
	db      *database.DB
	store   *embedded.Store
	sources *switchable
	clock   atomic.Int64
	journal *journal.Journal
	queue   *queue.Queue
	slo     *slo.Service
	ascode  *ascode.Engine

	retention slo.Retention
	most      int                // instances in all; 0 for what is usual
	written   map[string]float64 // the last value of each counter
}

// switchable is the embedded store as a source that can be cut off.
type switchable struct {
	q      metrics.Querier
	others map[string]metrics.Querier
	gone   atomic.Bool
}

func (s *switchable) Get(name string) (metrics.Querier, error) {
	if s.gone.Load() {
		return nil, fault.New(fault.Unavailable, "test.gone", text.Say("the source is gone", "データソースが応答しません"))
	}
	if q := s.others[name]; q != nil {
		return q, nil
	}
	return s.q, nil
}

// Keeps is how long the store keeps samples.
func (s *switchable) Keeps(string) time.Duration { return 400 * day }

// Builtin has documents refer to the store by name.
func (s *switchable) Builtin(name string) bool { return name == "embedded" }

func newWorld(t testing.TB, db *database.DB) *world {
	t.Helper()
	store, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), RetentionTime: 400 * day})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, db: db, store: store, sources: &switchable{q: store}, written: map[string]float64{}}
	w.at(t0)
	w.restart()
	w.apply(shop)
	return w
}

const day = 24 * time.Hour

func (w *world) now() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }

func (w *world) at(t time.Time) { w.clock.Store(t.UnixMicro()) }

// restart is what a new process does: everything but the database and the
// metrics is made anew.
func (w *world) restart() {
	w.t.Helper()
	// The lease of the former process has run out.
	if err := w.db.Write(w.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE queue_leases SET held_until = 0")
		return err
	}); w.slo != nil && err != nil {
		w.t.Fatal(err)
	}
	q, err := queue.New(w.t.Context(), w.db, discard)
	if err != nil {
		w.t.Fatal(err)
	}
	w.journal = journal.New(w.db, w.now)
	c := catalog.New(catalog.Deps{DB: w.db, Now: w.now})
	w.queue = q
	w.slo = slo.New(slo.Deps{DB: w.db, Journal: w.journal, Queue: q, Catalog: c, Sources: w.sources, Now: w.now, Log: discard, Retention: w.retention, Instances: w.most})
	r := ascode.NewRegistry()
	c.Kinds(r)
	w.slo.Kinds(r)
	w.ascode = ascode.NewEngine(w.db, r, nil)
}

func (w *world) apply(yaml string) {
	w.t.Helper()
	if err := w.tryApply(yaml); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) tryApply(yaml string) error {
	_, err := w.ascode.Apply(w.t.Context(), ascode.Request{Set: "test", Files: []ascode.File{{Name: "shop.yaml", Data: yaml}}})
	return err
}

// evaluate runs one round at the present time.
func (w *world) evaluate() {
	w.t.Helper()
	if err := w.slo.Evaluate(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) backfill() {
	w.t.Helper()
	if err := w.slo.Backfill(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// run moves the clock from minute to minute until end, with a round in each.
func (w *world) run(end time.Time) {
	w.t.Helper()
	for t := w.now().Truncate(time.Minute).Add(time.Minute); !t.After(end); t = t.Add(time.Minute) {
		w.at(t.Add(31 * time.Second))
		w.evaluate()
	}
}

// traffic is what happens: events in the minute that begins at t.
type traffic func(t time.Time) (total, bad float64)

func flat(total, bad float64) traffic {
	return func(time.Time) (float64, float64) { return total, bad }
}

// history writes counters that are scraped once a minute, at its end.
func (w *world) history(from, to time.Time, happens traffic) {
	w.t.Helper()
	series := []map[string]string{requests("200"), requests("500")}
	err := w.store.Import(w.t.Context(), series, w.samples(from, to, happens), nil)
	if err != nil {
		w.t.Fatal(err)
	}
}

func requests(code string) map[string]string {
	return map[string]string{"__name__": "http_requests_total", "job": "checkout", "code": code}
}

// samples continue the counters where they were left. The first sample is at
// from, before anything happens. NaN events are a minute without a scrape.
func (w *world) samples(from, to time.Time, happens traffic) iter.Seq[embedded.Sample] {
	return func(yield func(embedded.Sample) bool) {
		for t := from; ; t = t.Add(time.Minute) {
			ok := yield(embedded.Sample{Series: 0, T: t.UnixMilli(), V: w.written["200"]}) &&
				yield(embedded.Sample{Series: 1, T: t.UnixMilli(), V: w.written["500"]})
			if !ok || !t.Before(to) {
				return
			}
			total, bad := happens(t)
			for math.IsNaN(total) && t.Before(to) {
				t = t.Add(time.Minute)
				total, bad = happens(t)
			}
			w.written["200"] += total - bad
			w.written["500"] += bad
		}
	}
}

// scrape appends live samples, one at the end of each minute.
func (w *world) scrape(from, to time.Time, happens traffic) {
	w.t.Helper()
	for t := from; t.Before(to); t = t.Add(time.Minute) {
		total, bad := happens(t)
		if math.IsNaN(total) {
			continue
		}
		w.written["200"] += total - bad
		w.written["500"] += bad
		w.sample(t.Add(time.Minute))
	}
}

// sample writes the counters as they are.
func (w *world) sample(at time.Time) {
	w.t.Helper()
	err := w.store.Append(w.t.Context(), []metrics.Series{
		{Labels: requests("200"), Points: []metrics.Point{{T: at.UnixMilli(), V: w.written["200"]}}},
		{Labels: requests("500"), Points: []metrics.Point{{T: at.UnixMilli(), V: w.written["500"]}}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// live scrapes and evaluates minute by minute until end.
func (w *world) live(end time.Time, happens traffic) {
	w.t.Helper()
	for t := w.now().Truncate(time.Minute); t.Before(end); t = t.Add(time.Minute) {
		w.scrape(t, t.Add(time.Minute), happens)
		w.at(t.Add(time.Minute + 31*time.Second))
		w.evaluate()
	}
}

// counted is what the ledger holds between two times: its hours, and the minutes
// of hours that are not closed where those do not know them.
func (w *world) counted(name string, from, to time.Time) ledger.Sum {
	w.t.Helper()
	known := map[int64]ledger.Minute{}
	var slot int64
	err := w.db.Read().QueryRowContext(w.t.Context(), "SELECT slot FROM slo_definitions WHERE name = $1", name).Scan(&slot)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		w.t.Fatal(err)
	}
	w.stored("SELECT minute, data FROM slo_minutes WHERE shard = $1", slot%16, func(minute int64, data []byte) {
		column, err := ledger.UnpackColumn(data, minute)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, c := range column {
			if c.Slot == slot {
				known[minute] = ledger.Minute{Total: c.Total, Bad: c.Bad, Known: true}
			}
		}
	})
	w.stored("SELECT hour, data FROM slo_ledger WHERE slo = $1", name, func(number int64, data []byte) {
		var h ledger.Hour
		if err := h.Unpack(data); err != nil {
			w.t.Fatal(err)
		}
		for i, m := range h {
			if m.Known {
				known[number*60+int64(i)] = m
			}
		}
	})
	var sum ledger.Sum
	for minute, m := range known {
		if at := ledger.Start(minute); !at.Before(from) && at.Before(to) {
			sum = sum.Add(m)
		}
	}
	return sum
}

// stored calls each for the rows of a query: a number and bytes.
func (w *world) stored(query string, arg any, each func(n int64, data []byte)) {
	w.t.Helper()
	rows, err := w.db.Read().QueryContext(w.t.Context(), query, arg)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var data []byte
		if err := rows.Scan(&n, &data); err != nil {
			w.t.Fatal(err)
		}
		each(n, data)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
}

// entries lists the journal's entries of a kind, oldest first.
func (w *world) entries(kind string) []journal.Entry {
	w.t.Helper()
	found, _, err := w.journal.List(w.t.Context(), journal.Filter{Kinds: []string{kind}, Limit: 500})
	if err != nil {
		w.t.Fatal(err)
	}
	for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
		found[i], found[j] = found[j], found[i]
	}
	return found
}

// detail is everything about an objective.
func (w *world) detail(name string) slo.Detail {
	w.t.Helper()
	d, err := w.slo.Get(w.t.Context(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) status(name string) string { return string(w.detail(name).Status) }

// shop is a service with one objective over thirty days.
var shop = `
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout, labels: {teiten.dev/tier: "1"}}
spec: {type: service, lifecycle: production, owner: payments}
---
` + checkout

var checkout = slOf("checkout", "0.999", "30d")

// slOf is an objective over the test's counters.
func slOf(name, target, window string) string {
	return fmt.Sprintf(`
apiVersion: openslo/v1
kind: SLO
metadata: {name: %s, displayName: Checkout works}
spec:
  service: checkout
  budgetingMethod: Occurrences
  timeWindow: [{duration: %s, isRolling: true}]
  objectives: [{target: %s}]
  indicator:
    metadata: {name: %[1]s}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'sum(http_requests_total{code=~"5.."})'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'sum(http_requests_total)'}}}
`, name, window, target)
}

func (w *world) remove(kind, name string) {
	w.t.Helper()
	_, err := w.ascode.Delete(w.t.Context(), ascode.Removal{Set: "test", Keys: []ascode.Key{{Kind: kind, Name: name}}})
	if err != nil {
		w.t.Fatal(err)
	}
}

func replaceOnce(t testing.TB, s, old, now string) string {
	t.Helper()
	if strings.Count(s, old) != 1 {
		t.Fatalf("%q is there %d times", old, strings.Count(s, old))
	}
	return strings.Replace(s, old, now, 1)
}

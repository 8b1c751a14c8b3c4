package slo_test

import (
	"context"
	"database/sql"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
)

func (w *world) exec(query string) {
	w.t.Helper()
	err := w.db.Write(w.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// TestCountsStatusAlertsAndJournalAreWrittenTogetherOrNotAtAll has the database
// refuse one table after the other in the middle of an outage.
func TestCountsStatusAlertsAndJournalAreWrittenTogetherOrNotAtAll(t *testing.T) {
	for _, table := range []string{"slo_minutes", "slo_shards", "slo_alerts", "journal_entries"} {
		t.Run(table, func(t *testing.T) {
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			w.history(t0.Add(-2*day), t0, flat(600, 0))
			w.at(t0.Add(31 * time.Second))
			w.evaluate()
			w.backfill()
			for _, verb := range []string{"INSERT", "UPDATE"} {
				w.exec("CREATE TRIGGER refuse_" + verb + " BEFORE " + verb + " ON " + table + " BEGIN SELECT RAISE(ABORT, 'refused'); END")
			}
			failed := false
			for m := range 6 {
				end := t0.Add(time.Duration(m+1) * time.Minute)
				w.scrape(end.Add(-time.Minute), end, flat(600, 180))
				w.at(end.Add(31 * time.Second))
				failed = w.slo.Evaluate(t.Context()) != nil || failed
			}
			if !failed {
				t.Fatal("nothing was written to " + table)
			}
			fired := len(w.entries(slo.EntryAlertFired))
			read := *w.detail("checkout").Watermark
			if got, want := w.counted("checkout", t0, t0.Add(day)), int(read.Sub(t0).Minutes()); got.Known != want {
				t.Errorf("the watermark is at %v, and %d minutes after the start are in the ledger", read, got.Known)
			}
			if open := len(w.detail("checkout").Alerts); open != fired || fired != 0 {
				t.Errorf("%v alerts, %d entries, though one of both is refused", open, fired)
			}
			w.exec("DROP TRIGGER refuse_INSERT")
			w.exec("DROP TRIGGER refuse_UPDATE")
			w.live(t0.Add(10*time.Minute), flat(600, 180))
			if got, want := w.counted("checkout", t0, t0.Add(day)), (ledger.Sum{Total: 6000, Bad: 1800, Known: 10}); got != want {
				t.Errorf("afterwards the ledger holds %+v, want %+v", got, want)
			}
			if got := w.detail("checkout").Total - w.detail("checkout").Good; got != 1800 {
				t.Errorf("afterwards the list shows %v bad events", got)
			}
			if n := len(w.entries(slo.EntryAlertFired)); n != 2 {
				t.Errorf("%d alerts fired, want a page and a ticket", n)
			}
		})
	}
}

// TestAReplicaThatWasThoughtDeadWritesNothing has one process after the other
// take over while the one before goes on as if nothing had happened.
func TestAReplicaThatWasThoughtDeadWritesNothing(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.Postgres(t), rooms...))
	happens := flat(60, 1)
	w.history(t0.Add(-time.Hour), t0, happens)
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	replicas := []*slo.Service{w.slo}
	for m := range 40 {
		end := t0.Add(time.Duration(m+1) * time.Minute)
		w.scrape(end.Add(-time.Minute), end, happens)
		w.at(end.Add(31 * time.Second))
		if m%10 == 5 {
			w.restart()
			replicas = append(replicas, w.slo)
		}
		var all sync.WaitGroup
		for _, s := range replicas {
			all.Go(func() {
				if err := s.Evaluate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	for _, s := range replicas {
		if err := s.Backfill(t.Context()); err != nil && fault.KindOf(err) != fault.Conflict {
			t.Fatal(err)
		}
	}
	if got, want := w.counted("checkout", t0.Add(-time.Hour), t0.Add(40*time.Minute)), (ledger.Sum{Total: 6000, Bad: 100, Known: 100}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if got := w.detail("checkout").Total; got != 6000 {
		t.Errorf("the list shows %v events", got)
	}
	if n := len(w.entries(slo.EntryBackfillStarted)); n != 1 {
		t.Errorf("the back-fill started %d times", n)
	}
}

func TestABackfillCutShortAnywhereIsCompletedByTheNextProcess(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.history(t0.Add(-31*day), t0, flat(60, 1))
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
	for round := range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(round+1)*7*time.Millisecond)
		if err := w.slo.Backfill(ctx); err == nil && round == 0 {
			t.Log("the first attempt was quick enough to finish")
		}
		cancel()
		w.restart()
		w.evaluate()
	}
	w.backfill()
	want := ledger.Sum{Total: 30 * 24 * 60 * 60, Bad: 30 * 24 * 60, Known: 30 * 24 * 60}
	if got := w.counted("checkout", t0.Add(-30*day), t0); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	if n := len(w.entries(slo.EntryBackfillFinished)); n != 1 {
		t.Errorf("it finished %d times", n)
	}
}

// estimating is the embedded store as a server that only estimates increases.
type estimating struct{ metrics.Querier }

func (estimating) Anchored() bool { return false }

func TestASourceThatEstimatesCountsTheSameInTotal(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.sources.q = estimating{w.store}
	doc := `metadata: {name: checkout, annotations: {teiten.dev/scrape-interval: "60s"},`
	w.apply(replaceOnce(t, checkout, "metadata: {name: checkout,", doc))
	happens := func(at time.Time) (float64, float64) { return rhythm(at) * 10, rhythm(at) }
	w.history(t0.Add(-31*day), t0, happens)
	w.at(t0.Add(time.Minute - time.Second))
	w.evaluate()
	w.backfill()
	got, want := w.counted("checkout", t0.Add(-30*day), t0), truth(happens, t0.Add(-30*day), t0)
	if math.Abs(got.Total/want.Total-1) > 1e-3 || math.Abs(got.Bad/want.Bad-1) > 1e-3 || got.Known != want.Known {
		t.Errorf("counted %+v, want %+v within a thousandth", got, want)
	}
	var d slo.Detail
	w.ok("/api/v1/slos/checkout", &d)
	if d.Exact {
		t.Error("estimates are said to be exact")
	}
}

func TestRunEvaluatesUntilItIsStopped(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.history(t0.Add(-2*day), t0, flat(60, 0))
	w.at(t0.Add(31 * time.Second))
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	done := make(chan error)
	go func() { done <- w.slo.Run(ctx) }()
	for w.detail("checkout").Known < 0.06 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("stopping is no failure: %v", err)
	}
	if known := w.detail("checkout").Known; known < 0.06 {
		t.Errorf("after a run %v is known", known)
	}
}

package slo_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// replica is another process on the same database and the same metrics.
func (w *world) replica() *slo.Service {
	w.t.Helper()
	q, err := queue.New(w.t.Context(), w.db, discard)
	if err != nil {
		w.t.Fatal(err)
	}
	q.At(w.now)
	return slo.New(slo.Deps{DB: w.db, Journal: journal.New(w.db, w.now), Queue: q, Catalog: catalog.New(catalog.Deps{DB: w.db, Now: w.now}),
		Sources: w.sources, Now: w.now, Log: discard})
}

// TestReplicasThatAreKilledLoseAndDoubleNothing has three processes share the
// objectives. One after the other dies in the middle of it, and one comes back as
// if nothing had happened.
func TestReplicasThatAreKilledLoseAndDoubleNothing(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.Postgres(t), rooms...))
	const objectives, lasts = 40, 24
	var docs strings.Builder
	docs.WriteString(shop)
	for i := range objectives {
		docs.WriteString("---" + slOf(fmt.Sprintf("copy-%02d", i), "0.999", "7d"))
	}
	w.apply(docs.String())
	happens := func(at time.Time) (float64, float64) {
		return 600, 300 * bit(!at.Before(t0.Add(5*time.Minute)) && at.Before(t0.Add(15*time.Minute)))
	}
	w.history(t0.Add(-2*time.Hour), t0, happens)
	all := []*slo.Service{w.replica(), w.replica(), w.replica()}
	alive := map[int]bool{0: true, 1: true, 2: true}
	died := map[int]int{6: 0, 12: 1} // by minute
	wakes := map[int]int{18: 0}
	for second := 0; second < lasts*60; second += 5 {
		minute, now := second/60, t0.Add(time.Duration(second)*time.Second)
		w.at(now)
		if second%60 == 0 && second > 0 {
			w.scrape(now.Add(-time.Minute), now, happens)
		}
		if n, ok := died[minute]; ok && second%60 == 20 {
			alive[n] = false
		}
		if n, ok := wakes[minute]; ok {
			alive[n] = true
		}
		var turn sync.WaitGroup
		for n, s := range all {
			if alive[n] {
				turn.Go(func() {
					if err := s.Evaluate(t.Context()); err != nil {
						t.Error(err)
					}
					if _, err := s.BackfillStep(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
		turn.Wait()
		// A minute is counted 30 s after its end, and where the replica that should
		// have done so has just died, 30 s later.
		if second%60 == 55 && minute > 1 {
			progress, err := slo.ReadProgress(t.Context(), w.db.Read())
			if err != nil {
				t.Fatal(err)
			}
			for name, p := range progress {
				if at := ledger.Start(p.Watermark); now.Sub(at) > 2*time.Minute {
					t.Fatalf("at %v %s is counted up to %v only", now, name, at)
				}
			}
		}
	}
	for _, s := range all {
		for did := true; did; {
			var err error
			if did, err = s.BackfillStep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	from, to := t0.Add(-2*time.Hour), t0.Add((lasts-2)*time.Minute)
	want := truth(happens, from, to)
	for i := range objectives {
		name := fmt.Sprintf("copy-%02d", i)
		if got := w.counted(name, from, to); got != want {
			t.Errorf("%s counted %+v, want %+v", name, got, want)
		}
	}
	fired := map[string]int{}
	for _, e := range w.entries(slo.EntryAlertFired) {
		fired[string(e.Subject)]++
	}
	for i := range objectives {
		if n := fired[fmt.Sprintf("slo:copy-%02d", i)]; n != 2 {
			t.Errorf("copy-%02d: %d alerts fired, want a page and a ticket", i, n)
		}
	}
}

package slo_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/test/scenario"
)

// load writes a scenario into the store as its scrapes saw it.
func (w *world) load(s *scenario.Scenario) {
	w.t.Helper()
	err := w.store.Import(w.t.Context(), s.Labels, func(yield func(embedded.Sample) bool) {
		for _, x := range s.Samples {
			if !yield(embedded.Sample(x)) {
				return
			}
		}
	}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
}

// Each story, read from the store into the ledger, comes to the very counts that
// its scrapes saw, in the whole window and in any window whose edges do not fall
// into a gap.
func TestTheLedgerHoldsTheTrueCountsOfEveryScenario(t *testing.T) {
	if testing.Short() {
		t.Skip("reads days of samples")
	}
	const days = 4
	from := t0.AddDate(0, 0, -days)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for _, p := range scenario.Plans(from, days) {
		t.Run(p.Name, func(t *testing.T) {
			s := scenario.Make(p, seed)
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				w := newWorld(t, db)
				w.load(s)
				w.at(t0.Add(5 * time.Minute))
				w.evaluate()
				w.backfill()
				w.compare(s, s.From, s.To)
				r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // windows to look at
				for range 30 {
					a := r.IntN(days * 24 * 60)
					b := a + 1 + r.IntN(days*24*60-a)
					w.compare(s, s.From.Add(time.Duration(a)*time.Minute), s.From.Add(time.Duration(b)*time.Minute))
				}
			}, rooms...)
		})
	}
}

// compare holds the ledger against the truth between two times, unless one of
// them is inside a gap.
func (w *world) compare(s *scenario.Scenario, from, to time.Time) {
	w.t.Helper()
	for _, g := range s.Gaps {
		for _, edge := range []int64{from.Unix() / 60, to.Unix() / 60} {
			if edge > g.From && edge <= g.To {
				return
			}
		}
	}
	want := s.Seen(from, to)
	if got := w.counted("checkout", from, to); got.Total != want.Total || got.Bad != want.Bad {
		w.t.Fatalf("%s, %s to %s: the ledger holds %v bad of %v, the scrapes saw %v of %v",
			s, from.Format(time.DateTime), to.Format(time.DateTime), got.Bad, got.Total, want.Bad, want.Total)
	}
}

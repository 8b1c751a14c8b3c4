package slo_test

import (
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// What a sender could not deliver for a while it sends on later, with the times
// at which it was. Until then the source shows a gap, and all of it counts in the
// minute after; then each minute has its own, and nothing counts twice. That holds
// too where the server is started anew meanwhile.
func TestMinutesThatASourceIsToldLaterAreCountedInTheirPlace(t *testing.T) {
	for name, c := range map[string]struct {
		known   time.Duration // when the source knows the gap, after t0
		restart time.Duration
	}{
		"when samples come again":                {known: 25 * time.Minute},
		"while the server is away":               {known: 25 * time.Minute, restart: 20 * time.Minute},
		"some minutes later":                     {known: 29 * time.Minute},
		"hours later, with a restart in the gap": {known: 5 * time.Hour, restart: 17 * time.Minute},
		"hours later, with a restart after it":   {known: 5 * time.Hour, restart: 3 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			whole, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), RetentionTime: 400 * day})
			if err != nil {
				t.Fatal(err)
			}
			defer whole.Close()
			patchy := w.store
			scrape := func(i int) {
				at := t0.Add(time.Duration(i) * time.Minute)
				w.written["200"], w.written["500"] = float64(50*i), float64(10*i)
				w.store = whole
				w.sample(at)
				if w.store = patchy; i <= 10 || i > 25 {
					w.sample(at)
				}
			}
			for i := range 8 * 60 {
				at := t0.Add(time.Duration(i) * time.Minute)
				scrape(i)
				if at.Sub(t0) == c.known {
					w.sources.q = whole
				}
				if i > 0 && at.Sub(t0) == c.restart {
					w.restart()
				}
				w.at(at.Add(31 * time.Second))
				w.evaluate()
				w.backfill()
			}
			for i := range 7 * 60 {
				at := t0.Add(time.Duration(i) * time.Minute)
				if got := w.counted("checkout", at, at.Add(time.Minute)); got != (ledger.Sum{Total: 60, Bad: 10, Known: 1}) {
					t.Fatalf("minute %d holds %+v", i, got)
				}
			}
			last := 8*60 - 1
			if d := w.detail("checkout"); d.Total != float64(60*last) || d.Good != float64(50*last) {
				t.Errorf("%v of %v good, want %d of %d", d.Good, d.Total, 50*last, 60*last)
			}
		})
	}
}

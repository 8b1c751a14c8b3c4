package slo_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
)

// eventful is a day at random: spells of quiet, of errors, of outages and without
// scrapes.
func eventful(r *rand.Rand) traffic {
	var until time.Time
	var total, bad float64
	return func(at time.Time) (float64, float64) {
		if !at.Before(until) {
			until = at.Add(time.Duration(3+r.IntN(40)) * time.Minute)
			total = float64(20 + r.IntN(200))
			switch r.IntN(6) {
			case 0:
				bad = 1
			case 1:
				bad = 0.2 * r.Float64()
			case 2:
				total = math.NaN()
			default:
				bad = 0
			}
		}
		return total, math.Floor(total * bad)
	}
}

// happenings are alerts as they were raised, or as a replay raises them: when, and
// for which rules they stood.
type happenings []string

func (w *world) raised() (all happenings) {
	w.t.Helper()
	var raised page[slo.AlertView]
	w.ok("/api/v1/slos/checkout/alerts?limit=500", &raised)
	for _, a := range raised.Items {
		all = append(happenings{span(string(a.Severity), a.Since, a.ResolvedAt)}, all...)
	}
	return all
}

func (w *world) replayed(from time.Time) (all happenings, r slo.Replay) {
	w.t.Helper()
	if code := w.post("/api/v1/slos/checkout/replay", fmt.Sprintf(`{"from": %q}`, from.Format(time.RFC3339)), &r); code != http.StatusOK {
		w.t.Fatalf("answered %d", code)
	}
	for _, a := range r.Alerts {
		all = append(all, span(string(a.Severity), a.From, a.To))
	}
	return all, r
}

func span(severity string, from time.Time, to *time.Time) string {
	end := "open"
	if to != nil {
		end = to.UTC().Truncate(time.Minute).Format("15:04")
	}
	return fmt.Sprintf("%s from %s to %s", severity, from.UTC().Truncate(time.Minute).Format("15:04"), end)
}

// TestAReplayRaisesTheAlertsOfTheLiveEngine: over the same minutes, with gaps, and
// whichever end of the interval the policy has alerts read.
func TestAReplayRaisesTheAlertsOfTheLiveEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("lives through days")
	}
	hours := 14
	for _, end := range []string{"counted", "low", "high"} {
		for _, slices := range []string{"", "budgetingMethod: Timeslices"} {
			t.Run(end+" "+slices, func(t *testing.T) {
				w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
				seed := rand.Uint64()
				t.Logf("seed %d", seed)
				r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a day to live through
				doc := slOf("checkout", "0.9", "6h")
				if slices != "" {
					doc = replaceOnce(t, doc, "budgetingMethod: Occurrences", slices)
					doc = replaceOnce(t, doc, "target: 0.9", "target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 5m")
				}
				w.apply(replaceOnce(t, shop, checkout, doc))
				if err := w.applyAs(administrator, alertEnd(end)); err != nil {
					t.Fatal(err)
				}
				past := eventful(r)
				w.history(t0.Add(-14*time.Hour), t0, func(at time.Time) (float64, float64) {
					if at.Before(t0.Add(-8*time.Hour)) || !at.Before(t0.Add(-time.Hour)) {
						return 60, 0
					}
					return past(at)
				})
				w.live(t0.Add(time.Minute), flat(60, 0))
				w.backfill()
				w.live(t0.Add(2*time.Minute), flat(60, 0))
				day := eventful(r)
				w.live(t0.Add(time.Duration(hours/2)*time.Hour), day)
				w.restart()
				w.live(t0.Add(time.Duration(hours)*time.Hour), day)
				want := w.raised()
				got, replay := w.replayed(t0.Add(time.Minute))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("-raised +replayed:\n%s", diff)
				}
				t.Logf("%d alerts, %.0f %% of the minutes known", len(want), 100*replay.Known)
				if string(replay.AlertEnd) != end {
					t.Errorf("says that alerts read %q", replay.AlertEnd)
				}
			})
		}
	}
}

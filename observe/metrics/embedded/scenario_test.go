package embedded_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/test/scenario"
)

var storySeed = flag.Uint64("scenario.seed", 0, "tells the stories of this seed again")

// Every story, counted from raw samples, comes to what its scrapes saw: as a
// whole, and in any span whose edges do not fall into a gap.
func TestCountsAreWhatTheScrapesOfEveryScenarioSaw(t *testing.T) {
	const days = 2
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	seed := *storySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-scenario.seed=%d", seed)
	store, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), RetentionTime: 3650 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for i, p := range stories(from, days) {
		t.Run(p.Name, func(t *testing.T) {
			p.Job = fmt.Sprint("story-", i)
			s := scenario.Make(p, seed)
			err := store.Import(t.Context(), s.Labels, func(yield func(embedded.Sample) bool) {
				for _, x := range s.Samples {
					if !yield(embedded.Sample(x)) {
						return
					}
				}
			}, nil)
			if err != nil {
				t.Fatal(err)
			}
			check(t, store, s, seed)
		})
	}
}

// stories are all that are told.
func stories(from time.Time, days int) []scenario.Plan {
	return slices.Concat(scenario.Plans(from, days), scenario.Adversities(from, days), scenario.Shapes(from, (days+1)/2))
}

// check holds what the store counts against the story.
func check(t *testing.T, store metrics.Counting, s *scenario.Scenario, seed uint64) {
	t.Helper()
	first, last := s.From.Unix()/60, s.To.Unix()/60
	ask := func(from, to int64) scenario.Count {
		t.Helper()
		part, other := s.Bad(), s.Good()
		if part == "" || seed%2 == 0 && other != "" {
			part = other
		}
		counts, err := store.Counts(t.Context(), []metrics.Selection{{Expr: s.Total()}, {Expr: part}}, from, to)
		if err != nil || counts[0].Err != nil || counts[1].Err != nil {
			t.Fatal(err, counts)
		}
		c := scenario.Count{Total: sum(counts[0].Values), Bad: sum(counts[1].Values)}
		if part == other {
			c.Bad = c.Total - c.Bad
		}
		return c
	}
	compare := func(from, to int64) bool {
		t.Helper()
		if s.InGap(from) || s.InGap(to) {
			return true
		}
		a, b := time.Unix(from*60, 0).UTC(), time.Unix(to*60, 0).UTC()
		want := s.Seen(a, b)
		if got := ask(from, to); math.Abs(got.Total-want.Total) > 1e-9*want.Total || math.Abs(got.Bad-want.Bad) > 1e-9*want.Total {
			t.Errorf("%s to %s: counted %v, the scrapes saw %v", a.Format(time.DateTime), b.Format(time.DateTime), got, want)
			return false
		}
		return true
	}
	if !compare(first, last) {
		return
	}
	r := rand.New(rand.NewPCG(seed, 2)) //nolint:gosec // spans to look at
	for range 12 {
		from := first + r.Int64N(last-first)
		if !compare(from, from+1+r.Int64N(last-from)) {
			return
		}
	}
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		if !math.IsNaN(v) {
			total += v
		}
	}
	return total
}

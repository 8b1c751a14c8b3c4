package scenario_test

import (
	"testing"
	"time"

	"github.com/teiten/teiten/test/scenario"
)

var monday = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// What was seen is what the counters grew by, as anybody who holds them can add
// up: the last value of each life of each counter.
func TestSeenIsWhatTheCountersSay(t *testing.T) {
	for _, p := range scenario.Plans(monday, 2) {
		t.Run(p.Name, func(t *testing.T) {
			s := scenario.Make(p, 7)
			var want scenario.Count
			last := make([]float64, len(s.Labels))
			for _, x := range s.Samples {
				if s.Labels[x.Series]["__name__"] != scenario.Metric {
					continue
				}
				grew := x.V - last[x.Series]
				if grew < 0 {
					grew = x.V
				}
				last[x.Series] = x.V
				want.Total += grew
				if s.Labels[x.Series]["code"] == "500" {
					want.Bad += grew
				}
			}
			got := s.Seen(p.From, p.To.Add(time.Minute))
			// A counter that is higher after a restart than before hides it.
			hidden := p.Restarts != nil && got.Total >= want.Total && got.Bad >= want.Bad && got.Bad-want.Bad <= 20
			if (got != want && !hidden) || want.Total == 0 {
				t.Errorf("%s: seen %+v, the counters grew by %+v", s, got, want)
			}
		})
	}
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	p := scenario.Plans(monday, 2)[5]
	a, b := scenario.Make(p, 3), scenario.Make(p, 3)
	if a.Seen(p.From, p.To) != b.Seen(p.From, p.To) || len(a.Samples) != len(b.Samples) {
		t.Error("two runs differ")
	}
	if c := scenario.Make(p, 4); c.Seen(p.From, p.To) == a.Seen(p.From, p.To) {
		t.Error("another seed tells the same story")
	}
}

package simulator

import (
	"iter"
	"time"
)

// History yields the values of every series (in the order of Series) at each
// multiple of step between from and to, both included, oldest first. Moments
// at which nobody was scraping are left out. The row is reused: it is valid
// until the next one is asked for.
//
// What it yields for a moment is what a scrape at that moment shows.
func (s *Shop) History(from, to time.Time, step time.Duration) iter.Seq2[int64, []float64] {
	faults := s.Faults()
	lostFrom, lostUntil := gap(s.start)
	return func(yield func(int64, []float64) bool) {
		e := newEngine(s.seed, s.start, s.origin, faults)
		row := make([]float64, len(s.series))
		t := from.UTC().Truncate(step)
		for t.Before(from) || t.Before(s.origin) {
			t = t.Add(step)
		}
		for ; !t.After(to); t = t.Add(step) {
			if !t.Before(lostFrom) && t.Before(lostUntil) {
				continue
			}
			e.advanceTo(t)
			if !yield(t.UnixMilli(), e.values(t, row)) {
				return
			}
		}
	}
}

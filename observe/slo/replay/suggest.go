package replay

import (
	"slices"

	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Nines are the objectives that people choose among, ascending.
var Nines = []burn.Objective{0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99995, 0.99999}

// margin is the part of the budget that must have been left in the worst window
// for an objective to be suggested.
const margin = 0.2

// Choice is an objective and what it would have cost.
type Choice struct {
	Objective  burn.Objective
	Kept       bool    // in every window
	Lowest     float64 // left of the budget in the worst window
	BadMinutes float64 // of complete failure that a window allows
	Pages      int
	Tickets    int
	Exhausted  int64 // minutes in which nothing was left
}

// Suggestion is what a history says of objectives.
type Suggestion struct {
	Objective burn.Objective // the highest that was kept with a margin; 0: none
	Full      bool           // there was a full window; otherwise the whole history stands for one
	Worst     ledger.Sum     // the window with the greatest share of bad events
	WorstAt   int64          // the minute after it
	Choices   []Choice       // of Nines, ascending
}

// Suggest replays the minutes from and up to, without, to with each of the usual
// objectives and looks for the highest that every full window of the history
// kept with a fifth of its budget left. Without events nothing is suggested.
func Suggest(h History, from, to int64, c Case) Suggestion {
	var s Suggestion
	s.worst(h, c)
	for _, objective := range Nines {
		c.Terms.Objective = objective
		o := Run(h, from, to, c)
		left := objective.BudgetLeft(s.Worst)
		s.Choices = append(s.Choices, Choice{
			Objective: objective, Kept: left >= 0, Lowest: left,
			BadMinutes: objective.Budget() * c.Window.Nominal().Minutes(),
			Pages:      o.Count(burn.Page), Tickets: o.Count(burn.Ticket), Exhausted: o.ExhaustedMinutes,
		})
		if s.Worst.Total > 0 && left >= margin {
			s.Objective = objective
		}
	}
	return s
}

// worst finds the worst of the full windows: those that began when there was
// data already, and, by the calendar, those that are over.
func (s *Suggestion) worst(h History, c Case) {
	p := newPlayer(h, c)
	since := slices.IndexFunc(h.Minutes, func(m ledger.Minute) bool { return m.Known })
	if since < 0 {
		return
	}
	begun := h.First + int64(since)
	for p.end = begun + 1; p.end <= h.End(); p.end++ {
		start := p.windowStart()
		if start < begun || p.end != c.Window.End(p.end) {
			continue
		}
		s.Full = true
		s.take(p.between(start, p.end), p.end)
	}
	if !s.Full {
		s.take(p.between(begun, h.End()), h.End())
	}
}

func (s *Suggestion) take(sum ledger.Sum, end int64) {
	if s.WorstAt == 0 || burn.SLI(sum) < burn.SLI(s.Worst) {
		s.Worst, s.WorstAt = sum, end
	}
}

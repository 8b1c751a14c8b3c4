package slo

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// queries are what is asked of the source, and what is made of the answers.
type queries struct {
	part, total string // as they are sent
	partIsBad   bool
	exact       bool // nothing is extrapolated
}

// queriesFor writes the expressions of a definition for a source.
//
// A counter's increase is taken over the minute itself where the source gives
// exact increases. Elsewhere it is taken over the time estimate, which is several
// scrapes long, and spread evenly over it, so that each event is still counted
// once.
func queriesFor(d *Definition, q metrics.Querier, estimate time.Duration) (queries, error) {
	x := queries{part: d.Good, total: d.Total, exact: !d.Counter || q.Anchored()}
	if d.Bad != "" {
		x.part, x.partIsBad = d.Bad, true
	}
	if !d.Counter {
		return x, nil
	}
	over, every := time.Minute, time.Duration(0)
	if !q.Anchored() {
		over, every = estimate, time.Minute
	}
	var err error
	if x.part, err = promexpr.IncreaseOver(x.part, over, q.Anchored(), every); err != nil {
		return queries{}, err
	}
	x.total, err = promexpr.IncreaseOver(x.total, over, q.Anchored(), every)
	return x, err
}

// estimateOver is the time over which increases are taken from a source that
// only estimates them: four scrapes, as the objective says or else the source.
func (s *Service) estimateOver(d *Definition) time.Duration {
	if d.Scrape > 0 {
		return max(time.Minute, 4*d.Scrape)
	}
	if w, ok := s.sources.(interface {
		IncreaseWindow(name string) (time.Duration, error)
	}); ok {
		if over, err := w.IncreaseWindow(d.Source); err == nil {
			return max(time.Minute, over)
		}
	}
	return max(time.Minute, 4*defaultScrape)
}

// asked shares the answers of one round, so that objectives which ask the same
// ask once.
type asked struct {
	mu      sync.Mutex
	answers map[string]func() ([]float64, error)
}

func newAsked() *asked { return &asked{answers: map[string]func() ([]float64, error){}} }

// values evaluates an expression at the end of each minute of span. A minute at
// which there was no value is NaN.
func (a *asked) values(ctx context.Context, q metrics.Querier, source, expr string, span minutes) ([]float64, error) {
	if a == nil {
		return evaluate(ctx, q, expr, span)
	}
	key := fmt.Sprintf("%s\x00%s\x00%d\x00%d", source, expr, span.From, span.To)
	a.mu.Lock()
	answer, ok := a.answers[key]
	if !ok {
		answer = sync.OnceValues(func() ([]float64, error) { return evaluate(ctx, q, expr, span) })
		a.answers[key] = answer
	}
	a.mu.Unlock()
	return answer()
}

func evaluate(ctx context.Context, q metrics.Querier, expr string, span minutes) ([]float64, error) {
	var answer []metrics.Series
	var err error
	if span.len() == 1 {
		answer, err = q.Instant(ctx, expr, ledger.End(span.From))
	} else {
		answer, err = q.Range(ctx, expr, ledger.End(span.From), ledger.End(span.To-1), time.Minute)
	}
	if err != nil {
		return nil, err
	}
	one, err := metrics.One(answer)
	if err != nil {
		return nil, err
	}
	values := make([]float64, span.len())
	for i := range values {
		values[i] = math.NaN()
	}
	for _, p := range one.Points {
		if i := ledger.At(p.Time()) - span.From; i >= 0 && i < span.len() {
			values[i] = p.V
		}
	}
	return values, nil
}

// read counts the minutes of span.
func (x queries) read(ctx context.Context, a *asked, q metrics.Querier, source string, span minutes) ([]ledger.Minute, error) {
	totals, err := a.values(ctx, q, source, x.total, span)
	if err != nil {
		return nil, inQuery("total", err)
	}
	parts, err := a.values(ctx, q, source, x.part, span)
	if err != nil {
		field := "good"
		if x.partIsBad {
			field = "bad"
		}
		return nil, inQuery(field, err)
	}
	counted := make([]ledger.Minute, len(totals))
	for i := range counted {
		counted[i] = x.minute(totals[i], parts[i])
	}
	return counted, nil
}

func inQuery(field string, err error) error {
	if f, ok := fault.As(err); ok {
		return f
	}
	return fmt.Errorf("read %s: %w", field, err)
}

// minute makes a count of two values, NaN being the absence of one. Without a
// total nothing is known. Without a part the total stands alone: a series that
// was never born counted nothing, so that absent errors are no errors, and
// absent successes no success.
func (x queries) minute(total, part float64) ledger.Minute {
	if math.IsNaN(part) {
		part = 0
	}
	if x.partIsBad {
		return ledger.Of(total, part)
	}
	return ledger.Of(total, total-part)
}

// absentAsBad makes unknown minutes bad ones, of as many events as an average
// known minute of the last day has, and of one where none is known.
func absentAsBad(counted []ledger.Minute, lastDay ledger.Sum) {
	events := 1.0
	if lastDay.Known > 0 && lastDay.Total > 0 {
		events = lastDay.Total / float64(lastDay.Known)
	}
	for i, m := range counted {
		if !m.Known {
			counted[i] = ledger.Of(events, events)
		}
	}
}

package slo

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// question is one expression as it is sent to its source.
type question struct {
	ask
	source metrics.Querier
	sent   string
	apart  string // of an instance: what answers for all of its objective, if anything does
}

// questions are what is asked for an objective.
type questions struct {
	def   *Definition
	all   []question
	exact bool // nothing is extrapolated
}

// questions writes the expressions of an objective for their sources.
//
// A counter's increase is taken over the minute itself where the source gives
// exact increases. Elsewhere it is taken over the time estimate, which is several
// scrapes long, and spread evenly over it, so that each event is still counted
// once.
func (s *Service) questions(d *Definition) (questions, error) {
	x := questions{def: d, exact: true}
	for _, a := range d.asks() {
		q, err := s.sources.Get(a.Source)
		if err != nil {
			return x, err
		}
		asked := question{ask: a, source: q, sent: a.Expr}
		if d.Interpolate && a.Counter && a.Field != "total" {
			var estimated bool
			if asked.sent, estimated, err = promexpr.Interpolated(a.Expr); err != nil {
				return x, err
			}
			x.exact = x.exact && !estimated
		}
		if a.Counter {
			over, every := time.Minute, time.Duration(0)
			if !q.Anchored() {
				x.exact = false
				over, every = s.estimateOver(d, a.Source), time.Minute
			}
			if asked.sent, err = promexpr.IncreaseOver(asked.sent, over, q.Anchored(), every); err != nil {
				return x, err
			}
		}
		x.all = append(x.all, asked)
	}
	return x, nil
}

// sent is the expression of a field as it is sent, and "" where there is none.
func (x questions) sent(fields ...string) string {
	for _, q := range x.all {
		if slices.Contains(fields, q.Field) {
			return q.sent
		}
	}
	return ""
}

// estimateOver is the time over which increases are taken from a source that
// only estimates them: four scrapes, as the objective says or else the source.
func (s *Service) estimateOver(d *Definition, source string) time.Duration {
	if d.Scrape > 0 {
		return max(time.Minute, 4*d.Scrape)
	}
	if w, ok := s.sources.(interface {
		IncreaseWindow(name string) (time.Duration, error)
	}); ok {
		if over, err := w.IncreaseWindow(source); err == nil {
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

	together map[string]func() (map[string][]float64, error) // by instance
}

func newAsked() *asked {
	return &asked{answers: map[string]func() ([]float64, error){}, together: map[string]func() (map[string][]float64, error){}}
}

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
	if span.Len() == 1 {
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
	return place(one, span), nil
}

// read counts the minutes of span. The trouble is that of the last minute.
func (x questions) read(ctx context.Context, a *asked, span minutes) (counted []ledger.Minute, last trouble, err error) {
	answers := make([][]float64, len(x.all))
	for i := range x.all {
		q := &x.all[i]
		if answers[i], err = q.values(ctx, a, x.def, span); err != nil {
			return nil, fine, inQuery(q.Field, err)
		}
	}
	counted = make([]ledger.Minute, span.Len())
	values := make([]float64, len(answers))
	for m := range counted {
		for i := range answers {
			values[i] = answers[i][m]
		}
		counted[m], last = x.def.minute(values)
	}
	return counted, last, nil
}

func inQuery(field string, err error) error {
	if f, ok := fault.As(err); ok {
		return f
	}
	return fmt.Errorf("read %s: %w", field, err)
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

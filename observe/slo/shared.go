package slo

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// longestShared is over how many minutes one question stands for all instances of
// an objective; a longer past is read for each by itself.
const longestShared = 20

// shared lets the instances of one objective ask together during a round what no
// source counts by itself: the expression of the whole, with its aggregations kept
// apart by the labels.
type shared struct {
	mu     sync.Mutex
	wholes map[string][]string // by objective: its expressions, kept apart; "" where that cannot be
}

// share has the questions of an instance stand for all of its objective.
func (r *reader) share(x *questions) {
	of := x.def.Instance
	if of == nil {
		return
	}
	r.shared.mu.Lock()
	defer r.shared.mu.Unlock()
	apart, ok := r.shared.wholes[of.Of]
	if !ok {
		apart = r.s.keptApart(of.Of)
		r.shared.wholes[of.Of] = apart
	}
	for i := range x.all {
		if len(apart) == len(x.all) {
			x.all[i].apart = apart[i]
		}
	}
}

// keptApart are the expressions of an objective, in the order of its asks.
func (s *Service) keptApart(name string) []string {
	s.book.mu.Lock()
	defs := s.book.last
	s.book.mu.Unlock()
	if defs == nil || defs.byName[name] == nil || defs.byName[name].def.Grouping == nil {
		return nil
	}
	whole := defs.byName[name].def
	asked, err := s.questions(whole)
	if err != nil {
		return nil
	}
	all := make([]string, len(asked.all))
	for i, q := range asked.all {
		if apart, ok := promexpr.ApartBy(q.sent, whole.Grouping.By); ok {
			all[i] = apart
		}
	}
	return all
}

// values asks a question of an objective for the minutes of a span. An instance
// finds its part in the answer for all; where there is none, for example because
// it would be too long, it asks by itself.
func (q *question) values(ctx context.Context, a *asked, d *Definition, span minutes) ([]float64, error) {
	if q.apart == "" || a == nil || span.Len() > longestShared {
		return a.values(ctx, q.source, q.Source, q.sent, span)
	}
	parts, err := a.parts(ctx, q, d.Instance, span)
	if err != nil && !away(err) && ctx.Err() == nil {
		return a.values(ctx, q.source, q.Source, q.sent, span)
	}
	if part, ok := parts[d.Name]; ok || err != nil {
		return part, err
	}
	return unanswered(span), nil
}

func unanswered(span minutes) []float64 {
	values := make([]float64, span.Len())
	for i := range values {
		values[i] = math.NaN()
	}
	return values
}

// parts evaluates an expression that is kept apart, once for all instances.
func (a *asked) parts(ctx context.Context, q *question, of *Instance, span minutes) (map[string][]float64, error) {
	key := fmt.Sprintf("%s\x00%s\x00%s\x00%d\x00%d", of.Of, q.Source, q.apart, span.From, span.To)
	a.mu.Lock()
	answer, ok := a.together[key]
	if !ok {
		answer = sync.OnceValues(func() (map[string][]float64, error) { return evaluateParts(ctx, q, of, span) })
		a.together[key] = answer
	}
	a.mu.Unlock()
	return answer()
}

func evaluateParts(ctx context.Context, q *question, of *Instance, span minutes) (map[string][]float64, error) {
	var answer []metrics.Series
	var err error
	if span.Len() == 1 {
		answer, err = q.source.Instant(ctx, q.apart, ledger.End(span.From))
	} else {
		answer, err = q.source.Range(ctx, q.apart, ledger.End(span.From), ledger.End(span.To-1), time.Minute)
	}
	if err != nil {
		return nil, err
	}
	by := make([]string, len(of.Labels))
	for i, l := range of.Labels {
		by[i] = l.Name
	}
	grouped := map[string][]metrics.Series{}
	values := make([]string, len(by))
	for _, series := range answer {
		for i, name := range by {
			values[i] = series.Labels[name]
		}
		name := instanceName(of.Of, by, values)
		grouped[name] = append(grouped[name], series)
	}
	parts := make(map[string][]float64, len(grouped))
	for name, series := range grouped {
		one, err := metrics.One(series)
		if err != nil {
			return nil, err
		}
		parts[name] = place(one, span)
	}
	return parts, nil
}

// place puts the points of a series into the minutes of a span.
func place(series metrics.Series, span minutes) []float64 {
	values := unanswered(span)
	for _, p := range series.Points {
		if i := ledger.At(p.Time()) - span.From; i >= 0 && i < span.Len() {
			values[i] = answered(p.V)
		}
	}
	return values
}

package slo

import (
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
)

// pointsPerValue is how many points a measure reads for a span.
const pointsPerValue = 100

// Measures registers what the room measures: for an objective its own figures,
// for a service those of its worst objective at each instant.
func (s *Service) Measures(r *measure.Registry) {
	add := func(id, unit string, better measure.Direction, title text.Both, now func(*row) float64, then func(Series) []*float64, worse func(a, b float64) bool) {
		r.Add(measure.Definition{ID: id, Version: 1, Unit: unit, Better: better, Title: title,
			Source: source{s, now, then, worse}})
	}
	less := func(a, b float64) bool { return a < b }
	add("slo.budget_left", "ratio", measure.HigherIsBetter, text.Say("Error budget left", "エラーバジェットの残り"),
		func(r *row) float64 { return r.BudgetLeft }, func(x Series) []*float64 { return x.BudgetLeft }, less)
	add("slo.sli", "ratio", measure.HigherIsBetter, text.Say("Service level", "サービスレベル"),
		func(r *row) float64 { return r.Sli }, func(x Series) []*float64 { return x.SLI }, less)
	add("slo.burn_rate", "times", measure.LowerIsBetter, text.Say("Burn rate over an hour", "直近1時間のバーンレート"),
		func(r *row) float64 { return r.BurnHour }, func(x Series) []*float64 { return x.Burn["1h"] },
		func(a, b float64) bool { return a > b })
	r.Add(measure.Definition{ID: "slo.policy_state", Version: 1, Unit: "state", Better: measure.LowerIsBetter,
		Title:  text.Say("State under the error-budget policy", "エラーバジェットポリシーの状態"),
		Source: stateSource{s}})
}

// source yields one figure of objectives.
type source struct {
	s     *Service
	now   func(*row) float64
	then  func(Series) []*float64
	worse func(a, b float64) bool
}

// Values returns the figure over time. A span without length asks for the
// present value alone, which is read from what lists show.
func (x source) Values(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
	rows, err := x.rows(ctx, subject)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	if !from.Before(to) {
		return x.present(rows), nil
	}
	worst := map[int64]measure.Value{}
	var times []int64
	for _, r := range rows {
		series, err := x.s.Series(ctx, SeriesQuery{Name: r.Name, From: from, To: to, Points: pointsPerValue})
		if err != nil {
			return nil, err
		}
		for i, v := range x.then(series) {
			at := series.Times[i]
			if v == nil {
				continue
			}
			have, ok := worst[at]
			if !ok {
				times = append(times, at)
			}
			if !ok || x.worse(*v, have.V) {
				worst[at] = measure.Value{At: time.UnixMilli(at).UTC(), V: *v, Known: series.Known[i]}
			}
		}
	}
	return ordered(times, worst), nil
}

// rows are the objectives that a subject stands for.
func (x source) rows(ctx context.Context, subject journal.Ref) ([]*row, error) {
	switch subject.Kind() {
	case "slo":
		r, err := x.s.one(ctx, subject.Name())
		if fault.KindOf(err) == fault.NotFound {
			return nil, nil
		}
		return []*row{r}, err
	case "service":
		rows, _, _, err := x.s.list(ctx, filter{Service: subject.Name()})
		return rows, err
	}
	return nil, nil
}

func (x source) present(rows []*row) []measure.Value {
	var values []measure.Value
	for i := range rows {
		r := rows[i]
		if !r.counted {
			continue
		}
		v := measure.Value{At: database.Time(r.Update), V: x.now(r), Known: r.Known}
		if len(values) == 0 {
			values = append(values, v)
		} else if x.worse(v.V, values[0].V) {
			values[0] = v
		}
	}
	return values
}

// ordered lists the values in order of time.
func ordered(times []int64, values map[int64]measure.Value) []measure.Value {
	slices.Sort(times)
	list := make([]measure.Value, len(times))
	for i, t := range times {
		list[i] = values[t]
	}
	return list
}

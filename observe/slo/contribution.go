package slo

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/burn"
)

// Contribution is the part that the events with one value of a label have in
// what burns.
type Contribution struct {
	Label  string   `json:"label"`
	Value  string   `json:"value"`
	Bad    float64  `json:"bad" doc:"Bad events with that value in the window."`
	Share  float64  `json:"share" doc:"Of all bad events of the window."`
	Events float64  `json:"events" doc:"Share of all events of the window."`
	Before *float64 `json:"before,omitempty" doc:"Share of the bad events of the day before it began; absent where there were none."`
}

const (
	// standsOut is how much more than its part before, and than its part of all
	// events, a value must have in the bad events to be named.
	standsOut = 0.2
	// mostContributions is how many labels are named.
	mostContributions = 3
	// dayBefore is what a window is compared with: the day before the trouble.
	dayBefore = 24 * time.Hour
)

// labelPart is what was counted with one value of a label.
type labelPart struct{ bad, total, before float64 }

// labelParts are the counts of a window by label and value.
type labelParts struct {
	all  labelPart
	by   map[string]map[string]*labelPart
	skip []string // labels that say nothing
}

// add counts one series.
func (p *labelParts) add(labels map[string]string, v float64, into []func(*labelPart) *float64) {
	for _, field := range into {
		*field(&p.all) += v
	}
	for name, value := range labels {
		if slices.Contains(p.skip, name) {
			continue
		}
		if p.by[name] == nil {
			p.by[name] = map[string]*labelPart{}
		}
		if p.by[name][value] == nil {
			p.by[name][value] = &labelPart{}
		}
		for _, field := range into {
			*field(p.by[name][value]) += v
		}
	}
}

// contributions says which label values burn the budget of an objective in a
// window, compared with the day that ended with a calm time before. It asks the objective's own expressions,
// series by series, and finds nothing where they are no sums of counters.
func (s *Service) contributions(ctx context.Context, d *Definition, end time.Time, window time.Duration, calm time.Time) ([]Contribution, error) {
	if d.Composite != nil || d.Total == "" || !d.Counter || d.PartSource != nil {
		return nil, nil
	}
	total, err := promexpr.Count(d.Total)
	if err != nil {
		return nil, nil //nolint:nilerr // not a sum of counters, so nothing can be said
	}
	part, err := promexpr.Count(cmp.Or(d.Bad, d.Good))
	if err != nil {
		return nil, nil //nolint:nilerr // likewise
	}
	q, err := s.sources.Get(d.Source)
	if err != nil {
		return nil, err
	}
	p := &labelParts{by: map[string]map[string]*labelPart{}, skip: append(telling(part, total), "__name__", "le")}
	ask := func(sum promexpr.Sum, sign float64, at time.Time, over time.Duration, into ...func(*labelPart) *float64) {
		if err == nil {
			err = eachSeries(ctx, q, sum, at, over, func(labels map[string]string, v float64) { p.add(labels, sign*v, into) })
		}
	}
	if d.Bad != "" {
		ask(part, 1, end, window, badOf)
		ask(total, 1, end, window, totalOf)
		ask(part, 1, calm, dayBefore, beforeOf)
	} else {
		ask(part, -1, end, window, badOf)
		ask(total, 1, end, window, badOf, totalOf)
		ask(part, -1, calm, dayBefore, beforeOf)
		ask(total, 1, calm, dayBefore, beforeOf)
	}
	if err != nil {
		return nil, err
	}
	return p.rank(), nil
}

func badOf(p *labelPart) *float64    { return &p.bad }
func totalOf(p *labelPart) *float64  { return &p.total }
func beforeOf(p *labelPart) *float64 { return &p.before }

// telling are the labels that tell the bad events, or the good ones, from the
// others: that they stand out says nothing.
func telling(part, total promexpr.Sum) []string {
	in := map[string]bool{}
	for _, t := range total.Terms {
		for _, m := range t.Matchers {
			in[m.String()] = true
		}
	}
	var names []string
	for _, t := range part.Terms {
		for _, m := range t.Matchers {
			if !in[m.String()] {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// eachSeries asks for the increase of each counter of a sum in a window.
func eachSeries(ctx context.Context, q metrics.Querier, sum promexpr.Sum, at time.Time, window time.Duration, take func(labels map[string]string, v float64)) error {
	for _, t := range sum.Terms {
		expr, err := promexpr.IncreaseOver(t.String(), window, q.Anchored(), 0)
		if err != nil {
			return err
		}
		answer, err := q.Instant(ctx, expr, at)
		if err != nil {
			return err
		}
		for _, series := range answer {
			for _, point := range series.Points {
				if v := point.V * t.Weight; !math.IsNaN(v) && !math.IsInf(v, 0) {
					take(series.Labels, v)
				}
			}
		}
	}
	return nil
}

// rank names, of each label with several values, the value that stands out most.
func (p *labelParts) rank() []Contribution {
	if p.all.bad <= 0 || p.all.total <= 0 {
		return nil
	}
	var found []Contribution
	for label, values := range p.by {
		if len(values) < 2 {
			continue
		}
		var best Contribution
		for value, n := range values {
			c := Contribution{Label: label, Value: value, Bad: n.bad, Share: share(n.bad, p.all.bad), Events: share(n.total, p.all.total)}
			if p.all.before > 0.5 {
				was := share(n.before, p.all.before)
				c.Before = &was
			}
			if c.lift() > best.lift() || c.lift() == best.lift() && value < best.Value {
				best = c
			}
		}
		if best.lift() >= standsOut {
			found = append(found, best)
		}
	}
	slices.SortFunc(found, func(a, b Contribution) int {
		return cmp.Or(cmp.Compare(b.lift(), a.lift()), cmp.Compare(a.Label, b.Label))
	})
	return found[:min(len(found), mostContributions)]
}

func share(part, whole float64) float64 { return min(max(part/whole, 0), 1) }

// lift is by how much the value has more of the bad events than is to be
// expected.
func (c Contribution) lift() float64 {
	expected := c.Events
	if c.Before != nil {
		expected = max(expected, *c.Before)
	}
	return c.Share - expected
}

// contributionText says what stands out in a sentence.
func contributionText(all []Contribution) text.Both {
	if len(all) == 0 {
		return text.Say("no label value stands out", "際立つラベルの値はありません")
	}
	var said text.Both
	for i, c := range all {
		one := text.Say("%[1]s=%[2]s burns %[3]s%% of it, with %[4]s%% of the events and no failures the day before",
			"%[1]s=%[2]sが消費の%[3]s%%を占めています(イベントの%[4]s%%、前日の失敗なし)", c.Label, c.Value, perCent(c.Share), perCent(c.Events))
		if c.Before != nil {
			one = text.Say("%[1]s=%[2]s burns %[3]s%% of it, before %[4]s%%", "%[1]s=%[2]sが消費の%[3]s%%を占めています(以前は%[4]s%%)",
				c.Label, c.Value, perCent(c.Share), perCent(*c.Before))
		}
		if i > 0 {
			said.EN, said.JA = said.EN+"; ", said.JA+"。"
		}
		said.EN, said.JA = said.EN+one.EN, said.JA+one.JA
	}
	return said
}

func perCent(v float64) string { return burn.Number(math.Round(v * 100)) }

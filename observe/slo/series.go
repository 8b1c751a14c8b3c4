package slo

import (
	"context"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	// MaxPoints is how many points a series has at most.
	MaxPoints = 1000
	// longestSeries is how far a series may reach.
	longestSeries = 400 * 24 * time.Hour
)

// Series is an objective over time. Point i stands for the step that ends at
// times[i]: good, total, SLI and known are of that step; what is left of the
// budget and the burn rates are of the windows that end there. Null is unknown.
type Series struct {
	From        time.Time             `json:"from"`
	To          time.Time             `json:"to"`
	AsOf        *time.Time            `json:"asOf,omitempty" doc:"When this was known, if that was asked for."`
	StepSeconds int64                 `json:"stepSeconds"`
	Counts      string                `json:"counts" enum:"events,slices" doc:"What good and total are: events, or time slices as the budgeting method says."`
	Times       []int64               `json:"times" doc:"The end of each step, in Unix milliseconds."`
	Good        []*float64            `json:"good"`
	Total       []*float64            `json:"total"`
	SLI         []*float64            `json:"sli"`
	SLILow      []*float64            `json:"sliLow" doc:"The least that the SLI of the step may have been, given the minutes that are not known."`
	SLIHigh     []*float64            `json:"sliHigh" doc:"The most that it may have been."`
	BudgetLeft  []*float64            `json:"budgetLeft"`
	BudgetLow   []*float64            `json:"budgetLow" doc:"The least that may be left of the budget, given the minutes that are not known."`
	BudgetHigh  []*float64            `json:"budgetHigh" doc:"The most that may be left of it."`
	Burn        map[string][]*float64 `json:"burn" doc:"By window."`
	Known       []float64             `json:"known" doc:"Share of the step's minutes with data."`
	WindowKnown []float64             `json:"windowKnown" doc:"Share of the minutes with data in the objective's window that ends at the point. What is left of the budget is provisional where it is well under 1."`
	WindowFrom  []int64               `json:"windowFrom" doc:"When the objective's window that ends at the point began, in Unix milliseconds."`
	Excluded    []float64             `json:"excluded" doc:"Share of the step's minutes that are excluded."`
}

// SeriesQuery says what of an objective to read. A zero From is one period before
// To; a zero To is now, or the time AsOf. With AsOf everything is as it was known
// then.
type SeriesQuery struct {
	Name     string
	From, To time.Time
	AsOf     time.Time
	Points   int // at most
}

// Series returns an objective between two times, read from the ledger. A step is
// a whole number of minutes, and every event of the span is in exactly one.
func (s *Service) Series(ctx context.Context, q SeriesQuery) (Series, error) {
	d, mark, err := s.read(ctx, q.Name, q.AsOf)
	if err != nil {
		return Series{}, err
	}
	span, err := s.spanOf(d, q.From, q.To, q.AsOf, mark)
	if err != nil {
		return Series{}, err
	}
	points := int64(min(max(q.Points, 1), MaxPoints))
	step := max(1, (span.Len()+points-1)/points)
	span.From, step = s.align(span.From, step)
	first := min(d.window().Start(span.From+step), span.From+step-int64(d.longest()/time.Minute))
	c, err := s.account(ctx, s.db.Read(), d, ledger.Between(min(first, span.From), span.To), mark, q.AsOf)
	if err != nil {
		return Series{}, err
	}
	x := c.draw(span, step)
	if !q.AsOf.IsZero() {
		x.AsOf = &q.AsOf
	}
	return x, nil
}

// align has steps that reach into the past of which only hours or days are kept
// begin and end with those.
func (s *Service) align(from, step int64) (int64, int64) {
	grain := int64(1)
	switch day := from / minutesPerDay; {
	case day < dayOf(s.now().Add(-s.retention.Hours)):
		grain = minutesPerDay
	case day < dayOf(s.now().Add(-s.retention.Minutes)):
		grain = ledger.MinutesPerHour
	}
	return from - from%grain, (step + grain - 1) / grain * grain
}

// read returns an objective and the first minute that was not read yet, both as
// they were at asOf, and as they are where that is zero.
func (s *Service) read(ctx context.Context, name string, asOf time.Time) (*Definition, int64, error) {
	d, err := definitionAsOf(ctx, s.db.Read(), name, asOf)
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", name, err)
	}
	watermark, err := s.watermark(ctx, name)
	if err != nil {
		return nil, 0, err
	}
	return d, s.watermarkAsOf(d, watermark, asOf), nil
}

// spanOf is the span of minutes that a person asks for, which has at least one.
func (s *Service) spanOf(d *Definition, from, to, asOf time.Time, mark int64) (minutes, error) {
	now := s.now()
	if !asOf.IsZero() {
		if asOf.After(now) {
			return minutes{}, fault.New(fault.Invalid, "slo.as_of",
				text.Say("nobody knows yet what will be known then", "その時刻はまだ来ていません")).
				Fix(text.Say("choose an asOf that is over", "asOf には過去の時刻を指定してください")).On("query.asOf")
		}
		now = asOf
	}
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-d.Period)
	}
	if !from.Before(to) || to.Sub(from) > longestSeries {
		return minutes{}, fault.New(fault.Invalid, "slo.series_span",
			text.Say("the time span is empty or longer than 400 days", "期間が空か、400日を超えています")).
			Fix(text.Say("choose a from before to", "from を to より前にしてください")).On("query.from")
	}
	span := ledger.Between(ledger.Done(from), ledger.Done(to.Add(time.Minute-1)))
	span.To = min(span.To, max(mark, span.From+1))
	return span, nil
}

// draw makes the points of a series.
func (c *account) draw(span minutes, step int64) Series {
	d, n := c.def, int((span.Len()+step-1)/step)
	x := Series{From: ledger.Start(span.From), To: ledger.Start(span.To), StepSeconds: step * 60, Counts: "events",
		Times: make([]int64, 0, n), Known: make([]float64, 0, n), WindowKnown: make([]float64, 0, n),
		WindowFrom: make([]int64, 0, n), Excluded: make([]float64, 0, n), Burn: map[string][]*float64{}}
	if d.Counting.Sliced() {
		x.Counts = "slices"
	}
	for start := span.From; start < span.To; start += step {
		end := min(start+step, span.To)
		x.Times = append(x.Times, ledger.Start(end).UnixMilli())
		c.drawStep(&x, start, end)
		c.drawWindow(&x, d.window().Start(end), end)
		for _, w := range shownWindows {
			over, label := c.over(end-int64(w/time.Minute), end), label(w)
			x.Burn[label] = append(x.Burn[label], known(over, d.Objective.BurnRate(over)))
		}
	}
	return x
}

// drawStep adds what is of a step.
func (c *account) drawStep(x *Series, start, end int64) {
	in := c.over(start, end)
	low, high := c.bounds(start, end)
	x.Known = append(x.Known, float64(in.Known)/float64(end-start))
	x.Excluded = append(x.Excluded, c.share(start, end))
	x.Good = append(x.Good, known(in, in.Good()))
	x.Total = append(x.Total, known(in, in.Total))
	x.SLI = append(x.SLI, seen(in, burn.SLI(in)))
	x.SLILow = append(x.SLILow, seen(low, burn.SLI(low)))
	x.SLIHigh = append(x.SLIHigh, seen(high, burn.SLI(high)))
}

// drawWindow adds what is of the objective's window.
func (c *account) drawWindow(x *Series, start, end int64) {
	in := c.over(start, end)
	low, high := c.bounds(start, end)
	x.WindowFrom = append(x.WindowFrom, ledger.Start(start).UnixMilli())
	x.WindowKnown = append(x.WindowKnown, float64(in.Known)/float64(end-start))
	x.BudgetLeft = append(x.BudgetLeft, known(in, c.def.Objective.BudgetLeft(in)))
	x.BudgetLow = append(x.BudgetLow, known(in, c.def.Objective.BudgetLeft(low)))
	x.BudgetHigh = append(x.BudgetHigh, known(in, c.def.Objective.BudgetLeft(high)))
}

// known is v where anything is known, and nothing otherwise.
func known(s ledger.Sum, v float64) *float64 {
	if s.Known == 0 {
		return nil
	}
	return &v
}

// seen is v where there were events, and nothing otherwise.
func seen(s ledger.Sum, v float64) *float64 {
	if s.Total == 0 {
		return nil
	}
	return &v
}

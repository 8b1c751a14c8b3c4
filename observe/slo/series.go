package slo

import (
	"context"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
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
	StepSeconds int64                 `json:"stepSeconds"`
	Times       []int64               `json:"times" doc:"The end of each step, in Unix milliseconds."`
	Good        []*float64            `json:"good"`
	Total       []*float64            `json:"total"`
	SLI         []*float64            `json:"sli"`
	BudgetLeft  []*float64            `json:"budgetLeft"`
	Burn        map[string][]*float64 `json:"burn" doc:"By window."`
	Known       []float64             `json:"known" doc:"Share of the step's minutes with data."`
	WindowKnown []float64             `json:"windowKnown" doc:"Share of the minutes with data in the objective's period that ends at the point. What is left of the budget is provisional where it is well under 1."`
}

// Series returns an objective between two times in at most the given number of
// points, read from the ledger. A zero from is one period before to; a zero to
// is now. A step is a whole number of minutes, and every event of the span is in
// exactly one.
func (s *Service) Series(ctx context.Context, name string, from, to time.Time, points int) (Series, error) {
	row, err := db.New(s.db.Read()).GetDefinition(ctx, name)
	if err != nil {
		return Series{}, notFound(name)
	}
	var d Definition
	if err := unmarshal(row.Data, &d); err != nil {
		return Series{}, fmt.Errorf("read %s: %w", name, err)
	}
	status, err := db.New(s.db.Read()).GetStatus(ctx, name)
	if err != nil {
		return Series{}, notFound(name)
	}
	if to.IsZero() {
		to = s.now()
	}
	if from.IsZero() {
		from = to.Add(-d.Period)
	}
	if !from.Before(to) || to.Sub(from) > longestSeries {
		return Series{}, fault.New(fault.Invalid, "slo.series_span",
			text.Say("the time span is empty or longer than 400 days", "期間が空か、400日を超えています")).
			Fix(text.Say("choose a from before to", "from を to より前にしてください")).On("query.from")
	}
	points = min(max(points, 1), MaxPoints)
	span := minutes{ledger.Done(from), ledger.Done(to.Add(time.Minute - 1))}
	span.To = min(span.To, max(status.Watermark, span.From+1))
	step := max(1, (span.len()+int64(points)-1)/int64(points))
	sums, err := s.running(ctx, &d, minutes{span.From - int64(d.longest()/time.Minute), span.To}, status.Watermark)
	if err != nil {
		return Series{}, err
	}
	return draw(&d, sums, span, step), nil
}

// running are the sums of all minutes from the start of a span up to each of its
// minutes, so that what was counted between two is a difference.
type running struct {
	from int64
	sums []ledger.Sum // sums[i] is of the minutes before from+i
}

// running reads a span of the ledger. What lies after the watermark is not
// known, whatever the ledger holds.
func (s *Service) running(ctx context.Context, d *Definition, span minutes, watermark int64) (running, error) {
	h, err := s.history(ctx, s.db.Read(), d, span, time.Time{})
	for at := max(span.From, watermark); at < span.To; at++ {
		h.Minutes[at-span.From] = ledger.Minute{}
	}
	r := running{from: span.From, sums: make([]ledger.Sum, len(h.Minutes)+1)}
	for i, m := range h.Minutes {
		r.sums[i+1] = r.sums[i].Add(m)
	}
	return r, err
}

// between is what was counted in a span of minutes.
func (r running) between(from, to int64) ledger.Sum {
	clamp := func(m int64) int64 { return min(max(m-r.from, 0), int64(len(r.sums)-1)) }
	a, b := r.sums[clamp(from)], r.sums[clamp(to)]
	return ledger.Sum{Total: b.Total - a.Total, Bad: b.Bad - a.Bad, Known: b.Known - a.Known}
}

// draw makes the points of a series.
func draw(d *Definition, sums running, span minutes, step int64) Series {
	x := Series{From: ledger.Start(span.From), To: ledger.Start(span.To), StepSeconds: step * 60, Burn: map[string][]*float64{}}
	n := int((span.len() + step - 1) / step)
	x.Times, x.Known, x.WindowKnown = make([]int64, 0, n), make([]float64, 0, n), make([]float64, 0, n)
	for start := span.From; start < span.To; start += step {
		end := min(start+step, span.To)
		x.Times = append(x.Times, ledger.Start(end).UnixMilli())
		in := sums.between(start, end)
		x.Known = append(x.Known, float64(in.Known)/float64(end-start))
		x.Good = append(x.Good, known(in, in.Good()))
		x.Total = append(x.Total, known(in, in.Total))
		x.SLI = append(x.SLI, seen(in, burn.SLI(in)))
		period := sums.between(end-int64(d.Period/time.Minute), end)
		x.WindowKnown = append(x.WindowKnown, float64(period.Known)/d.Period.Minutes())
		x.BudgetLeft = append(x.BudgetLeft, known(period, d.Objective.BudgetLeft(period)))
		for _, w := range shownWindows {
			over, label := sums.between(end-int64(w/time.Minute), end), label(w)
			x.Burn[label] = append(x.Burn[label], known(over, d.Objective.BurnRate(over)))
		}
	}
	return x
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

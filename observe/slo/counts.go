package slo

import (
	"context"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// mostCounts is how many steps of counts are answered at a time.
const mostCounts = 5000

// steps are the lengths that counts are asked for by, in minutes.
var steps = map[string]int64{"minute": 1, "hour": ledger.MinutesPerHour, "day": minutesPerDay}

// EventCounts are the events of an objective as they were counted, whatever its
// budget makes of them: exclusions and time slices are not applied.
type EventCounts struct {
	From  time.Time  `json:"from"`
	To    time.Time  `json:"to"`
	AsOf  *time.Time `json:"asOf,omitempty" doc:"When this was known, if that was asked for."`
	Step  string     `json:"step" enum:"minute,hour,day"`
	Times []int64    `json:"times" doc:"The start of each step, in Unix milliseconds."`
	Good  []*float64 `json:"good" doc:"Null where nothing is known."`
	Bad   []*float64 `json:"bad"`
	Total []*float64 `json:"total"`
	Known []float64  `json:"known" doc:"Share of the step's minutes with data."`
}

// EventCounts returns the counts of each minute, hour or day (in UTC) of a span.
// The span grows to whole steps.
func (s *Service) EventCounts(ctx context.Context, q SeriesQuery, step string) (EventCounts, error) {
	d, mark, err := s.read(ctx, q.Name, q.AsOf)
	if err != nil {
		return EventCounts{}, err
	}
	if q.From.IsZero() && q.To.IsZero() && step == "minute" {
		q.To = s.now()
		q.From = q.To.Add(-24 * time.Hour)
	}
	span, err := s.spanOf(d, q.From, q.To, q.AsOf, mark)
	if err != nil {
		return EventCounts{}, err
	}
	n := steps[step]
	span = ledger.Between(span.From-span.From%n, (span.To+n-1)/n*n)
	if span.Len()/n > mostCounts {
		return EventCounts{}, fault.New(fault.Invalid, "slo.too_many_steps",
			text.Say("the span has more than %d steps", "期間のステップが%d個を超えています", mostCounts)).
			Fix(text.Say("choose a shorter span or a longer step", "期間を短くするか、step を長くしてください")).On("query.step")
	}
	c, err := s.account(ctx, s.db.Read(), d, span, mark, q.AsOf)
	if err != nil {
		return EventCounts{}, err
	}
	x := EventCounts{From: ledger.Start(span.From), To: ledger.Start(span.To), Step: step}
	if !q.AsOf.IsZero() {
		x.AsOf = &q.AsOf
	}
	for start := span.From; start < span.To; start += n {
		var sum ledger.Sum
		for m := start; m < start+n; m++ {
			sum = sum.Add(c.raw[m-c.span.From])
		}
		x.Times = append(x.Times, ledger.Start(start).UnixMilli())
		x.Good = append(x.Good, known(sum, sum.Good()))
		x.Bad = append(x.Bad, known(sum, sum.Bad))
		x.Total = append(x.Total, known(sum, sum.Total))
		x.Known = append(x.Known, float64(sum.Known)/float64(n))
	}
	return x, nil
}

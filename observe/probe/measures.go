package probe

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/pushed"
)

// Measures registers what the room measures.
func (s *Service) Measures(r *measure.Registry) {
	r.Add(measure.Definition{
		ID: "probe.availability", Version: 1, Unit: "ratio", Better: measure.HigherIsBetter,
		Title: text.Say("Share of probe checks that succeeded", "プローブの成功率"), Source: measure.SourceFunc(s.availability),
	})
}

const steps = 100 // values for a span, at most

// availability is the share of successful checks over time, of a probe from all
// its locations. Known is the share of minutes in which something was checked,
// or was not due.
func (s *Service) availability(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
	if subject.Kind() != "probe" {
		return nil, nil
	}
	single := !from.Before(to) // the present value: that of the last day
	if single {
		from, to = to.Add(-24*time.Hour), to.Add(time.Nanosecond)
	}
	selector := func(extra string) metrics.Selection {
		return metrics.Selection{Expr: fmt.Sprintf("sum(%s{stream=%q,probe=%q%s})", pushed.Metric, Stream, subject.Name(), extra)}
	}
	first, end := metrics.MinuteAfter(from.UnixMilli()), metrics.MinuteAfter(to.UnixMilli())
	got, err := s.Events.Counts(ctx, []metrics.Selection{selector(`,result="good"`), selector("")}, first, end)
	if err != nil {
		return nil, err
	}
	step := max(1, (end-first+steps-1)/steps)
	if single {
		step = end - first
	}
	var values []measure.Value
	for at := first; at < end; at += step {
		good, total, known := 0.0, 0.0, 0
		last := min(at+step, end)
		for i := at - first; i < last-first; i++ {
			if !math.IsNaN(got[1].Values[i]) {
				good, total, known = good+got[0].Values[i], total+got[1].Values[i], known+1
			}
		}
		if total > 0 {
			values = append(values, measure.Value{At: time.Unix(last*60, 0).UTC(), V: good / total, Known: float64(known) / float64(last-at)})
		}
	}
	return values, nil
}

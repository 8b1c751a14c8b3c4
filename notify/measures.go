package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/notify/db"
)

// Measures registers what the room can put a number on. The subject is a
// channel, or "system:notify" for all of them together.
func (s *Service) Measures(r *measure.Registry) {
	r.Add(measure.Definition{
		ID: "notify.delivery_seconds", Version: 1, Unit: "seconds", Better: measure.LowerIsBetter,
		Title: text.Say("Time from what happened to its delivery", "発生から通知が届くまでの時間"),
		Source: s.ended(Delivered, func(happened, ended time.Time) float64 {
			return ended.Sub(happened).Seconds()
		}),
	})
	r.Add(measure.Definition{
		ID: "notify.failed", Version: 1, Unit: "messages", Better: measure.LowerIsBetter,
		Title:  text.Say("Messages that could not be delivered", "届けられなかった通知"),
		Source: s.ended(Failed, func(_, _ time.Time) float64 { return 1 }),
	})
}

// everyChannel is the subject that stands for all channels.
const everyChannel journal.Ref = "system:notify"

// ended yields one value for each delivery that ended in a state, at its end.
func (s *Service) ended(state State, figure func(happened, ended time.Time) float64) measure.Source {
	return measure.SourceFunc(func(ctx context.Context, subject journal.Ref, from, to time.Time) ([]measure.Value, error) {
		q := db.New(s.db.Read())
		var out []measure.Value
		add := func(happened, ended int64) {
			at := database.Time(ended)
			out = append(out, measure.Value{At: at, V: figure(database.Time(happened), at), Known: 1})
		}
		if subject == everyChannel {
			rows, err := q.ListEndedAll(ctx, db.ListEndedAllParams{State: string(state), EndedAt: database.Micros(from), EndedAt_2: database.Micros(to)})
			if err != nil {
				return nil, fmt.Errorf("measure deliveries: %w", database.Fault(err))
			}
			for _, r := range rows {
				add(r.HappenedAt, r.EndedAt)
			}
			return out, nil
		}
		if subject.Kind() != "channel" {
			return nil, nil
		}
		rows, err := q.ListEnded(ctx, db.ListEndedParams{Channel: subject.Name(), State: string(state), EndedAt: database.Micros(from), EndedAt_2: database.Micros(to)})
		if err != nil {
			return nil, fmt.Errorf("measure deliveries: %w", database.Fault(err))
		}
		for _, r := range rows {
			add(r.HappenedAt, r.EndedAt)
		}
		return out, nil
	})
}

package slo

import (
	"context"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/policy"
	"github.com/teiten/teiten/observe/slo/replay"
)

// replayed reads the minutes of a span and of the time before it that its first
// windows reach.
func (s *Service) replayed(ctx context.Context, p toReplay, reach time.Duration) (replay.History, error) {
	from := p.span.From - int64(reach/time.Minute)
	if p.end != policy.Counted { // how much happens in a minute is remembered for up to two periods
		from = min(from, p.span.From-2*int64(max(reach, p.d.Period)/time.Minute))
	}
	span := ledger.Between(p.d.Counting.Start(max(from, 0)), p.span.To)
	raw, err := s.history(ctx, s.db.Read(), p.d, span, time.Time{})
	if err != nil {
		return replay.History{}, err
	}
	excluded, err := excludedMinutes(ctx, s.db.Read(), p.d, span, time.Time{})
	if err != nil {
		return replay.History{}, err
	}
	h := replay.History{First: span.From, Minutes: counted(p.d, span.From, raw.Minutes, excluded)}
	if p.end != policy.Counted {
		h.Doubts = func(c replay.Case) replay.Doubt { return p.relive(c, raw, h, excluded) }
	}
	return h, nil
}

// relive has the alerts of a run read the end of their windows that the live engine
// read: each minute is folded into what is doubted when it is the last.
func (p *toReplay) relive(c replay.Case, raw History, h replay.History, excluded []minutes) replay.Doubt {
	d := *p.d
	d.Period = c.Terms.Period
	m := &member{track: track{def: &d}, excluded: excluded}
	if p.begun < h.First {
		m.doubt.begun = p.begun
	}
	if n := len(raw.Old); n > 0 { // that minutes were thinned out is no gap
		m.doubt.begun = max(m.doubt.begun, raw.Old[n-1].To)
	}
	x := relived{m: m, raw: raw.Minutes, seen: h.Minutes, lumps: raw.Lumps, first: h.First, next: h.First}
	reach := int64(c.Reach() / time.Minute)
	return func(sum ledger.Sum, from, end int64) ledger.Sum {
		if x.next < end {
			x.until(end)
			m.doubt.forget(end - reach)
		}
		low, high := m.doubt.bounds(&d, sum, ledger.Between(from, end), nil)
		if p.end == policy.Low {
			return low
		}
		return high
	}
}

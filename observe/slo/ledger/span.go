package ledger

import (
	"cmp"
	"slices"
	"time"
)

// Span is a time in whole minutes, by their indices: From is in it, To is not.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// Between is the span from one minute on and before another.
func Between(from, to int64) Span { return Span{from, to} }

// Touched is the minutes that a time between two instants touches.
func Touched(from, to time.Time) Span { return Span{Done(from), Done(to.Add(time.Minute - 1))} }

// Len is how many minutes the span has: none or less where it is empty.
func (s Span) Len() int64 { return s.To - s.From }

// Within is the part of the span that lies in another one.
func (s Span) Within(o Span) Span { return Span{max(s.From, o.From), min(s.To, o.To)} }

// Join sorts spans and makes one of those that touch. It reuses the slice.
func Join(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	joined := spans[:0]
	for _, s := range spans {
		if n := len(joined); n > 0 && s.From <= joined[n-1].To {
			joined[n-1].To = max(joined[n-1].To, s.To)
		} else if s.Len() > 0 {
			joined = append(joined, s)
		}
	}
	return joined
}

// Clip cuts spans to the part of each that lies in another one, and drops what is
// empty then. It reuses the slice.
func Clip(spans []Span, to Span) []Span {
	kept := spans[:0]
	for _, s := range spans {
		if s = s.Within(to); s.Len() > 0 {
			kept = append(kept, s)
		}
	}
	return kept
}

// Without cuts a span out of others, and tells how many minutes that were.
func Without(spans []Span, cut Span) (left []Span, n int64) {
	for _, s := range spans {
		for _, side := range []Span{{s.From, min(s.To, cut.From)}, {max(s.From, cut.To), s.To}} {
			if side.Len() > 0 {
				left = append(left, side)
			}
		}
		n += max(s.Within(cut).Len(), 0)
	}
	return left, n
}

// Length is how many minutes spans have together, where none touches another.
func Length(spans []Span) (n int64) {
	for _, s := range spans {
		n += s.Len()
	}
	return n
}

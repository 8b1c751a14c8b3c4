package metrics

import (
	"context"
	"time"
)

// Counting is a Querier that counts the increases of counters exactly, from raw
// samples: nothing is extrapolated, nothing is lost between one span and the
// next, and an increase that was seen late is counted when it was seen.
//
// A minute m, counted since the Unix epoch, covers (m·60 s, (m+1)·60 s].
// Implementations are safe for concurrent use.
type Counting interface {
	Querier

	// Counts returns, for each selection and in its order, what it counted in each
	// minute of [from, to). A selection that cannot be counted has its own Err; an
	// error of the call is that of the source. Selections of one shape are read
	// together, so that callers ask for many at once.
	Counts(ctx context.Context, selections []Selection, from, to int64) ([]Counts, error)

	// Watch counts the selections as samples arrive from now on, so that Counts of
	// recent minutes costs no reading. It replaces the former set. A source that
	// is told of samples only by asking does nothing.
	Watch(selections []Selection)

	// Settled is the first minute of which the source may still learn something:
	// minutes before it do not change by waiting. It is 0 where that is unknown.
	Settled() int64
}

// Beginner is a Counting that knows where its samples begin.
type Beginner interface {
	// Begins is the first minute of which the source has any sample. It is 0 where
	// that is not known.
	Begins() int64
}

// Latecomer is a Counting that is sent samples, which may come after their minute
// was counted.
type Latecomer interface {
	// Late returns what may count otherwise by what came since it was asked last.
	// The same comes again after an abrupt end, unless LateTaken was told of it.
	Late() (changed []Late, mark int64)
	// LateTaken says that what Late returned with a mark is kept elsewhere now.
	LateTaken(mark int64) error
}

// Late is a span of minutes, [From, To), of which samples came late.
type Late struct {
	// Selection is what it concerns. Where its Expr is empty, that is whatever is
	// not counted as samples come, and with All everything.
	Selection Selection
	All       bool
	From, To  int64
}

// Selection is a sum of counters.
type Selection struct {
	// Expr is an expression that promexpr.Countable accepts.
	Expr string
	// By names labels of the counters by which the sum is taken apart. It replaces
	// a grouping that the expression has at its outside.
	By []string
}

// Counts is what one selection counted.
type Counts struct {
	// Values has one number for each minute. It is NaN where nothing was seen: no
	// target of the selection was scraped. Increments that arrived across a gap are
	// in the minute in which they arrived.
	Values []float64
	Lumps  []Lump // in order of To
	Exact  bool   // counted from raw samples
	// Refused are minutes that hold a sample which no counter has, or which is not
	// known well enough. Their values are NaN.
	Refused []Refused
	// Groups is set instead of Values and Lumps where By is, in order of labels.
	Groups []Group
	// Err is why the selection cannot be counted in this span: an Invalid or
	// Limited fault with a remedy. The rest of Counts is then empty.
	Err error
}

// Group is what one combination of values of the By labels counted.
type Group struct {
	Labels map[string]string
	Values []float64
	Lumps  []Lump
	// Refused is that of Counts, of the group.
	Refused []Refused
}

// Refused is a minute that cannot be counted, and why: an Invalid fault with a
// remedy.
type Refused struct {
	Minute int64
	Err    error
}

// Lump is a number of events of which only the span is known: the counter was
// not seen for a while. They are part of the value of minute To and happened in
// one of the minutes [From, To].
type Lump struct {
	From, To int64
	Value    float64
	// AtLeast says that the counter began anew in the meantime, so that there may
	// have been more than Value.
	AtLeast bool
}

// MinuteOf is the minute that holds a moment, given in Unix milliseconds: a
// moment on the minute ends the minute before.
func MinuteOf(ms int64) int64 { return floorDiv(ms-1, time.Minute.Milliseconds()) }

// MinuteAfter is the minute that follows directly on a moment in Unix
// milliseconds.
func MinuteAfter(ms int64) int64 { return floorDiv(ms, time.Minute.Milliseconds()) }

func floorDiv(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}

package slo

import (
	"cmp"
	"context"
	"slices"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/increase"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// readers is how many questions are asked at a time.
const readers = 4

// reading is what was counted for one objective over a span.
type reading struct {
	m       *member
	span    minutes
	empty   minutes // before span: the source had no samples yet
	again   bool    // it was read before
	counted []ledger.Minute
	lumps   []ledger.Lump
	trouble trouble   // of the last minute
	refused error     // why the last minute could not be counted
	said    text.Both // more of the trouble than its word says
	between bool      // a threshold lies between the boundaries of a histogram
	exact   bool
	err     error
}

// reader asks the sources what objectives counted, each thing once.
type reader struct {
	s     *Service
	asked *asked
	down  *failing

	shared shared
}

func (s *Service) newReader() *reader {
	return &reader{s: s, asked: newAsked(), down: &failing{}, shared: shared{wholes: map[string][]string{}}}
}

// read fills in what was counted. Sources that count by themselves are asked for
// all objectives at once, the others for one after the other.
func (r *reader) read(ctx context.Context, all []reading) {
	var single []*reading
	tally := r.newTally()
	for i := range all {
		if x := &all[i]; !tally.add(x) {
			single = append(single, x)
		}
	}
	tally.ask(ctx)
	single = append(single, tally.answer()...)
	slices.SortFunc(single, func(a, b *reading) int {
		return cmp.Or(cmp.Compare(a.m.def.Source, b.m.def.Source), cmp.Compare(a.m.name, b.m.name))
	})
	each(readers, len(single), func(i int) { r.evaluate(ctx, single[i]) })
	for i := range all {
		r.nameBoundaries(ctx, &all[i])
	}
}

// evaluate asks for the expressions of one objective.
func (r *reader) evaluate(ctx context.Context, x *reading) {
	d := x.m.def
	if x.err = r.down.is(d.Source); x.err != nil {
		return
	}
	asked, err := r.s.questions(d)
	if err == nil {
		r.share(&asked)
		x.counted, x.trouble, err = asked.read(ctx, r.asked, x.span)
		x.exact, x.lumps, x.refused = asked.exact, nil, nil
	}
	x.err = err
	r.down.note(d.Source, err)
}

// countable reports whether all that the objective is made of are bare counters,
// which can be counted from raw samples.
func (d *Definition) countable() bool {
	return !slices.ContainsFunc(d.asks(), func(a ask) bool { return !a.Counter || !promexpr.Countable(a.Expr) })
}

// counts reports whether the sources of a member count by themselves.
func (s *Service) counts(m *member) bool { return m.countable && s.countThemselves(m.asks) }

// countThemselves reports whether every source that is asked counts raw samples.
func (s *Service) countThemselves(asks []ask) bool {
	return !slices.ContainsFunc(asks, func(a ask) bool {
		q, err := s.sources.Get(a.Source)
		_, ok := q.(metrics.Counting)
		return err != nil || !ok
	})
}

// tally gathers what is asked of sources that count, one question for each source
// and span.
type tally struct {
	r         *reader
	readings  []*reading
	questions map[tallied]*tallyQuestion
}

type tallied struct {
	source string
	span   minutes
}

// tallyQuestion is one question and its answer.
type tallyQuestion struct {
	selections []metrics.Selection
	place      map[string]int
	found      []metrics.Counts
	err        error
}

func (r *reader) newTally() *tally { return &tally{r: r, questions: map[tallied]*tallyQuestion{}} }

// add takes a reading in, and reports whether its sources count by themselves.
func (t *tally) add(x *reading) bool {
	if !t.r.s.counts(x.m) {
		return false
	}
	t.readings = append(t.readings, x)
	for _, a := range x.m.asks {
		key := tallied{a.Source, x.span}
		q := t.questions[key]
		if q == nil {
			q = &tallyQuestion{place: map[string]int{}}
			t.questions[key] = q
		}
		if _, ok := q.place[a.Expr]; !ok {
			q.place[a.Expr] = len(q.selections)
			q.selections = append(q.selections, metrics.Selection{Expr: a.Expr})
		}
	}
	return true
}

func (t *tally) ask(ctx context.Context) {
	for key, q := range t.questions {
		source, err := t.r.s.sources.Get(key.source)
		if err == nil {
			err = t.r.down.is(key.source)
		}
		if c, ok := source.(metrics.Counting); err == nil && ok {
			q.found, err = c.Counts(ctx, q.selections, key.span.From, key.span.To)
		}
		q.err = err
		t.r.down.note(key.source, err)
	}
}

// answer makes minutes of what was counted. It returns the readings that cannot
// be counted after all.
func (t *tally) answer() (others []*reading) {
	for _, x := range t.readings {
		counts := make([]*metrics.Counts, len(x.m.asks))
		countable := true
		for i, a := range x.m.asks {
			q := t.questions[tallied{a.Source, x.span}]
			if q.err != nil {
				x.err = q.err
				break
			}
			counts[i] = &q.found[q.place[a.Expr]]
			countable = countable && counts[i].Err == nil
		}
		switch {
		case x.err != nil:
		case !countable:
			others = append(others, x)
		default:
			if x.take(counts); x.between && x.m.def.Interpolate {
				others = append(others, x)
			}
		}
	}
	return others
}

// take makes minutes of the counts of each expression.
func (x *reading) take(counts []*metrics.Counts) {
	x.exact = true
	for _, c := range counts {
		x.exact = x.exact && c.Exact
	}
	x.refuse(counts)
	x.counted = make([]ledger.Minute, x.span.Len())
	values := make([]float64, len(counts))
	for at := range x.counted {
		for i, c := range counts {
			values[i] = c.Values[at]
		}
		x.counted[at], x.trouble = x.m.def.minute(values)
		x.between = x.between || x.trouble == noBucket
	}
	if x.m.def.Composite == nil && len(counts) == 2 {
		x.lumps = lumps(counts[0].Lumps, counts[1].Lumps, x.m.def.Bad != "")
	}
}

// refuse marks what could not be counted of samples that were there: that is no
// absence. It notes why, of the last minute, and whether a threshold lies between
// boundaries.
func (x *reading) refuse(counts []*metrics.Counts) {
	for _, c := range counts {
		for _, r := range c.Refused {
			c.Values[r.Minute-x.span.From] = undefined
			f, _ := fault.As(r.Err)
			x.between = x.between || f != nil && f.Code == increase.CodeBetween
			if r.Minute == x.span.To-1 {
				x.refused = r.Err
			}
		}
	}
}

// why is what keeps the last minute from being counted, for people.
func (x *reading) why() text.Both {
	if x.refused != nil && x.trouble == notANumber {
		return unreadReason(x.refused)
	}
	if !x.said.IsZero() {
		return x.said
	}
	return x.trouble.Say()
}

// lumps joins those of total and of good or bad that were seen in the same
// minute.
func lumps(total, part []metrics.Lump, partIsBad bool) []ledger.Lump {
	if len(total)+len(part) == 0 {
		return nil
	}
	joined := map[int64]ledger.Lump{}
	add := func(l metrics.Lump, events, bad float64) {
		j, ok := joined[l.To]
		if !ok {
			j = ledger.Lump{From: l.From, To: l.To}
		}
		j.From = min(j.From, l.From)
		j.Total += events * l.Value
		j.Bad += bad * l.Value
		joined[l.To] = j
	}
	for _, l := range total {
		if partIsBad {
			add(l, 1, 0)
		} else {
			add(l, 1, 1)
		}
	}
	for _, l := range part {
		if partIsBad {
			add(l, 0, 1)
		} else {
			add(l, 0, -1)
		}
	}
	all := make([]ledger.Lump, 0, len(joined))
	for _, l := range joined {
		m := ledger.Of(l.Total, max(l.Bad, 0))
		l.Total, l.Bad = m.Total, m.Bad
		if l.From < l.To && l.Total > 0 {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b ledger.Lump) int { return cmp.Compare(a.To, b.To) })
	return all
}

package slo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// account is what the budget of an objective counts over a span: the ledger seen
// through the exclusions and the budgeting method. Any window inside of it can be
// read at once, with bounds where something is not known.
type account struct {
	def  *Definition
	span minutes

	raw   []ledger.Minute // events as they were counted, without exclusions
	seen  []ledger.Minute // what the budget counts
	sums  []ledger.Sum    // sums[i] is of what is seen before minute span.From+i
	gaps  []int32         // gaps[i] is how many minutes before it are unknown and in no lump, or slices not wholly known
	shaky []ledger.Sum    // shaky[i] is what is seen before it of slices that are not wholly known
	peaks []float64       // the most that was seen in any minute of each hour

	lumps    []lump // by To
	widest   int64  // of the lumps, in minutes
	late     []ledger.Lump
	old      []old // parts of which only sums are kept
	excluded []minutes
	begun    int64 // what is before it is not unknown: there was nothing yet; 0 where that is not known
}

// lump is one of the ledger's. Where an exclusion covers a part of it, nobody can
// tell what of it counts.
type lump struct {
	ledger.Lump
	torn    bool
	counted bool // it is part of what is seen in minute To
}

// account reads what the budget of an objective counted over a span, as it was
// known at asOf, or as it is known now where asOf is zero. Of minutes from
// watermark on nothing is known, whatever the ledger holds.
func (s *Service) account(ctx context.Context, q db.DBTX, d *Definition, span minutes, watermark int64, asOf time.Time) (*account, error) {
	span.From = d.Counting.Start(span.From)
	h, err := s.history(ctx, q, d, span, asOf)
	if err != nil {
		return nil, err
	}
	c := &account{def: d, span: span, raw: h.Minutes, late: h.Lumps, old: h.Old}
	for at := max(span.From, watermark); at < span.To; at++ {
		c.raw[at-span.From] = ledger.Minute{}
	}
	if c.excluded, err = excludedMinutes(ctx, q, d, span, asOf); err != nil {
		return nil, err
	}
	c.late = slices.DeleteFunc(c.late, func(l ledger.Lump) bool { return l.To >= watermark })
	if c.begun, err = s.begun(ctx, d.Name); err != nil {
		return nil, err
	}
	c.see()
	c.add()
	return c, nil
}

// begun is the first minute that an objective may have promised anything of: the
// first with data, or an earlier one that is still to be read. It is 0 where
// nothing was read.
func (s *Service) begun(ctx context.Context, name string) (int64, error) {
	r, err := s.one(ctx, name)
	if fault.KindOf(err) == fault.NotFound {
		return 0, nil // an instance that was retired
	}
	if err != nil || r.standing == nil {
		return 0, err
	}
	begun := r.Begun
	if m := r.standing.state.missing; len(m) > 0 {
		begun = min(begun, m[0].From)
	}
	return begun, nil
}

// see applies exclusions and the budgeting method.
func (c *account) see() {
	c.seen = counted(c.def, c.span.From, c.raw, c.excluded)
	for at := c.span.From; at < min(c.begun, c.span.To); at++ {
		c.seen[at-c.span.From].Known = c.raw[at-c.span.From].Known // excluded, but not yet begun
	}
	for _, o := range c.old {
		o.place(c.raw, c.span.From, o.Events)
		o.place(c.seen, c.span.From, o.Budget)
		c.keepOld(o)
	}
	if c.def.Counting.Sliced() {
		c.doubt(c.late)
		return
	}
	covered := make([]bool, len(c.raw))
	for _, l := range c.late {
		for m := max(l.From, c.span.From); m <= min(l.To, c.span.To-1); m++ {
			covered[m-c.span.From] = true
		}
		c.keep(l)
	}
	slices.SortStableFunc(c.lumps, func(a, b lump) int { return cmp.Compare(a.To, b.To) })
	c.gaps = make([]int32, len(c.seen)+1)
	for i, m := range c.seen {
		c.gaps[i+1] = c.gaps[i]
		if !m.Known && !covered[i] && c.span.From+int64(i) >= c.begun {
			c.gaps[i+1]++
		}
	}
}

// place puts a sum that is all that is left of a part of the past where its last
// minute is, with as many known minutes before it as there were. The first minute
// of all is first.
func (o *old) place(all []ledger.Minute, first int64, sum ledger.Sum) {
	end := first + int64(len(all))
	for m := max(o.From, first); m < min(o.To, end); m++ {
		all[m-first] = ledger.Minute{Known: o.To-m <= int64(sum.Known)}
	}
	if o.To <= end && o.To > first && sum.Known > 0 {
		all[o.To-1-first] = ledger.Minute{Total: sum.Total, Bad: sum.Bad, Known: true}
	}
}

// keepOld takes a part of the past as a lump: where within it events happened is
// not known any more.
func (c *account) keepOld(o old) {
	in := o.To <= c.span.To
	rest := ledger.Lump{From: o.From, To: o.To - 1, Total: o.Budget.Total, Bad: o.Budget.Bad}
	for _, l := range o.Lumps {
		if c.def.Counting.Sliced() || o.Budget != o.Events {
			continue // how much of it counted is not known
		}
		rest.Total -= l.Total
		rest.Bad -= l.Bad
		l.To = o.To - 1
		c.lumps = append(c.lumps, lump{l, false, in})
		c.widest = max(c.widest, l.To-l.From)
	}
	c.lumps = append(c.lumps, lump{rest, false, in})
	c.widest = max(c.widest, o.Len()-1)
}

// oldAt is the part of the past that holds a minute, if only its sum is kept.
func (c *account) oldAt(minute int64) *old {
	i, _ := slices.BinarySearchFunc(c.old, minute, func(o old, m int64) int { return cmp.Compare(o.To-1, m) })
	if i < len(c.old) && c.old[i].From <= minute {
		return &c.old[i]
	}
	return nil
}

// doubt finds the slices that may have been better or worse than they look,
// because a minute of them is not known, or a lump lies in them.
func (c *account) doubt(lumps []ledger.Lump) {
	sure := make([]bool, len(c.raw))
	for i, m := range c.raw {
		sure[i] = m.Known
	}
	for _, l := range lumps {
		for m := max(l.From, c.span.From); m <= min(l.To, c.span.To-1); m++ {
			sure[m-c.span.From] = false
		}
	}
	for _, x := range c.excluded {
		for m := x.From; m < x.To; m++ {
			sure[m-c.span.From] = true
		}
	}
	c.gaps, c.shaky = make([]int32, len(c.seen)+1), make([]ledger.Sum, len(c.seen)+1)
	whole := true
	for i, known := range sure {
		at := c.span.From + int64(i)
		whole = whole && (known || at < c.begun)
		c.gaps[i+1], c.shaky[i+1] = c.gaps[i], c.shaky[i]
		if c.def.Counting.Start(at+1) != at+1 {
			continue
		}
		if !whole {
			c.gaps[i+1]++
			c.shaky[i+1] = c.shaky[i].Add(c.seen[i])
		}
		whole = true
	}
}

// keep takes a lump unless all of it is excluded.
func (c *account) keep(l ledger.Lump) {
	var out int64
	in := l.To < c.span.To
	for _, x := range c.excluded {
		out += max(0, min(x.To, l.To+1)-max(x.From, l.From))
		in = in && (l.To < x.From || l.To >= x.To)
	}
	if out == l.To-l.From+1 {
		return
	}
	c.lumps = append(c.lumps, lump{l, out > 0, in})
	c.widest = max(c.widest, l.To-l.From)
}

// add sums up what is seen.
func (c *account) add() {
	c.sums = make([]ledger.Sum, len(c.seen)+1)
	c.peaks = make([]float64, len(c.seen)/ledger.MinutesPerHour+1)
	late := map[int64]float64{} // what lumps add to the minute in which they were seen
	for _, l := range c.lumps {
		late[l.To] += l.Total
	}
	for i, m := range c.seen {
		c.sums[i+1] = c.sums[i].Add(m)
		if len(late) > 0 {
			m.Total -= late[c.span.From+int64(i)]
		}
		p := &c.peaks[i/ledger.MinutesPerHour]
		*p = max(*p, m.Total)
	}
	for _, o := range c.old {
		for m := max(o.From, c.span.From); m < min(o.To, c.span.To); m++ {
			p := &c.peaks[(m-c.span.From)/ledger.MinutesPerHour]
			*p = max(*p, o.Largest)
		}
	}
}

// clamp is the place of a minute in the running sums.
func (c *account) clamp(minute int64) int64 {
	return min(max(minute-c.span.From, 0), int64(len(c.seen)))
}

// over is what was counted in a span of minutes.
func (c *account) over(from, to int64) ledger.Sum { return c.between(c.sums, from, to) }

func (c *account) between(sums []ledger.Sum, from, to int64) ledger.Sum {
	a, b := sums[c.clamp(from)], sums[c.clamp(to)]
	return ledger.Sum{Total: b.Total - a.Total, Bad: b.Bad - a.Bad, Known: b.Known - a.Known}
}

// bounds are the worst and the best that a span of minutes may have been; see
// [ledger.Bounds]. What lies before what was read is unknown.
func (c *account) bounds(from, to int64) (low, high ledger.Sum) {
	sum, cut := c.over(from, to), []ledger.Lump(nil)
	i, _ := slices.BinarySearchFunc(c.lumps, from, func(l lump, m int64) int { return int(l.To - m) })
	for ; i < len(c.lumps) && c.lumps[i].To-c.widest < to; i++ {
		l := &c.lumps[i]
		if l.From >= to || !l.torn && l.From >= from && l.To < to {
			continue
		}
		if l.counted && l.To < to {
			sum.Total -= l.Total
			sum.Bad -= l.Bad
		}
		cut = append(cut, l.Lump)
	}
	unknown := int(c.gaps[c.clamp(to)] - c.gaps[c.clamp(from)])
	if unread := max(0, c.span.From-max(from, c.begun)); unread > 0 {
		unknown += int(unread / max(1, c.def.Counting.Slice))
	}
	switch {
	case unknown == 0:
		return ledger.Bounds(sum, 0, 0, cut)
	case c.def.Counting.Sliced():
		shaky := c.between(c.shaky, from, to)
		sum.Total -= shaky.Total
		sum.Bad -= shaky.Bad
		return ledger.Bounds(sum, unknown, 1, cut)
	}
	return ledger.Bounds(sum, unknown, c.largest(from, to), cut)
}

// interval is what a span of minutes may have been at worst and at best.
func (c *account) interval(from, to int64) Interval {
	o := c.def.Objective
	low, high := c.bounds(from, to)
	x := Interval{SLILow: burn.SLI(low), SLIHigh: burn.SLI(high), BudgetLow: o.BudgetLeft(low), BudgetHigh: o.BudgetLeft(high)}
	if all := to - max(from, c.begun); all > 0 {
		x.Coverage = float64(c.over(from, to).Known) / float64(all)
	}
	if c.begun > 0 {
		at := ledger.Start(c.begun)
		x.BegunAt = &at
	}
	return x
}

// largest is the most that was seen in any known minute of a span, taken by full
// hours.
func (c *account) largest(from, to int64) (most float64) {
	a, b := c.clamp(from), c.clamp(to)
	for _, p := range c.peaks[a/ledger.MinutesPerHour : (b+ledger.MinutesPerHour-1)/ledger.MinutesPerHour] {
		most = max(most, p)
	}
	return most
}

// share is how much of a span of minutes lies in the excluded ones.
func (c *account) share(from, to int64) float64 {
	var in int64
	for _, x := range c.excluded {
		in += max(0, min(x.To, to)-max(x.From, from))
	}
	return float64(in) / float64(to-from)
}

// watermarkAsOf is the first minute that was not read yet, as it was at an
// instant: what is read now, and no minute that was not settled then.
func (s *Service) watermarkAsOf(d *Definition, now int64, asOf time.Time) int64 {
	if asOf.IsZero() {
		return now
	}
	return min(now, ledger.Done(asOf.Add(-s.soon(d))))
}

// definitionAsOf is an objective as it was defined at an instant, and as it is
// where that is zero.
func definitionAsOf(ctx context.Context, q db.DBTX, name string, asOf time.Time) (*Definition, error) {
	row, err := db.New(q).GetDefinition(ctx, name)
	if err != nil {
		return nil, notFound(name)
	}
	data := row.Data
	if !asOf.IsZero() {
		former, err := db.New(q).DefinitionAsOf(ctx, db.DefinitionAsOfParams{Slo: name, SupersededAt: database.Micros(asOf)})
		if err == nil {
			data = former
		}
	}
	d := &Definition{}
	return d, unmarshal(data, d)
}

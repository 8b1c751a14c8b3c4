package slo

import (
	"slices"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// doubt is what must be remembered of an objective's past to say how far its
// figures may be from the truth: when it began, how much at most happens in a
// minute, and which events have a number but no minute. It is folded from minutes
// that are final, in order.
type doubt struct {
	begun int64      // the first minute that ever had data; 0 before there was any
	peaks [2]float64 // the most events of a minute in this turn of the period, and in the one before
	holes []hole     // ascending
	torn  bool       // a minute of the slice under way is not known
}

// hole is a lump of the ledger, or where slices are counted a run of slices that
// may have been better or worse than they look.
type hole struct {
	ledger.Lump       // of slices: from the first minute of the run to the last, and what was seen of it
	Gap         int64 `json:"gap"`            // minutes of the lump without data; slices of the run
	Torn        bool  `json:"torn,omitempty"` // a part of the lump is excluded
	Out         bool  `json:"out,omitempty"`  // the minute in which the lump was counted is excluded
}

// mostDoubts bounds what is remembered. The oldest are joined then, and what lies
// between them is doubted, too.
const mostDoubts = 128

// folded is one final minute on its way into a doubt.
type folded struct {
	at    int64
	raw   ledger.Minute
	seen  ledger.Minute                    // as the budget counts it
	lumps []ledger.Lump                    // counted in this minute
	view  func(minute int64) ledger.Minute // earlier minutes as the budget counts them
}

// fold takes in the minute that follows.
func (x *doubt) fold(m *member, f folded) {
	if x.begun == 0 && f.raw.Known {
		x.begun = f.at
	}
	if f.at%int64(m.def.Period/time.Minute) == 0 {
		x.peaks = [2]float64{0, x.peaks[0]}
	}
	out := m.excludes(f.at)
	if !out {
		total := f.raw.Total
		for _, l := range f.lumps {
			total -= l.Total
		}
		x.peaks[0] = max(x.peaks[0], total)
	}
	if m.def.Counting.Sliced() {
		x.foldSlice(m, f, out)
		return
	}
	for _, l := range f.lumps {
		x.foldLump(m, f, l)
	}
}

func (x *doubt) foldLump(m *member, f folded, l ledger.Lump) {
	h := hole{Lump: l, Out: m.excludes(f.at)}
	covered := false
	for at := max(l.From, f.at-longestLump); at <= l.To; at++ {
		switch out := m.excludes(at); {
		case out:
			h.Torn = true
		case at < f.at && !f.view(at).Known:
			h.Gap++
			covered = true
		default:
			covered = true
		}
	}
	if covered {
		x.dig(h)
	}
}

// foldSlice notes the slice that ends with the minute, where not all of it is
// known.
func (x *doubt) foldSlice(m *member, f folded, out bool) {
	c := m.def.Counting
	start := c.Start(f.at)
	if f.at == start {
		x.torn = false
	}
	if !f.raw.Known && !out && x.begun > 0 && f.at >= x.begun {
		x.torn = true
	}
	for _, l := range f.lumps {
		x.torn = true
		for from := max(c.Start(l.From), start-longestLump); from < start; from += c.Slice { // slices that looked whole
			if last := from + c.Slice - 1; f.view(last).Known {
				x.digSlice(from, last, f.view(last))
			}
		}
	}
	if x.torn && c.Start(f.at+1) == f.at+1 {
		x.digSlice(start, f.at, f.seen)
	}
}

func (x *doubt) digSlice(from, to int64, seen ledger.Minute) {
	h := hole{Lump: ledger.Lump{From: from, To: to, Total: seen.Total, Bad: seen.Bad}, Gap: 1}
	for i := range x.holes {
		if x.holes[i].From <= from && x.holes[i].To >= to {
			return // it is doubted already
		}
	}
	if n := len(x.holes); n > 0 && h.Total == 0 && x.holes[n-1].Total == 0 && x.holes[n-1].To+1 == from {
		x.holes = slices.Clone(x.holes)
		x.holes[n-1].To, x.holes[n-1].Gap = to, x.holes[n-1].Gap+1
		return
	}
	x.dig(h)
}

// dig adds a hole. Those that were handed out before stay as they are.
func (x *doubt) dig(h hole) {
	x.holes = append(slices.Clone(x.holes), h)
	slices.SortStableFunc(x.holes, func(a, b hole) int { return int(a.To - b.To) })
	if len(x.holes) > mostDoubts {
		a, b := x.holes[0], x.holes[1]
		x.holes = x.holes[1:]
		x.holes[0] = hole{Lump: ledger.Lump{From: min(a.From, b.From), To: b.To, Total: a.Total + b.Total, Bad: a.Bad + b.Bad},
			Gap: a.Gap + b.Gap, Torn: true, Out: b.Out}
	}
}

// forget lets go of holes that no window reaches any more.
func (x *doubt) forget(before int64) {
	for len(x.holes) > 0 && x.holes[0].To < before {
		x.holes = x.holes[1:]
	}
}

// absent is how many minutes of a span are before the objective began. Nothing
// was promised then, so they are not unknown; those that are still to be read may
// be of its time.
func (x *doubt) absent(span minutes, missing []minutes) int64 {
	if x.begun == 0 {
		return 0
	}
	before := ledger.Between(span.From, min(span.To, x.begun))
	if before.Len() <= 0 {
		return 0
	}
	n := before.Len()
	for _, m := range missing {
		n -= max(0, min(m.To, before.To)-max(m.From, before.From))
	}
	return n
}

// bounds are the worst and the best that a span of minutes may have been, of
// which sum was counted; see [ledger.Bounds]. Unknown minutes are taken to have
// had at most as many events as any minute of the last two periods.
func (x *doubt) bounds(d *Definition, sum ledger.Sum, span minutes, missing []minutes) (low, high ledger.Sum) {
	if d.Counting.Sliced() {
		return x.sliceBounds(d, sum, span, missing)
	}
	unknown := span.Len() - x.absent(span, missing) - int64(sum.Known)
	var cut []ledger.Lump
	for i := range x.holes {
		h := &x.holes[i]
		if h.To < span.From || h.From >= span.To {
			continue
		}
		unknown -= max(0, min(h.To, span.To)-max(h.To-h.Gap, span.From))
		if !h.Torn && h.From >= span.From && h.To < span.To {
			continue
		}
		if h.To < span.To && !h.Out { // it is in the sum
			sum.Total, sum.Bad = max(sum.Total-h.Total, 0), max(sum.Bad-h.Bad, 0)
		}
		cut = append(cut, h.Lump)
	}
	return ledger.Bounds(sum, int(max(unknown, 0)), max(x.peaks[0], x.peaks[1]), cut)
}

func (x *doubt) sliceBounds(d *Definition, sum ledger.Sum, span minutes, missing []minutes) (low, high ledger.Sum) {
	slice := d.Counting.Slice
	var unknown int64
	for i := range x.holes {
		h := &x.holes[i]
		if h.To < span.From || h.To >= span.To {
			continue
		}
		unknown += (h.To - max(h.From, d.Counting.Start(span.From)) + slice) / slice
		sum.Total, sum.Bad = max(sum.Total-h.Total, 0), max(sum.Bad-h.Bad, 0)
	}
	before := ledger.Between(span.From, min(span.To, x.begun))
	if x.begun == 0 {
		before.To = span.To
	}
	if n := before.Len(); n > 0 {
		unknown += (n - x.absent(span, missing) + slice - 1) / slice
	}
	return ledger.Bounds(sum, int(unknown), 1, nil)
}

// begun is the first minute of a history that has data, 0 where none has.
func (h *History) begun(first int64) int64 {
	if len(h.Old) > 0 {
		return h.Old[0].From
	}
	if i := slices.IndexFunc(h.Minutes, func(m ledger.Minute) bool { return m.Known }); i >= 0 {
		return first + int64(i)
	}
	return 0
}

// doubtPast finds anew what is in doubt of the minutes before final.
func (m *member) doubtPast(h History, seen []ledger.Minute, first, final int64) {
	lumps := slices.Clone(h.Lumps)
	slices.SortFunc(lumps, func(a, b ledger.Lump) int { return int(a.To - b.To) })
	m.doubt = doubt{begun: m.doubt.begun}
	x := relived{m: m, raw: h.Minutes, seen: seen, lumps: lumps, first: first, next: first}
	x.until(final)
}

// relived is the past of a member on its way into its doubt, minute by minute.
type relived struct {
	m     *member
	raw   []ledger.Minute
	seen  []ledger.Minute // as the budget counts them
	lumps []ledger.Lump   // by To; those that have not come yet
	first int64           // of the minutes
	next  int64           // the first minute that has not been yet
}

// until folds the minutes before end.
func (x *relived) until(end int64) {
	view := func(at int64) ledger.Minute {
		if at < x.first {
			return ledger.Minute{}
		}
		return x.seen[at-x.first]
	}
	for ; x.next < end; x.next++ {
		f := folded{at: x.next, raw: x.raw[x.next-x.first], seen: view(x.next), view: view}
		for len(x.lumps) > 0 && x.lumps[0].To <= x.next {
			if x.lumps[0].To == x.next {
				f.lumps = append(f.lumps, x.lumps[0])
			}
			x.lumps = x.lumps[1:]
		}
		x.m.doubt.fold(x.m, f)
	}
}

// fold takes one of the recent minutes into a doubt.
func (m *member) fold(x *doubt, at int64, raw ledger.Minute) {
	f := folded{at: at, raw: raw, seen: m.at(at), view: m.at}
	for _, l := range m.lumps {
		if l.To == at {
			f.lumps = append(f.lumps, l)
		}
	}
	x.fold(m, f)
}

// at is what the budget counts in a recent minute; older ones are not known.
func (m *member) at(minute int64) ledger.Minute { return m.block.At(m.row, minute) }

// doubts is what is in doubt with the minutes that are not final, from the first
// of them on and up to the watermark.
func (m *member) doubts(final int64) doubt {
	x := m.doubt
	for at := final; at < min(m.watermark, final+int64(len(m.raw))); at++ {
		m.fold(&x, at, m.raw[at-final])
	}
	return x
}

// interval are the bounds of a window of the objective that ends at its
// watermark, and the share of its time with data.
func (t *track) interval(length time.Duration) (low, high ledger.Sum, coverage float64) {
	span := ledger.Between(t.watermark-int64(length/time.Minute), t.watermark)
	if w := t.def.window(); length == t.def.Period && w.Calendar != nil && t.watermark > 0 {
		span.From = w.Start(t.watermark)
	}
	sum := t.over(length)
	low, high = t.doubt.bounds(t.def, sum, span, t.missing)
	if all := span.Len() - t.doubt.absent(span, t.missing); all > 0 {
		coverage = float64(sum.Known) / float64(all)
	}
	return low, high, coverage
}

// Package window slides error-budget windows over per-minute counts.
//
// It holds no clock and does no I/O: callers append minutes in order and read
// windows back. Every window is exact to the minute over its whole length, and
// one more minute costs the same however long the windows are.
package window

import (
	"math"
	"slices"

	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	// Recent is how many minutes a block holds of each objective: any window up
	// to six hours is summed from them, and a minute of the last hour may still
	// turn out otherwise.
	Recent = 7 * ledger.MinutesPerHour

	nowhere = math.MinInt64
)

// Block slides the same windows for many objectives at once. It holds one column
// for each minute rather than one row for each objective, so that a minute that
// is appended, and the one that falls out of a window, lie side by side for all
// of them: sliding eight windows takes some fifty nanoseconds an objective.
//
// Of the minutes it holds the recent ones, and for each window that is longer the
// hour in which it ends: the caller loads those when Edges asks for it. So an
// objective takes some ten kilobytes, however long its windows are.
//
// Sums are exact: whole counts by nature, others because what rounding cuts off
// is kept beside the sum. A block holds no clock, does no I/O, and is not safe
// for use by several goroutines.
type Block struct {
	lengths []int64
	end     int64 // the first minute that was not appended yet
	rows    int
	free    []int
	ring    []column // of minute m at m modulo its length
	wins    []win
	since   int64         // the first minute of the calendar period
	parts   map[int][]win // the sums of rows with counts that are not whole, in columns of one
}

// column is one minute of every row: nought where it is not known.
type column struct {
	total, bad []float64
	known      []uint8
}

// win is one window of every row.
type win struct {
	length    int64 // 0: everything since Block.since
	total     []float64
	bad       []float64
	known     []int32
	rest      [2]float64 // what rounding cut off total and bad, in columns of one; whole counts are not rounded
	edge      int64      // the hour of which the columns are, or nowhere
	edgeHours []column
}

// add is Knuth's sum of two without error.
func add(sum, rest *float64, v float64) {
	s := *sum + v
	part := s - *sum
	left := *rest + ((*sum - (s - part)) + (v - part))
	*sum = s + left
	*rest = left - (*sum - s)
}

// Lasting is a window's sum as it is stored: nothing of it is rounded.
type Lasting struct {
	Total, TotalRest float64
	Bad, BadRest     float64
	Known            int
}

// Sum is the sum as it is read.
func (l Lasting) Sum() ledger.Sum {
	return ledger.Sum{Total: l.Total + l.TotalRest, Bad: l.Bad + l.BadRest, Known: l.Known}
}

func (l Lasting) whole() bool {
	return l.TotalRest == 0 && l.BadRest == 0 && whole(ledger.Minute{Total: l.Total, Bad: l.Bad})
}

// NewBlock returns a block without rows whose windows have the given lengths in
// minutes and end just before minute end. A length of 0 is a calendar period: it
// holds everything since the last Begin.
func NewBlock(end int64, lengths ...int64) *Block {
	b := &Block{lengths: slices.Clone(lengths), end: end, ring: make([]column, Recent), since: nowhere, parts: map[int][]win{}}
	for _, n := range lengths {
		w := win{length: n, edge: nowhere}
		if n > Recent {
			w.edgeHours = make([]column, ledger.MinutesPerHour)
		}
		b.wins = append(b.wins, w)
	}
	return b
}

func hourOf(minute int64) int64 { return minute / ledger.MinutesPerHour }

// End is the first minute that was not appended yet.
func (b *Block) End() int64 { return b.end }

// Rows is one more than the highest row.
func (b *Block) Rows() int { return b.rows }

// Add returns a new row without data.
func (b *Block) Add() int {
	if n := len(b.free); n > 0 {
		row := b.free[n-1]
		b.free = b.free[:n-1]
		return row
	}
	b.rows++
	for _, c := range b.columns() {
		c.total, c.bad, c.known = append(c.total, 0), append(c.bad, 0), append(c.known, 0)
	}
	for i := range b.wins {
		w := &b.wins[i]
		w.total, w.bad, w.known = append(w.total, 0), append(w.bad, 0), append(w.known, 0)
	}
	return b.rows - 1
}

// Remove forgets a row, which Add may give out again.
func (b *Block) Remove(row int) {
	for _, c := range b.columns() {
		c.set(row, ledger.Minute{})
	}
	b.clear(row)
	b.free = append(b.free, row)
}

// clear has every window of a row hold nothing.
func (b *Block) clear(row int) {
	delete(b.parts, row)
	for i := range b.wins {
		b.wins[i].put(row, Lasting{})
	}
}

// columns are all that the block has.
func (b *Block) columns() []*column {
	var all []*column
	for i := range b.ring {
		all = append(all, &b.ring[i])
	}
	for i := range b.wins {
		for j := range b.wins[i].edgeHours {
			all = append(all, &b.wins[i].edgeHours[j])
		}
	}
	return all
}

func (c *column) set(row int, m ledger.Minute) {
	c.total[row], c.bad[row], c.known[row] = m.Total, m.Bad, 0
	if m.Known {
		c.known[row] = 1
	}
}

func (c *column) at(row int) ledger.Minute {
	return ledger.Minute{Total: c.total[row], Bad: c.bad[row], Known: c.known[row] == 1}
}

func (b *Block) recent(minute int64) *column { return &b.ring[minute%Recent] }

// windows are those in which a row is summed, and its place in them.
func (b *Block) windows(row int) ([]win, int) {
	if len(b.parts) > 0 {
		if parts, ok := b.parts[row]; ok {
			return parts, 0
		}
	}
	return b.wins, row
}

// split has a row with a count that is not whole summed by itself.
func (b *Block) split(row int) {
	if _, ok := b.parts[row]; ok {
		return
	}
	parts := make([]win, len(b.wins))
	for i := range parts {
		w := &b.wins[i]
		parts[i] = win{length: w.length, total: []float64{w.total[row]}, bad: []float64{w.bad[row]}, known: []int32{w.known[row]}}
	}
	b.parts[row] = parts
}

func whole(m ledger.Minute) bool { return m.Total == math.Trunc(m.Total) && m.Bad == math.Trunc(m.Bad) }

// Begin has the calendar period begin at minute since, unless it does already.
// What is summed up until then is forgotten, so it is called before the first
// minute of the period is appended.
func (b *Block) Begin(since int64) {
	if b.since == since {
		return
	}
	if b.since != nowhere {
		for i := range b.wins {
			if b.wins[i].length != 0 {
				continue
			}
			for row := range b.rows {
				wins, at := b.windows(row)
				wins[i].put(at, Lasting{})
			}
		}
	}
	b.since = since
}

// Edge is an hour that a window reaches the end of.
type Edge struct {
	Window int
	Hour   int64
}

// Edges lists the hours that must be loaded before the next minute can be
// appended.
func (b *Block) Edges() []Edge {
	var wanted []Edge
	for i, w := range b.wins {
		if w.edgeHours == nil {
			continue
		}
		if hour := hourOf(b.end - w.length); hour != w.edge {
			wanted = append(wanted, Edge{i, hour})
		}
	}
	return wanted
}

// Load gives the block an hour that Edges asked for.
func (b *Block) Load(e Edge, of func(row int) *ledger.Hour) {
	w := &b.wins[e.Window]
	w.edge = e.Hour
	for row := range b.rows {
		w.loadRow(row, of(row))
	}
}

func (w *win) loadRow(row int, h *ledger.Hour) {
	for i := range w.edgeHours {
		var m ledger.Minute
		if h != nil {
			m = h[i]
		}
		w.edgeHours[i].set(row, m)
	}
}

// Append adds the minute End of every row. Edges must be loaded.
func (b *Block) Append(minutes []ledger.Minute) {
	for row, m := range minutes {
		if !whole(m) {
			b.split(row)
		}
	}
	// What falls out is taken away before the new minute takes its place: the
	// longest window that reads the ring is as long as it.
	for i := range b.wins {
		if c := b.leaving(&b.wins[i]); c != nil {
			b.wins[i].slide(c, -1)
			for row, parts := range b.parts {
				parts[i].change(0, c.at(row), ledger.Minute{})
			}
		}
	}
	c := b.recent(b.end)
	for row, m := range minutes {
		c.set(row, m)
	}
	for i := range b.wins {
		b.wins[i].slide(c, 1)
		for row, parts := range b.parts {
			parts[i].change(0, ledger.Minute{}, c.at(row))
		}
	}
	b.end++
}

// leaving is the minute that falls out of a window when the next is appended.
func (b *Block) leaving(w *win) *column {
	out := b.end - w.length
	switch {
	case w.length == 0 || out < 0:
		return nil
	case w.edgeHours != nil:
		return &w.edgeHours[out%ledger.MinutesPerHour]
	}
	return b.recent(out)
}

// slide adds a column to the window, or with −1 takes it away. It is where the
// time goes: a loop without branches.
func (w *win) slide(c *column, sign float64) {
	n := len(c.total)
	total, bad, known := w.total[:n], w.bad[:n], w.known[:n]
	bads, knowns := c.bad[:n], c.known[:n]
	if sign < 0 {
		for i, v := range c.total {
			total[i] -= v
			bad[i] -= bads[i]
			known[i] -= int32(knowns[i])
		}
		return
	}
	for i, v := range c.total {
		total[i] += v
		bad[i] += bads[i]
		known[i] += int32(knowns[i])
	}
}

// change replaces a minute of a row within the window.
func (w *win) change(row int, was, now ledger.Minute) {
	if was.Known {
		add(&w.total[row], &w.rest[0], -was.Total)
		add(&w.bad[row], &w.rest[1], -was.Bad)
		w.known[row]--
	}
	if now.Known {
		add(&w.total[row], &w.rest[0], now.Total)
		add(&w.bad[row], &w.rest[1], now.Bad)
		w.known[row]++
	}
}

func (w *win) put(row int, l Lasting) {
	w.total[row], w.bad[row] = l.Total, l.Bad
	w.known[row] = int32(l.Known) //nolint:gosec // minutes of a window
	w.rest = [2]float64{l.TotalRest, l.BadRest}
}

// At returns a recent minute of a row.
func (b *Block) At(row int, minute int64) ledger.Minute {
	if minute >= b.end || minute < b.end-Recent || minute < 0 {
		return ledger.Minute{}
	}
	return b.recent(minute).at(row)
}

// Correct replaces a recent minute of a row. It reports false, and changes
// nothing, where the minute is too old: then the row must be filled anew.
func (b *Block) Correct(row int, minute int64, m ledger.Minute) bool {
	if minute >= b.end || minute < b.end-Recent+ledger.MinutesPerHour || minute < 0 {
		return false
	}
	if !whole(m) {
		b.split(row)
	}
	c := b.recent(minute)
	was := c.at(row)
	wins, at := b.windows(row)
	for i := range wins {
		if minute >= b.start(&wins[i]) {
			wins[i].change(at, was, m)
		}
	}
	c.set(row, m)
	return true
}

// start is the first minute of a window.
func (b *Block) start(w *win) int64 {
	if w.length == 0 {
		return b.since
	}
	return b.end - w.length
}

// Fill makes a row anew from its minutes, the first of which is from. Minutes
// outside are without data.
func (b *Block) Fill(row int, from int64, minutes []ledger.Minute) {
	at := func(m int64) ledger.Minute {
		if i := m - from; i >= 0 && i < int64(len(minutes)) {
			return minutes[i]
		}
		return ledger.Minute{}
	}
	for m := max(b.end-Recent, 0); m < b.end; m++ {
		b.recent(m).set(row, at(m))
	}
	b.clear(row)
	if slices.ContainsFunc(minutes, func(m ledger.Minute) bool { return !whole(m) }) {
		b.split(row)
	}
	wins, place := b.windows(row)
	for i := range wins {
		for m := max(b.start(&wins[i]), from); m < min(b.end, from+int64(len(minutes))); m++ {
			wins[i].change(place, ledger.Minute{}, minutes[m-from])
		}
	}
	for i := range b.wins {
		w := &b.wins[i]
		if w.edgeHours != nil && w.edge != nowhere {
			for j := range w.edgeHours {
				w.edgeHours[j].set(row, at(w.edge*ledger.MinutesPerHour+int64(j)))
			}
		}
	}
}

// Restore makes a row anew from sums that were stored, and the recent minutes,
// which begin at from. The hours of its edges must be loaded after it.
func (b *Block) Restore(row int, sums []Lasting, from int64, minutes []ledger.Minute) {
	b.Fill(row, from, minutes)
	if slices.ContainsFunc(sums, func(l Lasting) bool { return !l.whole() }) {
		b.split(row)
	}
	wins, at := b.windows(row)
	for i := range wins {
		wins[i].put(at, sums[i])
		b.wins[i].edge = nowhere
	}
}

// Sums appends what each window of a row holds, in the order of their lengths as
// they were given.
func (b *Block) Sums(dst []Lasting, row int) []Lasting {
	wins, at := b.windows(row)
	for i := range wins {
		w := &wins[i]
		dst = append(dst, Lasting{w.total[at], w.rest[0], w.bad[at], w.rest[1], int(w.known[at])})
	}
	return dst
}

// Sum is what the window with the given index of a row holds.
func (b *Block) Sum(row, i int) ledger.Sum {
	wins, at := b.windows(row)
	w := &wins[i]
	return Lasting{w.total[at], w.rest[0], w.bad[at], w.rest[1], int(w.known[at])}.Sum()
}

// Over sums the last minutes of a row, at most Recent of them.
func (b *Block) Over(row int, minutes int64) ledger.Sum {
	var s ledger.Sum
	for m := max(b.end-min(minutes, Recent), 0); m < b.end; m++ {
		s = s.Add(b.recent(m).at(row))
	}
	return s
}

// Lengths are those that NewBlock was given.
func (b *Block) Lengths() []int64 { return b.lengths }

// Bytes is how much memory the block takes, without what Go keeps in reserve.
func (b *Block) Bytes() int {
	n := len(b.columns()) * (72 + 17*b.rows)
	return n + len(b.wins)*(128+(8+8+4)*b.rows+200*len(b.parts))
}

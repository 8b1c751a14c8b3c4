package window

import (
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// spareHours is how far the windows can be rewound without being loaded again.
const spareHours = 3

// Windows holds several windows of one objective, row by row: all minutes of one
// objective lie side by side, packed. It is what Block is held against, for its
// results and for its speed, and no part of the program.
type Windows struct {
	lengths []int64 // minutes, as they were given
	sums    []ledger.Sum
	edges   []edge // for each window the unpacked hour that its far end is in

	ring     []hour // packed past hours, at index number modulo length
	open     ledger.Hour
	openHour int64
	end      int64 // the first minute that was not appended yet
	stale    bool  // sums must be taken afresh before they are used
	buf      []byte
}

type hour struct {
	number int64
	data   []byte
	sum    ledger.Sum
}

type edge struct {
	number  int64
	minutes ledger.Hour
}

// New returns windows of the given lengths, whole minutes each, that end just
// before minute start and have no data yet.
func New(start int64, lengths ...time.Duration) *Windows {
	w := &Windows{end: start, openHour: hourOf(start)}
	var longest int64
	for _, d := range lengths {
		n := int64(d / time.Minute)
		w.lengths = append(w.lengths, n)
		longest = max(longest, n)
	}
	w.sums = make([]ledger.Sum, len(w.lengths))
	w.edges = make([]edge, len(w.lengths))
	w.ring = make([]hour, longest/ledger.MinutesPerHour+2+spareHours)
	w.forget()
	for i := range w.ring {
		w.ring[i].number = nowhere
	}
	return w
}

// End is the first minute that was not appended yet.
func (w *Windows) End() int64 { return w.end }

// Since is the first minute that the longest window may still reach after a
// rewind; hours before it are not held.
func (w *Windows) Since() int64 {
	return (w.openHour - int64(len(w.ring)) + 1) * ledger.MinutesPerHour
}

// Append adds the minute that follows the last one. Minutes that were skipped
// are without data. A minute before End is corrected.
func (w *Windows) Append(minute int64, m ledger.Minute) {
	if minute < w.end {
		w.Correct(minute, m)
		return
	}
	if minute-w.end > int64(len(w.ring))*ledger.MinutesPerHour {
		w.clear(minute)
	}
	for w.end < minute {
		w.push(ledger.Minute{})
	}
	w.push(m)
}

// push is the one step that every minute takes: each window gains the new
// minute and loses the one that falls out at its far end.
func (w *Windows) push(m ledger.Minute) {
	if h := hourOf(w.end); h != w.openHour {
		w.seal(h)
	}
	w.open[w.end%ledger.MinutesPerHour] = m
	if !w.stale {
		for i, n := range w.lengths {
			s := &w.sums[i]
			if m.Known {
				s.Total += m.Total
				s.Bad += m.Bad
				s.Known++
			}
			if old := w.at(&w.edges[i], w.end-n); old.Known {
				s.Total -= old.Total
				s.Bad -= old.Bad
				s.Known--
			}
		}
	}
	w.end++
}

// seal packs the open hour away and starts the next. The sums are taken afresh
// then, so that the rounding of fractional counts never adds up for longer than
// an hour; whole counts have no rounding.
func (w *Windows) seal(next int64) {
	w.put(w.openHour, &w.open)
	w.open = ledger.Hour{}
	w.openHour = next
	w.stale = true
	w.fresh()
}

func (w *Windows) put(number int64, h *ledger.Hour) {
	w.buf = h.Pack(w.buf[:0])
	slot := w.slot(number)
	*slot = hour{number: number, data: append(slot.data[:0:0], w.buf...), sum: h.Sum()}
}

func (w *Windows) slot(number int64) *hour { return &w.ring[number%int64(len(w.ring))] }

// at returns the minute, through the unpacked hour of one window's far end.
func (w *Windows) at(e *edge, minute int64) *ledger.Minute {
	if minute < 0 {
		return &ledger.Minute{}
	}
	h := hourOf(minute)
	if h == w.openHour {
		return &w.open[minute%ledger.MinutesPerHour]
	}
	if e.number != h {
		w.unpack(h, &e.minutes)
		e.number = h
	}
	return &e.minutes[minute%ledger.MinutesPerHour]
}

func (w *Windows) unpack(number int64, h *ledger.Hour) {
	slot := w.slot(number)
	if slot.number != number || h.Unpack(slot.data) != nil {
		*h = ledger.Hour{}
	}
}

// fresh takes every sum from the hours, where something made it necessary.
func (w *Windows) fresh() {
	if !w.stale {
		return
	}
	w.stale = false
	var h ledger.Hour
	for i, n := range w.lengths {
		w.sums[i] = w.total(w.end-n, w.end, &h)
	}
}

func (w *Windows) total(from, to int64, h *ledger.Hour) ledger.Sum {
	var s ledger.Sum
	for m := max(from, 0); m < to; {
		number := hourOf(m)
		stop := min((number+1)*ledger.MinutesPerHour, to)
		switch slot := w.slot(number); {
		case number == w.openHour:
			*h = w.open
		case slot.number != number:
			m = stop
			continue
		case stop-m == ledger.MinutesPerHour:
			s = s.Plus(slot.sum)
			m = stop
			continue
		default:
			w.unpack(number, h)
		}
		for ; m < stop; m++ {
			s = s.Add(h[m%ledger.MinutesPerHour])
		}
	}
	return s
}

// Correct replaces a minute before End. It reports false, and changes nothing,
// where the minute is too old to be in any window.
func (w *Windows) Correct(minute int64, m ledger.Minute) bool {
	if minute >= w.end || minute < max(w.Since(), 0) {
		return false
	}
	number := hourOf(minute)
	if number == w.openHour {
		w.open[minute%ledger.MinutesPerHour] = m
	} else {
		var h ledger.Hour
		w.unpack(number, &h)
		h[minute%ledger.MinutesPerHour] = m
		w.put(number, &h)
	}
	w.forget()
	return true
}

// Load replaces an hour, as it was read from the database or back-filled. Only
// minutes before End are taken. It reports false, and changes nothing, where
// the hour is too old, or yet to come.
func (w *Windows) Load(number int64, h *ledger.Hour) bool {
	first := number * ledger.MinutesPerHour
	if first < max(w.Since(), 0) || first >= w.end {
		return false
	}
	if number == w.openHour {
		for i := range w.open {
			if first+int64(i) < w.end {
				w.open[i] = h[i]
			}
		}
	} else {
		w.put(number, h)
	}
	w.forget()
	return true
}

// Hour returns the minutes of an hour as they are held: without data where they
// were not appended or are too old.
func (w *Windows) Hour(number int64) ledger.Hour {
	if number == w.openHour {
		return w.open
	}
	var h ledger.Hour
	if number < w.openHour && number >= 0 {
		w.unpack(number, &h)
	}
	return h
}

// Rewind takes back every minute from end on, so that it can be appended again.
// It reports false, and changes nothing, where end lies so far back that the
// windows must be loaded anew.
func (w *Windows) Rewind(end int64) bool {
	if end >= w.end {
		return true
	}
	if w.openHour-hourOf(end) > spareHours {
		return false
	}
	number := hourOf(end)
	var h ledger.Hour
	if number == w.openHour {
		h = w.open
	} else {
		w.unpack(number, &h)
	}
	for gone := number; gone < w.openHour; gone++ {
		if slot := w.slot(gone); slot.number == gone {
			slot.number = nowhere
		}
	}
	for i := end % ledger.MinutesPerHour; i < ledger.MinutesPerHour; i++ {
		h[i] = ledger.Minute{}
	}
	w.open, w.openHour, w.end = h, number, end
	w.forget()
	return true
}

// forget makes the next use take sums and far ends afresh.
func (w *Windows) forget() {
	w.stale = true
	for i := range w.edges {
		w.edges[i].number = nowhere
	}
}

func (w *Windows) clear(start int64) {
	for i := range w.ring {
		w.ring[i] = hour{number: nowhere}
	}
	w.open, w.openHour, w.end = ledger.Hour{}, hourOf(start), start
	w.forget()
}

// Over returns what was counted in the window of the given length that ends at
// the last appended minute. The length must be one that New was given;
// otherwise the sum is empty.
func (w *Windows) Over(length time.Duration) ledger.Sum {
	n := int64(length / time.Minute)
	for i, have := range w.lengths {
		if have == n {
			w.fresh()
			return w.sums[i]
		}
	}
	return ledger.Sum{}
}

// Sums returns what was counted in each window, in the order that New was
// given. The slice is the windows' own and changes with the next call.
func (w *Windows) Sums() []ledger.Sum {
	w.fresh()
	return w.sums
}

// Bytes is how much memory the windows take, within a few per cent.
func (w *Windows) Bytes() int {
	const slot, far, fixed = 64, 60*24 + 8, 60*24 + 200
	n := fixed + len(w.edges)*(far+32)
	for _, h := range w.ring {
		n += slot + cap(h.data)
	}
	return n
}

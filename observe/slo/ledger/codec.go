package ledger

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// The layout of a packed hour:
//
//	1 byte    version in the high four bits, flags in the low four
//	8 bytes   which minutes are known               unless all are
//	8 bytes   which totals are not whole            only where some are not
//	8 bytes   which bad counts are not whole        only where some are not
//	…         bits, filled up to a byte: the counts of the known minutes, totals
//	          first: whole ones in a Rice code, of totals the difference from the
//	          whole one before; others as float32
//	…         lumps, to the end: the minute of To in the hour, the minutes back
//	          to From, total and bad
//
// A Rice code writes the low k bits of a number as they are and the rest as so
// many ones and a nought. The k that makes the hour shortest goes before it.
const (
	version = 2

	flagAllKnown   = 1 << 0
	flagPartTotals = 1 << 1
	flagBad        = 1 << 2 // some minute has a bad count
	flagPartBad    = 1 << 3
	everyMinute    = 1<<MinutesPerHour - 1

	mostEvents = 1 << 53 // in a minute, as whole numbers
	// longestSpan is how many minutes a lump may lie back: ten years.
	longestSpan = 10 * 366 * 24 * 60
)

// ErrCorrupt says that the bytes are not a packed hour.
var ErrCorrupt = errors.New("ledger: not a packed hour")

// Pack appends the packed hour to dst and returns it. Minutes and the counts of
// lumps must be as Of returns them, and lumps must be counted in a minute of the
// hour; Unpack then gives the very same record back.
func (r *Record) Pack(dst []byte) []byte {
	var known, partTotal, partBad uint64
	someBad := false
	for i, m := range r.Hour {
		if !m.Known {
			continue
		}
		bit := uint64(1) << i
		known |= bit
		if !whole(m.Total) {
			partTotal |= bit
		}
		if !whole(m.Bad) {
			partBad |= bit
		}
		someBad = someBad || m.Bad != 0
	}
	head := len(dst)
	dst = append(dst, version<<4)
	if known == everyMinute {
		dst[head] |= flagAllKnown
	} else {
		dst = binary.LittleEndian.AppendUint64(dst, known)
	}
	dst = mask(dst, head, flagPartTotals, partTotal)
	dst = mask(dst, head, flagPartBad, partBad)
	w := bitWriter{dst: dst}
	w.counts(known, partTotal, true, func(i int) float64 { return r.Hour[i].Total })
	if someBad {
		w.dst[head] |= flagBad
		w.counts(known, partBad, false, func(i int) float64 { return r.Hour[i].Bad })
	}
	dst = w.close()
	for _, l := range r.Lumps {
		dst = append(dst, byte(l.To-r.First()))
		dst = binary.AppendUvarint(dst, uint64(l.To-l.From))
		dst = appendTagged(appendTagged(dst, l.Total), l.Bad)
	}
	return dst
}

// mask appends a bit set where it is not empty, and marks its flag.
func mask(dst []byte, head int, flag byte, set uint64) []byte {
	if set == 0 {
		return dst
	}
	dst[head] |= flag
	return binary.LittleEndian.AppendUint64(dst, set)
}

// appendTagged appends a count that says in its lowest bit whether it is a whole
// number or a float32.
func appendTagged(dst []byte, v float64) []byte {
	if whole(v) {
		return binary.AppendUvarint(dst, uint64(v)<<1)
	}
	return binary.AppendUvarint(dst, uint64(math.Float32bits(float32(v)))<<1|1)
}

// Unpack reads packed hour number into r. No bytes at all are an hour without
// data. It returns ErrCorrupt, and leaves r without data, for anything that Pack
// does not write.
func (r *Record) Unpack(number int64, data []byte) error {
	*r = Record{Number: number}
	if len(data) == 0 {
		return nil
	}
	ok := false
	switch data[0] >> 4 {
	case 1:
		ok = r.unpack1(data)
	case version:
		ok = r.unpack(data)
	}
	if !ok {
		*r = Record{Number: number}
		return ErrCorrupt
	}
	return nil
}

func (r *Record) unpack(data []byte) bool {
	in := reader{data: data[1:]}
	flags := data[0]
	known := uint64(everyMinute)
	if flags&flagAllKnown == 0 {
		known = in.mask(everyMinute)
	}
	var partTotal, partBad uint64
	if flags&flagPartTotals != 0 {
		partTotal = in.mask(known)
	}
	if flags&flagPartBad != 0 {
		partBad = in.mask(known)
	}
	b := bitReader{data: in.data, failed: in.failed}
	b.counts(known, partTotal, true, func(i int, v float64) { r.Hour[i] = Minute{Total: v, Known: true} })
	if flags&flagBad != 0 {
		b.counts(known, partBad, false, func(i int, v float64) {
			r.Hour[i].Bad = v
			b.failed = b.failed || v > r.Hour[i].Total
		})
	} else {
		b.failed = b.failed || partBad != 0
	}
	in.data, in.failed = b.rest(), b.failed
	for len(in.data) > 0 && !in.failed {
		r.Lumps = append(r.Lumps, in.lump(r.First()))
	}
	return !in.failed
}

// lump reads a lump of the hour that begins at minute first.
func (r *reader) lump(first int64) Lump {
	at := int64(r.data[0])
	r.data = r.data[1:]
	back := int64(r.uvarint())
	l := Lump{To: first + at, From: first + at - back, Total: r.tagged(), Bad: r.tagged()}
	r.failed = r.failed || at >= MinutesPerHour || back > longestSpan || l.Bad > l.Total
	return l
}

// tagged reads what appendTagged wrote.
func (r *reader) tagged() float64 {
	u, n := binary.Uvarint(r.data)
	advance(r, u, n)
	v := float64(u >> 1)
	if u&1 == 1 {
		v = float64(math.Float32frombits(uint32(u >> 1)))
		r.failed = r.failed || u>>1 > math.MaxUint32 || whole(v)
	}
	r.failed = r.failed || !countable(v) || u&1 == 0 && u>>1 > mostEvents
	return v
}

// indices calls each with the bits of a set, the lowest first.
func indices(set uint64, each func(i int)) {
	for ; set != 0; set &= set - 1 {
		each(bits.TrailingZeros64(set))
	}
}

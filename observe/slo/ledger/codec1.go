package ledger

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// The first layout, which is still read:
//
//	1 byte    version in the high four bits, flags in the low four
//	8 bytes   which minutes are known               unless all are
//	8 bytes   which totals are not whole            only where some are not
//	8 bytes   which minutes have a bad count        only where some have
//	8 bytes   which bad counts are not whole        only where some are not
//	…         totals of the known minutes: whole ones as zigzag varints of the
//	          difference from the whole one before, others as float32
//	…         bad counts: whole ones as varints, others as float32
const mostBytes1 = 1 + 4*8 + MinutesPerHour*2*binary.MaxVarintLen64

// unpack1 reads the first layout. It reports false for what is not one.
func (h *Hour) unpack1(data []byte) bool {
	r := reader{data: data[1:]}
	if len(data) > mostBytes1 {
		return false
	}
	flags := data[0]
	known := uint64(everyMinute)
	if flags&flagAllKnown == 0 {
		known = r.mask(everyMinute)
	}
	var partTotal, bad, partBad uint64
	if flags&flagPartTotals != 0 {
		partTotal = r.mask(known)
	}
	if flags&flagBad != 0 {
		bad = r.mask(known)
	}
	if flags&flagPartBad != 0 {
		partBad = r.mask(bad)
	}
	r.totals(h, known, partTotal)
	r.bads(h, bad, partBad)
	return !r.failed && len(r.data) == 0
}

// reader reads bytes and remembers when they were not what was expected.
type reader struct {
	data   []byte
	failed bool
}

// totals reads the totals of the known minutes.
func (r *reader) totals(h *Hour, known, part uint64) {
	var last int64
	for left := known; left != 0 && !r.failed; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		h[i].Known = true
		if part>>i&1 == 1 {
			h[i].Total = r.part()
			continue
		}
		last += r.varint()
		if last < 0 || last > mostEvents {
			r.failed = true
		}
		h[i].Total = float64(last)
	}
}

// bads reads the bad counts, which are neither 0 nor more than the total.
func (r *reader) bads(h *Hour, bad, part uint64) {
	for left := bad; left != 0 && !r.failed; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		if part>>i&1 == 1 {
			h[i].Bad = r.part()
		} else {
			h[i].Bad = float64(r.uvarint())
		}
		if h[i].Bad > h[i].Total || h[i].Bad == 0 {
			r.failed = true
		}
	}
}

// mask reads a bit set, all of whose bits must be within.
func (r *reader) mask(within uint64) uint64 {
	if len(r.data) < 8 {
		r.failed = true
		return 0
	}
	set := binary.LittleEndian.Uint64(r.data)
	r.data = r.data[8:]
	if set&^within != 0 {
		r.failed = true
		return 0
	}
	return set
}

func (r *reader) part() float64 {
	if len(r.data) < 4 {
		r.failed = true
		return 0
	}
	v := float64(math.Float32frombits(binary.LittleEndian.Uint32(r.data)))
	r.data = r.data[4:]
	if !countable(v) || whole(v) {
		r.failed = true
		return 0
	}
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.data)
	return int64(advance(r, uint64(v), n))
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if v > mostEvents {
		n = 0
	}
	return advance(r, v, n)
}

func advance(r *reader, v uint64, n int) uint64 {
	if n <= 0 {
		r.failed = true
		r.data = nil
		return 0
	}
	r.data = r.data[n:]
	return v
}

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
//	8 bytes   which minutes have a bad count        only where some have
//	8 bytes   which bad counts are not whole        only where some are not
//	…         totals of the known minutes: whole ones as zigzag varints of the
//	          difference from the whole one before, others as float32
//	…         bad counts: whole ones as varints, others as float32
const (
	version = 1

	flagAllKnown    = 1 << 0
	flagPartTotals  = 1 << 1
	flagBad         = 1 << 2
	flagPartBad     = 1 << 3
	everyMinute     = 1<<MinutesPerHour - 1
	maxEncodedBytes = 1 + 4*8 + MinutesPerHour*2*binary.MaxVarintLen64
)

// ErrCorrupt says that the bytes are not a packed hour.
var ErrCorrupt = errors.New("ledger: not a packed hour")

// Pack appends the packed hour to dst and returns it. Minutes must be as Of
// returns them; Unpack then gives the very same hour back.
func (h *Hour) Pack(dst []byte) []byte {
	var known, partTotal, bad, partBad uint64
	for i, m := range h {
		if !m.Known {
			continue
		}
		bit := uint64(1) << i
		known |= bit
		if !whole(m.Total) {
			partTotal |= bit
		}
		if m.Bad != 0 {
			bad |= bit
			if !whole(m.Bad) {
				partBad |= bit
			}
		}
	}
	head := len(dst)
	dst = append(dst, version<<4)
	dst = mask(dst, head, flagAllKnown, known, known != everyMinute)
	dst = mask(dst, head, flagPartTotals, partTotal, partTotal != 0)
	dst = mask(dst, head, flagBad, bad, bad != 0)
	dst = mask(dst, head, flagPartBad, partBad, partBad != 0)

	var last int64
	for left := known; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		if partTotal>>i&1 == 1 {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(h[i].Total)))
			continue
		}
		v := int64(h[i].Total)
		dst = binary.AppendVarint(dst, v-last)
		last = v
	}
	for left := bad; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		if partBad>>i&1 == 1 {
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(h[i].Bad)))
			continue
		}
		dst = binary.AppendUvarint(dst, uint64(h[i].Bad))
	}
	return dst
}

// mask appends a bit set when it is present and marks its flag. The first flag
// is marked for absence, since a full hour is the rule.
func mask(dst []byte, head int, flag byte, set uint64, present bool) []byte {
	if present != (flag == flagAllKnown) {
		dst[head] |= flag
	}
	if present {
		dst = binary.LittleEndian.AppendUint64(dst, set)
	}
	return dst
}

// Unpack reads a packed hour into h. No bytes at all are an hour without data.
// It returns ErrCorrupt, and leaves h without data, for anything that Pack does
// not write.
func (h *Hour) Unpack(data []byte) error {
	*h = Hour{}
	if len(data) == 0 {
		return nil
	}
	r := reader{data: data[1:]}
	if data[0]>>4 != version || len(data) > maxEncodedBytes {
		return ErrCorrupt
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
	if r.failed || len(r.data) != 0 {
		*h = Hour{}
		return ErrCorrupt
	}
	return nil
}

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
		if last < 0 || last > 1<<53 {
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
	if v > 1<<53 {
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

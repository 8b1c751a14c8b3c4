package ledger

import (
	"encoding/binary"
	"math"
)

// Column is one minute of many objectives: what was counted at each slot that
// was known, in order of slots. It is what an open hour is made of before it is
// turned by ninety degrees into the hours of each objective.
type Column []Cell

// Cell is one objective's part of a column. Of its events, LateTotal and LateBad
// were seen across a gap: they happened at some time from the minute Since on.
// Since is 0 where there are none.
type Cell struct {
	Slot               int64
	Total, Bad         float64
	Since              int64
	LateTotal, LateBad float64
}

// The layout of a packed column: a byte for the version, then for each cell
//
//	uvarint   difference from the slot before, shifted left by three, with flags
//	…         total: a whole one as uvarint, another as float64
//	…         bad: only where it is not nought, likewise
//	…         where events are late: how many minutes Since lies before the
//	          column's minute as uvarint, and both counts as float64
const (
	columnVersion = 1

	cellPart  = 1 << 0 // a count is not whole: both are float64
	cellBad   = 1 << 1
	cellSince = 1 << 2
)

// Pack appends the packed column of a minute to dst and returns it. Counts must
// be as Of returns them, and slots ascend.
func (c Column) Pack(dst []byte, minute int64) []byte {
	dst = append(dst, columnVersion)
	next := int64(0)
	for _, x := range c {
		head := uint64(x.Slot-next) << 3
		next = x.Slot + 1
		part := !whole(x.Total) || !whole(x.Bad)
		if part {
			head |= cellPart
		}
		if x.Bad != 0 {
			head |= cellBad
		}
		if x.Since != 0 {
			head |= cellSince
		}
		dst = binary.AppendUvarint(dst, head)
		dst = appendCount(dst, x.Total, part)
		if x.Bad != 0 {
			dst = appendCount(dst, x.Bad, part)
		}
		if x.Since != 0 {
			dst = binary.AppendUvarint(dst, uint64(minute-x.Since))
			dst = appendCount(dst, x.LateTotal, true)
			dst = appendCount(dst, x.LateBad, true)
		}
	}
	return dst
}

// appendCount writes a whole number, or with part one of 64 bits: a total may be
// whole beyond the reach of a float32 though the bad count beside it is not.
func appendCount(dst []byte, v float64, part bool) []byte {
	if part {
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
	}
	return binary.AppendUvarint(dst, uint64(v))
}

// UnpackColumn reads what Pack wrote for a minute. It returns ErrCorrupt for
// anything else.
func UnpackColumn(data []byte, minute int64) (Column, error) {
	if len(data) == 0 || data[0] != columnVersion {
		return nil, ErrCorrupt
	}
	r := reader{data: data[1:]}
	c := make(Column, 0, len(data)/4)
	next := int64(0)
	for len(r.data) > 0 && !r.failed {
		head := r.uvarint()
		x := Cell{Slot: next + int64(head>>3)}
		next = x.Slot + 1
		x.Total = r.count(head&cellPart != 0)
		if head&cellBad != 0 {
			x.Bad = r.count(head&cellPart != 0)
			r.failed = r.failed || x.Bad == 0 || x.Bad > x.Total
		}
		if head&cellSince != 0 {
			x.Since = minute - int64(r.uvarint())
			x.LateTotal, x.LateBad = r.count(true), r.count(true)
			r.failed = r.failed || x.Since == 0
		}
		c = append(c, x)
	}
	if r.failed {
		return nil, ErrCorrupt
	}
	return c, nil
}

func (r *reader) count(part bool) float64 {
	if !part {
		return float64(r.uvarint())
	}
	if len(r.data) < 8 {
		r.failed = true
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	r.failed = r.failed || !countable(v)
	return v
}

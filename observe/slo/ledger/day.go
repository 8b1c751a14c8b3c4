package ledger

import (
	"encoding/binary"
	"math"
	"slices"
)

// Digest is what is left of a time whose minutes were given up.
type Digest struct {
	Events  Sum     // as they were counted
	Budget  Sum     // what the budget counted of them when the minutes went
	Largest float64 // the most events in any known minute
	// Lumps are those that began before this time; of those that lie inside,
	// nothing needs to be remembered. Like the rest they count at its end.
	Lumps []Lump
}

// Plus returns the digest of both, o being of the time right after d.
func (d Digest) Plus(o Digest, start int64) Digest {
	sum := Digest{Events: d.Events.Plus(o.Events), Budget: d.Budget.Plus(o.Budget), Largest: max(d.Largest, o.Largest)}
	for _, l := range slices.Concat(d.Lumps, o.Lumps) {
		if l.From < start {
			sum.Lumps = append(sum.Lumps, l)
		}
	}
	return sum
}

// HoursPerDay is how many hours a day in UTC has.
const HoursPerDay = 24

// Day is a day in UTC, of which the minutes were given up: its number since 1970
// and a digest of each hour, or a single one of all.
type Day struct {
	Number int64
	Parts  []Digest
}

// minutesPerDay is the length of a day in minutes.
const minutesPerDay = HoursPerDay * MinutesPerHour

// First is the index of the day's first minute.
func (d *Day) First() int64 { return d.Number * minutesPerDay }

// Length is how many minutes a part has.
func (d *Day) Length() int64 { return minutesPerDay / int64(max(1, len(d.Parts))) }

// Whole returns the day as one digest.
func (d *Day) Whole() Day {
	var sum Digest
	for _, p := range d.Parts {
		sum = sum.Plus(p, d.First())
	}
	return Day{d.Number, []Digest{sum}}
}

// The layout of a packed day: a byte for the version, one for the number of
// parts, and of each part
//
//	uvarint   known minutes, shifted left by two; 1 where the budget counted
//	          something else than the events, 2 where there are lumps
//	…         total and bad events, and the most in a minute
//	…         what the budget counted: known minutes, total and bad
//	…         how many lumps; of each how many minutes before the end of the part
//	          it was seen, how many before that it began, total and bad
const (
	dayVersion  = 1
	partBudget  = 1 << 0
	partLumps   = 1 << 1
	partFlags   = 2
	mostKnown   = minutesPerDay
	mostPerPart = minutesPerDay // lumps
)

// Pack appends the packed day to dst and returns it.
func (d *Day) Pack(dst []byte) []byte {
	dst = append(dst, dayVersion, byte(len(d.Parts)))
	for i, p := range d.Parts {
		head := uint64(p.Events.Known) << partFlags
		if p.Budget != p.Events {
			head |= partBudget
		}
		if len(p.Lumps) > 0 {
			head |= partLumps
		}
		dst = appendSum(binary.AppendUvarint(dst, head), p.Events)
		dst = appendExact(dst, p.Largest)
		if p.Budget != p.Events {
			dst = appendSum(binary.AppendUvarint(dst, uint64(p.Budget.Known)), p.Budget)
		}
		if len(p.Lumps) == 0 {
			continue
		}
		end := d.First() + int64(i+1)*d.Length()
		dst = binary.AppendUvarint(dst, uint64(len(p.Lumps)))
		for _, l := range p.Lumps {
			dst = binary.AppendUvarint(dst, uint64(end-1-l.To))
			dst = binary.AppendUvarint(dst, uint64(l.To-l.From))
			dst = appendExact(appendExact(dst, l.Total), l.Bad)
		}
	}
	return dst
}

func appendSum(dst []byte, s Sum) []byte { return appendExact(appendExact(dst, s.Total), s.Bad) }

// appendExact appends a sum: a whole number, or all bits of another.
func appendExact(dst []byte, v float64) []byte {
	if whole(v) && v >= 0 {
		return binary.AppendUvarint(dst, uint64(v)<<1)
	}
	return binary.LittleEndian.AppendUint64(append(dst, 1), math.Float64bits(v))
}

// Unpack reads packed day number into d. It returns ErrCorrupt, and leaves d
// without parts, for anything that Pack does not write.
func (d *Day) Unpack(number int64, data []byte) error {
	*d = Day{Number: number}
	if len(data) < 2 || data[0] != dayVersion || data[1] != 1 && data[1] != HoursPerDay {
		return ErrCorrupt
	}
	r := reader{data: data[2:]}
	d.Parts = make([]Digest, data[1])
	for i := range d.Parts {
		d.Parts[i] = r.digest(d.First() + int64(i+1)*d.Length())
	}
	if r.failed || len(r.data) > 0 {
		*d = Day{Number: number}
		return ErrCorrupt
	}
	return nil
}

// digest reads the part that ends before minute end.
func (r *reader) digest(end int64) (p Digest) {
	head := r.uvarint()
	p.Events = r.sum(head >> partFlags)
	p.Largest = r.exact()
	p.Budget = p.Events
	if head&partBudget != 0 {
		p.Budget = r.sum(r.uvarint())
	}
	if head&partLumps == 0 {
		return p
	}
	n := r.uvarint()
	if n == 0 || n > mostPerPart {
		r.failed = true
	}
	for range n {
		if r.failed {
			break
		}
		after, back := r.uvarint(), r.uvarint()
		l := Lump{To: end - 1 - int64(after), Total: r.exact(), Bad: r.exact()}
		l.From = l.To - int64(back)
		r.failed = r.failed || after >= minutesPerDay || back > longestSpan
		p.Lumps = append(p.Lumps, l)
	}
	return p
}

func (r *reader) sum(known uint64) Sum {
	r.failed = r.failed || known > mostKnown
	return Sum{Total: r.exact(), Bad: r.exact(), Known: int(known)}
}

// exact reads what appendExact wrote.
func (r *reader) exact() float64 {
	u, n := binary.Uvarint(r.data)
	advance(r, u, n)
	if r.failed || u&1 == 0 {
		r.failed = r.failed || u>>1 > mostEvents
		return float64(u >> 1)
	}
	if u != 1 || len(r.data) < 8 {
		r.failed = true
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(r.data))
	r.data = r.data[8:]
	r.failed = r.failed || math.IsNaN(v) || math.IsInf(v, 0) || whole(v) && v >= 0
	return v
}

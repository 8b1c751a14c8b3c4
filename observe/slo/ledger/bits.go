package ledger

import (
	"math"
	"math/bits"
)

const (
	// mostOnes is the most ones that a Rice code may have; as many stand for a
	// number that follows with its length.
	mostOnes   = 20
	lengthBits = 6 // of the length of a number, and of k
	mostLength = 55
)

func zigzag(v int64) uint64   { return uint64(v<<1) ^ uint64(v>>63) }
func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// bitWriter appends bits, the lowest first.
type bitWriter struct {
	dst  []byte
	held uint64
	n    uint // bits held, fewer than 8
}

func (w *bitWriter) write(v uint64, n uint) {
	for n > 32 {
		w.write(v&math.MaxUint32, 32)
		v, n = v>>32, n-32
	}
	w.held |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.dst = append(w.dst, byte(w.held))
		w.held >>= 8
	}
}

// close fills up the last byte.
func (w *bitWriter) close() []byte {
	if w.n > 0 {
		w.dst = append(w.dst, byte(w.held))
	}
	return w.dst
}

// number writes a number with its length.
func (w *bitWriter) number(v uint64) {
	n := uint(bits.Len64(v))
	w.write(uint64(n), lengthBits)
	w.write(v, n)
}

// rice writes a number in the Rice code of k.
func (w *bitWriter) rice(v uint64, k uint) {
	ones := v >> k
	if ones >= mostOnes {
		w.write(1<<mostOnes-1, mostOnes)
		w.number(v)
		return
	}
	w.write(1<<ones-1, uint(ones)+1)
	w.write(v&(1<<k-1), k)
}

// riceBits is how many bits rice writes.
func riceBits(v uint64, k uint) uint {
	if ones := v >> k; ones < mostOnes {
		return uint(ones) + 1 + k
	}
	return mostOnes + lengthBits + uint(bits.Len64(v))
}

// counts writes the counts of the minutes in a set. Whole ones are Rice coded: as
// differences from the whole one before, of which the first is written apart, or
// as they are.
func (w *bitWriter) counts(set, part uint64, differences bool, count func(i int) float64) {
	var codes [MinutesPerHour]uint64
	var last uint64
	first := true
	n := 0
	indices(set&^part, func(i int) {
		v := uint64(count(i))
		switch {
		case !differences:
			codes[n] = v
		case first:
			w.number(v)
			last, first = v, false
			return
		default:
			codes[n] = zigzag(int64(v - last))
			last = v
		}
		n++
	})
	if n > 0 {
		k := bestK(codes[:n])
		w.write(uint64(k), lengthBits)
		for _, c := range codes[:n] {
			w.rice(c, k)
		}
	}
	indices(part, func(i int) { w.write(uint64(math.Float32bits(float32(count(i)))), 32) })
}

// bestK is the k whose code is the shortest.
func bestK(codes []uint64) uint {
	var sum uint64
	for _, c := range codes {
		sum += c
	}
	// The mean tells the best k to within one or two, unless a few numbers are
	// far larger than the rest; then it is smaller.
	top := min(uint(bits.Len64(sum/uint64(len(codes)))), mostLength-1)
	best, least := uint(0), uint(math.MaxUint)
	for k := range top + 1 {
		var size uint
		for _, c := range codes {
			size += riceBits(c, k)
		}
		if size < least {
			best, least = k, size
		}
	}
	return best
}

// bitReader reads what bitWriter wrote.
type bitReader struct {
	data   []byte
	at     uint // bits read
	failed bool
}

func (r *bitReader) read(n uint) (v uint64) {
	if r.at+n > uint(len(r.data))*8 {
		r.failed = true
		return 0
	}
	for have := uint(0); have < n; {
		take := min(8-r.at%8, n-have)
		v |= uint64(r.data[r.at/8]>>(r.at%8)&(1<<take-1)) << have
		have, r.at = have+take, r.at+take
	}
	return v
}

// rest is what follows the last byte read. The bits that filled it up are noughts.
func (r *bitReader) rest() []byte {
	if over := r.at % 8; over != 0 && r.read(8-over) != 0 {
		r.failed = true
	}
	if r.failed {
		return nil
	}
	return r.data[r.at/8:]
}

func (r *bitReader) number() uint64 {
	n := r.read(lengthBits)
	if n > mostLength {
		r.failed = true
		return 0
	}
	return r.read(uint(n))
}

func (r *bitReader) rice(k uint) uint64 {
	var ones uint64
	for ones < mostOnes && r.read(1) == 1 {
		ones++
	}
	if ones == mostOnes {
		return r.number()
	}
	return ones<<k | r.read(k)
}

// counts reads what bitWriter.counts wrote.
func (r *bitReader) counts(set, part uint64, differences bool, count func(i int, v float64)) {
	coded := bits.OnesCount64(set &^ part)
	var last uint64
	if differences && coded > 0 {
		last = r.number()
	}
	var k uint
	if coded > 1 || coded == 1 && !differences {
		k = uint(r.read(lengthBits))
	}
	r.failed = r.failed || k >= mostLength
	first := differences
	indices(set&^part, func(i int) {
		if r.failed {
			return
		}
		v := last
		switch {
		case first:
			first = false
		case differences:
			v = last + uint64(unzigzag(r.rice(k)))
		default:
			v = r.rice(k)
		}
		last = v
		r.failed = r.failed || v > mostEvents
		count(i, float64(v))
	})
	indices(part, func(i int) {
		if r.failed {
			return
		}
		v := float64(math.Float32frombits(uint32(r.read(32))))
		r.failed = r.failed || !countable(v) || whole(v)
		count(i, v)
	})
}

package slo

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"
	"math/bits"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/window"
)

// standing is where an objective stands at the end of a minute: the sums of its
// windows, and what the next minute must remember. It does not change once it is
// made; it is what is stored for each objective of a shard, and what lists and
// pages show.
type standing struct {
	slot     int64
	end      int64  // the first minute that was not counted
	made     int64  // when, in UTC microseconds
	windows  uint64 // identifies the windows that the sums are of; see Definition.windowsID
	sums     []window.Lasting
	state    state
	slicer   budgeting.Slicer // at the first minute that is not final
	doubt    doubt            // before that minute
	complete bool             // sums and all; otherwise it must be summed up from the ledger
}

// windowsID identifies what the sums of an objective's windows are of. Sums that
// were stored under another are not taken over.
func (d *Definition) windowsID() uint64 {
	h := fnv.New64a()
	h.Write([]byte(marshal([]any{d.lengths(), d.Counting, d.window()})))
	return h.Sum64()
}

// unusual is the part of a state that is empty nearly always.
type unusual struct {
	Rules   map[string]ruleState `json:"rules,omitempty"`
	Missing []minutes            `json:"missing,omitempty"`
	Reason  string               `json:"reason,omitempty"`
	Gone    text.Both            `json:"gone,omitzero"`
	Slicer  *budgeting.Slicer    `json:"slicer,omitempty"`
	Holes   []hole               `json:"holes,omitempty"`
	Torn    bool                 `json:"torn,omitempty"`
}

const (
	standingVersion = 2
	// unsureVersion is the former one, which does not say what is in doubt.
	unsureVersion = 1

	standsExact    = 1 << 0
	standsParts    = 1 << 1 // sums are of 64 bits, with what rounding cut off
	standsUnusual  = 1 << 2 // JSON follows
	standsComplete = 1 << 3
)

// packStandings writes the standings of a shard, in order of slots. final is the
// first minute that may still turn out otherwise; the standings are of end.
func packStandings(final, end, made int64, all []*standing) []byte {
	dst := []byte{standingVersion}
	for _, v := range []int64{final, end, made, int64(len(all))} {
		dst = binary.AppendVarint(dst, v)
	}
	var last int64
	for _, s := range all {
		dst = binary.AppendVarint(dst, s.slot-last)
		last = s.slot
		dst = s.pack(dst)
	}
	return dst
}

func (s *standing) pack(dst []byte) []byte {
	flags, u := s.flags()
	dst = binary.AppendUvarint(dst, flags)
	dst = binary.LittleEndian.AppendUint64(dst, s.windows)
	dst = binary.AppendVarint(dst, s.state.from)
	dst = binary.AppendVarint(dst, s.doubt.begun)
	for _, v := range s.doubt.peaks { // turned around, whole numbers are short
		dst = binary.AppendUvarint(dst, bits.ReverseBytes64(math.Float64bits(v)))
	}
	dst = s.packSums(dst, flags&standsParts != 0)
	if flags&standsUnusual != 0 {
		b := s.state.backfill
		for _, v := range []int64{b.Done, b.Total, b.StartedAt, b.FinishedAt} {
			dst = binary.AppendVarint(dst, v)
		}
		data := marshal(u)
		dst = binary.AppendUvarint(dst, uint64(len(data)))
		dst = append(dst, data...)
	}
	return dst
}

// flags say how the standing is written, and what of it is unusual.
func (s *standing) flags() (flags uint64, u unusual) {
	if s.state.exact {
		flags |= standsExact
	}
	if s.complete {
		flags |= standsComplete
	}
	for _, l := range s.sums {
		if !wholeCount(l.Total) || !wholeCount(l.Bad) || l.TotalRest != 0 || l.BadRest != 0 {
			flags |= standsParts
		}
	}
	u = unusual{Rules: s.state.rules, Missing: s.state.missing, Reason: s.state.backfill.Reason, Gone: s.state.gone,
		Holes: s.doubt.holes, Torn: s.doubt.torn}
	if s.slicer != (budgeting.Slicer{}) {
		u.Slicer = &s.slicer
	}
	if len(u.Rules) > 0 || len(u.Missing) > 0 || u.Reason != "" || !u.Gone.IsZero() || u.Slicer != nil || len(u.Holes) > 0 || u.Torn {
		flags |= standsUnusual
	}
	return flags, u
}

// packSums writes the sums of the windows: as whole numbers, or in all their parts.
func (s *standing) packSums(dst []byte, parts bool) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s.sums)))
	for _, l := range s.sums {
		if parts {
			for _, v := range []float64{l.Total, l.TotalRest, l.Bad, l.BadRest} {
				dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
			}
		} else {
			dst = binary.AppendUvarint(dst, uint64(l.Total))
			dst = binary.AppendUvarint(dst, uint64(l.Bad))
		}
		dst = binary.AppendUvarint(dst, uint64(l.Known))
	}
	return dst
}

func wholeCount(v float64) bool { return v >= 0 && v <= 1<<53 && v == math.Trunc(v) }

var errStandings = errors.New("not the standings of a shard")

// unpackStandings reads what packStandings wrote.
func unpackStandings(data []byte) (final int64, all []*standing, err error) {
	if len(data) == 0 || data[0] != standingVersion && data[0] != unsureVersion {
		return 0, nil, errStandings
	}
	r := unpacker{data: data[1:]}
	final = r.varint()
	end, made, n := r.varint(), r.varint(), r.varint()
	var slot int64
	for i := int64(0); i < n && !r.failed; i++ {
		slot += r.varint()
		s := &standing{slot: slot, end: end, made: made}
		s.unpack(&r, data[0])
		all = append(all, s)
	}
	if r.failed || len(r.data) > 0 {
		return 0, nil, errStandings
	}
	return final, all, nil
}

func (s *standing) unpack(r *unpacker, version byte) {
	flags := r.uvarint()
	s.windows = r.fixed()
	s.state.from = r.varint()
	if version == standingVersion {
		s.doubt.begun = r.varint()
		for i := range s.doubt.peaks {
			s.doubt.peaks[i] = math.Float64frombits(bits.ReverseBytes64(r.uvarint()))
		}
		s.state.doubt = s.doubt
	}
	s.state.watermark = s.end
	s.state.exact, s.complete = flags&standsExact != 0, flags&standsComplete != 0 && version == standingVersion
	n := r.uvarint()
	for i := uint64(0); i < n && !r.failed; i++ {
		var l window.Lasting
		if flags&standsParts == 0 {
			l.Total, l.Bad = float64(r.uvarint()), float64(r.uvarint())
		} else {
			for _, v := range []*float64{&l.Total, &l.TotalRest, &l.Bad, &l.BadRest} {
				*v = math.Float64frombits(r.fixed())
			}
		}
		l.Known = int(r.uvarint())
		s.sums = append(s.sums, l)
	}
	if flags&standsUnusual == 0 {
		return
	}
	b := &s.state.backfill
	for _, v := range []*int64{&b.Done, &b.Total, &b.StartedAt, &b.FinishedAt} {
		*v = r.varint()
	}
	var u unusual
	if err := unmarshal(string(r.bytes(r.uvarint())), &u); err != nil {
		r.failed = true
	}
	s.state.rules, s.state.missing, s.state.gone, b.Reason = u.Rules, u.Missing, u.Gone, u.Reason
	if u.Slicer != nil {
		s.slicer = *u.Slicer
	}
	s.doubt.holes, s.doubt.torn = u.Holes, u.Torn
	s.state.doubt = s.doubt
}

// unpacker reads numbers; after the first that is not there it yields noughts.
type unpacker struct {
	data   []byte
	failed bool
}

func (r *unpacker) bytes(n uint64) []byte {
	if n > uint64(len(r.data)) {
		r.failed, n = true, 0
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *unpacker) fixed() uint64 {
	if b := r.bytes(8); len(b) == 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if n <= 0 {
		r.failed, n, v = true, 0, 0
	}
	r.data = r.data[n:]
	return v
}

func (r *unpacker) varint() int64 {
	v, n := binary.Varint(r.data)
	if n <= 0 {
		r.failed, n, v = true, 0, 0
	}
	r.data = r.data[n:]
	return v
}

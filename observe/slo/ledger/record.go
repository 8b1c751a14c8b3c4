package ledger

import "slices"

// Lump is events whose number is known, but not their minutes: an increment that
// a counter showed across a gap between two samples. They happened in the minutes
// From to To, both included, and are counted in minute To, where they were seen.
// A window whose edge falls inside is therefore known only within bounds.
type Lump struct {
	From, To   int64
	Total, Bad float64
}

// Record is an hour as it is kept: its number since 1970 UTC, its minutes, and
// the lumps that are counted in them.
type Record struct {
	Number int64
	Hour
	Lumps []Lump
}

// First is the index of the hour's first minute.
func (r *Record) First() int64 { return r.Number * MinutesPerHour }

// Equal reports whether both say the same of the same hour.
func (r *Record) Equal(o *Record) bool {
	return r.Number == o.Number && r.Hour == o.Hour && slices.Equal(r.Lumps, o.Lumps)
}

// Pack appends the packed hour, without lumps, to dst and returns it.
func (h *Hour) Pack(dst []byte) []byte {
	r := Record{Hour: *h}
	return r.Pack(dst)
}

// Unpack reads the minutes of a packed hour; see [Record.Unpack].
func (h *Hour) Unpack(data []byte) error {
	var r Record
	err := r.Unpack(0, data)
	*h = r.Hour
	return err
}

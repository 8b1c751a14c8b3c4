package ledger

// Bounds are the worst and the best that a window may have been, given what is
// not known of it: low is the sum with the smallest share of good events, and so
// the least budget left, high the one with the largest. The truth lies between
// them, and both are the window's sum itself where everything is known.
//
// certain is what was counted in the window less the lumps that its edges cut;
// see [Apart]. cut are those lumps: of each, any part of the events may have
// happened inside. unknown is how many minutes (or time slices, where they are
// counted) have no data and lie in no lump. Any share of their events may have
// been bad, from none to all.
//
// The number of events in an unknown minute is assumed to be at most largest:
// the most events in any known minute of the window, and 1 where slices are
// counted. Where nothing is known at all it takes any number, so that the bounds
// are all and nothing.
func Bounds(certain Sum, unknown int, largest float64, cut []Lump) (low, high Sum) {
	low, high = certain, certain
	for _, l := range cut {
		low.Total += l.Bad
		low.Bad += l.Bad
		high.Total += l.Total - l.Bad
	}
	if unknown == 0 {
		return low, high
	}
	if certain.Known == 0 && largest == 0 {
		largest = 1
	}
	events := float64(unknown) * largest
	low.Total += events
	low.Bad += events
	high.Total += events
	return low, high
}

// Apart separates what was counted in the minutes from from to to, to not
// included, from the lumps that these edges cut: events that are counted inside
// but may have happened before, and events that are counted after but may have
// happened inside. Lumps that lie inside as a whole stay in the sum.
func Apart(counted Sum, from, to int64, lumps []Lump) (certain Sum, cut []Lump) {
	for _, l := range lumps {
		before, after := l.From < from && l.To >= from, l.From < to && l.To >= to
		if !before && !after {
			continue
		}
		if l.To < to { // it is in the sum
			counted.Total -= l.Total
			counted.Bad -= l.Bad
		}
		cut = append(cut, l)
	}
	return counted, cut
}

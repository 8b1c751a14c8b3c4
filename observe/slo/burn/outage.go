package burn

import (
	"sort"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// Reach is how far back rules look minute by minute.
const Reach = 6 * time.Hour

// many is how many events one minute must have to tell of an outage by itself.
const many = 20

// readOutage reads an outage off the last minutes: either a minute with many
// events of which at least half failed, or a run of failures without one good
// event, over two minutes or more that have events. Half of a minute is enough
// because then an outage is seen within 90 seconds of its beginning, wherever in
// a minute it begins. Chance must not explain it. It ends when the newest two
// events are good, or more than half of those of a busy minute, or when there
// were none for an hour.
func (j *Judge) readOutage(over Sums, fired bool) Reading {
	if fired {
		return j.readEnd(over)
	}
	x, t := Reading{Rule: &j.rule}, j.terms
	last := over(time.Minute)
	if good(last) && last.Bad < last.Good() { // the common case
		return x
	}
	failed, ok := last, last.Total >= many && last.Bad >= last.Good()
	if !ok {
		failed, ok = run(over)
	}
	if !ok {
		return x
	}
	x.Long, x.Short = failed, failed
	x.LongBurn = j.budget.rate(failed)
	x.ShortBurn = x.LongBurn
	x.Over = true
	if t.Measured {
		// A minute is one observation, however much it measured.
		failed = ledger.Sum{Total: float64(failed.Known), Bad: float64(failed.Known), Known: failed.Known}
	}
	x.Chance = t.null(2).chance(t, failed, over(t.Period))
	x.Guarded = x.Chance > tolerated[j.rule.Severity]
	x.Firing = !x.Guarded
	return x
}

// readEnd tells whether an outage goes on. A window without data is no evidence.
func (j *Judge) readEnd(over Sums) Reading {
	const hour = 60
	n := sort.Search(hour, func(i int) bool { return over(time.Duration(i+1)*time.Minute).Total >= 2 }) + 1
	s := over(time.Duration(min(n, hour)) * time.Minute)
	x := Reading{Rule: &j.rule, Long: s, Short: s, LongBurn: j.budget.rate(s), ShortBurn: j.budget.rate(s)}
	x.Over = s.Bad > 0 && s.Bad >= s.Good()
	x.Firing = x.Over || s.Known == 0
	return x
}

// good reports whether anything of s was good, beyond the rounding of sums.
func good(s ledger.Sum) bool { return s.Good() > s.Total*1e-9 }

// run is what failed since the last minute with a good event, at most Reach
// ago. It reports false where that is not in two minutes or more.
func run(over Sums) (ledger.Sum, bool) {
	minutes := func(n int) ledger.Sum { return over(time.Duration(n) * time.Minute) }
	const reach = int(Reach / time.Minute)
	// The minutes since the last good event.
	n := sort.Search(reach, func(i int) bool { return good(minutes(i + 1)) })
	failed := minutes(max(n, 1))
	if n == 0 || failed.Bad == 0 {
		return failed, false
	}
	// The newest minute with events.
	newest := sort.Search(n, func(i int) bool { return minutes(i+1).Bad > 0 }) + 1
	return failed, minutes(newest).Bad < failed.Bad
}

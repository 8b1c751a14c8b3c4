package budgeting_test

import (
	"math"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// minuteOf draws a minute of whole counts, now and then an unknown one.
func minuteOf(t *rapid.T) ledger.Minute {
	if rapid.IntRange(0, 5).Draw(t, "unknown") == 0 {
		return ledger.Minute{}
	}
	total := rapid.IntRange(0, 200).Draw(t, "total")
	return ledger.Of(float64(total), float64(rapid.IntRange(0, total).Draw(t, "bad")))
}

func sum(minutes []ledger.Minute) ledger.Sum {
	var s ledger.Sum
	for _, m := range minutes {
		s = s.Add(m)
	}
	return s
}

// TestSlicesAreCountedAsTheMethodSays compares the view of a span with what the
// definition of each method says of its slices, in whole numbers.
func TestSlicesAreCountedAsTheMethodSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := budgeting.Counting{
			Method: rapid.SampledFrom([]budgeting.Method{budgeting.Timeslices, budgeting.RatioTimeslices}).Draw(t, "method"),
			Slice:  rapid.SampledFrom([]int64{1, 2, 5, 7, 15, 60, 240, 1440}).Draw(t, "slice"),
		}
		percent := rapid.Int64Range(0, 100).Draw(t, "target")
		c.Target = float64(percent) / 100
		first := c.Start(rapid.Int64Range(-1e6, 3e7).Draw(t, "first"))
		raw := rapid.SliceOfN(rapid.Custom(minuteOf), 0, 300).Draw(t, "minutes")
		raw = raw[:len(raw)-len(raw)%int(c.Slice)]

		got := sum(c.View(first, raw))
		var slicesWithData float64
		bad := new(big.Rat)
		for slice := range slices.Chunk(raw, int(c.Slice)) {
			s := sum(slice)
			if s.Known == 0 {
				continue
			}
			slicesWithData++
			if s.Total == 0 {
				continue
			}
			ratio := big.NewRat(int64(s.Bad), int64(s.Total))
			switch {
			case c.Method == budgeting.RatioTimeslices:
				bad.Add(bad, ratio)
			case ratio.Cmp(big.NewRat(100-percent, 100)) > 0:
				bad.Add(bad, big.NewRat(1, 1))
			}
		}
		want, _ := bad.Float64()
		if got.Total != slicesWithData || math.Abs(got.Bad-want) > 1e-9*(1+slicesWithData) {
			t.Fatalf("counted %v of %v bad, want %v of %v", got.Bad, got.Total, want, slicesWithData)
		}
	})
}

// TestTheViewOfASpanIsTheMinutesOneByOne: the engine takes minutes one at a time
// and from a slice's start; a page reads a span. Both see the same.
func TestTheViewOfASpanIsTheMinutesOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := budgeting.Counting{
			Method: rapid.SampledFrom([]budgeting.Method{"", budgeting.Occurrences, budgeting.Timeslices, budgeting.RatioTimeslices}).Draw(t, "method"),
			Slice:  rapid.Int64Range(1, 90).Draw(t, "slice"),
			Target: 0.95,
		}
		first := c.Start(rapid.Int64Range(0, 3e7).Draw(t, "first"))
		raw := rapid.SliceOfN(rapid.Custom(minuteOf), 0, 300).Draw(t, "minutes")
		view := c.View(first, raw)
		var s budgeting.Slicer
		for i, m := range raw {
			var one ledger.Minute
			if one, s = c.Next(s, first+int64(i), m); one != view[i] {
				t.Fatalf("minute %d: %v one by one, %v in the span", i, one, view[i])
			}
		}
	})
}

// TestSumsOfSlicesAreExact: windows add and take slices for months; what is left
// of a window that saw the same slices come and go is nothing.
func TestSumsOfSlicesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := budgeting.Counting{Method: budgeting.RatioTimeslices, Slice: 1}
		view := c.View(0, rapid.SliceOfN(rapid.Custom(minuteOf), 1, 500).Draw(t, "minutes"))
		s := sum(view)
		for _, i := range rapid.Permutation(indices(len(view))).Draw(t, "order") {
			s = s.Take(view[i])
		}
		if s != (ledger.Sum{}) {
			t.Fatalf("%v is left", s)
		}
	})
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestASliceCountsAtItsLastMinute(t *testing.T) {
	c := budgeting.Counting{Method: budgeting.Timeslices, Slice: 5, Target: 0.95}
	gap, quiet := ledger.Minute{}, ledger.Of(0, 0)
	got := c.View(100, []ledger.Minute{
		ledger.Of(40, 0), ledger.Of(40, 5), gap, ledger.Of(20, 0), quiet, // 95 of 100: good
		ledger.Of(40, 0), ledger.Of(40, 6), gap, ledger.Of(20, 0), gap, // 94 of 100: bad
		gap, gap, gap, gap, gap, // no data
		quiet, quiet, quiet, quiet, quiet, // no events
		ledger.Of(9, 9), // under way
	})
	known, good, bad := ledger.Of(0, 0), ledger.Of(1, 0), ledger.Of(1, 1)
	want := []ledger.Minute{
		known, known, gap, known, good,
		known, known, gap, known, bad,
		gap, gap, gap, gap, gap,
		known, known, known, known, good,
		known,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func in(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := budgeting.Zone(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func wall(y int, m time.Month, d, hour, minute int) time.Time {
	return time.Date(y, m, d, hour, minute, 0, 0, time.UTC)
}

// TestWindowsFollowTheCalendar names, for an instant, the window that holds it.
func TestWindowsFollowTheCalendar(t *testing.T) {
	const stamp = "2006-01-02 15:04 MST"
	for name, c := range map[string]struct {
		calendar budgeting.Calendar
		at       time.Time // in the zone of the calendar
		from, to string
	}{
		"a month in Tokyo": {
			budgeting.Calendar{Origin: wall(2022, 1, 1, 0, 0), Zone: "Asia/Tokyo", Every: 1, Unit: budgeting.Months},
			wall(2026, 2, 14, 9, 30), "2026-02-01 00:00 JST", "2026-03-01 00:00 JST"},
		"a month from the 31st, in February": {
			budgeting.Calendar{Origin: wall(2026, 1, 31, 12, 30), Zone: "America/New_York", Every: 1, Unit: budgeting.Months},
			wall(2026, 3, 1, 0, 0), "2026-02-28 12:30 EST", "2026-03-31 12:30 EDT"},
		"a month from the 31st, in a leap year": {
			budgeting.Calendar{Origin: wall(2026, 1, 31, 12, 30), Zone: "America/New_York", Every: 1, Unit: budgeting.Months},
			wall(2028, 2, 29, 13, 0), "2028-02-29 12:30 EST", "2028-03-31 12:30 EDT"},
		"a month that ends in summer": {
			budgeting.Calendar{Origin: wall(2022, 1, 1, 0, 0), Zone: "Europe/Berlin", Every: 1, Unit: budgeting.Months},
			wall(2026, 3, 31, 23, 59), "2026-03-01 00:00 CET", "2026-04-01 00:00 CEST"},
		"a day of 23 hours": {
			budgeting.Calendar{Origin: wall(2022, 1, 1, 0, 0), Zone: "America/New_York", Every: 1, Unit: budgeting.Days},
			wall(2026, 3, 8, 12, 0), "2026-03-08 00:00 EST", "2026-03-09 00:00 EDT"},
		"a day of 25 hours": {
			budgeting.Calendar{Origin: wall(2022, 1, 1, 0, 0), Zone: "America/New_York", Every: 1, Unit: budgeting.Days},
			wall(2026, 11, 1, 23, 59), "2026-11-01 00:00 EDT", "2026-11-02 00:00 EST"},
		"a day that begins when the clock skips": {
			budgeting.Calendar{Origin: wall(2022, 1, 1, 2, 30), Zone: "America/New_York", Every: 1, Unit: budgeting.Days},
			wall(2026, 3, 8, 12, 0), "2026-03-08 03:00 EDT", "2026-03-09 02:30 EDT"},
		"a day that begins when the clock shows a time twice": {
			budgeting.Calendar{Origin: wall(2022, 1, 1, 1, 30), Zone: "America/New_York", Every: 1, Unit: budgeting.Days},
			wall(2026, 11, 1, 12, 0), "2026-11-01 01:30 EDT", "2026-11-02 01:30 EST"},
		"a day without its midnight": {
			budgeting.Calendar{Origin: wall(2018, 1, 1, 0, 0), Zone: "America/Sao_Paulo", Every: 1, Unit: budgeting.Days},
			wall(2018, 11, 4, 12, 0), "2018-11-04 01:00 -02", "2018-11-05 00:00 -02"},
		"a week from Saturday noon": {
			budgeting.Calendar{Origin: wall(2022, 1, 1, 12, 0), Zone: "America/New_York", Every: 1, Unit: budgeting.Weeks},
			wall(2026, 6, 6, 11, 59), "2026-05-30 12:00 EDT", "2026-06-06 12:00 EDT"},
		"a natural week": {
			budgeting.Calendar{Origin: budgeting.Natural, Zone: "UTC", Every: 1, Unit: budgeting.Weeks},
			wall(2026, 6, 3, 0, 0), "2026-06-01 00:00 UTC", "2026-06-08 00:00 UTC"},
		"a natural quarter": {
			budgeting.Calendar{Origin: budgeting.Natural, Zone: "Europe/London", Every: 1, Unit: budgeting.Quarters},
			wall(2026, 6, 3, 0, 0), "2026-04-01 00:00 BST", "2026-07-01 00:00 BST"},
		"a year from a leap day": {
			budgeting.Calendar{Origin: wall(2024, 2, 29, 0, 0), Zone: "UTC", Every: 1, Unit: budgeting.Years},
			wall(2026, 2, 28, 0, 0), "2026-02-28 00:00 UTC", "2027-02-28 00:00 UTC"},
		"two months before the origin": {
			budgeting.Calendar{Origin: wall(2026, 9, 1, 0, 0), Zone: "UTC", Every: 2, Unit: budgeting.Months},
			wall(2026, 6, 15, 0, 0), "2026-05-01 00:00 UTC", "2026-07-01 00:00 UTC"},
		"five minutes": {
			budgeting.Calendar{Origin: wall(2026, 9, 1, 0, 2), Zone: "UTC", Every: 5, Unit: budgeting.Minutes},
			wall(2026, 6, 15, 0, 1), "2026-06-14 23:57 UTC", "2026-06-15 00:02 UTC"},
		"twelve hours across a change of the clock": {
			budgeting.Calendar{Origin: wall(2026, 3, 7, 12, 0), Zone: "America/New_York", Every: 12, Unit: budgeting.Hours},
			wall(2026, 3, 8, 12, 0), "2026-03-08 00:00 EST", "2026-03-08 13:00 EDT"},
	} {
		zone := in(t, c.calendar.Zone)
		at := time.Date(c.at.Year(), c.at.Month(), c.at.Day(), c.at.Hour(), c.at.Minute(), 0, 0, zone)
		p := budgeting.Period{Calendar: &c.calendar}
		end := at.Unix()/60 + 1
		from, to := ledger.Start(p.Start(end)).In(zone).Format(stamp), ledger.Start(p.End(end)).In(zone).Format(stamp)
		if from != c.from || to != c.to {
			t.Errorf("%s: from %s to %s, want from %s to %s", name, from, to, c.from, c.to)
		}
	}
}

// TestEveryMinuteIsInOneWindow: windows of a calendar follow one another without
// a gap, whatever the zone does.
func TestEveryMinuteIsInOneWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &budgeting.Calendar{
			Origin: wall(2024, 1, 1, 0, 0).Add(time.Duration(rapid.IntRange(0, 366*24*60).Draw(t, "origin")) * time.Minute),
			Zone:   rapid.SampledFrom([]string{"UTC", "Asia/Tokyo", "America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu"}).Draw(t, "zone"),
			Every:  rapid.IntRange(1, 4).Draw(t, "every"),
			Unit: rapid.SampledFrom([]budgeting.Unit{budgeting.Minutes, budgeting.Hours, budgeting.Days, budgeting.Weeks,
				budgeting.Months, budgeting.Quarters, budgeting.Years}).Draw(t, "unit"),
		}
		p := budgeting.Period{Calendar: c}
		minute := wall(2008, 1, 1, 0, 0).Unix()/60 + rapid.Int64Range(0, 40*366*24*60).Draw(t, "minute")
		from, to := p.Start(minute+1), p.End(minute+1)
		if from > minute || minute >= to {
			t.Fatalf("minute %d is not in its window %d to %d", minute, from, to)
		}
		if p.Start(from+1) != from || p.Start(to) != from || p.Start(to+1) != to || p.End(from) != from {
			t.Fatalf("the windows around %d to %d do not meet", from, to)
		}
	})
}

func TestARollingWindowHasItsLength(t *testing.T) {
	p := budgeting.Period{Length: 28 * 24 * time.Hour}
	if got := p.Start(50_000); got != 50_000-28*24*60 || p.End(50_000) != 50_000 || p.Nominal() != p.Length {
		t.Errorf("a window that ends at 50,000 begins at %d", got)
	}
}

func BenchmarkCalendarStart(b *testing.B) {
	p := budgeting.Period{Calendar: &budgeting.Calendar{Origin: budgeting.Natural, Zone: "America/New_York", Every: 1, Unit: budgeting.Months}}
	for i := range b.N {
		p.Start(29_000_000 + int64(i))
	}
}

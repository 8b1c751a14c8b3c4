package recur_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/recur"
)

func hoursOf(t testing.TB, lines ...string) recur.Hours {
	t.Helper()
	h, line, err := recur.ParseHours(lines)
	if err != nil {
		t.Fatalf("line %d: %v", line, err)
	}
	return h
}

func spans(z *time.Location, seq func(yield func(recur.Span) bool)) []string {
	var got []string
	for x := range seq {
		got = append(got, x.From.In(z).Format("Mon 15:04")+" – "+x.To.In(z).Format("Mon 15:04"))
	}
	return got
}

func TestHoursOfAWeek(t *testing.T) {
	tokyo := zone(t, "Asia/Tokyo")
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, tokyo) // a Monday
	w := recur.Week{Hours: hoursOf(t, "Mon-Wed 09:00-12:00", "mo 11:00-18:00", "Sat 22:00-02:00", "Sunday 02:00-03:00"),
		Zone: tokyo, Closed: []recur.Local{local(t, "2026-06-02")}}
	want := []string{"Mon 09:00 – Mon 18:00", "Wed 09:00 – Wed 12:00", "Sat 22:00 – Sun 03:00"}
	if d := cmp.Diff(want, spans(tokyo, w.Between(from, from.AddDate(0, 0, 7)))); d != "" {
		t.Error(d)
	}
	want = []string{"Mon 00:00 – Mon 09:00", "Mon 18:00 – Wed 09:00", "Wed 12:00 – Sat 22:00", "Sun 03:00 – Mon 00:00"}
	if d := cmp.Diff(want, spans(tokyo, w.Outside(from, from.AddDate(0, 0, 7)))); d != "" {
		t.Error(d)
	}
}

func TestHoursAreCutToWhatIsAskedFor(t *testing.T) {
	w := recur.Week{Hours: hoursOf(t, "Mon-Sun 00:00-24:00"), Zone: zone(t, "Europe/Berlin")}
	from := time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC) // the clocks change within
	to := from.Add(3 * time.Hour)
	if d := cmp.Diff([]string{"Sun 00:30 – Sun 03:30"}, spans(time.UTC, w.Between(from, to))); d != "" {
		t.Error(d)
	}
	if got := spans(time.UTC, w.Outside(from, to)); got != nil {
		t.Errorf("open all day, and yet outside: %v", got)
	}
}

func TestWrongHoursSayWhere(t *testing.T) {
	for _, c := range []struct {
		line   string
		offset int
	}{{"always", 0}, {"Mon-Fri", 0}, {"Mon-Fry 09:00-18:00", 4}, {"Mon 9-18", 4}, {"Mon 09:00-25:00", 10}, {"Mon 24:00-25:00", 10}, {"Mon 24:00-01:00", 4}} {
		_, line, err := recur.ParseHours([]string{"Sat 10:00-12:00", c.line})
		var e *recur.Error
		if !errors.As(err, &e) || e.Offset != c.offset || line != 1 || e.Remedy.JA == "" {
			t.Errorf("%q: line %d, %v", c.line, line, err)
		}
	}
}

func TestInsideAndOutsideOfHoursTileTheTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, err := time.LoadLocation(rapid.SampledFrom(someZones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"Mon-Fri 09:00-18:00", "Sun 02:30-03:30", "Sat 20:00-06:00", "Tue,Thu 00:00-24:00", "Fri-Sun 23:00-01:00"}), 0, 4).Draw(t, "lines")
		h, _, err := recur.ParseHours(lines)
		if err != nil {
			t.Fatal(err)
		}
		w := recur.Week{Hours: h, Zone: z}
		from := time.Unix(1_767_000_000+60*rapid.Int64Range(0, 1<<20).Draw(t, "from"), 0)
		to := from.Add(time.Duration(rapid.IntRange(0, 20*1440).Draw(t, "minutes")) * time.Minute)
		var in, out time.Duration
		var last time.Time
		for x := range w.Between(from, to) {
			if !x.From.After(last) || !x.From.Before(x.To) || x.From.Before(from) || x.To.After(to) {
				t.Fatalf("%v follows %v", x, last)
			}
			in, last = in+x.To.Sub(x.From), x.To
		}
		for x := range w.Outside(from, to) {
			out += x.To.Sub(x.From)
		}
		if in+out != to.Sub(from) {
			t.Fatalf("%v inside and %v outside are not %v", in, out, to.Sub(from))
		}
	})
}

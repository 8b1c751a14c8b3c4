package recur_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/recur"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func local(t testing.TB, s string) recur.Local {
	t.Helper()
	l, err := recur.ParseLocal(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func rule(t testing.TB, s string) recur.Rule {
	t.Helper()
	r, err := recur.ParseRule(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// first are the first n occurrences as the wall clock shows them.
func first(s recur.Schedule, n int) []string {
	var got []string
	from := s.Start.In(s.Zone)
	for at := range s.Between(from, from.AddDate(60, 0, 0)) {
		if got = append(got, at.In(s.Zone).Format("2006-01-02T15:04")); len(got) == n {
			break
		}
	}
	return got
}

func TestOccurrencesOfRules(t *testing.T) {
	const start = "1997-09-02T09:00" // a Tuesday, as in RFC 5545
	for _, c := range []struct{ start, rule, want string }{
		{start, "FREQ=DAILY;COUNT=3", "1997-09-02T09:00 1997-09-03T09:00 1997-09-04T09:00"},
		{start, "FREQ=DAILY;UNTIL=19970904", "1997-09-02T09:00 1997-09-03T09:00 1997-09-04T09:00"},
		{start, "FREQ=DAILY;UNTIL=19970904T130000Z", "1997-09-02T09:00 1997-09-03T09:00 1997-09-04T09:00"},
		{start, "FREQ=DAILY;UNTIL=19970904T125900Z", "1997-09-02T09:00 1997-09-03T09:00"},
		{start, "FREQ=DAILY;UNTIL=19970904T085900", "1997-09-02T09:00 1997-09-03T09:00"},
		{start, "FREQ=DAILY;INTERVAL=10;COUNT=3", "1997-09-02T09:00 1997-09-12T09:00 1997-09-22T09:00"},
		{start, "FREQ=YEARLY;BYMONTH=1;BYDAY=SU;COUNT=4", "1998-01-04T09:00 1998-01-11T09:00 1998-01-18T09:00 1998-01-25T09:00"},
		{start, "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH;COUNT=4", "1997-09-02T09:00 1997-09-04T09:00 1997-09-16T09:00 1997-09-18T09:00"},
		{"1997-08-05T09:00", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05T09:00 1997-08-10T09:00 1997-08-19T09:00 1997-08-24T09:00"},
		{"1997-08-05T09:00", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05T09:00 1997-08-17T09:00 1997-08-19T09:00 1997-08-31T09:00"},
		{"1997-09-05T09:00", "FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "1997-09-05T09:00 1997-10-03T09:00 1997-11-07T09:00"},
		{"1997-09-07T09:00", "FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "1997-09-07T09:00 1997-09-28T09:00 1997-11-02T09:00 1997-11-30T09:00"},
		{"1997-09-22T09:00", "FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22T09:00 1997-10-20T09:00 1997-11-17T09:00"},
		{"1997-09-28T09:00", "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3", "1997-09-28T09:00 1997-10-29T09:00 1997-11-28T09:00"},
		{"1997-09-30T09:00", "FREQ=MONTHLY;COUNT=4;BYMONTHDAY=1,-1", "1997-09-30T09:00 1997-10-01T09:00 1997-10-31T09:00 1997-11-01T09:00"},
		{"1997-01-31T09:00", "FREQ=MONTHLY;COUNT=3", "1997-01-31T09:00 1997-03-31T09:00 1997-05-31T09:00"},
		{"1997-09-02T09:00", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=2", "1998-02-13T09:00 1998-03-13T09:00"},
		{"1997-05-19T09:00", "FREQ=YEARLY;BYDAY=20MO;COUNT=3", "1997-05-19T09:00 1998-05-18T09:00 1999-05-17T09:00"},
		{"1996-02-29T09:00", "FREQ=YEARLY;COUNT=2", "1996-02-29T09:00 2000-02-29T09:00"},
		{"1997-06-10T09:00", "FREQ=YEARLY;COUNT=3;BYMONTH=6,7", "1997-06-10T09:00 1997-07-10T09:00 1998-06-10T09:00"},
		{start, "FREQ=YEARLY;BYMONTHDAY=1,3;COUNT=3", "1997-09-03T09:00 1997-10-01T09:00 1997-10-03T09:00"},
		{start, "FREQ=HOURLY;INTERVAL=3;COUNT=3", "1997-09-02T09:00 1997-09-02T12:00 1997-09-02T15:00"},
		{start, "FREQ=HOURLY;BYHOUR=9,17;BYDAY=WE;BYMINUTE=0,30;COUNT=3", "1997-09-03T09:00 1997-09-03T09:30 1997-09-03T17:00"},
		{start, "FREQ=DAILY;BYHOUR=9,16;BYMINUTE=0,20;COUNT=3", "1997-09-02T09:00 1997-09-02T09:20 1997-09-02T16:00"},
		{start, "FREQ=DAILY;BYMONTH=1;BYMONTHDAY=-1;COUNT=2", "1998-01-31T09:00 1999-01-31T09:00"},
		{start, "rrule:freq=weekly;byday=tu;count=1", "1997-09-02T09:00"},
	} {
		s := recur.Schedule{Rule: rule(t, c.rule), Start: local(t, c.start), Zone: zone(t, "America/New_York")}
		if d := cmp.Diff(strings.Fields(c.want), first(s, 5)); d != "" {
			t.Errorf("%s from %s: %s", c.rule, c.start, d)
		}
	}
}

func TestClocksThatArePutForwardMoveAnOccurrenceToTheEndOfTheGap(t *testing.T) {
	ny := zone(t, "America/New_York")
	s := recur.Schedule{Rule: rule(t, "FREQ=DAILY"), Start: local(t, "2026-03-07T02:30"), Zone: ny}
	want := []string{"2026-03-07T02:30", "2026-03-08T03:00", "2026-03-09T02:30"}
	if d := cmp.Diff(want, first(s, 3)); d != "" {
		t.Error(d)
	}
	// 02:00 does not exist and becomes 03:00, which occurs once.
	s = recur.Schedule{Rule: rule(t, "FREQ=HOURLY;COUNT=4"), Start: local(t, "2026-03-08T01:00"), Zone: ny}
	if d := cmp.Diff([]string{"2026-03-08T01:00", "2026-03-08T03:00", "2026-03-08T04:00"}, first(s, 9)); d != "" {
		t.Error(d)
	}
}

func TestALocalTimeThatComesTwiceIsTakenTheFirstTime(t *testing.T) {
	ny := zone(t, "America/New_York")
	got := local(t, "2026-11-01T01:30").In(ny).UTC()
	if want := time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestExceptionsAreOneOccurrenceOrADay(t *testing.T) {
	s := recur.Schedule{Rule: rule(t, "FREQ=DAILY;BYHOUR=9,18;COUNT=6"), Start: local(t, "2026-01-01T09:00"), Zone: zone(t, "Asia/Tokyo")}
	for _, x := range []string{"2026-01-01T18:00", "2026-01-02"} {
		e, err := recur.ParseExcept(x)
		if err != nil {
			t.Fatal(err)
		}
		s.Except = append(s.Except, e)
	}
	// Exceptions count: the third day is the last.
	if d := cmp.Diff([]string{"2026-01-01T09:00", "2026-01-03T09:00", "2026-01-03T18:00"}, first(s, 9)); d != "" {
		t.Error(d)
	}
}

func TestNextLooksAsFarAsTheRarestRuleNeeds(t *testing.T) {
	s := recur.Schedule{Rule: rule(t, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU"), Start: local(t, "2080-03-01T00:00"), Zone: time.UTC}
	got, ok := s.Next(time.Date(2081, 1, 1, 0, 0, 0, 0, time.UTC))
	if !ok || got.Format("2006-01-02") != "2104-02-29" && got.Weekday() != time.Sunday {
		t.Errorf("got %v, %v", got, ok)
	}
	s.Rule = rule(t, "FREQ=DAILY;UNTIL=20800401")
	if got, ok := s.Next(time.Date(2081, 1, 1, 0, 0, 0, 0, time.UTC)); ok {
		t.Errorf("after the end: %v", got)
	}
}

func TestAWrongRuleSaysWhereAndHowToMendIt(t *testing.T) {
	for _, c := range []struct {
		rule   string
		offset int
		says   string
	}{
		{"", 0, "NAME=value"},
		{"FREQ=WEEKLY;BYDAY=MO,XX", 21, `"XX" is not a day`},
		{"FREQ=WEEKLY;BYDAY=1MO", 18, "1MO counts days within a month"},
		{"FREQ=MONTHLY;BYDAY=6MO", 19, "there is no 6MO"},
		{"FREQ=MINUTELY", 5, "MINUTELY"},
		{"FREQ=DAILY;COUNT=2;UNTIL=20260101", 17, "exclude each other"},
		{"FREQ=DAILY;COUNT=0", 17, "1 to 100000"},
		{"FREQ=DAILY;COUNT=2;COUNT=3", 19, "COUNT is there twice"},
		{"FREQ=MONTHLY;BYSETPOS=1", 13, "BYSETPOS is not supported"},
		{"FREQ=MONTHLY;BYWEEK=1", 13, `no part "BYWEEK"`},
		{"FREQ=MONTHLY;BYMONTHDAY=0", 24, "1 to 31 or from -1 to -31"},
		{"FREQ=YEARLY;BYMONTH=2,4;BYMONTHDAY=31", 35, "none of the months"},
		{"FREQ=WEEKLY;BYMONTHDAY=1", 23, "no days of the month"},
		{"BYDAY=MO", 0, "how often"},
		{"FREQ=DAILY;UNTIL=tomorrow", 17, "not a moment"},
		{"FREQ=DAILY;", 11, "NAME=value"},
	} {
		_, err := recur.ParseRule(c.rule)
		var e *recur.Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", c.rule, err)
			continue
		}
		if e.Offset != c.offset || !strings.Contains(e.What.EN+e.Remedy.EN, c.says) || e.What.JA == "" || e.Remedy.IsZero() {
			t.Errorf("%q: at %d %q — %q", c.rule, e.Offset, e.What.EN, e.Remedy.EN)
		}
	}
}

// zones are the names of every zone that the machine has, and a few telling ones
// where it has none.
func zones(t *testing.T) []string {
	t.Helper()
	const dir = "/usr/share/zoneinfo"
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil || strings.HasPrefix(name, "right/") || strings.HasPrefix(name, "posix/") {
			return err
		}
		if _, err := time.LoadLocation(name); err == nil {
			names = append(names, name)
		}
		return nil
	})
	if err != nil || len(names) < 100 {
		return someZones
	}
	return names
}

// TestEveryLocalTimeAroundEveryTransitionIsOneInstant walks the minutes around
// each change of the clocks between 1970 and 2037, in every zone.
func TestEveryLocalTimeAroundEveryTransitionIsOneInstant(t *testing.T) {
	begin, end := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)
	transitions := 0
	for _, name := range zones(t) {
		z := zone(t, name)
		_, next := begin.In(z).ZoneBounds()
		for ; !next.IsZero() && next.Before(end); _, next = next.ZoneBounds() {
			transitions++
			_, before := next.Add(-time.Second).Zone()
			_, after := next.Zone()
			reach := recur.Local(max(after-before, before-after)/60 + 2)
			middle := recur.LocalOf(next, z)
			var last time.Time
			for l := middle - reach; l <= middle+reach; l++ {
				at := l.In(z)
				if at.Before(last) {
					t.Fatalf("%s: %v comes before the minute before it", name, l)
				}
				last = at
				exists, first := shows(next, at, l, z)
				if exists && !first || !exists && !at.Equal(next) {
					t.Fatalf("%s: %v became %v, around %v", name, l, at, next)
				}
			}
		}
	}
	if transitions < 1000 {
		t.Logf("only %d transitions were there to look at", transitions)
	}
}

// shows reports whether the clock ever shows l within two days of a transition,
// and whether at is the first time it does.
func shows(transition, at time.Time, l recur.Local, z *time.Location) (exists, first bool) {
	offsets := map[int]bool{}
	for _, t := range []time.Time{transition.Add(-time.Second), transition} {
		_, o := t.Zone()
		offsets[o] = true
	}
	var earliest time.Time
	for o := range offsets {
		c := time.Unix(int64(l)*60-int64(o), 0)
		if _, there := c.In(z).Zone(); there == o && (earliest.IsZero() || c.Before(earliest)) {
			earliest = c
		}
	}
	return !earliest.IsZero(), earliest.Equal(at)
}

var someZones = []string{"UTC", "Asia/Tokyo", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"}

// drawRule is any rule that ParseRule accepts.
func drawRule(t *rapid.T) recur.Rule {
	parts := []string{"FREQ=" + rapid.SampledFrom([]string{"YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"}).Draw(t, "freq")}
	maybe := func(name string, values ...string) {
		if rapid.IntRange(0, 3).Draw(t, name+"?") == 0 {
			parts = append(parts, name+"="+strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(values), 1, 3, rapid.ID[string]).Draw(t, name), ","))
		}
	}
	maybe("BYMONTH", "1", "2", "6", "11")
	maybe("BYMONTHDAY", "1", "15", "29", "31", "-1", "-30")
	maybe("BYDAY", "MO", "TU", "SU", "1SU", "-1FR", "5WE")
	maybe("BYHOUR", "0", "1", "2", "3", "23")
	maybe("BYMINUTE", "0", "15", "59")
	switch rapid.IntRange(0, 3).Draw(t, "end") {
	case 0:
		parts = append(parts, "COUNT="+rapid.SampledFrom([]string{"1", "2", "50"}).Draw(t, "count"))
	case 1:
		parts = append(parts, "UNTIL="+rapid.SampledFrom([]string{"20260308", "20261101T013000", "20270101T000000Z"}).Draw(t, "until"))
	}
	if rapid.Bool().Draw(t, "every other") {
		parts = append(parts, "INTERVAL="+rapid.SampledFrom([]string{"2", "3", "7"}).Draw(t, "interval"))
	}
	parts = append(parts, "WKST="+rapid.SampledFrom([]string{"MO", "SU", "TH"}).Draw(t, "wkst"))
	r, err := recur.ParseRule(strings.Join(parts, ";"))
	if err != nil {
		t.Skip("not a rule")
	}
	return r
}

func TestOccurrencesAscendAndKeepWithinTheirLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		z, err := time.LoadLocation(rapid.SampledFrom(someZones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		r := drawRule(t)
		s := recur.Schedule{Rule: r, Start: recur.LocalAt(2025, 12, 31, 0, rapid.IntRange(0, 1000*1440).Draw(t, "start")), Zone: z}
		from := s.Start.In(z).Add(-48 * time.Hour)
		to := from.AddDate(2, 0, 0)
		all := slices.Collect(s.Between(from, to))
		if r.Count > 0 && len(all) > r.Count {
			t.Fatalf("%s occurs %d times", r, len(all))
		}
		for i, at := range all {
			if i > 0 && !at.After(all[i-1]) {
				t.Fatalf("%s: %v follows %v", r, at, all[i-1])
			}
			l := recur.LocalOf(at, z)
			if l < s.Start || r.Until.Set && !r.Until.UTC && at.After(r.Until.At.In(z)) || r.Until.UTC && at.After(r.Until.At.In(time.UTC)) {
				t.Fatalf("%s occurs at %v, outside", r, l)
			}
		}
		// A part of the time has the same occurrences as the whole.
		a := from.Add(time.Duration(rapid.Int64Range(0, int64(to.Sub(from)/time.Minute)).Draw(t, "a")) * time.Minute)
		b := a.AddDate(0, 3, 0)
		var part []time.Time
		for _, at := range all {
			if !at.Before(a) && at.Before(b) && at.Before(to) {
				part = append(part, at)
			}
		}
		if b.After(to) {
			b = to
		}
		if d := cmp.Diff(part, slices.Collect(s.Between(a, b))); d != "" {
			t.Fatalf("%s between %v and %v: %s", r, a, b, d)
		}
	})
}

func TestARuleReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRule(t)
		back, err := recur.ParseRule(r.String())
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if d := cmp.Diff(r, back); d != "" {
			t.Fatalf("%s: %s", r, d)
		}
	})
}

func FuzzParseRule(f *testing.F) {
	for _, s := range []string{"FREQ=MONTHLY;BYDAY=1SU,-1FR;COUNT=3", "RRULE:FREQ=DAILY;UNTIL=20261231T235900Z", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-29", "FREQ=HOURLY;BYHOUR=1,2;BYMINUTE=59"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := recur.ParseRule(s)
		var e *recur.Error
		if err != nil && (!errors.As(err, &e) || e.Offset < 0 || e.Offset > len(s)) {
			t.Fatalf("%q: %v", s, err)
		}
		if err != nil {
			return
		}
		if again, err := recur.ParseRule(r.String()); err != nil || again.String() != r.String() {
			t.Fatalf("%q became %q: %v", s, r, err)
		}
		n := 0
		for range (recur.Schedule{Rule: r, Start: recur.LocalAt(2026, 1, 1, 0, 0), Zone: time.UTC}).Between(time.Unix(0, 0), time.Unix(1e10/4, 0)) {
			if n++; n > 1000 {
				break
			}
		}
	})
}

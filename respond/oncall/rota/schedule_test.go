package rota

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/holiday"
	"github.com/teiten/teiten/kit/recur"
)

var tokyo = time.FixedZone("JST", 9*60*60)

func at(s string) time.Time {
	l, err := recur.ParseLocal(s)
	if err != nil {
		panic(err)
	}
	return l.In(tokyo).UTC()
}

func local(s string) recur.Local { return recur.LocalOf(at(s), tokyo) }

func people(names ...string) []Participant {
	all := make([]Participant, len(names))
	for i, n := range names {
		all[i] = Participant{Users: []string{n}}
	}
	return all
}

func weekly(participants ...Participant) *Rotation {
	return NewRotation(Cadence{Weekly, 1, local("2026-06-01T09:00"), tokyo}, participants)
}

func hours(t testing.TB, lines ...string) recur.Hours {
	t.Helper()
	h, _, err := recur.ParseHours(lines)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func plan(layers ...Layer) Plan {
	for i := range layers {
		if layers[i].Role == "" {
			layers[i].Role = Primary
		}
		layers[i].Zone = tokyo
	}
	return Plan{Versions: []Version{{Number: 1, Schedule: Schedule{Layers: layers}}}}
}

// told writes shifts as people read them.
func told(shifts []Shift) []string {
	var all []string
	for _, s := range shifts {
		who := fmt.Sprint(s.Users)
		if len(s.Users) == 1 {
			who = s.Users[0]
		}
		all = append(all, fmt.Sprintf("%s %s", s.From.In(tokyo).Format("01-02T15:04"), who))
	}
	return all
}

func expect(t testing.TB, got []Shift, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, told(got)); d != "" {
		t.Errorf("shifts (-want +got):\n%s", d)
	}
}

func TestNobodyIsOnCallBeforeTheFirstHandoff(t *testing.T) {
	p := plan(Layer{Rotation: weekly(people("a", "b", "c")...)})
	expect(t, p.Shifts(Primary, at("2026-05-31"), at("2026-06-20")),
		"05-31T00:00 []", "06-01T09:00 a", "06-08T09:00 b", "06-15T09:00 c")
}

func TestWhoJoinsTakesATurnWhenItComesAndWhoLeavesIsFollowedAtOnce(t *testing.T) {
	r := weekly(
		Participant{Users: []string{"a"}, Until: local("2026-06-24T00:00")},
		Participant{Users: []string{"b"}, From: local("2026-06-12T00:00")},
		Participant{Users: []string{"c"}},
	)
	p := plan(Layer{Rotation: r})
	expect(t, p.Shifts(Primary, at("2026-06-01T09:00"), at("2026-07-13T09:00")),
		"06-01T09:00 a", // only a and c are there
		"06-08T09:00 c",
		"06-15T09:00 a",
		"06-22T09:00 b",
		"06-29T09:00 c", // a has left meanwhile, not in a turn
		"07-06T09:00 b",
	)
	r = weekly(Participant{Users: []string{"a"}, Until: local("2026-06-03T00:00")}, Participant{Users: []string{"b"}}, Participant{Users: []string{"c"}})
	p = plan(Layer{Rotation: r})
	expect(t, p.Shifts(Primary, at("2026-06-01T09:00"), at("2026-06-15T09:00")),
		"06-01T09:00 a", "06-03T00:00 b", "06-08T09:00 c")
}

func TestALayerLiesOnTopOfThoseBeforeItInItsHours(t *testing.T) {
	p := plan(
		Layer{Name: "all week", Rotation: weekly(people("a", "b")...)},
		Layer{Name: "office", Rotation: weekly(people("x")...), Hours: &Hours{Week: hours(t, "Mon-Fri 10:00-18:00")}},
	)
	expect(t, p.Shifts(Primary, at("2026-06-05T09:00"), at("2026-06-08T12:00")),
		"06-05T09:00 a", "06-05T10:00 x", "06-05T18:00 a", "06-08T09:00 b", "06-08T10:00 x")
	if s := p.At(Primary, at("2026-06-05T12:00")); s.Source.Name != "office" || s.Source.Layer != 1 {
		t.Errorf("the source is %+v", s.Source)
	}
}

func TestHolidaysCloseHoursOrAreAddedToThem(t *testing.T) {
	week := func(h Holidays, lines ...string) *Hours {
		return &Hours{Week: hours(t, lines...), Holidays: h, Calendar: japanese}
	}
	// 2026-11-23, a Monday, is a holiday.
	for name, c := range map[string]struct {
		hours *Hours
		want  []string
	}{
		"as days": {week(HolidaysAsDays, "Mon-Fri 10:00-18:00"), []string{"11-22T00:00 []", "11-23T10:00 x", "11-23T18:00 []", "11-24T10:00 x", "11-24T18:00 []"}},
		"closed":  {week(HolidaysClosed, "Mon-Fri 10:00-18:00"), []string{"11-22T00:00 []", "11-24T10:00 x", "11-24T18:00 []"}},
		"all day": {week(HolidaysAllDay, "Sat,Sun 00:00-24:00"), []string{"11-22T00:00 x", "11-24T00:00 []"}},
		"only":    {week(HolidaysOnlyDay), []string{"11-22T00:00 []", "11-23T00:00 x", "11-24T00:00 []"}},
	} {
		p := plan(Layer{Rotation: NewRotation(Cadence{Monthly, 3, local("2026-01-01"), tokyo}, people("x")), Hours: c.hours})
		t.Run(name, func(t *testing.T) { expect(t, p.Shifts(Primary, at("2026-11-22"), at("2026-11-25")), c.want...) })
	}
}

func japanese(d holiday.Day) bool {
	_, ok := holiday.Japan(d)
	return ok
}

func TestOverridesChangeWhoIsOnCallForATime(t *testing.T) {
	p := plan(Layer{Rotation: weekly(people("a", "b")...)})
	from, to := at("2026-06-03T12:00"), at("2026-06-03T18:00")
	for name, c := range map[string]struct {
		o    Override
		want string
	}{
		"add":              {Override{Change: Add, User: "x"}, "[a x]"},
		"add a second":     {Override{Change: Add, User: "a"}, "a"},
		"remove":           {Override{Change: Remove, User: "a"}, "[]"},
		"remove another":   {Override{Change: Remove, User: "b"}, "a"},
		"replace":          {Override{Change: Replace, User: "x", Instead: "a"}, "x"},
		"replace another":  {Override{Change: Replace, User: "x", Instead: "b"}, "a"},
		"replace everyone": {Override{Change: Replace, User: "x"}, "x"},
		"of another role":  {Override{Role: Shadow, Change: Replace, User: "x"}, "a"},
	} {
		t.Run(name, func(t *testing.T) {
			c.o.ID, c.o.From, c.o.To = "o1", from, to
			if c.o.Role == "" {
				c.o.Role = Primary
			}
			p := p
			p.Overrides = []Override{c.o}
			want := []string{"06-03T00:00 a", "06-03T12:00 " + c.want, "06-03T18:00 a"}
			if c.want == "a" {
				want = want[:1]
			}
			expect(t, p.Shifts(Primary, at("2026-06-03"), at("2026-06-04")), want...)
		})
	}
}

func TestAnOverrideThatIsTakenBackStaysUntilThen(t *testing.T) {
	p := plan(Layer{Rotation: weekly(people("a")...)})
	p.Overrides = []Override{{ID: "o", Role: Primary, Change: Replace, User: "x", From: at("2026-06-03T12:00"), To: at("2026-06-05"), Ended: at("2026-06-04")}}
	expect(t, p.Shifts(Primary, at("2026-06-03"), at("2026-06-06")), "06-03T00:00 a", "06-03T12:00 x", "06-04T00:00 a")
}

// O3: a new version says nothing about the time before it.
func TestEditingNeverChangesThePast(t *testing.T) {
	p := plan(Layer{Rotation: weekly(people("a", "b")...)})
	edited := p
	edited.Versions = append(slices.Clone(p.Versions), Version{Number: 2, From: at("2026-06-10T15:00"), Schedule: Schedule{Layers: []Layer{
		{Role: Primary, Rotation: weekly(people("x", "y", "z")...), Zone: tokyo}}}})
	before := p.Shifts(Primary, at("2026-06-01"), at("2026-06-10T15:00"))
	after := edited.Shifts(Primary, at("2026-06-01"), at("2026-06-10T15:00"))
	if d := cmp.Diff(before, after, cmpopts.IgnoreUnexported(Shift{})); d != "" {
		t.Error(d)
	}
	expect(t, edited.Shifts(Primary, at("2026-06-10"), at("2026-06-16")), "06-10T00:00 b", "06-10T15:00 y", "06-15T09:00 z")
}

// drawn makes up a plan.
func drawn(t *rapid.T) Plan {
	z, err := time.LoadLocation(rapid.SampledFrom([]string{"Asia/Tokyo", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"}).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	moment := func(label string) recur.Local {
		return recur.LocalAt(2011, 12, 20, 0, 0) + recur.Local(rapid.IntRange(0, 25*24*60).Draw(t, label))
	}
	var p Plan
	for v := range rapid.IntRange(1, 3).Draw(t, "versions") {
		var s Schedule
		for range rapid.IntRange(1, 3).Draw(t, "layers") {
			c := Cadence{rapid.SampledFrom([]Unit{Hourly, Daily, Weekly, Monthly}).Draw(t, "unit"), rapid.IntRange(1, 5).Draw(t, "every"), moment("first"), z}
			var who []Participant
			for i := range rapid.IntRange(0, 4).Draw(t, "people") {
				x := Participant{Users: []string{string(rune('a' + i))}}
				if rapid.Bool().Draw(t, "joins") {
					x.From = moment("join")
				}
				if rapid.Bool().Draw(t, "leaves") {
					x.Until = moment("leave")
				}
				who = append(who, x)
			}
			l := Layer{Role: Primary, Rotation: NewRotation(c, who), Zone: z}
			if rapid.Bool().Draw(t, "hours") {
				l.Hours = &Hours{Holidays: rapid.SampledFrom([]Holidays{HolidaysAsDays, HolidaysClosed, HolidaysAllDay, HolidaysOnlyDay}).Draw(t, "holidays"), Calendar: japanese}
				l.Hours.Week, _, err = recur.ParseHours([]string{"Mon-Fri 09:00-18:00", "Sat 22:00-02:00"})
				if err != nil {
					t.Fatal(err)
				}
			}
			s.Layers = append(s.Layers, l)
		}
		from := time.Time{}
		if v > 0 {
			from = later(p.Versions[v-1].From, moment("version").In(z)).UTC()
		}
		p.Versions = append(p.Versions, Version{Number: v + 1, From: from, Schedule: s})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "overrides") {
		o := Override{ID: fmt.Sprint(i), Role: Primary, Change: rapid.SampledFrom([]Change{Add, Remove, Replace}).Draw(t, "change"),
			User: rapid.SampledFrom([]string{"a", "b", "x"}).Draw(t, "user"), Instead: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "instead"),
			From: moment("from").In(z).UTC(), To: moment("to").In(z).UTC()}
		p.Overrides = append(p.Overrides, o)
	}
	return p
}

// now answers who is on call at an instant by looking at each layer's rotation
// and hours there, and at the overrides, one after the other.
func (p Plan) now(at time.Time) []string {
	var s Schedule
	for _, v := range p.Versions {
		if !v.From.After(at) {
			s = v.Schedule
		}
	}
	var users []string
	for _, l := range s.Layers {
		if l.Hours != nil && len(l.Hours.spans(l.Zone, at, at.Add(time.Nanosecond))) == 0 {
			continue
		}
		if who := l.Rotation.At(at); len(who) > 0 {
			users = who
		}
	}
	for _, o := range p.Overrides {
		if !o.From.After(at) && o.until().After(at) {
			users, _ = o.users(users)
		}
	}
	return users
}

// O2: whatever the plan, shifts tile time, and at every instant they say what the
// layers and overrides say there.
func TestShiftsTileTimeAndSayWhatHoldsAtEveryInstant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawn(t)
		from := time.Date(2011, 12, 22, 3, 17, 0, 0, time.UTC)
		to := from.Add(time.Duration(rapid.IntRange(1, 24*24*60).Draw(t, "minutes")) * time.Minute)
		shifts := p.Shifts(Primary, from, to)
		at := from
		for _, s := range shifts {
			if !s.From.Equal(at) || !s.From.Before(s.To) {
				t.Fatalf("a shift from %s to %s follows the end at %s", s.From, s.To, at)
			}
			at = s.To
			middle := s.From.Add(s.To.Sub(s.From) / 2)
			for _, x := range []time.Time{s.From, middle, s.To.Add(-time.Nanosecond)} {
				if now := p.now(x); !slices.Equal(now, s.Users) {
					t.Fatalf("at %s the shift has %v, the layers say %v", x, s.Users, now)
				}
			}
		}
		if !at.Equal(to) {
			t.Fatalf("the shifts end at %s instead of %s", at, to)
		}
		x := from.Add(to.Sub(from) / 3)
		if got := p.At(Primary, x); !slices.Equal(got.Users, p.now(x)) || got.From.After(x) || !got.To.After(x) {
			t.Fatalf("at %s: %+v", x, got)
		}
	})
}

func BenchmarkTenYears(b *testing.B) {
	z := zone(b, "America/New_York")
	for _, unit := range []Unit{Weekly, Daily, Hourly} {
		b.Run(string(unit), func(b *testing.B) {
			p := Plan{Versions: []Version{{Schedule: Schedule{Layers: []Layer{{Role: Primary, Zone: z,
				Rotation: NewRotation(Cadence{unit, 1, recur.LocalAt(2026, 1, 5, 9, 0), z}, people("a", "b", "c", "d", "e", "f", "g", "h"))}}}}}}
			from := time.Date(2026, 1, 5, 14, 0, 0, 0, time.UTC)
			n := 0
			for b.Loop() {
				n = len(p.Shifts(Primary, from, from.AddDate(10, 0, 0)))
			}
			b.ReportMetric(float64(n), "shifts")
		})
	}
}

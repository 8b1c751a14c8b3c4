package rota

import (
	"archive/zip"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/recur"
)

// zones are all zones of the IANA database, each once under one of its names.
func zones(t testing.TB) []*time.Location {
	t.Helper()
	r, err := zip.OpenReader(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Fatalf("the list of time zones: %v", err)
	}
	defer r.Close()
	var all []*time.Location
	seen := map[string]bool{}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		z, err := time.LoadLocation(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if key := changes(z); !seen[key] {
			seen[key] = true
			all = append(all, z)
		}
	}
	if len(all) < 150 {
		t.Fatalf("only %d time zones", len(all))
	}
	return all
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

var (
	from2000 = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	to2038   = time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC)
)

// transitions are when the clocks of a zone change from 2000 to 2037.
func transitions(z *time.Location) []time.Time {
	var all []time.Time
	for _, at := from2000.In(z).ZoneBounds(); !at.IsZero() && at.Before(to2038); _, at = at.ZoneBounds() {
		all = append(all, at)
	}
	return all
}

// changes tells zones apart.
func changes(z *time.Location) string {
	var b strings.Builder
	b.WriteString(from2000.In(z).Format("-0700 "))
	for _, t := range transitions(z) {
		b.WriteString(t.Format(time.RFC3339))
	}
	return b.String()
}

// due is when a handoff is on the wall clock, by the calendar alone.
func due(c Cadence, number int) recur.Local {
	first := time.Unix(int64(c.First)*60, 0).UTC()
	n := number * max(c.Every, 1)
	var at time.Time
	switch c.Unit {
	case Hourly:
		at = first.Add(time.Duration(n) * time.Hour)
	case Daily:
		at = first.AddDate(0, 0, n)
	case Weekly:
		at = first.AddDate(0, 0, 7*n)
	case Monthly:
		month := time.Date(first.Year(), first.Month()+time.Month(n), 1, first.Hour(), first.Minute(), 0, 0, time.UTC)
		at = month.AddDate(0, 0, min(first.Day(), month.AddDate(0, 1, -1).Day())-1)
	}
	return recur.Local(at.Unix() / 60)
}

// watch goes through time with the clock on the wall in view, from long enough
// before a change to long enough after, in seconds around it and in minutes
// elsewhere. The handoffs that are due are those up to the latest time that the
// clock has ever shown.
func watch(c Cadence, change time.Time, see func(at time.Time, number int64)) {
	at := change.Add(-30 * time.Hour)
	shown := recur.LocalOf(at, c.Zone)
	number, next := -1, due(c, 0)
	for end := change.Add(30 * time.Hour); at.Before(end); {
		y, m, d := at.In(c.Zone).Date()
		h, min, _ := at.In(c.Zone).Clock()
		shown = max(shown, recur.LocalAt(y, m, d, h, min))
		for next <= shown {
			number++
			next = due(c, number+1)
		}
		see(at, int64(number))
		if off := at.Sub(change).Abs(); off <= 90*time.Second {
			at = at.Add(time.Second)
		} else {
			at = at.Add(time.Minute)
		}
	}
}

// O1 and O2: at every change of the clocks from 2000 to 2037 in every zone, for
// each sort of cadence, handoffs strictly increase, turns tile time, and the
// number of the turn is that of somebody who watches the clock.
func TestTurnsAtEveryChangeOfEveryClock(t *testing.T) {
	all := zones(t)
	if testing.Short() {
		all = []*time.Location{zone(t, "Europe/Berlin"), zone(t, "Australia/Lord_Howe"), zone(t, "Pacific/Apia"), zone(t, "Africa/Casablanca")}
	}
	cadences := func(z *time.Location, change time.Time) []Cadence {
		// The first handoff is at a time that the change skips or repeats.
		l := recur.LocalOf(change, z)
		y, m, d := l.Date()
		near := recur.LocalAt(y, m, d, 0, 0) + 2*60 + 30
		return []Cadence{
			{Hourly, 1, l - 1000*60 - 30, z},
			{Hourly, 8, l - 800*60 - 15, z},
			{Daily, 1, near - 40*24*60, z},
			{Daily, 3, l - 30*24*60, z},
			{Weekly, 1, l - 7*24*60*3, z},
			{Monthly, 1, recur.LocalAt(y, m-5, 31, 2, 30), z},
		}
	}
	turns := 0
	for _, z := range all {
		for _, change := range transitions(z) {
			for _, c := range cadences(z, change) {
				turns += c.check(t, change)
			}
		}
	}
	t.Logf("%d zones, %d turns", len(all), turns)
}

// check compares the turns around a change with what a watcher sees, and returns
// how many there were.
func (c Cadence) check(t *testing.T, change time.Time) int {
	t.Helper()
	from, to := change.Add(-30*time.Hour), change.Add(30*time.Hour)
	all := slices.Collect(c.Turns(from, to))
	for i, x := range all {
		if !x.From.Before(x.To) {
			t.Fatalf("%v: turn %d begins at %s and ends at %s", c, x.Number, x.From, x.To)
		}
		if i > 0 && !all[i-1].To.Equal(x.From) {
			t.Fatalf("%v: turn %d begins at %s, the one before ended at %s", c, x.Number, x.From, all[i-1].To)
		}
		if n := c.Number(x.From); n != x.Number {
			t.Fatalf("%v: at %s turn %d is under way, not %d", c, x.From, n, x.Number)
		}
	}
	if all[0].From.After(from) || all[len(all)-1].To.Before(to) {
		t.Fatalf("%v: the turns do not cover %s to %s", c, from, to)
	}
	i := 0
	watch(c, change, func(at time.Time, number int64) {
		for !all[i].To.After(at) {
			i++
		}
		if all[i].Number != number {
			t.Fatalf("%v: at %s (%s there) turn %d is under way; who watches the clock says %d", c, at, at.In(c.Zone), all[i].Number, number)
		}
	})
	return len(all)
}

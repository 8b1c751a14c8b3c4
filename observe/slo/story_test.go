package slo_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/test/scenario"
)

// told makes stories of so many days that end at a time, from a fresh seed.
func told(t *testing.T, plans []scenario.Plan, pick ...string) (all []*scenario.Scenario) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for i, p := range plans {
		if len(pick) == 0 || slices.Contains(pick, p.Name) {
			p.Job = fmt.Sprintf("story-%02d", i)
			all = append(all, scenario.Make(p, seed))
		}
	}
	if len(pick) > len(all) {
		t.Fatalf("of %v, %d are told", pick, len(all))
	}
	return all
}

// countingStory is checkout over the counters of a story; part is good or bad.
func countingStory(s *scenario.Scenario, part, window string) string {
	expr := s.Bad()
	if part == "good" {
		expr = s.Good()
	}
	return replaceAll(checkout, "{duration: 30d, isRolling: true}", window, "        bad:", "        "+part+":",
		`sum(http_requests_total{code=~"5.."})`, expr, "sum(http_requests_total)", s.Total())
}

func replaceAll(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }

// holds compares an objective with what happened.
func holds(t *testing.T, when string, d slo.Summary, want scenario.Count) {
	t.Helper()
	if bad := d.Total - d.Good; d.Total != want.Total || math.Abs(bad-want.Bad) > 1e-6 {
		t.Errorf("%s: %s counts %v bad of %v, the scrapes saw %v of %v", when, d.Name, bad, d.Total, want.Bad, want.Total)
	}
}

// Each tenant is a story of its own: those that come, go, come back, and are idle.
func TestInstancesHoldTheTrueCountsOfTheirStories(t *testing.T) {
	stories := told(t, append(scenario.Plans(t0.AddDate(0, 0, -2), 2), scenario.Adversities(t0.AddDate(0, 0, -2), 2)...),
		"flat", "pods come and go", "low traffic", "restarts that say so", "outage inside a scrape gap", "pods of a minute")
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		for _, s := range stories {
			w.load(s)
		}
		w.at(t0.Add(31 * time.Second))
		w.apply(strings.Replace(checkout, "metadata: {name: checkout, displayName", "metadata: {annotations: {teiten.dev/by: job}, name: checkout, displayName", 1))
		for range 3 { // instances are found, and then their past is read
			w.evaluate()
			w.backfill()
			w.at(w.now().Add(time.Minute))
		}
		var sum scenario.Count
		for _, s := range stories {
			seen := s.Seen(s.From, t0.Add(time.Minute)) // the last scrapes come a little later
			sum.Total, sum.Bad = sum.Total+seen.Total, sum.Bad+seen.Bad
			i := slices.IndexFunc(w.instances(), func(x slo.Summary) bool { return x.Name == "checkout~job="+s.JobName() })
			if i < 0 {
				t.Errorf("%s is no instance of %v", s, names(w.instances()))
				continue
			}
			holds(t, s.Name, w.instances()[i], seen)
		}
		holds(t, "all together", w.detail("checkout").Summary, sum)
	}, rooms...)
}

// What an objective held is not in the way of what it holds after it was changed,
// and one that is made again holds what it held.
func TestAnObjectiveThatChangesHoldsTheTrueCounts(t *testing.T) {
	from := t0.AddDate(0, 0, -3)
	stories := told(t, scenario.Plans(from, 3), "pods come and go", "half an outage at peak")
	a, b := stories[0], stories[1]
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.load(a)
		w.load(b)
		w.at(t0.Add(31 * time.Second))
		const month = "{duration: 30d, isRolling: true}"
		ask := func(step string, s *scenario.Scenario, since time.Time) {
			t.Helper()
			w.evaluate()
			w.backfill()
			w.at(w.now().Add(time.Minute))
			w.evaluate()
			w.backfill()
			holds(t, step, w.detail("checkout").Summary, s.Seen(since, t0))
		}
		w.apply(countingStory(a, "bad", month))
		ask("as it was made", a, from)
		w.apply(countingStory(a, "good", month))
		ask("by good events", a, from)
		w.apply(countingStory(b, "bad", month))
		ask("of another service", b, from)
		w.apply(strings.Replace(countingStory(b, "bad", month), "0.999", "0.9", 1))
		ask("with another objective", b, from)
		w.apply(countingStory(b, "bad", "{duration: 1d, isRolling: true}"))
		ask("over a day", b, w.now().Add(time.Minute).Truncate(time.Minute).Add(-24*time.Hour))
		w.apply(countingStory(b, "bad", month))
		ask("over a month again", b, from)
		w.remove("SLO", "checkout")
		w.evaluate()
		w.apply(countingStory(a, "bad", month))
		ask("made again", a, from)
	}, rooms...)
}

// A window whose edge lies in a gap is an interval in which the truth lies, and
// which is as wide as what was counted across the gap makes it.
func TestAWindowThatBeginsInAGapIsAnIntervalThatHoldsTheTruth(t *testing.T) {
	from := t0.AddDate(0, 0, -2)
	for _, s := range told(t, append(scenario.Plans(from, 2), scenario.Shapes(from, 2)...), "outage inside a scrape gap", "a replica that was away") {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			w.load(s)
			w.at(t0.Add(31 * time.Second))
			gap := s.Gaps[0]
			first, last := time.Unix(gap.From*60, 0).UTC(), time.Unix(gap.To*60, 0).UTC()
			lump := s.Seen(last.Add(-time.Minute), last.Add(time.Minute)) // and the minute beside it
			rest := s.Seen(last.Add(time.Minute), t0)
			var documents strings.Builder
			edges := map[string]time.Time{}
			for m := 3; first.Add(time.Duration(m) * time.Minute).Before(last); m += 13 {
				edge := first.Add(time.Duration(m) * time.Minute)
				name := fmt.Sprintf("edge-%d", m)
				edges[name] = edge
				documents.WriteString("\n---\n" + strings.Replace(countingStory(s, "bad", fmt.Sprintf("{duration: %dm, isRolling: true}", int(t0.Sub(edge).Minutes()))), "name: checkout, d", "name: "+name+", d", 1))
			}
			w.apply(documents.String())
			w.evaluate()
			w.backfill()
			for name, edge := range edges {
				var d slo.KnownDetail
				w.ok("/api/v1/slos/"+name, &d)
				truth := s.Happened(edge, t0)
				share := 1 - truth.Bad/truth.Total
				if !(d.Bounds.SLILow <= share+1e-9 && share <= d.Bounds.SLIHigh+1e-9) {
					t.Errorf("%s: %v of the requests were good, said to be from %v to %v", edge, share, d.Bounds.SLILow, d.Bounds.SLIHigh)
				}
				left := 1 - (1-share)/0.001
				if !(d.Bounds.BudgetLow <= left+1e-6 && left <= d.Bounds.BudgetHigh+1e-6) {
					t.Errorf("%s: %v of the budget is left, said to be from %v to %v", edge, left, d.Bounds.BudgetLow, d.Bounds.BudgetHigh)
				}
				worst := 1 - (rest.Bad+lump.Bad)/(rest.Total+lump.Bad)
				best := 1 - rest.Bad/(rest.Total+lump.Total-lump.Bad)
				if d.Bounds.SLILow < worst-1e-9 || d.Bounds.SLIHigh > best+1e-9 || d.Bounds.SLILow == d.Bounds.SLIHigh {
					t.Errorf("%s: from %v to %v, and what was counted across the gap is %v bad of %v: from %v to %v", edge, d.Bounds.SLILow, d.Bounds.SLIHigh, lump.Bad, lump.Total, worst, best)
				}
			}
		})
	}
}

// Months, weeks, quarters and years end where the people of their zone say, on
// the days on which the clock is changed as well.
func TestCalendarWindowsHoldTheTrueCounts(t *testing.T) {
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo", "UTC"}
	for name, c := range map[string]struct {
		from, now time.Time
		window    string
		begun     func(zone *time.Location) time.Time
	}{
		"after the clocks went back in Europe": {at(2026, 10, 20), at(2026, 11, 3), "1M", func(z *time.Location) time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, z) }},
		"the month in which clocks went back":  {at(2026, 9, 28), at(2026, 10, 30), "1M", func(z *time.Location) time.Time { return time.Date(2026, 10, 1, 0, 0, 0, 0, z) }},
		"the week in which clocks went on":     {at(2026, 3, 20), at(2026, 3, 30), "1w", func(z *time.Location) time.Time { return monday(2026, 3, 30, z, at(2026, 3, 30)) }},
		"the last day of February in a leap year": {at(2024, 2, 20), at(2024, 2, 29).Add(20 * time.Hour), "1M", func(z *time.Location) time.Time {
			return month(at(2024, 2, 29).Add(20*time.Hour), z)
		}},
		"the last week of a year":    {at(2025, 12, 24), at(2026, 1, 2), "1w", func(z *time.Location) time.Time { return monday(2025, 12, 29, z, at(2026, 1, 2)) }},
		"the quarter that has begun": {at(2025, 12, 28), at(2026, 1, 4), "3M", func(z *time.Location) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, z) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := scenario.Adversities(c.from, int(c.now.Sub(c.from).Hours()/24))[0]
			p.To = c.now
			s := told(t, []scenario.Plan{p})[0]
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			w.load(s)
			w.at(c.now.Add(31 * time.Second))
			var documents strings.Builder
			for i, zone := range zones {
				window := fmt.Sprintf("{duration: %s, isRolling: false, calendar: {startTime: 2024-01-01 00:00:00, timeZone: %s}}", c.window, zone)
				documents.WriteString("\n---\n" + strings.Replace(countingStory(s, "bad", window), "name: checkout, d", fmt.Sprintf("name: zone-%d, d", i), 1))
			}
			w.apply(documents.String())
			w.evaluate()
			w.backfill()
			for i, zone := range zones {
				z, err := time.LoadLocation(zone)
				if err != nil {
					t.Fatal(err)
				}
				d := w.detail(fmt.Sprintf("zone-%d", i))
				begun := c.begun(z)
				if d.Calendar == nil || !d.Calendar.From.Equal(begun) {
					t.Errorf("in %s the window is %+v, want one from %s", zone, d.Calendar, begun)
				}
				holds(t, zone, d.Summary, s.Seen(begun, c.now))
			}
		})
	}
}

func at(year int, m time.Month, day int) time.Time {
	return time.Date(year, m, day, 0, 0, 0, 0, time.UTC)
}

// month is when the month of a zone began in which a moment is.
func month(t time.Time, z *time.Location) time.Time {
	t = t.In(z)
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, z)
}

// monday is the midnight of a day in a zone, or that a week before where a moment
// is before it.
func monday(year int, m time.Month, day int, z *time.Location, now time.Time) time.Time {
	t := time.Date(year, m, day, 0, 0, 0, 0, z)
	if t.After(now.Add(-time.Minute)) {
		t = time.Date(year, m, day-7, 0, 0, 0, 0, z)
	}
	return t
}

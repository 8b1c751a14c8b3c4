package slo_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
)

// sliced is the checkout promise counted by slices of five minutes.
func sliced(method, window, objective string) string {
	return strings.NewReplacer("budgetingMethod: Occurrences", "budgetingMethod: "+method,
		"{duration: 30d, isRolling: true}", window, "{target: 0.999}", objective).Replace(checkout)
}

// uneven is quiet most of the time and busy in every seventh minute, with
// failures that come and go.
func uneven(t time.Time) (total, bad float64) {
	m := t.Unix() / 60
	total = 20
	if m%7 == 0 {
		total = 4000
	}
	if m%11 == 0 {
		bad = total / 2
	}
	return total, bad
}

// inSlices adds up what happened from first to last in slices of five minutes that
// end in the window: how many there were, how many missed a target, and the sum
// of their bad shares.
func inSlices(from, to time.Time, target float64) (n, missed, shares float64) {
	for at := from; at.Before(to); at = at.Add(5 * time.Minute) {
		var total, bad float64
		for i := range 5 {
			t, b := uneven(at.Add(time.Duration(i) * time.Minute))
			total, bad = total+t, bad+b
		}
		n++
		shares += bad / total
		if (total-bad)/total < target {
			missed++
		}
	}
	return n, missed, shares
}

func TestBudgetsCountSlicesOfTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.apply(sliced("Timeslices", "{duration: 6h, isRolling: true}", "{target: 0.9, timeSliceTarget: 0.95, timeSliceWindow: 5m}, {displayName: mean, target: 0.95, timeSliceTarget: 0.95, timeSliceWindow: 5}"))
		w.history(t0.Add(-8*time.Hour), t0, uneven)
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		check := func(step string, to time.Time, ratio bool) {
			t.Helper()
			end := to.Truncate(5 * time.Minute) // slices that are over
			first := to.Add(-6 * time.Hour)
			first = first.Add(5*time.Minute - 1).Truncate(5 * time.Minute)
			if to.Sub(end) > 0 { // a slice counts at its last minute, which is still in the window
				first = first.Add(-5 * time.Minute)
			}
			n, missed, shares := inSlices(first, end, 0.95)
			for name, target := range map[string]float64{"checkout": 0.9, "checkout~mean": 0.95} {
				var d slo.Detail
				w.ok("/api/v1/slos/"+name, &d)
				bad := missed
				if ratio {
					bad = shares
				}
				want := 1 - bad/((1-target)*n)
				if math.Abs(d.Total-n) > 1e-6 || math.Abs(d.Total-d.Good-bad) > 1e-6 || math.Abs(*d.BudgetLeft-want) > 1e-6 {
					t.Errorf("%s: %s counts %v slices, %v bad, %v left; want %v, %v, %v", step, name, d.Total, d.Total-d.Good, *d.BudgetLeft, n, bad, want)
				}
			}
		}
		check("at first", t0, false)
		w.live(t0.Add(13*time.Minute), uneven)
		check("within a slice", t0.Add(13*time.Minute), false)
		w.restart()
		w.live(t0.Add(21*time.Minute), uneven)
		check("after a restart within a slice", t0.Add(21*time.Minute), false)

		// The ledger holds events: another method needs no reading of the past.
		w.apply(sliced("RatioTimeslices", "{duration: 6h, isRolling: true}", "{target: 0.9, timeSliceWindow: 5m}, {displayName: mean, target: 0.95, timeSliceWindow: 5}"))
		w.live(t0.Add(25*time.Minute), uneven)
		check("by the mean of ratios", t0.Add(25*time.Minute), true)
	}, rooms...)
}

func TestBudgetsFollowTheCalendar(t *testing.T) {
	for name, c := range map[string]struct {
		window string
		now    time.Time
		begun  time.Time // the window that now is in
	}{
		"a day in Tokyo": {"{duration: 1d, calendar: {startTime: 2022-01-01 00:00:00, timeZone: Asia/Tokyo}}",
			t0.Add(time.Hour), time.Date(2026, 5, 31, 15, 0, 0, 0, time.UTC)},
		"a day that has just begun": {"{duration: 1d, calendar: {startTime: 2022-01-01 00:00:00, timeZone: Asia/Tokyo}}",
			time.Date(2026, 5, 31, 15, 7, 0, 0, time.UTC), time.Date(2026, 5, 31, 15, 0, 0, 0, time.UTC)},
		"a week from Saturday noon": {"{duration: 1w, calendar: {startTime: 2022-01-01 12:00:00, timeZone: America/New_York}}",
			t0, time.Date(2026, 5, 30, 16, 0, 0, 0, time.UTC)},
		"a month with a change of the clock": {"{duration: 1M, calendar: {timeZone: America/New_York}}",
			time.Date(2026, 3, 12, 3, 0, 0, 0, time.UTC), time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)},
		"a month from the 31st": {"{duration: 1M, calendar: {startTime: 2026-01-31 00:00:00, timeZone: Europe/Berlin}}",
			time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 27, 23, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
			w.at(c.now)
			w.apply(strings.Replace(checkout, "{duration: 30d, isRolling: true}", c.window, 1))
			w.history(c.begun.Add(-3*time.Hour), c.now, flat(60, 1))
			w.at(c.now.Add(31 * time.Second))
			w.evaluate()
			w.backfill()
			w.run(c.now.Add(2 * time.Minute)) // without data: nothing is counted
			var d slo.Detail
			w.ok("/api/v1/slos/checkout", &d)
			if want := 60 * c.now.Sub(c.begun).Minutes(); d.Total != want || d.Good != want/60*59 {
				t.Errorf("%v good of %v events since %v, want all of %v", d.Good, d.Total, c.begun, want)
			}
			if d.Calendar == nil || !d.Calendar.From.Equal(c.begun) || !d.Calendar.To.After(c.now) {
				t.Errorf("the window is said to be %+v, want one from %v on", d.Calendar, c.begun)
			}
		})
	}
}

func TestABudgetBeginsAnewWithTheCalendar(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	midnight := time.Date(2026, 6, 1, 15, 0, 0, 0, time.UTC)
	w.at(midnight.Add(-4 * time.Minute))
	w.apply(strings.Replace(checkout, "{duration: 30d, isRolling: true}", "{duration: 1d, calendar: {startTime: 2022-01-01 00:00:00, timeZone: Asia/Tokyo}}", 1))
	w.history(midnight.Add(-30*time.Hour), midnight.Add(-4*time.Minute), flat(60, 6))
	w.at(midnight.Add(-4*time.Minute + 31*time.Second))
	w.evaluate()
	w.backfill()
	var seen []string
	for range 7 {
		w.live(w.now().Truncate(time.Minute).Add(time.Minute), flat(60, 0))
		var d slo.Detail
		w.ok("/api/v1/slos/checkout", &d)
		seen = append(seen, fmt.Sprintf("%.0f of %.0f", d.Total-d.Good, d.Total))
	}
	day := (24*60 - 4.0) * 6
	want := []string{
		fmt.Sprintf("%.0f of %.0f", day, 60*(24*60-3.0)), fmt.Sprintf("%.0f of %.0f", day, 60*(24*60-2.0)), fmt.Sprintf("%.0f of %.0f", day, 60*(24*60-1.0)),
		fmt.Sprintf("%.0f of %.0f", day, 60*24*60.0), "0 of 60", "0 of 120", "0 of 180",
	}
	if strings.Join(seen, ", ") != strings.Join(want, ", ") {
		t.Errorf("bad events were\n%v, want\n%v", seen, want)
	}
}

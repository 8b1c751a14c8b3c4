package slo_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// news is what is learned of a minute at some time.
type news struct {
	at     time.Time
	minute int
	is     ledger.Minute
}

// TestWhatWasKnownIsWhatHadBeenLearned lets the minutes of an hour arrive in time,
// late or never, and corrects some afterwards, written as the engine writes them:
// late minutes of an hour under way at once, the others when it is over. Then the
// ledger knows at any time what had been learned by then.
func TestWhatWasKnownIsWhatHadBeenLearned(t *testing.T) {
	const settle = 30 * time.Second
	store := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	number := t0.Unix() / 3600
	over := t0.Add(time.Hour)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		name := fmt.Sprint("slo-", run)
		one := func() ledger.Minute { return ledger.Of(float64(rapid.IntRange(0, 9).Draw(t, "events")), 0) }
		var all []news
		inTime := map[int]bool{}
		for i := range 60 {
			end := t0.Add(time.Duration(i+1) * time.Minute)
			switch rapid.IntRange(0, 9).Draw(t, "fate") {
			case 0: // never
			case 1:
				all = append(all, news{end.Add(time.Duration(rapid.IntRange(15, 300).Draw(t, "late")) * time.Minute), i, one()})
			default:
				inTime[i] = true
				all = append(all, news{end.Add(settle), i, one()})
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "corrections") {
			at := over.Add(time.Duration(rapid.IntRange(20, 400).Draw(t, "after")) * time.Minute)
			all = append(all, news{at, rapid.IntRange(0, 59).Draw(t, "corrected"), one()})
		}
		slices.SortStableFunc(all, func(a, b news) int { return a.at.Compare(b.at) })
		all = slices.DeleteFunc(all, func(n news) bool { // the time of closing is not what this is about
			return !inTime[n.minute] && n.at.After(over.Add(-time.Minute)) && n.at.Before(over.Add(15*time.Minute))
		})

		put := func(now time.Time, r ledger.Record) {
			err := store.Write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
				return slo.PutRecord(ctx, tx, now, name, r)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		closed := over.Add(45 * time.Second)
		early, whole, done := ledger.Record{Number: number}, ledger.Record{Number: number}, false
		for _, n := range all {
			if n.at.After(closed) && !done {
				put(closed, whole)
				done = true
			}
			whole.Hour[n.minute] = n.is
			switch {
			case done:
				put(n.at, whole)
			case !inTime[n.minute]:
				early.Hour[n.minute] = n.is
				put(n.at, early)
			}
		}
		if !done {
			put(closed, whole)
		}

		at := t0.Add(time.Duration(rapid.IntRange(0, 8*3600).Draw(t, "asOf")) * time.Second)
		want := ledger.Record{Number: number}
		for _, n := range all {
			if !n.at.After(at) {
				want.Hour[n.minute] = n.is
			}
		}
		got, err := slo.Record(context.Background(), store.Read(), name, number, at, settle)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("as of %s (-learned +known):\n%s", at.Format(time.TimeOnly), diff)
		}
	})
}

// correct changes what was counted in the minute that begins at a time, as late
// data does.
func (w *world) correct(name string, at time.Time, is ledger.Minute) {
	w.t.Helper()
	number := at.Unix() / 3600
	r, err := slo.Record(w.t.Context(), w.db.Read(), name, number, time.Time{}, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Hour[at.Minute()] = is
	if err := w.db.Write(w.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		return slo.PutRecord(ctx, tx, w.now(), name, r)
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) series(q slo.SeriesQuery) slo.Series {
	w.t.Helper()
	x, err := w.slo.Series(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

func TestACorrectionChangesNowAndNeverThen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.history(t0.Add(-2*time.Hour), t0, flat(100, 1))
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		w.live(t0.Add(2*time.Hour), flat(100, 1))
		then := w.now()
		get := "/api/v1/slos/checkout?asOf=" + url.QueryEscape(then.Format(time.RFC3339Nano))
		var first, again slo.KnownDetail
		w.ok(get, &first)
		q := slo.SeriesQuery{Name: "checkout", From: t0, To: t0.Add(2 * time.Hour), AsOf: then, Points: 120}
		before := w.series(q)

		w.at(t0.Add(5 * time.Hour))
		w.correct("checkout", t0.Add(30*time.Minute), ledger.Of(500, 401))

		if diff := cmp.Diff(before, w.series(q)); diff != "" {
			t.Errorf("what was known has changed:\n%s", diff)
		}
		w.ok(get, &again)
		if diff := cmp.Diff(first.Summary, again.Summary); diff != "" || first.Total == 0 {
			t.Errorf("the objective as it was known has changed:\n%s", diff)
		}
		if diff := cmp.Diff(first.Bounds, again.Bounds); diff != "" {
			t.Errorf("its bounds have changed:\n%s", diff)
		}
		q.AsOf = time.Time{}
		now := w.series(q)
		if got, want := *now.Total[30]-*now.Good[30], 401.0; got != want {
			t.Errorf("the minute shows %v bad events, want %v", got, want)
		}
		if diff := cmp.Diff(sum(now.Total)-sum(before.Total), 400.0); diff != "" {
			t.Errorf("the total did not grow by what was learned: %s", diff)
		}
	}, rooms...)
}

// TestAnEarlierTimeShowsWhatTheObjectiveBelongedToThen: service, team, tier, terms,
// and what was excluded by them.
func TestAnEarlierTimeShowsWhatTheObjectiveBelongedToThen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.history(t0.Add(-2*time.Hour), t0, flat(100, 1))
		w.at(t0.Add(31 * time.Second))
		w.evaluate()
		w.backfill()
		w.live(t0.Add(5*time.Minute), flat(100, 1))
		past := "apiVersion: teiten.dev/v1\nkind: MaintenanceWindow\nmetadata: {name: past}\nspec: {teams: [payments], reason: it was planned, start: " +
			t0.Add(-time.Hour).Format(time.RFC3339) + ", end: " + t0.Add(-30*time.Minute).Format(time.RFC3339) + "}\n"
		if err := w.applyAs(administrator, past); err != nil {
			t.Fatal(err)
		}
		w.live(t0.Add(10*time.Minute), flat(100, 1))
		get := "/api/v1/slos/checkout?asOf=" + url.QueryEscape(w.now().Format(time.RFC3339Nano))
		var first, again, now slo.KnownDetail
		w.ok(get, &first)

		w.at(t0.Add(15 * time.Minute))
		moved := replaceOnce(t, replaceOnce(t, shop, "owner: payments", "owner: store"), `tier: "1"`, `tier: "3"`)
		moved = replaceOnce(t, replaceOnce(t, moved, "target: 0.999", "target: 0.95"), "displayName: Checkout works", "displayName: Checkout mostly works")
		w.apply(replaceOnce(t, moved, "kind: Component\n", "kind: Group\nmetadata: {name: store}\nspec: {type: team, children: []}\n---\napiVersion: backstage.io/v1alpha1\nkind: Component\n"))
		w.live(t0.Add(20*time.Minute), flat(100, 1))

		w.ok("/api/v1/slos/checkout", &now)
		if now.Owner != "store" || now.Tier != "3" || now.Objective != 0.95 || now.Excluded.Minutes != 0 {
			t.Fatalf("now it is %+v", now)
		}
		w.ok(get, &again)
		as := func(x slo.KnownDetail) map[string]any {
			return map[string]any{"title": x.Title, "service": x.Service, "owner": x.Owner, "tier": x.Tier, "objective": x.Objective,
				"total": x.Total, "good": x.Good, "left": *x.BudgetLeft, "status": x.Status, "policy": x.PolicyState, "interval": x.Interval}
		}
		if diff := cmp.Diff(as(first), as(again)); diff != "" || first.Owner != "payments" || first.Tier != "1" {
			t.Errorf("the objective as it was known has changed:\n%s", diff)
		}
		if first.Total != 100*100 || now.Total != 135*100 { // two hours and what was live, without five minutes that nobody saw
			t.Errorf("then %v events counted, without the excluded half hour; now %v", first.Total, now.Total)
		}
	}, rooms...)
}

func sum(values []*float64) (s float64) {
	for _, v := range values {
		if v != nil {
			s += *v
		}
	}
	return s
}

package slo_test

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// fill writes a random past up to t0: with minutes that nobody saw, hours without
// a row, and events seen late, some across the edges of hours and days.
func (w *world) fill(days int) {
	w.t.Helper()
	random := rand.New(rand.NewPCG(7, uint64(days)))
	err := w.db.Write(w.t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		for number := t0.Unix()/3600 - int64(days)*24; number < t0.Unix()/3600; number++ {
			if random.IntN(20) == 0 {
				continue
			}
			r := ledger.Record{Number: number}
			for i := range r.Hour {
				if random.IntN(15) > 0 {
					total := random.IntN(1000)
					r.Hour[i] = ledger.Of(float64(total), float64(random.IntN(total/100+1)))
				}
			}
			if m := r.Hour[5]; m.Known && random.IntN(4) == 0 {
				to := r.First() + 5
				r.Lumps = []ledger.Lump{{From: to - int64(random.IntN(90)), To: to, Total: m.Total, Bad: m.Bad}}
			}
			if err := slo.PutRecord(ctx, tx, t0, "checkout", r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.at(t0.Add(31 * time.Second))
	w.evaluate()
}

// rows counts the rows of a table.
func (w *world) rows(table string) (n int) {
	w.t.Helper()
	if err := w.db.Read().QueryRowContext(w.t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) thin() {
	w.t.Helper()
	if err := w.slo.Thin(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func TestThinningChangesNoTotal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.fill(20)
		w.at(t0)
		hours := slo.SeriesQuery{Name: "checkout", From: t0.Add(-20 * day), To: t0, Points: 480}
		days := slo.SeriesQuery{Name: "checkout", From: t0.Add(-20 * day), To: t0, Points: 20}
		counts := func(q slo.SeriesQuery) []any {
			x := w.series(q)
			return []any{x.StepSeconds, x.Times, x.Total, x.Good, x.Known, x.BudgetLeft, x.WindowKnown, x.Burn["24h"]}
		}
		byHour, byDay := counts(hours), counts(days)

		w.retention = slo.Retention{Minutes: 5 * day, Hours: 40 * day}
		w.restart()
		w.thin()
		if got, most := w.rows("slo_ledger"), 5*24; got > most {
			t.Errorf("%d hours of minutes are left, want at most %d", got, most)
		}
		if diff := cmp.Diff(byHour, counts(hours)); diff != "" {
			t.Errorf("after minutes became hours:\n%s", diff)
		}

		w.retention.Hours = 12 * day
		w.restart()
		w.thin()
		if diff := cmp.Diff(byDay, counts(days)); diff != "" {
			t.Errorf("after hours became days:\n%s", diff)
		}
		kept := w.rows("slo_days")
		w.thin()
		if diff := cmp.Diff(byDay, counts(days)); diff != "" || w.rows("slo_days") != kept {
			t.Errorf("thinning again changed something:\n%s", diff)
		}
	}, rooms...)
}

// TestMinutesThatComeBackReplaceTheirHour: a longer window reads a past again of
// which only hours were left.
func TestMinutesThatComeBackReplaceTheirHour(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.retention = slo.Retention{Minutes: 2 * day, Hours: 40 * day}
	w.restart()
	w.fill(6)
	w.at(t0)
	w.thin()
	at := t0.Add(-5*day + 7*time.Hour)
	q := slo.SeriesQuery{Name: "checkout", From: t0.Add(-6 * day), To: t0, Points: 144}
	before := w.series(q)

	r := ledger.Record{Number: at.Unix() / 3600}
	r.Hour[0] = ledger.Of(1234, 5)
	if err := w.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		return slo.PutRecord(ctx, tx, w.now(), "checkout", r)
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		now := w.series(q)
		for i := range now.Times {
			want := before.Total[i]
			if now.Times[i] == at.Add(time.Hour).UnixMilli() {
				v := 1234.0
				want = &v
			}
			if diff := cmp.Diff(want, now.Total[i]); diff != "" {
				t.Errorf("the hour that ends at %v:\n%s", time.UnixMilli(now.Times[i]).UTC(), diff)
			}
		}
		w.thin() // and again when they are given up anew
	}
}

// BenchmarkSeries reads one objective over thirty days, and over four hundred of
// which three hundred are left by the hour.
func BenchmarkSeries(b *testing.B) {
	w := newWorld(b, dbtest.Open(b, dbtest.SQLite(b), rooms...))
	w.fill(431)
	w.at(t0)
	w.thin()
	for name, days := range map[string]time.Duration{"30 days": 30, "400 days": 400} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				w.series(slo.SeriesQuery{Name: "checkout", From: t0.Add(-days * day), To: t0, Points: 300})
			}
		})
	}
}

// TestALongWindowKeepsWhatWasThinned: a window longer than minutes are kept counts
// the same after thinning, when it is summed up anew.
func TestALongWindowKeepsWhatWasThinned(t *testing.T) {
	w := newWorld(t, dbtest.Open(t, dbtest.SQLite(t), rooms...))
	w.retention = slo.Retention{Minutes: 100 * day, Hours: 400 * day}
	w.restart()
	w.apply(replaceOnce(t, shop, "duration: 30d", "duration: 120d"))
	w.fill(125)
	before := w.detail("checkout")
	w.thin()
	w.exec("DELETE FROM slo_shards")
	w.restart()
	w.evaluate()
	if d := w.detail("checkout"); d.Total != before.Total || d.Good != before.Good {
		t.Errorf("summed up anew: %v of %v good, before %v of %v", d.Good, d.Total, before.Good, before.Total)
	}
}

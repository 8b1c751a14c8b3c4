package slo

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

func TestExclusionsAreAnsweredAsTheyWereKnown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *database.DB) {
		at := func(hours int) time.Time { return time.Date(2026, 6, 1, hours, 0, 0, 0, time.UTC) }
		var covers = marshal(Covers{Services: []string{"shop"}})
		err := d.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			q := db.New(tx)
			if err := q.DescribeStatus(ctx, db.DescribeStatusParams{Name: "checkout", Service: "shop"}); err != nil {
				return err
			}
			if err := q.AddExclusion(ctx, db.AddExclusionParams{ID: "1", Covers: covers, Shape: "{}", StartsAt: database.Micros(at(1)), EndsAt: database.Micros(at(2)),
				CreatedAt: database.Micros(at(5)), CreatedBy: "{}"}); err != nil {
				return err
			}
			_, err := q.TakeBackExclusion(ctx, db.TakeBackExclusionParams{ID: "1", TakenBackAt: database.Micros(at(7)), TakenBackBy: "{}"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		hour := []minutes{ledger.Between(ledger.Done(at(1)), ledger.Done(at(2)))}
		for known, want := range map[time.Time][]minutes{at(4): nil, at(5): hour, at(6): hour, at(7): nil, {}: nil} {
			got, err := excludedMinutes(t.Context(), d.Read(), &Definition{Name: "checkout"}, ledger.Between(ledger.Done(at(0)), ledger.Done(at(3))), known)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" && len(want)+len(got) > 0 {
				t.Errorf("as of %v: %s", known, d)
			}
		}
	}, dbtest.Room{Name: "slo", Files: Migrations})
}

func TestAnExcludedMinuteCountsNothingAndIsNoGap(t *testing.T) {
	bad, gap, none := ledger.Of(100, 50), ledger.Minute{}, ledger.Minute{Known: true}
	slice := func(bad float64) ledger.Minute { return ledger.Minute{Total: 1, Bad: bad, Known: true} }
	sliced := budgeting.Counting{Method: budgeting.Timeslices, Slice: 2, Target: 0.9}
	for name, c := range map[string]struct {
		counting   budgeting.Counting
		have, want []ledger.Minute
		excluded   []minutes
	}{
		"events":                            {budgeting.Counting{}, []ledger.Minute{bad, bad, gap}, []ledger.Minute{bad, none, none}, []minutes{ledger.Between(11, 13)}},
		"a slice of which a part counts":    {sliced, []ledger.Minute{bad, bad}, []ledger.Minute{none, slice(1)}, []minutes{ledger.Between(10, 11)}},
		"its last minute excluded":          {sliced, []ledger.Minute{bad, bad}, []ledger.Minute{none, slice(1)}, []minutes{ledger.Between(11, 12)}},
		"a slice that is excluded entirely": {sliced, []ledger.Minute{bad, bad, bad, bad}, []ledger.Minute{none, none, none, slice(1)}, []minutes{ledger.Between(10, 12)}},
		"spans beyond what is asked":        {budgeting.Counting{}, []ledger.Minute{bad, bad}, []ledger.Minute{none, none}, []minutes{ledger.Between(0, 100)}},
	} {
		have := append([]ledger.Minute{}, c.have...)
		if d := cmp.Diff(c.want, counted(&Definition{Counting: c.counting}, 10, have, c.excluded)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(c.have, have); d != "" {
			t.Errorf("%s: the ledger was changed: %s", name, d)
		}
	}
}

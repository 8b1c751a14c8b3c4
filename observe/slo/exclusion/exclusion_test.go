package exclusion_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/exclusion"
	"github.com/teiten/teiten/observe/slo/exclusion/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

func at(hours int) time.Time { return time.Date(2026, 6, 1, hours, 0, 0, 0, time.UTC) }

func hours(from, to int) ledger.Span {
	return ledger.Between(ledger.Done(at(from)), ledger.Done(at(to)))
}

func TestExclusionsAreAnsweredAsTheyWereKnown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *database.DB) {
		covers := database.JSON(exclusion.Covers{Services: []string{"shop"}})
		err := d.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			q := db.New(tx)
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
		for known, want := range map[time.Time][]ledger.Span{at(4): nil, at(5): {hours(1, 2)}, at(6): {hours(1, 2)}, at(7): nil, {}: nil} {
			book, err := exclusion.Load(t.Context(), d.Read(), known)
			if err != nil {
				t.Fatal(err)
			}
			got := book.Minutes(exclusion.Coverage{SLO: "checkout", Service: "shop"}, hours(0, 3))
			if d := cmp.Diff(want, got); d != "" && len(want)+len(got) > 0 {
				t.Errorf("as of %v: %s", known, d)
			}
			if other := book.Minutes(exclusion.Coverage{SLO: "search", Service: "search"}, hours(0, 3)); len(other) > 0 {
				t.Errorf("as of %v: an objective that it does not cover loses %v", known, other)
			}
		}
	}, dbtest.Room{Name: "slo", Files: slo.Migrations})
}

func TestAnExclusionGoesThroughItsStates(t *testing.T) {
	x := exclusion.Exclusion{Starts: at(1), Ends: at(2)}
	for now, want := range map[time.Time]string{at(0): exclusion.Planned, at(1): exclusion.Active, at(2): exclusion.Past} {
		if got := x.State(now); got != want {
			t.Errorf("at %v it is %s, want %s", now, got, want)
		}
	}
	if x.Ends = (time.Time{}); x.State(at(9)) != exclusion.Active {
		t.Error("one without an end ended")
	}
	if x.TakenBack = &(exclusion.TakenBack{}); x.State(at(1)) != exclusion.Revoked {
		t.Error("one that was taken back still counts")
	}
}

package journal_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
)

var room = dbtest.Room{Name: "journal", Files: journal.Migrations}

// clock is a clock that a test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func begin() *clock { return &clock{time.Date(2026, 4, 1, 9, 0, 30, 0, time.UTC)} }

func appendOne(t *testing.T, db *database.DB, j *journal.Journal, d journal.Draft) journal.Entry {
	t.Helper()
	var e journal.Entry
	err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) (err error) {
		e, err = j.Append(ctx, tx, d)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func deployed(service string) journal.Draft {
	return journal.Draft{Kind: "deploy.finished", Subject: journal.RefTo("service", service), Also: []journal.Ref{"team:shop"}, Data: map[string]string{"version": "v1"}}
}

func TestEntryReadsBackAsItWasAppended(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		j := journal.New(db, begin().now)
		want := appendOne(t, db, j, deployed("checkout"))
		got, err := j.Get(t.Context(), want.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		if got.Actor != journal.Teiten {
			t.Fatalf("by %v", got.Actor)
		}
	}, room)
}

func TestEntryIsNotThereWhenItsChangeFailed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		j, boom := journal.New(db, begin().now), errors.New("boom")
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := j.Append(ctx, tx, deployed("checkout"))
			return errors.Join(err, boom)
		})
		entries, _, listErr := j.List(t.Context(), journal.Filter{})
		if !errors.Is(err, boom) || listErr != nil || len(entries) != 0 {
			t.Fatal(err, listErr, entries)
		}
	}, room)
}

func TestListFiltersAndPagesNewestFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		c := begin()
		j := journal.New(db, c.now)
		for i := range 7 {
			c.t = c.t.Add(time.Second)
			appendOne(t, db, j, deployed([]string{"checkout", "search"}[i%2]))
		}
		appendOne(t, db, j, journal.Draft{Kind: "slo.changed", Subject: "slo:search-latency"})
		var seen []string
		f := journal.Filter{Kinds: []string{"deploy.*"}, Subject: "service:checkout", Limit: 3}
		for {
			page, next, err := j.List(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				seen = append(seen, e.Time.Format("05"))
			}
			if next == "" {
				break
			}
			f.Cursor = next
		}
		if d := cmp.Diff([]string{"37", "35", "33", "31"}, seen); d != "" {
			t.Fatal(d)
		}
		for f, want := range map[*journal.Filter]int{
			{Subject: "team:shop"}:           7,
			{Query: "SEARCH-lat"}:            1,
			{Query: "100%"}:                  0,
			{Kinds: []string{"slo.changed"}}: 1,
			{Actor: "teiten"}:                8,
			{Actor: "nobody"}:                0,
			{To: c.t}:                        6,
			{From: c.t, Kinds: []string{"deploy.finished"}}: 1,
		} {
			got, _, err := j.List(t.Context(), *f)
			if err != nil || len(got) != want {
				t.Errorf("%+v: %d entries, want %d (%v)", *f, len(got), want, err)
			}
		}
	}, room)
}

func TestForeignCursorIsRefused(t *testing.T) {
	db := dbtest.Open(t, dbtest.SQLite(t), room)
	_, _, err := journal.New(db, time.Now).List(t.Context(), journal.Filter{Cursor: "bm9wZQ"})
	if fault.KindOf(err) != fault.Invalid {
		t.Fatal(err)
	}
}

func TestSubscriberCommitsWithTheEntryOrUndoesIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		j := journal.New(db, begin().now)
		heard, refuse := []string{}, error(nil)
		j.Subscribe("deploy.*", "a test", func(_ context.Context, _ *sql.Tx, e journal.Entry) error {
			heard = append(heard, e.Kind)
			return refuse
		})
		appendOne(t, db, j, deployed("checkout"))
		appendOne(t, db, j, journal.Draft{Kind: "slo.changed", Subject: "slo:x"})
		if d := cmp.Diff([]string{"deploy.finished"}, heard); d != "" {
			t.Fatal(d)
		}
		refuse = errors.New("cannot")
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := j.Append(ctx, tx, deployed("search"))
			return err
		})
		entries, _, _ := j.List(t.Context(), journal.Filter{})
		if !errors.Is(err, refuse) || len(entries) != 2 {
			t.Fatal(err, len(entries))
		}
	}, room)
}

// follow reads n entries in the background and returns them on the channel.
func follow(t *testing.T, j *journal.Journal, after string, n int) (entries <-chan []journal.Entry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	c := make(chan []journal.Entry, 1)
	go func() {
		var got []journal.Entry
		for e, err := range j.Follow(ctx, after) {
			if err != nil {
				t.Error(err)
				break
			}
			if got = append(got, e); len(got) == n {
				break
			}
		}
		c <- got
	}()
	return c
}

func TestFollowCatchesUpAndGoesOnWithoutLossOrRepetition(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		j := journal.New(db, time.Now)
		first := appendOne(t, db, j, deployed("a"))
		var want []string
		for i := range 3 {
			want = append(want, appendOne(t, db, j, deployed(fmt.Sprint("missed", i))).ID)
		}
		got := follow(t, j, first.ID, 6)
		for i := range 3 {
			want = append(want, appendOne(t, db, j, deployed(fmt.Sprint("live", i))).ID)
		}
		var ids []string
		for _, e := range <-got {
			ids = append(ids, e.ID)
		}
		if d := cmp.Diff(want, ids); d != "" {
			t.Fatal(d)
		}
	}, room)
}

func TestFollowHearsOfOtherReplicas(t *testing.T) {
	address := dbtest.Postgres(t)
	here, there := dbtest.Open(t, address, room), dbtest.Open(t, address)
	j := journal.New(here, time.Now)
	first := appendOne(t, here, j, deployed("here"))
	got := follow(t, j, first.ID, 1)
	appendOne(t, there, journal.New(there, time.Now), deployed("there"))
	if e := <-got; len(e) != 1 || e[0].Subject != "service:there" {
		t.Fatal(e)
	}
}

// sealed returns a journal with three sealed minutes of two entries each.
func sealed(t *testing.T, db *database.DB) *journal.Journal {
	t.Helper()
	c := begin()
	j := journal.New(db, c.now)
	for range 3 {
		appendOne(t, db, j, deployed("checkout"))
		appendOne(t, db, j, deployed("search"))
		c.t = c.t.Add(3 * time.Minute)
		if err := j.SealClosed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	appendOne(t, db, j, deployed("payment"))
	return j
}

func verify(t *testing.T, j *journal.Journal) journal.Verification {
	t.Helper()
	v, err := j.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSealsHoldOverAnUntouchedJournal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		j := sealed(t, db)
		v := verify(t, j)
		if v.Seals != 3 || v.Entries != 6 || v.Unsealed != 1 || v.Broken != 0 {
			t.Fatalf("%+v", v)
		}
		seals, err := j.Seals(t.Context(), 0, 2)
		if err != nil || len(seals) != 2 || seals[0].Hash != v.Last || seals[0].Previous != seals[1].Hash {
			t.Fatal(seals, err)
		}
	}, room)
}

func TestTamperingShows(t *testing.T) {
	for name, attack := range map[string]string{
		"an entry is changed":        `UPDATE journal_entries SET actor_name = 'somebody else' WHERE seal = 2`,
		"an entry is removed":        `DELETE FROM journal_entries WHERE id = (SELECT max(id) FROM journal_entries WHERE seal = 2)`,
		"an entry is moved":          `UPDATE journal_entries SET seal = 2 WHERE seal = 0`,
		"an entry's time is changed": `UPDATE journal_entries SET at = at + 1 WHERE seal = 2`,
		"a seal's time is changed":   `UPDATE journal_seals SET upto = upto + 1 WHERE number = 2`,
		"a seal is removed":          `DELETE FROM journal_seals WHERE number = 2`,
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				j := sealed(t, db)
				if _, err := db.Writer().ExecContext(t.Context(), attack); err != nil {
					t.Fatal(err)
				}
				if v := verify(t, j); v.Broken == 0 || v.Problem == "" {
					t.Fatalf("not noticed: %+v", v)
				}
			}, room)
		})
	}
}

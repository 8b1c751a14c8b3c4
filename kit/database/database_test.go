package database_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
)

var rooms = dbtest.Room{Name: "things", Files: fstest.MapFS{
	"00001_things.sql": {Data: []byte(`-- +goose Up
CREATE TABLE things (id TEXT PRIMARY KEY, at BIGINT NOT NULL, body BYTEA, open BOOLEAN NOT NULL DEFAULT TRUE);
`)}}}

func insert(ctx context.Context, tx *sql.Tx, id string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO things (id, at, body) VALUES ($1, $2, $3)", id, 7, []byte{0, 255})
	return err
}

func count(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	if err := db.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM things").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWriteCommitsAllOrNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		boom := errors.New("boom")
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			if err := insert(ctx, tx, "a"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) || count(t, db) != 0 {
			t.Fatalf("after a failed transaction: err %v, %d rows", err, count(t, db))
		}
		err = db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return insert(ctx, tx, "a") })
		if err != nil || count(t, db) != 1 {
			t.Fatalf("after a good transaction: err %v, %d rows", err, count(t, db))
		}
	}, rooms)
}

func TestWriteInsideWriteJoinsTheOuterTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		committed := 0
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			err := db.Write(ctx, func(ctx context.Context, inner *sql.Tx) error {
				database.AfterCommit(ctx, func() { committed++ })
				if inner != tx {
					t.Error("the inner call has a transaction of its own")
				}
				return insert(ctx, inner, "a")
			})
			if committed != 0 {
				t.Error("told of the commit before it happened")
			}
			return err
		})
		if err != nil || count(t, db) != 1 || committed != 1 {
			t.Fatalf("err %v, %d rows, told of %d commits", err, count(t, db), committed)
		}
	}, rooms)
}

func TestAfterCommitIsNotCalledAfterRollback(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		_ = db.Write(t.Context(), func(ctx context.Context, _ *sql.Tx) error {
			database.AfterCommit(ctx, func() { t.Error("called") })
			return errors.New("no")
		})
	}, rooms)
}

func TestPanicRollsBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
				if err := insert(ctx, tx, "a"); err != nil {
					t.Error(err)
				}
				panic("boom")
			})
		}()
		if n := count(t, db); n != 0 {
			t.Fatalf("%d rows", n)
		}
	}, rooms)
}

func TestManyWritersAndReadersWithoutBusyErrors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		const writers, each = 16, 20
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
						return insert(ctx, tx, fmt.Sprintf("%d-%d", w, i))
					})
					if err != nil {
						t.Error(err)
					}
					count(t, db)
				}
			})
		}
		wg.Wait()
		if n := count(t, db); n != writers*each {
			t.Fatalf("%d rows", n)
		}
	}, rooms)
}

func TestUniqueViolationIsRecognised(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		err := db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			return errors.Join(insert(ctx, tx, "a"), insert(ctx, tx, "a"))
		})
		if !database.IsUnique(err) {
			t.Fatalf("not recognised: %v", err)
		}
	}, rooms)
}

func TestReadersCannotWriteOnSQLite(t *testing.T) {
	db := dbtest.Open(t, dbtest.SQLite(t), rooms)
	if _, err := db.Read().ExecContext(t.Context(), "DELETE FROM things"); err == nil {
		t.Fatal("a reader wrote")
	}
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		if err := db.Migrate(t.Context(), rooms.Name, rooms.Files); err != nil {
			t.Fatal(err)
		}
	}, rooms)
}

func TestReplicasMigrateTogether(t *testing.T) {
	address := dbtest.Postgres(t)
	var wg sync.WaitGroup
	for range 3 {
		db := dbtest.Open(t, address)
		wg.Go(func() {
			if err := db.Migrate(t.Context(), rooms.Name, rooms.Files); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestCheckPassesOnAGoodDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		if err := db.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}, rooms)
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for address, want := range map[string]fault.Kind{
		"mysql://x": fault.Invalid,
		"":          fault.Invalid,
		"postgres://nobody@127.0.0.1:1/none?connect_timeout=2":         fault.Unavailable,
		"sqlite:" + filepath.Join(t.TempDir(), "no", "such", "folder"): fault.Unavailable,
	} {
		_, err := database.Open(t.Context(), address)
		if fault.KindOf(err) != want {
			t.Errorf("Open(%q) is %q (%v), want %q", address, fault.KindOf(err), err, want)
		}
	}
}

func TestDatabaseFileIsNotForOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b.db")
	for _, before := range []os.FileMode{0, 0o664} {
		if before != 0 {
			if err := os.Chmod(path, before); err != nil {
				t.Fatal(err)
			}
		}
		db, err := database.Open(t.Context(), "sqlite:"+path)
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS t (id TEXT)")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(path + "*")
		if err != nil || len(files) < 2 {
			t.Fatalf("%v, %v", files, err)
		}
		for _, f := range files {
			if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o007 != 0 || before == 0 && info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", filepath.Base(f), info.Mode(), err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTimesKeepMicrosecondsInUTC(t *testing.T) {
	at := time.Date(2026, 3, 29, 1, 2, 3, 456789000, time.FixedZone("JST", 9*3600))
	if got := database.Time(database.Micros(at)); !got.Equal(at) || got.Location() != time.UTC {
		t.Fatalf("got %v", got)
	}
	if !database.Time(database.Micros(time.Time{})).IsZero() {
		t.Fatal("the zero time does not come back")
	}
}

func TestBrokenConnectionIsUnavailable(t *testing.T) {
	for _, broken := range []error{
		&net.OpError{Op: "read", Net: "unix", Err: syscall.ECONNRESET}, io.ErrUnexpectedEOF, driver.ErrBadConn,
	} {
		err := database.Fault(fmt.Errorf("read token: %w", broken))
		if f, ok := fault.As(err); !ok || f.Kind != fault.Unavailable || f.RetryAfter == 0 {
			t.Errorf("%v became %v, want Unavailable with a time to come back", broken, err)
		}
	}
	for _, other := range []error{sql.ErrNoRows, context.DeadlineExceeded, context.Canceled} {
		if _, ok := fault.As(database.Fault(other)); ok {
			t.Errorf("%v became a fault", other)
		}
	}
}

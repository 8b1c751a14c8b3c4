// Package dbtest runs one test on every database that the product supports.
package dbtest

import (
	"context"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/test/pgtest"
)

// Room names one room's migrations.
type Room struct {
	Name  string
	Files fs.FS
}

var postgres = sync.OnceValues(func() (*pgtest.Server, error) {
	return pgtest.Start(context.Background())
})

// Each runs f as the subtests "sqlite" and "postgres", each on a database of its
// own with the rooms' tables in it.
func Each(t *testing.T, f func(t *testing.T, db *database.DB), rooms ...Room) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, Open(t, SQLite(t), rooms...)) })
	t.Run("postgres", func(t *testing.T) { f(t, Open(t, Postgres(t), rooms...)) })
}

// SQLite returns the address of a new SQLite database that goes with the test.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Postgres returns the address of a new PostgreSQL database that goes with the
// test. The server is started once for each test process and dies with it. A
// short run skips the test: starting servers would make the inner loop long.
func Postgres(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("PostgreSQL is left out of a short run")
	}
	server, err := postgres()
	if err != nil {
		t.Fatal(err)
	}
	address, drop, err := server.Create(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return address
}

// Open opens and migrates the database at address until the test ends. Tests do
// not wait for the disk at each commit, on neither database; benchmarks do.
func Open(t testing.TB, address string, rooms ...Room) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, measured := t.(*testing.B); !measured {
		if err := db.Unsynced(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range rooms {
		if err := db.Migrate(t.Context(), r.Name, r.Files); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

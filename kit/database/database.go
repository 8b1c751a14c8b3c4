// Package database opens SQLite or PostgreSQL behind one small surface, so that
// every room writes one SQL text and is tested on both.
//
// SQLite gets two pools over one file: a single writer, because SQLite has one,
// and several readers that cannot write. PostgreSQL gets one pool for both. A
// transaction travels in the context, so that a use case which calls another
// joins it instead of waiting for a connection it holds itself.
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the PostgreSQL driver
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // the SQLite driver

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// DB is an open database.
type DB struct {
	dialect Dialect
	write   *sql.DB
	read    *sql.DB
}

const (
	sqliteReaders   = 4
	postgresConns   = 20
	connMaxIdleTime = 5 * time.Minute
	busyTimeout     = 10 * time.Second
)

// Open opens the database that the address names: "sqlite:folder/file.db" or
// "postgres://user@host/name". It creates a SQLite file that is not there. An
// address of neither form is an Invalid fault, a server that does not answer an
// Unavailable one.
func Open(ctx context.Context, address string) (*DB, error) {
	scheme, rest, _ := strings.Cut(address, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest)
	case "postgres", "postgresql":
		return openPostgres(ctx, address)
	}
	return nil, fault.New(fault.Invalid, "database.address",
		text.Say("the database address names neither SQLite nor PostgreSQL", "データベースの指定がSQLiteでもPostgreSQLでもありません")).
		Fix(text.Say("write sqlite:path/to/file.db or postgres://user@host/name", "sqlite:path/to/file.db または postgres://user@host/name の形で指定してください"))
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	keepPrivate(path)
	write, err := sql.Open("sqlite", sqliteDSN(path, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)"))
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", sqliteDSN(path, "query_only(ON)"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open sqlite: %w", err), write.Close())
	}
	read.SetMaxOpenConns(sqliteReaders)
	db := &DB{dialect: SQLite, write: write, read: read}
	if err := write.PingContext(ctx); err != nil {
		return nil, errors.Join(Fault(fmt.Errorf("open sqlite %s: %w", path, err)), db.Close())
	}
	return db, nil
}

// Unsynced has commits to a SQLite file no longer wait for the disk: what they
// wrote outlives the process, but not a loss of power. It is for tests, which
// otherwise spend most of their time waiting; it does nothing on PostgreSQL.
func (db *DB) Unsynced(ctx context.Context) error {
	if db.dialect != SQLite {
		return nil
	}
	if _, err := db.write.ExecContext(ctx, "PRAGMA synchronous = OFF"); err != nil {
		return fmt.Errorf("stop waiting for the disk: %w", err)
	}
	return nil
}

// keepPrivate makes a file that is not there, readable by its owner only; SQLite
// gives the files beside it the same mode. Of one that is there it takes away what
// others than owner and group may do. A file that is open is not opened again:
// closing it would let go of the locks that SQLite holds.
func keepPrivate(path string) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			_ = f.Close() // nothing was written
		}
	case err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0:
		_ = os.Chmod(path, info.Mode().Perm()&^0o007) // refused to all but its owner, who then decides
	}
}

// sqliteDSN spells a connection string; transactions take the write lock when
// they begin, so that none of them fails half-way for want of it.
func sqliteDSN(path string, pragmas ...string) string {
	q := url.Values{"_txlock": {"immediate"}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()))
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func openPostgres(ctx context.Context, address string) (*DB, error) {
	pool, err := sql.Open("pgx", address)
	if err != nil {
		return nil, fmt.Errorf("open postgres: %w", err)
	}
	pool.SetMaxOpenConns(postgresConns)
	pool.SetMaxIdleConns(postgresConns / 2)
	pool.SetConnMaxIdleTime(connMaxIdleTime)
	db := &DB{dialect: Postgres, write: pool, read: pool}
	if err := pool.PingContext(ctx); err != nil {
		// The driver's text may repeat the address with its password.
		return nil, errors.Join(Fault(fmt.Errorf("open postgres: %w", err)), db.Close())
	}
	return db, nil
}

// Close closes every connection.
func (db *DB) Close() error {
	err := db.write.Close()
	if db.read != db.write {
		err = errors.Join(err, db.read.Close())
	}
	return err
}

// Dialect tells which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Read is the pool for queries outside a transaction. On SQLite it refuses to
// write.
func (db *DB) Read() *sql.DB { return db.read }

// Writer is the pool that transactions are taken from. It is for libraries that
// begin their own; rooms use Write.
func (db *DB) Writer() *sql.DB { return db.write }

// Migrate brings one room's tables up to date from its numbered SQL files. Each
// room counts its own versions, in the table migrations_<room>, so that rooms
// come and go without knowing of one another. Replicas that start together wait
// for one another.
func (db *DB) Migrate(ctx context.Context, room string, files fs.FS) error {
	options := []goose.ProviderOption{
		goose.WithTableName("migrations_" + room),
		goose.WithDisableGlobalRegistry(true),
	}
	dialect := goose.DialectSQLite3
	if db.dialect == Postgres {
		dialect = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return fmt.Errorf("migrate %s: %w", room, err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db.write, files, options...)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", room, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return Fault(fmt.Errorf("migrate %s: %w", room, err))
	}
	return nil
}

// Check looks for damage before anything is served: SQLite's quick check over
// the whole file, and on PostgreSQL the version and the encoding.
func (db *DB) Check(ctx context.Context) error {
	if db.dialect == Postgres {
		return db.checkPostgres(ctx)
	}
	var answer string
	if err := db.read.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&answer); err != nil {
		return Fault(fmt.Errorf("check database: %w", err))
	}
	if answer != "ok" {
		return fault.New(fault.Unavailable, "database.damaged",
			text.Say("the database file is damaged: %s", "データベースファイルが壊れています: %s", answer)).
			Fix(text.Say("restore it from a backup; the damaged file was not touched", "バックアップから復元してください。壊れたファイルには手を加えていません"))
	}
	return nil
}

const oldestPostgres = 130000

func (db *DB) checkPostgres(ctx context.Context) error {
	var version int
	var encoding string
	err := db.read.QueryRowContext(ctx,
		"SELECT current_setting('server_version_num')::int, current_setting('server_encoding')").Scan(&version, &encoding)
	if err != nil {
		return Fault(fmt.Errorf("check database: %w", err))
	}
	if version < oldestPostgres || encoding != "UTF8" {
		return fault.New(fault.Invalid, "database.postgres",
			text.Say("PostgreSQL %d with encoding %s cannot be used", "PostgreSQL %d(文字コード%s)は使えません", version/10000, encoding)).
			Fix(text.Say("use PostgreSQL 13 or later and a database with encoding UTF8", "PostgreSQL 13以降と、文字コードUTF8のデータベースを使ってください"))
	}
	return nil
}

// Micros is t as it is stored: microseconds since 1970 in UTC, 0 for the zero
// time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// Time reads what Micros wrote.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

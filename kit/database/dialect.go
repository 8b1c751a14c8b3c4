package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Dialect is the one place where SQLite and PostgreSQL may differ.
type Dialect string

// The databases that are supported.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// retryAfter is how soon a caller should come back to a database that is full
// or away.
const retryAfter = 10 * time.Second

// Exclusive runs fn while no other replica runs anything under the same name. A
// SQLite file has one server, so there it just runs.
func (db *DB) Exclusive(ctx context.Context, name string, fn func(ctx context.Context) error) error {
	if db.dialect == SQLite {
		return fn(ctx)
	}
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return Fault(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return Fault(fmt.Errorf("lock %s: %w", name, err))
	}
	err = fn(ctx)
	_, unlock := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(hashtext($1))", name)
	return errors.Join(err, unlock)
}

// Fault gives a database error the kind a caller can act on: Unavailable where
// the disk is full or the server is away. Any other error comes back as it is.
func Fault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	switch {
	case isFull(err):
		return fault.New(fault.Unavailable, "database.full",
			text.Say("the disk of the database is full: nothing more is accepted", "データベースのディスクがいっぱいのため、新しい記録を受け付けられません")).
			Fix(text.Say("free some space; work goes on by itself", "空き容量を増やしてください。自動的に再開します")).After(retryAfter).Wrap(err)
	case isAway(err):
		return fault.New(fault.Unavailable, "database.away",
			text.Say("the database does not answer", "データベースが応答しません")).
			Fix(text.Say("check that it runs and that the address is right; work goes on by itself", "稼働状況と接続先を確認してください。自動的に再開します")).After(retryAfter).Wrap(err)
	}
	return err
}

func isFull(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code&0xff == sqlite3.SQLITE_FULL || code == sqlite3.SQLITE_IOERR_WRITE
	}
	return pgCode(err) == "53100"
}

// isAway tells that the server cannot be reached, is starting or shutting down,
// or has no connection left (PostgreSQL classes 08, 53300 and 57P).
func isAway(err error) bool {
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return true
	}
	if code, ok := sqliteCode(err); ok {
		return code&0xff == sqlite3.SQLITE_CANTOPEN || code&0xff == sqlite3.SQLITE_BUSY
	}
	code := pgCode(err)
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") || code == "53300" || code == "" && isBroken(err)
}

// isBroken tells that a connection ended in the middle of a conversation. What
// was asked may or may not have happened.
func isBroken(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) ||
		strings.Contains(err.Error(), "conn closed")
}

// isRetryable tells that the same transaction may well succeed if it is run
// again: it lost a race (serialization failure, deadlock).
func isRetryable(err error) bool {
	code := pgCode(err)
	return code == "40001" || code == "40P01"
}

// IsUnique tells that a row was refused because its key is taken.
func IsUnique(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return pgCode(err) == "23505"
}

func sqliteCode(err error) (int, bool) {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code(), true
	}
	return 0, false
}

func pgCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	txAttempts = 5
	txBackoff  = 20 * time.Millisecond
)

// running is the transaction that a context carries.
type running struct {
	db    *DB
	tx    *sql.Tx
	after []func()
}

type runningKey struct{}

// Write runs fn in one transaction that is committed when fn returns nil and
// rolled back otherwise. A call with the context that an outer Write handed out
// joins the outer transaction. On PostgreSQL fn runs again when the transaction
// lost a race, so it must not change what outlives it; AfterCommit is for that.
// A full disk or a server that is away is an Unavailable fault.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) error {
	if r, ok := ctx.Value(runningKey{}).(*running); ok && r.db == db {
		return fn(ctx, r.tx)
	}
	for attempt := 1; ; attempt++ {
		err := db.once(ctx, fn)
		if err == nil || attempt == txAttempts || !isRetryable(err) {
			return Fault(err)
		}
		if err := pause(ctx, attempt); err != nil {
			return err
		}
	}
}

// pause waits a little longer, and a little less regularly, after each attempt.
func pause(ctx context.Context, attempt int) error {
	d := time.Duration(attempt)*txBackoff + rand.N(txBackoff)
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) once(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx) error) (err error) {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	r := &running{db: db, tx: tx}
	done := false
	defer func() {
		if !done { // fn failed or panicked
			err = errors.Join(err, rollback(tx))
		}
	}()
	if err := fn(context.WithValue(ctx, runningKey{}, r), tx); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, f := range r.after {
		f()
	}
	return nil
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// AfterCommit runs f once the transaction in ctx is durable, and never if it is
// rolled back. Outside a transaction it runs f at once.
func AfterCommit(ctx context.Context, f func()) {
	if r, ok := ctx.Value(runningKey{}).(*running); ok {
		r.after = append(r.after, f)
		return
	}
	f()
}

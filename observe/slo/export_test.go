package slo

import (
	"context"
	"time"

	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// PutRecord writes an hour of an objective as the engine does.
func PutRecord(ctx context.Context, q db.DBTX, now time.Time, name string, r ledger.Record) error {
	return putHours(ctx, q, now, []hourRow{{name, r}})
}

// Record reads an hour of an objective as it was known at asOf.
func Record(ctx context.Context, q db.DBTX, name string, number int64, asOf time.Time, settle time.Duration) (found ledger.Record, err error) {
	found.Number = number
	take := func(r *ledger.Record) { found = *r }
	if asOf.IsZero() {
		return found, records(ctx, q, name, number, number, take)
	}
	return found, recordsAsOf(ctx, q, name, number, number, asOf, settle, take)
}

// Filter is what lists are asked for.
type Filter = filter

package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// JSON writes what a text column holds. It panics where that cannot be: values of
// our own have no functions, channels or infinite numbers.
func JSON(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("database: write %T: %v", v, err))
	}
	return string(data)
}

// ReadJSON reads what JSON wrote.
func ReadJSON(data string, into any) error { return json.Unmarshal([]byte(data), into) }

// Queryer is a connection, a pool or a transaction.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Each calls read at every row of a query that sqlc cannot write.
func Each(ctx context.Context, q Queryer, query string, args []any, read func(*sql.Rows) error) (err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return Fault(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := read(rows); err != nil {
			return Fault(err)
		}
	}
	return Fault(rows.Err())
}

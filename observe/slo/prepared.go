package slo

import (
	"context"
	"database/sql"

	"github.com/teiten/teiten/observe/slo/db"
)

// prepared runs statements and parses each text once, which matters where a round
// writes the same three for a thousand objectives, and where a loop asks the same
// each second. Those of a transaction go with it. It is not safe for concurrent
// use.
type prepared struct {
	on    preparer
	stmts map[string]*sql.Stmt
}

// preparer is a transaction or a pool.
type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

var _ db.DBTX = (*prepared)(nil)

func prepare(on preparer) *prepared { return &prepared{on, map[string]*sql.Stmt{}} }

// PrepareContext returns the statement for a text.
func (p *prepared) PrepareContext(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := p.stmts[query]; ok {
		return s, nil
	}
	s, err := p.on.PrepareContext(ctx, query)
	if err == nil {
		p.stmts[query] = s
	}
	return s, err
}

// ExecContext runs a statement without rows.
func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.PrepareContext(ctx, query) //nolint:sqlclosecheck // it is closed with the transaction or the pool
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext runs a statement with rows.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.PrepareContext(ctx, query) //nolint:sqlclosecheck // it is closed with the transaction or the pool
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext runs a statement with one row.
func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.PrepareContext(ctx, query) //nolint:sqlclosecheck // it is closed with the transaction or the pool
	if err != nil {
		return p.on.QueryRowContext(ctx, query, args...) // which says what is wrong
	}
	return s.QueryRowContext(ctx, args...)
}

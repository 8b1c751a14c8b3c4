package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
)

// filter chooses objectives; what is empty is not asked for. Limit 0 is all.
type filter struct {
	Query   string
	Service string
	Owner   string
	Tier    string
	System  string
	Status  []string
	Sort    string
	Cursor  string
	Limit   int
	Offset  int // how many to pass over
}

// none in the place of a name asks for objectives that have none.
const none = "-"

// column is one part of an order.
type column struct {
	name  string
	down  bool
	whole bool // holds whole numbers
	key   func(r *row) any
}

// row is one objective as lists show it.
type row struct {
	db.SloStatus
	ManagedBy string
}

var byName = column{name: "s.name", key: func(r *row) any { return r.Name }}

// orders are the ways to sort the list. Each ends with the name, so that it is
// the same each time.
var orders = map[string][]column{
	"":          {byRank, byLeft, byName},
	"status":    {byRank, byLeft, byName},
	"name":      {byName},
	"service":   {{name: "s.service", key: func(r *row) any { return r.Service }}, byName},
	"owner":     {{name: "s.owner", key: func(r *row) any { return r.Owner }}, byName},
	"tier":      {{name: "s.tier", key: func(r *row) any { return r.Tier }}, byRank, byName},
	"budget":    {byLeft, byName},
	"-budget":   {{name: "s.budget_left", down: true, key: byLeft.key}, byName},
	"burn":      {{name: "s.burn_hour", down: true, key: func(r *row) any { return r.BurnHour }}, byName},
	"objective": {{name: "s.objective", down: true, key: func(r *row) any { return r.Objective }}, byName},
	"sli":       {{name: "s.sli", key: func(r *row) any { return r.Sli }}, byName},
}

var (
	byRank = column{name: "s.rank", key: func(r *row) any { return r.Rank }}
	byLeft = column{name: "s.budget_left", key: func(r *row) any { return r.BudgetLeft }}
)

const listCursor = "slos"

func (f filter) where() *database.Where {
	w := &database.Where{}
	w.Contains(f.Query, "s.name", "s.title", "s.service", "s.owner")
	for name, v := range map[string]string{"s.service": f.Service, "s.owner": f.Owner, "s.tier": f.Tier, "s.system": f.System} {
		switch v {
		case "":
		case none:
			w.And(name+" = ?", "")
		default:
			w.And(name+" = ?", v)
		}
	}
	w.AnyOf("s.status", f.Status)
	return w
}

// after adds the condition that a row comes after the cursor.
func after(w *database.Where, order []column, cursor, sort string) error {
	var at []any
	if err := httpapi.DecodeCursor(listCursor+sort, cursor, &at); err != nil {
		return err
	}
	if len(at) != len(order) {
		return fault.New(fault.Invalid, "slo.cursor", text.Say("the cursor is of another list", "カーソルがこの一覧のものではありません"))
	}
	for i, c := range order {
		// A cursor is JSON, whose only number is a float.
		if v, ok := at[i].(float64); ok && c.whole {
			at[i] = int64(v)
		}
	}
	var alternatives []string
	var values []any
	for i, c := range order {
		var b strings.Builder
		for j := range i {
			b.WriteString(order[j].name + " = ? AND ")
			values = append(values, at[j])
		}
		op := " > ?"
		if c.down {
			op = " < ?"
		}
		b.WriteString(c.name + op)
		values = append(values, at[i])
		alternatives = append(alternatives, "("+b.String()+")")
	}
	w.And("("+strings.Join(alternatives, " OR ")+")", values...)
	return nil
}

const statusColumns = `s.name, s.title, s.service, s.owner, s.tier, s.system, s.objective, s.period, s.watermark, s.missing,
	s.rules, s.status, s.rank, s.reason, s.exact, s.good, s.total, s.sli, s.budget_left, s.known, s.burn, s.burn_hour,
	s.exhausts_at, s.backfill, s.updated_at, d.managed_by`

func (r *row) scan(from interface{ Scan(...any) error }) error {
	return from.Scan(&r.Name, &r.Title, &r.Service, &r.Owner, &r.Tier, &r.System, &r.Objective, &r.Period, &r.Watermark, &r.Missing,
		&r.Rules, &r.Status, &r.Rank, &r.Reason, &r.Exact, &r.Good, &r.Total, &r.Sli, &r.BudgetLeft, &r.Known, &r.Burn, &r.BurnHour,
		&r.ExhaustsAt, &r.Backfill, &r.UpdatedAt, &r.ManagedBy)
}

// list returns objectives in order, and the cursor of the next page.
func (s *Service) list(ctx context.Context, f filter) ([]row, string, error) {
	order, ok := orders[f.Sort]
	if !ok {
		return nil, "", fault.New(fault.Invalid, "slo.sort", text.Say("the list cannot be sorted by %q", "%q では並べ替えられません", f.Sort)).
			Fix(ascode.OneOf(f.Sort, "status", "name", "service", "owner", "tier", "budget", "-budget", "burn", "objective", "sli")).On("query.sort")
	}
	w := f.where()
	if f.Cursor != "" {
		if err := after(w, order, f.Cursor, f.Sort); err != nil {
			return nil, "", err
		}
	}
	var by []string
	for _, c := range order {
		if c.down {
			by = append(by, c.name+" DESC")
		} else {
			by = append(by, c.name)
		}
	}
	query := "SELECT " + statusColumns + " FROM slo_status s JOIN slo_definitions d ON d.name = s.name" + w.SQL() + " ORDER BY " + strings.Join(by, ", ")
	if f.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d OFFSET %d", f.Limit+1, f.Offset)
	}
	rows, err := s.rows(ctx, query, w.Args())
	if err != nil || f.Limit == 0 || len(rows) <= f.Limit {
		return rows, "", err
	}
	rows = rows[:f.Limit]
	var at []any
	for _, c := range order {
		at = append(at, c.key(&rows[f.Limit-1]))
	}
	return rows, httpapi.EncodeCursor(listCursor+f.Sort, at), nil
}

func (s *Service) rows(ctx context.Context, query string, args []any) (rows []row, err error) {
	found, err := s.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list objectives: %w", err))
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var r row
		if err := r.scan(found); err != nil {
			return nil, database.Fault(fmt.Errorf("list objectives: %w", err))
		}
		rows = append(rows, r)
	}
	return rows, database.Fault(found.Err())
}

// count is how many objectives the filter matches.
func (s *Service) count(ctx context.Context, f filter) (n int, err error) {
	w := f.where()
	err = s.db.Read().QueryRowContext(ctx, "SELECT COUNT(*) FROM slo_status s"+w.SQL(), w.Args()...).Scan(&n)
	return n, database.Fault(err)
}

// one returns a single objective, or a NotFound fault.
func (s *Service) one(ctx context.Context, name string) (row, error) {
	var r row
	err := r.scan(s.db.Read().QueryRowContext(ctx,
		"SELECT "+statusColumns+" FROM slo_status s JOIN slo_definitions d ON d.name = s.name WHERE s.name = $1", name))
	if errors.Is(err, sql.ErrNoRows) {
		return r, notFound(name)
	}
	return r, database.Fault(err)
}

func notFound(name string) error {
	return fault.New(fault.NotFound, "slo.not_found", text.Say("there is no objective %q", "SLO %q はありません", name)).
		Fix(text.Say("the list of objectives shows which there are", "SLO の一覧で名前を確認してください"))
}

// alertFilter chooses alerts.
type alertFilter struct {
	SLO, Service, Owner, State string
	Cursor                     string
	Limit                      int
}

const alertCursor = "alerts"

// alertPosition is where a page of alerts ended.
type alertPosition struct {
	Since int64  `json:"since"`
	ID    string `json:"id"`
}

// alerts lists alerts, the newest first.
func (s *Service) alerts(ctx context.Context, f alertFilter) (all []db.SloAlert, next string, err error) {
	w := &database.Where{}
	for name, v := range map[string]string{"slo": f.SLO, "service": f.Service, "owner": f.Owner, "state": f.State} {
		if v != "" {
			w.And(name+" = ?", v)
		}
	}
	if f.Cursor != "" {
		var at alertPosition
		if err := httpapi.DecodeCursor(alertCursor, f.Cursor, &at); err != nil {
			return nil, "", err
		}
		w.And("(since < ? OR (since = ? AND id < ?))", at.Since, at.Since, at.ID)
	}
	query := "SELECT id, slo, service, owner, severity, state, since, resolved_at, data FROM slo_alerts" + w.SQL() + " ORDER BY since DESC, id DESC"
	if f.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", f.Limit+1)
	}
	found, err := s.db.Read().QueryContext(ctx, query, w.Args()...)
	if err != nil {
		return nil, "", database.Fault(fmt.Errorf("list alerts: %w", err))
	}
	defer func() { err = errors.Join(err, found.Close()) }()
	for found.Next() {
		var a db.SloAlert
		if err := found.Scan(&a.ID, &a.Slo, &a.Service, &a.Owner, &a.Severity, &a.State, &a.Since, &a.ResolvedAt, &a.Data); err != nil {
			return nil, "", database.Fault(fmt.Errorf("list alerts: %w", err))
		}
		all = append(all, a)
	}
	if f.Limit > 0 && len(all) > f.Limit {
		all = all[:f.Limit]
		last := all[f.Limit-1]
		next = httpapi.EncodeCursor(alertCursor, alertPosition{last.Since, last.ID})
	}
	return all, next, database.Fault(found.Err())
}

// timeOf is a stored time, and nil of none.
func timeOf(micros int64) *time.Time {
	if micros == 0 {
		return nil
	}
	t := database.Time(micros)
	return &t
}

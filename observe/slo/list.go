package slo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	Of      string // the instances of this objective, and no others; without it none
	Status  []string
	Sort    string
	Cursor  string
	Limit   int
	Offset  int // how many to pass over
}

// none in the place of a name asks for objectives that have none.
const none = "-"

// column is one part of an order. Its key is a string or a number.
type column struct {
	down bool
	key  func(r *row) any
}

var (
	byName = column{key: func(r *row) any { return r.Name }}
	byRank = column{key: func(r *row) any { return float64(r.Status.rank()) }}
	byLeft = column{key: func(r *row) any { return r.BudgetLeft }}
)

// orders are the ways to sort the list. Each ends with the name, so that it is
// the same each time. What was never counted comes last where figures decide.
var orders = map[string][]column{
	"":          {byRank, byLeft, byName},
	"status":    {byRank, byLeft, byName},
	"name":      {byName},
	"service":   {{key: func(r *row) any { return r.Service }}, byName},
	"owner":     {{key: func(r *row) any { return r.Owner }}, byName},
	"tier":      {{key: func(r *row) any { return r.Tier }}, byRank, byName},
	"budget":    {byUnread, byLeft, byName},
	"-budget":   {byUnread, {down: true, key: byLeft.key}, byName},
	"burn":      {byUnread, {down: true, key: func(r *row) any { return r.BurnHour }}, byName},
	"objective": {{down: true, key: func(r *row) any { return r.Objective }}, byName},
	"sli":       {byUnread, {key: func(r *row) any { return r.Sli }}, byName},
}

var byUnread = column{key: func(r *row) any {
	if r.events {
		return 0.0
	}
	return 1.0
}}

const listCursor = "slos"

// compare orders rows, or the keys of one that a cursor holds.
func compare(order []column, a, b []any) int {
	for i, c := range order {
		n := 0
		switch x := a[i].(type) {
		case string:
			y, _ := b[i].(string)
			n = strings.Compare(x, y)
		case float64:
			y, _ := b[i].(float64)
			n = cmp.Compare(x, y)
		}
		if c.down {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

func keys(order []column, r *row) []any {
	all := make([]any, len(order))
	for i, c := range order {
		all[i] = c.key(r)
	}
	return all
}

// matches reports whether an objective is asked for.
func (f *filter) matches(r *row) bool {
	is := func(wanted, have string) bool {
		return wanted == "" || wanted == have || wanted == none && have == ""
	}
	if x := r.def.Instance; x == nil && f.Of != "" || x != nil && f.Of != x.Of {
		return false
	}
	if !is(f.Service, r.Service) || !is(f.Owner, r.Owner) || !is(f.Tier, r.Tier) || !is(f.System, r.System) {
		return false
	}
	if len(f.Status) > 0 && !slices.Contains(f.Status, string(r.Status)) {
		return false
	}
	sought := strings.ToLower(strings.TrimSpace(f.Query))
	return sought == "" || slices.ContainsFunc([]string{r.Name, r.Title, r.Service, r.Owner}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), sought)
	})
}

// choose lists the objectives that the filter matches, in order.
func (s *Service) choose(ctx context.Context, f filter, order []column) ([]*row, error) {
	l, err := s.standings(ctx)
	if err != nil {
		return nil, err
	}
	if f.Of != "" && l.byName[f.Of] == nil {
		return nil, notFound(f.Of)
	}
	type keyed struct {
		r    *row
		keys []any
	}
	var found []keyed
	for _, r := range l.rows {
		if f.matches(r) {
			found = append(found, keyed{r, keys(order, r)})
		}
	}
	slices.SortFunc(found, func(a, b keyed) int { return compare(order, a.keys, b.keys) })
	rows := make([]*row, len(found))
	for i, k := range found {
		rows[i] = k.r
	}
	return rows, nil
}

// list returns objectives in order, the cursor of the next page, and how many
// there are in all.
func (s *Service) list(ctx context.Context, f filter) ([]*row, string, int, error) {
	order, ok := orders[f.Sort]
	if !ok {
		return nil, "", 0, fault.New(fault.Invalid, "slo.sort", text.Say("the list cannot be sorted by %q", "%q では並べ替えられません", f.Sort)).
			Fix(ascode.OneOf(f.Sort, "status", "name", "service", "owner", "tier", "budget", "-budget", "burn", "objective", "sli")).On("query.sort")
	}
	rows, err := s.choose(ctx, f, order)
	if err != nil {
		return nil, "", 0, err
	}
	total := len(rows)
	if f.Cursor != "" {
		if rows, err = after(rows, order, f.Cursor, f.Sort); err != nil {
			return nil, "", 0, err
		}
	}
	rows = rows[min(f.Offset, len(rows)):]
	if f.Limit == 0 || len(rows) <= f.Limit {
		return rows, "", total, nil
	}
	rows = rows[:f.Limit]
	return rows, httpapi.EncodeCursor(listCursor+f.Sort, keys(order, rows[f.Limit-1])), total, nil
}

// after are the rows that come after the cursor.
func after(rows []*row, order []column, cursor, sort string) ([]*row, error) {
	var at []any
	if err := httpapi.DecodeCursor(listCursor+sort, cursor, &at); err != nil {
		return nil, err
	}
	if len(at) != len(order) {
		return nil, fault.New(fault.Invalid, "slo.cursor", text.Say("the cursor is of another list", "カーソルがこの一覧のものではありません"))
	}
	i, _ := slices.BinarySearchFunc(rows, at, func(r *row, at []any) int {
		return cmp.Or(compare(order, keys(order, r), at), -1) // the row of the cursor itself has been shown
	})
	return rows[i:], nil
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

package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// The states of an exclusion.
const (
	exclusionPlanned   = "planned"    // it has not begun
	exclusionActive    = "active"     // between its start and its end
	exclusionPast      = "past"       // it is over
	exclusionTakenBack = "taken_back" // it counts for nothing
)

// ExclusionView is time that does not count, as the API tells it.
type ExclusionView struct {
	ID            string         `json:"id"`
	Origin        string         `json:"origin" enum:"correction,maintenance" doc:"Made through the API after the fact, or by a MaintenanceWindow."`
	Document      string         `json:"document,omitempty" doc:"The name of the MaintenanceWindow."`
	Covers        Covers         `json:"covers"`
	State         string         `json:"state" enum:"planned,active,past,taken_back" doc:"Active lies between start and end; now tells whether this minute is excluded."`
	Now           bool           `json:"now" doc:"Whether this minute is excluded."`
	From          time.Time      `json:"from" doc:"Nothing before is excluded."`
	To            *time.Time     `json:"to,omitempty" doc:"Nothing from here on is excluded; absent where there is no end."`
	Schedule      *Schedule      `json:"schedule,omitempty" doc:"When it recurs between from and to."`
	BusinessHours *BusinessHours `json:"businessHours,omitempty" doc:"The only hours that count between from and to."`
	When          text.Both      `json:"when"`
	Next          *TimeSpan      `json:"next,omitempty" doc:"The occurrence under way, or else the next one."`
	Reason        string         `json:"reason"`
	CreatedAt     time.Time      `json:"createdAt"`
	CreatedBy     journal.Actor  `json:"createdBy"`
	TakenBack     *TakenBack     `json:"takenBack,omitempty"`
}

// TimeSpan is from one instant on and before another.
type TimeSpan struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// TakenBack is who had an exclusion count for nothing, when and why.
type TakenBack struct {
	At  time.Time     `json:"at"`
	By  journal.Actor `json:"by"`
	Why string        `json:"why"`
}

func spanOf(m minutes) TimeSpan { return TimeSpan{ledger.Start(m.From), ledger.Start(m.To)} }

func (x *exclusion) view(now time.Time) (ExclusionView, error) {
	r := &x.row
	v := ExclusionView{
		ID: r.ID, Origin: "correction", Document: r.Document, Covers: x.covers, State: x.state(now), From: database.Time(r.StartsAt),
		Schedule: x.shape.Schedule, BusinessHours: x.shape.BusinessHours, When: x.shape.say(), Reason: r.Reason, CreatedAt: database.Time(r.CreatedAt),
	}
	if r.Document != "" {
		v.Origin = "maintenance"
	}
	if r.EndsAt != forever {
		to := database.Time(r.EndsAt)
		v.To = &to
	}
	err := unmarshal(r.CreatedBy, &v.CreatedBy)
	if r.TakenBackAt != 0 {
		v.TakenBack = &TakenBack{At: database.Time(r.TakenBackAt), Why: r.TakenBackWhy}
		return v, errors.Join(err, unmarshal(r.TakenBackBy, &v.TakenBack.By))
	}
	if m, ok := x.pattern.next(now, x.bounds()); ok {
		next, at := spanOf(m), ledger.Done(now)
		v.Next, v.Now = &next, m.From <= at && at < m.To
	}
	return v, err
}

func (x *exclusion) state(now time.Time) string {
	at := database.Micros(now)
	switch {
	case x.row.TakenBackAt != 0:
		return exclusionTakenBack
	case at < x.row.StartsAt:
		return exclusionPlanned
	case at < x.row.EndsAt:
		return exclusionActive
	}
	return exclusionPast
}

// exclusionFilter chooses exclusions; what is empty is not asked for.
type exclusionFilter struct {
	SLO, Service, State, Document string
	At                            time.Time // excluded at this instant
	Cursor                        string
	Limit                         int
}

const (
	exclusionCursor  = "exclusions"
	exclusionColumns = "e.id, e.document, e.covers, e.shape, e.starts_at, e.ends_at, e.reason, e.created_at, e.created_by, e.taken_back_at, e.taken_back_by, e.taken_back_why"
)

// Exclusions lists time that does not count, what was made last first, and the
// cursor of the next page.
func (s *Service) Exclusions(ctx context.Context, f exclusionFilter) ([]ExclusionView, string, error) {
	w, err := s.exclusionWhere(ctx, f)
	if err != nil {
		return nil, "", err
	}
	if f.Cursor != "" {
		var before string
		if err := httpapi.DecodeCursor(exclusionCursor, f.Cursor, &before); err != nil {
			return nil, "", err
		}
		w.And("e.id < ?", before)
	}
	query := "SELECT " + exclusionColumns + " FROM slo_exclusions e" + w.SQL() + " ORDER BY e.id DESC"
	if f.At.IsZero() && f.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", f.Limit+1)
	}
	rows, err := s.exclusionRows(ctx, query, w.Args())
	if err != nil {
		return nil, "", err
	}
	views := []ExclusionView{}
	for _, row := range rows {
		x, err := readExclusion(row)
		if err != nil {
			return nil, "", err
		}
		if at := ledger.Done(f.At); !f.At.IsZero() && len(x.within(ledger.Between(at, at+1))) == 0 {
			continue
		}
		if f.Limit > 0 && len(views) == f.Limit {
			return views, httpapi.EncodeCursor(exclusionCursor, views[f.Limit-1].ID), nil
		}
		v, err := x.view(s.now())
		if err != nil {
			return nil, "", err
		}
		views = append(views, v)
	}
	return views, "", nil
}

func (s *Service) exclusionWhere(ctx context.Context, f exclusionFilter) (*database.Where, error) {
	w, now := &database.Where{}, database.Micros(s.now())
	covered := func(covers []cover) {
		var conditions []string
		var values []any
		for _, c := range covers {
			if c.name != "" {
				conditions = append(conditions, "c.kind = ? AND c.name = ?")
				values = append(values, c.kind, c.name)
			}
		}
		w.And("EXISTS (SELECT 1 FROM slo_exclusion_covers c WHERE c.exclusion = e.id AND ("+strings.Join(conditions, " OR ")+"))", values...)
	}
	if f.SLO != "" {
		c, err := coverageOf(ctx, s.db.Read(), f.SLO)
		if err != nil {
			return nil, err
		}
		covered(c.covers())
	}
	if f.Service != "" {
		e, _, err := s.lookUp(ctx, s.db.Read(), f.Service)
		if err != nil {
			return nil, err
		}
		c := []cover{{coverService, f.Service}, {coverSystem, e.System}, {coverTeam, e.Owner}}
		names, err := db.New(s.db.Read()).NamesOfService(ctx, f.Service)
		if err != nil {
			return nil, database.Fault(fmt.Errorf("list the objectives of %s: %w", f.Service, err))
		}
		for _, name := range names {
			c = append(c, cover{coverSLO, name})
		}
		covered(c)
	}
	if f.Document != "" {
		w.And("e.document = ?", f.Document)
	}
	switch f.State {
	case exclusionPlanned:
		w.And("e.taken_back_at = 0 AND e.starts_at > ?", now)
	case exclusionActive:
		w.And("e.taken_back_at = 0 AND e.starts_at <= ? AND e.ends_at > ?", now, now)
	case exclusionPast:
		w.And("e.taken_back_at = 0 AND e.ends_at <= ?", now)
	case exclusionTakenBack:
		w.And("e.taken_back_at > 0")
	}
	if !f.At.IsZero() {
		at := database.Micros(f.At)
		w.And("e.taken_back_at = 0 AND e.starts_at <= ? AND e.ends_at > ?", at+perMinute, at-perMinute)
	}
	return w, nil
}

func (s *Service) exclusionRows(ctx context.Context, query string, args []any) (all []db.SloExclusion, err error) {
	err = s.each(ctx, query, args, func(rows *sql.Rows) error {
		var r db.SloExclusion
		err := rows.Scan(&r.ID, &r.Document, &r.Covers, &r.Shape, &r.StartsAt, &r.EndsAt, &r.Reason, &r.CreatedAt, &r.CreatedBy,
			&r.TakenBackAt, &r.TakenBackBy, &r.TakenBackWhy)
		all = append(all, r)
		return err
	})
	return all, err
}

// oneExclusion returns a single exclusion, or a NotFound fault.
func oneExclusion(ctx context.Context, q db.DBTX, id string) (exclusion, error) {
	row, err := db.New(q).GetExclusion(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return exclusion{}, fault.New(fault.NotFound, "slo.exclusion_not_found",
			text.Say("there is no exclusion %q", "除外 %q はありません", id)).
			Fix(text.Say("the list of exclusions shows which there are", "除外の一覧で確認してください"))
	}
	if err != nil {
		return exclusion{}, database.Fault(fmt.Errorf("read exclusion %s: %w", id, err))
	}
	return readExclusion(row)
}

// ExcludedNow is how much of an objective's present window does not count.
type ExcludedNow struct {
	Minutes int64     `json:"minutes"`
	Share   float64   `json:"share" doc:"Of the window's minutes."`
	Now     bool      `json:"now" doc:"Whether this minute does not count."`
	Next    *TimeSpan `json:"next,omitempty" doc:"The time under way that does not count, or else the next one."`
}

func (s *Service) excludedNow(ctx context.Context, d *Definition) (ExcludedNow, error) {
	var x ExcludedNow
	book, err := loadExclusions(ctx, s.db.Read(), time.Time{})
	if err != nil {
		return x, err
	}
	c, err := coverageOf(ctx, s.db.Read(), d.Name)
	if err != nil {
		return x, err
	}
	end := ledger.Done(s.now())
	span := ledger.Between(d.window().Start(end), end)
	x.Minutes = ledger.Length(book.minutes(c, span))
	x.Share = float64(x.Minutes) / float64(max(span.Len(), 1))
	x.Now = len(book.minutes(c, ledger.Between(end, end+1))) > 0
	for _, e := range book.of(c) {
		m, ok := e.pattern.next(s.now(), e.bounds())
		if next := spanOf(m); ok && (x.Next == nil || next.From.Before(x.Next.From)) {
			x.Next = &next
		}
	}
	return x, nil
}

// ExcludedSpan is a time on a chart that does not count, and why.
type ExcludedSpan struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	ID       string    `json:"id"`
	Document string    `json:"document,omitempty"`
	Reason   string    `json:"reason"`
}

// mostSpans is how many excluded times a chart is told of.
const mostSpans = 500

// excludedSpans are the times within span that do not count for an objective, as
// they were known at asOf, in order; the latest where there are very many.
func excludedSpans(ctx context.Context, q db.DBTX, d *Definition, span minutes, asOf time.Time) ([]ExcludedSpan, error) {
	book, err := loadExclusions(ctx, q, asOf)
	if err != nil {
		return nil, err
	}
	c, err := coverageOf(ctx, q, d.Name)
	if err != nil {
		return nil, err
	}
	all := []ExcludedSpan{}
	for _, x := range book.of(c) {
		for _, m := range x.within(span) {
			t := spanOf(m)
			all = append(all, ExcludedSpan{t.From, t.To, x.row.ID, x.row.Document, x.row.Reason})
		}
	}
	slices.SortStableFunc(all, func(a, b ExcludedSpan) int { return a.From.Compare(b.From) })
	return all[max(0, len(all)-mostSpans):], nil
}

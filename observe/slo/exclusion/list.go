package exclusion

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/exclusion/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// View is time that does not count, as the API tells it.
type View struct {
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

// TimesOf is when the first minute of a span begins and the last one ends.
func TimesOf(m ledger.Span) TimeSpan { return TimeSpan{ledger.Start(m.From), ledger.Start(m.To)} }

func (x *Exclusion) view(now time.Time) View {
	v := View{
		ID: x.ID, Origin: "correction", Document: x.Document, Covers: x.Covers, State: x.State(now), From: x.Starts.UTC(),
		Schedule: x.Shape.Schedule, BusinessHours: x.Shape.BusinessHours, When: x.Shape.say(), Reason: x.Reason,
		CreatedAt: x.CreatedAt, CreatedBy: x.CreatedBy, TakenBack: x.TakenBack,
	}
	if x.Document != "" {
		v.Origin = "maintenance"
	}
	if !x.Ends.IsZero() {
		to := x.Ends.UTC()
		v.To = &to
	}
	if x.TakenBack != nil {
		return v
	}
	if m, ok := x.Next(now); ok {
		next, at := TimesOf(m), ledger.Done(now)
		v.Next, v.Now = &next, m.From <= at && at < m.To
	}
	return v
}

// Filter chooses exclusions; what is empty is not asked for.
type Filter struct {
	SLO, Service, State, Document string
	At                            time.Time // excluded at this instant
	Cursor                        string
	Limit                         int
}

const (
	cursorOf = "exclusions"
	columns  = "e.id, e.document, e.covers, e.shape, e.starts_at, e.ends_at, e.reason, e.created_at, e.created_by, e.taken_back_at, e.taken_back_by, e.taken_back_why"
)

// List lists time that does not count, what was made last first, and the cursor
// of the next page.
func (s *Service) List(ctx context.Context, f Filter) ([]View, string, error) {
	w, err := s.where(ctx, f)
	if err != nil {
		return nil, "", err
	}
	if f.Cursor != "" {
		var before string
		if err := httpapi.DecodeCursor(cursorOf, f.Cursor, &before); err != nil {
			return nil, "", err
		}
		w.And("e.id < ?", before)
	}
	query := "SELECT " + columns + " FROM slo_exclusions e" + w.SQL() + " ORDER BY e.id DESC"
	if f.At.IsZero() && f.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", f.Limit+1)
	}
	all, err := s.rows(ctx, query, w.Args())
	if err != nil {
		return nil, "", err
	}
	views := []View{}
	for _, x := range all {
		if at := ledger.Done(f.At); !f.At.IsZero() && len(x.Within(ledger.Between(at, at+1))) == 0 {
			continue
		}
		if f.Limit > 0 && len(views) == f.Limit {
			return views, httpapi.EncodeCursor(cursorOf, views[f.Limit-1].ID), nil
		}
		views = append(views, x.view(s.now()))
	}
	return views, "", nil
}

func (s *Service) where(ctx context.Context, f Filter) (*database.Where, error) {
	w, now := &database.Where{}, database.Micros(s.now())
	if f.SLO != "" || f.Service != "" {
		all, err := s.objectives.Coverages(ctx, s.db.Read())
		if err != nil {
			return nil, err
		}
		if f.SLO != "" {
			whereCovered(w, ofSLO(all, f.SLO))
		}
		if f.Service != "" {
			e, err := s.catalog.Find(ctx, s.db.Read(), f.Service)
			if err != nil && fault.KindOf(err) != fault.NotFound {
				return nil, err
			}
			whereCovered(w, ofService(all, f.Service, e))
		}
	}
	if f.Document != "" {
		w.And("e.document = ?", f.Document)
	}
	switch f.State {
	case Planned:
		w.And("e.taken_back_at = 0 AND e.starts_at > ?", now)
	case Active:
		w.And("e.taken_back_at = 0 AND e.starts_at <= ? AND e.ends_at > ?", now, now)
	case Past:
		w.And("e.taken_back_at = 0 AND e.ends_at <= ?", now)
	case Revoked:
		w.And("e.taken_back_at > 0")
	}
	if !f.At.IsZero() {
		const perMinute = int64(time.Minute / time.Microsecond)
		at := database.Micros(f.At)
		w.And("e.taken_back_at = 0 AND e.starts_at <= ? AND e.ends_at > ?", at+perMinute, at-perMinute)
	}
	return w, nil
}

// whereCovered adds that any of the covers is named.
func whereCovered(w *database.Where, covers []cover) {
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

// ofSLO is by what an objective is covered, which need not be there any more.
func ofSLO(all []Coverage, name string) []cover {
	for _, c := range all {
		if c.SLO == name {
			return c.covers()
		}
	}
	return Coverage{SLO: name}.covers()
}

// ofService is by what a service or one of its objectives is covered.
func ofService(all []Coverage, name string, e catalog.Entity) []cover {
	covers := []cover{{coverService, name}, {coverSystem, e.System}, {coverTeam, e.Owner}}
	for _, c := range all {
		if c.Service == name {
			covers = append(covers, cover{coverSLO, c.SLO})
		}
	}
	return covers
}

func (s *Service) rows(ctx context.Context, query string, args []any) (all []*Exclusion, err error) {
	err = database.Each(ctx, s.db.Read(), query, args, func(rows *sql.Rows) error {
		var r db.SloExclusion
		if err := rows.Scan(&r.ID, &r.Document, &r.Covers, &r.Shape, &r.StartsAt, &r.EndsAt, &r.Reason, &r.CreatedAt, &r.CreatedBy,
			&r.TakenBackAt, &r.TakenBackBy, &r.TakenBackWhy); err != nil {
			return err
		}
		x, err := read(r)
		all = append(all, x)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list exclusions: %w", err)
	}
	return all, nil
}

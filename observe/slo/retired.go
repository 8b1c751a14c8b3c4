package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Retired is an instance that was absent for long. It comes back with its history
// when it is seen again.
type Retired struct {
	Name      string       `json:"name"`
	Of        string       `json:"of" doc:"The objective that it was an instance of."`
	Labels    []LabelValue `json:"labels"`
	FoundAt   time.Time    `json:"foundAt"`
	RetiredAt time.Time    `json:"retiredAt"`
}

type retiredIn struct {
	httpapi.PageIn
	Name string `path:"name" doc:"The name of the objective that is taken apart."`
}

type retiredOut struct{ Body httpapi.Page[Retired] }

const retiredCursor = "retired-instances"

func (s *Service) apiRetired(ctx context.Context, in *retiredIn) (*retiredOut, error) {
	items, next, err := s.Retired(ctx, in.Name, in.Cursor, in.Limit)
	return &retiredOut{httpapi.Page[Retired]{Items: items, Next: next}}, err
}

// Retired lists the retired instances of an objective by name, and the cursor of
// the next page.
func (s *Service) Retired(ctx context.Context, name, cursor string, limit int) ([]Retired, string, error) {
	if _, err := s.one(ctx, name); err != nil {
		return nil, "", err
	}
	after := ""
	if cursor != "" {
		if err := httpapi.DecodeCursor(retiredCursor, cursor, &after); err != nil {
			return nil, "", err
		}
	}
	rows, err := db.New(s.db.Read()).RetiredOf(ctx, db.RetiredOfParams{Whole: name, Name: after, Limit: int32(limit) + 1})
	if err != nil {
		return nil, "", database.Fault(fmt.Errorf("list the retired instances of %s: %w", name, err))
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = httpapi.EncodeCursor(retiredCursor, rows[limit-1].Name)
	}
	all := []Retired{}
	for _, row := range rows {
		r, _, err := viewRetired(row)
		if err != nil {
			return nil, "", err
		}
		all = append(all, r)
	}
	return all, next, nil
}

// viewRetired is a retired instance, and the values of its labels.
func viewRetired(row db.SloInstance) (Retired, []string, error) {
	r := Retired{Name: row.Name, Of: row.Whole, FoundAt: database.Time(row.FoundAt), RetiredAt: database.Time(row.RetiredAt)}
	var by []string
	values, err := unquote(row.Matched)
	if err == nil {
		err = unmarshal(row.Labels, &by)
	}
	if err != nil {
		return r, nil, fmt.Errorf("read the labels of %s: %w", row.Name, err)
	}
	for i, label := range by {
		r.Labels = append(r.Labels, LabelValue{label, shorten(values[i])})
	}
	return r, values, nil
}

// RetiredDetail is what a retired instance was: its last figures and its history.
type RetiredDetail struct {
	Retired
	Title      string       `json:"title,omitempty"`
	Service    string       `json:"service"`
	Objective  float64      `json:"objective" doc:"As it was when the instance was retired."`
	Window     Period       `json:"window"`
	FirstAt    *time.Time   `json:"firstAt,omitempty" doc:"The first minute with data; absent where there never was any."`
	LastAt     *time.Time   `json:"lastAt,omitempty" doc:"The end of the last minute with data."`
	SLI        *float64     `json:"sli,omitempty" doc:"Share of good events of the window that ended with the last minute; absent without events."`
	BudgetLeft *float64     `json:"budgetLeft,omitempty" doc:"What was left of its error budget then."`
	Good       float64      `json:"good"`
	Total      float64      `json:"total"`
	Days       []RetiredDay `json:"days" doc:"What each day counted (UTC), the oldest first; the last 400 where there are more."`
	Alerts     []AlertView  `json:"alerts" doc:"The latest, at most 50, the newest first."`
}

// RetiredDay is what one day counted.
type RetiredDay struct {
	At         time.Time `json:"at" doc:"Its beginning."`
	Good       float64   `json:"good"`
	Total      float64   `json:"total"`
	BudgetLeft *float64  `json:"budgetLeft,omitempty" doc:"Left at its end; absent without events in the window."`
}

const (
	mostRetiredDays   = 400
	mostRetiredAlerts = 50
)

type retiredDetailOut struct{ Body RetiredDetail }

func (s *Service) apiRetiredInstance(ctx context.Context, in *NameIn) (*retiredDetailOut, error) {
	x, err := s.RetiredInstance(ctx, in.Name)
	return &retiredDetailOut{x}, err
}

// RetiredInstance returns what an instance was that is retired.
func (s *Service) RetiredInstance(ctx context.Context, name string) (RetiredDetail, error) {
	row, err := db.New(s.db.Read()).GetInstance(ctx, name)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.RetiredAt == 0 {
		return RetiredDetail{}, fault.New(fault.NotFound, "slo.not_retired", text.Say("there is no retired instance %q", "引退したインスタンス %q はありません", name)).
			Fix(text.Say("the page of the objective lists those that there are", "SLO のページにある一覧で名前を確認してください"))
	}
	if err != nil {
		return RetiredDetail{}, database.Fault(fmt.Errorf("read %s: %w", name, err))
	}
	r, values, err := viewRetired(row)
	if err != nil {
		return RetiredDetail{}, err
	}
	d, err := s.retiredDefinition(ctx, row, values)
	if err != nil {
		return RetiredDetail{}, err
	}
	x := RetiredDetail{Retired: r, Title: d.Title, Service: d.Service, Objective: float64(d.Objective), Window: Period{label(d.Period), d.Period.Hours() / 24},
		Days: []RetiredDay{}, Alerts: []AlertView{}}
	if err := s.recall(ctx, &x, d); err != nil {
		return x, err
	}
	x.Alerts, _, err = s.Alerts(ctx, alertFilter{SLO: name, Limit: mostRetiredAlerts})
	return x, err
}

// retiredDefinition is an instance as it was defined when it was retired; where
// that was not kept, as it would be defined now.
func (s *Service) retiredDefinition(ctx context.Context, row db.SloInstance, values []string) (*Definition, error) {
	data, err := db.New(s.db.Read()).DefinitionAsOf(ctx, db.DefinitionAsOfParams{Slo: row.Name, SupersededAt: row.RetiredAt - 1})
	if err == nil {
		d := &Definition{}
		return d, unmarshal(data, d)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, database.Fault(fmt.Errorf("read how %s was defined: %w", row.Name, err))
	}
	whole, err := s.one(ctx, row.Whole)
	if err != nil {
		return nil, err
	}
	return whole.def.instance(values)
}

// recall fills in what the ledger holds of a retired instance.
func (s *Service) recall(ctx context.Context, x *RetiredDetail, d *Definition) error {
	span, err := s.recorded(ctx, d.Name)
	if err != nil || span.Len() <= 0 {
		return err
	}
	first := span.From
	span.From = max(span.From, span.To-mostRetiredDays*minutesPerDay-int64(d.longest()/time.Minute))
	c, err := s.account(ctx, s.db.Read(), d, span, math.MaxInt64, time.Time{})
	if err != nil {
		return err
	}
	last := c.lastKnown()
	if last < 0 {
		return nil
	}
	x.FirstAt, x.LastAt = instant(max(first, c.firstKnown())), instant(last+1)
	sum := c.over(d.window().Start(last+1), last+1)
	x.SLI, x.BudgetLeft, x.Good, x.Total = seen(sum, burn.SLI(sum)), known(sum, d.Objective.BudgetLeft(sum)), sum.Good(), sum.Total
	day := max(c.firstKnown(), last-mostRetiredDays*minutesPerDay) / minutesPerDay
	for ; day*minutesPerDay <= last; day++ {
		end := min((day+1)*minutesPerDay, last+1)
		of, left := c.over(day*minutesPerDay, end), c.over(d.window().Start(end), end)
		x.Days = append(x.Days, RetiredDay{At: ledger.Start(day * minutesPerDay), Good: of.Good(), Total: of.Total, BudgetLeft: known(left, d.Objective.BudgetLeft(left))})
	}
	return nil
}

// recorded is the span of minutes of which the ledger holds anything.
func (s *Service) recorded(ctx context.Context, name string) (minutes, error) {
	q := db.New(s.db.Read())
	hours, err := q.RecordedHours(ctx, name)
	days, err2 := q.RecordedDays(ctx, name)
	if err = errors.Join(err, err2); err != nil {
		return minutes{}, database.Fault(fmt.Errorf("read the ledger of %s: %w", name, err))
	}
	var span minutes
	if hours.Last >= 0 {
		span = ledger.Between(hours.First*ledger.MinutesPerHour, (hours.Last+1)*ledger.MinutesPerHour)
	}
	if days.Last >= 0 {
		span = ledger.Between(days.First*minutesPerDay, max(span.To, (days.Last+1)*minutesPerDay))
	}
	return span, nil
}

// firstKnown and lastKnown are the minutes at the ends of what is known, −1 where
// nothing is.
func (c *account) firstKnown() int64 {
	for i, m := range c.raw {
		if m.Known {
			return c.span.From + int64(i)
		}
	}
	return -1
}

func (c *account) lastKnown() int64 {
	for i := len(c.raw) - 1; i >= 0; i-- {
		if c.raw[i].Known {
			return c.span.From + int64(i)
		}
	}
	return -1
}

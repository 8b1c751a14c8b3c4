package probe

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/probe/db"
)

// resultsIn chooses results of a probe, newest first.
type resultsIn struct {
	httpapi.PageIn
	Name     string    `path:"name" doc:"The probe's name."`
	Location string    `query:"location" doc:"Only results from here."`
	Outcome  string    `query:"outcome" enum:"success,failure,unknown" doc:"Only results with this outcome."`
	From     time.Time `query:"from" doc:"At this time or later."`
	To       time.Time `query:"to" doc:"Before this time."`
}

// place is where a page of results ends.
type place struct {
	Due      int64  `json:"d"`
	Location string `json:"l"`
}

// results lists results that are kept: failures for two weeks, successes for two
// days.
func (s *Service) results(ctx context.Context, in *resultsIn) (httpapi.Page[ResultView], error) {
	page := httpapi.Page[ResultView]{Items: []ResultView{}}
	if _, err := s.get(ctx, s.DB.Read(), in.Name); err != nil {
		return page, err
	}
	var w database.Where
	w.And("probe = ?", in.Name)
	if in.Location != "" {
		w.And("location = ?", in.Location)
	}
	if in.Outcome != "" {
		w.And("outcome = ?", in.Outcome)
	}
	if !in.From.IsZero() {
		w.And("due >= ?", database.Micros(in.From))
	}
	if !in.To.IsZero() {
		w.And("due < ?", database.Micros(in.To))
	}
	if in.Cursor != "" {
		var at place
		if err := httpapi.DecodeCursor("probe-results", in.Cursor, &at); err != nil {
			return page, err
		}
		w.And("(due < ? OR (due = ? AND location > ?))", at.Due, at.Due, at.Location)
	}
	rows, err := s.DB.Read().QueryContext(ctx, "SELECT probe, location, due, outcome, total_ms, data FROM probe_results"+w.SQL()+
		" ORDER BY due DESC, location LIMIT "+w.Arg(in.Limit+1), w.Args()...)
	if err != nil {
		return page, database.Fault(fmt.Errorf("list results of %s: %w", in.Name, err))
	}
	err = onePage(rows, in.Limit, &page)
	return page, err
}

// onePage reads the rows of one page.
func onePage(rows *sql.Rows, limit int, page *httpapi.Page[ResultView]) error {
	defer rows.Close()
	var last db.ProbeResult
	for rows.Next() {
		if len(page.Items) == limit {
			page.Next = httpapi.EncodeCursor("probe-results", place{last.Due, last.Location})
			break
		}
		if err := rows.Scan(&last.Probe, &last.Location, &last.Due, &last.Outcome, &last.TotalMs, &last.Data); err != nil {
			return fmt.Errorf("list results: %w", err)
		}
		v, err := resultView(last)
		if err != nil {
			return err
		}
		page.Items = append(page.Items, v)
	}
	return database.Fault(rows.Err())
}

// seriesIn chooses a span of a probe.
type seriesIn struct {
	Name   string    `path:"name" doc:"The probe's name."`
	From   time.Time `query:"from" doc:"Start of the span; by default 24 hours before its end."`
	To     time.Time `query:"to" doc:"End of the span; by default now."`
	Points int       `query:"points" minimum:"1" maximum:"1000" default:"200" doc:"How many points at most."`
}

// Series is a probe over time.
type Series struct {
	StepSeconds int64            `json:"stepSeconds"`
	Locations   []LocationSeries `json:"locations"`
}

// LocationSeries is a probe over time as one location saw it.
type LocationSeries struct {
	Location string        `json:"location"`
	Points   []SeriesPoint `json:"points"`
}

// SeriesPoint is one step. Counts are kept for long; times for as long as
// results are, and null where there are none.
type SeriesPoint struct {
	At     time.Time `json:"at" doc:"The beginning of the step."`
	Good   float64   `json:"good"`
	Total  float64   `json:"total" doc:"0 where nothing was checked: that is unknown, not good."`
	MeanMs *float64  `json:"meanMs"`
	MaxMs  *float64  `json:"maxMs"`

	sum float64
	n   int
}

const longestSeries = 400 * 24 * time.Hour

// series adds results up in steps of whole minutes.
func (s *Service) series(ctx context.Context, in *seriesIn) (*Series, error) {
	p, err := s.get(ctx, s.DB.Read(), in.Name)
	if err != nil {
		return nil, err
	}
	to, from := in.To, in.From
	if to.IsZero() {
		to = s.Now()
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if !from.Before(to) || to.Sub(from) > longestSeries {
		return nil, fault.New(fault.Invalid, "probe.span", text.Say("from must be before to, and at most 400 days before", "from は to より前、かつ400日以内でなければなりません")).On("query.from")
	}
	first, end := metrics.MinuteAfter(from.UnixMilli()), metrics.MinuteAfter(to.UnixMilli())
	step := max(1, (end-first+int64(in.Points)-1)/int64(in.Points))
	first -= first % step
	out := &Series{StepSeconds: step * 60, Locations: []LocationSeries{}}
	for _, location := range p.spec.locations() {
		l, err := s.locationSeries(ctx, in.Name, location, first, end, step)
		if err != nil {
			return nil, err
		}
		out.Locations = append(out.Locations, l)
	}
	return out, s.times(ctx, in.Name, out, first, end, step)
}

// locationSeries reads the counts.
func (s *Service) locationSeries(ctx context.Context, name, location string, first, end, step int64) (LocationSeries, error) {
	l := LocationSeries{Location: location, Points: []SeriesPoint{}}
	for m := first; m < end; m += step {
		l.Points = append(l.Points, SeriesPoint{At: time.Unix(m*60, 0).UTC()})
	}
	selector := func(extra string) metrics.Selection {
		return metrics.Selection{Expr: fmt.Sprintf("sum(%s{stream=%q,probe=%q,location=%q%s})", pushed.Metric, Stream, name, location, extra)}
	}
	got, err := s.Events.Counts(ctx, []metrics.Selection{selector(`,result="good"`), selector("")}, first, end)
	if err != nil {
		return l, err
	}
	for i := range got[1].Values {
		if math.IsNaN(got[1].Values[i]) {
			continue
		}
		x := &l.Points[int64(i)/step]
		x.Good, x.Total = x.Good+got[0].Values[i], x.Total+got[1].Values[i]
	}
	return l, nil
}

// times reads how long checks took.
func (s *Service) times(ctx context.Context, name string, out *Series, first, end, step int64) error {
	rows, err := db.New(s.DB.Read()).ResultTimes(ctx, db.ResultTimesParams{Probe: name, FromDue: first * 60e6, ToDue: end * 60e6})
	if err != nil {
		return database.Fault(fmt.Errorf("read results of %s: %w", name, err))
	}
	for _, r := range rows {
		at := slices.IndexFunc(out.Locations, func(l LocationSeries) bool { return l.Location == r.Location })
		i := (r.Due/60e6 - first) / step
		if at < 0 || r.Outcome == "unknown" || i < 0 || i >= int64(len(out.Locations[at].Points)) {
			continue
		}
		x := &out.Locations[at].Points[i]
		x.sum, x.n = x.sum+r.TotalMs, x.n+1
		mean := x.sum / float64(x.n)
		x.MeanMs = &mean
		if x.MaxMs == nil || r.TotalMs > *x.MaxMs {
			x.MaxMs = new(r.TotalMs)
		}
	}
	return nil
}

package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/exclusion"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// membership is what an objective belongs to.
type membership struct{ Service, Owner, Tier, System string }

// membershipOf reads what an objective belonged to at asOf, or belongs to now
// where asOf is zero; nothing where it is not there any more.
func membershipOf(ctx context.Context, q db.DBTX, name string, asOf time.Time) (membership, error) {
	var m membership
	if !asOf.IsZero() {
		r, err := db.New(q).MembershipAsOf(ctx, db.MembershipAsOfParams{Slo: name, SupersededAt: database.Micros(asOf)})
		if err == nil {
			return membership(r), nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return m, database.Fault(fmt.Errorf("read who %s belonged to: %w", name, err))
		}
	}
	r, err := db.New(q).GetStatus(ctx, name)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return m, nil
	case err != nil:
		return m, database.Fault(fmt.Errorf("read who %s belongs to: %w", name, err))
	}
	return membership{r.Service, r.Owner, r.Tier, r.System}, nil
}

// coverageOf reads by what an objective was covered at asOf, or is at present
// where asOf is zero.
func coverageOf(ctx context.Context, q db.DBTX, name string, asOf time.Time) (exclusion.Coverage, error) {
	m, err := membershipOf(ctx, q, name, asOf)
	return coverage(name, m.Service, m.System, m.Owner), err
}

// coverage is by what an objective can be covered.
func coverage(name, service, system, team string) exclusion.Coverage {
	c := exclusion.Coverage{SLO: name, Service: service, System: system, Team: team}
	if whole := wholeOf(name); whole != name {
		c.Whole = whole
	}
	return c
}

// excludedMinutes are the minutes of span that do not count for an objective,
// ascending and apart from one another, as they were known at asOf; as they are
// known now where asOf is zero: by what the objective belonged to at that time.
func excludedMinutes(ctx context.Context, q db.DBTX, d *Definition, span minutes, asOf time.Time) ([]minutes, error) {
	book, err := exclusion.Load(ctx, q, asOf)
	if err != nil {
		return nil, err
	}
	c, err := coverageOf(ctx, q, d.Name, asOf)
	if err != nil {
		return nil, err
	}
	return book.Minutes(c, span), nil
}

// counted is what the budget of an objective counts over minutes, of which the
// first has the index first and begins a slice, without those that are excluded.
// An excluded minute counts nothing and is no gap; a slice counts while one of
// its minutes does.
func counted(d *Definition, first int64, all []ledger.Minute, excluded []minutes) []ledger.Minute {
	end := first + int64(len(all))
	all = slices.Clone(all)
	excluded = ledger.Clip(slices.Clone(excluded), ledger.Between(first, end))
	for _, x := range excluded {
		clear(all[x.From-first : x.To-first])
	}
	view := d.Counting.View(first, all)
	for _, x := range excluded {
		for m := x.From; m < x.To; m++ {
			if v := &view[m-first]; !v.Known {
				v.Known = true
			}
		}
	}
	return view
}

// ExcludedNow is how much of an objective's present window does not count.
type ExcludedNow struct {
	Minutes int64               `json:"minutes"`
	Share   float64             `json:"share" doc:"Of the window's minutes."`
	Now     bool                `json:"now" doc:"Whether this minute does not count."`
	Next    *exclusion.TimeSpan `json:"next,omitempty" doc:"The time under way that does not count, or else the next one."`
}

func (s *Service) excludedNow(ctx context.Context, d *Definition) (ExcludedNow, error) {
	var x ExcludedNow
	book, err := exclusion.Load(ctx, s.db.Read(), time.Time{})
	if err != nil {
		return x, err
	}
	c, err := coverageOf(ctx, s.db.Read(), d.Name, time.Time{})
	if err != nil {
		return x, err
	}
	end := ledger.Done(s.now())
	span := ledger.Between(d.window().Start(end), end)
	x.Minutes = ledger.Length(book.Minutes(c, span))
	x.Share = float64(x.Minutes) / float64(max(span.Len(), 1))
	x.Now = len(book.Minutes(c, ledger.Between(end, end+1))) > 0
	for _, e := range book.Of(c) {
		m, ok := e.Next(s.now())
		if next := exclusion.TimesOf(m); ok && (x.Next == nil || next.From.Before(x.Next.From)) {
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
	book, err := exclusion.Load(ctx, q, asOf)
	if err != nil {
		return nil, err
	}
	c, err := coverageOf(ctx, q, d.Name, asOf)
	if err != nil {
		return nil, err
	}
	all := []ExcludedSpan{}
	for _, x := range book.Of(c) {
		for _, m := range x.Within(span) {
			t := exclusion.TimesOf(m)
			all = append(all, ExcludedSpan{t.From, t.To, x.ID, x.Document, x.Reason})
		}
	}
	slices.SortStableFunc(all, func(a, b ExcludedSpan) int { return a.From.Compare(b.From) })
	return all[max(0, len(all)-mostSpans):], nil
}

type excludedIn struct {
	Name string    `path:"name" doc:"The objective's name."`
	From time.Time `query:"from" doc:"Start of the span; by default one period before its end."`
	To   time.Time `query:"to" doc:"End of the span; by default now."`
	AsOf time.Time `query:"asOf" doc:"As it was known at this time; by default as it is known now."`
}

type excludedOut struct {
	Body httpapi.Page[ExcludedSpan]
}

func (s *Service) registerExcluded(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "list-slo-exclusions", Method: http.MethodGet, Path: "/api/v1/slos/{name}/exclusions", Scope: scopeRead, Tag: exclusion.Tag,
		Summary:     "Each time that does not count for an objective",
		Description: "Every occurrence within the span, in order, to mark on a chart; the latest 500 where there are more."}, s.apiExcluded)
}

func (s *Service) apiExcluded(ctx context.Context, in *excludedIn) (*excludedOut, error) {
	row, err := db.New(s.db.Read()).GetDefinition(ctx, in.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notFound(in.Name)
	}
	var d Definition
	if err == nil {
		err = unmarshal(row.Data, &d)
	}
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read %s: %w", in.Name, err))
	}
	if in.To.IsZero() {
		in.To = s.now()
	}
	if in.From.IsZero() {
		in.From = in.To.Add(-d.Period)
	}
	if in.To.Before(in.From) || in.To.Sub(in.From) > longestSeries {
		return nil, fault.New(fault.Invalid, "slo.series_span",
			text.Say("the time span is empty or longer than 400 days", "期間が空か、400日を超えています")).
			Fix(text.Say("choose a from before to", "from を to より前にしてください")).On("query.from")
	}
	spans, err := excludedSpans(ctx, s.db.Read(), &d, ledger.Between(ledger.Done(in.From), ledger.Done(in.To)), in.AsOf)
	return &excludedOut{httpapi.Page[ExcludedSpan]{Items: spans}}, err
}

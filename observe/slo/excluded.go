package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// forever ends what has no end.
const forever = math.MaxInt64

// Covers is whom an exclusion covers: everything that any of the lists names.
type Covers struct {
	SLOs     []string `json:"slos,omitempty" doc:"Objectives by name." ja:"SLO の名前。"`
	Services []string `json:"services,omitempty" doc:"Every objective of these services." ja:"これらのサービスのすべての SLO。"`
	Systems  []string `json:"systems,omitempty" doc:"Every objective of the services of these systems." ja:"これらのシステムに属するサービスのすべての SLO。"`
	Teams    []string `json:"teams,omitempty" doc:"Every objective of the services that these teams own." ja:"これらのチームが所有するサービスのすべての SLO。"`
}

// cover is one entry of a Covers.
type cover struct{ kind, name string }

const (
	coverSLO     = "slo"
	coverService = "service"
	coverSystem  = "system"
	coverTeam    = "team"
)

func (c Covers) all() []cover {
	var all []cover
	for _, list := range []struct {
		kind  string
		names []string
	}{{coverSLO, c.SLOs}, {coverService, c.Services}, {coverSystem, c.Systems}, {coverTeam, c.Teams}} {
		for _, name := range list.names {
			all = append(all, cover{list.kind, name})
		}
	}
	return all
}

// coverage is by what an objective can be covered.
type coverage struct{ SLO, Service, System, Team string }

func (c coverage) covers() []cover {
	return []cover{{coverSLO, c.SLO}, {coverService, c.Service}, {coverSystem, c.System}, {coverTeam, c.Team}}
}

// coverageOf reads by what an objective is covered at present.
func coverageOf(ctx context.Context, q db.DBTX, name string) (coverage, error) {
	r, err := db.New(q).Coverage(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		return coverage{SLO: name}, nil
	}
	if err != nil {
		return coverage{}, database.Fault(fmt.Errorf("read who %s belongs to: %w", name, err))
	}
	return coverage{r.Name, r.Service, r.System, r.Owner}, nil
}

// exclusion is a row of slo_exclusions, read.
type exclusion struct {
	row     db.SloExclusion
	covers  Covers
	shape   shape
	pattern pattern
}

func readExclusion(row db.SloExclusion) (exclusion, error) {
	x := exclusion{row: row}
	if err := errors.Join(unmarshal(row.Covers, &x.covers), unmarshal(row.Shape, &x.shape)); err != nil {
		return x, fmt.Errorf("read exclusion %s: %w", row.ID, err)
	}
	var wrong []wrongShape
	if x.pattern, wrong = x.shape.read(); len(wrong) > 0 {
		return x, fmt.Errorf("read exclusion %s: %v", row.ID, wrong)
	}
	return x, nil
}

const perMinute = int64(time.Minute / time.Microsecond)

// bounds are the minutes that the exclusion may exclude: those it touches.
func (x *exclusion) bounds() minutes {
	to := int64(forever)
	if x.row.EndsAt != forever {
		to = (x.row.EndsAt + perMinute - 1) / perMinute
	}
	return ledger.Between(x.row.StartsAt/perMinute, to)
}

// within are the minutes of span that the exclusion excludes.
func (x *exclusion) within(span minutes) []minutes {
	b := x.bounds()
	span = ledger.Between(max(span.From, b.From), min(span.To, b.To))
	if span.Len() <= 0 {
		return nil
	}
	return x.pattern.within(span)
}

// exclusionBook answers which minutes of which objective do not count. It is
// read once and does no I/O after that; slo_generation tells when it is old.
type exclusionBook struct {
	by map[cover][]*exclusion
}

// loadExclusions reads every exclusion as it was known at asOf, and as it is
// known now where asOf is zero.
func loadExclusions(ctx context.Context, q db.DBTX, asOf time.Time) (*exclusionBook, error) {
	var rows []db.SloExclusion
	var err error
	if asOf.IsZero() {
		rows, err = db.New(q).ExclusionsInForce(ctx)
	} else {
		rows, err = db.New(q).ExclusionsKnownAt(ctx, database.Micros(asOf))
	}
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read exclusions: %w", err))
	}
	book := &exclusionBook{by: map[cover][]*exclusion{}}
	for _, row := range rows {
		x, err := readExclusion(row)
		if err != nil {
			return nil, err
		}
		for _, c := range x.covers.all() {
			book.by[c] = append(book.by[c], &x)
		}
	}
	return book, nil
}

// of lists the exclusions that cover an objective, each once.
func (b *exclusionBook) of(c coverage) []*exclusion {
	var found []*exclusion
	for _, key := range c.covers() {
		for _, x := range b.by[key] {
			if !slices.Contains(found, x) {
				found = append(found, x)
			}
		}
	}
	return found
}

// minutes are the minutes of span that do not count for an objective, ascending
// and apart from one another.
func (b *exclusionBook) minutes(c coverage, span minutes) []minutes {
	var all []minutes
	for _, x := range b.of(c) {
		all = append(all, x.within(span)...)
	}
	return ledger.Join(all)
}

// excludedMinutes are the minutes of span that do not count for an objective,
// ascending and apart from one another, as they were known at asOf; as they are
// known now where asOf is zero. What an objective belongs to is taken as it is
// at present.
func excludedMinutes(ctx context.Context, q db.DBTX, d *Definition, span minutes, asOf time.Time) ([]minutes, error) {
	book, err := loadExclusions(ctx, q, asOf)
	if err != nil {
		return nil, err
	}
	c, err := coverageOf(ctx, q, d.Name)
	if err != nil {
		return nil, err
	}
	return book.minutes(c, span), nil
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

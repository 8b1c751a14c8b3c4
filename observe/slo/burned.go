package slo

import (
	"context"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/debit"
)

// Burn is what one incident burned of the error budget of one objective, in the
// window that ends at To.
type Burn struct {
	SLO     string    `json:"slo"`
	Title   string    `json:"title,omitempty"`
	Service string    `json:"service"`
	Bad     float64   `json:"bad" doc:"Bad events, or slices, that are put down to the incident."`
	Share   float64   `json:"share" doc:"Part of the budget of the window."`
	Minutes float64   `json:"minutes" doc:"The same part of the minutes that could be bad altogether: the window's length times what the objective allows."`
	Known   float64   `json:"known" doc:"Share of the window's minutes with data."`
	From    time.Time `json:"from" doc:"The beginning of the window."`
	To      time.Time `json:"to"`
}

// mostCauses is how many causes a budget is taken apart into to find one of them.
const mostCauses = 1000

// Burned is what an incident burned of the budgets of the objectives of its
// services, or of those objectives alone that are named, in their windows that end
// at to; the largest part of a budget first. What it burned is what debits put down
// to it, so that the parts of all causes add up to what was spent.
func (s *Service) Burned(ctx context.Context, incident journal.Ref, services, slos []string, to time.Time) ([]Burn, error) {
	names := slices.Clone(slos)
	if len(names) == 0 {
		for _, service := range services {
			more, err := db.New(s.db.Read()).NamesOfService(ctx, service)
			if err != nil {
				return nil, database.Fault(err)
			}
			names = append(names, more...)
		}
	}
	var all []Burn
	for _, name := range names {
		b, err := s.burned(ctx, incident, name, to)
		if err != nil {
			return nil, err
		}
		if b != nil {
			all = append(all, *b)
		}
	}
	slices.SortStableFunc(all, func(a, b Burn) int {
		switch {
		case a.Share > b.Share:
			return -1
		case a.Share < b.Share:
			return 1
		}
		return 0
	})
	return all, nil
}

// burned is what an incident burned of one objective's budget. An objective that
// is taken apart has no budget of its own; its instances have.
func (s *Service) burned(ctx context.Context, incident journal.Ref, name string, to time.Time) (*Burn, error) {
	d, _, err := s.read(ctx, name, time.Time{})
	if err != nil || d.Grouping != nil {
		return nil, err
	}
	x, err := s.Debits(ctx, SeriesQuery{Name: name, To: to}, mostCauses)
	if err != nil {
		return nil, err
	}
	b := Burn{SLO: name, Title: d.Title, Service: d.Service, Known: x.Known, From: x.From, To: x.To}
	for _, p := range x.Parts {
		if p.Kind == debit.Incident && p.Ref == string(incident) {
			b.Bad += p.Bad
			b.Share += p.Consumed
		}
	}
	b.Minutes = b.Share * d.Objective.Budget() * x.To.Sub(x.From).Minutes()
	return &b, nil
}

package routing

import (
	"context"
	"slices"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/exclusion"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/respond/alert/route"
)

// windowKind is the kind of document that announces planned work.
const windowKind = "MaintenanceWindow"

// windows are the maintenance windows of the time to come. The same documents
// tell the ledger which minutes do not count. Business hours and corrections after
// the fact are about figures only, and keep no alert from anybody.
func (s *Service) windows(ctx context.Context) ([]*route.Window, error) {
	all, err := exclusion.InForce(ctx, s.DB.Read())
	if err != nil {
		return nil, err
	}
	now := s.Now()
	ahead := ledger.Between(ledger.Done(now), ledger.Done(now.Add(windowsAhead+staleAfter)))
	var windows []*route.Window
	for _, x := range all {
		if x.Document == "" || x.Shape.BusinessHours != nil {
			continue
		}
		spans := x.Within(ahead)
		if len(spans) == 0 {
			continue
		}
		w := &route.Window{Name: x.Document, Reason: x.Reason, SLOs: x.Covers.SLOs}
		for _, m := range spans {
			w.Spans = append(w.Spans, route.Span{From: ledger.Start(m.From), To: ledger.Start(m.To)})
		}
		if w.Services, err = s.covered(ctx, x.Covers); err != nil {
			return nil, err
		}
		if s.Documents != nil {
			o, found, err := s.Documents.Origin(ctx, ascode.Key{Kind: windowKind, Name: x.Document})
			if err != nil {
				return nil, err
			}
			if found {
				w.At = fault.Position{File: o.File, Line: o.Line}
			}
		}
		windows = append(windows, w)
	}
	return windows, nil
}

// covered lists the services of what a window covers.
func (s *Service) covered(ctx context.Context, c exclusion.Covers) ([]string, error) {
	names := slices.Clone(c.Services)
	if len(c.Systems)+len(c.Teams) == 0 || s.Catalog == nil {
		return names, nil
	}
	all, _, err := s.Catalog.List(ctx, catalog.Filter{Services: true})
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.System != "" && slices.Contains(c.Systems, e.System) || e.Owner != "" && slices.Contains(c.Teams, e.Owner) {
			names = append(names, e.Short)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// teamOf is who owns a service, empty where nobody is known to.
func (s *Service) teamOf(ctx context.Context, service string) string {
	if service == "" || s.Catalog == nil {
		return ""
	}
	e, err := s.Catalog.Find(ctx, s.DB.Read(), service)
	if err != nil {
		return "" // somebody's label need not name a service
	}
	return e.Owner
}

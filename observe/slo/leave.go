package slo

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/observe/slo/exchange"
)

// Rules are the recording and alerting rules of the named objectives, of all
// where none is named, as a rule file of Prometheus.
func (s *Service) Rules(ctx context.Context, names []string) (string, error) {
	defs, err := s.book.read(ctx, s.db.Read())
	if err != nil {
		return "", err
	}
	missing := slices.Clone(names)
	var promises []exchange.Promise
	for _, row := range defs.all {
		if len(names) > 0 && !slices.Contains(names, row.Name) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(n string) bool { return n == row.Name })
		service, _, err := s.lookUp(ctx, s.db.Read(), row.Service)
		if err != nil {
			return "", err
		}
		promises = append(promises, row.def.promise(service.Owner))
	}
	if len(missing) > 0 {
		return "", notFound(missing[0])
	}
	return exchange.Rules(promises)
}

// promise is the objective as other tools may have it.
func (d *Definition) promise(team string) exchange.Promise {
	p := exchange.Promise{
		Name: d.Name, Title: d.Title, Service: d.Service, Team: team, Objective: d.Objective, Period: d.Period,
		Calendar: d.Window.Calendar != nil, Counter: d.Counter, Good: d.Good, Bad: d.Bad, Total: d.Total, Rules: d.Rules,
	}
	opposite := map[string]string{"lt": ">=", "lte": ">", "gt": "<=", "gte": "<"}
	switch {
	case d.Composite != nil:
		p.Unsupported = "it is made of several indicators"
	case d.Counting.Sliced():
		p.Unsupported = "it counts time slices"
	case d.PartSource != nil:
		p.Unsupported = "its queries go to two data sources"
	case d.Threshold != nil:
		p.Share = fmt.Sprintf("(%s) %s bool %g", d.Threshold.Expr, opposite[d.Threshold.Op], d.Threshold.Value)
	case d.Raw != nil && d.Raw.Failure:
		p.Share = d.Raw.Expr
	case d.Raw != nil:
		p.Share = "1 - (" + d.Raw.Expr + ")"
	}
	return p
}

type rulesIn struct {
	Names []string `query:"slo,explode" doc:"Only these objectives."`
}

type fileOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (s *Service) registerLeaving(a *httpapi.API) {
	get := func(id, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: path, Scope: scopeRead, Tag: "Objectives", Summary: summary}
	}
	httpapi.Register(a, get("export-slo-rules", "/api/v1/slo-rules", "Objectives as recording and alerting rules of Prometheus"),
		func(ctx context.Context, in *rulesIn) (*fileOut, error) {
			yaml, err := s.Rules(ctx, in.Names)
			return &fileOut{"application/yaml; charset=utf-8", []byte(yaml)}, err
		})
	httpapi.Register(a, get("export-slo-dashboard", "/api/v1/slo-dashboard", "A Grafana dashboard over the series that the exported rules record"),
		func(context.Context, *struct{}) (*fileOut, error) {
			board, err := exchange.Grafana()
			return &fileOut{"application/json", []byte(board)}, err
		})
}

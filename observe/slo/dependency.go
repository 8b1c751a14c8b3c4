package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// mostWay is how many objectives a way through services may have.
const mostWay = 100

// dependants is what the documents refer to that are made of the objectives of
// what their service depends on.
var dependants = reference{kind: "dependencies", name: "of"}

// withDependencies makes each objective of an SLO that asks for it one of the
// whole way: its own indicator, and those of the services that its service
// depends on, as the catalog says. It is as good as they are together.
func (s *Service) withDependencies(ctx context.Context, tx *sql.Tx, o *openslo.SLO, all []*Definition) error {
	how := Join(o.Metadata.Annotations[openslo.Dependencies])
	if how == "" {
		return nil
	}
	services, err := s.dependencies(ctx, tx, o.Spec.Service)
	if err != nil {
		return err
	}
	var way []Part
	for _, service := range services {
		parts, err := firstObjectives(ctx, tx, service)
		if err != nil {
			return err
		}
		way = append(way, parts...)
	}
	if len(way) > mostWay {
		return fault.New(fault.Invalid, "slo.dependencies", text.Say("SLO %s would be made of %d objectives of dependencies; at most %d are joined",
			"SLO %s の依存先の目標が%d個あります(上限は%d個)", o.Metadata.Name, len(way), mostWay)).
			Fix(text.Say("write out those that matter as a composite, instead of %s", "%s の代わりに、必要な目標を複合SLOとして書き出してください", openslo.Dependencies))
	}
	for _, d := range all {
		if d.Composite != nil || len(way) == 0 {
			continue
		}
		own := Part{Title: o.Spec.Service, Weight: 1, Objective: d.Objective, Indicator: d.Indicator}
		d.Composite = &Composite{Join: how, Parts: append([]Part{own}, way...)}
		d.Indicator, d.Way = Indicator{}, true
	}
	return nil
}

// dependencies are the services that a service depends on straight.
func (s *Service) dependencies(ctx context.Context, q db.DBTX, service string) ([]string, error) {
	e, known, err := s.lookUp(ctx, q, service)
	if err != nil || !known {
		return nil, err
	}
	var names []string
	for _, ref := range e.DependsOn {
		r, err := catalog.ParseRef(ref, catalog.KindComponent, catalog.DefaultNamespace)
		if err == nil {
			names = append(names, r.Short())
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// firstObjectives are the first objectives of the SLOs of a service, each with its
// own indicator. Composites, which are made of others, are no part of a way.
func firstObjectives(ctx context.Context, q db.DBTX, service string) ([]Part, error) {
	names, err := db.New(q).NamesOfService(ctx, service)
	if err != nil {
		return nil, fmt.Errorf("list the objectives of %s: %w", service, err)
	}
	var parts []Part
	for _, name := range names {
		if strings.Contains(name, parted) {
			continue
		}
		row, err := db.New(q).GetDefinition(ctx, name)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		var d Definition
		if err := unmarshal(row.Data, &d); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		p := Part{Title: name, Weight: 1, Objective: d.Objective, Indicator: d.Indicator}
		switch {
		case d.Way:
			p.Indicator = d.Composite.Parts[0].Indicator
		case d.Composite != nil:
			continue
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// followDependants has the SLOs made anew that are made of the objectives of a
// service: those of services that depend on it, and its own.
func (s *Service) followDependants(ctx context.Context, tx *sql.Tx, service, except string) error {
	found, err := db.New(tx).PartsThatReferTo(ctx, mentions(dependants.kind, dependants.name))
	if err != nil {
		return fmt.Errorf("find what depends on %s: %w", service, err)
	}
	for _, part := range found {
		var o openslo.SLO
		if err := unmarshal(part.Data, &o); err != nil {
			return fmt.Errorf("read %s: %w", part.Name, err)
		}
		services, err := s.dependencies(ctx, tx, o.Spec.Service)
		if err != nil {
			return err
		}
		if part.Name == except || o.Spec.Service != service && !slices.Contains(services, service) {
			continue
		}
		old, err := db.New(tx).GetDefinition(ctx, part.Name)
		if errors.Is(err, sql.ErrNoRows) {
			continue // it is about to be made
		}
		if err == nil {
			err = s.installAlone(ctx, tx, &o, old.ManagedBy)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

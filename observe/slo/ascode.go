package slo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// apiVersion is that of the kinds that are the product's own.
const apiVersion = "teiten.dev/v1"

// The kinds of document that the room keeps.
const (
	kindSLO       = "SLO"
	kindSLI       = "SLI"
	kindPolicy    = "AlertPolicy"
	kindCondition = "AlertCondition"
	kindTarget    = "AlertNotificationTarget"
	kindService   = "Service"
	kindSource    = "DataSource"
)

// Kinds makes the documents of OpenSLO known, except DataSource.
func (s *Service) Kinds(r *ascode.Registry) {
	add := func(k ascode.Kind) {
		k.APIVersion = openslo.APIVersion
		r.Add(k)
	}
	for _, k := range []ascode.Kind{s.kindOfTier(), s.policies.Kind(), s.exclusions.Kind()} {
		r.Add(k)
	}
	alpha := []string{openslo.AlphaVersion}
	add(ascode.Kind{Kind: kindService, ID: "openslo-services", Order: 60, AlsoVersions: alpha, Upgrade: openslo.Upgrade, Event: "catalog.entity_",
		Title: text.Say("Service (OpenSLO)", "サービス(OpenSLO)"),
		New:   func() any { return &openslo.Service{} }, Validate: openslo.ValidateService,
		Ref:   func(d *ascode.Document) string { return "service:" + d.Name },
		Apply: s.putService, Remove: s.dropService})
	part := func(kind, id string, order int, title text.Both, empty func() any, validate func(*ascode.Document) []*fault.Error) {
		add(ascode.Kind{Kind: kind, ID: id, Order: order, Title: title, New: empty, Validate: validate,
			Apply: s.putPart, Remove: s.dropPart, Check: s.checkPart})
	}
	part(kindTarget, "alert-notification-targets", 70, text.Say("Alert notification target", "アラート通知先"),
		func() any { return &openslo.AlertNotificationTarget{} }, openslo.ValidateTarget)
	part(kindCondition, "alert-conditions", 71, text.Say("Alert condition", "アラート条件"),
		func() any { return &openslo.AlertCondition{} }, openslo.ValidateAlertCondition)
	part(kindPolicy, "alert-policies", 72, text.Say("Alert policy", "アラートポリシー"),
		func() any { return &openslo.AlertPolicy{} }, openslo.ValidateAlertPolicy)
	add(ascode.Kind{Kind: kindSLI, ID: "slis", Order: 80, Title: text.Say("Service level indicator", "サービスレベル指標"),
		Upgrade: openslo.Upgrade, New: func() any { return &openslo.SLI{} }, Validate: openslo.ValidateSLI,
		Apply: s.putPart, Remove: s.dropPart, Check: s.checkPart})
	add(ascode.Kind{Kind: kindSLO, ID: "slos", Order: 90, AlsoVersions: alpha, Upgrade: openslo.Upgrade, Event: "slo.",
		Title: text.Say("Service level objective", "サービスレベル目標"),
		New:   func() any { return &openslo.SLO{} }, Validate: openslo.ValidateSLO,
		Ref:     func(d *ascode.Document) string { return "slo:" + d.Name },
		OwnerIn: s.ownerOf, Apply: s.putSLO, Remove: s.dropSLO, Check: s.checkPart, Warn: s.warnSLO})
}

// reference is one document naming another, and where it does.
type reference struct {
	kind, name string
	path       []any
}

// references lists what a document refers to.
func references(d *ascode.Document) []reference {
	switch o := d.Object.(type) {
	case *openslo.SLO:
		return sloReferences(&o.Spec)
	case *openslo.SLI:
		return sliReferences(&o.Spec, "spec")
	case *openslo.AlertPolicy:
		return policyReferences(&o.Spec, "spec")
	}
	return nil
}

func sloReferences(s *openslo.SLOSpec) []reference {
	refs := indicatorReferences(s.Indicator, s.IndicatorRef, "spec")
	for i, o := range s.Objectives {
		refs = append(refs, indicatorReferences(o.Indicator, o.IndicatorRef, "spec", "objectives", i)...)
	}
	for i, p := range s.AlertPolicies {
		if p.AlertPolicyRef != "" {
			refs = append(refs, reference{kindPolicy, p.AlertPolicyRef, []any{"spec", "alertPolicies", i, "alertPolicyRef"}})
		} else if p.Spec != nil {
			refs = append(refs, policyReferences(p.Spec, "spec", "alertPolicies", i, "spec")...)
		}
	}
	return refs
}

func indicatorReferences(inline *openslo.InlineIndicator, name string, path ...any) []reference {
	switch {
	case name != "":
		return []reference{{kindSLI, name, append(slices.Clone(path), "indicatorRef")}}
	case inline != nil:
		return sliReferences(&inline.Spec, append(slices.Clone(path), "indicator", "spec")...)
	}
	return nil
}

func sliReferences(s *openslo.SLISpec, path ...any) []reference {
	var refs []reference
	add := func(m *openslo.Metric, field ...any) {
		if name := m.MetricSource.MetricSourceRef; name != "" {
			refs = append(refs, reference{kindSource, name, append(append(slices.Clone(path), field...), "metricSource", "metricSourceRef")})
		}
	}
	if s.ThresholdMetric != nil {
		add(s.ThresholdMetric, "thresholdMetric")
	}
	if s.RatioMetric != nil {
		for _, m := range s.RatioMetric.Metrics() {
			add(m.Metric, "ratioMetric", m.Field)
		}
	}
	return refs
}

func policyReferences(p *openslo.AlertPolicySpec, path ...any) []reference {
	var refs []reference
	for i, c := range p.Conditions {
		if c.ConditionRef != "" {
			refs = append(refs, reference{kindCondition, c.ConditionRef, append(slices.Clone(path), "conditions", i, "conditionRef")})
		}
	}
	for i, t := range p.NotificationTargets {
		if t.TargetRef != "" {
			refs = append(refs, reference{kindTarget, t.TargetRef, append(slices.Clone(path), "notificationTargets", i, "targetRef")})
		}
	}
	return refs
}

// checkPart finds references that lead nowhere, and for an SLO its service.
func (s *Service) checkPart(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	var faults []*fault.Error
	for _, r := range references(d) {
		if !ascode.Known(ctx, r.kind, ascode.DefaultNamespace, r.name) && !s.builtin(r) {
			faults = append(faults, unresolved(d, r))
		}
	}
	if o, ok := d.Object.(*openslo.SLO); ok {
		faults = append(faults, s.checkService(ctx, tx, d, o.Spec.Service)...)
		filled := o
		if t, err := s.tierOf(ctx, tx, o.Spec.Service); err == nil { // otherwise the service is what is wrong
			filled = t.fill(o)
		}
		faults = append(faults, openslo.Complete(d, &filled.Spec)...)
		faults = append(faults, checkThresholds(ctx, tx, d, &o.Spec)...)
		if len(faults) == 0 {
			faults = checkGrouping(ctx, tx, d, filled)
		}
	}
	return faults
}

func unresolved(d *ascode.Document, r reference) *fault.Error {
	return d.Fault("slo.unresolved",
		text.Say("there is no %s %q", "%s %q がありません", r.kind, r.name),
		text.Say("apply a document of kind %[1]s with the name %[2]q together with this one, or correct the name",
			"名前が %[2]q の %[1]s を一緒に適用するか、名前を直してください", r.kind, r.name), r.path...)
}

// checkThresholds wants op and value of objectives whose SLI, a document of its
// own, is a threshold.
func checkThresholds(ctx context.Context, q db.DBTX, d *ascode.Document, s *openslo.SLOSpec) []*fault.Error {
	var faults []*fault.Error
	for i, o := range s.Objectives {
		ref := cmp.Or(o.IndicatorRef, s.IndicatorRef)
		if ref == "" || o.Indicator != nil {
			continue
		}
		var sli openslo.SLI
		if ok, err := loadPart(ctx, q, kindSLI, ref, &sli); ok && err == nil {
			faults = append(faults, openslo.Comparable(d, &sli.Spec, i)...)
		}
	}
	return faults
}

// checkGrouping wants expressions that can be narrowed to one instance.
func checkGrouping(ctx context.Context, q db.DBTX, d *ascode.Document, o *openslo.SLO) []*fault.Error {
	all, err := compile(ctx, q, o)
	if err != nil {
		return nil // what is wrong is told elsewhere
	}
	for _, x := range all {
		if x.Grouping == nil {
			continue
		}
		if _, err := x.instance(make([]string, len(x.Grouping.By))); err != nil {
			return []*fault.Error{d.Fault("slo.by_expression",
				text.Say("the SLO cannot be taken apart by %s: one of its queries is no PromQL", "クエリーの1つがPromQLではないため、%s では分けられません", strings.Join(x.Grouping.By, ", ")),
				text.Say("write the queries in PromQL, or remove %s", "クエリーをPromQLで書くか、%s を削除してください", openslo.By), "metadata", "annotations", openslo.By)}
		}
	}
	return nil
}

// builtin reports whether a reference leads to a data source that no document
// describes, because the program brings it along.
func (s *Service) builtin(r reference) bool {
	b, ok := s.sources.(interface{ Builtin(name string) bool })
	return ok && r.kind == kindSource && b.Builtin(r.name)
}

func (s *Service) checkService(ctx context.Context, tx *sql.Tx, d *ascode.Document, name string) []*fault.Error {
	if ascode.Known(ctx, "Component", ascode.DefaultNamespace, name) || ascode.Known(ctx, kindService, ascode.DefaultNamespace, name) {
		return nil
	}
	_, found, err := s.lookUp(ctx, tx, name)
	if err == nil && found {
		return nil
	}
	if err != nil {
		if f, ok := fault.As(err); ok {
			return []*fault.Error{f}
		}
		return []*fault.Error{fault.New(fault.Unavailable, "slo.service_check",
			text.Say("the catalog could not be asked", "カタログを確認できませんでした")).Wrap(err)}
	}
	return []*fault.Error{d.Fault("slo.service_unknown",
		text.Say("the catalog has no service %q", "カタログにサービス %q がありません", name),
		text.Say("describe it with a Backstage Component (which says who owns it) or an OpenSLO Service named %q, or correct the name",
			"%q という名前で、オーナーの分かる Backstage の Component か OpenSLO の Service を登録するか、名前を直してください", name), "spec", "service")}
}

// lookUp asks the catalog for a service.
func (s *Service) lookUp(ctx context.Context, q db.DBTX, name string) (catalog.Entity, bool, error) {
	e, err := s.catalog.Find(ctx, q, name)
	if fault.KindOf(err) == fault.NotFound {
		return catalog.Entity{}, false, nil
	}
	return e, err == nil, err
}

// ownerOf is the team that owns the service of an SLO.
func (s *Service) ownerOf(ctx context.Context, tx *sql.Tx, d *ascode.Document) (string, error) {
	o, ok := d.Object.(*openslo.SLO)
	if !ok {
		return "", nil
	}
	e, _, err := s.lookUp(ctx, tx, o.Spec.Service)
	return e.Owner, err
}

func (s *Service) putService(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	o := d.Object.(*openslo.Service)
	return s.catalog.Put(ctx, tx, catalog.Entity{
		Kind: catalog.KindService, Name: d.Name, Title: o.Metadata.DisplayName, Description: o.Spec.Description,
	})
}

func (s *Service) dropService(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	return s.catalog.Drop(ctx, tx, catalog.Ref{Kind: catalog.KindService, Namespace: d.Namespace, Name: d.Name}.String())
}

// putPart keeps a document that objectives refer to, and compiles those anew.
func (s *Service) putPart(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	if err := savePart(ctx, tx, d); err != nil {
		return err
	}
	return s.recompile(ctx, tx, d.Kind, d.Name)
}

func (s *Service) dropPart(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	users, err := db.New(tx).PartsThatReferTo(ctx, mentions(d.Kind, d.Name))
	if err != nil {
		return fmt.Errorf("remove %s %s: %w", d.Kind, d.Name, err)
	}
	by := make([]string, 0, len(users))
	for _, u := range users {
		by = append(by, fmt.Sprintf("%s %q", u.Kind, u.Name))
	}
	if d.Kind == kindPolicy {
		tiers, err := tiersThatName(ctx, tx, d.Name)
		if err != nil {
			return err
		}
		for _, name := range tiers {
			by = append(by, fmt.Sprintf("%s %q", kindTier, name))
		}
	}
	if len(by) > 0 {
		return fault.New(fault.Conflict, "slo.in_use",
			text.Say("%s %q is used by %s", "%[1]s %[2]q は %[3]s で使われています", d.Kind, d.Name, by[0])).
			Fix(text.Say("change or remove that first", "先にそちらを変更するか削除してください")).At(d.Pos())
	}
	return db.New(tx).DeletePart(ctx, db.DeletePartParams{Kind: d.Kind, Name: d.Name})
}

// recompile takes a changed part into the objectives that refer to it, straight
// or through another part.
func (s *Service) recompile(ctx context.Context, tx *sql.Tx, kind, name string) error {
	users, err := db.New(tx).PartsThatReferTo(ctx, mentions(kind, name))
	if err != nil {
		return fmt.Errorf("find what refers to %s %s: %w", kind, name, err)
	}
	if kind == kindPolicy {
		tiers, err := tiersThatName(ctx, tx, name)
		if err != nil {
			return err
		}
		for _, tier := range tiers {
			if err := s.reinstallTier(ctx, tx, tier); err != nil {
				return err
			}
		}
	}
	for _, u := range users {
		if u.Kind != kindSLO {
			if err := s.recompile(ctx, tx, u.Kind, u.Name); err != nil {
				return err
			}
			continue
		}
		old, err := db.New(tx).GetDefinition(ctx, u.Name)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("compile %s: %w", u.Name, err)
		}
		var o openslo.SLO
		if err := unmarshal(u.Data, &o); err != nil {
			return fmt.Errorf("compile %s: %w", u.Name, err)
		}
		if err := s.install(ctx, tx, &o, old.ManagedBy); err != nil {
			return err
		}
	}
	return nil
}

package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

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
	r.Add(s.kindOfMaintenance())
	add(ascode.Kind{Kind: kindService, ID: "openslo-services", Order: 60, Event: "catalog.entity_",
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
	part(kindSLI, "slis", 80, text.Say("Service level indicator", "サービスレベル指標"),
		func() any { return &openslo.SLI{} }, openslo.ValidateSLI)
	add(ascode.Kind{Kind: kindSLO, ID: "slos", Order: 90, Event: "slo.",
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
	var refs []reference
	if s.IndicatorRef != "" {
		refs = append(refs, reference{kindSLI, s.IndicatorRef, []any{"spec", "indicatorRef"}})
	}
	if s.Indicator != nil {
		refs = append(refs, sliReferences(&s.Indicator.Spec, "spec", "indicator", "spec")...)
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

func sliReferences(s *openslo.SLISpec, path ...any) []reference {
	if s.RatioMetric == nil {
		return nil
	}
	var refs []reference
	for _, m := range []struct {
		field  string
		metric *openslo.Metric
	}{{"good", s.RatioMetric.Good}, {"bad", s.RatioMetric.Bad}, {"total", s.RatioMetric.Total}} {
		if m.metric != nil && m.metric.MetricSource.MetricSourceRef != "" {
			refs = append(refs, reference{kindSource, m.metric.MetricSource.MetricSourceRef,
				append(slices.Clone(path), "ratioMetric", m.field, "metricSource", "metricSourceRef")})
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
			faults = append(faults, d.Fault("slo.unresolved",
				text.Say("there is no %s %q", "%s %q がありません", r.kind, r.name),
				text.Say("apply a document of kind %[1]s with the name %[2]q together with this one, or correct the name",
					"名前が %[2]q の %[1]s を一緒に適用するか、名前を直してください", r.kind, r.name), r.path...))
		}
	}
	if o, ok := d.Object.(*openslo.SLO); ok {
		faults = append(faults, s.checkService(ctx, tx, d, o.Spec.Service)...)
	}
	return faults
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

// warnSLO points at an expression over counters that are not taken as such.
func (s *Service) warnSLO(_ context.Context, _ *sql.Tx, d *ascode.Document) []*fault.Error {
	o, ok := d.Object.(*openslo.SLO)
	if !ok || o.Spec.Indicator == nil || o.Spec.Indicator.Spec.RatioMetric == nil {
		return nil
	}
	r := o.Spec.Indicator.Spec.RatioMetric
	if r.Counter || r.Total == nil || !cumulative(r.Total.Expression()) {
		return nil
	}
	return []*fault.Error{d.Fault("slo.counter",
		text.Say("the total looks like a counter, whose value only grows", "total は増え続けるカウンターのようです"),
		text.Say("add `counter: true` under ratioMetric, so that its increase in each minute is counted",
			"ratioMetric に `counter: true` を加えると、1分ごとの増分が数えられます"), "spec", "indicator", "spec", "ratioMetric", "total")}
}

// cumulative reports whether the expression reads bare counters, by their names.
func cumulative(expr string) bool {
	if _, err := promexpr.IncreaseOver(expr, time.Minute, false, 0); err != nil {
		return false // it takes the increase itself
	}
	names, err := promexpr.Metrics(expr)
	return err == nil && slices.ContainsFunc(names, func(n string) bool {
		return strings.HasSuffix(n, "_total") || strings.HasSuffix(n, "_count") || strings.HasSuffix(n, "_bucket")
	})
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
	if len(users) > 0 {
		return fault.New(fault.Conflict, "slo.in_use",
			text.Say("%s %q is used by %s %q", "%[1]s %[2]q は %[3]s %[4]q で使われています", d.Kind, d.Name, users[0].Kind, users[0].Name)).
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

func (s *Service) putSLO(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	if err := savePart(ctx, tx, d); err != nil {
		return err
	}
	return s.install(ctx, tx, d.Object.(*openslo.SLO), managedBy(d.Source))
}

// install compiles an SLO and has it executed. An SLO whose references do not
// resolve is left as it is: Check refuses the batch it came with.
func (s *Service) install(ctx context.Context, tx *sql.Tx, o *openslo.SLO, managedBy string) error {
	d, err := compile(ctx, tx, o)
	if err != nil || d == nil {
		return err
	}
	return s.define(ctx, tx, d, managedBy)
}

// compile follows the references of an SLO. It returns nil where one leads
// nowhere.
func compile(ctx context.Context, q db.DBTX, o *openslo.SLO) (*Definition, error) {
	var indicator *openslo.SLISpec
	if o.Spec.Indicator != nil {
		indicator = &o.Spec.Indicator.Spec
	} else {
		var sli openslo.SLI
		if ok, err := loadPart(ctx, q, kindSLI, o.Spec.IndicatorRef, &sli); !ok {
			return nil, err
		}
		indicator = &sli.Spec
	}
	r := indicator.RatioMetric
	if r == nil || r.Total == nil {
		return nil, nil
	}
	d := &Definition{
		Name: o.Metadata.Name, Title: o.Metadata.DisplayName, Description: o.Spec.Description, Service: o.Spec.Service,
		Objective: burn.Objective(o.Spec.Target()), Period: o.Spec.Period(),
		Source: r.Total.MetricSource.MetricSourceRef,
		Good:   r.Good.Expression(), Bad: r.Bad.Expression(), Total: r.Total.Expression(), Counter: r.Counter,
	}
	d.annotate(o.Metadata.Annotations)
	rules, ok, err := policyRules(ctx, q, o, d.Period)
	if !ok {
		return nil, err
	}
	d.Rules = rules
	return d, nil
}

// annotate takes in the settings of a valid document.
func (d *Definition) annotate(a map[string]string) {
	if v, ok := a[openslo.MinimumEvents]; ok {
		n, _ := strconv.ParseFloat(v, 64)
		d.Minimum = &n
	}
	d.AbsentBad = a[openslo.Absent] == "bad"
	if v, ok := a[openslo.Settle]; ok {
		settle, _ := time.ParseDuration(v)
		d.Settle = &settle
	}
	if v, ok := a[openslo.ScrapeInterval]; ok {
		d.Scrape, _ = time.ParseDuration(v)
	}
}

// policyRules are the alerts of an SLO: those of its policies, and the defaults
// where it names none.
func policyRules(ctx context.Context, q db.DBTX, o *openslo.SLO, period time.Duration) ([]burn.Rule, bool, error) {
	if len(o.Spec.AlertPolicies) == 0 {
		return burn.Defaults(period), true, nil
	}
	rules := []burn.Rule{}
	for i, use := range o.Spec.AlertPolicies {
		name, spec := fmt.Sprintf("policy-%d", i+1), use.Spec
		if use.Metadata != nil && use.Metadata.Name != "" {
			name = use.Metadata.Name
		}
		if spec == nil {
			var p openslo.AlertPolicy
			if ok, err := loadPart(ctx, q, kindPolicy, use.AlertPolicyRef, &p); !ok {
				return nil, false, err
			}
			name, spec = use.AlertPolicyRef, &p.Spec
		}
		rule, ok, err := policyRule(ctx, q, name, spec, period)
		if err != nil || !ok {
			return nil, false, err
		}
		if rule != nil {
			if slices.ContainsFunc(rules, func(r burn.Rule) bool { return r.Name == rule.Name }) {
				rule.Name += fmt.Sprintf("-%d", i+1)
			}
			rules = append(rules, *rule)
		}
	}
	return rules, true, nil
}

// policyRule makes a rule of a policy; nil where the policy alerts of nothing.
func policyRule(ctx context.Context, q db.DBTX, name string, p *openslo.AlertPolicySpec, period time.Duration) (*burn.Rule, bool, error) {
	if len(p.Conditions) == 0 || p.AlertWhenBreaching != nil && !*p.AlertWhenBreaching {
		return nil, true, nil
	}
	c := p.Conditions[0].Spec
	if c == nil {
		var doc openslo.AlertCondition
		if ok, err := loadPart(ctx, q, kindCondition, p.Conditions[0].ConditionRef, &doc); !ok {
			return nil, false, err
		}
		c = &doc.Spec
	}
	if c.Condition.Threshold == nil {
		return nil, true, nil
	}
	r := &burn.Rule{Name: name, Policy: name, Severity: burn.Ticket, Factor: *c.Condition.Threshold, OrEqual: c.Condition.Op == "gte"}
	if openslo.Pages(c.Severity) {
		r.Severity = burn.Page
	}
	r.Long, _ = openslo.ParseDuration(c.Condition.LookbackWindow)
	r.For, _ = openslo.ParseDuration(c.Condition.AlertAfter)
	r.Share = r.Factor * r.Long.Minutes() / period.Minutes()
	r.Quiet = p.AlertWhenResolved != nil && !*p.AlertWhenResolved
	for _, t := range p.NotificationTargets {
		spec := t.Spec
		if spec == nil {
			var doc openslo.AlertNotificationTarget
			if ok, err := loadPart(ctx, q, kindTarget, t.TargetRef, &doc); !ok {
				return nil, false, err
			}
			spec = &doc.Spec
		}
		r.Targets = append(r.Targets, spec.Target)
	}
	return r, true, nil
}

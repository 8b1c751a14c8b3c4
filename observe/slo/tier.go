package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/openslo"
)

const kindTier = "ServiceTier"

// ServiceTier says what objectives of a tier's services are where they do not
// say it themselves.
type ServiceTier struct {
	APIVersion string           `json:"apiVersion"`
	Kind       string           `json:"kind"`
	Metadata   openslo.Metadata `json:"metadata" doc:"Its name is what services bear in the label teiten.dev/tier." ja:"名前は、サービスのラベル teiten.dev/tier の値です。"`
	Spec       TierSpec         `json:"spec"`
}

// TierSpec is the body of a ServiceTier.
type TierSpec struct {
	Description   string   `json:"description,omitempty"`
	Objective     *float64 `json:"objective,omitempty" doc:"The target of an objective without one, such as 0.999." ja:"目標値のない SLO の目標値(例: 0.999)。"`
	Window        string   `json:"window,omitempty" doc:"The rolling window of an objective without one, such as 30d." ja:"期間のない SLO の移動ウィンドウ(例: 30d)。"`
	Settle        string   `json:"settle,omitempty" doc:"How long after its end a minute is final, where the objective does not say it: 2m." ja:"1分が終わってから値が確定するまでの時間。SLO に指定がない場合に使います(例: 2m)。"`
	AlertPolicies []string `json:"alertPolicies,omitempty" doc:"AlertPolicies of an objective that names none, in place of the alerts that come by themselves." ja:"AlertPolicy を指定していない SLO に使う AlertPolicy の名前。既定のアラートの代わりになります。"`
	Paging        string   `json:"paging,omitempty" doc:"The most urgent severity of its alerts: page (the default), or ticket for services for which nobody is woken." ja:"アラートの最も高い重要度。page(既定)か ticket(誰も起こさないサービス)。"`
}

// kindOfTier is the kind of document that describes one.
func (s *Service) kindOfTier() ascode.Kind {
	return ascode.Kind{
		APIVersion: apiVersion, Kind: kindTier, ID: "service-tiers", Order: 84, Event: "slo.tier_",
		Title:    text.Say("Service tier", "サービスの tier"),
		New:      func() any { return &ServiceTier{} },
		Ref:      func(d *ascode.Document) string { return "tier:" + d.Name },
		Validate: validateTier,
		Check:    checkTier,
		Apply: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			if err := db.New(tx).PutTier(ctx, db.PutTierParams{Name: d.Name, Data: marshal(d.Object.(*ServiceTier).Spec)}); err != nil {
				return fmt.Errorf("save tier %s: %w", d.Name, err)
			}
			return s.reinstallTier(ctx, tx, d.Name)
		},
		Remove: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			if err := db.New(tx).DeleteTier(ctx, d.Name); err != nil {
				return fmt.Errorf("remove tier %s: %w", d.Name, err)
			}
			return s.reinstallTier(ctx, tx, d.Name)
		},
	}
}

func validateTier(d *ascode.Document) []*fault.Error {
	var faults []*fault.Error
	fail := func(field string, what, remedy text.Both) {
		faults = append(faults, d.Fault("slo.tier_"+field, what, remedy, "spec", field))
	}
	t := &d.Object.(*ServiceTier).Spec
	if v := t.Objective; v != nil && (*v < 0 || *v >= 1) {
		fail("objective", text.Say("%g cannot be an objective", "目標値を %g にはできません", *v), text.Say("write 99.9 %% as 0.999", "99.9%% なら 0.999 と書いてください"))
	}
	if _, ok := openslo.ParseDuration(t.Window); t.Window != "" && !ok {
		fail("window", text.Say("%q is not a length", "%q は期間の長さではありません", t.Window), text.Say("write it as 7d, 28d or 30d", "7d、28d、30d のように書いてください"))
	}
	if d, err := time.ParseDuration(t.Settle); t.Settle != "" && (err != nil || d < 0 || d > time.Hour) {
		fail("settle", text.Say("%q is not a time of at most an hour", "%q は1時間以内の時間ではありません", t.Settle), text.Say("write it as 45s or 2m", "45s や 2m のように書いてください"))
	}
	if t.Paging != "" && t.Paging != string(burn.Page) && t.Paging != string(burn.Ticket) {
		fail("paging", text.Say("%q is not a severity", "%q という重要度はありません", t.Paging), ascode.OneOf(t.Paging, string(burn.Page), string(burn.Ticket)))
	}
	return faults
}

// checkTier finds alert policies that are not there.
func checkTier(ctx context.Context, _ *sql.Tx, d *ascode.Document) []*fault.Error {
	var faults []*fault.Error
	for i, name := range d.Object.(*ServiceTier).Spec.AlertPolicies {
		if !ascode.Known(ctx, kindPolicy, ascode.DefaultNamespace, name) {
			faults = append(faults, unresolved(d, reference{kindPolicy, name, []any{"spec", "alertPolicies", i}}))
		}
	}
	return faults
}

// tiersThatName are the tiers whose objectives have an alert policy by default.
func tiersThatName(ctx context.Context, q db.DBTX, policy string) ([]string, error) {
	rows, err := db.New(q).ListTiers(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list tiers: %w", err))
	}
	var names []string
	for _, r := range rows {
		var t TierSpec
		if err := unmarshal(r.Data, &t); err != nil {
			return nil, fmt.Errorf("read tier %s: %w", r.Name, err)
		}
		if slices.Contains(t.AlertPolicies, policy) {
			names = append(names, r.Name)
		}
	}
	return names, nil
}

// tierOf is what the tier of a service says, and nothing where the service has
// none or no document describes it.
func (s *Service) tierOf(ctx context.Context, q db.DBTX, service string) (TierSpec, error) {
	var t TierSpec
	e, _, err := s.lookUp(ctx, q, service)
	if err != nil || e.Tier == "" {
		return t, err
	}
	data, err := db.New(q).GetTier(ctx, e.Tier)
	if errors.Is(err, sql.ErrNoRows) {
		return t, nil
	}
	if err == nil {
		err = unmarshal(data, &t)
	}
	if err != nil {
		return t, fmt.Errorf("read tier %s: %w", e.Tier, err)
	}
	return t, nil
}

// fill returns a copy of an SLO in which the tier says what the SLO leaves open.
func (t *TierSpec) fill(o *openslo.SLO) *openslo.SLO {
	x := *o
	if t.Objective != nil {
		x.Spec.Objectives = slices.Clone(x.Spec.Objectives)
		if len(x.Spec.Objectives) == 0 {
			x.Spec.Objectives = []openslo.Objective{{}}
		}
		for i := range x.Spec.Objectives {
			if v := &x.Spec.Objectives[i]; v.Target == nil && v.TargetPercent == nil {
				v.Target = t.Objective
			}
		}
	}
	if len(x.Spec.AlertPolicies) == 0 {
		for _, name := range t.AlertPolicies {
			x.Spec.AlertPolicies = append(x.Spec.AlertPolicies, openslo.PolicyUse{AlertPolicyRef: name})
		}
	}
	if len(x.Spec.TimeWindow) == 0 && t.Window != "" {
		rolling := true
		x.Spec.TimeWindow = []openslo.TimeWindow{{Duration: t.Window, IsRolling: &rolling}}
	}
	if _, says := x.Metadata.Annotations[openslo.Settle]; !says && t.Settle != "" {
		x.Metadata.Annotations = maps.Clone(x.Metadata.Annotations)
		if x.Metadata.Annotations == nil {
			x.Metadata.Annotations = map[string]string{}
		}
		x.Metadata.Annotations[openslo.Settle] = t.Settle
	}
	return &x
}

// cap has no rule of the definitions page where the tier does not allow it.
func (t *TierSpec) cap(all []*Definition) {
	if t.Paging != string(burn.Ticket) {
		return
	}
	for _, d := range all {
		d.Rules = slices.Clone(d.Rules)
		for i := range d.Rules {
			d.Rules[i].Severity = burn.Ticket
		}
	}
}

// effective is an SLO as it is executed: with what the tier of its service fills
// in, and for one under agreement with the terms that are in force.
func (s *Service) effective(ctx context.Context, tx *sql.Tx, o *openslo.SLO) (*openslo.SLO, *TierSpec, error) {
	t, err := s.tierOf(ctx, tx, o.Spec.Service)
	if err != nil {
		return nil, nil, err
	}
	agreed, err := s.agreements.Executed(ctx, tx, t.fill(o))
	return agreed, &t, err
}

// reinstall compiles an SLO anew from its document, as after a change of what it
// depends on. It does nothing where the document is gone.
func (s *Service) reinstall(ctx context.Context, tx *sql.Tx, name string) error {
	var o openslo.SLO
	there, err := loadPart(ctx, tx, kindSLO, name, &o)
	if err != nil || !there {
		return err
	}
	old, err := db.New(tx).GetDefinition(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		old.ManagedBy, err = managedBy(ascode.Source{}), nil
	}
	if err != nil {
		return database.Fault(fmt.Errorf("compile %s: %w", name, err))
	}
	return s.install(ctx, tx, &o, old.ManagedBy)
}

// reinstallTier compiles the SLOs anew that may take something from a tier.
func (s *Service) reinstallTier(ctx context.Context, tx *sql.Tx, tier string) error {
	names, err := db.New(tx).NamesOfTier(ctx, tier)
	if err != nil {
		return database.Fault(fmt.Errorf("list the objectives of tier %s: %w", tier, err))
	}
	return s.reinstallEach(ctx, tx, names)
}

// reinstallEach compiles SLOs anew. The further objectives of one come with it.
func (s *Service) reinstallEach(ctx context.Context, tx *sql.Tx, names []string) error {
	for _, name := range names {
		if name != documentOf(name) {
			continue
		}
		if err := s.reinstall(ctx, tx, name); err != nil {
			return err
		}
	}
	return nil
}

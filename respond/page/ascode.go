package page

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/page/db"
)

// Document is an EscalationPolicy as it is written down.
type Document struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Metadata   Metadata   `json:"metadata"`
	Spec       PolicySpec `json:"spec"`
}

// Metadata names a policy.
type Metadata struct {
	Name        string            `json:"name" doc:"How the policy is referred to, also by routes." ja:"参照に使う名前。ルーティングからも使います。"`
	Title       string            `json:"title,omitempty" doc:"What people call it." ja:"表示名。"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

// Kind is the kind of document that describes a policy.
func (s *Service) Kind() ascode.Kind {
	return ascode.Kind{
		APIVersion: "teiten.dev/v1", Kind: "EscalationPolicy", ID: "policies", Order: 65, Event: "page.policy_",
		Title:    text.Say("Escalation policy", "エスカレーションポリシー"),
		New:      func() any { return &Document{} },
		Ref:      func(d *ascode.Document) string { return string(journal.RefTo("policy", d.Name)) },
		Owner:    func(d *ascode.Document) string { return specOf(d).Team },
		Validate: validate,
		Check:    s.check,
		Warn:     s.warn,
		Apply: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			return putPolicy(ctx, tx, policyOfDocument(d), s.now())
		},
		Remove: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			if err := db.New(tx).DropPolicy(ctx, d.Name); err != nil {
				return fmt.Errorf("remove policy %s: %w", d.Name, err)
			}
			return nil
		},
	}
}

func specOf(d *ascode.Document) PolicySpec {
	if o, ok := d.Object.(*Document); ok {
		return o.Spec
	}
	return PolicySpec{}
}

func policyOfDocument(d *ascode.Document) Policy {
	p := Policy{Name: d.Name, Spec: specOf(d)}
	if o, ok := d.Object.(*Document); ok {
		p.Title = o.Metadata.Title
	}
	if d.Source.File == "" {
		return p // made in the browser
	}
	p.Source = fault.Position{File: d.Source.File, Line: d.Source.Line}
	for i := range p.Spec.Steps {
		p.Lines = append(p.Lines, d.Pos("spec", "steps", i).Line)
	}
	return p
}

func validate(d *ascode.Document) []*fault.Error {
	var all []*fault.Error
	if !targetName.MatchString(d.Name) {
		all = append(all, d.Fault("page.policy_name", text.Say("%q cannot be the name of a policy", "%qはポリシー名に使えません", d.Name),
			text.Say("use letters, digits, hyphens, dots and underscores", "英数字と - . _ を使ってください"), "metadata", "name"))
	}
	for _, p := range specOf(d).problems() {
		all = append(all, d.Fault(p.code, p.what, p.remedy, p.path...))
	}
	return all
}

// check looks for people and teams that are not in the catalog and channels that
// are not there. Schedules are only warned about: one may come later.
func (s *Service) check(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	var all []*fault.Error
	spec := specOf(d)
	look := func(targets []Target, path ...any) {
		for i, t := range targets {
			kind, name := t.parts()
			if kind == ToSchedule || s.known(ctx, tx, kind, name) {
				continue
			}
			all = append(all, d.Fault("page.target_unknown", text.Say("there is no %s %q", "%s %q はありません", kind, name),
				text.Say("check the name, or add a document for it", "名前を確かめるか、文書を追加してください"), append(path, i)...))
		}
	}
	if spec.Team != "" && !s.known(ctx, tx, ToTeam, spec.Team) {
		all = append(all, d.Fault("page.team_unknown", text.Say("there is no team %q", "チーム %q はありません", spec.Team),
			text.Say("check the name, or add a document for it", "名前を確かめるか、文書を追加してください"), "spec", "team"))
	}
	for i, step := range spec.Steps {
		look(step.Targets, "spec", "steps", i, "targets")
	}
	look(spec.Fallback, "spec", "fallback")
	return all
}

// known reports whether a target of a kind is there, as far as the transaction
// shows.
func (s *Service) known(ctx context.Context, tx *sql.Tx, kind, name string) bool {
	var err error
	switch kind {
	case ToChannel:
		_, err = s.notify.Way(ctx, tx, name)
	case ToUser:
		err = s.inCatalog(ctx, tx, name, catalog.KindUser)
	case ToTeam:
		err = s.inCatalog(ctx, tx, name, catalog.KindGroup)
	}
	return fault.KindOf(err) != fault.NotFound
}

func (s *Service) inCatalog(ctx context.Context, tx *sql.Tx, name, kind string) error {
	ref, err := catalog.ParseRef(name, kind, catalog.DefaultNamespace)
	if err != nil {
		return err
	}
	known, err := s.catalog.Has(ctx, tx, ref)
	if err == nil && !known {
		err = fault.New(fault.NotFound, "page.unknown", text.Say("%s is not in the catalog", "%s はカタログにありません", ref))
	}
	return err
}

// warn names schedules that are not there, and a second policy of a team.
func (s *Service) warn(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	spec := specOf(d)
	var all []*fault.Error
	if other, ok, err := policyOf(ctx, tx, spec.Team); err == nil && ok && other.Name != d.Name {
		all = append(all, d.Fault("page.second_policy", text.Say("the team %s has the policy %s already, by which it is paged", "チーム %s の呼び出しにはポリシー %s が使われています", spec.Team, other.Name),
			text.Say("leave one of them without a team, and name it in a route", "どちらかの team を省き、ルーティングで指定してください"), "spec", "team"))
	}
	return all
}

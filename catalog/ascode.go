package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/teiten/teiten/catalog/db"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// tierKey is the label or annotation that says how much a service matters.
const tierKey = "teiten.dev/tier"

var tierShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)

// backstageVersions are read alike: Backstage never changed the fields between
// them.
const (
	backstageVersion = "backstage.io/v1alpha1"
	backstageBeta    = "backstage.io/v1beta1"
)

// Kinds makes the kinds of the catalog known.
func (s *Service) Kinds(r *ascode.Registry) {
	add := func(kind, id string, order int, title text.Both, blank func() any) {
		r.Add(ascode.Kind{
			APIVersion: backstageVersion, AlsoVersions: []string{backstageBeta}, Kind: kind, ID: id, Order: order, Title: title,
			Event: "catalog.entity_", New: blank,
			Ref:      func(d *ascode.Document) string { return refOf(d).Subject() },
			Owner:    func(d *ascode.Document) string { return read(d).entity.Owner },
			Validate: validate,
			Check:    check,
			Warn:     warn,
			Apply:    s.put,
			Remove: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
				return s.Drop(ctx, tx, refOf(d).String())
			},
		})
	}
	add("User", "users", 10, text.Say("Person", "人"), func() any { return &User{} })
	add("Group", "groups", 11, text.Say("Team", "チーム"), func() any { return &Group{} })
	add("Domain", "domains", 20, text.Say("Domain", "ドメイン"), func() any { return &Domain{} })
	add("System", "systems", 21, text.Say("System", "システム"), func() any { return &System{} })
	add("API", "apis", 30, text.Say("API", "API"), func() any { return &API{} })
	add("Resource", "resources", 31, text.Say("Resource", "リソース"), func() any { return &Resource{} })
	add("Component", "components", 32, text.Say("Service", "サービス"), func() any { return &Component{} })
	r.Refuse("backstage.io", "Location",
		text.Say("a Location points to other files, and Teiten reads only what it is given", "Location は他のファイルを指すもので、Teiten は渡されたファイルだけを読み込みます"),
		text.Say("name those files or their folder: `teiten apply <folder>`", "指しているファイルかフォルダーを直接渡してください: `teiten apply <フォルダー>`"))
	r.Refuse("backstage.io", "AiResource",
		text.Say("an AiResource describes instructions for coding assistants and nothing that runs", "AiResource はコーディング支援 AI への指示を表すもので、動いているものを表しません"),
		text.Say("leave the document out", "この文書は対象から外してください"))
	r.Refuse("scaffolder.backstage.io", "Template",
		text.Say("a Template makes new projects in Backstage and describes nothing that runs", "Template は Backstage で新しいプロジェクトを作るためのもので、動いているものを表しません"),
		text.Say("leave the file out", "このファイルは対象から外してください"))
}

func (s *Service) put(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	if err := s.mayClaim(ctx, tx, d); err != nil {
		return err
	}
	return s.Put(ctx, tx, read(d).entity)
}

// mayClaim refuses to describe a service that another room has met and nobody
// owns, to whoever may not change what nobody owns: its description says who
// owns it from then on, and with it everything that hangs on its name.
func (s *Service) mayClaim(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	ref := refOf(d)
	if ref.Kind != KindComponent || s.permit == nil {
		return nil
	}
	q := db.New(tx)
	_, described := q.GetEntity(ctx, ref.String())
	_, met := q.GetEntity(ctx, Ref{KindService, ref.Namespace, ref.Name}.String())
	if described == nil || errors.Is(met, sql.ErrNoRows) {
		return nil
	}
	if met != nil || !errors.Is(described, sql.ErrNoRows) {
		return fmt.Errorf("look for %s: %w", ref, errors.Join(described, met))
	}
	if err := s.permit(ctx, ""); err != nil {
		return fault.New(fault.Denied, "catalog.claim",
			text.Say("the service %q is there, and nobody owns it: only editors may say who does", "サービス %q はすでにあり、所有者がいません。所有者を決められるのは編集者だけです", ref.Name)).
			Fix(text.Say("ask an editor to apply this document", "編集者に、この文書の適用を依頼してください")).At(d.Pos()).Wrap(err)
	}
	return nil
}

func refOf(d *ascode.Document) Ref {
	return Ref{Kind: strings.ToLower(d.Kind), Namespace: d.Namespace, Name: d.Name}
}

// mention is one place in a document that names another entity.
type mention struct {
	path   []any
	text   string
	kind   string // to assume where it names none
	only   []string
	add    func(self, other string) Relation
	people bool // teams and people may be described elsewhere
}

// reading is what a document says.
type reading struct {
	entity   Entity
	mentions []mention
	required []requirement
}

// requirement is a field that must not be empty.
type requirement struct {
	field, value string
	remedy       text.Both
}

func from(relation string) func(self, other string) Relation {
	return func(self, other string) Relation { return Relation{self, relation, other} }
}

func to(relation string) func(self, other string) Relation {
	return func(self, other string) Relation { return Relation{other, relation, self} }
}

func (r *reading) one(field, value, kind string, add func(a, b string) Relation, people bool) {
	if value != "" {
		r.mentions = append(r.mentions, mention{[]any{"spec", field}, value, kind, []string{kind}, add, people})
	}
}

func (r *reading) many(field string, values []string, kind string, only []string, add func(a, b string) Relation, people bool) {
	for i, v := range values {
		r.mentions = append(r.mentions, mention{[]any{"spec", field, i}, v, kind, only, add, people})
	}
}

func (r *reading) owner(value string) {
	r.required = append(r.required, requirement{"owner", value,
		text.Say("add the team that answers for it, for example `owner: payments`", "責任を持つチームを書いてください(例: `owner: payments`)")})
	if value != "" {
		r.mentions = append(r.mentions, mention{[]any{"spec", "owner"}, value, KindGroup, []string{KindGroup, KindUser}, from(OwnedBy), true})
	}
}

func (r *reading) typed(value, examples string) {
	r.entity.Type = value
	r.required = append(r.required, requirement{"type", value, text.Say("add it, for example `type: %s`", "書いてください(例: `type: %s`)", examples)})
}

func (r *reading) lifecycle(value string) {
	r.entity.Lifecycle = value
	r.required = append(r.required, requirement{"lifecycle", value,
		text.Say("add it, for example `lifecycle: production`", "書いてください(例: `lifecycle: production`)")})
}

var runnable = []string{KindComponent, KindResource, KindAPI, KindService}

// read takes a document apart.
func read(d *ascode.Document) reading {
	r := reading{}
	switch o := d.Object.(type) {
	case *Component:
		r.header(d, o.Metadata)
		r.typed(o.Spec.Type, "service")
		r.lifecycle(o.Spec.Lifecycle)
		r.owner(o.Spec.Owner)
		r.one("system", o.Spec.System, KindSystem, from(PartOf), false)
		r.one("subcomponentOf", o.Spec.SubcomponentOf, KindComponent, from(PartOf), false)
		r.many("providesApis", o.Spec.ProvidesAPIs, KindAPI, []string{KindAPI}, from(ProvidesAPI), false)
		r.many("consumesApis", o.Spec.ConsumesAPIs, KindAPI, []string{KindAPI}, from(ConsumesAPI), false)
		r.many("dependsOn", o.Spec.DependsOn, KindComponent, runnable, from(DependsOn), false)
		r.many("dependencyOf", o.Spec.DependencyOf, KindComponent, runnable, to(DependsOn), false)
	case *API:
		r.header(d, o.Metadata)
		r.typed(o.Spec.Type, "openapi")
		r.lifecycle(o.Spec.Lifecycle)
		r.owner(o.Spec.Owner)
		r.one("system", o.Spec.System, KindSystem, from(PartOf), false)
	case *Resource:
		r.header(d, o.Metadata)
		r.typed(o.Spec.Type, "database")
		r.owner(o.Spec.Owner)
		r.one("system", o.Spec.System, KindSystem, from(PartOf), false)
		r.many("dependsOn", o.Spec.DependsOn, KindComponent, runnable, from(DependsOn), false)
		r.many("dependencyOf", o.Spec.DependencyOf, KindComponent, runnable, to(DependsOn), false)
	case *System:
		r.header(d, o.Metadata)
		r.entity.Type = o.Spec.Type
		r.owner(o.Spec.Owner)
		r.one("domain", o.Spec.Domain, KindDomain, from(PartOf), false)
	case *Domain:
		r.header(d, o.Metadata)
		r.entity.Type = o.Spec.Type
		r.owner(o.Spec.Owner)
		r.one("subdomainOf", o.Spec.SubdomainOf, KindDomain, from(PartOf), false)
	case *Group:
		r.header(d, o.Metadata)
		r.profile(o.Spec.Profile)
		r.typed(o.Spec.Type, "team")
		r.one("parent", o.Spec.Parent, KindGroup, from(ChildOf), true)
		r.many("children", o.Spec.Children, KindGroup, []string{KindGroup}, to(ChildOf), true)
		r.many("members", o.Spec.Members, KindUser, []string{KindUser}, to(MemberOf), true)
	case *User:
		r.header(d, o.Metadata)
		r.profile(o.Spec.Profile)
		r.many("memberOf", o.Spec.MemberOf, KindGroup, []string{KindGroup}, from(MemberOf), true)
	}
	r.resolve()
	return r
}

func (r *reading) header(d *ascode.Document, m Metadata) {
	self := refOf(d)
	r.entity = Entity{Kind: self.Kind, Namespace: self.Namespace, Name: self.Name, Title: m.Title, Description: m.Description,
		Tags: m.Tags, Links: m.Links, Annotations: m.Annotations, Tier: m.Labels[tierKey]}
	if t := m.Annotations[tierKey]; t != "" {
		r.entity.Tier = t
	}
	r.entity.complete()
}

func (r *reading) profile(p Profile) {
	r.entity.Email = p.Email
	if p.DisplayName != "" {
		r.entity.Title = p.DisplayName
	}
}

// resolve turns what is mentioned into relations, leaving out what cannot be
// read; validate says so.
func (r *reading) resolve() {
	e := &r.entity
	for _, m := range r.mentions {
		other, err := ParseRef(m.text, m.kind, e.Namespace)
		if err != nil {
			continue
		}
		relation := m.add(e.Ref, other.String())
		e.relations = append(e.relations, relation)
		switch {
		case relation.Type == OwnedBy:
			e.Owner = other.ownerName()
		case relation.Type == PartOf && other.Kind == KindSystem:
			e.System = other.Short()
		case relation.Type == PartOf && other.Kind == KindDomain:
			e.Domain = other.Short()
		}
	}
}

func validate(d *ascode.Document) []*fault.Error {
	r := read(d)
	var faults []*fault.Error
	for _, q := range r.required {
		if q.value == "" {
			faults = append(faults, d.Fault("catalog.required",
				text.Say("%s %q has no %s", "%s %q に %s がありません", d.Kind, d.Name, q.field), q.remedy, "spec", q.field))
		}
	}
	for _, m := range r.mentions {
		if f := m.judge(d, r.entity); f != nil {
			faults = append(faults, f)
		}
	}
	if r.entity.Tier != "" && !tierShape.MatchString(r.entity.Tier) {
		faults = append(faults, d.Fault("catalog.tier", text.Say("%q cannot be a tier", "%q は tier として使えません", r.entity.Tier),
			text.Say("use a short word or number, for example \"1\"", "短い語か数字にしてください(例: \"1\")"), "metadata", tierPlace(d), tierKey))
	}
	return faults
}

func tierPlace(d *ascode.Document) string {
	if d.Has("metadata", "annotations", tierKey) {
		return "annotations"
	}
	return "labels"
}

// judge refuses a mention that cannot be right whatever the catalog holds.
func (m mention) judge(d *ascode.Document, self Entity) *fault.Error {
	other, err := ParseRef(m.text, m.kind, self.Namespace)
	if err != nil {
		f, _ := fault.As(err)
		return d.Fault(f.Code, f.What, f.Remedy, m.path...)
	}
	for _, kind := range m.only {
		if other.Kind == kind {
			if other.String() == self.Ref {
				return d.Fault("catalog.self", text.Say("%s %q names itself", "%s %q が自分自身を指しています", d.Kind, d.Name),
					text.Say("remove it or name another one", "取り除くか、別のものを指定してください"), m.path...)
			}
			return nil
		}
	}
	return d.Fault("catalog.ref_kind", text.Say("%q names a %s, which cannot stand here", "%q は %s を指していますが、ここには書けません", m.text, other.Kind),
		ascode.OneOf(other.Kind, m.only...), m.path...)
}

// there reports whether what a reference names is described.
func there(ctx context.Context, r Ref) bool {
	for _, kind := range documentKinds[r.Kind] {
		if ascode.Known(ctx, kind, r.Namespace, r.Name) {
			return true
		}
	}
	return false
}

// documentKinds are the kinds of document that describe each kind of entity.
var documentKinds = map[string][]string{
	KindComponent: {"Component", "Service"}, KindService: {"Service", "Component"}, KindAPI: {"API"}, KindResource: {"Resource"},
	KindSystem: {"System"}, KindDomain: {"Domain"}, KindGroup: {"Group"}, KindUser: {"User"},
}

// check refuses references to services, resources, systems and the like that
// nobody describes: a dependency that leads nowhere is a typing mistake or a gap.
func check(ctx context.Context, _ *sql.Tx, d *ascode.Document) []*fault.Error {
	return dangling(ctx, d, false)
}

// warn names teams and people that nobody describes: they are often kept in
// another directory, so that refusing them would refuse whole catalogs.
func warn(ctx context.Context, _ *sql.Tx, d *ascode.Document) []*fault.Error {
	return dangling(ctx, d, true)
}

func dangling(ctx context.Context, d *ascode.Document, people bool) []*fault.Error {
	var faults []*fault.Error
	r := read(d)
	for _, m := range r.mentions {
		if m.people != people {
			continue
		}
		other, err := ParseRef(m.text, m.kind, r.entity.Namespace)
		if err != nil || there(ctx, other) {
			continue
		}
		kind := documentKinds[other.Kind][0]
		faults = append(faults, d.Fault("catalog.dangling",
			text.Say("%s names %s, which is not in the catalog", "%s が指す %s はカタログにありません", m.field(), other),
			missingRemedy(ctx, kind, other), m.path...))
	}
	return faults
}

func (m mention) field() string {
	field, _ := m.path[1].(string)
	return field
}

func missingRemedy(ctx context.Context, kind string, other Ref) text.Both {
	if near := ascode.Nearest(other.Name, ascode.KnownNames(ctx, kind)); near != "" {
		return text.Say("did you mean %q? Otherwise add a document of kind %s named %q", "%q の間違いではありませんか。そうでなければ、種類 %s の文書 %q を追加してください", near, kind, other.Name)
	}
	return text.Say("add a document of kind %s named %q", "種類 %s の文書 %q を追加してください", kind, other.Name)
}

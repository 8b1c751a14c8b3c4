package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog/db"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Reader is what the catalog reads from: a transaction or a database.
type Reader = db.DBTX

// Documents tells where the document of an entity comes from. Found is false for
// an entity without one.
type Documents interface {
	Origin(ctx context.Context, k ascode.Key) (o ascode.Origin, found bool, err error)
}

// Deps are what the catalog stands on. Documents may be nil, and Permit, which
// returns nil when the caller may change what a team owns, and "" is nobody's;
// everybody may everything then.
type Deps struct {
	DB        *database.DB
	Documents Documents
	Permit    func(ctx context.Context, owner string) error
	Now       func() time.Time
}

// Service is what can be done with the catalog.
type Service struct {
	db        *database.DB
	documents Documents
	permit    func(ctx context.Context, owner string) error
	now       func() time.Time
}

// New returns the catalog over a database that holds the tables of Migrations.
func New(d Deps) *Service {
	s := &Service{db: d.DB, documents: d.Documents, permit: d.Permit, now: d.Now}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Put writes an entity and its relations, whether or not it was there. Rooms
// that meet a service of their own (an OpenSLO Service) call it with the kind
// KindService; only Kind and Name are required.
func (s *Service) Put(ctx context.Context, tx *sql.Tx, e Entity) error {
	e.Kind = strings.ToLower(e.Kind)
	if e.Kind == "" {
		e.Kind = KindService
	}
	if _, err := ParseRef(e.Name, e.Kind, e.Namespace); err != nil {
		return err
	}
	e.complete()
	return s.save(ctx, tx, e)
}

// Drop takes an entity out, with the relations that it declared. It is no fault
// where it is not there.
func (s *Service) Drop(ctx context.Context, tx *sql.Tx, ref string) error {
	q := db.New(tx)
	ref = strings.ToLower(ref)
	if _, err := q.DeleteEntity(ctx, ref); err != nil {
		return fmt.Errorf("drop %s: %w", ref, err)
	}
	if err := q.DeleteRelations(ctx, ref); err != nil {
		return fmt.Errorf("drop relations of %s: %w", ref, err)
	}
	return nil
}

// Find returns the service of a name ("checkout", "shop/checkout"), or NotFound.
// It reads from q, which may be a transaction.
func (s *Service) Find(ctx context.Context, q Reader, name string) (Entity, error) {
	r, err := ParseRef(strings.TrimPrefix(name, "service:"), KindComponent, DefaultNamespace)
	if err != nil {
		return Entity{}, err
	}
	row, err := db.New(q).GetService(ctx, r.Short())
	if errors.Is(err, sql.ErrNoRows) {
		return Entity{}, fault.New(fault.NotFound, "catalog.service_not_found",
			text.Say("there is no service %q", "サービス %q はありません", name)).
			Fix(text.Say("add a document of kind Component named %q", "種類 Component の文書 %q を追加してください", r.Name))
	}
	if err != nil {
		return Entity{}, fmt.Errorf("find service %s: %w", name, err)
	}
	return s.whole(ctx, q, row)
}

// Has reports whether an entity is described. It reads from q, which may be a
// transaction.
func (s *Service) Has(ctx context.Context, q Reader, r Ref) (bool, error) {
	_, err := db.New(q).GetEntity(ctx, r.String())
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("find %s: %w", r, err)
	}
	return true, nil
}

// Entity returns the entity of a reference, or NotFound.
func (s *Service) Entity(ctx context.Context, r Ref) (Entity, error) {
	q := s.db.Read()
	row, err := db.New(q).GetEntity(ctx, r.String())
	if errors.Is(err, sql.ErrNoRows) {
		return Entity{}, fault.New(fault.NotFound, "catalog.entity_not_found",
			text.Say("%s is not in the catalog", "%s はカタログにありません", r)).
			Fix(text.Say("check the name, or add a document for it", "名前を確かめるか、文書を追加してください"))
	}
	if err != nil {
		return Entity{}, fmt.Errorf("find %s: %w", r, err)
	}
	return s.whole(ctx, q, row)
}

// whole is the entity of a row with its dependencies in both directions.
func (s *Service) whole(ctx context.Context, q Reader, row db.CatalogEntity) (Entity, error) {
	e, err := entityOf(row)
	if err != nil {
		return Entity{}, err
	}
	forth, back, err := s.relations(ctx, q, e)
	if err != nil {
		return Entity{}, err
	}
	for _, r := range forth {
		if r.Type == DependsOn {
			e.DependsOn = append(e.DependsOn, r.Target)
		}
	}
	for _, r := range back {
		if r.Type == DependsOn {
			e.DependedBy = append(e.DependedBy, r.Source)
		}
	}
	return e, nil
}

// relations returns those of an entity in both directions.
func (s *Service) relations(ctx context.Context, q Reader, e Entity) (forth, back []Relation, err error) {
	from, err := db.New(q).RelationsFrom(ctx, e.Ref)
	if err != nil {
		return nil, nil, fmt.Errorf("relations of %s: %w", e.Ref, err)
	}
	for _, r := range from {
		forth = append(forth, Relation(r))
	}
	to, err := db.New(q).RelationsTo(ctx, e.Ref)
	if err != nil {
		return nil, nil, fmt.Errorf("relations of %s: %w", e.Ref, err)
	}
	for _, r := range to {
		back = append(back, Relation(r))
	}
	return forth, back, nil
}

// List returns the entities of a filter in its order, and whether there are more.
func (s *Service) List(ctx context.Context, f Filter) (list []Entity, more bool, err error) {
	list, err = s.list(ctx, s.db.Read(), f)
	if err != nil {
		return nil, false, err
	}
	if f.Limit > 0 && len(list) > f.Limit {
		return list[:f.Limit], true, nil
	}
	return list, false, nil
}

// Neighbour is an entity that another one is related to. Known is false where a
// document names it and none describes it.
type Neighbour struct {
	Ref   string `json:"ref"`
	Kind  string `json:"kind"`
	Name  string `json:"name" doc:"The name by which the rest of the product knows it."`
	Title string `json:"title,omitempty"`
	Owner string `json:"owner,omitempty"`
	Tier  string `json:"tier,omitempty"`
	Type  string `json:"type,omitempty"`
	Known bool   `json:"known"`
}

// Page is everything that the catalog has to say of one entity.
type Page struct {
	Entity
	ascode.Origin
	DependsOn  []Neighbour `json:"dependsOn" doc:"What it depends on."`
	DependedBy []Neighbour `json:"dependedBy" doc:"What depends on it."`
	Provides   []Neighbour `json:"provides" doc:"APIs that it provides."`
	Consumes   []Neighbour `json:"consumes" doc:"APIs that it consumes."`
	Parts      []Neighbour `json:"parts" doc:"What is part of it."`
	Siblings   []Neighbour `json:"siblings" doc:"What else is part of the same system."`
	Members    []Neighbour `json:"members" doc:"Who is a member, for a team."`
	Teams      []Neighbour `json:"teams" doc:"The teams that a person is a member of, or the parent of a team."`
	Owns       []Neighbour `json:"owns" doc:"What a team owns."`
	Cycle      []string    `json:"cycle,omitempty" doc:"The dependencies that lead from it back to itself, names in order; absent where there are none."`
}

// Page returns the page of an entity.
func (s *Service) Page(ctx context.Context, e Entity) (Page, error) {
	q := s.db.Read()
	all, err := s.list(ctx, q, Filter{})
	if err != nil {
		return Page{}, err
	}
	forth, back, err := s.relations(ctx, q, e)
	if err != nil {
		return Page{}, err
	}
	p := Page{Entity: e, DependsOn: []Neighbour{}, DependedBy: []Neighbour{}, Provides: []Neighbour{}, Consumes: []Neighbour{},
		Parts: []Neighbour{}, Siblings: []Neighbour{}, Members: []Neighbour{}, Teams: []Neighbour{}, Owns: []Neighbour{}}
	known := make(map[string]Entity, len(all))
	for _, other := range all {
		known[other.Ref] = other
		if e.System != "" && other.System == e.System && other.Ref != e.Ref {
			p.Siblings = append(p.Siblings, neighbour(other))
		}
	}
	p.relate(forth, back, known)
	if p.Origin, err = s.origin(ctx, e); err != nil {
		return Page{}, err
	}
	p.Cycle, err = s.cycle(ctx, q, e)
	return p, err
}

// relate sorts the relations onto the page.
func (p *Page) relate(forth, back []Relation, known map[string]Entity) {
	ahead := map[string]*[]Neighbour{DependsOn: &p.DependsOn, ProvidesAPI: &p.Provides, ConsumesAPI: &p.Consumes, MemberOf: &p.Teams, ChildOf: &p.Teams}
	behind := map[string]*[]Neighbour{DependsOn: &p.DependedBy, PartOf: &p.Parts, MemberOf: &p.Members, OwnedBy: &p.Owns,
		ProvidesAPI: &p.DependsOn, ConsumesAPI: &p.DependedBy}
	for _, r := range forth {
		if list := ahead[r.Type]; list != nil {
			*list = append(*list, lookup(known, r.Target))
		}
	}
	for _, r := range back {
		if list := behind[r.Type]; list != nil {
			*list = append(*list, lookup(known, r.Source))
		}
	}
}

func lookup(known map[string]Entity, ref string) Neighbour {
	if e, ok := known[ref]; ok {
		return neighbour(e)
	}
	if met, ok := known[strings.Replace(ref, KindComponent+":", KindService+":", 1)]; ok {
		return neighbour(met)
	}
	r, err := ParseRef(ref, "", DefaultNamespace)
	if err != nil {
		return Neighbour{Ref: ref, Name: ref}
	}
	return Neighbour{Ref: ref, Kind: r.Kind, Name: r.Short()}
}

func neighbour(e Entity) Neighbour {
	return Neighbour{Ref: e.Ref, Kind: e.Kind, Name: e.Short, Title: e.Title, Owner: e.Owner, Tier: e.Tier, Type: e.Type, Known: true}
}

// origin is where the document of an entity comes from.
func (s *Service) origin(ctx context.Context, e Entity) (ascode.Origin, error) {
	if s.documents == nil {
		return ascode.Origin{}, nil
	}
	for _, kind := range documentKinds[e.Kind] {
		o, found, err := s.documents.Origin(ctx, ascode.Key{Kind: kind, Namespace: e.Namespace, Name: e.Name})
		if err != nil || found {
			return o, err
		}
	}
	return ascode.Origin{}, nil
}

// cycle finds dependencies that lead from an entity back to itself.
func (s *Service) cycle(ctx context.Context, q Reader, e Entity) ([]string, error) {
	rows, err := db.New(q).RelationsOfType(ctx, DependsOn)
	if err != nil {
		return nil, fmt.Errorf("dependencies: %w", err)
	}
	depend := map[string][]string{}
	for _, r := range rows {
		depend[r.Source] = append(depend[r.Source], r.Target)
	}
	path := Cycle(e.Ref, depend)
	for i, ref := range path {
		path[i] = ref[strings.IndexByte(ref, ':')+1:]
		path[i] = strings.TrimPrefix(path[i], DefaultNamespace+"/")
	}
	return path, nil
}

// Team is a group with what hangs on it.
type Team struct {
	Entity
	Services int      `json:"services" doc:"How many services it owns."`
	Members  []string `json:"members" doc:"The names of the people in it."`
}

// Teams returns the groups of a filter with their counts, and whether there are
// more.
func (s *Service) Teams(ctx context.Context, f Filter) ([]Team, bool, error) {
	f.Kind = KindGroup
	groups, more, err := s.List(ctx, f)
	if err != nil {
		return nil, false, err
	}
	owned, err := db.New(s.db.Read()).CountServicesByOwner(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("count services: %w", err)
	}
	services := map[string]int64{}
	for _, o := range owned {
		services[o.Owner] = o.Services
	}
	pairs, err := db.New(s.db.Read()).ListMembers(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("list members: %w", err)
	}
	members := map[string][]string{}
	for _, p := range pairs {
		if r, err := ParseRef(p.Source, KindUser, DefaultNamespace); err == nil {
			members[p.Target] = append(members[p.Target], r.Short())
		}
	}
	teams := make([]Team, len(groups))
	for i, g := range groups {
		teams[i] = Team{Entity: g, Services: int(services[g.Short]), Members: members[g.Ref]}
	}
	return teams, more, nil
}

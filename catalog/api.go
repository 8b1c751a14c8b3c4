package catalog

import (
	"context"
	"net/http"

	"github.com/teiten/teiten/kit/httpapi"
)

const scopeRead httpapi.Scope = "catalog:read"

const tag = "Catalog"

// Register adds the operations of the catalog to the API. What changes the
// catalog are documents: see the operations of as code.
func (s *Service) Register(a *httpapi.API) {
	get := func(id, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: path, Scope: scopeRead, Tag: tag, Summary: summary}
	}
	httpapi.Register(a, get("list-services", "/api/v1/services", "List services"), s.apiServices)
	httpapi.Register(a, get("get-service", "/api/v1/services/{name}", "Read a service with its dependencies"), s.apiService)
	httpapi.Register(a, get("list-teams", "/api/v1/teams", "List teams"), s.apiTeams)
	httpapi.Register(a, get("get-team", "/api/v1/teams/{name}", "Read a team with its members and what it owns"), s.apiTeam)
	httpapi.Register(a, get("list-people", "/api/v1/people", "List people"), s.apiPeople)
	httpapi.Register(a, get("list-entities", "/api/v1/entities", "List everything in the catalog"), s.apiEntities)
	httpapi.Register(a, get("get-entity", "/api/v1/entities/{kind}/{namespace}/{name}", "Read an entity with its relations"), s.apiEntity)
}

// SearchIn is what every list of the catalog can be searched by.
type SearchIn struct {
	httpapi.PageIn
	Query string `query:"q" maxLength:"200" doc:"Words that must all be found in name, title, description, owner or tags."`
}

type servicesIn struct {
	SearchIn
	Owner  string `query:"owner" maxLength:"130" doc:"A team's name."`
	Tier   string `query:"tier" maxLength:"32"`
	System string `query:"system" maxLength:"130"`
	Sort   Sort   `query:"sort" enum:"name,owner,tier" default:"name"`
}

type entitiesOut struct{ Body httpapi.Page[Entity] }

// page lists one page of a filter. The list's name and order guard its cursor.
func (s *Service) page(ctx context.Context, list string, in SearchIn, f Filter) (*entitiesOut, error) {
	if err := f.at(list, in); err != nil {
		return nil, err
	}
	items, more, err := s.List(ctx, f)
	if err != nil {
		return nil, err
	}
	total, err := s.count(ctx, s.db.Read(), f)
	if err != nil {
		return nil, err
	}
	out := &entitiesOut{Body: httpapi.Page[Entity]{Items: items, Total: &total}}
	if more {
		out.Body.Next = f.cursor(list, items[len(items)-1])
	}
	return out, nil
}

// at puts the filter where the cursor says.
func (f *Filter) at(list string, in SearchIn) error {
	f.Query, f.Limit = in.Query, in.Limit
	if in.Cursor == "" {
		return nil
	}
	return httpapi.DecodeCursor(list+string(f.Sort), in.Cursor, &f.After)
}

func (f *Filter) cursor(list string, last Entity) string {
	return httpapi.EncodeCursor(list+string(f.Sort), []string{f.sortKey(last), last.Ref})
}

func (s *Service) apiServices(ctx context.Context, in *servicesIn) (*entitiesOut, error) {
	return s.page(ctx, "services", in.SearchIn, Filter{Services: true, Owner: in.Owner, Tier: in.Tier, System: in.System, Sort: in.Sort})
}

type nameIn struct {
	Name string `path:"name" maxLength:"130" doc:"The name, or namespace/name with the slash escaped."`
}

type pageOut struct{ Body Page }

func (s *Service) apiService(ctx context.Context, in *nameIn) (*pageOut, error) {
	e, err := s.Find(ctx, s.db.Read(), in.Name)
	if err != nil {
		return nil, err
	}
	return s.pageOf(ctx, e)
}

func (s *Service) pageOf(ctx context.Context, e Entity) (*pageOut, error) {
	p, err := s.Page(ctx, e)
	if err != nil {
		return nil, err
	}
	return &pageOut{p}, nil
}

type teamsOut struct{ Body httpapi.Page[Team] }

func (s *Service) apiTeams(ctx context.Context, in *SearchIn) (*teamsOut, error) {
	f := Filter{}
	if err := f.at("teams", *in); err != nil {
		return nil, err
	}
	teams, more, err := s.Teams(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &teamsOut{Body: httpapi.Page[Team]{Items: teams}}
	if more {
		out.Body.Next = f.cursor("teams", teams[len(teams)-1].Entity)
	}
	return out, nil
}

func (s *Service) apiTeam(ctx context.Context, in *nameIn) (*pageOut, error) {
	r, err := ParseRef(in.Name, KindGroup, DefaultNamespace)
	if err != nil {
		return nil, err
	}
	e, err := s.Entity(ctx, r)
	if err != nil {
		return nil, err
	}
	return s.pageOf(ctx, e)
}

func (s *Service) apiPeople(ctx context.Context, in *SearchIn) (*entitiesOut, error) {
	return s.page(ctx, "people", *in, Filter{Kind: KindUser})
}

type entitiesIn struct {
	SearchIn
	Kind  string `query:"kind" maxLength:"63" doc:"component, api, resource, system, domain, group, user or service."`
	Owner string `query:"owner" maxLength:"130"`
}

func (s *Service) apiEntities(ctx context.Context, in *entitiesIn) (*entitiesOut, error) {
	return s.page(ctx, "entities", in.SearchIn, Filter{Kind: in.Kind, Owner: in.Owner})
}

type entityIn struct {
	Kind      string `path:"kind" maxLength:"63"`
	Namespace string `path:"namespace" maxLength:"63"`
	Name      string `path:"name" maxLength:"63"`
}

func (s *Service) apiEntity(ctx context.Context, in *entityIn) (*pageOut, error) {
	e, err := s.Entity(ctx, Ref(*in))
	if err != nil {
		return nil, err
	}
	return s.pageOf(ctx, e)
}

package probe

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/probe/runner"
)

const (
	scopeRead httpapi.Scope = "slo:read"
	scopeRun  httpapi.Scope = "probe:run"
	tag                     = "Probes"
	mostBody                = 8 << 20 // of a delivery
)

type listIn struct {
	httpapi.PageIn
	Query   string `query:"q" maxLength:"200" doc:"Words in name, title, service, owner or target."`
	Service string `query:"service" doc:"Only probes of this service."`
	Owner   string `query:"owner" doc:"Only probes of this team's services."`
	State   string `query:"state" enum:"up,degraded,down,silent,unknown" doc:"Only probes in this state."`
}

type (
	listOut    struct{ Body httpapi.Page[View] }
	getOut     struct{ Body Detail }
	resultsOut struct{ Body httpapi.Page[ResultView] }
	seriesOut  struct{ Body Series }
	placesOut  struct{ Body httpapi.Page[Place] }
)

type nameIn struct {
	Name string `path:"name" doc:"The probe's name."`
}

type assignmentsIn struct {
	Location string `query:"location" required:"true" maxLength:"63" doc:"Where the agent is."`
	Version  string `query:"version" maxLength:"100" doc:"Of the agent."`
}

type assignmentsOut struct {
	Body struct {
		Items []runner.Job `json:"items" doc:"The checks of the location. Secrets that are written out in documents are part of them; references are looked up by the agent."`
	}
}

type deliverIn struct {
	Body struct {
		Location string          `json:"location" maxLength:"63"`
		Version  string          `json:"version,omitempty" maxLength:"100"`
		Results  []runner.Result `json:"results" maxItems:"500"`
	}
}

type deliverOut struct{ Body Taken }

// Register adds the room's operations to a.
func (s *Service) Register(a *httpapi.API) {
	op := func(id, method, path string, scope httpapi.Scope, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: method, Path: path, Scope: scope, Tag: tag, Summary: summary, MaxBody: mostBody}
	}
	httpapi.Register(a, op("list-probes", http.MethodGet, "/api/v1/probes", scopeRead, "Probes and how they are, the most urgent first"), s.apiList)
	httpapi.Register(a, op("get-probe", http.MethodGet, "/api/v1/probes/{name}", scopeRead, "Everything about one probe"), s.apiGet)
	httpapi.Register(a, op("list-probe-results", http.MethodGet, "/api/v1/probes/{name}/results", scopeRead, "Results with where their time went, newest first"), s.apiResults)
	httpapi.Register(a, op("get-probe-series", http.MethodGet, "/api/v1/probes/{name}/series", scopeRead, "One probe over time, by location"), s.apiSeries)
	httpapi.Register(a, op("list-probe-locations", http.MethodGet, "/api/v1/probe-locations", scopeRead, "Where probes are checked from, and whether it reports"), s.apiPlaces)
	httpapi.Register(a, op("list-probe-assignments", http.MethodGet, "/api/v1/probe-assignments", scopeRun, "The checks that an agent is to make"), s.apiAssignments)
	httpapi.Register(a, op("deliver-probe-results", http.MethodPost, "/api/v1/probe-results", scopeRun, "Deliver what an agent found"), s.apiDeliver)
}

func (s *Service) apiList(ctx context.Context, in *listIn) (*listOut, error) {
	views, err := s.views(ctx, filter{in.Query, in.Service, in.Owner, in.State})
	if err != nil {
		return nil, err
	}
	from := 0
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor("probes", in.Cursor, &from); err != nil {
			return nil, err
		}
	}
	total := len(views)
	out := &listOut{Body: httpapi.Page[View]{Items: views[min(from, total):min(from+in.Limit, total)], Total: &total}}
	if from+in.Limit < total {
		out.Body.Next = httpapi.EncodeCursor("probes", from+in.Limit)
	}
	return out, nil
}

func (s *Service) apiGet(ctx context.Context, in *nameIn) (*getOut, error) {
	d, err := s.detail(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &getOut{*d}, nil
}

func (s *Service) apiResults(ctx context.Context, in *resultsIn) (*resultsOut, error) {
	page, err := s.results(ctx, in)
	if err != nil {
		return nil, err
	}
	return &resultsOut{page}, nil
}

func (s *Service) apiSeries(ctx context.Context, in *seriesIn) (*seriesOut, error) {
	series, err := s.series(ctx, in)
	if err != nil {
		return nil, err
	}
	return &seriesOut{*series}, nil
}

func (s *Service) apiPlaces(ctx context.Context, _ *struct{}) (*placesOut, error) {
	all, err := s.places(ctx)
	if err != nil {
		return nil, err
	}
	return &placesOut{httpapi.Page[Place]{Items: all}}, nil
}

func (s *Service) apiAssignments(ctx context.Context, in *assignmentsIn) (*assignmentsOut, error) {
	if err := mayRun(ctx, in.Location); err != nil {
		return nil, err
	}
	if err := s.see(ctx, in.Location, in.Version); err != nil {
		return nil, err
	}
	jobs, err := s.jobs(ctx, in.Location)
	if err != nil {
		return nil, err
	}
	out := &assignmentsOut{}
	out.Body.Items = jobs
	return out, nil
}

func (s *Service) apiDeliver(ctx context.Context, in *deliverIn) (*deliverOut, error) {
	if err := mayRun(ctx, in.Body.Location); err != nil {
		return nil, err
	}
	if err := s.see(ctx, in.Body.Location, in.Body.Version); err != nil {
		return nil, err
	}
	taken, err := s.Record(ctx, in.Body.Location, in.Body.Results)
	if err != nil {
		return nil, err
	}
	return &deliverOut{taken}, nil
}

// mayRun refuses an agent whose token is for another location.
func mayRun(ctx context.Context, location string) error {
	if err := notTheServer(location); err != nil {
		return err
	}
	p, ok := access.From(ctx)
	if !ok {
		return nil // the API has let it in without one
	}
	if names, all := p.NarrowedTo(access.ProbeRun); !all && !slices.Contains(names, location) {
		return fault.New(fault.Denied, "probe.location_denied", text.Say("this token is for the location %s, not for %q", "このトークンは場所 %s 用で、%q では使えません", strings.Join(names, ", "), clip(location))).
			Fix(text.Say("start the agent with the location of its token, or make a token with the scope probe:run@%s", "トークンの場所名でエージェントを起動するか、スコープ probe:run@%s のトークンを作ってください", clip(location))).On("location")
	}
	return nil
}

// notTheServer refuses an agent that takes the server's own name.
func notTheServer(location string) error {
	if location != Server {
		return nil
	}
	return fault.New(fault.Invalid, "probe.location_server", text.Say("the location %q is the server's own", "場所 %q はサーバー自身の名前です", location)).
		Fix(text.Say("give the agent another name", "エージェントには別の名前を付けてください")).On("location")
}

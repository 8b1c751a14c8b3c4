package slo

import (
	"context"
	"net/http"
	"time"

	"github.com/teiten/teiten/kit/httpapi"
)

const scopeRead httpapi.Scope = "slo:read"

// FilterIn chooses objectives; "-" stands for none. It is exported because the API reads embedded
// inputs only when they are.
type FilterIn struct {
	Query   string   `query:"q" maxLength:"200" doc:"Text in name, title, service or owner."`
	Service string   `query:"service" doc:"Only objectives of this service."`
	Owner   string   `query:"owner" doc:"Only objectives of this team's services; - for those without."`
	Tier    string   `query:"tier" doc:"Only objectives of services of this tier; - for none."`
	Of      string   `query:"of" doc:"Only the instances of this objective, which is taken apart by labels. Without it none of them is listed."`
	System  string   `query:"system" doc:"Only objectives of services of this system; - for none."`
	Status  []string `query:"status,explode" doc:"Only objectives in one of these states: healthy, burning, attention, exhausted, unknown, backfilling."`
}

func (in *FilterIn) filter() filter {
	return filter{Query: in.Query, Service: in.Service, Owner: in.Owner, Tier: in.Tier, System: in.System, Of: in.Of, Status: in.Status}
}

type listIn struct {
	httpapi.PageIn
	FilterIn
	Offset int    `query:"offset" minimum:"0" maximum:"1000000" doc:"How many objectives to pass over: for scrolling to any place. To read them all, follow the cursor."`
	Sort   string `query:"sort" enum:"status,name,service,owner,tier,budget,-budget,burn,objective,sli" default:"status" doc:"The order; status puts first what needs somebody most."`
}

type listOut struct{ Body httpapi.Page[Summary] }

// NameIn names one objective. It is exported because the API reads embedded
// inputs only when they are.
type NameIn struct {
	Name string `path:"name" doc:"The objective's name."`
}

type detailIn struct {
	Name string    `path:"name" doc:"The objective's name."`
	AsOf time.Time `query:"asOf" doc:"Answer with what was known at this time, rather than now."`
}

type detailOut struct{ Body KnownDetail }

type seriesIn struct {
	Name   string    `path:"name" doc:"The objective's name."`
	From   time.Time `query:"from" doc:"Start of the span; by default one period before its end."`
	To     time.Time `query:"to" doc:"End of the span; by default now."`
	Points int       `query:"points" minimum:"1" maximum:"1000" default:"300" doc:"How many points at most."`
	AsOf   time.Time `query:"asOf" doc:"Answer with what was known at this time, rather than now."`
}

type seriesOut struct{ Body Series }

type debitsIn struct {
	Name string    `path:"name" doc:"The objective's name."`
	From time.Time `query:"from" doc:"Start of the span; by default the beginning of the objective's window."`
	To   time.Time `query:"to" doc:"End of the span; by default now."`
	AsOf time.Time `query:"asOf" doc:"Answer with what was known at this time, rather than now."`
	Top  int       `query:"top" minimum:"1" maximum:"100" default:"10" doc:"How many causes to name; the smaller ones are summed up."`
}

type debitsOut struct{ Body Debits }

type eventsIn struct {
	Name string    `path:"name" doc:"The objective's name."`
	From time.Time `query:"from" doc:"Start of the span; by default one period before its end, and a day where steps are minutes."`
	To   time.Time `query:"to" doc:"End of the span; by default now."`
	Step string    `query:"step" enum:"minute,hour,day" default:"hour" doc:"What to count by; days are those of UTC."`
	AsOf time.Time `query:"asOf" doc:"Answer with what was known at this time, rather than now."`
}

type eventsOut struct{ Body EventCounts }

type contributionsIn struct {
	Name  string    `path:"name" doc:"The objective's name."`
	From  time.Time `query:"from" doc:"Start of the span; by default an hour before its end."`
	To    time.Time `query:"to" doc:"End of the span; by default the last minute that was counted."`
	Label string    `query:"label" maxLength:"200" doc:"Only this label, with all its values."`
}

type contributionsOut struct{ Body Contributions }

type inspectionOut struct{ Body httpapi.Page[Finding] }

type alertsIn struct {
	httpapi.PageIn
	State   string `query:"state" enum:"firing,resolved" doc:"Only alerts in this state."`
	Service string `query:"service" doc:"Only alerts of this service."`
	Owner   string `query:"owner" doc:"Only alerts of this team's services."`
}

type namedAlertsIn struct {
	httpapi.PageIn
	Name  string `path:"name" doc:"The objective's name."`
	State string `query:"state" enum:"firing,resolved" doc:"Only alerts in this state."`
}

type alertsOut struct{ Body httpapi.Page[AlertView] }

type replayIn struct {
	Name string `path:"name" doc:"The objective's name."`
	Body Trial
}

type replayOut struct{ Body Replay }

type suggestIn struct {
	Name string    `path:"name" doc:"The objective's name."`
	From time.Time `query:"from" doc:"Start of the span; by default one window before its end."`
	To   time.Time `query:"to" doc:"End of the span; by default now."`
}

type suggestOut struct{ Body ReplaySuggestion }

type countsIn struct {
	FilterIn
	By string `query:"by" enum:"service,owner,system,tier,status" default:"service" doc:"What to group by."`
}

type countsOut struct{ Body httpapi.Page[Count] }

type budgetsOut struct{ Body Budgets }

// Register adds the room's operations to a.
func (s *Service) Register(a *httpapi.API) {
	get := func(id, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: path, Scope: scopeRead, Tag: "Objectives", Summary: summary}
	}
	httpapi.Register(a, get("list-slos", "/api/v1/slos", "Service level objectives with their error budgets"), s.apiList)
	httpapi.Register(a, get("count-slos", "/api/v1/slos/counts", "How many objectives are in which state, grouped"), s.apiCounts)
	httpapi.Register(a, get("list-slo-budgets", "/api/v1/slos/budgets", "What is left of the budgets of all objectives, in columns"), s.apiBudgets)
	httpapi.Register(a, get("get-slo", "/api/v1/slos/{name}", "Everything about one objective"), s.apiGet)
	httpapi.Register(a, get("get-slo-series", "/api/v1/slos/{name}/series", "One objective over time"), s.apiSeries)
	replayed := get("replay-slo", "/api/v1/slos/{name}/replay", "What would have happened with another objective, window or alert policy")
	replayed.Method, replayed.Status = http.MethodPost, http.StatusOK
	httpapi.Register(a, replayed, s.apiReplay)
	httpapi.Register(a, get("suggest-slo-objective", "/api/v1/slos/{name}/replay/suggest", "An objective from the history, and the cost of more nines"), s.apiSuggest)
	httpapi.Register(a, get("get-slo-debits", "/api/v1/slos/{name}/debits", "What the error budget of one objective was spent on"), s.apiDebits)
	httpapi.Register(a, get("get-slo-events", "/api/v1/slos/{name}/events", "Good and bad events of one objective by minute, hour or day"), s.apiEvents)
	httpapi.Register(a, get("get-slo-contributions", "/api/v1/slos/{name}/contributions", "Which label values the bad events of one objective have"), s.apiContributions)
	httpapi.Register(a, get("inspect-slo", "/api/v1/slos/{name}/inspection", "What of one objective's expressions is hardly meant, as its data sources say now"), s.apiInspect)
	httpapi.Register(a, get("list-slo-alerts", "/api/v1/slos/{name}/alerts", "Alerts of one objective, newest first"), s.apiNamedAlerts)
	httpapi.Register(a, get("list-retired-instances", "/api/v1/slos/{name}/retired", "Instances of one objective that were absent for long; they keep their history"), s.apiRetired)
	httpapi.Register(a, get("get-retired-instance", "/api/v1/retired-instances/{name}", "What an instance was that was absent for long: its history, its last figures and its alerts"), s.apiRetiredInstance)
	httpapi.Register(a, get("list-alerts-of-slos", "/api/v1/slo-alerts", "Alerts of all objectives, newest first"), s.apiAlerts)
	s.registerExcluded(a)
	s.exclusions.Register(a)
	s.registerLeaving(a)
	s.agreements.Register(a)
}

func (s *Service) apiList(ctx context.Context, in *listIn) (*listOut, error) {
	f := in.filter()
	f.Sort, f.Cursor, f.Limit, f.Offset = in.Sort, in.Cursor, in.Limit, in.Offset
	items, next, total, err := s.List(ctx, f)
	if err != nil {
		return nil, err
	}
	return &listOut{httpapi.Page[Summary]{Items: items, Next: next, Total: &total}}, nil
}

func (s *Service) apiCounts(ctx context.Context, in *countsIn) (*countsOut, error) {
	counts, err := s.Counts(ctx, in.By, in.filter())
	return &countsOut{httpapi.Page[Count]{Items: counts}}, err
}

func (s *Service) apiBudgets(ctx context.Context, in *countsIn) (*budgetsOut, error) {
	b, err := s.Budgets(ctx, in.By, in.filter())
	return &budgetsOut{b}, err
}

func (s *Service) apiGet(ctx context.Context, in *detailIn) (*detailOut, error) {
	d, err := s.GetAsOf(ctx, in.Name, in.AsOf)
	return &detailOut{d}, err
}

func (s *Service) apiSeries(ctx context.Context, in *seriesIn) (*seriesOut, error) {
	x, err := s.Series(ctx, SeriesQuery{Name: in.Name, From: in.From, To: in.To, AsOf: in.AsOf, Points: in.Points})
	return &seriesOut{x}, err
}

func (s *Service) apiReplay(ctx context.Context, in *replayIn) (*replayOut, error) {
	x, err := s.Replay(ctx, in.Name, in.Body)
	return &replayOut{x}, err
}

func (s *Service) apiSuggest(ctx context.Context, in *suggestIn) (*suggestOut, error) {
	x, err := s.Suggest(ctx, in.Name, in.From, in.To)
	return &suggestOut{x}, err
}

func (s *Service) apiDebits(ctx context.Context, in *debitsIn) (*debitsOut, error) {
	x, err := s.Debits(ctx, SeriesQuery{Name: in.Name, From: in.From, To: in.To, AsOf: in.AsOf}, in.Top)
	return &debitsOut{x}, err
}

func (s *Service) apiEvents(ctx context.Context, in *eventsIn) (*eventsOut, error) {
	x, err := s.EventCounts(ctx, SeriesQuery{Name: in.Name, From: in.From, To: in.To, AsOf: in.AsOf}, in.Step)
	return &eventsOut{x}, err
}

func (s *Service) apiContributions(ctx context.Context, in *contributionsIn) (*contributionsOut, error) {
	x, err := s.Contributions(ctx, in.Name, in.Label, in.From, in.To)
	return &contributionsOut{x}, err
}

func (s *Service) apiInspect(ctx context.Context, in *NameIn) (*inspectionOut, error) {
	found, err := s.Inspect(ctx, in.Name)
	return &inspectionOut{httpapi.Page[Finding]{Items: found}}, err
}

func (s *Service) apiNamedAlerts(ctx context.Context, in *namedAlertsIn) (*alertsOut, error) {
	if _, err := s.one(ctx, in.Name); err != nil {
		return nil, err
	}
	return s.page(ctx, alertFilter{SLO: in.Name, State: in.State, Cursor: in.Cursor, Limit: in.Limit})
}

func (s *Service) apiAlerts(ctx context.Context, in *alertsIn) (*alertsOut, error) {
	return s.page(ctx, alertFilter{Service: in.Service, Owner: in.Owner, State: in.State, Cursor: in.Cursor, Limit: in.Limit})
}

func (s *Service) page(ctx context.Context, f alertFilter) (*alertsOut, error) {
	items, next, err := s.Alerts(ctx, f)
	if err != nil {
		return nil, err
	}
	return &alertsOut{httpapi.Page[AlertView]{Items: items, Next: next}}, nil
}

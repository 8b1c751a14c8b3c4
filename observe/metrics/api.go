package metrics

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

const scopeRead httpapi.Scope = "metrics:read"

const tag = "Metrics"

// Limits of the explorer's answers.
const (
	explorerSteps  = 11_000
	explorerSeries = 500
	explorerPoints = 500_000

	// Questions of people, of all together, are fewer at a time than a source
	// takes: those of the objectives must not wait for them.
	explorerAtOnce = 2
	explorerWait   = 10 * time.Second
)

// explorerRate is how often one caller may ask.
var explorerRate = httpapi.RateLimit{Burst: 60, Every: 500 * time.Millisecond}

// namesRate is how often one caller may ask for proposals: each key stroke may.
var namesRate = httpapi.RateLimit{Burst: 120, Every: 100 * time.Millisecond}

// exploring waits for one of the places for questions of people. It is a Limited
// fault where none becomes free.
func (s *Sources) exploring(ctx context.Context) (leave func(), err error) {
	timer := time.NewTimer(explorerWait)
	defer timer.Stop()
	select {
	case s.explorers <- struct{}{}:
		return func() { <-s.explorers }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, fault.New(fault.Limited, "metrics.explorers", text.Say(
			"others are asking the data sources at the moment", "ほかの問い合わせが実行中です")).
			Fix(text.Say("try again in a moment, or ask for a shorter range", "少し待ってから再試行するか、期間を短くしてください")).
			After(explorerWait)
	}
}

// Register adds the operations of data sources to the API. What changes data
// sources are documents: see the operations of as code.
func (s *Sources) Register(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "list-sources", Method: http.MethodGet, Path: "/api/v1/sources", Scope: scopeRead, Tag: tag,
		Summary: "List data sources and how they are"}, s.apiList)
	httpapi.Register(a, httpapi.Op{ID: "test-source", Method: http.MethodPost, Path: "/api/v1/sources/{name}/test", Scope: scopeRead, Tag: tag, Status: http.StatusOK,
		RateLimit: httpapi.RateLimit{Burst: 10, Every: 2 * time.Second},
		Summary:   "Ask a data source how it is, now"}, s.apiTest)
	httpapi.Register(a, httpapi.Op{ID: "list-targets", Method: http.MethodGet, Path: "/api/v1/sources/{name}/targets", Scope: scopeRead, Tag: tag,
		Summary: "List what a data source scrapes by itself, and how that goes"}, s.apiTargets)
	httpapi.Register(a, httpapi.Op{ID: "list-senders", Method: http.MethodGet, Path: "/api/v1/sources/{name}/senders", Scope: scopeRead, Tag: tag,
		Summary: "List who sends metrics to a data source, since the server started, and how that goes"}, s.apiSenders)
	httpapi.Register(a, httpapi.Op{ID: "query", Method: http.MethodGet, Path: "/api/v1/query", Scope: scopeRead, Tag: tag, RateLimit: explorerRate,
		Summary: "Evaluate a PromQL expression at one moment"}, s.apiQuery)
	httpapi.Register(a, httpapi.Op{ID: "query-range", Method: http.MethodGet, Path: "/api/v1/query_range", Scope: scopeRead, Tag: tag, RateLimit: explorerRate,
		Summary: "Evaluate a PromQL expression over a range"}, s.apiRange)
	httpapi.Register(a, httpapi.Op{ID: "list-metric-names", Method: http.MethodGet, Path: "/api/v1/query/metrics", Scope: scopeRead, Tag: tag, RateLimit: namesRate,
		Summary: "Propose metrics of a data source"}, s.apiMetrics)
	httpapi.Register(a, httpapi.Op{ID: "list-label-names", Method: http.MethodGet, Path: "/api/v1/query/labels", Scope: scopeRead, Tag: tag, RateLimit: namesRate,
		Summary: "Propose labels of the series that a selector picks"}, s.apiLabelNames)
	httpapi.Register(a, httpapi.Op{ID: "list-label-values", Method: http.MethodGet, Path: "/api/v1/query/labels/{label}/values", Scope: scopeRead, Tag: tag, RateLimit: namesRate,
		Summary: "Propose values of a label"}, s.apiLabelValues)
}

// SourceView is a data source as the API shows it.
type SourceView struct {
	Name           string     `json:"name"`
	Title          string     `json:"title,omitempty"`
	Kind           string     `json:"kind" enum:"embedded,prometheus,events,plugin"`
	URL            string     `json:"url,omitempty"`
	Default        bool       `json:"default" doc:"Answers where no data source is named."`
	Exact          bool       `json:"exact" doc:"Counts the increases of counters exactly, without extrapolation."`
	Status         Status     `json:"status" enum:"unknown,ok,slow,gone,misconfigured,full"`
	LastError      string     `json:"lastError,omitempty" doc:"The latest failure, in the reader's language; absent while all is well."`
	LastOKAt       *time.Time `json:"lastOkAt,omitempty"`
	CheckedAt      *time.Time `json:"checkedAt,omitempty"`
	LatencySeconds float64    `json:"latencySeconds" doc:"Smoothed time of an answer."`
}

func viewOf(ctx context.Context, s State) SourceView {
	return SourceView{
		Name: s.Name, Title: s.Title, Kind: s.Kind, URL: s.URL, Default: s.Default, Exact: s.Exact, Status: s.Status,
		LastError: s.LastError.In(text.LangFrom(ctx)), LatencySeconds: s.Latency.Seconds(),
		LastOKAt: moment(s.LastOK), CheckedAt: moment(s.CheckedAt),
	}
}

// moment is nil for a time that never was.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

type sourcesOut struct{ Body httpapi.Page[SourceView] }

func (s *Sources) apiList(ctx context.Context, _ *struct{}) (*sourcesOut, error) {
	states := s.States()
	items := make([]SourceView, 0, len(states))
	for _, state := range states {
		items = append(items, viewOf(ctx, state))
	}
	return &sourcesOut{httpapi.Page[SourceView]{Items: items}}, nil
}

// TargetView is a scraped target as the API shows it.
type TargetView struct {
	Job         string            `json:"job"`
	URL         string            `json:"url"`
	Labels      map[string]string `json:"labels"`
	Up          bool              `json:"up"`
	LastError   string            `json:"lastError,omitempty"`
	LastAt      *time.Time        `json:"lastAt,omitempty"`
	TookSeconds float64           `json:"tookSeconds"`
}

type targetsOut struct{ Body httpapi.Page[TargetView] }

func (s *Sources) apiTargets(_ context.Context, in *testIn) (*targetsOut, error) {
	targets, err := s.Targets(in.Name)
	if err != nil {
		return nil, err
	}
	items := make([]TargetView, 0, len(targets))
	for _, t := range targets {
		items = append(items, TargetView{Job: t.Job, URL: t.URL, Labels: t.Labels, Up: t.Up,
			LastError: t.LastError, LastAt: moment(t.LastAt), TookSeconds: t.Took.Seconds()})
	}
	return &targetsOut{httpapi.Page[TargetView]{Items: items}}, nil
}

// SenderView is one who sends metrics, as the API shows it.
type SenderView struct {
	Token       string      `json:"token" doc:"The name of its token."`
	Address     string      `json:"address"`
	Agent       string      `json:"agent,omitempty" doc:"The program, as it calls itself."`
	Protocol    string      `json:"protocol"`
	State       SenderState `json:"state" enum:"ok,late,silent,refused,clashing"`
	FirstAt     *time.Time  `json:"firstAt,omitempty"`
	LastAt      *time.Time  `json:"lastAt,omitempty" doc:"Of its latest request."`
	NewestAt    *time.Time  `json:"newestAt,omitempty" doc:"Its latest sample."`
	LagSeconds  float64     `json:"lagSeconds" doc:"How old the latest sample was when it came."`
	Requests    int64       `json:"requests"`
	Samples     int64       `json:"samples" doc:"That were stored."`
	Refused     int64       `json:"refused" doc:"Samples that were not."`
	LastError   string      `json:"lastError,omitempty" doc:"What was wrong last, and how to mend it, in the reader's language."`
	LastErrorAt *time.Time  `json:"lastErrorAt,omitempty"`
	Clash       string      `json:"clash,omitempty" doc:"A series that another sender sends as well: what it counts is wrong."`
}

type sendersOut struct{ Body httpapi.Page[SenderView] }

func (s *Sources) apiSenders(ctx context.Context, in *testIn) (*sendersOut, error) {
	senders, err := s.Senders(in.Name)
	if err != nil {
		return nil, err
	}
	items := make([]SenderView, 0, len(senders))
	for _, x := range senders {
		v := SenderView{Token: x.Token, Address: x.Address, Agent: x.Agent, Protocol: x.Protocol, State: x.State,
			FirstAt: moment(x.FirstAt), LastAt: moment(x.LastAt), NewestAt: moment(x.Newest), Requests: x.Requests, Samples: x.Samples, Refused: x.Refused,
			LastError: x.Trouble.In(text.LangFrom(ctx)), LastErrorAt: moment(x.TroubleAt), Clash: x.Clash}
		if !x.Newest.IsZero() {
			v.LagSeconds = max(0, x.LastAt.Sub(x.Newest).Seconds())
		}
		items = append(items, v)
	}
	return &sendersOut{httpapi.Page[SenderView]{Items: items}}, nil
}

type testIn struct {
	Name string `path:"name" maxLength:"130"`
}

type sourceOut struct{ Body SourceView }

func (s *Sources) apiTest(ctx context.Context, in *testIn) (*sourceOut, error) {
	state, err := s.Test(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &sourceOut{viewOf(ctx, state)}, nil
}

// SeriesView is one series of an answer: values[i] is its value at times[i].
type SeriesView struct {
	Name   string            `json:"name" doc:"The labels, written as PromQL does."`
	Labels map[string]string `json:"labels"`
	Times  []time.Time       `json:"times"`
	Values []*float64        `json:"values" doc:"null where the value is not a finite number."`
}

// QueryResult is an answer of the explorer.
type QueryResult struct {
	Series []SeriesView `json:"series"`
	Total  int          `json:"total" doc:"How many series there are; the answer may hold fewer."`
}

type queryOut struct{ Body QueryResult }

type queryIn struct {
	Source string    `query:"source" maxLength:"130" doc:"Name of the data source; the default one when absent."`
	Query  string    `query:"query" required:"true" maxLength:"32768" doc:"PromQL expression."`
	Time   time.Time `query:"time" doc:"The moment; now when absent."`
}

func (s *Sources) apiQuery(ctx context.Context, in *queryIn) (*queryOut, error) {
	q, err := s.Get(in.Source)
	if err != nil {
		return nil, err
	}
	at := in.Time
	if at.IsZero() {
		at = s.o.Now()
	}
	leave, err := s.exploring(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	got, err := q.Instant(ctx, in.Query, at)
	if err != nil {
		return nil, err
	}
	return &queryOut{resultOf(got)}, nil
}

type rangeIn struct {
	Source string    `query:"source" maxLength:"130" doc:"Name of the data source; the default one when absent."`
	Query  string    `query:"query" required:"true" maxLength:"32768" doc:"PromQL expression."`
	From   time.Time `query:"from" required:"true"`
	To     time.Time `query:"to" required:"true"`
	Step   string    `query:"step" maxLength:"20" default:"1m" doc:"Time between two values, such as 15s or 1m."`
}

func (s *Sources) apiRange(ctx context.Context, in *rangeIn) (*queryOut, error) {
	var step Duration
	if err := step.UnmarshalText([]byte(in.Step)); err != nil {
		return nil, err
	}
	if err := CheckRange(in.From, in.To, time.Duration(step), explorerSteps); err != nil {
		return nil, err
	}
	q, err := s.Get(in.Source)
	if err != nil {
		return nil, err
	}
	leave, err := s.exploring(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	got, err := q.Range(ctx, in.Query, in.From, in.To, time.Duration(step))
	if err != nil {
		return nil, err
	}
	return &queryOut{resultOf(got)}, nil
}

// resultOf keeps what a browser can hold.
func resultOf(answer []Series) QueryResult {
	out := QueryResult{Total: len(answer), Series: make([]SeriesView, 0, min(len(answer), explorerSeries))}
	points := 0
	for _, s := range answer {
		if points += len(s.Points); len(out.Series) == explorerSeries || points > explorerPoints {
			break
		}
		v := SeriesView{
			Name: s.Name(), Labels: s.Labels,
			Times: make([]time.Time, len(s.Points)), Values: make([]*float64, len(s.Points)),
		}
		for i, p := range s.Points {
			v.Times[i] = p.Time()
			if !math.IsNaN(p.V) && !math.IsInf(p.V, 0) {
				v.Values[i] = &s.Points[i].V
			}
		}
		out.Series = append(out.Series, v)
	}
	return out
}

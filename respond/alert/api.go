package alert

import (
	"context"
	"net/http"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/respond/alert/db"
)

const tag = "Alerts"

// Register adds the operations of alerts, and the addresses that take them in.
func (s *Service) Register(a *httpapi.API) {
	get := func(id, path, summary string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodGet, Path: path, Scope: access.AlertRead, Tag: tag, Summary: summary}
	}
	act := func(id, path, summary, description string) httpapi.Op {
		return httpapi.Op{ID: id, Method: http.MethodPost, Path: path, Scope: access.AlertWrite, Tag: tag, Summary: summary, Description: description}
	}
	httpapi.Register(a, get("list-alerts", "/api/v1/alerts", "List alerts, the last that fired first"), s.apiAlerts)
	httpapi.Register(a, get("list-alert-groups", "/api/v1/alerts/groups", "List groups of alerts, the last that opened first"), s.apiGroups)
	httpapi.Register(a, get("get-alert-group", "/api/v1/alerts/groups/{id}", "Show a group with its alerts, and how routing came to it"), s.apiGroup)
	httpapi.Register(a, get("list-alert-events", "/api/v1/alerts/events", "List what arrived, as it arrived"), s.apiEvents)
	httpapi.Register(a, get("get-alert-event", "/api/v1/alerts/events/{id}", "Show one message as it arrived"), s.apiEvent)
	httpapi.Register(a, get("summarise-alerts", "/api/v1/alerts/summary", "Count open alerts by state and severity"), s.apiSummary)
	httpapi.Register(a, get("get-alert", "/api/v1/alerts/{id}", "Show an alert with its groups and its other occurrences"), s.apiAlert)
	httpapi.Register(a, act("acknowledge-alerts", "/api/v1/alerts/acknowledge", "Say that you see to alerts or groups",
		"Takes ids of alerts and of groups. Answers once it is so; what is acknowledged or over already stays as it is."), s.apiOperate(s.Acknowledge))
	httpapi.Register(a, act("unacknowledge-alerts", "/api/v1/alerts/unacknowledge", "Have acknowledged alerts or groups page again", ""), s.apiOperate(s.Unacknowledge))
	httpapi.Register(a, act("resolve-alerts", "/api/v1/alerts/resolve", "End alerts or groups",
		"What its source says of an alert afterwards counts: one that still fires is told again."), s.apiOperate(s.Resolve))
	httpapi.Register(a, act("judge-alerts", "/api/v1/alerts/usefulness", "Say afterwards whether alerts were of use",
		"The list of noisy rules is made of this."), s.apiJudge)
	httpapi.Register(a, get("list-alert-integrations", "/api/v1/alerts/integrations", "List the sources of alerts, and when each was last heard of"), s.apiIntegrations)
	httpapi.Register(a, get("list-alert-keys", "/api/v1/alerts/integrations/{name}/keys", "List the keys of an integration"), s.apiKeys)
	httpapi.Register(a, httpapi.Op{ID: "issue-alert-key", Method: http.MethodPost, Path: "/api/v1/alerts/integrations/{name}/keys", Scope: access.AlertManage, Tag: tag, Status: http.StatusCreated,
		Summary: "Make a key of an integration", Description: "The key is shown in this answer only."}, s.apiIssueKey)
	httpapi.Register(a, httpapi.Op{ID: "revoke-alert-key", Method: http.MethodDelete, Path: "/api/v1/alerts/integrations/{name}/keys/{id}", Scope: access.AlertManage, Tag: tag,
		Summary: "Revoke a key of an integration"}, s.apiRevokeKey)
	s.intakes(a)
}

type filterIn struct {
	httpapi.PageIn
	State    []string  `query:"state" enum:"open,firing,acknowledged,resolved" doc:"Only those in one of these states; open is those that are not resolved."`
	Severity []string  `query:"severity" doc:"Only those of these severities."`
	Service  []string  `query:"service" doc:"Only those of these services."`
	Team     []string  `query:"team" doc:"Only those of these teams."`
	Query    string    `query:"q" maxLength:"200" doc:"Only those whose title or labels contain this."`
	From     time.Time `query:"from" doc:"Only those that began at this time or later."`
	To       time.Time `query:"to" doc:"Only those that began before this time."`
}

func (in *filterIn) filter() Filter {
	return Filter{States: in.State, Severities: in.Severity, Services: in.Service, Teams: in.Team, Query: in.Query, From: in.From, To: in.To, Limit: in.Limit, Cursor: in.Cursor}
}

type alertsIn struct {
	filterIn
	Integration string `query:"integration" maxLength:"100" doc:"Only those of this integration."`
}

type alertsOut struct{ Body httpapi.Page[View] }

func (s *Service) apiAlerts(ctx context.Context, in *alertsIn) (*alertsOut, error) {
	f := in.filter()
	f.Integration = in.Integration
	list, next, err := s.Alerts(ctx, f)
	if err != nil {
		return nil, err
	}
	return &alertsOut{httpapi.Page[View]{Items: list, Next: next}}, nil
}

type groupsOut struct{ Body httpapi.Page[GroupView] }

func (s *Service) apiGroups(ctx context.Context, in *filterIn) (*groupsOut, error) {
	list, next, err := s.Groups(ctx, in.filter())
	if err != nil {
		return nil, err
	}
	return &groupsOut{httpapi.Page[GroupView]{Items: list, Next: next}}, nil
}

type idIn struct {
	ID string `path:"id" maxLength:"100"`
}

type (
	alertOut struct{ Body Page }
	groupOut struct{ Body GroupPage }
	eventOut struct{ Body RawEvent }
)

func (s *Service) apiAlert(ctx context.Context, in *idIn) (*alertOut, error) {
	p, err := s.Alert(ctx, in.ID)
	return &alertOut{p}, err
}

func (s *Service) apiGroup(ctx context.Context, in *idIn) (*groupOut, error) {
	p, err := s.Group(ctx, in.ID)
	return &groupOut{p}, err
}

func (s *Service) apiEvent(ctx context.Context, in *idIn) (*eventOut, error) {
	e, err := s.Event(ctx, in.ID)
	return &eventOut{e}, err
}

type eventsIn struct {
	httpapi.PageIn
	Integration string `query:"integration" maxLength:"100" doc:"Only those of this integration."`
	Unread      bool   `query:"unrecognised" doc:"Only those that no format knows."`
}

type eventsOut struct{ Body httpapi.Page[RawEvent] }

func (s *Service) apiEvents(ctx context.Context, in *eventsIn) (*eventsOut, error) {
	list, next, err := s.Events(ctx, in.Integration, in.Unread, in.Limit, in.Cursor)
	if err != nil {
		return nil, err
	}
	return &eventsOut{httpapi.Page[RawEvent]{Items: list, Next: next}}, nil
}

// Summary counts what is open.
type Summary struct {
	Open         int64            `json:"open"`
	Firing       int64            `json:"firing"`
	Acknowledged int64            `json:"acknowledged"`
	Severities   map[string]int64 `json:"severities" doc:"Open alerts by severity; \"\" is those that give none."`
	Waiting      int64            `json:"waiting" doc:"Events that were accepted and not yet looked at."`
}

type summaryOut struct{ Body Summary }

func (s *Service) apiSummary(ctx context.Context, _ *struct{}) (*summaryOut, error) {
	q := db.New(s.DB.Read())
	rows, err := q.CountStates(ctx)
	if err != nil {
		return nil, database.Fault(err)
	}
	waiting, err := s.countWaiting(ctx)
	if err != nil {
		return nil, err
	}
	out := &summaryOut{Summary{Severities: map[string]int64{}, Waiting: waiting}}
	for _, r := range rows {
		out.Body.Open += r.Alerts
		out.Body.Severities[r.Severity] += r.Alerts
		if State(r.State) == Firing {
			out.Body.Firing += r.Alerts
		} else {
			out.Body.Acknowledged += r.Alerts
		}
	}
	return out, nil
}

type operateIn struct {
	Body struct {
		IDs []string `json:"ids" minItems:"1" maxItems:"500" doc:"Alerts or groups, by their ids."`
	}
}

func (s *Service) apiOperate(do func(ctx context.Context, ids ...string) error) func(ctx context.Context, in *operateIn) (*struct{}, error) {
	return func(ctx context.Context, in *operateIn) (*struct{}, error) { return nil, do(ctx, in.Body.IDs...) }
}

type judgeIn struct {
	Body struct {
		IDs        []string   `json:"ids" minItems:"1" maxItems:"100" doc:"Alerts, by their ids."`
		Usefulness Usefulness `json:"usefulness" enum:"useful,noise,no-action" doc:"useful: it told of something that mattered; noise: of nothing; no-action: of something that nobody had to do anything about."`
	}
}

func (s *Service) apiJudge(ctx context.Context, in *judgeIn) (*struct{}, error) {
	return nil, s.Judge(ctx, in.Body.Usefulness, in.Body.IDs...)
}

// IntegrationView is an integration as the API shows it.
type IntegrationView struct {
	Name     string          `json:"name"`
	Spec     IntegrationSpec `json:"spec"`
	Team     string          `json:"team,omitempty"`
	SeenAt   time.Time       `json:"seenAt,omitzero" doc:"When something last arrived."`
	Received int64           `json:"received" doc:"Messages in all."`
	Unread   int64           `json:"unrecognised" doc:"Of these, those that no format knows."`
	Keys     []Key           `json:"keys"`
}

type integrationsOut struct{ Body httpapi.Page[IntegrationView] }

func (s *Service) apiIntegrations(ctx context.Context, _ *struct{}) (*integrationsOut, error) {
	q := db.New(s.DB.Read())
	rows, err := q.ListIntegrations(ctx)
	if err != nil {
		return nil, database.Fault(err)
	}
	keys, err := q.AllKeys(ctx)
	if err != nil {
		return nil, database.Fault(err)
	}
	out := &integrationsOut{}
	out.Body.Items = []IntegrationView{}
	for _, r := range rows {
		v := IntegrationView{Name: r.Name, Team: r.Owner, SeenAt: database.Time(r.SeenAt), Received: r.Received, Unread: r.Unread, Keys: []Key{}}
		if err := database.ReadJSON(r.Spec, &v.Spec); err != nil {
			return nil, err
		}
		for _, k := range keys {
			if k.Integration == r.Name {
				v.Keys = append(v.Keys, keyView(k))
			}
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}

func keyView(k db.AlertKey) Key {
	return Key{ID: k.ID, Integration: k.Integration, Hint: k.Hint, CreatedAt: database.Time(k.CreatedAt), CreatedBy: k.CreatedBy}
}

type nameIn struct {
	Name string `path:"name" maxLength:"100"`
}

type keysOut struct{ Body httpapi.Page[Key] }

func (s *Service) apiKeys(ctx context.Context, in *nameIn) (*keysOut, error) {
	rows, err := db.New(s.DB.Read()).KeysOf(ctx, in.Name)
	if err != nil {
		return nil, database.Fault(err)
	}
	out := &keysOut{}
	out.Body.Items = []Key{}
	for _, k := range rows {
		out.Body.Items = append(out.Body.Items, keyView(k))
	}
	return out, nil
}

// IssuedKey is a new key, in the only answer that shows it.
type IssuedKey struct {
	Key  string `json:"key" doc:"The key. Keep it: it is not shown again."`
	URL  string `json:"url" doc:"Where the source sends to. It holds the key."`
	Info Key    `json:"info"`
}

type issuedOut struct{ Body IssuedKey }

func (s *Service) apiIssueKey(ctx context.Context, in *nameIn) (*issuedOut, error) {
	key, info, err := s.IssueKey(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &issuedOut{IssuedKey{Key: key, URL: s.BaseURL + "/api/v1/alerts/in/" + key, Info: info}}, nil
}

type revokeIn struct {
	nameIn
	idIn
}

func (s *Service) apiRevokeKey(ctx context.Context, in *revokeIn) (*struct{}, error) {
	return nil, s.RevokeKey(ctx, in.Name, in.ID)
}

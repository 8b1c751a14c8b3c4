// Package alertmanager serves the API of Alertmanager, version 2, so that what is
// made for it works here: amtool, dashboards, and a Prometheus that has this server
// as its Alertmanager.
//
// It holds nothing of its own. Alerts, routes and silences are those of the
// product; what Alertmanager has no word for, such as an acknowledgement, is left
// out.
package alertmanager

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/common/model"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/alert/routing"
)

// Alerts is what is asked of those who take alerts in.
type Alerts interface {
	Alerts(ctx context.Context, f alert.Filter) (list []alert.View, next string, err error)
}

// Service serves the API.
type Service struct {
	alerts  Alerts
	routing *routing.Service
	version string
	started time.Time
}

// New returns the API of alerts and routes.
func New(alerts Alerts, r *routing.Service, version string, started time.Time) *Service {
	return &Service{alerts: alerts, routing: r, version: version, started: started}
}

const (
	scopeRead  httpapi.Scope = "alert:read"
	scopeWrite httpapi.Scope = "alert:write"

	maxSilence = 256 << 10 // bytes
)

// Register adds the operations to a. Alerts are taken in by package alert.
func (s *Service) Register(a *httpapi.API) {
	for pattern, serve := range map[string]func(r *http.Request) (any, error){
		"GET /api/v2/status":        s.status,
		"GET /api/v2/receivers":     s.receivers,
		"GET /api/v2/alerts":        s.list,
		"GET /api/v2/alerts/groups": s.groups,
		"GET /api/v2/silences":      s.silences,
		"GET /api/v2/silence/{id}":  s.silence,
	} {
		a.Handle(pattern, scopeRead, answer(serve))
	}
	a.Handle("POST /api/v2/silences", scopeWrite, answer(s.addSilence))
	a.Handle("DELETE /api/v2/silence/{id}", scopeWrite, answer(s.endSilence))
}

// answer serves a function: what it returns as JSON, and of an error what clients
// of this API expect, a text.
func answer(serve func(r *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out, err := serve(r)
		if err == nil {
			httpapi.WriteJSON(w, http.StatusOK, out)
			return
		}
		status, said := http.StatusInternalServerError, "internal error"
		if f, ok := fault.As(err); ok {
			status, said = f.Kind.HTTPStatus(), f.In(text.LangFrom(r.Context()))
			if f.Kind == fault.Invalid || f.Kind == fault.Conflict {
				status = http.StatusBadRequest // the only refusal that the API knows
			}
		}
		httpapi.WriteJSON(w, status, said)
	})
}

// labelSet is a set of labels, or of annotations.
type labelSet map[string]string

type named struct {
	Name string `json:"name"`
}

type status struct {
	Cluster struct {
		Status string   `json:"status"`
		Peers  []string `json:"peers"`
	} `json:"cluster"`
	VersionInfo map[string]string `json:"versionInfo"`
	Config      struct {
		Original string `json:"original"`
	} `json:"config"`
	Uptime string `json:"uptime"`
}

func (s *Service) status(*http.Request) (any, error) {
	var out status
	out.Cluster.Status, out.Cluster.Peers = "disabled", []string{}
	out.VersionInfo = map[string]string{"version": s.version, "revision": "", "branch": "teiten", "buildUser": "", "buildDate": "", "goVersion": runtime.Version()}
	out.Uptime = s.started.UTC().Format(timeFormat)
	var err error
	out.Config.Original, err = configuration(s.routing.Router().Tree())
	return out, err
}

// timeFormat is how the API writes times.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func (s *Service) receivers(*http.Request) (any, error) {
	all := []named{}
	for _, r := range s.routing.Router().Tree().Receivers() {
		all = append(all, named{r.Name})
	}
	return all, nil
}

// fingerprint is how Alertmanager names an alert: by its labels.
func fingerprint(l labelSet) string {
	set := make(model.LabelSet, len(l))
	for name, v := range l {
		set[model.LabelName(name)] = model.LabelValue(v)
	}
	return set.Fingerprint().String()
}

func wrongQuery(field string, err error) error {
	return fault.New(fault.Invalid, "alertmanager.query", text.Say("%s: %s", "%s: %s", field, err.Error())).
		Fix(text.Say("correct it", "直してください"))
}

func readJSON(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxSilence))
	if err := d.Decode(into); err != nil {
		return wrongQuery("body", err)
	}
	return nil
}

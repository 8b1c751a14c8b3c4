package app

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

const checkTimeout = 5 * time.Second

// check is one thing the server needs in order to serve.
type check struct {
	name string
	test func(ctx context.Context) error
}

type checkOut struct {
	Name   string    `json:"name"`
	OK     bool      `json:"ok"`
	Detail text.Both `json:"detail,omitzero"`

	kind fault.Kind // of what fails
}

type systemOut struct {
	Body struct {
		Version   string     `json:"version"`
		Commit    string     `json:"commit,omitempty"`
		Go        string     `json:"goVersion"`
		StartedAt time.Time  `json:"startedAt"`
		Database  string     `json:"database" enum:"sqlite,postgres"`
		Checks    []checkOut `json:"checks"`
		Queue     queueOut   `json:"queue"`
	}
}

type queueOut struct {
	Waiting   int64 `json:"waiting" doc:"Jobs that may run now or later."`
	Running   int64 `json:"running"`
	Retrying  int64 `json:"retrying" doc:"Jobs that failed and will be tried again."`
	Discarded int64 `json:"discarded" doc:"Jobs that were given up in the last week."`
}

// registerSystem adds what concerns the server itself.
func (a *App) registerSystem() {
	mux := a.api.Mux()
	scope := httpapi.Scope("metrics:read")
	if a.config.PublicMetrics {
		scope = httpapi.Public
	}
	a.api.Handle("GET /metrics", scope, promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{
		Registry: a.metrics, EnableOpenMetrics: true, ErrorHandling: promhttp.ContinueOnError,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", a.handleReady)
	httpapi.Register(a.api, httpapi.Op{ID: "get-system", Method: http.MethodGet, Path: "/api/v1/system", Scope: "system:read", Tag: "System",
		Summary: "The server's version and health"}, a.handleSystem)
}

// handleReady says whether the server can serve: 503 with the names of what
// fails otherwise. A mistake in a file, which stops nothing that runs, is shown
// in the browser and does not take the server out of service.
func (a *App) handleReady(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	var body strings.Builder
	for _, c := range a.recentChecks(r.Context()) {
		verdict := "ok"
		if !c.OK && c.kind != fault.Invalid {
			status, verdict = http.StatusServiceUnavailable, "failing"
		}
		body.WriteString(c.Name + " " + verdict + "\n")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body.String()))
}

// recentChecks are the checks of the last second: anybody may ask whether the
// server is ready, and the answer takes the turn of those who write.
func (a *App) recentChecks(ctx context.Context) []checkOut {
	a.ready.Lock()
	defer a.ready.Unlock()
	if a.ready.at.IsZero() || time.Since(a.ready.at) >= time.Second {
		a.ready.checks = a.runChecks(context.WithoutCancel(ctx)) // others wait for the same answer
		a.ready.at = time.Now()
	}
	return a.ready.checks
}

func (a *App) runChecks(ctx context.Context) []checkOut {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var out []checkOut
	for _, c := range a.checks() {
		o := checkOut{Name: c.name, OK: true}
		if err := c.test(ctx); err != nil {
			o.OK, o.kind, o.Detail = false, fault.KindOf(err), text.Say("it fails; the log says why", "異常があります。詳細はログを確認してください")
			if f, ok := fault.As(err); ok {
				o.Detail = text.Say("%s %s", "%s %s", f.What, f.Remedy)
			}
			a.log.WarnContext(ctx, "check failed", "check", c.name, "error", err)
		}
		out = append(out, o)
	}
	return out
}

func (a *App) handleSystem(ctx context.Context, _ *struct{}) (*systemOut, error) {
	counts, err := a.queue.Counts(ctx)
	if err != nil {
		return nil, err
	}
	out := &systemOut{}
	b := &out.Body
	b.Version, b.Commit, b.Go, b.StartedAt = Version, Commit(), runtime.Version(), a.started.UTC()
	b.Database, b.Checks = string(a.db.Dialect()), a.runChecks(ctx)
	b.Queue = queueOut{Waiting: counts.Waiting, Running: counts.Running, Retrying: counts.Retrying, Discarded: counts.Discarded}
	return out, nil
}

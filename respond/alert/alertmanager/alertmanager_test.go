package alertmanager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/alert/alertmanager"
	"github.com/teiten/teiten/respond/alert/routing"
)

const documents = `apiVersion: teiten.dev/v1
kind: Integration
metadata: {name: prometheus}
spec: {format: alertmanager-api}
---
apiVersion: teiten.dev/v1
kind: AlertRouting
metadata: {name: all}
spec:
  receivers: [{name: nowhere, nobody: true}]
  inhibitions: [{sourceMatchers: ['severity="critical"'], targetMatchers: ['severity="warning"'], equal: [service]}]
  route:
    groupBy: [service]
    routes: [{matchers: ['alertname="Watchdog"'], receiver: nowhere, groupBy: []}]
`

const posted = `[
 {"labels": {"alertname": "Watchdog"}, "annotations": {"summary": "all is well"}, "generatorURL": "http://prometheus/graph"},
 {"labels": {"alertname": "Down", "service": "db", "severity": "critical"}},
 {"labels": {"alertname": "Slow", "service": "db", "severity": "warning"}},
 {"labels": {"alertname": "Slow", "service": "web", "severity": "warning"}}
]`

// world serves the API over a real database.
type world struct {
	t       *testing.T
	url     string
	key     string
	alerts  *alert.Service
	routing *routing.Service
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) { f(t, newWorld(t, db)) },
		dbtest.Room{Name: "journal", Files: journal.Migrations}, dbtest.Room{Name: "ascode", Files: ascode.Migrations}, dbtest.Room{Name: "catalog", Files: catalog.Migrations},
		dbtest.Room{Name: "slo", Files: slo.Migrations}, dbtest.Room{Name: "alert", Files: alert.Migrations}, dbtest.Room{Name: "routing", Files: routing.Migrations})
}

func newWorld(t *testing.T, db *database.DB) *world {
	t.Helper()
	q, err := queue.New(t.Context(), db, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	j, c, r := journal.New(db, time.Now), catalog.New(catalog.Deps{DB: db}), ascode.NewRegistry()
	w := &world{t: t, routing: routing.New(routing.Deps{DB: db, Journal: j, Catalog: c})}
	w.alerts = alert.New(alert.Deps{DB: db, Journal: j, Queue: q, Catalog: c, Routes: w.routing.Router})
	w.routing.History = w.alerts
	w.alerts.Kinds(r)
	w.routing.Kinds(r)
	if _, err := ascode.NewEngine(db, r, nil).Apply(t.Context(), ascode.Request{Files: []ascode.File{{Name: "a.yaml", Data: documents}}}); err != nil {
		t.Fatal(err)
	}
	if w.key, _, err = w.alerts.IssueKey(t.Context(), "prometheus"); err != nil {
		t.Fatal(err)
	}
	w.refresh()
	everybody := httpapi.AuthorizerFunc(func(r *http.Request, _ httpapi.Scope) (context.Context, error) {
		return journal.WithActor(r.Context(), journal.Actor{Kind: journal.Person, ID: "u", Name: "Shop lead"}), nil
	})
	api := httpapi.New(httpapi.Options{Title: "test", Version: "1", Authorizer: everybody})
	w.alerts.Register(api)
	w.routing.Register(api)
	alertmanager.New(w.alerts, w.routing, "1", time.Now()).Register(api)
	server := httptest.NewServer(api.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
	w.ask(http.MethodPost, "/api/v2/alerts", posted, nil)
	if err := w.alerts.Process(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) refresh() {
	w.t.Helper()
	if err := w.routing.Refresh(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// ask sends a request and returns its status.
func (w *world) ask(method, path, body string, into any) int {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			w.t.Fatalf("%s %s: %v\n%s", method, path, err, data)
		}
	}
	return answer.StatusCode
}

type alertView struct {
	Labels    map[string]string
	Receivers []struct{ Name string }
	Status    struct {
		State                   string
		SilencedBy, InhibitedBy []string
	}
	Fingerprint, GeneratorURL string
}

func TestAlertsAreListedAsAlertmanagerListsThem(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for query, want := range map[string]int{"": 4, "?filter=service%3Ddb": 2, "?inhibited=false": 3, "?active=false": 1, "?receiver=nowhere": 1, "?receiver=own.*&filter=service!%3D%22db%22": 1} {
			var all []alertView
			if w.ask(http.MethodGet, "/api/v2/alerts"+query, "", &all); len(all) != want {
				t.Errorf("%s: %d alerts, want %d", query, len(all), want)
			}
			for _, a := range all {
				inhibited := a.Labels["alertname"] == "Slow" && a.Labels["service"] == "db"
				if (len(a.Status.InhibitedBy) > 0) != inhibited || (a.Status.State == "suppressed") != inhibited || len(a.Fingerprint) != 16 {
					t.Errorf("%+v", a)
				}
			}
		}
		var groups []struct {
			Labels   map[string]string
			Receiver struct{ Name string }
			Alerts   []alertView
		}
		w.ask(http.MethodGet, "/api/v2/alerts/groups", "", &groups)
		if len(groups) != 3 {
			t.Errorf("%d groups: %+v", len(groups), groups)
		}
		var refusal string
		if status := w.ask(http.MethodGet, "/api/v2/alerts?filter=%7B%7B", "", &refusal); status != 400 || refusal == "" {
			t.Errorf("a bad filter: %d %q", status, refusal)
		}
	})
}

func TestSilencesOfTheAPIAreThoseOfTheProduct(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		end := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		silence := `{"matchers": [{"name": "service", "value": "web", "isRegex": false}], "startsAt": "2026-01-01T00:00:00Z", "endsAt": "` + end + `", "createdBy": "amtool", "comment": "new racks"}`
		var made struct{ SilenceID string }
		if status := w.ask(http.MethodPost, "/api/v2/silences", silence, &made); status != 200 || made.SilenceID == "" {
			t.Fatalf("%d %+v", status, made)
		}
		w.refresh()
		var all []alertView
		if w.ask(http.MethodGet, "/api/v2/alerts?filter=service%3Dweb", "", &all); len(all) != 1 || len(all[0].Status.SilencedBy) != 1 || all[0].Status.SilencedBy[0] != made.SilenceID {
			t.Errorf("%+v", all)
		}
		if v, err := w.routing.OneSilence(t.Context(), made.SilenceID); err != nil || v.Author != "amtool" || v.Reason != "new racks" {
			t.Errorf("%+v, %v", v, err)
		}
		if status := w.ask(http.MethodDelete, "/api/v2/silence/"+made.SilenceID, "", nil); status != 200 {
			t.Errorf("it is not ended: %d", status)
		}
		if status := w.ask(http.MethodGet, "/api/v2/silence/no-such", "", nil); status != 404 {
			t.Errorf("one that is not there: %d", status)
		}
		var refusal string
		if status := w.ask(http.MethodPost, "/api/v2/silences", strings.Replace(silence, "new racks", "", 1), &refusal); status != 400 || !strings.Contains(refusal, "no reason") {
			t.Errorf("without a reason: %d %q", status, refusal)
		}
	})
}

// TestAmtoolWorks runs the real program.
func TestAmtoolWorks(t *testing.T) {
	amtool, err := exec.LookPath("amtool")
	if err != nil {
		t.Skip("amtool is not installed: make debian installs it")
	}
	each(t, func(t *testing.T, w *world) {
		run := func(args ...string) string {
			t.Helper()
			var out, said bytes.Buffer
			cmd := exec.CommandContext(t.Context(), amtool, append([]string{"--alertmanager.url", w.url}, args...)...)
			cmd.Stdout, cmd.Stderr = &out, &said
			if err := cmd.Run(); err != nil {
				t.Fatalf("amtool %v: %v\n%s", args, err, said.String())
			}
			return strings.TrimSpace(out.String())
		}
		if out := run("alert", "query", "service=web", "-o", "extended"); !strings.Contains(out, `alertname="Slow"`) {
			t.Error(out)
		}
		id := run("silence", "add", "service=web", "--comment=new racks", "--author=lead", "--duration=1h")
		w.refresh()
		if out := run("silence", "query"); !strings.Contains(out, id) || !strings.Contains(out, "new racks") {
			t.Error(out)
		}
		if out := run("alert", "query", "service=web"); strings.Contains(out, "Slow") {
			t.Errorf("a silenced alert is listed as active: %s", out)
		}
		run("silence", "update", id, "--comment=heavy racks", "--duration=2h")
		run("silence", "expire", id)
		if out := run("config", "routes", "test", "alertname=Watchdog"); out != "nowhere" {
			t.Errorf("routes: %s", out)
		}
		if out := run("config", "show"); !strings.Contains(out, "nowhere") {
			t.Error(out)
		}
	})
}

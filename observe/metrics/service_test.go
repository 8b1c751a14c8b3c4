package metrics_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/embedded"
	"github.com/teiten/teiten/observe/metrics/remote"
)

// prometheus answers every query with the value v, where the password is right.
func prometheus(t *testing.T, v string, password *atomic.Value) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if password != nil {
			if _, got, _ := r.BasicAuth(); got != password.Load() {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
		}
		if strings.Contains(r.FormValue("query"), "anchored") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"error","errorType":"bad_data","error":"anchored"}`)
			return
		}
		at := cmp.Or(r.FormValue("time"), strconv.FormatInt(time.Now().Unix(), 10))
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"v":%q},"value":[%s,%q]}]}}`, v, at, v)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func document(name, details string) string {
	return "apiVersion: openslo/v1\nkind: DataSource\nmetadata:\n  name: " + name + "\n  displayName: Source " + name +
		"\nspec:\n  type: Prometheus\n  connectionDetails:\n" + details
}

type setup struct {
	db      *database.DB
	engine  *ascode.Engine
	sources *metrics.Sources
}

func start(t *testing.T, db *database.DB) setup {
	t.Helper()
	s := setup{db: db, sources: metrics.NewSources(metrics.Options{DB: db, Open: remote.Open})}
	registry := ascode.NewRegistry()
	s.sources.Kinds(registry)
	s.engine = ascode.NewEngine(db, registry, nil)
	return s
}

func (s setup) apply(t *testing.T, documents ...string) error {
	t.Helper()
	_, err := s.engine.Apply(t.Context(), ascode.Request{
		Set: "test", Files: []ascode.File{{Name: "sources.yaml", Data: strings.Join(documents, "\n---\n")}},
	})
	return err
}

func each(t *testing.T, f func(t *testing.T, s setup)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) { f(t, start(t, db)) },
		dbtest.Room{Name: "ascode", Files: ascode.Migrations}, dbtest.Room{Name: "metrics", Files: metrics.Migrations})
}

func ask(t *testing.T, s *metrics.Sources, name string) (string, error) {
	t.Helper()
	q, err := s.Get(name)
	if err != nil {
		return "", err
	}
	got, err := q.Instant(t.Context(), "x", time.Now())
	if err != nil {
		return "", err
	}
	return got[0].Labels["v"], nil
}

func TestSourcesChangeAtRunTimeAndOnOtherReplicas(t *testing.T) {
	each(t, func(t *testing.T, s setup) {
		a, b := prometheus(t, "1", nil), prometheus(t, "2", nil)
		replica := metrics.NewSources(metrics.Options{DB: s.db, Open: remote.Open})

		if err := s.apply(t, document("prod", "    url: "+a.URL)); err != nil {
			t.Fatal(err)
		}
		if got, err := ask(t, s.sources, "prod"); err != nil || got != "1" {
			t.Errorf("right after apply: %q, %v", got, err)
		}
		if got, err := ask(t, s.sources, ""); err != nil || got != "1" {
			t.Errorf("the only source is not the default: %q, %v", got, err)
		}
		reload(t, replica)
		if got, err := ask(t, replica, "prod"); err != nil || got != "1" {
			t.Errorf("on another replica: %q, %v", got, err)
		}

		if err := s.apply(t, document("prod", "    url: "+b.URL)); err != nil {
			t.Fatal(err)
		}
		reload(t, replica)
		for name, sources := range map[string]*metrics.Sources{"here": s.sources, "there": replica} {
			if got, err := ask(t, sources, "prod"); err != nil || got != "2" {
				t.Errorf("changed, %s: %q, %v", name, got, err)
			}
		}
		if _, err := s.engine.Delete(t.Context(), ascode.Removal{Set: "test", Keys: []ascode.Key{{Kind: "DataSource", Namespace: "default", Name: "prod"}}}); err != nil {
			t.Fatal(err)
		}
		reload(t, replica)
		for _, sources := range []*metrics.Sources{s.sources, replica} {
			if _, err := sources.Get("prod"); fault.KindOf(err) != fault.NotFound {
				t.Errorf("removed: %v", err)
			}
		}
	})
}

func reload(t *testing.T, s *metrics.Sources) {
	t.Helper()
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTheDefaultSource(t *testing.T) {
	each(t, func(t *testing.T, s setup) {
		a := prometheus(t, "1", nil)
		chosen := strings.Replace(document("b", "    url: "+a.URL), "metadata:\n", "metadata:\n  annotations: {teiten.dev/default: \"true\"}\n", 1)
		if _, err := s.sources.Get(""); fault.KindOf(err) != fault.NotFound {
			t.Errorf("no source at all: %v", err)
		}
		if err := s.apply(t, document("a", "    url: "+a.URL), document("b", "    url: "+a.URL)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.sources.Get(""); fault.KindOf(err) != fault.NotFound {
			t.Errorf("two sources, none chosen: %v", err)
		}
		store, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), MinFree: 1})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		s.sources.AddBuiltin("embedded", store)
		if q, err := s.sources.Get(""); err != nil || !q.Anchored() {
			t.Errorf("the embedded store is not the default: %v", err)
		}
		if err := s.apply(t, document("a", "    url: "+a.URL), chosen); err != nil {
			t.Fatal(err)
		}
		if q, err := s.sources.Get(""); err != nil || q.Anchored() {
			t.Errorf("the chosen source is not the default: %v", err)
		}
		for name, want := range map[string]time.Duration{"embedded": time.Minute, "b": 2 * time.Minute} {
			if got, err := s.sources.IncreaseWindow(name); err != nil || got != want {
				t.Errorf("window of %s: %s, %v", name, got, err)
			}
		}
		both := strings.Replace(document("c", "    url: "+a.URL), "metadata:\n", "metadata:\n  labels: {teiten.dev/default: \"true\"}\n", 1)
		wantFaultAt(t, s.apply(t, both), "metrics.two_defaults", 3)
		wantFaultAt(t, s.apply(t, document("embedded", "    url: "+a.URL)), "metrics.source_taken", 4)
	})
}

func wantFaultAt(t *testing.T, err error, code string, line int) {
	t.Helper()
	f, ok := fault.As(err)
	if ok && f.Code != code {
		for _, d := range f.Details {
			if d.Code == code {
				f = d
			}
		}
	}
	if !ok || f.Code != code || f.Where.Line != line || f.Where.File != "sources.yaml" || f.Remedy.JA == "" {
		t.Errorf("got %v, want %s at line %d", err, code, line)
	}
}

func TestDocumentsThatCannotBeUsedSayWhere(t *testing.T) {
	each(t, func(t *testing.T, s setup) {
		for details, want := range map[string]struct {
			code string
			line int
		}{
			"    url: prometheus":                                                          {"metrics.url", 9},
			"    url: http://u:p@h":                                                        {"metrics.url_credentials", 9},
			"    url: http://h\n    accessKeyID: x":                                        {"metrics.source_unknown_key", 10},
			"    url: http://h\n    bearerToken: x${env:A}":                                {"metrics.secret_reference", 10},
			"    url: http://h\n    timeout: soon":                                         {"metrics.duration", 10},
			"    url: http://h\n    maxConcurrency: 1000":                                  {"metrics.max_concurrency", 10},
			"    url: http://h\n    tls: {ca: nonsense}":                                   {"metrics.tls_ca", 10},
			"    url: http://h\n    basic: {username: u, password: p}\n    bearerToken: t": {"metrics.two_credentials", 11},
		} {
			wantFaultAt(t, s.apply(t, document("a", details)), want.code, want.line)
		}
		cloud := strings.Replace(document("a", "    url: http://h\n    region: x"), "Prometheus", "CloudWatch", 1)
		wantFaultAt(t, s.apply(t, cloud), "metrics.source_type", 7)
	})
}

func TestSecretsAreHiddenAndKept(t *testing.T) {
	each(t, func(t *testing.T, s setup) {
		var password atomic.Value
		password.Store("pw")
		a := prometheus(t, "1", &password)
		details := "    url: " + a.URL + "\n    basic: {username: u, password: pw}\n    headers: {X-Scope-OrgID: shop, X-Key: k3y}"
		if err := s.apply(t, document("a", details)); err != nil {
			t.Fatal(err)
		}
		shown, err := s.engine.Export(t.Context(), ascode.Filter{})
		if err != nil || strings.Contains(shown, "pw") || strings.Contains(shown, "k3y") || !strings.Contains(shown, "shop") {
			t.Errorf("exported: %v\n%s", err, shown)
		}
		hidden := strings.Replace(details, "password: pw", "password: "+ascode.Hidden, 1)
		if err := s.apply(t, document("a", hidden)); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(t, s.sources, "a"); err != nil {
			t.Errorf("the stored password is lost: %v", err)
		}
		// Nobody who does not know them may send them elsewhere.
		var stolen atomic.Value
		stolen.Store("none")
		thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			stolen.Store(r.Header.Get("Authorization") + r.Header.Get("X-Key"))
		}))
		t.Cleanup(thief.Close)
		for _, elsewhere := range []string{
			strings.Replace(hidden, a.URL, thief.URL, 1),
			strings.Replace(strings.Replace(details, a.URL, thief.URL, 1), "X-Key: k3y", "X-Key: "+ascode.Hidden, 1),
			hidden + "\n    tls: {insecureSkipVerify: true}",
		} {
			if f, ok := fault.As(s.apply(t, document("a", elsewhere))); !ok || f.Code != "ascode.secret_moved" || f.Where.Line == 0 {
				t.Errorf("%s\nis applied: %v", elsewhere, f)
			}
		}
		_, _ = s.sources.Test(t.Context(), "a") // whatever it says, the thief must not hear
		if got := stolen.Load(); got != "none" {
			t.Errorf("sent to another address: %v", got)
		}
	})
}

func TestARotatedSecretHealsByItself(t *testing.T) {
	each(t, func(t *testing.T, s setup) {
		var password atomic.Value
		password.Store("new")
		a := prometheus(t, "1", &password)
		t.Setenv("PROM_PASSWORD_UNDER_TEST", "old")
		if err := s.apply(t, document("a", "    url: "+a.URL+"\n    basic: {username: u, password: \"${env:PROM_PASSWORD_UNDER_TEST}\"}")); err != nil {
			t.Fatal(err)
		}
		state, err := s.sources.Test(t.Context(), "a")
		if err != nil || state.Status != metrics.Misconfigured || state.LastError.JA == "" {
			t.Fatalf("with the old password: %+v, %v", state, err)
		}
		t.Setenv("PROM_PASSWORD_UNDER_TEST", "new")
		if state, err = s.sources.Test(t.Context(), "a"); err != nil || state.Status != metrics.OK || !state.LastError.IsZero() {
			t.Errorf("with the new password: %+v, %v", state, err)
		}
	})
}

func TestASourceWithoutItsSecretSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s setup) {
		if err := s.apply(t, document("a", "    url: http://h\n    bearerToken: ${env:NOT_SET_UNDER_TEST}")); err != nil {
			t.Fatal(err)
		}
		_, err := s.sources.Get("a")
		if f, ok := fault.As(err); !ok || f.Kind != fault.Unavailable || !strings.Contains(f.In(text.JA), "NOT_SET_UNDER_TEST") {
			t.Errorf("%v", err)
		}
		if states := s.sources.States(); len(states) != 1 || states[0].Status != metrics.Misconfigured || states[0].URL != "http://h" {
			t.Errorf("%+v", states)
		}
	})
}

func TestRunLooksAfterSourcesThatNobodyAsks(t *testing.T) {
	each(t, func(t *testing.T, s setup) {
		a := prometheus(t, "1", nil)
		if err := s.apply(t, document("well", "    url: "+a.URL), document("gone", "    url: http://127.0.0.1:1")); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.sources.Run(ctx) }()
		deadline := time.After(2 * time.Minute)
		for {
			states := s.sources.States()
			if states[0].Status == metrics.Gone && states[1].Status == metrics.OK {
				break
			}
			select {
			case <-deadline:
				t.Fatalf("%+v", states)
			case <-time.After(10 * time.Millisecond):
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestTheAPI(t *testing.T) {
	each(t, func(t *testing.T, s setup) {
		store, err := embedded.Open(t.Context(), embedded.Options{Dir: t.TempDir(), MinFree: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		now := time.Now().UTC().Truncate(time.Minute)
		if err := store.Append(t.Context(), []metrics.Series{{Labels: map[string]string{"__name__": "x", "a": "b"},
			Points: []metrics.Point{{T: now.Add(-time.Minute).UnixMilli(), V: 1}, {T: now.UnixMilli(), V: 2}}}}); err != nil {
			t.Fatal(err)
		}
		s.sources.AddBuiltin("embedded", store)
		api := httpapi.New(httpapi.Options{Authorizer: httpapi.AuthorizerFunc(func(r *http.Request, scope httpapi.Scope) (context.Context, error) {
			if scope != "metrics:read" {
				t.Errorf("scope %s", scope)
			}
			return r.Context(), nil
		})})
		defer api.Close()
		s.sources.Register(api)
		call := func(method, path string, query url.Values, into any) int {
			r := httptest.NewRequest(method, "http://127.0.0.1"+path+"?"+query.Encode(), nil)
			r.Header.Set("Accept-Language", "ja")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			w := httptest.NewRecorder()
			api.Handler().ServeHTTP(w, r)
			if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
				t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
			return w.Code
		}

		var tested metrics.SourceView
		if code := call("POST", "/api/v1/sources/embedded/test", nil, &tested); code != 200 || tested.Status != metrics.OK || !tested.Exact || !tested.Default {
			t.Errorf("test: %d %+v", code, tested)
		}
		var list httpapi.Page[metrics.SourceView]
		if code := call("GET", "/api/v1/sources", nil, &list); code != 200 || len(list.Items) != 1 || list.Items[0].Name != "embedded" {
			t.Errorf("list: %d %+v", code, list)
		}
		if err := store.SetTargets([]embedded.Target{{Job: "shop", URL: "http://127.0.0.1:1/metrics"}}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- store.Run(ctx) }()
		defer func() { stop(); <-done }()
		var targets httpapi.Page[metrics.TargetView]
		waitFor(t, "the target is listed", func() bool {
			return call("GET", "/api/v1/sources/embedded/targets", nil, &targets) == 200 && len(targets.Items) == 1
		})
		if got := targets.Items[0]; got.Job != "shop" || got.Up || got.Labels["job"] != "shop" {
			t.Errorf("targets: %+v", got)
		}
		var result metrics.QueryResult
		q := url.Values{"query": {"x or vector(0)/0"}, "time": {now.Format(time.RFC3339)}}
		if code := call("GET", "/api/v1/query", q, &result); code != 200 || result.Total != 2 || *result.Series[0].Values[0] != 2 || result.Series[1].Values[0] != nil {
			t.Errorf("query: %d %+v", code, result)
		}
		q = url.Values{"query": {"x"}, "from": {now.Add(-time.Minute).Format(time.RFC3339)}, "to": {now.Format(time.RFC3339)}, "step": {"1m"}}
		if code := call("GET", "/api/v1/query_range", q, &result); code != 200 || len(result.Series[0].Times) != 2 || !result.Series[0].Times[1].Equal(now) {
			t.Errorf("range: %d %+v", code, result)
		}
		var problem httpapi.Problem
		if code := call("GET", "/api/v1/query", url.Values{"query": {"sum(x"}}, &problem); code != 422 || problem.Where == nil || problem.Where.Column != 6 || !strings.Contains(problem.Detail, "括弧") {
			t.Errorf("a bad expression: %d %+v", code, problem)
		}
		q.Set("step", "1ms")
		q.Set("from", now.Add(-24*time.Hour).Format(time.RFC3339))
		if code := call("GET", "/api/v1/query_range", q, &problem); code != 422 {
			t.Errorf("too many points: %d", code)
		}
		if code := call("GET", "/api/v1/query", url.Values{"query": {"x"}, "source": {"other"}}, &problem); code != 404 {
			t.Errorf("an unknown source: %d", code)
		}
	})
}

func TestConnectionDetailsMayBeAListOfFields(t *testing.T) {
	s := start(t, dbtest.Open(t, dbtest.SQLite(t), dbtest.Room{Name: "ascode", Files: ascode.Migrations}, dbtest.Room{Name: "metrics", Files: metrics.Migrations}))
	if err := s.apply(t, document("listed", "    - url: http://127.0.0.1:1\n    - timeout: 5s\n")); err != nil {
		t.Error(err)
	}
	if err := s.apply(t, document("listed", "    - http://127.0.0.1:1\n")); err == nil {
		t.Error("a list of something else is accepted")
	}
}

package app_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/httpapi"
)

// serve runs a server for the test and returns it.
func serve(t *testing.T, change ...func(c *app.Config)) *app.App {
	t.Helper()
	c := app.DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", t.TempDir()
	for _, f := range change {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a, err := app.New(ctx, c, app.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return a
}

// get asks the server, as whom the token says.
func get(t *testing.T, a *app.App, method, path, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, a.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := (&http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// address splits a pattern and puts something into its variables.
func address(pattern string) (method, path string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodGet, pattern
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, "{") {
			parts[i] = "x"
		}
	}
	return method, strings.Join(parts, "/")
}

// public lists everything that anybody may ask for without signing in. A new
// line here is a decision.
//
// What takes alerts in asks for the key of an integration itself.
var public = []string{
	"/api/v1/alerts/beat/{key}",
	"/api/v1/alerts/in/{key}",
	"/v2/heartbeats/{name}/ping",
	"GET /ack/{token}",
	"GET /calendar/{secret}/oncall.ics",
	"GET /docs",
	"GET /docs/style.css",
	"GET /openapi.json",
	"GET /schemas/{file}",
	"POST /ack/{token}",
	"POST /api/v1/alerts/in",
	"POST /api/v2/alerts",
	"POST /v2/alerts",
	"POST /v2/alerts/{id}/acknowledge",
	"POST /v2/alerts/{id}/close",
	"POST /v2/enqueue",
}

func TestEveryOperationIsGuardedByAKnownScope(t *testing.T) {
	a := serve(t)
	if missing := a.API().Unguarded(); len(missing) > 0 {
		t.Errorf("operations without a scope: %v", missing)
	}
	known := append(access.AllScopes(), httpapi.Public, httpapi.SignedIn)
	var open []string
	for pattern, scope := range a.API().Scopes() {
		if !slices.Contains(known, scope) {
			t.Errorf("%s needs %q, which no role has", pattern, scope)
		}
		if scope == httpapi.Public {
			open = append(open, pattern)
		}
	}
	slices.Sort(open)
	open = slices.DeleteFunc(open, func(p string) bool {
		return strings.Contains(p, "/signin") || strings.Contains(p, "/setup") || strings.Contains(p, "/invite") || strings.Contains(p, "/signout")
	})
	if d := cmp.Diff(public, open); d != "" {
		t.Error("what is public changed:", d)
	}
}

func TestNothingButThePublicAnswersAStranger(t *testing.T) {
	a := serve(t)
	tried := 0
	for pattern, scope := range a.API().Scopes() {
		if scope == httpapi.Public {
			continue
		}
		method, path := address(pattern)
		if got := get(t, a, method, path, ""); got != http.StatusUnauthorized {
			t.Errorf("%s answers a stranger with %d", pattern, got)
		}
		tried++
	}
	if tried < 30 {
		t.Fatalf("only %d operations were tried", tried)
	}
}

func TestTokenOpensNothingBeyondItsScopes(t *testing.T) {
	a := serve(t)
	ctx := access.AsSystem(t.Context())
	u, err := a.Access.EnsureUser(ctx, access.NewUser{Login: "admin@example.com", Name: "Administrator", Role: access.Admin})
	if err != nil {
		t.Fatal(err)
	}
	ctx = access.WithPrincipal(ctx, access.Principal{Kind: access.Person, UserID: u.ID, Role: access.Admin, Scopes: access.AllScopes()})
	token, _, err := a.Access.IssueToken(ctx, access.NewToken{Name: "narrow", Scopes: []httpapi.Scope{access.CatalogRead}})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, a, http.MethodGet, "/api/v1/services", token); got != http.StatusOK {
		t.Fatalf("its own scope: %d", got)
	}
	for pattern, scope := range a.API().Scopes() {
		if slices.Contains([]httpapi.Scope{httpapi.Public, httpapi.SignedIn, access.CatalogRead}, scope) {
			continue
		}
		method, path := address(pattern)
		if got := get(t, a, method, path, token); got != http.StatusForbidden {
			t.Errorf("%s (%s) answers a token without the scope with %d", pattern, scope, got)
		}
	}
}

func TestOpenAPIOfTheWebIsFresh(t *testing.T) {
	spec, err := app.Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile("../web/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(stored), string(spec)); d != "" {
		t.Error("web/openapi.json is stale: run make generate")
	}
}

func TestHealthAndReadinessNeedNoSignIn(t *testing.T) {
	a := serve(t)
	for _, path := range []string{"/healthz", "/readyz", "/signin"} {
		if got := get(t, a, http.MethodGet, path, ""); got != http.StatusOK {
			t.Errorf("%s: %d", path, got)
		}
	}
	if got := get(t, a, http.MethodGet, "/metrics", ""); got != http.StatusUnauthorized {
		t.Errorf("/metrics: %d", got)
	}
	open := serve(t, func(c *app.Config) { c.PublicMetrics = true })
	if got := get(t, open, http.MethodGet, "/metrics", ""); got != http.StatusOK {
		t.Errorf("/metrics made public: %d", got)
	}
}

func TestTwoServersDoNotShareAFolder(t *testing.T) {
	dir := t.TempDir()
	serve(t, func(c *app.Config) { c.Data = dir })
	c := app.DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", dir
	if _, err := app.New(t.Context(), c, app.Options{}); err == nil || !strings.Contains(err.Error(), "another server") {
		t.Fatal(err)
	}
}

func TestDataFolderIsTheServersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	serve(t, func(c *app.Config) { c.Data = dir })
	for _, path := range []string{dir, filepath.Join(dir, "teiten.db"), filepath.Join(dir, "lock")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}

package journal_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/httpapi"
)

// TestWithheldEntriesAreNotThere: neither in the list, nor by a search, nor by
// their id, nor in the live feed, and only for whom they are withheld.
func TestWithheldEntriesAreNotThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		j := journal.New(db, time.Now)
		type trusted struct{}
		j.Withhold = func(ctx context.Context) []string {
			if ctx.Value(trusted{}) != nil {
				return nil
			}
			return []string{"access.*"}
		}
		a := httpapi.New(httpapi.Options{Authorizer: httpapi.AuthorizerFunc(func(r *http.Request, _ httpapi.Scope) (context.Context, error) {
			if r.Header.Get("X-Trusted") != "" {
				return context.WithValue(r.Context(), trusted{}, true), nil
			}
			return r.Context(), nil
		})})
		j.Register(a)
		srv := httptest.NewServer(a.Handler())
		t.Cleanup(func() { a.Close(); srv.Close() })
		get := func(path string, trusted bool) (int, string) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if trusted {
				r.Header.Set("X-Trusted", "yes")
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var seen strings.Builder
			for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
				seen.WriteString(lines.Text() + "\n")
				if strings.HasPrefix(lines.Text(), "data: ") && strings.Contains(lines.Text(), "last") {
					break
				}
			}
			return resp.StatusCode, seen.String()
		}
		first := appendOne(t, db, j, deployed("first"))
		secret := appendOne(t, db, j, journal.Draft{Kind: "access.signed_in", Subject: "user:1", Data: map[string]string{"address": "192.0.2.7"}})
		appendOne(t, db, j, deployed("last"))
		for _, path := range []string{
			"/api/v1/journal", "/api/v1/journal?q=192.0.2.7", "/api/v1/journal?kind=access.signed_in", "/api/v1/journal?subject=user:1",
			"/api/v1/journal/entries/" + secret.ID, "/api/v1/journal/stream?after=" + first.ID,
		} {
			if _, body := get(path, true); !strings.Contains(body, "192.0.2.7") {
				t.Errorf("%s hides it from everybody: %s", path, body)
			}
			if _, body := get(path, false); strings.Contains(body, "192.0.2.7") || strings.Contains(body, "signed_in") {
				t.Errorf("%s shows it: %s", path, body)
			}
		}
		if status, _ := get("/api/v1/journal/entries/"+secret.ID, false); status != 404 {
			t.Errorf("its id tells that it is there: %d", status)
		}
	}, room)
}

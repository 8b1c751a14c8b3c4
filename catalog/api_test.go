package catalog

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/teiten/teiten/kit/httpapi"
)

func TestTheCatalogOverHTTP(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.mustApply(t, shop)
		api := httpapi.New(httpapi.Options{Title: "test", Authorizer: httpapi.AuthorizerFunc(
			func(req *http.Request, _ httpapi.Scope) (context.Context, error) { return req.Context(), nil })})
		r.Register(api)
		server := httptest.NewServer(api.Handler())
		defer server.Close()
		get := func(path string, status int, out any) {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != status {
				t.Fatalf("GET %s answered %d, want %d", path, resp.StatusCode, status)
			}
			if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
				t.Fatal(err)
			}
		}

		var seen []string
		for next, pages := "", 0; pages < 5; pages++ {
			var page httpapi.Page[Entity]
			get("/api/v1/services?limit=1&sort=owner&cursor="+next, 200, &page)
			if page.Total == nil || *page.Total != 2 {
				t.Errorf("the total is that of all pages: %v", page.Total)
			}
			for _, e := range page.Items {
				seen = append(seen, e.Short)
			}
			if next = page.Next; next == "" {
				break
			}
		}
		if len(seen) != 2 || seen[0] != "checkout" || seen[1] != "payment" {
			t.Errorf("paged through %v", seen)
		}

		var service Page
		get("/api/v1/services/checkout", 200, &service)
		if service.Owner != "payments" || service.ManagedBy != "code:shop" || len(service.DependsOn) != 1 || service.DependsOn[0].Ref != "component:default/payment" {
			t.Errorf("got %+v", service)
		}
		var team Page
		get("/api/v1/teams/payments", 200, &team)
		if len(team.Members) != 1 || team.Members[0].Title != "佐藤" || len(team.Owns) != 5 {
			t.Errorf("got %+v", team)
		}
		var teams httpapi.Page[Team]
		get("/api/v1/teams", 200, &teams)
		if len(teams.Items) != 1 || teams.Items[0].Services != 2 {
			t.Errorf("got %+v", teams)
		}
		var people httpapi.Page[Entity]
		get("/api/v1/people?q=佐", 200, &people)
		if len(people.Items) != 1 || people.Items[0].Subject != "person:sato" {
			t.Errorf("got %+v", people)
		}
		var entity Page
		get("/api/v1/entities/system/default/money", 200, &entity)
		if len(entity.Parts) != 2 {
			t.Errorf("got %+v", entity.Parts)
		}
		var problem httpapi.Problem
		get("/api/v1/services/nothing", 404, &problem)
		get("/api/v1/services?cursor=abc", 422, &problem)
		get("/api/v1/services?sort=mood", 422, &problem)
	})
}

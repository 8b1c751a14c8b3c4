package ascode

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
)

func TestPlansAreMadeOneAtATimeAndNotForEver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		e := NewEngine(db, registry(&house{}), nil)
		e.planTime = 50 * time.Millisecond
		e.planning <- struct{}{} // somebody else's goes on and on
		r := Request{DryRun: true, Files: files(lampDoc("hall"))}
		_, err := e.planInTurn(t.Context(), r)
		if f, ok := fault.As(err); !ok || f.Code != "ascode.plan_time" || f.Kind != fault.Limited || f.RetryAfter == 0 {
			t.Errorf("while another is made: %v", err)
		}
		<-e.planning
		e.planTime = time.Nanosecond
		if _, err := e.planInTurn(t.Context(), r); code(err) != "ascode.plan_time" {
			t.Errorf("one that takes too long: %v", err)
		}
		e.planTime = time.Minute
		if p, err := e.planInTurn(t.Context(), r); err != nil || p.Added != 1 {
			t.Errorf("the place is not free again: %v, %v", p, err)
		}
	}, dbtest.Room{Name: "ascode", Files: Migrations})
}

// caller speaks to the API as somebody who may do everything.
type caller struct {
	t      *testing.T
	server *httptest.Server
}

func eachAPI(t *testing.T, f func(t *testing.T, c caller)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		api := httpapi.New(httpapi.Options{Title: "test", Authorizer: httpapi.AuthorizerFunc(allow)})
		NewEngine(db, registry(&house{}), nil).Register(api)
		server := httptest.NewServer(api.Handler())
		t.Cleanup(server.Close)
		f(t, caller{t, server})
	}, dbtest.Room{Name: "ascode", Files: Migrations})
}

// send returns the answer's status, its ETag, and its body read into out.
func (c caller) send(method, path, body string, header http.Header, out any) (int, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := c.server.Client().Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if text, ok := out.(*string); ok {
		*text = string(data)
	} else if out != nil {
		if err := json.Unmarshal(data, out); err != nil {
			c.t.Fatalf("%s %s answered %d %s: %v", method, path, resp.StatusCode, data, err)
		}
	}
	return resp.StatusCode, resp.Header.Get("ETag")
}

func (c caller) want(status int, method, path, body string, header http.Header, out any) string {
	c.t.Helper()
	got, etag := c.send(method, path, body, header, out)
	if got != status {
		c.t.Fatalf("%s %s answered %d, want %d: %+v", method, path, got, status, out)
	}
	return etag
}

func applyJSON(t *testing.T, extra map[string]any, docs ...string) string {
	t.Helper()
	body := map[string]any{"set": "shop", "files": files(docs...)}
	for k, v := range extra {
		body[k] = v
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestDocumentsOverHTTP(t *testing.T) {
	eachAPI(t, func(t *testing.T, c caller) {
		var plan PlanView
		c.want(200, "POST", "/api/v1/plan", applyJSON(t, nil, lampDoc("hall")), nil, &plan)
		if !plan.DryRun || plan.Added != 1 {
			t.Fatalf("got %+v", plan)
		}
		c.want(404, "GET", "/api/v1/documents/lamps/default/hall", "", nil, nil)
		c.want(200, "POST", "/api/v1/apply", applyJSON(t, map[string]any{"confirm": plan.Digest}, lampDoc("hall")), nil, &plan)

		var stored Stored
		etag := c.want(200, "GET", "/api/v1/documents/lamps/default/hall", "", nil, &stored)
		if etag != `"r1"` || stored.ManagedBy != "code:shop" || stored.File != "1.yaml" {
			t.Errorf("got %s %+v", etag, stored)
		}
		var problem httpapi.Problem
		c.want(409, "PUT", "/api/v1/documents/Lamp/default/hall", lampDoc("hall", "note: x"), http.Header{"Content-Type": {"application/yaml"}}, &problem)
		if problem.Code != "ascode.from_code" || problem.Where == nil || problem.Where.File != "1.yaml" {
			t.Errorf("got %+v", problem)
		}
		var page httpapi.Page[Stored]
		c.want(200, "GET", "/api/v1/documents?kind=lamps&q=HAL&set=shop", "", nil, &page)
		if len(page.Items) != 1 || page.Items[0].Name != "hall" {
			t.Errorf("got %+v", page)
		}
		var exported string
		c.want(200, "GET", "/api/v1/documents/export?kind=lamps", "", nil, &exported)
		c.want(200, "POST", "/api/v1/plan", applyJSON(t, nil, exported), nil, &plan)
		if plan.Same != 1 {
			t.Errorf("the export does not apply to the same: %+v of %s", plan, exported)
		}
		c.want(409, "DELETE", "/api/v1/documents/lamps/default/hall", "", http.Header{"If-Match": {"*"}}, &problem)
		c.want(200, "DELETE", "/api/v1/documents/lamps/default/hall?set=shop", "", nil, &plan)
		c.want(404, "GET", "/api/v1/documents/lamps/default/hall", "", nil, nil)
	})
}

func TestEditsOverHTTPNameTheirVersion(t *testing.T) {
	eachAPI(t, func(t *testing.T, c caller) {
		const path = "/api/v1/documents/lamps/default/desk"
		yaml := http.Header{"Content-Type": {"application/yaml"}}
		etag := c.want(200, "PUT", path, lampDoc("desk"), yaml, nil)
		c.want(428, "PUT", path, lampDoc("desk", "note: a"), yaml, nil)
		c.want(200, "PUT", path, lampDoc("desk", "note: a"), http.Header{"Content-Type": {"application/yaml"}, "If-Match": {etag}}, nil)
		c.want(412, "PUT", path, lampDoc("desk", "note: b"), http.Header{"Content-Type": {"application/yaml"}, "If-Match": {etag}}, nil)
		c.want(428, "DELETE", path, "", nil, nil)
		c.want(200, "DELETE", path, "", http.Header{"If-Match": {`"r2"`}}, nil)
	})
}

func TestProblemsOverHTTPNameTheLineInTheReadersLanguage(t *testing.T) {
	eachAPI(t, func(t *testing.T, c caller) {
		var problem httpapi.Problem
		c.want(422, "POST", "/api/v1/apply", applyJSON(t, nil, lampDoc("hall", "wat: 1", "on: x")), http.Header{"Accept-Language": {"ja"}}, &problem)
		if len(problem.Errors) != 2 || problem.Errors[0].Where.Line != 7 || !strings.Contains(problem.Errors[0].Remedy, "間違いではありませんか") {
			t.Errorf("got %+v", problem)
		}
	})
}

func TestSchemasDescribeEveryKind(t *testing.T) {
	eachAPI(t, func(t *testing.T, c caller) {
		var kinds struct{ Items []KindView }
		c.want(200, "GET", "/api/v1/kinds", "", nil, &kinds)
		if len(kinds.Items) != 1 || kinds.Items[0].Schema != "/schemas/lamps.json" {
			t.Fatalf("got %+v", kinds)
		}
		var schema struct {
			Schema     string         `json:"$schema"`
			Defs       map[string]any `json:"$defs"`
			Required   []string       `json:"required"`
			Properties map[string]struct {
				Enum []string `json:"enum"`
			} `json:"properties"`
		}
		c.want(200, "GET", "/schemas/lamps.json", "", nil, &schema)
		if got := schema.Properties["apiVersion"].Enum; len(got) != 2 || schema.Properties["kind"].Enum[0] != "Lamp" || schema.Schema != draft {
			t.Errorf("got %+v", schema)
		}
		spec, _ := schema.Defs["AscodeLampSpec"].(map[string]any)
		meta, _ := schema.Defs["AscodeLampMeta"].(map[string]any)
		if spec["additionalProperties"] != true || meta["additionalProperties"] != false {
			t.Errorf("an open format is open and a strict one strict: %v, %v", spec, meta)
		}
		c.want(404, "GET", "/schemas/lamp.yaml", "", nil, nil)
		c.want(404, "GET", "/schemas/nothing.json", "", nil, nil)
		var all map[string]any
		c.want(200, "GET", "/schemas/teiten.json", "", nil, &all)
	})
}

func allow(r *http.Request, _ httpapi.Scope) (context.Context, error) { return r.Context(), nil }

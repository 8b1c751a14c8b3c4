package httpapi

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

func TestDocsAreReadableWithoutScriptsOrOtherServers(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{ID: "list-things", Method: "GET", Path: "/api/v1/things", Scope: "thing:read", Tag: "Things", Summary: "Every <thing>"},
		func(context.Context, *PageIn) (*struct{ Body Page[thing] }, error) { return nil, nil })
	en, ja := w.do("GET", "/docs", "").Body.String(), w.do("GET", "/docs", "", "Accept-Language: ja").Body.String()
	for _, want := range []string{"/api/v1/things", "thing:read", "Every &lt;thing&gt;", "How many items to answer at most.", "<html lang=\"en\">"} {
		if !strings.Contains(en, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if !strings.Contains(ja, "操作") || !strings.Contains(ja, "<html lang=\"ja\">") {
		t.Error("no Japanese page")
	}
	if regexp.MustCompile(`(?i)<script|style=|https?://|//cdn`).MatchString(en) {
		t.Error("the page loads something it may not")
	}
	if css := w.do("GET", "/docs/style.css", ""); css.Code != 200 || !strings.HasPrefix(css.Header().Get("Content-Type"), "text/css") {
		t.Errorf("style: %d", css.Code)
	}
}

func TestSpecIsOpenAPI31AndAlwaysTheSame(t *testing.T) {
	make1 := func() string {
		w := newWorld(t)
		Register(w.API, Op{ID: "echo", Method: "POST", Path: "/api/echo", Scope: "thing:write"}, echo)
		Register(w.API, Op{ID: "list", Method: "GET", Path: "/api/list", Scope: "thing:read"},
			func(context.Context, *PageIn) (*struct{ Body Page[thing] }, error) { return nil, nil })
		return w.do("GET", "/openapi.json", "").Body.String()
	}
	first := make1()
	for range 5 {
		if make1() != first {
			t.Fatal("the document changes from one run to the next")
		}
	}
	var spec struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			Scope string `json:"x-scope"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Type any `json:"type"`
				} `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal([]byte(first), &spec); err != nil {
		t.Fatal(err)
	}
	if spec.OpenAPI != "3.1.0" || spec.Paths["/api/echo"]["post"].Scope != "thing:write" {
		t.Errorf("%+v", spec)
	}
	if _, ok := spec.Components.Schemas["Problem"].Properties["remedy"]; !ok {
		t.Error("the problem is not described")
	}
	if items := spec.Components.Schemas["PageThing"].Properties["items"].Type; items != "array" {
		t.Errorf("items is of type %v", items)
	}
}

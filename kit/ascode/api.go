package ascode

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

// The scopes of the operations.
const (
	scopeRead  httpapi.Scope = "ascode:read"
	scopeWrite httpapi.Scope = "ascode:write"
)

// maxApplyBytes is how large the files of one apply may be together.
const maxApplyBytes = 48 << 20

// planLimit is how often one caller may have a plan made: it keeps others from
// writing for as long as it takes.
var planLimit = httpapi.RateLimit{Burst: 20, Every: 3 * time.Second}

const tag = "As code"

// Register adds the operations of documents to the API.
func (e *Engine) Register(a *httpapi.API) {
	httpapi.Register(a, httpapi.Op{ID: "apply", Method: http.MethodPost, Path: "/api/v1/apply", Scope: scopeWrite, Tag: tag, MaxBody: maxApplyBytes,
		Summary:     "Apply documents",
		Description: "Applies every document of the files in one transaction, or none. With dryRun nothing is changed; with prune the documents of the set that the files no longer hold are removed, and confirm must be the digest of the plan that was shown."},
		e.apiApply)
	httpapi.Register(a, httpapi.Op{ID: "plan", Method: http.MethodPost, Path: "/api/v1/plan", Scope: scopeRead, Tag: tag, MaxBody: maxApplyBytes,
		RateLimit: planLimit,
		Summary:   "Show what an apply would do"}, e.apiPlan)
	httpapi.Register(a, httpapi.Op{ID: "list-documents", Method: http.MethodGet, Path: "/api/v1/documents", Scope: scopeRead, Tag: tag,
		Summary: "List documents"}, e.apiList)
	httpapi.Register(a, httpapi.Op{ID: "export-documents", Method: http.MethodGet, Path: "/api/v1/documents/export", Scope: scopeRead, Tag: tag,
		Summary: "Write documents as YAML that applies to the same"}, e.apiExport)
	httpapi.Register(a, httpapi.Op{ID: "get-document", Method: http.MethodGet, Path: "/api/v1/documents/{kind}/{namespace}/{name}", Scope: scopeRead, Tag: tag,
		Summary: "Read a document"}, e.apiGet)
	httpapi.Register(a, httpapi.Op{ID: "put-document", Method: http.MethodPut, Path: "/api/v1/documents/{kind}/{namespace}/{name}", Scope: scopeWrite, Tag: tag,
		Summary: "Create or change a document that is managed in the browser"}, e.apiPut)
	httpapi.Register(a, httpapi.Op{ID: "delete-document", Method: http.MethodDelete, Path: "/api/v1/documents/{kind}/{namespace}/{name}", Scope: scopeWrite, Tag: tag,
		Summary: "Delete a document"}, e.apiDelete)
	httpapi.Register(a, httpapi.Op{ID: "list-kinds", Method: http.MethodGet, Path: "/api/v1/kinds", Scope: httpapi.SignedIn, Tag: tag,
		Summary: "List the kinds of document"}, e.apiKinds)
	a.Handle("GET /schemas/{file}", httpapi.Public, e.serveSchema(a))
}

type applyIn struct {
	Body struct {
		Set     string `json:"set,omitempty" maxLength:"63" doc:"What belongs together; \"default\" where absent; \"browser\" for documents that are edited in the browser."`
		Files   []File `json:"files" maxItems:"20000"`
		DryRun  bool   `json:"dryRun,omitempty"`
		Prune   bool   `json:"prune,omitempty" doc:"Remove the documents of the set that the files no longer hold."`
		Confirm string `json:"confirm,omitempty" maxLength:"64" doc:"The digest of the plan that was shown."`
	}
}

func (in *applyIn) request() Request {
	b := in.Body
	return Request{Set: b.Set, Files: b.Files, DryRun: b.DryRun, Prune: b.Prune, Confirm: b.Confirm}
}

// PlanView is a plan as the API tells it.
type PlanView struct {
	Plan
	Warnings []httpapi.ProblemPart `json:"warnings,omitempty" doc:"What is allowed and yet deserves a look."`
}

type planOut struct{ Body PlanView }

func viewOf(ctx context.Context, p Plan) *planOut {
	v := PlanView{Plan: p}
	lang := text.LangFrom(ctx)
	for _, w := range p.Warnings {
		part := httpapi.ProblemPart{Detail: w.What.In(lang), Code: w.Code, Remedy: w.Remedy.In(lang), Field: w.Field}
		if !w.Where.IsZero() {
			where := w.Where
			part.Where = &where
		}
		v.Warnings = append(v.Warnings, part)
	}
	return &planOut{v}
}

func (e *Engine) apiApply(ctx context.Context, in *applyIn) (*planOut, error) {
	p, err := e.Apply(ctx, in.request())
	if err != nil {
		return nil, err
	}
	return viewOf(ctx, p), nil
}

func (e *Engine) apiPlan(ctx context.Context, in *applyIn) (*planOut, error) {
	r := in.request()
	r.DryRun = true
	p, err := e.planInTurn(ctx, r)
	if err != nil {
		return nil, err
	}
	return viewOf(ctx, p), nil
}

// planInTurn makes one plan at a time and bounds how long it takes: a plan is an
// apply that is undone, and whoever may read may ask for one.
func (e *Engine) planInTurn(ctx context.Context, r Request) (Plan, error) {
	timed, cancel := context.WithTimeout(ctx, e.planTime)
	defer cancel()
	select {
	case e.planning <- struct{}{}:
		defer func() { <-e.planning }()
	case <-timed.Done():
		return Plan{}, planTooLong(ctx)
	}
	p, err := e.Apply(timed, r)
	if timed.Err() != nil {
		return Plan{}, planTooLong(ctx)
	}
	return p, err
}

func planTooLong(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.New(fault.Limited, "ascode.plan_time",
		text.Say("the plan takes too long", "計画の作成に時間がかかりすぎています")).
		Fix(text.Say("try again later, or send fewer files at once", "時間をおいて再試行するか、一度に送るファイルを減らしてください")).
		After(30 * time.Second)
}

type listIn struct {
	httpapi.PageIn
	FilterIn
}

// FilterIn chooses documents.
type FilterIn struct {
	Kind  string `query:"kind" maxLength:"63" doc:"A kind or its plural: SLO, slos."`
	Set   string `query:"set" maxLength:"63" doc:"The set it was applied in, or browser."`
	Owner string `query:"owner" maxLength:"200"`
	Query string `query:"q" maxLength:"200" doc:"Part of the name."`
	Name  string `query:"name" maxLength:"63" doc:"Exactly this name."`
}

func (in FilterIn) filter() Filter {
	return Filter{Kind: in.Kind, Set: in.Set, Owner: in.Owner, Query: in.Query, Name: in.Name}
}

type listOut struct{ Body httpapi.Page[Stored] }

const listName = "documents"

func (e *Engine) apiList(ctx context.Context, in *listIn) (*listOut, error) {
	f := in.filter()
	f.Limit = in.Limit
	if in.Cursor != "" {
		if err := httpapi.DecodeCursor(listName, in.Cursor, &f.After); err != nil {
			return nil, err
		}
	}
	docs, next, err := e.List(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &listOut{Body: httpapi.Page[Stored]{Items: docs}}
	if next != "" {
		out.Body.Next = httpapi.EncodeCursor(listName, next)
	}
	return out, nil
}

type exportOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (e *Engine) apiExport(ctx context.Context, in *FilterIn) (*exportOut, error) {
	yaml, err := e.Export(ctx, in.filter())
	if err != nil {
		return nil, err
	}
	return &exportOut{ContentType: "application/yaml; charset=utf-8", Body: []byte(yaml)}, nil
}

// KeyIn is the address of one document.
type KeyIn struct {
	Kind      string `path:"kind" maxLength:"63"`
	Namespace string `path:"namespace" maxLength:"63"`
	Name      string `path:"name" maxLength:"63"`
}

func (in KeyIn) key() Key { return Key(in) }

type storedOut struct {
	ETag string `header:"ETag"`
	Body Stored
}

func (e *Engine) apiGet(ctx context.Context, in *KeyIn) (*storedOut, error) {
	s, err := e.Get(ctx, in.key())
	if err != nil {
		return nil, err
	}
	return &storedOut{ETag: s.ETag(), Body: s}, nil
}

type putIn struct {
	KeyIn
	httpapi.IfMatch
	RawBody []byte `contentType:"application/yaml" doc:"The document, as YAML or JSON."`
}

func (e *Engine) apiPut(ctx context.Context, in *putIn) (*storedOut, error) {
	s, err := e.Put(ctx, Edit{Key: in.key(), Data: string(in.RawBody), Match: in.Check})
	if err != nil {
		return nil, err
	}
	return &storedOut{ETag: s.ETag(), Body: s}, nil
}

type deleteIn struct {
	KeyIn
	httpapi.IfMatch
	Set    string `query:"set" maxLength:"63" doc:"The set that a document from code belongs to."`
	DryRun bool   `query:"dryRun"`
}

func (e *Engine) apiDelete(ctx context.Context, in *deleteIn) (*planOut, error) {
	r := Removal{Keys: []Key{in.key()}, Set: in.Set, DryRun: in.DryRun, Match: in.Check}
	if in.Set != "" || in.DryRun {
		r.Match = nil // the files decide, or nothing is changed
	}
	p, err := e.Delete(ctx, r)
	if err != nil {
		return nil, err
	}
	return viewOf(ctx, p), nil
}

// KindView is one kind as the API tells it.
type KindView struct {
	APIVersion   string   `json:"apiVersion"`
	AlsoVersions []string `json:"alsoVersions,omitempty"`
	Kind         string   `json:"kind"`
	ID           string   `json:"id" doc:"The plural that the command line uses."`
	Title        string   `json:"title"`
	Schema       string   `json:"schema" doc:"Where its JSON Schema is."`
}

type kindsOut struct {
	Body struct {
		Items []KindView `json:"items"`
	}
}

func (e *Engine) apiKinds(ctx context.Context, _ *struct{}) (*kindsOut, error) {
	out := &kindsOut{}
	for _, k := range e.registry.Kinds() {
		out.Body.Items = append(out.Body.Items, KindView{APIVersion: k.APIVersion, AlsoVersions: k.AlsoVersions, Kind: k.Kind, ID: k.ID,
			Title: k.Title.In(text.LangFrom(ctx)), Schema: "/schemas/" + k.ID + ".json"})
	}
	return out, nil
}

// serveSchema serves the JSON Schema of a kind, and at teiten.json that of all.
func (e *Engine) serveSchema(a *httpapi.API) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, ok := strings.CutSuffix(r.PathValue("file"), ".json")
		var schema []byte
		var err error
		switch {
		case !ok:
			err = fault.New(fault.NotFound, "ascode.schema", text.Say("there is no such schema", "そのスキーマはありません")).
				Fix(text.Say("ask for /schemas/teiten.json", "/schemas/teiten.json を使ってください"))
		case name == "teiten":
			schema, err = e.registry.AllSchemas()
		default:
			schema, err = e.registry.Schema(name)
		}
		if err != nil {
			a.WriteError(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/schema+json")
		_, _ = w.Write(schema) // a client that went away needs no answer
	}
}

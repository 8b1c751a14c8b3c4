package httpapi

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teiten/teiten/kit/text"
)

//go:embed docs.html docs.css
var docsFiles embed.FS

var docsPage = template.Must(template.ParseFS(docsFiles, "docs.html"))

// docs is the OpenAPI document as it is served, made at the first request for
// it: by then every room has registered.
type docs struct {
	once sync.Once
	spec []byte
}

func (a *API) registerDocs() {
	a.Handle("GET /openapi.json", Public, http.HandlerFunc(a.serveSpec))
	a.Handle("GET /docs", Public, http.HandlerFunc(a.serveDocs))
	a.Handle("GET /docs/style.css", Public, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		css, _ := docsFiles.ReadFile("docs.css") // embedded
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=3600")
		_, _ = w.Write(css) // the reader may be gone
	}))
}

// Spec is the OpenAPI 3.1 document as JSON, indented, in a stable order, so that
// clients can be generated from it and compared.
func (a *API) Spec() ([]byte, error) {
	raw, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	var tidy any
	if err := json.Unmarshal(raw, &tidy); err != nil {
		return nil, fmt.Errorf("read the OpenAPI document back: %w", err)
	}
	out, err := json.MarshalIndent(tidy, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("indent the OpenAPI document: %w", err)
	}
	return append(out, '\n'), nil
}

func (a *API) serveSpec(w http.ResponseWriter, r *http.Request) {
	a.docs.once.Do(func() {
		spec, err := a.Spec()
		if err != nil {
			a.log.ErrorContext(r.Context(), "OpenAPI document not written", "error", err)
			return
		}
		a.docs.spec = spec
	})
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(a.docs.spec) // the reader may be gone
}

type docsView struct {
	Lang, Title, Version string
	Words                map[string]string
	Groups               []docsGroup
	Schemas              []docsSchema
}

type docsGroup struct {
	Name string
	Ops  []docsOp
}

type docsOp struct {
	ID, Method, Path, Summary, Description, Scope string
	Params                                        []docsField
	Body, Answer                                  string
}

type docsField struct {
	Name, In, Type, Doc string
	Required            bool
}

type docsSchema struct {
	Name   string
	Doc    string
	Fields []docsField
}

func (a *API) serveDocs(w http.ResponseWriter, r *http.Request) {
	lang := text.LangFrom(r.Context())
	spec := a.huma.OpenAPI()
	view := docsView{
		Lang: string(lang), Title: spec.Info.Title, Version: spec.Info.Version,
		Words: docsWords(lang), Groups: docsGroups(spec), Schemas: docsSchemas(spec),
	}
	var page bytes.Buffer
	if err := docsPage.Execute(&page, view); err != nil {
		a.WriteError(w, r, fmt.Errorf("write the documentation page: %w", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(page.Bytes()) // the reader may be gone
}

func docsGroups(spec *huma.OpenAPI) []docsGroup {
	byTag := map[string][]docsOp{}
	for path, item := range spec.Paths {
		for method, op := range methods(item) {
			if op == nil {
				continue
			}
			tag := "Other"
			if len(op.Tags) > 0 {
				tag = op.Tags[0]
			}
			byTag[tag] = append(byTag[tag], docsOperation(method, path, op))
		}
	}
	var groups []docsGroup
	for _, tag := range slices.Sorted(maps.Keys(byTag)) {
		ops := byTag[tag]
		slices.SortFunc(ops, func(a, b docsOp) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
		})
		groups = append(groups, docsGroup{Name: tag, Ops: ops})
	}
	return groups
}

func docsOperation(method, path string, op *huma.Operation) docsOp {
	scope, _ := op.Extensions["x-scope"].(string)
	d := docsOp{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary, Description: op.Description, Scope: scope}
	for _, p := range op.Parameters {
		d.Params = append(d.Params, docsField{Name: p.Name, In: p.In, Type: typeName(p.Schema), Doc: p.Description, Required: p.Required})
	}
	if op.RequestBody != nil {
		d.Body = contentName(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		if strings.HasPrefix(status, "2") {
			d.Answer = strings.TrimSpace(status + " " + contentName(op.Responses[status].Content))
		}
	}
	return d
}

func contentName(content map[string]*huma.MediaType) string {
	if j, ok := content["application/json"]; ok {
		return typeName(j.Schema)
	}
	return strings.Join(slices.Sorted(maps.Keys(content)), ", ")
}

func docsSchemas(spec *huma.OpenAPI) []docsSchema {
	all := spec.Components.Schemas.Map()
	var out []docsSchema
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := all[name]
		d := docsSchema{Name: name, Doc: s.Description}
		for _, prop := range slices.Sorted(maps.Keys(s.Properties)) {
			p := s.Properties[prop]
			d.Fields = append(d.Fields, docsField{
				Name: prop, Type: typeName(p), Doc: p.Description, Required: slices.Contains(s.Required, prop),
			})
		}
		out = append(out, d)
	}
	return out
}

// typeName writes a schema as a reader would say it: "SLOSummary[]".
func typeName(s *huma.Schema) string {
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Type == huma.TypeArray:
		return typeName(s.Items) + "[]"
	case len(s.Enum) > 0:
		var values []string
		for _, v := range s.Enum {
			values = append(values, fmt.Sprint(v))
		}
		return strings.Join(values, " | ")
	case s.Type == huma.TypeObject && s.AdditionalProperties != nil:
		if in, ok := s.AdditionalProperties.(*huma.Schema); ok {
			return "{ " + typeName(in) + " }"
		}
		return "object"
	case s.Format != "":
		return s.Type + " (" + s.Format + ")"
	case s.Type == "":
		return "any"
	}
	return s.Type
}

func docsWords(l text.Lang) map[string]string {
	words := map[string]text.Both{
		"intro": text.Say("Every operation of the HTTP API. Send a token as Authorization: Bearer tt_…; a browser's session works as well. Problems follow RFC 9457, in the language of Accept-Language.",
			"HTTP API の全操作です。トークンは Authorization: Bearer tt_… で送ります。ブラウザのセッションも使えます。エラーは RFC 9457 の形式で、Accept-Language の言語で返ります。"),
		"spec":       text.Say("OpenAPI 3.1 document", "OpenAPI 3.1 文書"),
		"operations": text.Say("Operations", "操作"),
		"schemas":    text.Say("Types", "型"),
		"needs":      text.Say("Needs", "必要な権限"),
		"parameters": text.Say("Parameters", "パラメーター"),
		"body":       text.Say("Body", "本文"),
		"answer":     text.Say("Answers", "応答"),
		"name":       text.Say("Name", "名前"),
		"type":       text.Say("Type", "型"),
		"meaning":    text.Say("Meaning", "意味"),
		"required":   text.Say("required", "必須"),
		"back":       text.Say("Back to Teiten", "Teiten に戻る"),
		"other":      text.Say("日本語", "English"),
		"otherCode":  text.Say("ja", "en"),
	}
	out := make(map[string]string, len(words))
	for k, w := range words {
		out[k] = w.In(l)
	}
	return out
}

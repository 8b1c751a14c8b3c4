// Package httpapi is how every room speaks HTTP.
//
// It turns typed functions into operations of one documented API (OpenAPI 3.1),
// faults into problems in the reader's language (RFC 9457), and puts the same
// guards before everything that is served: who may (a scope for each
// operation), how much (body and rate limits), and from where (host, origin).
// It knows no room and no user: an Authorizer tells it who is asking.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Scope names what a caller must be allowed to do, such as "slo:read".
type Scope string

// The scopes that every caller or every signed-in caller has.
const (
	Public   Scope = "public"    // anybody, without signing in
	SignedIn Scope = "signed-in" // any person or token
)

// DefaultMaxBody is how many bytes a request's body may have where its
// operation says nothing else.
const DefaultMaxBody = 1 << 20

// largestBody is what no request may exceed, whatever its operation says.
const largestBody = 64 << 20

// Op describes one operation. ID, Method, Path and Scope are required; a GET
// answers 200 and an operation without a body in its output 204 unless Status
// says otherwise. MaxBody is in bytes.
type Op struct {
	ID, Method, Path string
	Scope            Scope
	Summary          string
	Description      string
	Tag              string
	MaxBody          int64
	RateLimit        RateLimit
	Status           int
	Hidden           bool // not in the OpenAPI document
}

// Authorizer decides whether the caller of r has a scope. The context it
// returns carries who that is (see WithCaller); a fault it returns is the
// answer. Unauthenticated and Forbidden make the usual ones.
type Authorizer interface {
	Authorize(r *http.Request, scope Scope) (context.Context, error)
}

// AuthorizerFunc is a function as an Authorizer.
type AuthorizerFunc func(r *http.Request, scope Scope) (context.Context, error)

// Authorize calls f.
func (f AuthorizerFunc) Authorize(r *http.Request, scope Scope) (context.Context, error) {
	return f(r, scope)
}

// Options configure an API. The zero value of each field has a sensible
// meaning: a missing Authorizer refuses everything that is not Public.
type Options struct {
	Title, Version string
	BaseURL        string         // where people reach it, "https://teiten.example.com"
	AllowedHosts   []string       // further names by which a loopback address may be addressed
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Log            *slog.Logger
	Authorizer     Authorizer
	Now            func() time.Time
	PerAddress     RateLimit     // of one address, before it is known who asks
	PerCaller      RateLimit     // of one person or token
	MaxStreams     int           // live streams of one caller at a time
	BodyTime       time.Duration // how long the body of a request may take to arrive; 30 s

	// Observe is told of each answer: the pattern that served it ("" for
	// none), its status, and how long it took.
	Observe func(pattern string, status int, took time.Duration)
}

// API collects operations and serves them.
type API struct {
	options Options
	base    *url.URL
	log     *slog.Logger
	now     func() time.Time
	mux     *http.ServeMux
	huma    huma.API

	addresses *limiter
	callers   *limiter
	machines  *limiter // of both, where machines call all the time
	streams   *streams

	mu      sync.RWMutex
	guarded map[string]Scope // pattern → scope
	intakes map[string]bool  // patterns of Intake

	docs docs
}

// New returns an API without operations, but with its own documentation at
// /openapi.json and /docs.
func New(o Options) *API {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.BodyTime <= 0 {
		o.BodyTime = 30 * time.Second
	}
	if o.Authorizer == nil {
		o.Authorizer = AuthorizerFunc(refuseAll)
	}
	base, err := url.Parse(o.BaseURL)
	if err != nil {
		base = &url.URL{}
	}
	a := &API{
		options: o, base: base, log: o.Log, now: o.Now,
		mux:       http.NewServeMux(),
		addresses: newLimiter(o.PerAddress.or(RateLimit{Burst: 600, Every: 20 * time.Millisecond}), o.Now),
		callers:   newLimiter(o.PerCaller.or(RateLimit{Burst: 400, Every: 20 * time.Millisecond}), o.Now),
		machines:  newLimiter(machineRate, o.Now),
		streams:   newStreams(o.MaxStreams),
		guarded:   map[string]Scope{},
		intakes:   map[string]bool{},
	}
	a.huma = humago.New(a.mux, a.config())
	a.registerDocs()
	return a
}

func refuseAll(r *http.Request, scope Scope) (context.Context, error) {
	if scope == Public {
		return r.Context(), nil
	}
	return nil, Unauthenticated()
}

// config is huma without what would load scripts from elsewhere or collide with
// the schemas of the kinds.
func (a *API) config() huma.Config {
	c := huma.DefaultConfig(a.options.Title, a.options.Version)
	c.CreateHooks = nil
	c.DocsPath, c.OpenAPIPath, c.SchemasPath = "", "", ""
	c.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token":   {Type: "http", Scheme: "bearer", Description: "A personal or service token: Authorization: Bearer tt_…"},
		"session": {Type: "apiKey", In: "cookie", Name: "teiten_session", Description: "The session of a person who signed in with a browser."},
	}
	if a.options.BaseURL != "" {
		c.Servers = []*huma.Server{{URL: strings.TrimRight(a.options.BaseURL, "/")}}
	}
	return c
}

// Register adds an operation. Input and output are huma's: fields tagged path,
// query and header, and a field Body. An error becomes a problem: a fault in
// full, any other error as nothing but a request id, with the rest in the log.
// It panics where ID, Method, Path or Scope is missing, so that no operation
// can be served unguarded.
func Register[I, O any](a *API, op Op, h func(ctx context.Context, in *I) (*O, error)) {
	o := a.operation(op)
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, a.Problem(ctx, err)
		}
		return out, nil
	})
}

// operation checks op, remembers its scope and translates it for huma.
func (a *API) operation(op Op) huma.Operation {
	if op.ID == "" || op.Method == "" || op.Path == "" {
		panic("httpapi: an operation needs an ID, a Method and a Path: " + op.ID + " " + op.Path)
	}
	a.guard(op.Method+" "+op.Path, op.Scope)
	maxBody := op.MaxBody
	if maxBody == 0 {
		maxBody = DefaultMaxBody
	}
	o := huma.Operation{
		OperationID: op.ID, Method: op.Method, Path: op.Path,
		Summary: op.Summary, Description: op.Description,
		DefaultStatus: op.Status, Hidden: op.Hidden,
		MaxBodyBytes:                 maxBody + 1, // huma refuses a body that reaches its limit
		BodyReadTimeout:              a.options.BodyTime,
		RejectUnknownQueryParameters: false,
		Metadata:                     map[string]any{"maxBody": maxBody},
		Extensions:                   map[string]any{"x-scope": string(op.Scope)},
		Middlewares:                  huma.Middlewares{a.middleware(op)},
	}
	if op.Tag != "" {
		o.Tags = []string{op.Tag}
	}
	if op.Scope == Public {
		o.Security = []map[string][]string{{}}
	} else {
		o.Security = []map[string][]string{{"session": {}}, {"token": {}}}
	}
	return o
}

// middleware puts the guards of one operation before it.
func (a *API) middleware(op Op) func(huma.Context, func(huma.Context)) {
	limit := a.limitOf(op)
	return func(hc huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(hc)
		ctx, err := a.admit(r, op.Scope, limit)
		if err != nil {
			a.WriteError(w, r, err)
			return
		}
		next(huma.WithContext(hc, ctx))
	}
}

// Mux is where pages and static files are registered. What is served under
// /api/ without having been registered through Register, Stream or Handle is
// answered as not found.
func (a *API) Mux() *http.ServeMux { return a.mux }

// Handle registers a raw handler behind the same guards as an operation.
func (a *API) Handle(pattern string, scope Scope, h http.Handler) {
	a.guard(pattern, scope)
	limit := a.limitOf(Op{})
	a.mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, err := a.admit(r, scope, limit)
		if err != nil {
			a.WriteError(w, r, err)
			return
		}
		h.ServeHTTP(w, r.WithContext(ctx))
	}))
}

// Intake registers a raw handler for what programs send by the thousand. It is
// open to anybody and exempt from the limits: the handler itself finds out who
// asks, from a key of its own, and calls Slow for those who have none. What the
// path says is kept out of log and answers, because it may hold the key.
func (a *API) Intake(pattern string, h http.Handler) {
	a.guard(pattern, Public)
	a.mu.Lock()
	a.intakes[pattern] = true
	a.mu.Unlock()
	a.mux.Handle(pattern, h)
}

// machineRate is how often machines may call what HandleSteady serves.
var machineRate = RateLimit{Burst: 4000, Every: time.Millisecond}

// HandleSteady registers a raw handler that machines call all the time, such as
// senders of metrics. They may do so far more often than people, are told to come
// again with 503, since some of them throw away what was answered with 429, and
// are logged only where they fail.
func (a *API) HandleSteady(pattern string, scope Scope, h http.Handler) {
	a.guard(pattern, scope)
	a.mu.Lock()
	a.intakes[pattern] = true
	a.mu.Unlock()
	a.mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := a.machines.take("address:" + AddressKey(ClientIP(r.Context()))); wait > 0 {
			a.WriteError(w, r, later(tooOften(wait)))
			return
		}
		ctx, err := a.admit(r, scope, a.machines)
		if err != nil {
			a.WriteError(w, r, later(err))
			return
		}
		h.ServeHTTP(w, r.WithContext(ctx))
	}))
}

func (a *API) takesIn(pattern string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.intakes[pattern]
}

// Slow counts a request against what its address may ask, and returns a Limited
// fault where that is too much.
func (a *API) Slow(r *http.Request) error {
	if wait := a.addresses.take(AddressKey(ClientIP(r.Context()))); wait > 0 {
		return tooOften(wait)
	}
	return nil
}

// guard remembers the scope of a pattern.
func (a *API) guard(pattern string, scope Scope) {
	if scope == "" {
		panic("httpapi: " + pattern + " declares no scope")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.guarded[pattern] = scope
}

// admit asks the authorizer and the limits.
func (a *API) admit(r *http.Request, scope Scope, limit *limiter) (context.Context, error) {
	ctx, err := a.options.Authorizer.Authorize(r, scope)
	if err != nil {
		return nil, err
	}
	caller, ok := CallerFrom(ctx)
	noteCaller(ctx, caller)
	key := caller.Kind + ":" + caller.ID
	if !ok {
		key = "address:" + AddressKey(ClientIP(ctx))
	}
	if wait := limit.take(key); wait > 0 {
		return nil, tooOften(wait)
	}
	return ctx, nil
}

// Scopes returns the scope of every operation and raw handler by its pattern,
// "GET /api/v1/slos".
func (a *API) Scopes() map[string]Scope {
	a.mu.RLock()
	defer a.mu.RUnlock()
	all := make(map[string]Scope, len(a.guarded))
	for p, s := range a.guarded {
		all[p] = s
	}
	return all
}

// Unguarded lists the documented operations that declare no scope; a test keeps
// it empty.
func (a *API) Unguarded() []string {
	scopes := a.Scopes()
	var missing []string
	for path, item := range a.huma.OpenAPI().Paths {
		for method, op := range methods(item) {
			if op != nil && scopes[method+" "+path] == "" {
				missing = append(missing, method+" "+path)
			}
		}
	}
	return missing
}

// OpenAPI is the document of everything registered so far.
func (a *API) OpenAPI() *huma.OpenAPI { return a.huma.OpenAPI() }

// BaseURL is where people reach the server, without a slash at its end.
func (a *API) BaseURL() string { return strings.TrimRight(a.options.BaseURL, "/") }

// Close ends every live stream. Call it when the server begins to stop, before
// waiting for its requests.
func (a *API) Close() { a.streams.close() }

func methods(item *huma.PathItem) map[string]*huma.Operation {
	return map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post,
		http.MethodDelete: item.Delete, http.MethodPatch: item.Patch,
		http.MethodHead: item.Head, http.MethodOptions: item.Options,
	}
}

// schemaName qualifies a type's name with its package unless it already begins
// with it, because two rooms may each have an Entry.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" || t.PkgPath() == "" {
		return huma.DefaultSchemaNamer(t, hint)
	}
	return qualified(t.PkgPath() + "." + t.Name())
}

// qualified writes "a/b/slo.Page[c/catalog.Entity]" as "SloPageCatalogEntity".
func qualified(name string) string {
	outer, inner, generic := strings.Cut(name, "[")
	pkg, typ := "", outer
	if i := strings.LastIndexByte(outer, '.'); i >= 0 {
		pkg, typ = outer[:i], outer[i+1:]
	}
	pkg = pkg[strings.LastIndexByte(pkg, '/')+1:]
	var out strings.Builder
	if pkg != "httpapi" && !strings.HasPrefix(strings.ToLower(typ), strings.ToLower(pkg)) {
		out.WriteString(capital(pkg))
	}
	out.WriteString(capital(typ))
	if generic {
		for part := range strings.SplitSeq(strings.TrimSuffix(inner, "]"), ",") {
			out.WriteString(qualified(strings.TrimLeft(strings.TrimSpace(part), "*[]")))
		}
	}
	return sanitize(out.String())
}

func capital(s string) string {
	first := min(1, len(s))
	return strings.ToUpper(s[:first]) + s[first:]
}

func sanitize(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

func seconds(d time.Duration) string {
	return strconv.Itoa(int(max(1, (d+time.Second-1)/time.Second)))
}

package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// world is an API with a caller who has the scopes named in the X-Scopes header.
type world struct {
	*API
	log bytes.Buffer
	now time.Time
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}
	o := Options{
		Title: "Test", Version: "1", Now: func() time.Time { return w.now },
		Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Authorizer: AuthorizerFunc(func(r *http.Request, scope Scope) (context.Context, error) {
			if scope == Public {
				return r.Context(), nil
			}
			who := r.Header.Get("X-Who")
			if who == "" {
				return nil, Unauthenticated()
			}
			if !strings.Contains(r.Header.Get("X-Scopes"), string(scope)) {
				return nil, Forbidden(scope)
			}
			return WithCaller(r.Context(), Caller{Kind: "person", ID: who}), nil
		}),
	}
	for _, c := range change {
		c(&o)
	}
	w.API = New(o)
	return w
}

// do sends a request with headers given as "Name: value".
func (w *world) do(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		if k == "Host" {
			r.Host = v
		}
		r.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	return rec
}

func problem(t *testing.T, rec *httptest.ResponseRecorder) Problem {
	t.Helper()
	if ct := rec.Header().Get("Content-Type"); ct != "application/problem+json" {
		t.Fatalf("Content-Type = %q, body %s", ct, rec.Body)
	}
	var p Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

type thing struct {
	Name  string   `json:"name" minLength:"3"`
	Count int      `json:"count,omitempty" maximum:"10"`
	Tags  []string `json:"tags,omitempty"`
}

type (
	thingIn  struct{ Body thing }
	thingOut struct{ Body thing }
)

func echo(_ context.Context, in *thingIn) (*thingOut, error) { return &thingOut{in.Body}, nil }

func failing(err error) func(context.Context, *struct{}) (*thingOut, error) {
	return func(context.Context, *struct{}) (*thingOut, error) { return nil, err }
}

func TestFaultIsAnsweredInTheReadersLanguageWithEverythingItKnows(t *testing.T) {
	w := newWorld(t)
	several := fault.New(fault.Invalid, "slo.several", text.Say("two problems", "問題が2件あります"))
	several.Details = []*fault.Error{fault.New(fault.Invalid, "slo.objective_range", text.Say("target must be below %v", "target は %v 未満です", 1)).
		Fix(text.Say("write 0.999", "0.999 のように書いてください")).
		At(fault.Position{File: "slo.yaml", Line: 7, Column: 3}).On("body.target")}
	Register(w.API, Op{ID: "several", Method: "GET", Path: "/api/several", Scope: Public}, failing(several))

	rec := w.do("GET", "/api/several", "", "Accept-Language: ja")
	want := Problem{
		Type: "urn:teiten:problem:slo.several", Title: "入力に誤りがあります", Status: 422, Detail: "問題が2件あります",
		Instance: "/api/several", Code: "slo.several", RequestID: rec.Header().Get("X-Request-Id"),
		Errors: []ProblemPart{{
			Detail: "target は 1 未満です", Code: "slo.objective_range", Remedy: "0.999 のように書いてください",
			Where: &fault.Position{File: "slo.yaml", Line: 7, Column: 3}, Field: "body.target",
		}},
	}
	if diff := cmp.Diff(want, problem(t, rec)); diff != "" {
		t.Error(diff)
	}
	if rec.Code != 422 || want.RequestID == "" {
		t.Errorf("status %d, request id %q", rec.Code, want.RequestID)
	}
	if got := problem(t, w.do("GET", "/api/several?lang=en", "", "Accept-Language: ja")).Errors[0].Detail; got != "target must be below 1" {
		t.Errorf("?lang=en: %q", got)
	}
	if got := problem(t, w.do("GET", "/api/several", "", "Cookie: teiten_lang=ja")).Detail; got != "問題が2件あります" {
		t.Errorf("cookie: %q", got)
	}
}

func TestProblemGoesBackToAFault(t *testing.T) {
	in := fault.New(fault.Limited, "x.y", text.Say("what", "何")).Fix(text.Say("fix", "直し方")).
		At(fault.Position{File: "a.yaml", Line: 1}).On("body.x").After(90 * time.Second)
	out := problemOf(in, 429, text.JA, "id").Fault()
	if out.Kind != fault.Limited || out.Code != "x.y" || out.In(text.EN) != "a.yaml:1: 何 — 直し方" || out.RetryAfter != 90*time.Second || out.Field != "body.x" {
		t.Errorf("%+v", out)
	}
}

func TestInternalErrorIsLoggedAndShownToNobody(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{ID: "broken", Method: "GET", Path: "/api/broken", Scope: Public}, failing(errors.New("password of the database is hunter2")))
	rec := w.do("GET", "/api/broken", "")
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "hunter2") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	id := problem(t, rec).RequestID
	if !strings.Contains(w.log.String(), "hunter2") || !strings.Contains(w.log.String(), "request="+id) {
		t.Errorf("log: %s", w.log.String())
	}
}

func TestCauseOfAFaultIsNotShown(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{ID: "away", Method: "GET", Path: "/api/away", Scope: Public}, failing(
		fault.New(fault.Unavailable, "db.away", text.Say("away", "応答なし")).After(1500*time.Millisecond).Wrap(errors.New("dial 10.0.0.7: refused"))))
	rec := w.do("GET", "/api/away", "")
	if rec.Code != 503 || rec.Header().Get("Retry-After") != "2" || strings.Contains(rec.Body.String(), "10.0.0.7") {
		t.Errorf("%d Retry-After %q %s", rec.Code, rec.Header().Get("Retry-After"), rec.Body)
	}
	if !strings.Contains(w.log.String(), "10.0.0.7") {
		t.Error("the cause is not in the log")
	}
}

func TestValidationNamesTheFieldInBothLanguagesAndNeverTheValue(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{ID: "echo", Method: "POST", Path: "/api/echo", Scope: Public}, echo)
	for _, c := range []struct {
		name, body, lang, field, detail string
		status                          int
	}{
		{"too short", `{"name":"s3"}`, "en", "body.name", "expected length >= 3", 422},
		{"too short, Japanese", `{"name":"s3"}`, "ja", "body.name", "3 文字以上で指定してください", 422},
		{"missing", `{}`, "ja", "body", "必須の項目 name がありません", 422},
		{"unknown", `{"name":"abc","colour":"s3cret"}`, "ja", "body.colour", "この項目はありません（綴りを確認してください）", 422},
		{"wrong type", `{"name":"abc","count":"s3cret"}`, "ja", "body.count", "整数で指定してください", 422},
		{"too large", `{"name":"abc","count":11}`, "ja", "body.count", "10 以下の数値で指定してください", 422},
		{"nothing", ``, "ja", "body", "本文が必要です", 400},
		{"not JSON", "{\n \"name\": s3cret}", "ja", "body", "本文を JSON として読めません（invalid character 's' looking for beginning of value）", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			rec := w.do("POST", "/api/echo", c.body, "Accept-Language: "+c.lang, "Content-Type: application/json")
			p := problem(t, rec)
			if rec.Code != c.status || p.Field != c.field || p.Detail != c.detail {
				t.Errorf("%d %q %q", rec.Code, p.Field, p.Detail)
			}
			if strings.Contains(rec.Body.String(), "s3cret") {
				t.Errorf("the value is echoed: %s", rec.Body)
			}
			if c.name == "not JSON" && (p.Where == nil || *p.Where != fault.Position{Line: 2, Column: 10}) {
				t.Errorf("where = %+v", p.Where)
			}
		})
	}
	p := problem(t, w.do("POST", "/api/echo", `{"name":"a","count":99}`, "Accept-Language: ja"))
	if p.Detail != "入力に問題が2件あります" || len(p.Errors) != 2 || p.Errors[0].Field == "" {
		t.Errorf("%+v", p)
	}
	if rec := w.do("POST", "/api/echo", `a=b`, "Content-Type: application/x-www-form-urlencoded"); rec.Code != http.StatusUnsupportedMediaType {
		t.Errorf("form: %d %s", rec.Code, rec.Body)
	}
}

func TestBodyLimitIsExactAndStated(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{ID: "echo", Method: "POST", Path: "/api/echo", Scope: Public, MaxBody: 20}, echo)
	if rec := w.do("POST", "/api/echo", `{"name":"123456789"}`); rec.Code != 200 {
		t.Errorf("20 bytes: %d %s", rec.Code, rec.Body)
	}
	rec := w.do("POST", "/api/echo", `{"name":"1234567890"}`)
	if p := problem(t, rec); rec.Code != 413 || !strings.Contains(p.Detail, "20 bytes") || p.Code != "http.body_too_large" {
		t.Errorf("21 bytes: %d %+v", rec.Code, p)
	}
}

// TestSlowBodyIsNotWaitedFor: one byte of ten, and then nothing, also where
// nobody reads the body.
func TestSlowBodyIsNotWaitedFor(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.BodyTime = 50 * time.Millisecond })
	Register(w.API, Op{ID: "echo", Method: "POST", Path: "/api/things", Scope: Public}, echo)
	w.Handle("POST /form", Public, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			w.WriteError(rw, r, err)
		}
	}))
	srv := httptest.NewServer(w.Handler())
	t.Cleanup(srv.Close)
	for path, want := range map[string]string{
		"POST /api/things": "408", "POST /form": "408", "POST /nowhere": "404", "GET /docs": "200",
	} {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, path+" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\n{"); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		all, err := io.ReadAll(conn) // until the server hangs up
		if status, _, _ := strings.Cut(strings.TrimPrefix(string(all), "HTTP/1.1 "), " "); err != nil || status != want {
			t.Errorf("%s: %q, %v", path, all, err)
		}
		conn.Close()
	}
}

// TestWorkMayTakeLongerThanTheBody: the time for the body does not end what is
// done with it.
func TestWorkMayTakeLongerThanTheBody(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.BodyTime = 50 * time.Millisecond })
	Register(w.API, Op{ID: "work", Method: "POST", Path: "/api/work", Scope: Public}, func(ctx context.Context, in *thingIn) (*thingOut, error) {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
			return &thingOut{in.Body}, nil
		}
	})
	srv := httptest.NewServer(w.Handler())
	t.Cleanup(srv.Close)
	resp, err := http.Post(srv.URL+"/api/work", "application/json", strings.NewReader(`{"name":"long"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

func TestScopesAreEnforcedBeforeAnythingIsRead(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{ID: "echo", Method: "POST", Path: "/api/echo", Scope: "thing:write"}, echo)
	w.Handle("GET /api/raw", "thing:read", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	if rec := w.do("POST", "/api/echo", "not even JSON"); rec.Code != 401 || rec.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("nobody: %d", rec.Code)
	}
	if rec := w.do("POST", "/api/echo", "not even JSON", "X-Who: a", "X-Scopes: thing:read"); rec.Code != 403 || !strings.Contains(problem(t, rec).Detail, "thing:write") {
		t.Errorf("without scope: %d %s", rec.Code, rec.Body)
	}
	if rec := w.do("GET", "/api/raw", ""); rec.Code != 401 {
		t.Errorf("raw, nobody: %d", rec.Code)
	}
	if rec := w.do("GET", "/api/raw", "", "X-Who: a", "X-Scopes: thing:read"); rec.Code != 204 {
		t.Errorf("raw: %d", rec.Code)
	}
}

func TestNoOperationCanShipUnguarded(t *testing.T) {
	w := newWorld(t)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("an operation without a scope was accepted")
			}
		}()
		Register(w.API, Op{ID: "open", Method: "GET", Path: "/api/open"}, failing(nil))
	}()
	huma.Register(w.huma, huma.Operation{OperationID: "hidden", Method: "GET", Path: "/api/hidden"}, failing(nil))
	if got := w.Unguarded(); len(got) != 1 || got[0] != "GET /api/hidden" {
		t.Errorf("Unguarded() = %v", got)
	}
	w.Mux().HandleFunc("GET /api/page", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	w.Mux().HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	for _, path := range []string{"/api/hidden", "/api/page", "/api/nothing"} {
		if rec := w.do("GET", path, ""); rec.Code != 404 || problem(t, rec).Code != "http.not_found" {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	if rec := w.do("GET", "/anything", ""); rec.Code != 200 {
		t.Errorf("a page: %d", rec.Code)
	}
}

func TestWrongMethodNamesTheRightOnes(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{ID: "echo", Method: "POST", Path: "/api/echo", Scope: Public}, echo)
	w.Mux().HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	rec := w.do("DELETE", "/api/echo", "")
	if rec.Code != 405 || rec.Header().Get("Allow") != "POST" {
		t.Errorf("%d Allow %q", rec.Code, rec.Header().Get("Allow"))
	}
}

func TestCallerAndAddressAreLimitedSeparately(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.PerCaller = RateLimit{Burst: 2, Every: time.Second}
		o.PerAddress = RateLimit{Burst: 5, Every: time.Second}
	})
	Register(w.API, Op{ID: "get", Method: "GET", Path: "/api/get", Scope: "s"}, func(context.Context, *struct{}) (*thingOut, error) { return &thingOut{}, nil })
	get := func(who string) *httptest.ResponseRecorder {
		return w.do("GET", "/api/get", "", "X-Who: "+who, "X-Scopes: s")
	}
	codes := []int{get("a").Code, get("a").Code, get("a").Code, get("b").Code, get("b").Code, get("c").Code}
	if diff := cmp.Diff([]int{200, 200, 429, 200, 200, 429}, codes); diff != "" {
		t.Error(diff)
	}
	rec := get("c")
	if rec.Header().Get("Retry-After") != "1" || problem(t, rec).RetryAfter != 1 {
		t.Errorf("Retry-After %q", rec.Header().Get("Retry-After"))
	}
	w.now = w.now.Add(time.Second)
	if rec := get("c"); rec.Code != 200 {
		t.Errorf("a second later: %d", rec.Code)
	}
}

func TestSecurityHeaders(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.BaseURL = "https://teiten.example.com" })
	h := w.do("GET", "/docs", "").Header()
	for k, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Strict-Transport-Security": "max-age=31536000", "Cache-Control": "no-store",
	} {
		if got := h.Get(k); got != want {
			t.Errorf("%s = %q", k, got)
		}
	}
	csp := h.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'self'", "script-src 'self';", "frame-ancestors 'none'", "object-src 'none'", "base-uri 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("CSP lacks %q: %s", want, csp)
		}
	}
	if h := newWorld(t).do("GET", "/docs", "").Header(); h.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS without https")
	}
}

func TestLoopbackAnswersOnlyUnderItsOwnNames(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.BaseURL = "https://teiten.example.com"; o.AllowedHosts = []string{"dev.test"} })
	send := func(local, host string) int {
		r := httptest.NewRequest("GET", "/openapi.json", nil)
		r.Host = host
		addr, _ := net.ResolveTCPAddr("tcp", local)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(addr)))
		rec := httptest.NewRecorder()
		w.Handler().ServeHTTP(rec, r)
		return rec.Code
	}
	for _, c := range []struct {
		local, host string
		want        int
	}{
		{"127.0.0.1:9469", "127.0.0.1:9469", 200},
		{"127.0.0.1:9469", "localhost:9469", 200},
		{"[::1]:9469", "[::1]:9469", 200},
		{"127.0.0.1:9469", "teiten.example.com", 200},
		{"127.0.0.1:9469", "dev.test", 200},
		{"127.0.0.1:9469", "rebound.attacker.example:9469", 421},
		{"127.0.0.1:9469", "localhost.attacker.example", 421},
		{"127.0.0.1:9469", "", 421},
		{"192.0.2.5:9469", "anything.example", 200},
	} {
		if got := send(c.local, c.host); got != c.want {
			t.Errorf("%s as %q: %d, want %d", c.local, c.host, got, c.want)
		}
	}
}

func TestChangesFromOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	Register(w.API, Op{ID: "echo", Method: "POST", Path: "/api/echo", Scope: Public}, echo)
	body := `{"name":"abc"}`
	for _, c := range []struct {
		headers []string
		want    int
	}{
		{nil, 200},
		{[]string{"Sec-Fetch-Site: same-origin"}, 200},
		{[]string{"Sec-Fetch-Site: cross-site"}, 403},
		{[]string{"Sec-Fetch-Site: same-site"}, 403},
		{[]string{"Origin: https://evil.example"}, 403},
		{[]string{"Origin: http://example.com"}, 200}, // httptest's own host
	} {
		if rec := w.do("POST", "/api/echo", body, c.headers...); rec.Code != c.want {
			t.Errorf("%v: %d", c.headers, rec.Code)
		}
	}
	if p := problem(t, w.do("POST", "/api/echo", body, "Sec-Fetch-Site: cross-site")); p.Code != "http.cross_origin" {
		t.Errorf("%+v", p)
	}
}

func TestPanicBecomesAProblemOrAnAbortedAnswer(t *testing.T) {
	w := newWorld(t)
	w.Handle("GET /api/early", Public, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret detail") }))
	w.Handle("GET /api/late", Public, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("late")
	}))
	rec := w.do("GET", "/api/early", "")
	if rec.Code != 500 || strings.Contains(rec.Body.String(), "secret detail") || problem(t, rec).Code != "internal" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if !strings.Contains(w.log.String(), "secret detail") {
		t.Error("the panic is not in the log")
	}
	defer func() {
		p := recover()
		if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("late panic: %v", p)
		}
	}()
	w.do("GET", "/api/late", "")
}

func TestAccessLogHasTheRequestButNoSecret(t *testing.T) {
	w := newWorld(t)
	w.Handle("GET /api/x", "s", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }))
	w.do("GET", "/api/x?token=s3cret", "", "X-Who: sato", "X-Scopes: s", "Authorization: Bearer s3cret", "Cookie: teiten_session=s3cret", "X-Request-Id: from-proxy-1")
	line := w.log.String()
	for _, want := range []string{"request=from-proxy-1", "method=GET", "path=/api/x", "status=204", "caller=sato", "address=192.0.2.1"} {
		if !strings.Contains(line, want) {
			t.Errorf("log lacks %q: %s", want, line)
		}
	}
	if strings.Contains(line, "s3cret") {
		t.Errorf("log holds a secret: %s", line)
	}
	if id := w.do("GET", "/api/x", "", "X-Request-Id: bad id\"").Header().Get("X-Request-Id"); strings.Contains(id, "bad") {
		t.Errorf("took over %q", id)
	}
}

func TestForwardedAddressIsBelievedOnlyOfTrustedProxies(t *testing.T) {
	var seen netip.Addr
	send := func(trusted ...netip.Prefix) string {
		w := newWorld(t, func(o *Options) { o.TrustedProxies = trusted })
		w.Handle("GET /api/ip", Public, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = ClientIP(r.Context()) }))
		w.do("GET", "/api/ip", "", "X-Forwarded-For: 203.0.113.9, 198.51.100.7, 10.1.1.1")
		return seen.String()
	}
	if got := send(); got != "192.0.2.1" {
		t.Errorf("no proxy trusted: %s", got)
	}
	if got := send(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.0.0.0/8")); got != "198.51.100.7" {
		t.Errorf("two proxies trusted: %s", got)
	}
}

func TestLargeJSONIsCompressedForWhoTakesIt(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("abc", 5000)
	Register(w.API, Op{ID: "big", Method: "GET", Path: "/api/big", Scope: Public}, func(context.Context, *struct{}) (*struct {
		ETag string `header:"ETag"`
		Body thing
	}, error) {
		return &struct {
			ETag string `header:"ETag"`
			Body thing
		}{ETag(big), thing{Name: big}}, nil
	})
	plain := w.do("GET", "/api/big", "")
	rec := w.do("GET", "/api/big", "", "Accept-Encoding: gzip, br")
	if rec.Header().Get("Content-Encoding") != "gzip" || rec.Body.Len() > plain.Body.Len()/10 {
		t.Fatalf("%v, %d bytes", rec.Header(), rec.Body.Len())
	}
	zr, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(zr)
	if err != nil || !bytes.Equal(got, plain.Body.Bytes()) {
		t.Errorf("differs from the plain answer: %v", err)
	}
	if (IfMatch{rec.Header().Get("ETag")}).Check(plain.Header().Get("ETag")) != nil {
		t.Error("the tag of a compressed answer does not match")
	}
	if small := w.do("GET", "/api/none", "", "Accept-Encoding: gzip"); small.Header().Get("Content-Encoding") != "" {
		t.Error("a small answer was compressed")
	}
}

func TestIfMatch(t *testing.T) {
	etag := ETag("a", "1")
	if etag == ETag("a1", "") {
		t.Error("parts run into one another")
	}
	for _, c := range []struct {
		header string
		want   int
	}{
		{"", 428}, {"  ", 428}, {etag, 0}, {"W/" + etag, 0}, {`"other", ` + etag, 0}, {"*", 0}, {`"other"`, 412},
	} {
		err := IfMatch{c.header}.Check(etag)
		got := 0
		if err != nil {
			got = newWorld(t).Problem(t.Context(), err).Status
		}
		if got != c.want {
			t.Errorf("If-Match %q: %d, want %d", c.header, got, c.want)
		}
	}
}

func TestListsAreNeverNullAndWhatIsSharedIsNotTouched(t *testing.T) {
	type inner struct {
		Names []string `json:"names"`
		Gone  []string `json:"gone,omitempty"`
	}
	type outer struct {
		Page  Page[inner]           `json:"page"`
		One   *inner                `json:"one"`
		Map   map[string]inner      `json:"map"`
		Raw   json.RawMessage       `json:"raw"`
		Any   any                   `json:"any"`
		Times map[string]*time.Time `json:"times"`
	}
	shared := outer{Page: Page[inner]{Items: []inner{{}}}, One: &inner{}, Map: map[string]inner{"k": {}}, Any: inner{}}
	var b bytes.Buffer
	if err := jsonFormat.Marshal(&b, shared); err != nil {
		t.Fatal(err)
	}
	want := `{"page":{"items":[{"names":[]}]},"one":{"names":[]},"map":{"k":{"names":[]}},"raw":null,"any":{"names":[]},"times":null}`
	if got := strings.TrimSpace(b.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if shared.One.Names != nil || shared.Page.Items[0].Names != nil || shared.Map["k"].Names != nil {
		t.Error("the shared value was changed")
	}
}

package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// LangCookie remembers the language a person chose.
const LangCookie = "teiten_lang"

// Handler serves everything registered, behind the guards that hold for every
// request: a request id and a log line, recovery from panics, the reader's
// language, security headers, the expected host, no cross-site changes, a rate
// limit for each address and a limit on the body.
func (a *API) Handler() http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	if a.base.Host != "" {
		_ = crossOrigin.AddTrustedOrigin(a.base.Scheme + "://" + a.base.Host) // a base URL with a path is no origin of its own
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		req := &request{id: requestID(r), path: r.URL.Path, addr: a.clientIP(r), log: a.log}
		lang := a.language(w, r)
		ctx := text.WithLang(context.WithValue(r.Context(), requestKey{}, req), lang)
		r = r.WithContext(ctx)
		rec := &recorder{ResponseWriter: w}
		defer a.finish(rec, r, req, started)
		a.secure(w.Header(), req.id, lang)
		_, pattern := a.mux.Handler(r)
		a.notePattern(req, pattern)
		a.boundBody(rec, r)
		if err := a.refuse(r, crossOrigin); err != nil {
			a.WriteError(rec, r, err)
			return
		}
		a.route(rec, r, pattern)
	})
}

// refuse returns why a request is not even looked at.
func (a *API) refuse(r *http.Request, crossOrigin *http.CrossOriginProtection) error {
	if err := a.checkHost(r); err != nil {
		return err
	}
	if err := crossOrigin.Check(r); err != nil {
		return fault.New(fault.Denied, "http.cross_origin",
			text.Say("the request comes from another site", "別のサイトからのリクエストです")).
			Fix(text.Say("open the page under its own address; behind a proxy, set baseURL to the address people use",
				"このサーバーのアドレスでページを開いてください。プロキシの背後では baseURL に利用者が使うアドレスを設定してください")).
			Wrap(err)
	}
	return nil
}

// route serves the request, or says precisely why there is nothing: below /api/
// no page may answer, and nothing that declared no scope.
func (a *API) route(w http.ResponseWriter, r *http.Request, pattern string) {
	if a.takesIn(pattern) {
		a.mux.ServeHTTP(w, r) // neither counted by address nor compressed: programs speak here, and often
		return
	}
	if err := a.Slow(r); err != nil {
		a.WriteError(w, r, err)
		return
	}
	if pattern != "" && (!isAPI(r.URL.Path) || a.isGuarded(pattern)) {
		gz := compress(w, r)
		a.mux.ServeHTTP(gz, r)
		gz.Close() // not after a panic: what was written then is no answer
		return
	}
	if allowed := a.allowed(r); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		a.WriteError(w, r, Status(http.StatusMethodNotAllowed, fault.New(fault.NotFound, "http.method",
			text.Say("%s is not possible here", "ここでは %s を使えません", r.Method)).
			Fix(text.Say("use one of %s", "%s のいずれかを使ってください", strings.Join(allowed, ", ")))))
		return
	}
	a.WriteError(w, r, fault.New(fault.NotFound, "http.not_found",
		text.Say("there is nothing at %s", "%s には何もありません", r.URL.Path)).
		Fix(text.Say("see /docs for what there is", "利用できるものは /docs を見てください")))
}

func isAPI(path string) bool { return strings.HasPrefix(path, "/api/") }

func (a *API) isGuarded(pattern string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.guarded[pattern] != ""
}

// allowed lists the methods that would find something at the request's path.
func (a *API) allowed(r *http.Request) []string {
	var found []string
	for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, p := a.mux.Handler(other); m != r.Method && p != "" && (!isAPI(r.URL.Path) || a.isGuarded(p)) {
			found = append(found, m)
		}
	}
	return found
}

// finish recovers from a panic and writes the log line.
func (a *API) finish(rec *recorder, r *http.Request, req *request, started time.Time) {
	if p := recover(); p != nil {
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		a.log.ErrorContext(r.Context(), "panic while serving", "request", req.id, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
		if rec.status != 0 {
			panic(http.ErrAbortHandler) // half an answer must not look like a whole one
		}
		a.WriteError(rec, r, internalProblem(text.LangFrom(r.Context()), req.id))
	}
	level := slog.LevelInfo
	if (!isAPI(r.URL.Path) || a.takesIn(req.pattern)) && rec.status < 400 {
		level = slog.LevelDebug // pages, assets, probes, scrapes, and what comes by the thousand
	}
	if a.options.Observe != nil {
		a.options.Observe(req.pattern, rec.status, time.Since(started))
	}
	// The path without its query: a query may hold a one-time token.
	a.log.Log(r.Context(), level, "request", "request", req.id, "method", r.Method, "path", req.path,
		"status", rec.status, "bytes", rec.bytes, "ms", float64(time.Since(started).Microseconds())/1000,
		"address", req.addr.String(), "caller", req.caller.ID)
}

// requestID takes over the id a proxy gave, where it is one that a log can bear.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) >= 8 && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == "" {
		return id
	}
	fresh, err := uuid.NewV7()
	if err != nil {
		return "unknown"
	}
	return fresh.String()
}

// language is that of ?lang, which is remembered, else of the cookie, else of
// the browser.
func (a *API) language(w http.ResponseWriter, r *http.Request) text.Lang {
	if asked := r.URL.Query().Get("lang"); asked != "" {
		if l, ok := text.Parse(asked); ok {
			if r.Method == http.MethodGet && !isAPI(r.URL.Path) {
				http.SetCookie(w, &http.Cookie{
					Name: LangCookie, Value: string(l), Path: "/", MaxAge: 365 * 24 * 3600,
					SameSite: http.SameSiteLaxMode, Secure: a.base.Scheme == "https",
				})
			}
			return l
		}
	}
	if c, err := r.Cookie(LangCookie); err == nil {
		if l, ok := text.Parse(c.Value); ok {
			return l
		}
	}
	return text.Match(r.Header.Get("Accept-Language"))
}

// ContentSecurityPolicy is what every page is held to unless it sets another:
// only what this server sends, no inline script, no frame around it.
const ContentSecurityPolicy = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secure sets the headers that hold for every answer. Styles may be inline
// because the component library sets them on elements; scripts may not.
func (a *API) secure(h http.Header, id string, lang text.Lang) {
	h.Set("Content-Security-Policy", ContentSecurityPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Request-Id", id)
	h.Set("Content-Language", string(lang))
	h.Add("Vary", "Accept-Language, Cookie")
	h.Set("Cache-Control", "no-store")
	if a.base.Scheme == "https" {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// checkHost refuses a request to a loopback address under a name that is not
// one: a page elsewhere whose name was made to resolve to 127.0.0.1 would
// otherwise speak to us as if it were ours (DNS rebinding).
func (a *API) checkHost(r *http.Request) error {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return nil
	}
	if !isLoopback(local) {
		return nil
	}
	host := hostname(r.Host)
	if isLoopbackName(host) || host == strings.ToLower(a.base.Hostname()) || slices.Contains(a.options.AllowedHosts, host) {
		return nil
	}
	return Status(http.StatusMisdirectedRequest, fault.New(fault.Denied, "http.host",
		text.Say("this server is not called %q", "このサーバーの名前は %q ではありません", host)).
		Fix(text.Say("use the address that serve printed, or set baseURL to the address people use",
			"起動時に表示されたアドレスを使うか、baseURL に利用者が使うアドレスを設定してください")))
}

func isLoopback(a net.Addr) bool {
	ip, err := netip.ParseAddrPort(a.String())
	return err == nil && ip.Addr().Unmap().IsLoopback()
}

func hostname(hostport string) string {
	u := url.URL{Host: hostport}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

func isLoopbackName(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// clientIP is the address of the nearest party that is not a trusted proxy.
func (a *API) clientIP(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	ip := ap.Addr().Unmap()
	if len(a.options.TrustedProxies) == 0 {
		return ip
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !a.trusts(ip) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		ip = before.Unmap()
	}
	return ip
}

func (a *API) trusts(ip netip.Addr) bool {
	return slices.ContainsFunc(a.options.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// recorder notes what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader notes the status.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts what is written.
func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

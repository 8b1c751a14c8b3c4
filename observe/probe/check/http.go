package check

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

const (
	mostBody      = 1 << 20 // of an answer, that assertions see
	mostDrained   = 8 << 20 // of an answer, that is read at all
	mostHeader    = 256 << 10
	mostRedirects = 10
	userAgent     = "Teiten-Probe"
)

// http walks through the steps with one connection pool and one cookie jar.
func (r *run) http(ctx context.Context, h *HTTP) {
	known := values{}
	for name, s := range h.Secrets {
		v, err := r.env.Secrets.Reveal(s)
		if err != nil {
			r.impossible(err)
			return
		}
		known[name] = v
		r.keep(v, url.QueryEscape(v))
	}
	transport, err := r.transport(h.TLS)
	if err != nil {
		r.impossible(err)
		return
	}
	defer transport.CloseIdleConnections()
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		r.impossible(err)
		return
	}
	client := &http.Client{Transport: transport, Jar: jar}
	for i := range h.Steps {
		if !r.httpStep(ctx, client, &h.Steps[i], known) {
			return
		}
	}
}

// transport reaches what may be reached, directly: a proxy would resolve names
// behind our back.
func (r *run) transport(o *TLSOptions) (*http.Transport, error) {
	settings, err := r.tlsConfig(o)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy: nil, DialContext: r.env.Reach.dialer().DialContext, TLSClientConfig: settings,
		ForceAttemptHTTP2: true, MaxResponseHeaderBytes: mostHeader, MaxIdleConnsPerHost: 2,
	}, nil
}

// httpStep makes one request and judges the answer.
func (r *run) httpStep(ctx context.Context, client *http.Client, h *HTTPStep, known values) bool {
	s := r.begin(h.title())
	req, err := r.request(ctx, h, known)
	if err != nil {
		return r.end(s, err)
	}
	began := time.Now()
	p := &phases{step: s}
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), p.trace()))
	one := *client
	one.CheckRedirect = redirects(h, s)
	resp, err := one.Do(req)
	if err != nil {
		return r.end(s, withoutURL(err))
	}
	defer resp.Body.Close()
	a := &answer{status: resp.StatusCode, header: resp.Header}
	s.Status, s.Protocol = resp.StatusCode, resp.Proto
	if resp.TLS != nil {
		s.CertificateDays = daysLeft(resp.TLS, r.env.Now())
	}
	if err := a.read(resp.Body, s); err != nil {
		return r.end(s, err)
	}
	p.finish()
	if err := h.Expect.judge(a, time.Since(began)); err != nil {
		return r.end(s, err)
	}
	for i := range h.Extract {
		v, err := h.Extract[i].take(a)
		if err != nil {
			return r.end(s, err)
		}
		known[h.Extract[i].Name] = v
		r.keep(v, url.QueryEscape(v))
	}
	return r.end(s, nil)
}

// title is what a step is called.
func (h *HTTPStep) title() string {
	if h.Name != "" {
		return h.Name
	}
	u, err := url.Parse(shownURL(placeholder.ReplaceAllString(h.URL, "…")))
	if err != nil || u.Path == "" {
		return h.method() + " /"
	}
	return h.method() + " " + u.Path
}

func (h *HTTPStep) method() string {
	if h.Method == "" {
		return http.MethodGet
	}
	return strings.ToUpper(h.Method)
}

// request fills in what a step needs.
func (r *run) request(ctx context.Context, h *HTTPStep, known values) (*http.Request, error) {
	address, err := known.fillURL(h.URL)
	if err != nil {
		return nil, err
	}
	body, err := known.fill(h.Body)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fault.New(fault.Invalid, CodeUnable, text.Say("the address is not an http or https URL", "アドレスがhttpまたはhttpsのURLではありません"))
	}
	if password, ok := u.User.Password(); ok {
		r.keep(password, url.QueryEscape(password))
	}
	req, err := http.NewRequestWithContext(ctx, h.method(), address, strings.NewReader(body))
	if err != nil {
		return nil, fault.New(fault.Invalid, CodeUnable, text.Say("the request cannot be made", "リクエストを作れません"))
	}
	req.Header.Set("User-Agent", userAgent)
	for name, value := range h.Headers {
		v, err := r.env.Secrets.Reveal(value)
		if err != nil {
			return nil, err
		}
		if value.IsReference() || !Harmless(name, value) {
			r.keep(v)
		}
		if v, err = known.fill(v); err != nil {
			return nil, err
		}
		if strings.EqualFold(name, "Host") {
			req.Host = v
			continue
		}
		req.Header.Set(name, v)
	}
	return req, nil
}

// redirects follows or stops, and sends headers of the document's author to no
// other host than the one they were written for.
func redirects(h *HTTPStep, s *Step) func(*http.Request, []*http.Request) error {
	return func(next *http.Request, via []*http.Request) error {
		if h.FollowRedirects != nil && !*h.FollowRedirects {
			return http.ErrUseLastResponse
		}
		if len(via) > mostRedirects {
			return failed(CodeAnswer, text.Say("more than %d redirects", "リダイレクトが%d回を超えました", mostRedirects))
		}
		s.Redirects = len(via)
		if next.URL.Host != via[0].URL.Host || via[0].URL.Scheme == "https" && next.URL.Scheme != "https" {
			for name := range h.Headers {
				next.Header.Del(name)
			}
			next.Host = ""
		}
		return nil
	}
}

// withoutURL strips the address that net/http puts before an error.
func withoutURL(err error) error {
	var in *url.Error
	if errors.As(err, &in) {
		return in.Err
	}
	return err
}

// read takes the body, as far as assertions look at it; the rest counts only.
func (a *answer) read(body io.Reader, s *Step) error {
	var err error
	if a.body, err = io.ReadAll(io.LimitReader(body, mostBody)); err == nil {
		var rest int64
		rest, err = io.Copy(io.Discard, io.LimitReader(body, mostDrained-mostBody))
		a.cut = rest > 0
		s.Bytes = int64(len(a.body)) + rest
	}
	return err
}

// phases notes when what happened. Redirects add up: a step's dns is that of all
// its requests.
type phases struct {
	step                             *Step
	dns, connect, tls, wrote, answer time.Time
}

func (p *phases) trace() *httptrace.ClientTrace {
	add := func(to *float64, from *time.Time) {
		if !from.IsZero() {
			*to += ms(time.Since(*from))
			*from = time.Time{}
		}
	}
	return &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { p.dns = time.Now() },
		DNSDone:  func(httptrace.DNSDoneInfo) { add(&p.step.DNSMs, &p.dns) },
		ConnectStart: func(string, string) {
			if p.connect.IsZero() { // the second is another address of the same name
				p.connect = time.Now()
			}
		},
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				add(&p.step.ConnectMs, &p.connect)
			}
		},
		TLSHandshakeStart: func() { p.tls = time.Now() },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { add(&p.step.TLSMs, &p.tls) },
		GotConn: func(i httptrace.GotConnInfo) {
			p.step.Address = i.Conn.RemoteAddr().String()
		},
		WroteRequest: func(httptrace.WroteRequestInfo) { p.wrote = time.Now() },
		GotFirstResponseByte: func() {
			add(&p.step.TTFBMs, &p.wrote)
			p.answer = time.Now()
		},
	}
}

// finish ends the transfer.
func (p *phases) finish() {
	if !p.answer.IsZero() {
		p.step.TransferMs += ms(time.Since(p.answer))
	}
}

// Harmless reports whether a header holds no secret: its name is one of those
// that never do, or its value only names what other steps provide.
func Harmless(name string, v secret.Secret) bool {
	if placeholder.ReplaceAllString(string(v), "") == "" {
		return true
	}
	switch strings.ToLower(name) {
	case "accept", "accept-language", "accept-encoding", "content-type", "user-agent", "host", "cache-control", "if-none-match", "origin", "referer":
		return true
	}
	return false
}

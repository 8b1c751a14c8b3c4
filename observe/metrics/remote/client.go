// Package remote asks any server that speaks Prometheus' HTTP API: Prometheus,
// Mimir, Thanos, VictoriaMetrics and others.
//
// It trusts no answer: time, size and the number of requests are bounded, and
// whatever a server sends instead of a result becomes a fault that says what to
// look at. It keeps no samples and caches nothing.
package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

const (
	maxResponse    = 64 << 20 // bytes of one answer, unpacked
	anyResponse    = 4 << 20  // bytes that any answer may have
	bytesPerMoment = 1 << 10  // and more for each moment asked for: some thirty series
	maxErrorBody   = 64 << 10
	pointsPerQuery = 10_000 // Prometheus refuses more than 11,000 points per series
	maxPoints      = 1_100_000
	attempts       = 4
	firstBackoff   = 100 * time.Millisecond
	longestBackoff = 5 * time.Second
	userAgent      = "teiten"
)

// Client asks one server. It is safe for concurrent use.
type Client struct {
	base     *url.URL
	conn     metrics.Connection
	http     *http.Client
	slots    chan struct{}
	anchored atomic.Bool
	probed   atomic.Bool
	follow   follower
	now      func() time.Time
}

var (
	_ metrics.Querier = (*Client)(nil)
	_ metrics.Checker = (*Client)(nil)
)

// Open returns a client for the connection. It does not speak to the server; a
// connection that cannot be right is an Invalid fault.
func Open(c metrics.Connection) (metrics.Querier, error) {
	client, err := New(c)
	if err != nil {
		return nil, err
	}
	return client, nil
}

// New is Open with the client's own type.
func New(c metrics.Connection) (*Client, error) {
	base, err := baseURL(c.URL)
	if err != nil {
		return nil, err
	}
	if c.MaxConcurrency <= 0 {
		c.MaxConcurrency = metrics.DefaultMaxConcurrency
	}
	if c.Timeout <= 0 {
		c.Timeout = metrics.DefaultTimeout
	}
	tlsConfig, err := tlsConfig(c.TLS)
	if err != nil {
		return nil, err
	}
	for name, value := range c.Headers {
		if !validHeader(name, value) {
			return nil, invalid("metrics.header", "headers", text.Say(
				"the header %q cannot be sent", "ヘッダー %q は送信できません", name)).
				Fix(text.Say("name a header of the server or a proxy, such as X-Scope-OrgID, with a value on one line",
					"X-Scope-OrgID のような、サーバーやプロキシ用のヘッダーを1行の値で指定してください"))
		}
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	if c.DialGuard != nil {
		dialer.ControlContext = func(ctx context.Context, network, address string, _ syscall.RawConn) error {
			addr, err := net.ResolveTCPAddr(network, address)
			if err != nil {
				return fmt.Errorf("resolve %s: %w", address, err)
			}
			return c.DialGuard(ctx, network, addr)
		}
	}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    10 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    c.MaxConcurrency,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
	return &Client{
		base: base, conn: c, now: time.Now,
		slots: make(chan struct{}, c.MaxConcurrency),
		http: &http.Client{
			Transport: transport,
			// A redirected question would lose its form, and its credentials would
			// travel to another host: the address is to be set right instead.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close lets idle connections go.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

func invalid(code, field string, what text.Both) *fault.Error {
	return fault.New(fault.Invalid, code, what).On(field)
}

func baseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(strings.TrimSpace(raw), "/"))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" {
		return nil, invalid("metrics.url", "url", text.Say(
			"the address is not that of an HTTP server", "HTTPサーバーのアドレスではありません")).
			Fix(text.Say("write it like https://prometheus.example.com or http://mimir:8080/prometheus",
				"https://prometheus.example.com や http://mimir:8080/prometheus のように書いてください"))
	}
	if u.User != nil {
		return nil, invalid("metrics.url_credentials", "url", text.Say(
			"the address holds a user name or password", "アドレスにユーザー名またはパスワードが含まれています")).
			Fix(text.Say("put them under basic, as a reference to a secret", "basic に、シークレットへの参照として書いてください"))
	}
	u.Path = strings.TrimSuffix(u.Path, "/api/v1")
	return u, nil
}

func tlsConfig(t metrics.TLS) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify} //nolint:gosec // asked for by the administrator
	if t.CA != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, invalid("metrics.tls_ca", "tls.ca", text.Say(
				"the certificate authority is not a PEM certificate", "認証局（ca）がPEM形式の証明書ではありません")).
				Fix(text.Say("give the PEM text, or ${file:PATH}", "PEM形式の内容か ${file:PATH} を指定してください"))
		}
	}
	if t.Cert != "" || t.Key != "" {
		pair, err := tls.X509KeyPair([]byte(t.Cert), []byte(t.Key))
		if err != nil {
			return nil, invalid("metrics.tls_cert", "tls.cert", text.Say(
				"the client certificate and its key do not fit together", "クライアント証明書と鍵の組み合わせが正しくありません")).
				Fix(text.Say("give both cert and key as PEM texts, or as ${file:PATH}", "cert と key の両方を、PEM形式の内容か ${file:PATH} で指定してください")).Wrap(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// validHeader refuses what would break a request or is the client's own matter.
func validHeader(name, value string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "", "Host", "Content-Type", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding":
		return false
	}
	return !strings.ContainsAny(name, " \r\n:\x00") && !strings.ContainsAny(value, "\r\n\x00")
}

// Anchored reports whether the server was seen to know exact increases: Check
// asks it once.
func (c *Client) Anchored() bool { return c.anchored.Load() }

// IncreaseWindow is the window over which this source estimates increases well.
func (c *Client) IncreaseWindow() time.Duration { return c.conn.IncreaseWindow() }

// Check asks for the time, and the first time also whether the server knows
// exact increases. A server whose clock is wrong is a fault: what it stores is
// counted in the wrong minutes.
func (c *Client) Check(ctx context.Context) error {
	if err := c.checkClock(ctx); err != nil {
		return err
	}
	if c.probed.Load() {
		return nil
	}
	_, err := c.Instant(ctx, "absent(increase(up[1m] anchored))", time.Now())
	if err == nil || fault.KindOf(err) == fault.Invalid {
		c.anchored.Store(err == nil)
		c.probed.Store(true)
	}
	return nil
}

// Instant implements metrics.Querier.
func (c *Client) Instant(ctx context.Context, expr string, at time.Time) ([]metrics.Series, error) {
	if err := promexpr.Check(expr); err != nil {
		return nil, err
	}
	ms := at.UnixMilli()
	return c.ask(ctx, "query", url.Values{"query": {expr}, "time": {seconds(ms)}}, grid{from: ms, to: ms, step: 1})
}

// Range implements metrics.Querier. A long range is asked for in parts, one
// after the other.
func (c *Client) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]metrics.Series, error) {
	if err := metrics.CheckRange(from, to, step, maxPoints); err != nil {
		return nil, err
	}
	if err := promexpr.Check(expr); err != nil {
		return nil, err
	}
	whole := grid{from: from.UnixMilli(), to: to.UnixMilli(), step: step.Milliseconds()}
	var all merger
	for _, part := range whole.split(pointsPerQuery) {
		got, err := c.ask(ctx, "query_range", url.Values{
			"query": {expr},
			"start": {seconds(part.from)},
			"end":   {seconds(part.to)},
			"step":  {seconds(part.step)},
			// VictoriaMetrics moves the grid unless asked not to.
			"nocache": {"1"},
		}, part)
		if err != nil {
			return nil, err
		}
		all.add(got)
	}
	return all.series, nil
}

// seconds writes milliseconds as the API wants them.
func seconds(ms int64) string {
	return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64)
}

// request is one question to the server.
type request struct {
	method string
	path   []string // under /api/v1
	form   url.Values
	most   int64 // bytes that the answer may have
	read   func(io.Reader) error
}

// ask puts one query, and reads series on a grid from its answer.
func (c *Client) ask(ctx context.Context, path string, form url.Values, g grid) (series []metrics.Series, err error) {
	c.wholeAnswers(form)
	err = c.exchange(ctx, request{
		method: http.MethodPost, path: []string{path}, form: form, most: g.mostBytes(),
		read: func(r io.Reader) error {
			series, err = decode(r, g)
			return err
		},
	})
	return series, err
}

// wholeAnswers asks for all or nothing: Thanos and VictoriaMetrics otherwise
// answer with what happens to be there.
func (c *Client) wholeAnswers(form url.Values) {
	form.Set("timeout", c.conn.Timeout.String())
	form.Set("partial_response", "false")
	form.Set("deny_partial_response", "1")
}

// exchange puts one question, again where that may help, until its time is over.
func (c *Client) exchange(ctx context.Context, r request) error {
	deadline, cancel := context.WithTimeout(ctx, c.conn.Timeout)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-deadline.Done():
		return c.timedOut(ctx, deadline.Err())
	}
	for attempt := 1; ; attempt++ {
		wait, err := c.once(deadline, r)
		if err == nil {
			return nil
		}
		if deadline.Err() != nil {
			return c.timedOut(ctx, err)
		}
		if wait < 0 || attempt == attempts {
			return err
		}
		pause := max(wait, backoff(attempt))
		if end, ok := deadline.Deadline(); ok && time.Until(end) < pause {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-deadline.Done():
			timer.Stop()
			return c.timedOut(ctx, err)
		}
	}
}

// backoff doubles with each attempt and is spread, so that many questions do not
// come back in the same instant.
func backoff(attempt int) time.Duration {
	d := min(firstBackoff<<(attempt-1), longestBackoff)
	return d/2 + rand.N(d/2+1)
}

// never says that asking again cannot help.
const never = time.Duration(-1)

// once puts the question one time. wait is how long to wait before asking again,
// and never where that cannot help.
func (c *Client) once(ctx context.Context, r request) (wait time.Duration, err error) {
	at := c.base.JoinPath(append([]string{"api", "v1"}, r.path...)...)
	body := r.form.Encode()
	if r.method == http.MethodGet {
		at.RawQuery, body = body, ""
	}
	req, err := http.NewRequestWithContext(ctx, r.method, at.String(), strings.NewReader(body))
	if err != nil {
		return never, fmt.Errorf("ask %s: %w", c.base.Host, err)
	}
	req.Header.Set("User-Agent", userAgent)
	for name, value := range c.conn.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	switch {
	case c.conn.Username != "":
		req.SetBasicAuth(c.conn.Username, c.conn.Password)
	case c.conn.BearerToken != "":
		req.Header.Set("Authorization", "Bearer "+c.conn.BearerToken)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return retryConnection(err), c.unreachable(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		body, readErr := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
		if readErr != nil && len(body) == 0 {
			return 0, c.unreachable(readErr)
		}
		return c.refused(resp, body)
	}
	answer := &bounded{r: resp.Body, left: r.most}
	err = r.read(answer)
	if err == nil {
		return never, nil
	}
	if answer.exceeded {
		return never, c.tooLarge()
	}
	if answer.failed != nil {
		return 0, c.unreachable(answer.failed)
	}
	return never, c.nonsense(resp, err)
}

// mostBytes is how long an answer may be. It grows with what was asked, so that
// a source without end is cut off before it fills the memory.
func (g grid) mostBytes() int64 {
	return min(maxResponse, anyResponse+((g.to-g.from)/g.step+1)*bytesPerMoment)
}

// bounded reads at most so many bytes and remembers why it stopped.
type bounded struct {
	r        io.Reader
	left     int64
	exceeded bool
	failed   error // of the connection, not of what it carried
}

var errTooLarge = errors.New("the answer is too large")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.exceeded = true
		return 0, errTooLarge
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed = err
	}
	return n, err
}

package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

const (
	headerTimeout  = 15 * time.Second
	maxHeaderBytes = 64 << 10
	maxAnswerBytes = 2 << 10 // what is kept of an answer, for the log of attempts
	maxRetryAfter  = 24 * time.Hour
)

// Client posts to receivers through a guard. It may be used by several
// goroutines at once.
type Client struct {
	http *http.Client
}

// Client returns a client whose connections this guard watches.
func (g *Guard) Client() *Client { return g.ClientTLS(nil) }

// ClientTLS is Client with TLS settings of its own, for receivers whose
// certificate is signed by a private authority.
func (g *Guard) ClientTLS(settings *tls.Config) *Client {
	if settings == nil {
		settings = &tls.Config{}
	}
	settings = settings.Clone()
	settings.MinVersion = max(settings.MinVersion, tls.VersionTLS12)
	return &Client{http: &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil,
			DialContext:            g.DialContext,
			TLSClientConfig:        settings,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    dialTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression:     true,
			// One Post is one request: over a connection that was kept, Go
			// repeats by itself what carries an Idempotency-Key.
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Answer is what a receiver said: its status code, the beginning of its text,
// and how long it asks to be left alone.
type Answer struct {
	Code       int
	Text       string
	RetryAfter time.Duration
}

// OK reports whether the receiver took the request over.
func (a Answer) OK() bool { return a.Code >= 200 && a.Code < 300 }

// Retryable reports whether the same request can succeed later: every answer but
// the 4xx ones that blame the request itself (all except 408, 425 and 429).
func (a Answer) Retryable() bool {
	switch a.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return a.Code < 400 || a.Code > 499
}

// Post sends a body and returns the answer, whatever its status; it fails only
// when there was no answer. Neither the error nor the answer repeats the address,
// which may hold a secret. The reading of the answer is bounded: what a receiver
// says beyond that is cut off.
func (c *Client) Post(ctx context.Context, address string, header http.Header, body []byte, now time.Time) (Answer, error) {
	u, err := CheckURL(address)
	if err != nil {
		return Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return Answer{}, invalidURL()
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "Teiten")
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, Explain(err)
	}
	defer resp.Body.Close()
	answer := Answer{Code: resp.StatusCode, RetryAfter: retryAfter(resp.Header.Get("Retry-After"), now)}
	// The status decides; the text is a courtesy, so that failing to read it
	// changes nothing.
	most := maxAnswerBytes + len(address)
	start, _ := io.ReadAll(io.LimitReader(resp.Body, int64(most)))
	cut := len(start) == most
	if start = hide(start, u); cut {
		start = start[:max(0, len(start)-len(address))] // it may end in half a secret
	}
	answer.Text = readable(start[:min(len(start), maxAnswerBytes)], resp.Header.Get("Content-Type"))
	return answer, nil
}

// shortestHidden is from how many bytes on a part of an address may be a secret.
const shortestHidden = 6

// hide takes out of an answer what it repeats of the address: many servers name
// the path that they do not know, and in an address that is where the secret is.
func hide(answer []byte, u *url.URL) []byte {
	parts := []string{u.RequestURI(), u.EscapedPath(), u.Path, u.RawQuery, u.Fragment}
	parts = append(parts, strings.Split(u.EscapedPath(), "/")...)
	parts = append(parts, strings.Split(u.Path, "/")...)
	for name, values := range u.Query() {
		parts = append(append(parts, name), values...)
	}
	if password, ok := u.User.Password(); ok {
		parts = append(parts, u.User.Username(), password)
	}
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	for _, part := range parts {
		if len(part) >= shortestHidden {
			answer = bytes.ReplaceAll(answer, []byte(part), []byte(secret.Hidden))
		}
	}
	return answer
}

// readable is the text of an answer, as far as it is text.
func readable(b []byte, contentType string) string {
	media, _, _ := mime.ParseMediaType(contentType)
	isText := media == "" || strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "xml")
	for len(b) > 0 && !utf8.Valid(b) && len(b) > maxAnswerBytes-utf8.UTFMax {
		b = b[:len(b)-1] // a character that was cut in two
	}
	if !isText || !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return fmt.Sprintf("(%d bytes of %q)", len(b), media)
	}
	return strings.TrimSpace(string(b))
}

// retryAfter reads the header of that name (RFC 9110, section 10.2.3), in
// seconds or as a date; 0 where it says nothing usable.
func retryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseInt(v, 10, 64); err == nil {
		if s < 0 {
			return 0
		}
		return time.Duration(min(s, int64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// CheckURL refuses an address that cannot be posted to. Its fault does not
// repeat the address.
func CheckURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return nil, invalidURL()
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, invalidURL()
		}
	}
	return u, nil
}

func invalidURL() error {
	return fault.New(fault.Invalid, "outbound.url",
		text.Say("the receiver's address is not an http or https URL", "送信先のアドレスがhttpまたはhttpsのURLではありません")).
		Fix(text.Say("write it as https://host/path", "https://host/path の形で書いてください"))
}

// Explain turns a network error into a fault that says in words what happened.
// It holds no address, because an address may hold a secret. A fault stays as
// it is.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	if f, ok := fault.As(err); ok {
		return f
	}
	var inURL *url.Error
	if errors.As(err, &inURL) {
		err = inURL.Err
	}
	what := because(err)
	return fault.New(fault.Unavailable, what.code, what.say).Wrap(err)
}

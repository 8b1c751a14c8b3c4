package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// codeTooLarge is the code of an answer that does not fit.
const codeTooLarge = "metrics.too_large"

// longestRetryAfter bounds what a server may ask for.
const longestRetryAfter = 5 * time.Minute

// timedOut tells the caller's own end from the question's deadline.
func (c *Client) timedOut(ctx context.Context, cause error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask %s: %w", c.base.Host, ctx.Err())
	}
	return fault.New(fault.Unavailable, metrics.CodeTimeout, text.Say(
		"%s did not answer in %s", "%s が %s 以内に応答しませんでした", c.base.Host, c.conn.Timeout)).
		Fix(text.Say("look at the load of the server, raise timeout, or make the expression cheaper with a recording rule",
			"サーバーの負荷を確認するか、timeout を延ばすか、レコーディングルールで式を軽くしてください")).
		Wrap(cause)
}

// retryConnection is 0, at once with backoff, unless the connection failed for
// a reason that stays.
func retryConnection(err error) time.Duration {
	if certificateProblem(err) || fault.KindOf(err) == fault.Denied {
		return never
	}
	return 0
}

func certificateProblem(err error) bool {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		bad       x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	return errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &bad) ||
		errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert)
}

// unreachable is a connection that failed before an answer.
func (c *Client) unreachable(err error) error {
	if f, ok := fault.As(err); ok && f.Kind == fault.Denied {
		return f // the guard of outgoing addresses
	}
	if certificateProblem(err) {
		return fault.New(fault.Unavailable, metrics.CodeTLS, text.Say(
			"the encrypted connection to %s failed", "%s との暗号化通信（TLS）を確立できません", c.base.Host)).
			Fix(text.Say("check tls.ca, tls.cert, tls.serverName and whether the address begins with https",
				"tls.ca、tls.cert、tls.serverName と、アドレスが https で始まるかを確認してください")).
			Wrap(err)
	}
	return fault.New(fault.Unavailable, metrics.CodeGone, text.Say(
		"%s cannot be reached", "%s に接続できません", c.base.Host)).
		Fix(text.Say("check that the server runs and that its address and port are right",
			"サーバーが動作しているか、アドレスとポートが正しいかを確認してください")).
		Wrap(err)
}

// refused reads an answer other than 200.
func (c *Client) refused(resp *http.Response, body []byte) (time.Duration, error) {
	var said struct {
		ErrorType string `json:"errorType"`
		Error     string `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // what is not JSON says nothing
	if said.ErrorType != "" {
		if wait, err := c.apiError(said.ErrorType, said.Error); err != nil {
			return wait, err
		}
	}
	status := resp.StatusCode
	switch {
	case status == http.StatusTooManyRequests:
		after := retryAfter(resp)
		return after, fault.New(fault.Unavailable, metrics.CodeBusy, text.Say(
			"%s limits how often it may be asked", "%s の問い合わせ回数の上限に達しました", c.base.Host)).
			Fix(text.Say("lower maxConcurrency, or raise the server's limit", "maxConcurrency を下げるか、サーバー側の上限を上げてください")).
			After(max(after, time.Second))
	case status >= 500:
		after := retryAfter(resp)
		return after, fault.New(fault.Unavailable, metrics.CodeGone, text.Say(
			"%s answers with an error of its own (HTTP %d)", "%s がエラーを返しています（HTTP %d）", c.base.Host, status)).
			Fix(text.Say("look at the server's state and log", "サーバーの状態とログを確認してください")).
			After(after)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return never, fault.New(fault.Unavailable, metrics.CodeAuth, text.Say(
			"%s does not accept the credentials (HTTP %d)", "%s の認証に失敗しました（HTTP %d）", c.base.Host, status)).
			Fix(text.Say("check basic, bearerToken or the tenant header of the data source",
				"データソースの basic、bearerToken、テナントのヘッダーを確認してください"))
	case status >= 300 && status < 400:
		return never, c.notPrometheus(text.Say("%s redirects elsewhere (HTTP %d)",
			"%s が別のアドレスへ転送しています（HTTP %d）", c.base.Host, status))
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		return never, c.notPrometheus(text.Say("%s does not know Prometheus' query API (HTTP %d)",
			"%s に Prometheus の問い合わせAPIがありません（HTTP %d）", c.base.Host, status))
	}
	return never, c.notPrometheus(text.Say("%s refuses the question (HTTP %d)",
		"%s が問い合わせを拒否しました（HTTP %d）", c.base.Host, status))
}

// apiError reads the API's own errors. It returns nil for a type that says no
// more than the status.
func (c *Client) apiError(kind, said string) (time.Duration, error) {
	said = clip(said)
	switch kind {
	case "bad_data":
		return never, fault.New(fault.Invalid, "metrics.promql", text.Say(
			"%s refuses the expression: %s", "%s が式を受け付けません: %s", c.base.Host, said))
	case "execution":
		if strings.Contains(said, "too many samples") {
			return never, c.tooLarge()
		}
		return never, fault.New(fault.Invalid, "metrics.evaluation", text.Say(
			"%s cannot evaluate the expression: %s", "%s で式を評価できません: %s", c.base.Host, said))
	case "timeout", "canceled":
		return never, fault.New(fault.Unavailable, metrics.CodeTimeout, text.Say(
			"%s stopped the query because it took too long", "%s がクエリを時間切れで中断しました", c.base.Host)).
			Fix(text.Say("make the expression cheaper with a recording rule, or raise the server's query timeout",
				"レコーディングルールで式を軽くするか、サーバー側のクエリのタイムアウトを延ばしてください"))
	}
	return 0, nil
}

// clip keeps what a server says short and on one line.
func clip(s string) string {
	s = strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return s
}

func (c *Client) notPrometheus(what text.Both) error {
	return fault.New(fault.Unavailable, metrics.CodeNonsense, what).
		Fix(text.Say("check the address; it is the one under which /api/v1/query answers, without that path",
			"アドレスを確認してください。/api/v1/query が応答するアドレスから、そのパスを除いたものです"))
}

// nonsense is a 200 that is not an answer.
func (c *Client) nonsense(resp *http.Response, cause error) error {
	if f, ok := fault.As(cause); ok {
		return f
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	f := text.Say("%s answers something that is not a query result", "%s の応答がクエリの結果ではありません", c.base.Host)
	if kind == "text/html" {
		f = text.Say("%s answers a web page instead of a query result", "%s がクエリの結果ではなくWebページを返しました", c.base.Host)
	}
	err, _ := fault.As(c.notPrometheus(f))
	return err.Wrap(cause)
}

func (c *Client) tooLarge() error {
	return fault.New(fault.Invalid, codeTooLarge, text.Say(
		"the answer of %s is too large", "%s の応答が大きすぎます", c.base.Host)).
		Fix(text.Say("aggregate in the expression, for example with sum(…), or ask for a shorter range",
			"式の中で sum(…) などで集約するか、期間を短くしてください"))
}

// retryAfter reads the header in seconds or as a date (RFC 9110, section
// 10.2.3); it is 0 where there is none.
func retryAfter(resp *http.Response) time.Duration {
	v := resp.Header.Get("Retry-After")
	if v == "" {
		return 0
	}
	if n, err := strconv.Atoi(v); err == nil {
		return min(max(time.Duration(n)*time.Second, 0), longestRetryAfter)
	}
	if at, err := http.ParseTime(v); err == nil {
		return min(max(time.Until(at), 0), longestRetryAfter)
	}
	return 0
}

package metrics

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// Settings is connectionDetails of a DataSource of type Prometheus.
type Settings struct {
	URL            string                   `json:"url" doc:"Address of the server, without /api/v1." ja:"サーバーのアドレス(/api/v1 は含めません)。"`
	Basic          *Basic                   `json:"basic,omitempty" doc:"HTTP basic authentication." ja:"HTTP Basic認証。"`
	BearerToken    secret.Secret            `json:"bearerToken,omitempty" doc:"Sent as a bearer token. May be ${env:NAME} or ${file:PATH}." ja:"Bearerトークンとして送ります。${env:NAME} や ${file:PATH} も書けます。"`
	TLS            *TLSSettings             `json:"tls,omitempty" doc:"How the server's certificate is verified and one's own is shown." ja:"サーバー証明書の検証方法と、提示するクライアント証明書。"`
	Headers        map[string]secret.Secret `json:"headers,omitempty" doc:"Sent with each request, such as X-Scope-OrgID. Values may be ${env:NAME} or ${file:PATH}." ja:"すべてのリクエストに付けるヘッダー(例: X-Scope-OrgID)。値には ${env:NAME} や ${file:PATH} も書けます。"`
	MaxConcurrency int                      `json:"maxConcurrency,omitempty" minimum:"0" maximum:"100" doc:"Requests at a time; 4 when absent." ja:"同時リクエスト数。省略時は4。"`
	Timeout        Duration                 `json:"timeout,omitempty" doc:"Longest time for one question with its retries; 30s when absent." ja:"再試行を含む1回の問い合わせの制限時間。省略時は30s。"`
	ScrapeInterval Duration                 `json:"scrapeInterval,omitempty" doc:"How often the server scrapes; 30s when absent. Increases are estimated over four of them." ja:"サーバーのスクレイプ間隔。省略時は30s。増分はその4回分で見積もります。"`

	// Extra is what other types of data source are configured with.
	Extra map[string]any `json:"-" ascode:"extra"`
}

// Basic is a user name and a password.
type Basic struct {
	Username string        `json:"username"`
	Password secret.Secret `json:"password" doc:"May be ${env:NAME} or ${file:PATH}." ja:"${env:NAME} や ${file:PATH} も書けます。"`
}

// TLSSettings is how certificates are verified and shown. CA, Cert and Key are
// PEM texts, or references to them.
type TLSSettings struct {
	CA                 secret.Secret `json:"ca,omitempty" doc:"Authority of the server's certificate: PEM, or ${file:PATH}. The system's authorities when absent." ja:"サーバー証明書の認証局(PEM または ${file:PATH})。省略時はシステムの認証局。"`
	Cert               secret.Secret `json:"cert,omitempty" doc:"Client certificate: PEM, or ${file:PATH}." ja:"クライアント証明書(PEM または ${file:PATH})。"`
	Key                secret.Secret `json:"key,omitempty" doc:"Its key: PEM, or ${file:PATH}." ja:"その秘密鍵(PEM または ${file:PATH})。"`
	ServerName         string        `json:"serverName,omitempty" doc:"Name expected in the server's certificate." ja:"サーバー証明書に期待する名前。"`
	InsecureSkipVerify bool          `json:"insecureSkipVerify,omitempty" doc:"Accept any certificate. Only for trials." ja:"どの証明書も受け入れます。試用時のみ使ってください。"`
}

// Duration is a time span, written as Prometheus does: 30s, 1m30s, 1h.
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := model.ParseDuration(string(b))
	if err != nil {
		return fault.New(fault.Invalid, "metrics.duration", text.Say(
			"%q is not a duration", "%q は期間として読めません", string(b))).
			Fix(text.Say("write it like 30s or 1m30s", "30s や 1m30s のように書いてください")).Wrap(err)
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(model.Duration(d).String()), nil }

// IsZero reports whether the duration is absent.
func (d Duration) IsZero() bool { return d == 0 }

// tenantHeaders say whose data is meant; they are no secrets.
var tenantHeaders = map[string]bool{
	"x-scope-orgid": true, "thanos-tenant": true, "accountid": true, "projectid": true, "x-org-id": true, "user-agent": true,
}

// namedSecret is a secret and its place in the document.
type namedSecret struct {
	path  []any
	value *secret.Secret
}

// all returns every value that may be a reference, with its place under
// connectionDetails.
func (s *Settings) all() []namedSecret {
	out := []namedSecret{{[]any{"bearerToken"}, &s.BearerToken}}
	if s.Basic != nil {
		out = append(out, namedSecret{[]any{"basic", "password"}, &s.Basic.Password})
	}
	if s.TLS != nil {
		out = append(out, namedSecret{[]any{"tls", "ca"}, &s.TLS.CA},
			namedSecret{[]any{"tls", "cert"}, &s.TLS.Cert}, namedSecret{[]any{"tls", "key"}, &s.TLS.Key})
	}
	return out
}

// connection is the settings with all references looked up.
func (s Settings) connection(x secret.Lookup) (Connection, error) {
	c := Connection{
		URL: s.URL, MaxConcurrency: s.MaxConcurrency,
		Timeout: time.Duration(s.Timeout), ScrapeInterval: time.Duration(s.ScrapeInterval),
		Headers: make(map[string]string, len(s.Headers)),
	}
	var err error
	look := func(plain string, e error) string {
		if err == nil {
			err = e
		}
		return plain
	}
	reveal := func(v secret.Secret) string { return look(x.Reveal(v)) }
	pem := func(v secret.Secret) string { return look(x.RevealText(v)) }
	c.BearerToken = reveal(s.BearerToken)
	if s.Basic != nil {
		c.Username, c.Password = s.Basic.Username, reveal(s.Basic.Password)
	}
	if s.TLS != nil {
		c.TLS = TLS{
			CA: pem(s.TLS.CA), Cert: pem(s.TLS.Cert), Key: pem(s.TLS.Key),
			ServerName: s.TLS.ServerName, InsecureSkipVerify: s.TLS.InsecureSkipVerify,
		}
	}
	for name, v := range s.Headers {
		c.Headers[name] = reveal(v)
	}
	if err != nil {
		return Connection{}, fmt.Errorf("look up secrets: %w", err)
	}
	return c, nil
}

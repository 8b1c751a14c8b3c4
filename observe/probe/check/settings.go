package check

import (
	"strconv"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// HTTP is a walk through one or several requests, as somebody using the service
// would make them: cookies are kept from step to step, and values that one step
// extracts can be used by the next as {{name}}.
type HTTP struct {
	Steps   []HTTPStep               `json:"steps" doc:"Requests, one after the other; the first that fails ends the check." ja:"順に送るリクエスト。失敗した時点でチェックは終わります。"`
	Secrets map[string]secret.Secret `json:"secrets,omitempty" doc:"Values for {{name}} in addresses, headers and bodies. May be ${env:NAME} or ${file:PATH}, looked up where the probe runs." ja:"URL・ヘッダー・本文の {{名前}} に入る値。${env:NAME} や ${file:PATH} も書けます(プローブを実行する側で参照されます)。"`
	TLS     *TLSOptions              `json:"tls,omitempty" doc:"How certificates are verified and shown." ja:"証明書の検証方法と提示方法。"`
}

// HTTPStep is one request and what is expected of its answer.
type HTTPStep struct {
	Name            string                   `json:"name,omitempty" doc:"What people call the step; the method and path when absent." ja:"ステップの表示名。省略時はメソッドとパス。"`
	Method          string                   `json:"method,omitempty" doc:"GET when absent." ja:"省略時は GET。"`
	URL             string                   `json:"url" doc:"The address, beginning with http:// or https://." ja:"http:// または https:// で始まるアドレス。"`
	Headers         map[string]secret.Secret `json:"headers,omitempty" doc:"Sent with the request. Values may be ${env:NAME} or ${file:PATH}, or hold {{name}}." ja:"リクエストに付けるヘッダー。値には ${env:NAME}、${file:PATH}、{{名前}} を書けます。"`
	Body            string                   `json:"body,omitempty" doc:"Sent with the request; may hold {{name}}." ja:"リクエストの本文。{{名前}} を書けます。"`
	FollowRedirects *bool                    `json:"followRedirects,omitempty" doc:"Whether redirects are followed, at most ten; true when absent." ja:"リダイレクトに従うか(最大10回)。省略時は true。"`
	Expect          HTTPExpect               `json:"expect,omitzero" doc:"What the answer must be; a status of 2xx when absent." ja:"応答の条件。省略時はステータスが2xxであること。"`
	Extract         []Extract                `json:"extract,omitempty" doc:"Values for the steps that follow." ja:"以降のステップで使う値。"`
}

// HTTPExpect is what an answer must be; all that is written must hold.
type HTTPExpect struct {
	Status  []Status       `json:"status,omitempty" doc:"Accepted statuses: 200, 2xx or 200-299; 2xx when absent." ja:"受け入れるステータス(200、2xx、200-299 など)。省略時は 2xx。"`
	Body    *BodyExpect    `json:"body,omitempty" doc:"What the body must hold." ja:"本文の条件。"`
	Headers []HeaderExpect `json:"headers,omitempty" doc:"What headers must say." ja:"ヘッダーの条件。"`
	Latency Duration       `json:"latency,omitzero" doc:"Longest time from the step's beginning to the last byte, such as 800ms." ja:"ステップの開始から最後のバイトまでの上限(例: 800ms)。"`
}

// BodyExpect is what a body must hold.
type BodyExpect struct {
	Contains    []string     `json:"contains,omitempty" doc:"Texts that must all be there." ja:"すべて含まれるべき文字列。"`
	NotContains []string     `json:"notContains,omitempty" doc:"Texts that must not be there." ja:"含まれてはならない文字列。"`
	Matches     string       `json:"matches,omitempty" doc:"A regular expression (RE2) that must match." ja:"一致すべき正規表現(RE2)。"`
	JSON        []JSONExpect `json:"json,omitempty" doc:"Conditions on values of a JSON body." ja:"JSON本文の値に対する条件。"`
}

// JSONExpect is a condition on one value of a JSON document.
type JSONExpect struct {
	Path    string   `json:"path" doc:"Where the value is: $.order.items[0].name." ja:"値の場所(例: $.order.items[0].name)。"`
	Equals  any      `json:"equals,omitempty" doc:"The value it must be: a text, a number, true or false." ja:"一致すべき値(文字列・数値・true・false)。"`
	Matches string   `json:"matches,omitempty" doc:"A regular expression that its text must match." ja:"文字列として一致すべき正規表現。"`
	Min     *float64 `json:"min,omitempty" doc:"The least number it may be." ja:"数値の下限。"`
	Max     *float64 `json:"max,omitempty" doc:"The greatest number it may be." ja:"数値の上限。"`
	Absent  bool     `json:"absent,omitempty" doc:"true: there must be no such value." ja:"true なら、値が存在しないことを条件にします。"`
}

// HeaderExpect is a condition on one header. With nothing but a name the header
// must be there.
type HeaderExpect struct {
	Name    string `json:"name" doc:"The header's name." ja:"ヘッダー名。"`
	Equals  string `json:"equals,omitempty" doc:"What it must be." ja:"一致すべき値。"`
	Matches string `json:"matches,omitempty" doc:"A regular expression that it must match." ja:"一致すべき正規表現。"`
	Absent  bool   `json:"absent,omitempty" doc:"true: it must not be there." ja:"true なら、存在しないことを条件にします。"`
}

// Extract takes a value out of an answer; exactly one of JSON, Header and
// Matches says where from.
type Extract struct {
	Name    string `json:"name" doc:"How later steps refer to it: {{name}}." ja:"以降のステップから {{名前}} で参照する名前。"`
	JSON    string `json:"json,omitempty" doc:"A path into the JSON body, such as $.token." ja:"JSON本文のパス(例: $.token)。"`
	Header  string `json:"header,omitempty" doc:"A header of the answer." ja:"応答のヘッダー名。"`
	Matches string `json:"matches,omitempty" doc:"A regular expression over the body; its first group, or all of it." ja:"本文に対する正規表現。最初のグループ、なければ全体を取ります。"`
}

// TLSOptions is how certificates are verified and shown. CA, Cert and Key are
// PEM texts, or references to them.
type TLSOptions struct {
	CA                 secret.Secret `json:"ca,omitempty" doc:"Authority of the target's certificate: PEM, or ${file:PATH}. The system's authorities when absent." ja:"対象の証明書の認証局(PEM または ${file:PATH})。省略時はシステムの認証局。"`
	Cert               secret.Secret `json:"cert,omitempty" doc:"Client certificate: PEM, or ${file:PATH}." ja:"クライアント証明書(PEM または ${file:PATH})。"`
	Key                secret.Secret `json:"key,omitempty" doc:"Its key: PEM, or ${file:PATH}." ja:"その秘密鍵(PEM または ${file:PATH})。"`
	ServerName         string        `json:"serverName,omitempty" doc:"Name expected in the target's certificate." ja:"対象の証明書に期待する名前。"`
	InsecureSkipVerify bool          `json:"insecureSkipVerify,omitempty" doc:"Accept any certificate." ja:"どの証明書も受け入れます。"`
}

// TCP connects, and may say something and wait for an answer.
type TCP struct {
	Address string      `json:"address" doc:"host:port." ja:"ホスト:ポート。"`
	TLS     *TLSOptions `json:"tls,omitempty" doc:"Where it is written, even empty, TLS is spoken." ja:"書くと(空でも)TLSで接続します。"`
	Send    string      `json:"send,omitempty" doc:"What is sent after connecting." ja:"接続後に送る内容。"`
	Expect  string      `json:"expect,omitempty" doc:"A regular expression that what arrives must match." ja:"受信した内容が一致すべき正規表現。"`
}

// TLSExpiry connects and looks how long the certificates are valid.
type TLSExpiry struct {
	Address string      `json:"address" doc:"host:port; port 443 when absent." ja:"ホスト:ポート。ポートを省略すると443。"`
	TLS     *TLSOptions `json:"tls,omitempty" doc:"How certificates are verified." ja:"証明書の検証方法。"`
	Days    *float64    `json:"days,omitempty" doc:"How many days must be left; 14 when absent." ja:"必要な残り日数。省略時は14。"`
}

// DNS asks for records of a name.
type DNS struct {
	Name     string   `json:"name" doc:"The name that is asked for." ja:"問い合わせる名前。"`
	Type     string   `json:"type,omitempty" enum:"A,AAAA,CNAME,MX,NS,TXT,SRV,PTR,SOA,CAA" doc:"The type of record; A when absent." ja:"レコードの種類。省略時は A。"`
	Resolver string   `json:"resolver,omitempty" doc:"host:port of the server that is asked; the system's when absent." ja:"問い合わせ先サーバーの ホスト:ポート。省略時はシステムのもの。"`
	Expect   []string `json:"expect,omitempty" doc:"Answers that must all be there; any answer when absent." ja:"すべて含まれるべき応答。省略時は1件以上あること。"`
}

// GRPC asks a server for its health, as grpc.health.v1.Health defines it.
type GRPC struct {
	Address string      `json:"address" doc:"host:port." ja:"ホスト:ポート。"`
	Service string      `json:"service,omitempty" doc:"The service whose health is asked for; the whole server's when absent." ja:"ヘルスを尋ねるサービス。省略時はサーバー全体。"`
	TLS     *TLSOptions `json:"tls,omitempty" doc:"Where it is written, even empty, TLS is spoken; plain text otherwise." ja:"書くと(空でも)TLSで接続します。省略時は平文。"`
}

// ICMP sends echo requests.
type ICMP struct {
	Host    string   `json:"host" doc:"Name or address." ja:"ホスト名またはアドレス。"`
	Count   int      `json:"count,omitempty" doc:"How many requests are sent; 3 when absent." ja:"送る回数。省略時は3。"`
	MaxLoss *float64 `json:"maxLoss,omitempty" doc:"The share of requests that may stay unanswered; 0 when absent." ja:"応答がなくてもよい割合。省略時は0。"`
	Latency Duration `json:"latency,omitzero" doc:"Longest mean time of an answer." ja:"平均応答時間の上限。"`
}

func (d *DNS) recordType() string {
	if d.Type == "" {
		return "A"
	}
	return strings.ToUpper(d.Type)
}

// Status is a status or a range of them: 200, 2xx or 200-299.
type Status struct{ From, To int }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Status) UnmarshalText(b []byte) error {
	from, to, ranged := strings.Cut(strings.ToLower(strings.TrimSpace(string(b))), "-")
	if class, ok := strings.CutSuffix(from, "xx"); ok && !ranged {
		from, to, ranged = class+"00", class+"99", true
	}
	if !ranged {
		to = from
	}
	lo, err1 := strconv.Atoi(from)
	hi, err2 := strconv.Atoi(to)
	if err1 != nil || err2 != nil || lo < 100 || hi > 599 || lo > hi {
		return fault.New(fault.Invalid, "probe.status_range", text.Say("%q is not a status", "%q はステータスとして読めません", string(b))).
			Fix(text.Say("write 200, 2xx or 200-299", "200、2xx、200-299 のように書いてください"))
	}
	*s = Status{lo, hi}
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String writes a status as people do.
func (s Status) String() string {
	switch {
	case s.From == s.To:
		return strconv.Itoa(s.From)
	case s.From%100 == 0 && s.To == s.From+99:
		return strconv.Itoa(s.From/100) + "xx"
	}
	return strconv.Itoa(s.From) + "-" + strconv.Itoa(s.To)
}

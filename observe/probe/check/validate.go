package check

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// Problem is a mistake in the settings of a check, and where it is: names of
// fields and places in lists, below the check.
type Problem struct {
	Path   []any
	Code   string
	What   text.Both
	Remedy text.Both
}

const (
	mostSteps   = 20
	mostText    = 64 << 10 // of a body or an expression
	mostPattern = 1 << 10
	mostEchoes  = 20
)

// problems gathers what is wrong, at a place in the settings.
type problems struct {
	found []Problem
}

func (p *problems) in(path ...any) *at { return &at{p, path} }

// at is a place.
type at struct {
	p    *problems
	path []any
}

func (a *at) in(path ...any) *at { return &at{a.p, append(slices.Clone(a.path), path...)} }

func (a *at) wrong(code string, what, remedy text.Both) {
	a.p.found = append(a.p.found, Problem{a.path, code, what, remedy})
}

func (a *at) fault(err error) {
	if f, ok := fault.As(err); ok {
		a.wrong(f.Code, f.What, f.Remedy)
	}
}

// Problems returns everything in the settings that cannot work.
func (c Check) Problems() []Problem {
	p := &problems{}
	switch c.Type() {
	case "http":
		c.HTTP.problems(p.in("http"))
	case "tcp":
		p.in("tcp", "address").address(c.TCP.Address, false)
		p.in("tcp", "expect").pattern(c.TCP.Expect)
		c.TCP.TLS.problems(p.in("tcp", "tls"))
	case "tls":
		p.in("tls", "address").address(c.TLS.Address, true)
		c.TLS.TLS.problems(p.in("tls", "tls"))
		if d := c.TLS.Days; d != nil && (*d < 0 || *d > 3650) {
			p.in("tls", "days").wrong("probe.days", text.Say("days must lie between 0 and 3650", "days は0から3650の範囲で指定してください"), text.Say("14 suits certificates that are renewed by machines", "自動更新の証明書なら14が適当です"))
		}
	case "dns":
		c.DNS.problems(p.in("dns"))
	case "grpc":
		p.in("grpc", "address").address(c.GRPC.Address, false)
		c.GRPC.TLS.problems(p.in("grpc", "tls"))
	case "icmp":
		c.ICMP.problems(p.in("icmp"))
	default:
		p.in().wrong(CodeType, text.Say("a probe has exactly one of http, tcp, tls, dns, grpc and icmp", "http、tcp、tls、dns、grpc、icmp のうち、ちょうど1つを書いてください"),
			text.Say("write one, and make a second probe for the other", "1つだけ書き、残りは別のプローブにしてください"))
	}
	return p.found
}

func (h *HTTP) problems(a *at) {
	if n := len(h.Steps); n == 0 || n > mostSteps {
		a.in("steps").wrong("probe.steps", text.Say("there are %d steps; a check has between 1 and %d", "ステップが%d個あります(1〜%d個)", n, mostSteps),
			text.Say("write what is requested under steps", "steps にリクエストを書いてください"))
	}
	known := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(h.Secrets)) {
		known[name] = true
		a.in("secrets", name).named(name)
		a.in("secrets", name).reference(h.Secrets[name])
	}
	h.TLS.problems(a.in("tls"))
	for i := range h.Steps {
		h.Steps[i].problems(a.in("steps", i), known)
	}
}

var (
	method     = regexp.MustCompile(`^[A-Za-z]{1,20}$`)
	headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")
	valueName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)
)

func (h *HTTPStep) problems(a *at, known map[string]bool) {
	u, err := url.Parse(placeholder.ReplaceAllString(h.URL, "x"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || len(h.URL) > mostText {
		a.in("url").wrong("probe.url", text.Say("the address is not an http or https URL", "アドレスがhttpまたはhttpsのURLではありません"), text.Say("write it as https://host/path", "https://host/path の形で書いてください"))
	} else if _, hidden := u.User.Password(); hidden {
		a.in("url").wrong("probe.url_password", text.Say("the address holds a password, which would be shown", "アドレスにパスワードが含まれており、表示されてしまいます"),
			text.Say("send it as a header: Authorization: ${env:NAME}", "ヘッダーで送ってください(例: Authorization: ${env:NAME})"))
	}
	if h.Method != "" && (!method.MatchString(h.Method) || strings.EqualFold(h.Method, http.MethodConnect)) {
		a.in("method").wrong("probe.method", text.Say("%q is not a method", "%q はメソッドではありません", h.Method), text.Say("write GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS", "GET、HEAD、POST、PUT、PATCH、DELETE、OPTIONS のいずれかを書いてください"))
	}
	a.in("url").refers(h.URL, known)
	a.in("body").refers(h.Body, known)
	if len(h.Body) > mostText {
		a.in("body").tooLong()
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		v, in := h.Headers[name], a.in("headers", name)
		if !headerName.MatchString(name) || strings.ContainsAny(string(v), "\r\n\x00") {
			in.wrong("probe.header_shape", text.Say("the header cannot be sent", "このヘッダーは送れません"), text.Say("write a name without spaces and a value of one line", "名前は空白なし、値は1行で書いてください"))
		}
		in.reference(v)
		in.refers(string(v), known)
	}
	h.Expect.problems(a.in("expect"))
	for i := range h.Extract {
		h.Extract[i].problems(a.in("extract", i))
		known[h.Extract[i].Name] = true
	}
}

func (e *HTTPExpect) problems(a *at) {
	for i, h := range e.Headers {
		if !headerName.MatchString(h.Name) {
			a.in("headers", i, "name").wrong("probe.header_shape", text.Say("%q is not a header", "%q はヘッダー名ではありません", shown(h.Name)), text.Say("write its name", "ヘッダー名を書いてください"))
		}
		a.in("headers", i, "matches").pattern(h.Matches)
	}
	if e.Body == nil {
		return
	}
	a.in("body", "matches").pattern(e.Body.Matches)
	for i, j := range e.Body.JSON {
		in := a.in("body", "json", i)
		if _, err := parsePath(j.Path); err != nil {
			in.in("path").fault(err)
		}
		in.in("matches").pattern(j.Matches)
		switch j.Equals.(type) {
		case nil, string, bool, int64, float64:
		default:
			in.in("equals").wrong("probe.equals", text.Say("only a text, a number, true or false can be compared", "比較できるのは文字列・数値・true・false だけです"), text.Say("compare its parts one by one", "中の値を1つずつ比較してください"))
		}
	}
}

func (x *Extract) problems(a *at) {
	a.in("name").named(x.Name)
	n := 0
	for _, from := range []string{x.JSON, x.Header, x.Matches} {
		if from != "" {
			n++
		}
	}
	if n != 1 {
		a.wrong("probe.extract_from", text.Say("an extraction has exactly one of json, header and matches", "json、header、matches のうち、ちょうど1つを書いてください"), text.Say("write where the value is taken from", "値の取り出し元を書いてください"))
	}
	if x.JSON != "" {
		if _, err := parsePath(x.JSON); err != nil {
			a.in("json").fault(err)
		}
	}
	a.in("matches").pattern(x.Matches)
}

func (o *TLSOptions) problems(a *at) {
	if o == nil {
		return
	}
	a.in("ca").reference(o.CA)
	a.in("cert").reference(o.Cert)
	a.in("key").reference(o.Key)
	if (o.Cert == "") != (o.Key == "") {
		a.wrong("probe.tls_pair", text.Say("cert and key belong together", "cert と key は両方必要です"), text.Say("write both or neither", "両方書くか、両方省略してください"))
	}
}

func (d *DNS) problems(a *at) {
	if _, err := d.question(); err != nil || d.Name == "" {
		a.in("name").wrong("probe.dns_name", text.Say("%s %q cannot be asked for", "%s %q は問い合わせられません", d.recordType(), shown(d.Name)), text.Say("write a name like www.example.com and a type like A", "www.example.com のような名前と、A のような種類を書いてください"))
	}
	if d.Resolver != "" {
		a.in("resolver").address(d.Resolver, true)
	}
}

func (c *ICMP) problems(a *at) {
	if c.Host == "" || strings.ContainsAny(c.Host, " /:") && !isAddr(c.Host) {
		a.in("host").wrong("probe.host", text.Say("%q is not a host", "%q はホスト名ではありません", shown(c.Host)), text.Say("write a name or an address", "ホスト名かアドレスを書いてください"))
	}
	if c.Count < 0 || c.Count > mostEchoes {
		a.in("count").wrong("probe.count", text.Say("count must lie between 1 and %d", "count は1から%dの範囲で指定してください", mostEchoes), text.Say("3 suits most targets", "通常は3で十分です"))
	}
	if l := c.MaxLoss; l != nil && (*l < 0 || *l >= 1) {
		a.in("maxLoss").wrong("probe.loss_range", text.Say("maxLoss must be at least 0 and less than 1", "maxLoss は0以上1未満で指定してください"), text.Say("0.34 lets one of three go unanswered", "0.34 なら3回中1回の無応答を許します"))
	}
}

func isAddr(s string) bool { _, err := netip.ParseAddr(s); return err == nil }

// address demands host:port, or a host alone where there is a usual port.
func (a *at) address(s string, portOptional bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil && portOptional && !strings.ContainsAny(s, ":/ ") {
		host, port, err = s, "1", nil
	}
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n == 0 || host == "" || strings.ContainsAny(host, "/ ") {
		a.wrong("probe.address", text.Say("%q is not host:port", "%q は ホスト:ポート の形ではありません", shown(s)), text.Say("write it like db.example.com:5432", "db.example.com:5432 のように書いてください"))
	}
}

func (a *at) pattern(expr string) {
	if expr == "" {
		return
	}
	if _, err := regexp.Compile(expr); err != nil || len(expr) > mostPattern {
		a.wrong("probe.pattern", text.Say("%q is not a regular expression", "%q は正規表現として読めません", shown(expr)), text.Say("write it in RE2 syntax, which Go uses", "Goと同じRE2の書式で書いてください"))
	}
}

func (a *at) named(name string) {
	if !valueName.MatchString(name) {
		a.wrong("probe.value_name", text.Say("%q is not a name", "%q は名前として使えません", shown(name)), text.Say("use letters, digits and _", "英数字と _ を使ってください"))
	}
}

func (a *at) reference(s secret.Secret) {
	if s.Misspelled() {
		a.wrong("probe.secret_reference", text.Say("the reference to a secret is not written as it has to be", "シークレットへの参照の書き方が誤っています"), text.Say("write exactly ${env:NAME} or ${file:PATH}", "${env:NAME} または ${file:PATH} とだけ書いてください"))
	}
}

// refers demands that every {{name}} is known by then.
func (a *at) refers(s string, known map[string]bool) {
	for _, name := range names(s) {
		if !known[name] {
			a.wrong("probe.value_unknown", text.Say("nothing is called {{%s}} by then", "{{%s}} に入る値がまだありません", name), text.Say("define it under secrets, or extract it in an earlier step", "secrets に書くか、前のステップの extract で取り出してください"))
		}
	}
}

func (a *at) tooLong() {
	a.wrong("probe.too_long", text.Say("this is longer than %d bytes", "%dバイトを超えています", mostText), text.Say("send less", "短くしてください"))
}

package email_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/email"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/sink"
)

var (
	allowed = outbound.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	at      = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
)

func sample() notice.Message {
	return notice.Message{
		Key: "key-1", Subject: "slo:checkout", Thread: "alert-1", Severity: notice.Page, Phase: notice.Fired, Time: at, SentAt: at,
		Title: text.Say("[PAGE] checkout burns", "【緊急】checkoutのエラーバジェットを消費中"), Body: text.Say("Two per cent failed.", "2%が失敗しました。"),
		Facts: []notice.Fact{{Label: text.Say("Burn", "消費速度"), Value: text.Say("21×", "21倍")}},
		Link:  "https://teiten.example/slos/checkout", To: "当番 <oncall@shop.example>", Lang: text.JA,
	}
}

func notifier(address string, change func(*email.Config)) *email.Notifier {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		panic(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		panic(err)
	}
	c := email.Config{Host: host, Port: n, From: "Teiten <teiten@shop.example>", TLS: email.NoTLS}
	if change != nil {
		change(&c)
	}
	return &email.Notifier{Guard: allowed, Server: c}
}

func send(t *testing.T, n *email.Notifier, m notice.Message) (notice.Answer, bool, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	return n.Notify(ctx, m)
}

func TestMailArrivesAsTextAndHTML(t *testing.T) {
	s, err := sink.Start(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	n := notifier(s.SMTPAddr(), nil)
	for range 2 {
		if a, _, err := send(t, n, sample()); err != nil || a.Code != 250 {
			t.Fatalf("answer %+v, err %v", a, err)
		}
	}
	got := s.Messages()
	if len(got) != 2 {
		t.Fatalf("%d mails", len(got))
	}
	first, second := got[0], got[1]
	if first.Key == "" || first.Key != second.Key || !strings.HasSuffix(first.Key, "@shop.example") {
		t.Errorf("Message-IDs %q and %q", first.Key, second.Key)
	}
	if first.Title != "【緊急】checkoutのエラーバジェットを消費中" || first.To != "oncall@shop.example" || first.From != "teiten@shop.example" {
		t.Errorf("%+v", first)
	}
	for _, want := range []string{"2%が失敗しました。", "消費速度: 21倍", "https://teiten.example/slos/checkout", "2026-11-22 10:00:00 UTC"} {
		if !strings.Contains(first.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, first.Text)
		}
	}
	if !bytes.Contains(first.Raw, []byte("text/html")) || first.Header.Get("Auto-Submitted") != "auto-generated" || first.Header.Get("References") == "" {
		t.Errorf("headers %v", first.Header)
	}
}

func TestMailOfOneAlertIsOneThread(t *testing.T) {
	s, err := sink.Start(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	n, end := notifier(s.SMTPAddr(), nil), sample()
	end.Key, end.Phase = "key-2", notice.Resolved
	for _, m := range []notice.Message{sample(), end} {
		if _, _, err := send(t, n, m); err != nil {
			t.Fatal(err)
		}
	}
	got := s.Messages()
	if got[0].Key == got[1].Key || got[0].Header.Get("References") != got[1].Header.Get("References") {
		t.Errorf("ids %q %q, references %q %q", got[0].Key, got[1].Key, got[0].Header.Get("References"), got[1].Header.Get("References"))
	}
}

func TestNothingAUserWroteBecomesAHeader(t *testing.T) {
	s, err := sink.Start(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	m := sample()
	evil := "x\r\nBcc: victim@example.com\r\n\r\n<script>alert(1)</script>"
	m.Title, m.Body, m.Subject, m.Thread, m.Key = text.Both{EN: evil}, text.Both{EN: evil}, evil, evil, evil
	m.Lang = text.EN
	m.Facts = []notice.Fact{{Label: text.Both{EN: evil}, Value: text.Both{EN: evil}}}
	m.Look = []notice.Pointer{{Label: text.Both{EN: evil}, URL: "javascript:alert(1)"}}
	if _, _, err := send(t, notifier(s.SMTPAddr(), nil), m); err != nil {
		t.Fatal(err)
	}
	got := s.Messages()[0]
	if got.Header.Get("Bcc") != "" || got.To != "oncall@shop.example" || strings.Contains(got.Title, "\n") {
		t.Errorf("%+v", got)
	}
	if bytes.Contains(got.Raw, []byte("<script>")) && !bytes.Contains(got.Raw, []byte("&lt;script&gt;")) || bytes.Contains(got.Raw, []byte("href=3D\"javascript")) {
		t.Errorf("%s", got.Raw)
	}
	for _, to := range []string{"a@b.example\r\nRCPT TO:<victim@example.com>", "a@b.example, c@d.example", "<>", "nobody", "a@b\x00.example"} {
		m := sample()
		m.To = to
		if _, again, err := send(t, notifier(s.SMTPAddr(), nil), m); err == nil || again {
			t.Errorf("%q: err %v, retryable %v", to, err, again)
		}
	}
	if len(s.Messages()) != 1 {
		t.Errorf("%d mails", len(s.Messages()))
	}
}

// server is a mail server that refuses what it is told to refuse.
type server struct {
	rcpt, data error
	user       string

	mu   sync.Mutex
	seen []string
}

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &conversation{s}, nil }

type conversation struct{ *server }

func (c *conversation) Reset()                                   {}
func (c *conversation) Logout() error                            { return nil }
func (c *conversation) Mail(string, *smtp.MailOptions) error     { return nil }
func (c *conversation) Rcpt(_ string, _ *smtp.RcptOptions) error { return c.rcpt }
func (c *conversation) AuthMechanisms() []string                 { return []string{sasl.Plain} }
func (c *conversation) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != c.user || password != "right" {
			return errors.New("no")
		}
		return nil
	}), nil
}

func (c *conversation) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if c.data != nil {
		return c.data // as it is: the library looks at its type
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, string(b))
	return nil
}

func serve(t *testing.T, b *server, wrap func(*smtp.Server, net.Listener) net.Listener) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(b)
	srv.Domain = "localhost"
	srv.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	at := l.Addr().String()
	if wrap != nil {
		l = wrap(srv, l)
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return at
}

// roots is the trust that a test server's certificate needs.
func roots(t *testing.T, s *httptest.Server) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func TestRefusalsAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		server    *server
		retryable bool
		code      int
	}{
		"unknown recipient": {&server{rcpt: &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}}, false, 550},
		"greylisted":        {&server{rcpt: &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "later"}}, true, 451},
		"refused content":   {&server{data: &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "spam"}}, false, 554},
		"full":              {&server{data: &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "full"}}, true, 452},
	} {
		t.Run(name, func(t *testing.T) {
			a, again, err := send(t, notifier(serve(t, c.server, nil), nil), sample())
			if err == nil || again != c.retryable || a.Code != c.code || fault.KindOf(err) != fault.Unavailable {
				t.Errorf("answer %+v, retryable %v, err %v", a, again, err)
			}
		})
	}
}

func TestServerWithoutTLSGetsNoMailUnlessAllowed(t *testing.T) {
	b := &server{}
	at := serve(t, b, nil)
	_, again, err := send(t, notifier(at, func(c *email.Config) { c.TLS = "" }), sample())
	if err == nil || !again || len(b.seen) != 0 {
		t.Fatalf("retryable %v, err %v, %d mails", again, err, len(b.seen))
	}
	if f, ok := fault.As(err); !ok || f.Code != "email.no_starttls" || f.Remedy.JA == "" {
		t.Errorf("%v", err)
	}
	if _, _, err := send(t, notifier(at, func(c *email.Config) { c.TLS = email.Opportunistic }), sample()); err != nil {
		t.Error(err)
	}
}

func TestTLSIsVerified(t *testing.T) {
	pair := httptest.NewTLSServer(nil)
	defer pair.Close()
	trusted := &tls.Config{RootCAs: roots(t, pair)}
	start := func(b *server, implicit bool) string {
		return serve(t, b, func(s *smtp.Server, l net.Listener) net.Listener {
			s.TLSConfig = &tls.Config{Certificates: pair.TLS.Certificates}
			if implicit {
				return tls.NewListener(l, s.TLSConfig)
			}
			return l
		})
	}
	for name, c := range map[string]struct {
		tls      email.TLS
		implicit bool
	}{"starttls": {email.StartTLS, false}, "implicit": {email.ImplicitTLS, true}} {
		t.Run(name, func(t *testing.T) {
			b := &server{user: "teiten"}
			at := start(b, c.implicit)
			_, again, err := send(t, notifier(at, func(o *email.Config) { o.TLS = c.tls }), sample())
			if f, ok := fault.As(err); !ok || f.Code != "outbound.tls" || !again || len(b.seen) != 0 {
				t.Errorf("an unknown authority: retryable %v, err %v, %d mails", again, err, len(b.seen))
			}
			signIn := func(password string) error {
				_, _, err := send(t, notifier(at, func(o *email.Config) {
					o.TLS, o.Roots, o.Username, o.Password = c.tls, trusted, "teiten", secret.Secret(password)
				}), sample())
				return err
			}
			if err := signIn("right"); err != nil || len(b.seen) != 1 {
				t.Errorf("a known authority: err %v, %d mails", err, len(b.seen))
			}
			if err := signIn("wrong-SECRET"); err == nil || strings.Contains(err.Error(), "SECRET") || len(b.seen) != 1 {
				t.Errorf("a wrong password: err %v, %d mails", err, len(b.seen))
			}
		})
	}
}

func TestPasswordIsNotSentInTheClear(t *testing.T) {
	b := &server{user: "teiten"}
	at := serve(t, b, func(s *smtp.Server, l net.Listener) net.Listener { s.AllowInsecureAuth = true; return l })
	_, _, err := send(t, notifier(at, func(c *email.Config) { c.TLS, c.Username, c.Password = email.Opportunistic, "teiten", "right" }), sample())
	if err == nil || len(b.seen) != 0 {
		t.Fatalf("err %v, %d mails", err, len(b.seen))
	}
}

// babble serves one connection with whatever talk does.
func babble(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); talk(c) }()
		}
	}()
	return l.Addr().String()
}

func TestStrangeServersAreContained(t *testing.T) {
	for name, talk := range map[string]func(net.Conn){
		"hangs":           func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"talks endlessly": func(c net.Conn) { forever(c, "220 hello hello hello") },
		"no line ends":    func(c net.Conn) { forever(c, strings.Repeat("x", 4096)) },
		"many lines":      func(c net.Conn) { forever(c, "220-hello\r\n") },
		"speaks HTTP":     func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"closes":          func(net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			began := time.Now()
			_, again, err := notifier(babble(t, talk), nil).Notify(ctx, sample())
			if err == nil || !again || fault.KindOf(err) != fault.Unavailable {
				t.Errorf("retryable %v, err %v", again, err)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("held for %v", took)
			}
		})
	}
}

func forever(c net.Conn, s string) {
	for {
		if _, err := io.WriteString(c, s); err != nil {
			return
		}
	}
}

func TestMailServerOnAPrivateNetworkNeedsPermission(t *testing.T) {
	b := &server{}
	n := notifier(serve(t, b, nil), nil)
	n.Guard = outbound.New(nil)
	_, _, err := send(t, n, sample())
	if f, ok := fault.As(err); !ok || f.Code != outbound.CodeBlocked || len(b.seen) != 0 {
		t.Fatalf("%v", err)
	}
}

func TestConfigSaysEverythingThatIsWrong(t *testing.T) {
	if got := (email.Config{Host: "a b", Port: -1, From: "x", TLS: "maybe"}).Problems(); len(got) != 4 {
		t.Errorf("%v", got)
	}
	if got := (email.Config{Host: "mail.example", From: "Teiten <t@example.com>"}).Problems(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("title", "body\r\nline", "fact", "https://x.example", "slo:a")
	f.Add("{{.Title}}", "<script>", "\x00\u202e", "javascript:alert(1)", "\xff")
	f.Fuzz(func(t *testing.T, title, body, fact, link, subject string) {
		m := sample()
		m.Lang = text.EN
		m.Title, m.Body, m.Subject, m.Link = text.Both{EN: title}, text.Both{EN: body}, subject, link
		m.Facts = []notice.Fact{{Label: text.Both{EN: fact}, Value: text.Both{EN: fact}}}
		_, rich, err := email.Render(m)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(rich, "<script") || strings.Contains(rich, `href="javascript`) {
			t.Errorf("%s", rich)
		}
		if s := email.Subject(m); strings.ContainsAny(s, "\r\n\x00") || len([]rune(s)) > 180 {
			t.Errorf("%q", s)
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.example", "A <a@b.example>", "a@b\r\nX: y", "a@b, c@d", `"a b"@c.example`, "a@b>\r\nRCPT TO:<x@y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := email.Address(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(a.Address, "\r\n <>\x00") {
			t.Errorf("%q gives %q", s, a.Address)
		}
		if list, err := mail.ParseAddressList(s); err == nil && len(list) > 1 {
			t.Errorf("%q is several", s)
		}
	})
}

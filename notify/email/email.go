// Package email tells people by e-mail: each message goes to one address over
// SMTP, as text and as HTML, through the operator's mail server.
//
// One send is one SMTP transaction with one recipient, so that an address that
// is refused keeps nobody else from being told. The Message-ID is made from the
// message's key: a repeat after a crash is recognised as one by mail programs.
// Nothing that a user wrote reaches a header unencoded.
package email

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"time"

	mailer "github.com/wneessen/go-mail"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
)

// TLS says how the connection to the mail server is protected.
type TLS string

// The ways to protect the connection. StartTLS is the default and mandatory: a
// server that does not offer it gets no mail.
const (
	StartTLS      TLS = "starttls" // begins in the clear and must change to TLS (port 587)
	ImplicitTLS   TLS = "implicit" // TLS from the first byte (port 465)
	Opportunistic TLS = "opportunistic"
	NoTLS         TLS = "none"
)

// Config is the operator's mail server.
type Config struct {
	Host     string
	Port     int // 587, or 465 with ImplicitTLS, when 0
	Username string
	Password secret.Secret // the password itself: whoever makes the Notifier looks references up
	From     string        // address of the sender, with or without a name
	TLS      TLS
	Roots    *tls.Config // trust of its own, for a private authority; usually nil
	Hello    string      // name in HELO; the host part of From when empty
}

// Problems returns what is wrong with the settings.
func (c Config) Problems() []*fault.Error {
	var all []*fault.Error
	bad := func(field string, what text.Both) {
		all = append(all, fault.New(fault.Invalid, "email.config", what).On(field))
	}
	if c.Host == "" || strings.ContainsAny(c.Host, " \r\n/:") && net.ParseIP(c.Host) == nil {
		bad("host", text.Say("the mail server's host is missing or not a host name", "メールサーバーのホスト名がないか、正しくありません"))
	}
	if c.Port < 0 || c.Port > 65535 {
		bad("port", text.Say("the mail server's port must be between 1 and 65535", "メールサーバーのポートは1から65535の範囲で指定してください"))
	}
	if _, err := Address(c.From); err != nil {
		bad("from", text.Say("the sender's address is missing or not an e-mail address", "送信元のメールアドレスがないか、正しくありません"))
	}
	switch c.TLS {
	case "", StartTLS, ImplicitTLS, Opportunistic, NoTLS:
	default:
		bad("tls", text.Say("tls must be starttls, implicit, opportunistic or none", "tls は starttls、implicit、opportunistic、none のいずれかです"))
	}
	return all
}

// Address reads one e-mail address, with or without a name, and refuses
// everything that could mean more than one.
func Address(s string) (*mail.Address, error) {
	invalid := fault.New(fault.Invalid, "email.address",
		text.Say("%q is not an e-mail address", "%qはメールアドレスではありません", notice.OneLine(s, 100)))
	if len(s) > 320 || strings.ContainsAny(s, "\r\n\x00") {
		return nil, invalid
	}
	a, err := mail.ParseAddress(s)
	if err != nil || !strings.Contains(a.Address, "@") || strings.ContainsAny(a.Address, " \t\"<>,;\r\n\x00") {
		return nil, invalid
	}
	return a, nil
}

// Notifier sends through one mail server.
type Notifier struct {
	Guard  *outbound.Guard
	Server Config
	From   string // instead of the server's From
}

var _ notice.Notifier = (*Notifier)(nil)

// Notify sends the message once, to m.To.
func (n *Notifier) Notify(ctx context.Context, m notice.Message) (notice.Answer, bool, error) {
	if n.Server.Host == "" {
		return notice.Answer{}, true, fault.New(fault.Unavailable, "email.no_server",
			text.Say("no mail server is configured", "メールサーバーが設定されていません")).
			Fix(text.Say("set notify.smtp in the configuration", "設定の notify.smtp を指定してください"))
	}
	msg, err := n.compose(m)
	if err != nil {
		return notice.Answer{}, false, err
	}
	client, err := n.client(ctx)
	if err != nil {
		return notice.Answer{}, true, explain(err)
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return answer(err), true, explain(errors.Join(ctx.Err(), err))
	}
	defer func() { _ = session.Close() }() // whatever it says, the outcome is known
	err = client.SendWithSMTPClient(session, msg)
	if msg.IsDelivered() {
		// The server took the message over. What it says to the farewell
		// changes nothing.
		_ = client.CloseWithSMTPClient(session)
		return notice.Answer{Code: 250, Text: notice.OneLine(msg.ServerResponse(), 300)}, false, nil
	}
	var refused *mailer.SendError
	if errors.As(err, &refused) && refused.ErrorCode() >= 500 {
		return answer(err), false, explain(err)
	}
	if err == nil {
		err = errors.New("the server confirmed nothing")
	}
	return answer(err), true, explain(errors.Join(ctx.Err(), err))
}

func (n *Notifier) client(ctx context.Context) (*mailer.Client, error) {
	c := n.Server
	hello := c.Hello
	if hello == "" {
		hello = hostOf(n.sender())
	}
	trust := c.Roots
	if trust == nil {
		trust = &tls.Config{}
	}
	trust = trust.Clone()
	trust.ServerName, trust.MinVersion = c.Host, tls.VersionTLS12
	options := []mailer.Option{
		mailer.WithPort(c.port()),
		mailer.WithHELO(hello),
		mailer.WithTimeout(stepTimeout),
		mailer.WithTLSConfig(trust),
		mailer.WithTLSPolicy(c.policy()),
		mailer.WithoutNoop(),
		mailer.WithDialContextFunc(func(_ context.Context, network, address string) (net.Conn, error) {
			return n.dial(ctx, network, address, trust)
		}),
	}
	if c.Username != "" {
		mechanism := mailer.SMTPAuthAutoDiscover
		if c.TLS == ImplicitTLS {
			mechanism = mailer.SMTPAuthPlain // the library cannot see that this connection is encrypted
		}
		options = append(options, mailer.WithSMTPAuth(mechanism), mailer.WithUsername(c.Username), mailer.WithPassword(string(c.Password)))
	}
	return mailer.NewClient(c.Host, options...)
}

func (c Config) port() int {
	switch {
	case c.Port != 0:
		return c.Port
	case c.TLS == ImplicitTLS:
		return mailer.DefaultPortSSL
	}
	return mailer.DefaultPortTLS
}

func (c Config) policy() mailer.TLSPolicy {
	switch c.TLS {
	case ImplicitTLS, NoTLS:
		return mailer.NoTLS
	case Opportunistic:
		return mailer.TLSOpportunistic
	}
	return mailer.TLSMandatory
}

func (n *Notifier) sender() string {
	if n.From != "" {
		return n.From
	}
	return n.Server.From
}

func (n *Notifier) compose(m notice.Message) (*mailer.Msg, error) {
	from, err := Address(n.sender())
	if err != nil {
		return nil, err
	}
	to, err := Address(m.To)
	if err != nil {
		return nil, err
	}
	msg := mailer.NewMsg()
	msg.FromMailAddress(&mail.Address{Name: notice.OneLine(from.Name, 100), Address: from.Address})
	msg.ToMailAddress(&mail.Address{Name: notice.OneLine(to.Name, 100), Address: to.Address})
	msg.Subject(Subject(m))
	host := hostOf(from.Address)
	msg.SetMessageIDWithValue(id(m.Key, host))
	if m.Thread != "" {
		msg.SetGenHeader(mailer.HeaderReferences, "<"+id("thread "+m.Thread, host)+">")
	}
	msg.SetDateWithValue(m.SentAt)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetGenHeader("X-Teiten-Key", id(m.Key, "")[:32])
	if m.Severity == notice.Page && m.Phase == notice.Fired {
		msg.SetImportance(mailer.ImportanceHigh)
	}
	plain, rich, err := Render(m)
	if err != nil {
		return nil, err
	}
	msg.SetBodyString(mailer.TypeTextPlain, plain)
	msg.AddAlternativeString(mailer.TypeTextHTML, rich)
	return msg, nil
}

// id makes the left part of a Message-ID from a key, and the whole with a host.
func id(key, host string) string {
	sum := sha256.Sum256([]byte(key))
	s := hex.EncodeToString(sum[:16])
	if host == "" {
		return s
	}
	return s + "@" + host
}

func hostOf(address string) string {
	a, err := mail.ParseAddress(address)
	if err == nil {
		address = a.Address
	}
	if _, host, ok := strings.Cut(address, "@"); ok && host != "" {
		return host
	}
	return "localhost"
}

// answer is what the mail server said, where it said something.
func answer(err error) notice.Answer {
	var refused *mailer.SendError
	var proto *textproto.Error
	switch {
	case errors.As(err, &proto):
		return notice.Answer{Code: proto.Code, Text: notice.OneLine(proto.Msg, 300)}
	case errors.As(err, &refused) && refused.ErrorCode() > 0:
		return notice.Answer{Code: refused.ErrorCode(), Text: notice.OneLine(refused.EnhancedStatusCode(), 100)}
	}
	return notice.Answer{}
}

// explain says in words what went wrong; the cause, for logs, has no secret in
// it: neither the library nor servers repeat passwords.
func explain(err error) error {
	var refused *mailer.SendError
	if errors.As(err, &refused) && refused.ErrorCode() >= 400 {
		return fault.New(fault.Unavailable, "email.refused",
			text.Say("the mail server answered %d", "メールサーバーが%dを返しました", refused.ErrorCode())).Wrap(err)
	}
	var proto *textproto.Error
	if errors.As(err, &proto) {
		return fault.New(fault.Unavailable, "email.refused",
			text.Say("the mail server answered %d %s", "メールサーバーが%d %sを返しました", proto.Code, notice.OneLine(proto.Msg, 200))).Wrap(err)
	}
	if s := err.Error(); strings.Contains(s, "STARTTLS") {
		return fault.New(fault.Unavailable, "email.no_starttls",
			text.Say("the mail server does not offer STARTTLS", "メールサーバーがSTARTTLSに対応していません")).
			Fix(text.Say("set notify.smtp.tls to implicit, or to none on a network you trust",
				"notify.smtp.tls を implicit に、信頼できるネットワークなら none にしてください")).Wrap(err)
	} else if strings.Contains(s, "AUTH") || errors.Is(err, mailer.ErrNoSupportedAuthDiscovered) {
		return fault.New(fault.Unavailable, "email.auth",
			text.Say("the mail server and this server agree on no way to sign in", "メールサーバーと共通の認証方式がありません")).Wrap(err)
	}
	return outbound.Explain(err)
}

// stepTimeout bounds each step of the SMTP conversation; the context of the
// send bounds them together.
const stepTimeout = 15 * time.Second

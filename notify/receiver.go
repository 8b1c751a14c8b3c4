package notify

import (
	"net/url"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/email"
	"github.com/teiten/teiten/notify/lineworks"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/ntfy"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/phone"
	"github.com/teiten/teiten/notify/slack"
	"github.com/teiten/teiten/notify/teams"
	"github.com/teiten/teiten/notify/webhook"
	"github.com/teiten/teiten/notify/webpush"
)

func (s Spec) checkReceivers(bad report) {
	written := func(v secret.Secret, isURL bool, p ...any) {
		switch {
		case v.Misspelled():
			bad("secret_reference", text.Say("a reference to a secret must be the whole value", "シークレットの参照は値全体でなければなりません"),
				text.Say("write exactly ${env:NAME} or ${file:PATH}", "${env:NAME} または ${file:PATH} とだけ書いてください"), p...)
		case isURL && !v.IsReference() && v != secret.Hidden && !isWebAddress(string(v)):
			bad("channel_url", text.Say("this is not an http or https address", "httpまたはhttpsのアドレスではありません"),
				text.Say("write it as https://host/path", "https://host/path の形で書いてください"), p...)
		}
	}
	said := func(err error, code string, p ...any) {
		if f, ok := fault.As(err); ok {
			bad(code, f.What, f.Remedy, p...)
		}
	}
	if s.Webhook != nil {
		written(s.Webhook.URL, true, "webhook", "url")
		written(s.Webhook.Secret, false, "webhook", "secret")
	}
	if s.Slack != nil {
		written(s.Slack.URL, true, "slack", "url")
	}
	if s.Teams != nil {
		written(s.Teams.URL, true, "teams", "url")
	}
	if s.LineWorks != nil {
		written(s.LineWorks.URL, true, "lineworks", "url")
	}
	if s.Ntfy != nil {
		written(s.Ntfy.URL, true, "ntfy", "url")
		written(s.Ntfy.Token, false, "ntfy", "token")
		if u := s.Ntfy.URL; !u.IsReference() && u != secret.Hidden && isWebAddress(string(u)) {
			_, _, err := ntfy.Split(string(u))
			said(err, "ntfy_topic", "ntfy", "url")
		}
	}
	if s.SMS != nil {
		said(phone.Number(s.SMS.To), "number", "sms", "to")
	}
	if s.Voice != nil {
		said(phone.Number(s.Voice.To), "number", "voice", "to")
	}
	if s.WebPush != nil {
		said(webpush.Check(string(s.WebPush.Endpoint), s.WebPush.P256DH, string(s.WebPush.Auth)), "webpush", "webpush")
	}
	if s.Email != nil {
		s.Email.check(bad)
	}
}

func (s EmailSpec) check(bad report) {
	if n := len(s.To); n == 0 || n > maxRecipients {
		bad("channel_recipients", text.Say("the channel has %d addresses", "宛先が%d件あります", n),
			text.Say("give between 1 and %d", "1件から%d件の範囲で指定してください", maxRecipients), "email", "to")
	}
	address := func(a string, p ...any) {
		if _, err := email.Address(a); err != nil {
			bad("channel_address", text.Say("%q is not an e-mail address", "%qはメールアドレスではありません", notice.OneLine(a, 100)),
				text.Say("write it as name@host", "name@host の形で書いてください"), p...)
		}
	}
	for i, a := range s.To {
		address(a, "email", "to", i)
	}
	if s.From != "" {
		address(s.From, "email", "from")
	}
}

func isWebAddress(s string) bool {
	_, err := outbound.CheckURL(s)
	return err == nil
}

// Receiver says where messages go, without what is secret of it: host names,
// references and addresses, never paths or queries.
func (c Channel) Receiver() string {
	switch {
	case c.Spec.Type == TypeWebhook && c.Spec.Webhook != nil:
		return hostOnly(c.Spec.Webhook.URL)
	case c.Spec.Type == TypeSlack && c.Spec.Slack != nil:
		return strings.TrimSpace(hostOnly(c.Spec.Slack.URL) + " " + c.Spec.Slack.Channel)
	case c.Spec.Type == TypeEmail && c.Spec.Email != nil:
		return strings.Join(c.Spec.Email.To, ", ")
	case c.Spec.Type == TypeTeams && c.Spec.Teams != nil:
		return hostOnly(c.Spec.Teams.URL)
	case c.Spec.Type == TypeLineWorks && c.Spec.LineWorks != nil:
		return hostOnly(c.Spec.LineWorks.URL)
	case c.Spec.Type == TypeNtfy && c.Spec.Ntfy != nil:
		return hostOnly(c.Spec.Ntfy.URL)
	case c.Spec.Type == TypeSMS && c.Spec.SMS != nil:
		return c.Spec.SMS.To
	case c.Spec.Type == TypeVoice && c.Spec.Voice != nil:
		return c.Spec.Voice.To
	case c.Spec.Type == TypeWebPush && c.Spec.WebPush != nil:
		return hostOnly(c.Spec.WebPush.Endpoint)
	}
	return ""
}

func hostOnly(s secret.Secret) string {
	if s.IsReference() {
		return string(s)
	}
	u, err := url.Parse(string(s))
	if err != nil || u.Host == "" {
		return secret.Hidden
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// notifier is the way to a channel's receiver, with its secrets looked up now.
func (s *Service) notifier(c Channel) (Notifier, error) {
	switch {
	case c.Spec.Type == TypeWebhook && c.Spec.Webhook != nil:
		url, err := s.secrets.Reveal(c.Spec.Webhook.URL)
		if err != nil {
			return nil, err
		}
		key, err := s.secrets.Reveal(c.Spec.Webhook.Secret)
		return &webhook.Notifier{Client: s.client, URL: url, Secret: key, Source: s.source(), Now: s.now}, err
	case c.Spec.Type == TypeSlack && c.Spec.Slack != nil:
		url, err := s.secrets.Reveal(c.Spec.Slack.URL)
		return &slack.Notifier{Client: s.client, URL: url, Channel: c.Spec.Slack.Channel, Now: s.now}, err
	case c.Spec.Type == TypeEmail && c.Spec.Email != nil:
		server := s.smtp
		password, err := secret.Lookup{ByOperator: true}.Reveal(server.Password)
		server.Password = secret.Secret(password)
		return &email.Notifier{Guard: s.guard, Server: server, From: c.Spec.Email.From}, err
	case c.Spec.Type == TypeTeams && c.Spec.Teams != nil:
		url, err := s.secrets.Reveal(c.Spec.Teams.URL)
		return &teams.Notifier{Client: s.client, URL: url, Now: s.now}, err
	case c.Spec.Type == TypeLineWorks && c.Spec.LineWorks != nil:
		url, err := s.secrets.Reveal(c.Spec.LineWorks.URL)
		return &lineworks.Notifier{Client: s.client, URL: url, Now: s.now}, err
	case c.Spec.Type == TypeNtfy && c.Spec.Ntfy != nil:
		url, err := s.secrets.Reveal(c.Spec.Ntfy.URL)
		if err != nil {
			return nil, err
		}
		token, err := s.secrets.Reveal(c.Spec.Ntfy.Token)
		return &ntfy.Notifier{Client: s.client, URL: url, Token: token, Now: s.now}, err
	}
	return s.personal(c)
}

// personal is the way to what only people have: a telephone, a browser.
func (s *Service) personal(c Channel) (Notifier, error) {
	call := phone.Notifier{Client: s.client, Config: s.phone, Secrets: secret.Lookup{ByOperator: true}, Now: s.now}
	switch {
	case c.Spec.Type == TypeSMS && c.Spec.SMS != nil:
		call.Means, call.To = phone.SMS, c.Spec.SMS.To
		return &call, nil
	case c.Spec.Type == TypeVoice && c.Spec.Voice != nil:
		call.Means, call.To = phone.Voice, c.Spec.Voice.To
		return &call, nil
	case c.Spec.Type == TypeWebPush && c.Spec.WebPush != nil:
		w := c.Spec.WebPush
		return &webpush.Notifier{Client: s.client, Endpoint: string(w.Endpoint), P256DH: w.P256DH, Auth: string(w.Auth),
			Key: w.Key, Subject: s.source(), Now: s.now}, nil
	}
	return nil, fault.New(fault.Invalid, "notify.channel_type",
		text.Say("the channel %s has no receiver", "チャンネル%sに送信先がありません", c.Name))
}

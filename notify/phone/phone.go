// Package phone sends short messages and calls telephones, through any provider
// that takes an HTTP request, or through Twilio.
//
// Which provider it is stands in the server's configuration; a contact method
// holds a number and nothing else.
package phone

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"text/template"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/webhook"
)

// Template is a provider that takes one POST for each message. URL, the values of
// Headers and Body are templates (Go's text/template) over Values; the functions
// json and query write a value so that it is safe there.
type Template struct {
	URL         secret.Secret
	Headers     map[string]secret.Secret
	Body        string
	ContentType string // application/json where it is empty
}

// Values are what a template may write.
type Values struct {
	To, Text, Key, Link, Language string
}

// Twilio is an account there.
type Twilio struct {
	AccountSID string
	AuthToken  secret.Secret
	From       string
	URL        string // of its API, "" for the real one
}

// Config is the operator's provider for messages and for calls. Where Twilio is
// set, it does what no template does.
type Config struct {
	SMS, Voice *Template
	Twilio     *Twilio
}

// Means is how a telephone is reached.
type Means string

// The means.
const (
	SMS   Means = "sms"
	Voice Means = "voice"
)

// Notifier reaches one number.
type Notifier struct {
	Client  *outbound.Client
	Config  Config
	Secrets secret.Lookup
	Means   Means
	To      string
	Now     func() time.Time
}

var _ notice.Notifier = (*Notifier)(nil)

const (
	maxSMS    = 480 // three parts in Japanese, with room for the link
	maxSpoken = 300
	twilioAPI = "https://api.twilio.com"
)

var numberShape = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// Number refuses what is not a telephone number in E.164.
func Number(s string) error {
	if numberShape.MatchString(s) {
		return nil
	}
	return fault.New(fault.Invalid, "phone.number", text.Say("this is not a telephone number", "電話番号として読めません")).
		Fix(text.Say("write it with its country, as +81312345678", "国番号から +81312345678 のように書いてください"))
}

// Able reports whether a provider is configured.
func (c Config) Able(m Means) bool {
	return c.Twilio != nil || m == SMS && c.SMS != nil || m == Voice && c.Voice != nil
}

// Problems are what is wrong with the templates, before anything is sent.
func (c Config) Problems() error {
	for _, t := range []*Template{c.SMS, c.Voice} {
		if t == nil {
			continue
		}
		if _, _, _, err := t.render(secret.Lookup{}, Values{To: "+81312345678", Text: "\"test\"", Key: "k", Link: "https://teiten.example/"}, true); err != nil {
			return err
		}
	}
	return nil
}

// Notify sends the message once.
func (n *Notifier) Notify(ctx context.Context, m notice.Message) (notice.Answer, bool, error) {
	t := n.Config.SMS
	if n.Means == Voice {
		t = n.Config.Voice
	}
	switch {
	case t != nil:
		return n.post(ctx, t, m)
	case n.Config.Twilio != nil:
		return n.twilio(ctx, m)
	}
	return notice.Answer{}, true, fault.New(fault.Unavailable, "phone.provider",
		text.Say("no provider for %s is configured", "%sのプロバイダーが設定されていません", string(n.Means))).
		Fix(text.Say("set notify.%s or notify.twilio in the server's configuration", "サーバーの設定で notify.%s か notify.twilio を指定してください", string(n.Means)))
}

// said is what is written or spoken.
func (n *Notifier) said(m notice.Message) string {
	if n.Means == SMS {
		return m.Brief(maxSMS)
	}
	return notice.OneLine(notice.Cut(m.Title.In(m.Lang)+"。 "+m.Body.In(m.Lang), maxSpoken), maxSpoken)
}

func (n *Notifier) values(m notice.Message) Values {
	v := Values{To: n.To, Text: n.said(m), Key: m.Key, Language: string(m.Lang), Link: m.Link}
	if links := m.Links(); len(links) > 0 {
		v.Link = links[0].URL
	}
	return v
}

func (n *Notifier) post(ctx context.Context, t *Template, m notice.Message) (notice.Answer, bool, error) {
	address, header, body, err := t.render(n.Secrets, n.values(m), false)
	if err != nil {
		return notice.Answer{}, false, err
	}
	header.Set(webhook.HeaderIdempotencyKey, m.Key)
	return webhook.Post(ctx, n.Client, address, header, body, n.Now())
}

var functions = template.FuncMap{
	"json": func(s string) (string, error) {
		b, err := json.Marshal(s)
		return string(b), err
	},
	"query": url.QueryEscape,
}

// render fills in a template. Dry looks up no secret.
func (t *Template) render(secrets secret.Lookup, v Values, dry bool) (address string, header http.Header, body []byte, err error) {
	fill := func(what, source string) string {
		if err != nil {
			return ""
		}
		parsed, bad := template.New(what).Funcs(functions).Option("missingkey=error").Parse(source)
		var out bytes.Buffer
		if bad == nil {
			bad = parsed.Execute(&out, v)
		}
		if bad != nil {
			err = fault.New(fault.Invalid, "phone.template", text.Say("the template %s is wrong", "テンプレート %s に誤りがあります", what)).
				Fix(text.Say("it may write .To, .Text, .Key, .Link and .Language", "使える値は .To .Text .Key .Link .Language です")).Wrap(bad)
		}
		return out.String()
	}
	reveal := func(s secret.Secret) string {
		if dry && s.IsReference() || err != nil {
			return ""
		}
		var v string
		v, err = secrets.Reveal(s)
		return v
	}
	header = http.Header{}
	header.Set("Content-Type", t.ContentType)
	if t.ContentType == "" {
		header.Set("Content-Type", "application/json; charset=utf-8")
	}
	for k, s := range t.Headers {
		if value := fill("headers."+k, reveal(s)); !strings.ContainsAny(value, "\r\n") {
			header.Set(k, value)
		}
	}
	address = fill("url", reveal(t.URL))
	body = []byte(fill("body", t.Body))
	return address, header, body, err
}

// answer is TwiML: what is said, twice, and the key that acknowledges.
type answer struct {
	XMLName xml.Name `xml:"Response"`
	Gather  *gather  `xml:"Gather,omitempty"`
	Say     []say    `xml:"Say"`
}

type gather struct {
	Digits int    `xml:"numDigits,attr"`
	Action string `xml:"action,attr"`
	Method string `xml:"method,attr"`
	Say    []say  `xml:"Say"`
}

type say struct {
	Language string `xml:"language,attr"`
	Text     string `xml:",chardata"`
}

// spoken is the call as TwiML.
func (n *Notifier) spoken(m notice.Message) (string, error) {
	voice := map[text.Lang]string{text.JA: "ja-JP", text.EN: "en-US"}[m.Lang]
	if voice == "" {
		voice = "en-US"
	}
	line := say{voice, n.said(m)}
	a := answer{Say: []say{line}}
	for _, do := range m.Actions {
		if do.Do != "acknowledge" {
			continue
		}
		press := say{voice, text.Say("Press 1 to acknowledge.", "確認する場合は 1 を押してください。").In(m.Lang)}
		a = answer{Gather: &gather{1, do.URL, http.MethodPost, []say{line, press, line, press}}}
	}
	out, err := xml.Marshal(a)
	if err != nil {
		return "", fmt.Errorf("encode call: %w", err)
	}
	return xml.Header + string(out), nil
}

// twilio creates a message or a call
// (https://www.twilio.com/docs/messaging/api/message-resource,
// https://www.twilio.com/docs/voice/api/call-resource).
func (n *Notifier) twilio(ctx context.Context, m notice.Message) (notice.Answer, bool, error) {
	c := n.Config.Twilio
	token, err := n.Secrets.Reveal(c.AuthToken)
	if err != nil {
		return notice.Answer{}, true, err
	}
	form := url.Values{"To": {n.To}, "From": {c.From}}
	resource := "Messages.json"
	if n.Means == Voice {
		resource = "Calls.json"
		spoken, err := n.spoken(m)
		if err != nil {
			return notice.Answer{}, false, err
		}
		form.Set("Twiml", spoken)
	} else {
		form.Set("Body", n.said(m))
	}
	api := c.URL
	if api == "" {
		api = twilioAPI
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, webhook.HeaderIdempotencyKey: {m.Key}}
	request := http.Request{Header: header}
	request.SetBasicAuth(c.AccountSID, token)
	return webhook.Post(ctx, n.Client, strings.TrimRight(api, "/")+"/2010-04-01/Accounts/"+url.PathEscape(c.AccountSID)+"/"+resource, header, []byte(form.Encode()), n.Now())
}

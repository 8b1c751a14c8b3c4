package app

import (
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/phone"
)

// phones are the providers of short messages and calls as notify wants them.
func (c NotifyConfig) phones() (phone.Config, error) {
	p := phone.Config{SMS: c.SMS.template(), Voice: c.Voice.template()}
	if t := c.Twilio; t.Account != "" {
		if err := phone.Number(t.From); err != nil {
			return p, fault.New(fault.Invalid, "config.notify.twilio.from", text.Say("notify.twilio.from: %q is not a telephone number", "notify.twilio.from: %q は電話番号として読めません", t.From)).
				Fix(text.Say("write it with its country, as +81312345678", "国番号から +81312345678 のように書いてください")).On("notify.twilio.from")
		}
		p.Twilio = &phone.Twilio{AccountSID: t.Account, AuthToken: secret.Secret(t.Token), From: t.From, URL: t.URL}
	}
	return p, nil
}

// template is a provider, nil where none is set.
func (c PhoneConfig) template() *phone.Template {
	if c.URL == "" {
		return nil
	}
	t := &phone.Template{URL: secret.Secret(c.URL), Body: c.Body, ContentType: c.Type, Headers: map[string]secret.Secret{}}
	for name, value := range c.Headers {
		t.Headers[name] = secret.Secret(value)
	}
	return t
}

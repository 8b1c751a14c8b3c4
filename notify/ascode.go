package notify

import (
	"context"
	"database/sql"
	"regexp"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// Document is a NotificationChannel as it is written down.
type Document struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata names a channel.
type Metadata struct {
	Name        string            `json:"name" doc:"How the channel is referred to, also by alert policies." ja:"参照に使う名前。アラートポリシーからも使います。"`
	Title       string            `json:"title,omitempty" doc:"What people call it." ja:"表示名。"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
}

var nameShape = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// Kind is the kind of document that describes a channel.
func (s *Service) Kind() ascode.Kind {
	return ascode.Kind{
		APIVersion: "teiten.dev/v1", Kind: "NotificationChannel", ID: "channels", Order: 50, Event: "notify.channel_",
		Title: text.Say("Notification channel", "通知チャンネル"),
		New:   func() any { return &Document{} },
		Ref:   func(d *ascode.Document) string { return string(journal.RefTo("channel", d.Name)) },
		Owner: func(d *ascode.Document) string { return channelOf(d).Owner() },
		Redact: func(d *ascode.Document) {
			if o, ok := d.Object.(*Document); ok {
				o.Spec = o.Spec.redacted()
			}
		},
		Moved:    moved,
		Validate: validate,
		Apply: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			return putChannel(ctx, tx, channelOf(d), s.now())
		},
		Remove: func(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
			return dropChannel(ctx, tx, d.Name)
		},
	}
}

func channelOf(d *ascode.Document) Channel {
	o, ok := d.Object.(*Document)
	if !ok {
		return Channel{Name: d.Name}
	}
	return Channel{Name: d.Name, Title: o.Metadata.Title, Description: o.Metadata.Description, Spec: o.Spec.typed()}
}

func validate(d *ascode.Document) []*fault.Error {
	o, ok := d.Object.(*Document)
	if !ok {
		return nil
	}
	var all []*fault.Error
	if !nameShape.MatchString(d.Name) {
		all = append(all, d.Fault("notify.channel_name", text.Say("%q cannot be the name of a channel", "%qはチャンネル名に使えません", d.Name),
			text.Say("use letters, digits, hyphens, dots and underscores, at most 63", "英数字と - . _ を使い、63文字以内にしてください"), "metadata", "name"))
	}
	for _, p := range o.Spec.Problems() {
		all = append(all, d.Fault(p.Code, p.What, p.Remedy, p.Path...))
	}
	return all
}

// moved reports whether after sends to another receiver than before: what signs
// the messages is then not kept.
func moved(before, after any) bool {
	receiver := func(v any) (r [5]secret.Secret) {
		s := v.(*Document).Spec
		if s.Webhook != nil {
			r[0] = s.Webhook.URL
		}
		if s.Slack != nil {
			r[1] = s.Slack.URL
		}
		if s.Teams != nil {
			r[2] = s.Teams.URL
		}
		if s.LineWorks != nil {
			r[3] = s.LineWorks.URL
		}
		if s.Ntfy != nil {
			r[4] = s.Ntfy.URL
		}
		return r
	}
	return receiver(before) != receiver(after)
}

// redacted is the spec without its secrets. A reference to a secret is none.
func (s Spec) redacted() Spec {
	if s.Webhook != nil {
		s.Webhook = &WebhookSpec{URL: s.Webhook.URL.Redacted(), Secret: s.Webhook.Secret.Redacted()}
	}
	if s.Slack != nil {
		s.Slack = &SlackSpec{URL: s.Slack.URL.Redacted(), Channel: s.Slack.Channel}
	}
	if s.Teams != nil {
		s.Teams = &TeamsSpec{URL: s.Teams.URL.Redacted()}
	}
	if s.LineWorks != nil {
		s.LineWorks = &LineWorksSpec{URL: s.LineWorks.URL.Redacted()}
	}
	if s.Ntfy != nil {
		s.Ntfy = &NtfySpec{URL: s.Ntfy.URL.Redacted(), Token: s.Ntfy.Token.Redacted()}
	}
	return s
}

package exchange

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/respond/alert/route"
)

type yamlNode = yaml.Node

// pagers are the kinds of receiver that page people elsewhere. Here that is what
// escalation policies are for.
var pagers = map[string]string{"pagerduty_configs": "PagerDuty", "opsgenie_configs": "Opsgenie", "victorops_configs": "VictorOps", "incidentio_configs": "incident.io", "jira_configs": "Jira", "pushover_configs": "Pushover", "sns_configs": "Amazon SNS"}

// receiver reads a receiver and makes the channels that it stands for.
func (im *importer) receiver(n node) {
	name := n.field("name").text()
	r := route.ReceiverSpec{Name: name}
	if name == route.OwnerReceiver {
		im.fail(n.field("name"), text.Say("%q is what the team that owns a service is called here", "%q はサービスの所有チームを表す予約済みの名前です", name), text.Say("rename the receiver", "受信先の名前を変えてください"))
	}
	somebody := false
	for _, f := range n.fields() {
		if f.key == "name" {
			continue
		}
		for _, c := range n.field(f.key).items() {
			somebody = true
			if channel := im.channel(name, f.key, c); channel != "" {
				r.Channels = append(r.Channels, channel)
				continue
			}
			r.Owner = true
			n.seen[c.yaml] = true
			im.ignore(c)
			if service, ok := pagers[f.key]; ok {
				im.note(c, "receiver %s paged through %s; here the escalation policy of the service's owner is paged", "受信先 %s は %s で呼び出していました。ここではサービスの所有チームのエスカレーションポリシーを呼び出します", name, service)
			} else {
				im.note(c, "receiver %s: there is no channel for %s yet; the escalation policy of the service's owner is paged instead", "受信先 %s: %s に当たるチャンネルはありません。代わりにサービスの所有チームのエスカレーションポリシーを呼び出します", name, strings.TrimSuffix(f.key, "_configs"))
			}
		}
	}
	if !somebody {
		r.Nobody = true
	}
	im.spec.Receivers = append(im.spec.Receivers, r)
}

// ignore counts everything below a node as told of.
func (im *importer) ignore(n node) {
	for _, f := range n.fields() {
		n.seen[f.yaml] = true
		im.ignore(f.node)
	}
	for _, item := range n.items() {
		im.ignore(item)
	}
}

// channel makes the channel of one entry, and returns its name: "" where there is
// no equivalent.
func (im *importer) channel(receiver, kind string, c node) string {
	spec := notify.Spec{Match: &notify.Match{OnlyNamed: true}}
	name := im.name(receiver, strings.TrimSuffix(kind, "_configs"))
	switch kind {
	case "slack_configs":
		spec.Slack = &notify.SlackSpec{URL: im.address(name, c, "api_url", "slack_api_url"), Channel: c.field("channel").text()}
	case "mattermost_configs":
		spec.Slack = &notify.SlackSpec{URL: im.address(name, c, "webhook_url", "mattermost_webhook_url"), Channel: c.field("channel").text()}
	case "webhook_configs":
		spec.Webhook = &notify.WebhookSpec{URL: im.address(name, c, "url", "")}
		im.note(c, "receiver %s: the webhook gets CloudEvents, not Alertmanager's JSON", "受信先 %s: Webhook には Alertmanager の JSON ではなく CloudEvents を送ります", receiver)
	case "email_configs":
		spec.Email = &notify.EmailSpec{To: addresses(c.field("to").text()), From: c.field("from").text()}
	default:
		return ""
	}
	if resolved := c.field("send_resolved"); resolved.there() {
		yes := resolved.yes()
		spec.SendResolved = &yes
	} else if kind != "webhook_configs" {
		no := false // Alertmanager's default for all but webhooks
		spec.SendResolved = &no
	}
	im.names[name] = true
	im.Documents = append(im.Documents, &notify.Document{APIVersion: "teiten.dev/v1", Kind: "NotificationChannel", Metadata: notify.Metadata{Name: name}, Spec: spec})
	return name
}

// name is a channel's name that no other has.
func (im *importer) name(parts ...string) string {
	base := slug(parts...)
	if base == "" {
		base = "receiver"
	}
	name := base
	for i := 2; im.names[name]; i++ {
		name = fmt.Sprintf("%s-%d", strings.TrimRight(base[:min(len(base), maxName-4)], "-"), i)
	}
	return name
}

// address is a reference to where a receiver is: its address is a secret, which no
// document should hold.
func (im *importer) address(name string, c node, own, global string) secret.Secret {
	if file := c.field(own + "_file"); file.there() {
		return secret.Secret("${file:" + file.text() + "}")
	}
	value := c.field(own)
	if !value.there() && global != "" {
		g := im.root.field("global")
		if file := g.field(global + "_file"); file.there() {
			return secret.Secret("${file:" + file.text() + "}")
		}
		value = g.field(global)
		name = slug(global)
	}
	reference := "${env:" + variable(name) + "}"
	if value.there() {
		im.note(value, "put the value of %s into the environment variable %s of the server", "%s の値をサーバーの環境変数 %s に設定してください", value.path, variable(name))
	} else {
		im.note(c, "there is no %s; put the address into the environment variable %s of the server", "%s がありません。アドレスをサーバーの環境変数 %s に設定してください", own, variable(name))
	}
	return secret.Secret(reference)
}

func addresses(list string) []string {
	var all []string
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// Package notify tells people and programs outside what happened, and does not
// stop trying before they were told.
//
// It listens to the journal. For each entry that concerns somebody it picks the
// channels that hear of it and stores one delivery for each in the transaction
// of the entry; it is on its way as soon as that commits. A delivery is tried
// until the receiver takes it over (2xx), refuses it for good, or three days
// have passed; each try is on record before it begins. Deliveries about one subject arrive in their order:
// the end of an alert waits until its beginning was delivered or given up.
// A message that comes late still comes, with the time of what it tells. An
// alert that no channel hears is itself on record, loudly.
//
// The way to one kind of receiver is a package of its own: webhook, slack,
// email. What an alert is, is not known here beyond what its entry says.
package notify

import (
	"path"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/webpush"
)

// Message is one message in both languages; see package notice.
type Message = notice.Message

// Notifier carries messages over one channel; see package notice.
type Notifier = notice.Notifier

// ChannelType says how a channel reaches its receiver.
type ChannelType string

// The types of channel.
const (
	TypeWebhook   ChannelType = "webhook"
	TypeSlack     ChannelType = "slack"
	TypeEmail     ChannelType = "email"
	TypeTeams     ChannelType = "teams"
	TypeLineWorks ChannelType = "lineworks"
	TypeNtfy      ChannelType = "ntfy"
	TypeSMS       ChannelType = "sms"
	TypeVoice     ChannelType = "voice"
	TypeWebPush   ChannelType = "webpush" // of people only: a browser subscribes by itself
)

type channelType struct {
	name  ChannelType
	given func(s Spec) bool
}

// types lists the types of channel in order, each with its receiver in a spec.
var types = []channelType{
	{TypeWebhook, func(s Spec) bool { return s.Webhook != nil }},
	{TypeSlack, func(s Spec) bool { return s.Slack != nil }},
	{TypeEmail, func(s Spec) bool { return s.Email != nil }},
	{TypeTeams, func(s Spec) bool { return s.Teams != nil }},
	{TypeLineWorks, func(s Spec) bool { return s.LineWorks != nil }},
	{TypeNtfy, func(s Spec) bool { return s.Ntfy != nil }},
	{TypeSMS, func(s Spec) bool { return s.SMS != nil }},
	{TypeVoice, func(s Spec) bool { return s.Voice != nil }},
	{TypeWebPush, func(s Spec) bool { return s.WebPush != nil }},
}

// Spec is what a NotificationChannel document says under spec.
type Spec struct {
	Type         ChannelType    `json:"type,omitempty" enum:"webhook,slack,email,teams,lineworks,ntfy,sms,voice" doc:"How the receiver is reached; absent: as the receiver below says." ja:"送信方法。省略時は下の送信先から判断します。"`
	Webhook      *WebhookSpec   `json:"webhook,omitempty" doc:"For type webhook." ja:"種類が webhook の場合。"`
	Slack        *SlackSpec     `json:"slack,omitempty" doc:"For type slack: any incoming webhook that takes Slack's format." ja:"種類が slack の場合。Slack形式を受け付けるIncoming Webhookであれば使えます。"`
	Email        *EmailSpec     `json:"email,omitempty" doc:"For type email. The mail server is in the server's configuration." ja:"種類が email の場合。メールサーバーはTeitenの設定で指定します。"`
	Teams        *TeamsSpec     `json:"teams,omitempty" doc:"For type teams: a workflow or incoming webhook of Microsoft Teams." ja:"種類が teams の場合。Microsoft TeamsのワークフローまたはIncoming Webhook。"`
	LineWorks    *LineWorksSpec `json:"lineworks,omitempty" doc:"For type lineworks: the Incoming Webhook app of LINE WORKS." ja:"種類が lineworks の場合。LINE WORKSのIncoming Webhookアプリ。"`
	Ntfy         *NtfySpec      `json:"ntfy,omitempty" doc:"For type ntfy: a topic at ntfy.sh or a server of one's own." ja:"種類が ntfy の場合。ntfy.shまたは自前のサーバーのトピック。"`
	SMS          *PhoneSpec     `json:"sms,omitempty" doc:"For type sms. The provider is in the server's configuration." ja:"種類が sms の場合。プロバイダーはTeitenの設定で指定します。"`
	Voice        *PhoneSpec     `json:"voice,omitempty" doc:"For type voice. The provider is in the server's configuration." ja:"種類が voice の場合。プロバイダーはTeitenの設定で指定します。"`
	WebPush      *WebPushSpec   `json:"-"`
	Language     string         `json:"language,omitempty" enum:"en,ja" doc:"The language of its messages; en when absent." ja:"メッセージの言語。省略時は en。"`
	TimeZone     string         `json:"timeZone,omitempty" doc:"The IANA time zone in which its messages write times; UTC when absent." ja:"メッセージ中の時刻に使うIANAタイムゾーン。省略時はUTC。"`
	Match        *Match         `json:"match,omitempty" doc:"What it hears. Absent: every alert." ja:"受け取る内容。省略時はすべてのアラート。"`
	TicketHours  []string       `json:"ticketHours,omitempty" doc:"Working hours in the time zone, such as Mon-Fri 09:00-18:00. Tickets are held until then; pages never. Absent: at any time." ja:"タイムゾーンでの勤務時間(例: Mon-Fri 09:00-18:00)。チケットはこの時間まで保留し、緊急の呼び出しは保留しません。省略時は常に送ります。"`
	AtMost       *Limit         `json:"atMost,omitempty" doc:"How many messages it takes in a time. More wait, and those that wait go together as one. Absent: no limit." ja:"一定時間に受け取る件数の上限。超えた分は待たせ、まとめて1件で送ります。省略時は無制限。"`
	SendResolved *bool          `json:"sendResolved,omitempty" doc:"Whether it hears of the end of an alert; true when absent." ja:"アラートの終わりも受け取るか。省略時は true。"`
}

// WebhookSpec is the receiver of a webhook channel.
type WebhookSpec struct {
	URL    secret.Secret `json:"url" doc:"Where events are posted. May be ${env:NAME} or ${file:PATH}." ja:"イベントの送信先。${env:NAME} や ${file:PATH} も書けます。"`
	Secret secret.Secret `json:"secret,omitempty" doc:"Signs each event. May be ${env:NAME} or ${file:PATH}." ja:"イベントの署名に使う秘密の値。${env:NAME} や ${file:PATH} も書けます。"`
}

// SlackSpec is the receiver of a slack channel.
type SlackSpec struct {
	URL     secret.Secret `json:"url" doc:"The incoming webhook's address, which is a secret. May be ${env:NAME} or ${file:PATH}." ja:"Incoming Webhookのアドレス(秘密の値です)。${env:NAME} や ${file:PATH} も書けます。"`
	Channel string        `json:"channel,omitempty" doc:"Another channel than the webhook's own, where the program allows it." ja:"Webhookの既定とは別のチャンネル(対応している場合)。"`
}

// EmailSpec is the receiver of an email channel.
type EmailSpec struct {
	To   []string `json:"to" doc:"The addresses; each gets a mail of its own." ja:"宛先。1件ずつ別のメールになります。"`
	From string   `json:"from,omitempty" doc:"The sender, instead of the one in the configuration." ja:"差出人。設定の値の代わりに使います。"`
}

// TeamsSpec is the receiver of a teams channel.
type TeamsSpec struct {
	URL secret.Secret `json:"url" doc:"The workflow's address, which is a secret. May be ${env:NAME} or ${file:PATH}." ja:"ワークフローのアドレス(秘密の値です)。${env:NAME} や ${file:PATH} も書けます。"`
}

// LineWorksSpec is the receiver of a lineworks channel.
type LineWorksSpec struct {
	URL secret.Secret `json:"url" doc:"The app's address, which is a secret. May be ${env:NAME} or ${file:PATH}." ja:"アプリのアドレス(秘密の値です)。${env:NAME} や ${file:PATH} も書けます。"`
}

// NtfySpec is the receiver of an ntfy channel.
type NtfySpec struct {
	URL   secret.Secret `json:"url" doc:"Server and topic: https://ntfy.sh/topic. Whoever knows it may listen. May be ${env:NAME} or ${file:PATH}." ja:"サーバーとトピック(https://ntfy.sh/トピック)。知っている人は誰でも受信できます。${env:NAME} や ${file:PATH} も書けます。"`
	Token secret.Secret `json:"token,omitempty" doc:"Of a protected topic. May be ${env:NAME} or ${file:PATH}." ja:"保護されたトピックのトークン。${env:NAME} や ${file:PATH} も書けます。"`
}

// PhoneSpec is the receiver of an sms or a voice channel.
type PhoneSpec struct {
	To string `json:"to" doc:"The number with its country: +81312345678." ja:"国番号から書いた電話番号(+81312345678)。"`
}

// WebPushSpec is a browser that subscribed, and the key by which its push service
// knows this server.
type WebPushSpec struct {
	Endpoint secret.Secret
	P256DH   string
	Auth     secret.Secret
	Key      webpush.Key
}

// Match chooses what a channel hears. Names within one list are alternatives;
// the lists that are given must all agree. Names may hold * and ?.
type Match struct {
	Teams      []string `json:"teams,omitempty" doc:"Teams that own what it is about." ja:"対象を担当するチーム。"`
	Services   []string `json:"services,omitempty" doc:"Services that it is about." ja:"対象のサービス。"`
	Severities []string `json:"severities,omitempty" doc:"page, ticket, info." ja:"page、ticket、info。"`
	Kinds      []string `json:"kinds,omitempty" doc:"Kinds of journal entry, such as slo.alert_fired. Absent: alerts." ja:"ジャーナルの記録の種類(例: slo.alert_fired)。省略時はアラート。"`
	OnlyNamed  bool     `json:"onlyNamed,omitempty" doc:"Hears only alerts whose policy names this channel." ja:"ポリシーがこの通知先を名指ししたアラートだけを受け取ります。"`
}

// Channel is a way to somebody who wants to know.
type Channel struct {
	Name        string
	Title       string
	Description string
	Spec        Spec
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// typed is the spec with its type filled in from the one receiver it gives.
func (s Spec) typed() Spec {
	if s.Type != "" {
		return s
	}
	for _, t := range types {
		if t.given(s) {
			s.Type = t.name
			break
		}
	}
	return s
}

// Owner is the team whose channel this is: the one team that it listens to, and
// nobody where it listens to several or to all.
func (c Channel) Owner() string {
	if m := c.Spec.Match; m != nil && len(m.Teams) == 1 && !strings.ContainsAny(m.Teams[0], "*?[\\") {
		return short(m.Teams[0])
	}
	return ""
}

// Lang is the language of the channel's messages.
func (c Channel) Lang() text.Lang {
	if l, ok := text.Parse(c.Spec.Language); ok {
		return l
	}
	return text.EN
}

// Zone is the time zone in which the channel's messages write times.
func (c Channel) Zone() *time.Location {
	if c.Spec.TimeZone == "" {
		return time.UTC
	}
	z, err := time.LoadLocation(c.Spec.TimeZone)
	if err != nil {
		return time.UTC // the zone was checked when the channel was applied
	}
	return z
}

// Recipients are the parts that a message to the channel is delivered to one by
// one: the addresses of an e-mail channel, and one nameless part of any other.
func (c Channel) Recipients() []string {
	if c.Spec.Type == TypeEmail && c.Spec.Email != nil {
		return slices.Compact(slices.Sorted(slices.Values(c.Spec.Email.To)))
	}
	return []string{""}
}

// Audience is whom a message concerns: what channels match against. Targets are
// names of channels that hear it whatever they match.
type Audience struct {
	Kind     string
	Phase    notice.Phase
	Severity notice.Severity
	Teams    []string
	Services []string
	Targets  []string
	Alert    bool // heard by channels that name no kinds
	Silent   bool // nobody is to hear of it
	Joined   bool // who heard of the thread before need not hear of it
	Only     bool // nobody but the targets hears of it
	Paged    bool // people are paged besides, so that no channel need hear of it
}

// Hears reports whether a message for an audience goes to the channel.
func (c Channel) Hears(a Audience) bool {
	if a.Silent || a.Phase == notice.Resolved && c.Spec.SendResolved != nil && !*c.Spec.SendResolved {
		return false
	}
	if slices.Contains(a.Targets, c.Name) {
		return true
	}
	if a.Only {
		return false
	}
	m := c.Spec.Match
	if m == nil {
		return a.Alert
	}
	if m.OnlyNamed {
		return false
	}
	kinds := len(m.Kinds) == 0 && a.Alert || anyOf(m.Kinds, []string{a.Kind})
	return kinds && allows(m.Teams, a.Teams) && allows(m.Services, a.Services) && allows(m.Severities, []string{string(a.Severity)})
}

// allows is anyOf where an absent list of patterns allows everything.
func allows(patterns, names []string) bool {
	return len(patterns) == 0 || anyOf(patterns, names)
}

func anyOf(patterns, names []string) bool {
	for _, p := range patterns {
		for _, n := range names {
			if ok, err := path.Match(short(p), short(n)); err == nil && ok {
				return true
			}
		}
	}
	return false
}

// short is a name without the kind and namespace before it, in lower case:
// "team:payments" and "group:default/Payments" are both "payments".
func short(name string) string {
	if _, after, ok := strings.Cut(name, ":"); ok {
		name = after
	}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	return strings.ToLower(name)
}

const maxRecipients = 50

// Problem is one thing wrong with a spec, and where.
type Problem struct {
	Path   []any
	Code   string
	What   text.Both
	Remedy text.Both
}

// Problems returns everything that is wrong with the spec by itself.
func (s Spec) Problems() []Problem {
	s = s.typed()
	var all []Problem
	bad := func(code string, what, remedy text.Both, p ...any) {
		all = append(all, Problem{Path: append([]any{"spec"}, p...), Code: "notify." + code, What: what, Remedy: remedy})
	}
	known := slices.ContainsFunc(types, func(t channelType) bool { return t.name == s.Type })
	if !known {
		bad("channel_type", text.Say("the channel says nowhere how it reaches anybody", "チャンネルに送信先の種類がありません"),
			text.Say("give one of spec.webhook, spec.slack, spec.email, spec.teams, spec.lineworks, spec.ntfy, spec.sms and spec.voice",
				"spec.webhook、spec.slack、spec.email、spec.teams、spec.lineworks、spec.ntfy、spec.sms、spec.voice のいずれかを書いてください"), "type")
	}
	for _, t := range types {
		switch given := t.given(s); {
		case t.name == s.Type && !given:
			bad("channel_receiver", text.Say("the channel is of type %s, and spec.%s is missing", "種類が%sなのに spec.%sがありません", t.name, t.name),
				text.Say("say there where the receiver is", "そこに送信先を書いてください"), "type")
		case t.name != s.Type && given:
			bad("channel_receiver", text.Say("spec.%s does not belong into a channel of type %s", "spec.%sは種類%sのチャンネルには書けません", t.name, s.Type),
				text.Say("take it out, or change the type", "削除するか、種類を変えてください"), string(t.name))
		}
	}
	s.checkReceivers(bad)
	if s.Language != "" && s.Language != "en" && s.Language != "ja" {
		bad("channel_language", text.Say("the language is %q", "言語が%qです", s.Language), text.Say("write en or ja", "en か ja にしてください"), "language")
	}
	if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
		bad("channel_zone", text.Say("there is no time zone %q", "タイムゾーン%qはありません", notice.OneLine(s.TimeZone, 60)),
			text.Say("write a name such as Asia/Tokyo", "Asia/Tokyo のような名前を書いてください"), "timeZone")
	}
	s.checkHours(bad)
	s.AtMost.check(bad)
	s.checkMatch(bad)
	return all
}

type report func(code string, what, remedy text.Both, p ...any)

func (s Spec) checkMatch(bad report) {
	if s.Match == nil {
		return
	}
	severities := []string{string(notice.Page), string(notice.Ticket), string(notice.Info)}
	for i, v := range s.Match.Severities {
		if !slices.Contains(severities, v) {
			bad("match_severity", text.Say("there is no severity %q", "重大度%qはありません", notice.OneLine(v, 60)),
				text.Say("write page, ticket or info", "page、ticket、info のいずれかにしてください"), "match", "severities", i)
		}
	}
	patterns := func(name string, list []string) {
		for i, v := range list {
			if _, err := path.Match(v, ""); err != nil || v == "" {
				bad("match_pattern", text.Say("%q is not a name or a pattern", "%qは名前としてもパターンとしても正しくありません", notice.OneLine(v, 60)),
					text.Say("use letters, * and ?", "文字と * ? を使ってください"), "match", name, i)
			}
		}
	}
	patterns("teams", s.Match.Teams)
	patterns("services", s.Match.Services)
	patterns("kinds", s.Match.Kinds)
}

// errNoChannel is the fault for a name that no channel has.
func errNoChannel(name string) *fault.Error {
	return fault.New(fault.NotFound, "notify.no_channel",
		text.Say("there is no channel %q", "チャンネル%qはありません", notice.OneLine(name, 100)))
}

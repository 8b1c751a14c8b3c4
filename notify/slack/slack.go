// Package slack tells people in a chat: it posts to incoming webhooks as Slack
// defines them, which Mattermost, Rocket.Chat, Zulip and others accept too.
//
// A message goes out twice in one request: as blocks, which Slack shows, and as
// text, which notifications and the other programs show. Both are complete.
package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/webhook"
)

// Notifier posts to one incoming webhook.
type Notifier struct {
	Client  *outbound.Client
	URL     string
	Channel string // asks for another channel than the webhook's own; Slack ignores it
	Now     func() time.Time
}

var _ notice.Notifier = (*Notifier)(nil)

// Slack's limits, in characters
// (https://docs.slack.dev/reference/block-kit/blocks).
const (
	maxHeader  = 150
	maxSection = 3000
	maxField   = 2000
	maxFields  = 10
	maxText    = 4000 // longer texts are cut by Slack itself, in the middle of a link
)

type payload struct {
	Text        string  `json:"text"`
	Blocks      []block `json:"blocks"`
	Channel     string  `json:"channel,omitempty"`
	UnfurlLinks bool    `json:"unfurl_links"`
	UnfurlMedia bool    `json:"unfurl_media"`
}

type block struct {
	Type     string  `json:"type"`
	Text     *piece  `json:"text,omitempty"`
	Fields   []piece `json:"fields,omitempty"`
	Elements []piece `json:"elements,omitempty"`
}

type piece struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

func plain(s string) *piece { return &piece{"plain_text", s} }
func mrkdwn(s string) piece { return piece{"mrkdwn", s} }

// Notify posts the message once.
func (n *Notifier) Notify(ctx context.Context, m notice.Message) (notice.Answer, bool, error) {
	body, err := Encode(n.Channel, m)
	if err != nil {
		return notice.Answer{}, false, err
	}
	header := http.Header{
		"Content-Type":               {"application/json; charset=utf-8"},
		webhook.HeaderIdempotencyKey: {m.Key},
	}
	return webhook.Post(ctx, n.Client, n.URL, header, body, n.Now())
}

// marks stand before the title, so that the state is seen without reading.
func mark(m notice.Message) string {
	switch {
	case m.Phase == notice.Resolved:
		return "✅ "
	case m.Severity == notice.Page:
		return "🔴 "
	case m.Severity == notice.Ticket:
		return "🟠 "
	}
	return ""
}

// Encode writes a message as the body of a request to an incoming webhook.
func Encode(channel string, m notice.Message) ([]byte, error) {
	title := mark(m) + notice.OneLine(m.Title.In(m.Lang), maxHeader-4)
	p := payload{Channel: channel, Text: fallback(title, m)}
	p.Blocks = append(p.Blocks, block{Type: "header", Text: plain(title)})
	if b := m.Body.In(m.Lang); b != "" {
		section := mrkdwn(escape(b, maxSection))
		p.Blocks = append(p.Blocks, block{Type: "section", Text: &section})
	}
	if fields := fields(m); len(fields) > 0 {
		p.Blocks = append(p.Blocks, block{Type: "section", Fields: fields})
	}
	if links := links(m); links != "" {
		section := mrkdwn(links)
		p.Blocks = append(p.Blocks, block{Type: "section", Text: &section})
	}
	p.Blocks = append(p.Blocks, block{Type: "context", Elements: []piece{mrkdwn(foot(m))}})
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode slack message: %w", err)
	}
	return body, nil
}

func fields(m notice.Message) []piece {
	var out []piece
	for _, f := range m.Facts {
		if len(out) == maxFields {
			break
		}
		out = append(out, mrkdwn("*"+escape(f.Label.In(m.Lang), 200)+"*\n"+escape(m.Said(f), maxField-300)))
	}
	return out
}

// links are as many of the message's links as fit whole: a link cut in two
// would show its raw syntax.
func links(m notice.Message) string {
	var all []string
	size := 0
	for _, l := range pointers(m) {
		s := "<" + address(l.URL) + "|" + escape(notice.OneLine(l.Label.In(m.Lang), 100), 600) + ">"
		if size += len(s) + 5; size > maxSection {
			break
		}
		all = append(all, s)
	}
	return strings.Join(all, "  ·  ")
}

// pointers are the message's links to web pages. Anything else between angle
// brackets could be a mention.
func pointers(m notice.Message) []notice.Pointer {
	var all []notice.Pointer
	for _, a := range m.Actions { // what to do comes before what to read
		all = append(all, notice.Pointer{Label: a.Label, URL: a.URL})
	}
	all = append(all, notice.Pointer{Label: text.Say("Open in Teiten", "Teitenで開く"), URL: m.Link})
	all = append(all, m.Look...)
	return slices.DeleteFunc(all, func(p notice.Pointer) bool {
		_, err := outbound.CheckURL(p.URL)
		return err != nil
	})
}

// foot says when it happened, and that it comes late where it does.
func foot(m notice.Message) string {
	s := escape(m.When(m.Time), 100) + "  ·  `" + escape(notice.OneLine(m.Subject, 120), 600) + "`"
	if late := m.Late(); !late.IsZero() {
		s = "⏱ " + escape(late.In(m.Lang), 300) + "  ·  " + s
	}
	return s
}

// fallback is the whole message as text, within the limit, links last and whole.
func fallback(title string, m notice.Message) string {
	tail := "\n" + foot(m)
	if l := links(m); l != "" && len(l) < maxText/2 {
		tail = "\n" + l + tail
	}
	var b strings.Builder
	b.WriteString(escape(title, 900))
	if s := m.Body.In(m.Lang); s != "" {
		b.WriteString("\n" + escape(s, maxText/3))
	}
	for _, f := range m.Facts {
		line := "\n• " + escape(f.Label.In(m.Lang), 200) + ": " + escape(m.Said(f), 300)
		if b.Len()+len(line)+len(tail) > maxText {
			break
		}
		b.WriteString(line)
	}
	return b.String() + tail
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// escape writes text so that Slack shows it and reads nothing into it: no
// mention, no link (https://docs.slack.dev/messaging/formatting-message-text).
// The result has at most max characters and never ends inside an escape.
func escape(s string, limit int) string {
	s = strings.ToValidUTF8(s, " ")
	if e := escaper.Replace(s); len([]rune(e)) <= limit {
		return e
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		e := escaper.Replace(string(r))
		if n += len([]rune(e)); n >= limit {
			break
		}
		b.WriteString(e)
	}
	return b.String() + "…"
}

// address makes a URL safe inside <url|label>.
func address(u string) string {
	return strings.NewReplacer("<", "%3C", ">", "%3E", "|", "%7C", " ", "%20", "\n", "", "\r", "").Replace(u)
}

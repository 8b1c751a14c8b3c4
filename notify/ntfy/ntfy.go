// Package ntfy pushes to telephones through ntfy, at ntfy.sh or a server of one's
// own: no account is needed, and whoever knows the topic may listen.
package ntfy

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/webhook"
)

// Notifier publishes to one topic, whose address is server/topic.
type Notifier struct {
	Client *outbound.Client
	URL    string
	Token  string // of a protected topic
	Now    func() time.Time
}

var _ notice.Notifier = (*Notifier)(nil)

// Limits of ntfy (https://docs.ntfy.sh/publish/#limitations): 4,096 bytes of
// text, more becomes an attachment; and three buttons.
const (
	maxText    = 4000
	maxTitle   = 240
	maxActions = 3
)

type payload struct {
	Topic    string   `json:"topic"`
	Title    string   `json:"title"`
	Message  string   `json:"message"`
	Priority int      `json:"priority"`
	Tags     []string `json:"tags,omitempty"`
	Click    string   `json:"click,omitempty"`
	Actions  []action `json:"actions,omitempty"`
}

type action struct {
	Action string `json:"action"`
	Label  string `json:"label"`
	URL    string `json:"url"`
}

// Split takes an address apart into the server, to which is published, and the
// topic.
func Split(address string) (server, topic string, err error) {
	u, err := outbound.CheckURL(address)
	if err != nil {
		return "", "", err
	}
	path := strings.Trim(u.Path, "/")
	i := strings.LastIndexByte(path, '/')
	topic = path[i+1:]
	if topic == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", "", fault.New(fault.Invalid, "ntfy.topic", text.Say("the address names no topic", "アドレスにトピックがありません")).
			Fix(text.Say("write it as https://ntfy.sh/topic", "https://ntfy.sh/トピック の形で書いてください"))
	}
	root := url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: "/" + path[:max(i, 0)]}
	return root.String(), topic, nil
}

// Notify publishes the message once.
func (n *Notifier) Notify(ctx context.Context, m notice.Message) (notice.Answer, bool, error) {
	server, topic, err := Split(n.URL)
	if err != nil {
		return notice.Answer{}, false, err
	}
	body, err := Encode(topic, m)
	if err != nil {
		return notice.Answer{}, false, err
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}, webhook.HeaderIdempotencyKey: {m.Key}}
	if n.Token != "" {
		header.Set("Authorization", "Bearer "+n.Token)
	}
	return webhook.Post(ctx, n.Client, server, header, body, n.Now())
}

// Encode writes a message as ntfy's JSON. A page has the highest priority, which
// rings on until it is seen.
func Encode(topic string, m notice.Message) ([]byte, error) {
	p := payload{Topic: topic, Title: notice.OneLine(m.Title.In(m.Lang), maxTitle), Message: cutBytes(m.Story(), maxText), Priority: 3}
	switch {
	case m.Phase == notice.Resolved:
		p.Tags = []string{"white_check_mark"}
	case m.Severity == notice.Page:
		p.Priority, p.Tags = 5, []string{"rotating_light"}
	case m.Severity == notice.Ticket:
		p.Tags = []string{"warning"}
	}
	for _, l := range m.Links() {
		if _, err := outbound.CheckURL(l.URL); err != nil {
			continue
		}
		if p.Click == "" {
			p.Click = l.URL
		}
		if len(p.Actions) < maxActions {
			p.Actions = append(p.Actions, action{"view", notice.OneLine(l.Label.In(m.Lang), 60), l.URL})
		}
	}
	out, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return out, nil
}

// cutBytes shortens s to at most that many bytes, at the end of a character.
func cutBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most -= len("…"); most > 0 && s[most]&0xc0 == 0x80; most-- {
	}
	return s[:most] + "…"
}

// Package lineworks tells people in LINE WORKS: it posts to the address of the
// Incoming Webhook app, as a title, a text and one button.
package lineworks

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/webhook"
)

// Notifier posts to one incoming webhook.
type Notifier struct {
	Client *outbound.Client
	URL    string
	Now    func() time.Time
}

var _ notice.Notifier = (*Notifier)(nil)

// What is longer is cut here and not there, in the middle of an address.
const (
	maxTitle = 200
	maxText  = 1800
	maxLabel = 20
)

type payload struct {
	Title  string  `json:"title"`
	Body   body    `json:"body"`
	Button *button `json:"button,omitempty"`
}

type body struct {
	Text string `json:"text"`
}

type button struct {
	Label string `json:"label"`
	URL   string `json:"url"`
}

// Notify posts the message once.
func (n *Notifier) Notify(ctx context.Context, m notice.Message) (notice.Answer, bool, error) {
	body, err := Encode(m)
	if err != nil {
		return notice.Answer{}, false, err
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}, webhook.HeaderIdempotencyKey: {m.Key}}
	return webhook.Post(ctx, n.Client, n.URL, header, body, n.Now())
}

// Encode writes a message as the body of a request. The first thing to do, or the
// page about it, is the button; the other addresses stand below the text.
func Encode(m notice.Message) ([]byte, error) {
	p := payload{Title: notice.OneLine(m.Title.In(m.Lang), maxTitle)}
	var more strings.Builder
	for _, l := range m.Links() {
		if _, err := outbound.CheckURL(l.URL); err != nil {
			continue
		}
		if p.Button == nil {
			p.Button = &button{notice.OneLine(l.Label.In(m.Lang), maxLabel), l.URL}
			continue
		}
		if line := "\n" + notice.OneLine(l.Label.In(m.Lang), 60) + ": " + l.URL; more.Len()+len(line) < maxText/2 {
			more.WriteString(line)
		}
	}
	p.Body.Text = notice.Cut(m.Story(), maxText-more.Len()) + more.String()
	out, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return out, nil
}

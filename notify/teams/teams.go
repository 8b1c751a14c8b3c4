// Package teams tells people in Microsoft Teams: it posts an Adaptive Card to the
// address of a workflow ("when a Teams webhook request is received") or of an
// incoming webhook, which take the same body.
package teams

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/webhook"
)

// Notifier posts to one workflow.
type Notifier struct {
	Client *outbound.Client
	URL    string
	Now    func() time.Time
}

var _ notice.Notifier = (*Notifier)(nil)

// Limits of Teams: a message of at most 28 KB
// (https://learn.microsoft.com/microsoftteams/limits-specifications-teams), and
// six buttons on a card.
const (
	maxBytes   = 28 << 10
	maxBody    = 4000
	maxFacts   = 15
	maxButtons = 6
)

type message struct {
	Type        string       `json:"type"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	ContentType string  `json:"contentType"`
	ContentURL  *string `json:"contentUrl"`
	Content     card    `json:"content"`
}

type card struct {
	Schema  string    `json:"$schema"`
	Type    string    `json:"type"`
	Version string    `json:"version"`
	Body    []element `json:"body"`
	Actions []action  `json:"actions,omitempty"`
	Teams   width     `json:"msteams"`
}

type width struct {
	Width string `json:"width"`
}

type element struct {
	Type   string `json:"type"`
	Text   string `json:"text,omitempty"`
	Size   string `json:"size,omitempty"`
	Weight string `json:"weight,omitempty"`
	Color  string `json:"color,omitempty"`
	Wrap   bool   `json:"wrap,omitempty"`
	Subtle bool   `json:"isSubtle,omitempty"`
	Facts  []fact `json:"facts,omitempty"`
}

type fact struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

type action struct {
	Type  string `json:"type"`
	Title string `json:"title"`
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

// colour is one of those that a card knows.
func colour(m notice.Message) string {
	switch {
	case m.Phase == notice.Resolved:
		return "good"
	case m.Severity == notice.Page:
		return "attention"
	case m.Severity == notice.Ticket:
		return "warning"
	}
	return "default"
}

// Encode writes a message as a card, without its facts and most of its body where
// it would be larger than Teams takes.
func Encode(m notice.Message) ([]byte, error) {
	for _, most := range []struct{ body, facts int }{{maxBody, maxFacts}, {1000, 5}, {200, 0}} {
		body, err := json.Marshal(message{Type: "message", Attachments: []attachment{{
			ContentType: "application/vnd.microsoft.card.adaptive", Content: write(m, most.body, most.facts),
		}}})
		if err != nil {
			return nil, fmt.Errorf("encode card: %w", err)
		}
		if len(body) <= maxBytes || most.facts == 0 {
			return body, nil
		}
	}
	return nil, nil // not reached: the last size is always returned
}

func write(m notice.Message, maxBody, maxFacts int) card {
	c := card{Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4", Teams: width{"Full"}}
	c.Body = append(c.Body, element{Type: "TextBlock", Text: notice.OneLine(m.Title.In(m.Lang), 300), Size: "Large", Weight: "Bolder", Color: colour(m), Wrap: true})
	if s := m.Body.In(m.Lang); s != "" {
		c.Body = append(c.Body, element{Type: "TextBlock", Text: notice.Cut(s, maxBody), Wrap: true})
	}
	var facts []fact
	for _, f := range m.Facts[:min(len(m.Facts), maxFacts)] {
		facts = append(facts, fact{notice.OneLine(f.Label.In(m.Lang), 100), notice.OneLine(m.Said(f), 500)})
	}
	if len(facts) > 0 {
		c.Body = append(c.Body, element{Type: "FactSet", Facts: facts})
	}
	foot := m.When(m.Time)
	if late := m.Late(); !late.IsZero() {
		foot = late.In(m.Lang) + " " + foot
	}
	c.Body = append(c.Body, element{Type: "TextBlock", Text: foot, Subtle: true, Wrap: true})
	for _, l := range slices.DeleteFunc(m.Links(), func(l notice.Pointer) bool { _, err := outbound.CheckURL(l.URL); return err != nil }) {
		if len(c.Actions) < maxButtons {
			c.Actions = append(c.Actions, action{"Action.OpenUrl", notice.OneLine(l.Label.In(m.Lang), 60), l.URL})
		}
	}
	return c
}

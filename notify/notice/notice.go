// Package notice holds what is told to people and programs outside: one message
// in both languages, and the interface of whoever carries it.
//
// It knows neither the database nor the network. The channels (webhook, slack,
// email) implement Notifier; package notify decides who hears what, and keeps
// trying until it was heard.
package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
)

// Severity says how soon somebody has to look.
type Severity string

// The severities, from the most urgent to the least.
const (
	Page   Severity = "page"   // a person is needed now
	Ticket Severity = "ticket" // a person is needed in working hours
	Info   Severity = "info"   // nobody has to act
)

// Phase says where the matter stands that a message is about.
type Phase string

// The phases of a matter. A message about something that merely happened has
// none.
const (
	Fired    Phase = "fired"
	Resolved Phase = "resolved"
)

// Fact is one labelled value with its unit. A fact about a moment sets At
// instead of Value, so that it is written in the reader's time zone.
type Fact struct {
	Label text.Both `json:"label"`
	Value text.Both `json:"value,omitzero"`
	At    time.Time `json:"at,omitzero"`
}

// Pointer is a place to look at, with its full address.
type Pointer struct {
	Label text.Both `json:"label"`
	URL   string    `json:"url"`
}

// Action is something that the reader may do about a message, by opening its
// full address: the page there shows what it is, and acts when asked to. Do names
// it for programs: "acknowledge".
type Action struct {
	Do    string    `json:"do"`
	Label text.Both `json:"label"`
	URL   string    `json:"url"`
}

// Message is one message, complete, in both languages. What is stored with a
// delivery is exactly this; Lang, Zone, To and SentAt are set for each send.
type Message struct {
	Key      string          `json:"key"`                // same on every try of one delivery
	Entry    string          `json:"entry"`              // id of the journal entry that caused it
	Cause    string          `json:"cause,omitempty"`    // the request behind that entry
	Kind     string          `json:"kind"`               // kind of that entry
	Subject  string          `json:"subject"`            // reference of what it is about
	Thread   string          `json:"thread"`             // messages with one thread belong together
	Severity Severity        `json:"severity,omitempty"` // how soon somebody has to look
	Phase    Phase           `json:"phase,omitempty"`    // fired, resolved or nothing
	Title    text.Both       `json:"title"`              // one line
	Body     text.Both       `json:"body,omitzero"`      // a few sentences
	Facts    []Fact          `json:"facts,omitempty"`    // numbers with units
	Look     []Pointer       `json:"look,omitempty"`     // what to look at
	Actions  []Action        `json:"actions,omitempty"`  // what to do about it
	Link     string          `json:"link,omitempty"`     // the page about it, full address
	Time     time.Time       `json:"time"`               // when it happened
	Data     json.RawMessage `json:"data,omitempty"`     // the entry's data, for programs

	Lang   text.Lang      `json:"-"`
	Zone   *time.Location `json:"-"`
	To     string         `json:"-"` // one e-mail address; only for e-mail
	SentAt time.Time      `json:"-"`
}

// Answer is what a receiver said to one send: a status code of its protocol (0
// when it said nothing) and the beginning of its text. RetryAfter is the pause
// it asked for.
type Answer struct {
	Code       int
	Text       string
	RetryAfter time.Duration
}

// Notifier carries messages over one channel. A nil error means that the
// receiver took the message over (2xx). Otherwise retryable says whether the
// same message can succeed later. An error is a fault that may be shown to
// people: it holds no secret.
type Notifier interface {
	Notify(ctx context.Context, m Message) (answer Answer, retryable bool, err error)
}

// lateAfter is the delay from which on a message says that it comes late.
const lateAfter = 2 * time.Minute

// Late says that the message comes long after what it tells, and nothing when
// it comes in time.
func (m Message) Late() text.Both {
	if m.SentAt.IsZero() || m.SentAt.Sub(m.Time) < lateAfter {
		return text.Both{}
	}
	return text.Say("Delivered %s after it happened: the receiver could not be reached before.",
		"発生から%s遅れての通知です(それまで送信先に届きませんでした)。", Span(m.SentAt.Sub(m.Time)))
}

// When writes a moment in the reader's time zone, with the zone.
func (m Message) When(t time.Time) string {
	zone := m.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02 15:04:05 MST")
}

// Said is a fact's value in the message's language and zone.
func (m Message) Said(f Fact) string {
	if !f.At.IsZero() {
		return m.When(f.At)
	}
	return f.Value.In(m.Lang)
}

// Span writes a duration as people say it, in at most two units, rounded down.
func Span(d time.Duration) text.Both {
	if d < 0 {
		d = -d
	}
	units := []struct {
		of     time.Duration
		en, ja string
	}{{24 * time.Hour, "d", "日"}, {time.Hour, "h", "時間"}, {time.Minute, "min", "分"}, {time.Second, "s", "秒"}}
	for i, u := range units {
		if d < u.of && i < len(units)-1 {
			continue
		}
		en, ja := fmt.Sprintf("%d %s", d/u.of, u.en), fmt.Sprintf("%d%s", d/u.of, u.ja)
		if i+1 < len(units) {
			if rest := d % u.of / units[i+1].of; rest > 0 {
				en += fmt.Sprintf(" %d %s", rest, units[i+1].en)
				ja += fmt.Sprintf("%d%s", rest, units[i+1].ja)
			}
		}
		return text.Both{EN: en, JA: ja}
	}
	return text.Both{}
}

// OneLine makes a string safe for a place that holds one line: control and
// formatting characters become spaces, and it is cut to at most max characters.
func OneLine(s string, maxChars int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < 0x20, r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff, r == 0xfffd:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return Cut(strings.Join(strings.Fields(s), " "), maxChars)
}

// Cut shortens s to at most max characters, with an ellipsis where it was cut.
func Cut(s string, maxChars int) string {
	if len(s) <= maxChars {
		return s
	}
	n := 0
	for i := range s {
		if n == maxChars-1 {
			rest := s[i:]
			if len([]rune(rest)) <= 1 {
				return s
			}
			return s[:i] + "…"
		}
		n++
	}
	return s
}

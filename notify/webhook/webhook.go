// Package webhook tells programs: it posts each message as a CloudEvents 1.0
// event in structured JSON, signed so that the receiver can trust it.
//
// A receiver checks three headers, as the Standard Webhooks specification
// describes; libraries exist for most languages, and Verify is the one for Go:
//
//	Webhook-Id         the message's key, the same each time it is sent
//	Webhook-Timestamp  seconds since 1970 of this send
//	Webhook-Signature  "v1," + base64(HMAC-SHA256(secret, id "." timestamp "." body))
//
// A message can arrive more than once: after a crash between the send and the
// record of it, and after an answer that was lost on the way. It then has the
// same Webhook-Id (and Idempotency-Key) and the same body.
package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
)

// Notifier posts signed events to one address.
type Notifier struct {
	Client *outbound.Client
	URL    string
	Secret string // unsigned when empty
	Source string // CloudEvents source: the address of this server
	Now    func() time.Time
}

var _ notice.Notifier = (*Notifier)(nil)

// ContentType is the media type of a CloudEvent in structured JSON.
const ContentType = "application/cloudevents+json; charset=utf-8"

// typePrefix is put before a journal kind to make an event type.
const typePrefix = "dev.teiten."

// Event is a CloudEvents 1.0 event. CorrelationID is the same in all events of
// one matter (an alert's beginning and its end); CausationID is the request
// that caused it.
type Event struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	CorrelationID   string    `json:"correlationid,omitempty"`
	CausationID     string    `json:"causationid,omitempty"`
	Data            Data      `json:"data"`
}

// Data is what a Teiten event says: the texts that people get on the other
// channels, in both languages, and the facts as data.
type Data struct {
	Key      string           `json:"key"`
	Severity notice.Severity  `json:"severity,omitempty"`
	Phase    notice.Phase     `json:"phase,omitempty"`
	Title    text.Both        `json:"title"`
	Body     text.Both        `json:"body,omitzero"`
	Facts    []notice.Fact    `json:"facts,omitempty"`
	Look     []notice.Pointer `json:"look,omitempty"`
	Actions  []notice.Action  `json:"actions,omitempty"`
	Link     string           `json:"link,omitempty"`
	Details  json.RawMessage  `json:"details,omitempty"` // the journal entry's data
}

// Encode writes a message as an event. The same message gives the same bytes.
func Encode(source string, m notice.Message) ([]byte, error) {
	details := m.Data
	if len(details) > 0 && !json.Valid(details) {
		details = nil
	}
	body, err := json.Marshal(Event{
		SpecVersion: "1.0", ID: m.Entry, Source: source, Type: typePrefix + m.Kind,
		Subject: m.Subject, Time: m.Time.UTC(), DataContentType: "application/json",
		CorrelationID: m.Thread, CausationID: m.Cause,
		Data: Data{
			Key: m.Key, Severity: m.Severity, Phase: m.Phase, Title: m.Title, Body: m.Body,
			Facts: m.Facts, Look: m.Look, Actions: m.Actions, Link: m.Link, Details: details,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return body, nil
}

// Notify posts the message once.
func (n *Notifier) Notify(ctx context.Context, m notice.Message) (notice.Answer, bool, error) {
	body, err := Encode(n.Source, m)
	if err != nil {
		return notice.Answer{}, false, err
	}
	header := http.Header{
		"Content-Type":       {ContentType},
		HeaderID:             {m.Key},
		HeaderIdempotencyKey: {m.Key},
	}
	now := n.Now()
	header.Set(HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	if n.Secret != "" {
		header.Set(HeaderSignature, Sign(n.Secret, m.Key, now, body))
	}
	return Post(ctx, n.Client, n.URL, header, body, now)
}

// Post sends a body and judges the answer: taken over only when it is a 2xx.
// It is shared by the channels that speak HTTP.
func Post(ctx context.Context, c *outbound.Client, url string, header http.Header, body []byte, now time.Time) (notice.Answer, bool, error) {
	got, err := c.Post(ctx, url, header, body, now)
	answer := notice.Answer{Code: got.Code, Text: got.Text, RetryAfter: got.RetryAfter}
	switch {
	case err != nil:
		return answer, true, err
	case got.OK():
		return answer, false, nil
	case got.Code >= 300 && got.Code < 400:
		return answer, true, fault.New(fault.Unavailable, "webhook.redirected",
			text.Say("the receiver answered %d, a redirect, which is not followed", "送信先が%d(リダイレクト)を返しました。リダイレクトには従いません", got.Code)).
			Fix(text.Say("put the final address into the channel", "最終的なアドレスをチャンネルに設定してください"))
	}
	return answer, got.Retryable(), fault.New(fault.Unavailable, "webhook.status",
		text.Say("the receiver answered %d %s", "送信先が%d %sを返しました", got.Code, http.StatusText(got.Code)))
}

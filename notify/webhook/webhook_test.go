package webhook_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/outbound"
	"github.com/teiten/teiten/notify/webhook"
)

var (
	now     = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	allowed = outbound.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	message = notice.Message{
		Key: "k1", Entry: "e1", Kind: "slo.alert_fired", Subject: "slo:checkout", Thread: "a1", Cause: "r1",
		Severity: notice.Page, Phase: notice.Fired, Title: text.Say("burning", "消費中"), Time: now,
		Facts: []notice.Fact{{Label: text.Say("Burn rate", "バーンレート"), Value: text.Say("21×", "21×")}},
		Data:  json.RawMessage(`{"slo":"checkout"}`), SentAt: now,
	}
)

// The vector is that of the Standard Webhooks specification's own libraries.
func TestSignatureIsThatOfTheStandard(t *testing.T) {
	got := webhook.Sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
}

func TestVerifyRefusesWhateverWasChanged(t *testing.T) {
	body := []byte(`{"a":1}`)
	signed := func() http.Header {
		h := http.Header{}
		h.Set(webhook.HeaderID, "k1")
		h.Set(webhook.HeaderTimestamp, "1795341600")
		h.Set(webhook.HeaderSignature, "v1,AAAA "+webhook.Sign("s", "k1", time.Unix(1795341600, 0), body))
		return h
	}
	at := time.Unix(1795341600, 0)
	if err := webhook.Verify("s", signed(), body, at.Add(time.Minute), 5*time.Minute); err != nil {
		t.Fatalf("a good signature is refused: %v", err)
	}
	for name, verify := range map[string]func() error{
		"body":   func() error { return webhook.Verify("s", signed(), []byte(`{"a":2}`), at, time.Minute) },
		"secret": func() error { return webhook.Verify("t", signed(), body, at, time.Minute) },
		"old":    func() error { return webhook.Verify("s", signed(), body, at.Add(time.Hour), time.Minute) },
		"future": func() error { return webhook.Verify("s", signed(), body, at.Add(-time.Hour), time.Minute) },
		"id": func() error {
			h := signed()
			h.Set(webhook.HeaderID, "k2")
			return webhook.Verify("s", h, body, at, time.Minute)
		},
		"time": func() error {
			h := signed()
			h.Set(webhook.HeaderTimestamp, "1795341601")
			return webhook.Verify("s", h, body, at, time.Minute)
		},
		"none": func() error { return webhook.Verify("s", http.Header{}, body, at, time.Minute) },
	} {
		if verify() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestReceiverGetsASignedCloudEvent(t *testing.T) {
	var got webhook.Event
	var header http.Header
	var verified error
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		header, verified = r.Header, webhook.Verify("secret", r.Header, body, now, time.Minute)
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	defer server.Close()
	n := &webhook.Notifier{Client: allowed.Client(), URL: server.URL, Secret: "secret", Source: "https://teiten.example", Now: func() time.Time { return now }}
	answer, _, err := n.Notify(t.Context(), message)
	if err != nil || answer.Code != http.StatusAccepted || verified != nil {
		t.Fatalf("answer %+v, err %v, signature %v", answer, err, verified)
	}
	want := webhook.Event{
		SpecVersion: "1.0", ID: "e1", Source: "https://teiten.example", Type: "dev.teiten.slo.alert_fired", Subject: "slo:checkout",
		Time: now, DataContentType: "application/json", CorrelationID: "a1", CausationID: "r1",
		Data: webhook.Data{Key: "k1", Severity: notice.Page, Phase: notice.Fired, Title: message.Title, Facts: message.Facts, Details: message.Data},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if header.Get("Content-Type") != webhook.ContentType || header.Get("Idempotency-Key") != "k1" || header.Get("Webhook-Id") != "k1" {
		t.Errorf("headers %v", header)
	}
}

func TestOnlyTwoHundredsAreTakenOver(t *testing.T) {
	for code, retryable := range map[int]bool{200: false, 204: false, 302: true, 400: false, 404: false, 408: true, 410: false, 429: true, 500: true, 503: true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		n := &webhook.Notifier{Client: allowed.Client(), URL: server.URL, Now: func() time.Time { return now }}
		answer, again, err := n.Notify(t.Context(), message)
		if (err == nil) != (code < 300) || again != retryable || answer.Code != code {
			t.Errorf("%d: answer %+v, retryable %v, err %v", code, answer, again, err)
		}
		server.Close()
	}
}

func FuzzEncode(f *testing.F) {
	f.Add("title", "本文", "slo:x", []byte(`{"a":1}`))
	f.Add("\x00\xff<>&", "\u2028", "", []byte(`{`))
	f.Fuzz(func(t *testing.T, title, body, subject string, data []byte) {
		m := message
		m.Title, m.Body, m.Subject, m.Data = text.Both{EN: title}, text.Both{JA: body}, subject, data
		b, err := webhook.Encode("urn:teiten", m)
		if err != nil || !json.Valid(b) {
			t.Errorf("%q: %v", b, err)
		}
	})
}

// FuzzVerify: without the secret nothing is accepted, whatever the headers hold.
func FuzzVerify(f *testing.F) {
	at := time.Unix(1795341600, 0)
	f.Add("k1", "1795341600", "v1,AAAA", []byte("{}"))
	f.Add("", "-9223372036854775808", "", []byte{})
	f.Add("k1", "9223372036854775807", webhook.Sign("other", "k1", at, []byte("x")), []byte("x"))
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		h := http.Header{}
		h.Set(webhook.HeaderID, id)
		h.Set(webhook.HeaderTimestamp, stamp)
		h.Set(webhook.HeaderSignature, signature)
		if webhook.Verify("a secret that nobody knows", h, body, at, 5*time.Minute) == nil {
			t.Errorf("accepted %q %q %q", id, stamp, signature)
		}
		signed := webhook.Sign("known", id, at, body)
		h.Set(webhook.HeaderTimestamp, "1795341600")
		h.Set(webhook.HeaderSignature, signature+" "+signed)
		if h.Get(webhook.HeaderID) == id && webhook.Verify("known", h, body, at, 5*time.Minute) != nil {
			t.Errorf("our own signature is refused beside %q", signature)
		}
	})
}

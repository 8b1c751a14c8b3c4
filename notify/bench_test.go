package notify

import (
	"log/slog"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/sink"
	"github.com/teiten/teiten/notify/slack"
	"github.com/teiten/teiten/notify/webhook"
)

// From the transaction that appends the entry to the receiver's 2xx on record,
// over one channel, one alert after the other: the latency of an alert.
func BenchmarkAlertToDelivery(b *testing.B) {
	for name, address := range map[string]string{"sqlite": dbtest.SQLite(b), "postgres": dbtest.Postgres(b)} {
		b.Run(name, func(b *testing.B) {
			s := benchStage(b, address)
			s.start()
			for b.Loop() {
				e := s.fire("a")
				waitUntil(b, func() bool { return len(s.deliveries(Filter{Entry: e.ID, States: []string{"delivered"}})) == 1 })
			}
		})
	}
}

func benchStage(b *testing.B, address string) *stage {
	b.Helper()
	to, err := sink.Start(b.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	s := open(b, dbtest.Open(b, address, rooms...), func(d *Deps) { d.Now = time.Now })
	s.channel("hook", hook(to.HTTPURL()))
	return s
}

func BenchmarkEncode(b *testing.B) {
	m := Message{Key: "k", Kind: KindAlertFired, Subject: "slo:x", Time: began, SentAt: began, Severity: notice.Page}
	m.Title, m.Body, m.Facts = alert("a").headline(notice.Fired), alert("a").story(notice.Fired), alert("a").facts(notice.Fired)
	b.Run("webhook", func(b *testing.B) {
		for b.Loop() {
			if _, err := webhook.Encode("https://t.example", m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("slack", func(b *testing.B) {
		for b.Loop() {
			if _, err := slack.Encode("", m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

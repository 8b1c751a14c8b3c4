package notify

import (
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/notify/email"
	"github.com/teiten/teiten/notify/sink"
)

func TestAlertReachesWebhookChatAndMail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		to, err := sink.Start(t.Context(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		host, port, err := net.SplitHostPort(to.SMTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, conn, func(d *Deps) {
			d.SMTP = SMTPConfig{Host: host, Port: atoi(t, port), From: "teiten@shop.example", TLS: email.NoTLS}
		})
		s.channel("automation", hook(to.HTTPURL()))
		s.channel("chat", Spec{Slack: &SlackSpec{URL: secret.Secret(to.HTTPURL() + "/slack")}, Language: "ja", TimeZone: "Asia/Tokyo"})
		s.channel("mail", Spec{Email: &EmailSpec{To: []string{"a@shop.example", "b@shop.example"}}})
		s.channel("other-team", Spec{Webhook: &WebhookSpec{URL: secret.Secret(to.HTTPURL())}, Match: &Match{Teams: []string{"search"}}})
		s.start()
		e := s.fire("a1")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		if err := to.Wait(ctx, func(m []sink.Message) bool { return len(m) == 4 }); err != nil {
			t.Fatalf("%v: %d messages; %s", err, len(to.Messages()), s.log)
		}
		waitUntil(t, func() bool { return len(s.deliveries(Filter{States: []string{"delivered"}})) == 4 })
		via := map[sink.Via][]sink.Message{}
		for _, m := range to.Messages() {
			via[m.Via] = append(via[m.Via], m)
		}
		if len(via[sink.Webhook]) != 1 || len(via[sink.Slack]) != 1 || len(via[sink.Email]) != 2 {
			t.Fatalf("%v", via)
		}
		if m := via[sink.Slack][0]; !strings.Contains(m.Title, "【緊急】checkout-availability") || !strings.Contains(m.Text, "19:00:00 JST") {
			t.Errorf("%s", m.Text)
		}
		if m := via[sink.Email][0]; !strings.Contains(m.Text, "71.0%") || !strings.Contains(m.Text, "https://teiten.example/slos/checkout-availability") {
			t.Errorf("%s", m.Text)
		}
		if got := s.entries("notify.delivered"); len(got) != 4 || len(got[0].Also) != 1 || got[0].Also[0] != e.Subject {
			t.Errorf("journal: %+v", got)
		}
		for _, d := range s.deliveries(Filter{}) {
			if d.Message.Entry != e.ID || d.Channel == "other-team" {
				t.Errorf("%+v", d)
			}
		}
	}, rooms...)
}

func TestAnswerFiveHundredThenTwoHundredIsDeliveredWithOneKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		r := receive(t, func(n int, _ hit) int {
			if n < 3 {
				return 503
			}
			return 200
		})
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		s.fire("a1")
		for range 3 {
			s.pump()
			s.wait(5 * time.Second)
		}
		d, attempts := s.only()
		if d.State != Delivered || len(attempts) != 3 || attempts[0].Code != 503 || attempts[0].Outcome != OutcomeRetry ||
			attempts[2].Code != 200 || attempts[2].Outcome != OutcomeDelivered || attempts[0].Error.JA == "" {
			t.Fatalf("%+v %+v", d, attempts)
		}
		hits := r.seen()
		for _, h := range hits {
			if h != hits[0] || h.key != d.Message.Key {
				t.Errorf("%+v, first %+v", h, hits[0])
			}
		}
		s.pump()
		if len(r.seen()) != 3 {
			t.Error("sent again after it was delivered")
		}
	}, rooms...)
}

func TestReceiverGoneForAnHourGetsEverythingInOrder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		var up atomic.Bool
		r := receive(t, func(int, hit) int {
			if up.Load() {
				return 200
			}
			return 0
		})
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		s.fire("a1")
		for minute := range 60 {
			if minute == 10 {
				s.resolve("a1", began)
			}
			s.pump()
			s.wait(time.Minute)
		}
		if st := s.standing("hook"); !st.Away || st.Pending != 2 || !st.FailingSince.Equal(began) || st.LastError.JA == "" {
			t.Fatalf("%+v", st)
		}
		if n := len(r.seen()); n < 12 || n > 40 {
			t.Errorf("%d attempts in an hour", n)
		}
		up.Store(true)
		back := s.time()
		for len(s.deliveries(Filter{States: []string{"pending"}})) > 0 {
			s.pump()
			s.wait(10 * time.Second)
			if s.time().Sub(back) > 6*time.Minute {
				t.Fatal("not delivered within six minutes of its return")
			}
		}
		hits := r.seen()
		fired, resolved := hits[len(hits)-2].body, hits[len(hits)-1].body
		if !strings.Contains(fired, KindAlertFired) || !strings.Contains(fired, `"time":"2026-11-22T10:00:00Z"`) ||
			!strings.Contains(resolved, KindAlertResolved) || !strings.Contains(resolved, `"time":"2026-11-22T10:10:00Z"`) {
			t.Errorf("%s\n%s", fired, resolved)
		}
		if n := len(s.entries("notify.channel_away")) + len(s.entries("notify.channel_back")); n != 2 {
			t.Errorf("%d entries about the receiver", n)
		}
		if st := s.standing("hook"); st.Away || st.Pending != 0 || !st.FailingSince.IsZero() {
			t.Errorf("%+v", st)
		}
	}, rooms...)
}

func TestHangingReceiverHoldsUpNobodyElse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		release := make(chan struct{})
		hanging := receive(t, func(int, hit) int { <-release; return 200 })
		defer close(release)
		good := receive(t, always(200))
		s := open(t, conn, nil)
		s.channel("a-hanging", hook(hanging.URL))
		s.channel("good", hook(good.URL))
		s.start()
		const alerts = 40
		for i := range alerts {
			a := alert("a" + string(rune('A'+i)))
			a.SLO += a.ID
			s.append(KindAlertFired, a)
		}
		waitUntil(t, func() bool {
			return len(s.deliveries(Filter{Channel: "good", States: []string{"delivered"}})) == alerts
		})
		if n := len(hanging.seen()); n > slots {
			t.Errorf("%d sends at a time to the hanging receiver", n)
		}
		if n := len(good.seen()); n != alerts {
			t.Errorf("%d sends for %d alerts", n, alerts)
		}
	}, rooms...)
}

func TestFinalRefusalEndsAtOnceAndCanBeRetriedWithTheSameKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		var mended atomic.Bool
		r := receive(t, func(int, hit) int {
			if mended.Load() {
				return 204
			}
			return 410
		})
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		s.fire("a1")
		s.pump()
		d, attempts := s.only()
		if d.State != Failed || len(attempts) != 1 || attempts[0].Outcome != OutcomeRefused || len(s.entries("notify.failed")) != 1 {
			t.Fatalf("%+v %+v", d, attempts)
		}
		s.wait(time.Hour)
		s.pump()
		if len(r.seen()) != 1 {
			t.Fatal("tried again by itself")
		}
		mended.Store(true)
		if _, err := s.Retry(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		s.pump()
		d, _ = s.only()
		hits := r.seen()
		if d.State != Delivered || len(hits) != 2 || hits[0].key != hits[1].key {
			t.Fatalf("%+v %+v", d, hits)
		}
		if _, err := s.Retry(t.Context(), d.ID); err == nil {
			t.Error("a delivered message can be sent again")
		}
	}, rooms...)
}

func TestRetryAfterIsHonouredUpToAnHour(t *testing.T) {
	for header, want := range map[string]time.Duration{"600": 10 * time.Minute, "86400": time.Hour, "0": 0} {
		conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
		r := receive(t, always(429))
		r.header.Set("Retry-After", header)
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		s.fire("a1")
		s.pump()
		d, _ := s.only()
		if pause := d.NextAt.Sub(began); pause < want || pause > want+2*time.Second {
			t.Errorf("Retry-After %s: pause %v", header, pause)
		}
	}
}

func TestDeliveryIsGivenUpAfterThreeDaysAndNotBefore(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	r := receive(t, always(500))
	s := open(t, conn, nil)
	s.channel("hook", hook(r.URL))
	s.fire("a1")
	next := func() Delivery {
		s.pump()
		d, _ := s.only()
		return d
	}
	for range 30 {
		d := next()
		if pause := d.NextAt.Sub(s.time()); d.State != Pending || pause > 5*time.Minute || pause <= 0 {
			t.Fatalf("%s, next after %v", d.State, pause)
		}
		s.wait(d.NextAt.Sub(s.time()))
	}
	s.wait(began.Add(keepTrying - time.Minute).Sub(s.time()))
	if d := next(); d.State != Pending {
		t.Fatalf("%s before three days have passed", d.State)
	}
	s.wait(6 * time.Minute)
	s.pump()
	d, attempts := s.only()
	if d.State != Failed || len(attempts) != len(r.seen()) {
		t.Fatalf("%s after %v, %d attempts, %d sends", d.State, d.EndedAt.Sub(began), len(attempts), len(r.seen()))
	}
	if len(s.entries("notify.failed")) != 1 {
		t.Error("not in the journal")
	}
}

// A server that dies after the receiver took a message over and before that was
// recorded sends it once more, with the same key, and not before its claim ends.
func TestResolvedWaitsForFiredAndOtherAlertsDoNotWaitForEver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		r := receive(t, func(_ int, h hit) int { // one message that this receiver cannot digest
			if strings.Contains(h.body, KindAlertFired) && strings.Contains(h.body, `"correlationid":"a1"`) {
				return 500
			}
			return 200
		})
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		s.fire("a1")
		s.wait(time.Second)
		s.resolve("a1", began)
		s.wait(time.Second)
		s.fire("a2")
		s.pump()
		state := func(kind, thread string) State {
			for _, d := range s.deliveries(Filter{}) {
				if d.Message.Kind == kind && d.Message.Thread == thread {
					return d.State
				}
			}
			return ""
		}
		if state(KindAlertFired, "a2") != Pending {
			t.Error("the second alert overtook the first at once")
		}
		for range 10 {
			s.wait(5 * time.Minute)
			s.pump()
		}
		if state(KindAlertFired, "a2") != Delivered || state(KindAlertResolved, "a1") != Pending || state(KindAlertFired, "a1") != Pending {
			t.Errorf("fired a1 %s, resolved a1 %s, fired a2 %s", state(KindAlertFired, "a1"), state(KindAlertResolved, "a1"), state(KindAlertFired, "a2"))
		}
		s.wait(keepTrying)
		s.pump()
		s.wait(5 * time.Minute)
		s.pump()
		if state(KindAlertFired, "a1") != Failed || state(KindAlertResolved, "a1") != Delivered {
			t.Errorf("after three days: fired %s, resolved %s", state(KindAlertFired, "a1"), state(KindAlertResolved, "a1"))
		}
	}, rooms...)
}

func TestAlertThatNobodyHearsIsOnRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn, nil)
		s.channel("other", Spec{Webhook: &WebhookSpec{URL: "https://receiver.example"}, Match: &Match{Teams: []string{"search"}}})
		s.fire("a1")
		s.resolve("a1", began)
		d, attempts := s.only()
		if d.State != Nobody || d.Channel != "" || len(attempts) != 0 || len(s.entries("notify.nobody")) != 1 || !strings.Contains(s.log.String(), "nobody") {
			t.Fatalf("%+v", d)
		}
		if _, err := s.Retry(t.Context(), d.ID); err == nil {
			t.Error("retried without a channel")
		}
	}, rooms...)
}

func TestPolicyThatNamesAChannelThatIsNotThereIsOnRecord(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	r := receive(t, always(200))
	s := open(t, conn, nil)
	s.channel("named", Spec{Webhook: &WebhookSpec{URL: secret.Secret(r.URL)}, Match: &Match{OnlyNamed: true}})
	a := alert("a1")
	a.Targets = []string{"named", "gone", "gone"}
	s.append(KindAlertFired, a)
	s.pump()
	if got := s.deliveries(Filter{Channel: "named"}); len(got) != 1 || got[0].State != Delivered {
		t.Errorf("named: %+v", got)
	}
	if got := s.deliveries(Filter{Channel: "gone"}); len(got) != 1 || got[0].State != Nobody || got[0].LastError.JA == "" {
		t.Errorf("gone: %+v", got)
	}
}

func TestDeliveryLivesAndDiesWithItsEntry(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn, nil)
		s.channel("hook", hook("https://receiver.example"))
		err := s.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			e, err := s.journal.Append(ctx, tx, journal.Draft{Kind: KindAlertFired, Subject: "slo:x", Data: alert("a1")})
			if err != nil {
				return err
			}
			if err := s.OnEntry(ctx, tx, e); err != nil { // heard twice is told once
				return err
			}
			var n int
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM notify_deliveries").Scan(&n); err != nil || n != 1 {
				t.Errorf("%d deliveries, err %v", n, err)
			}
			return io.ErrUnexpectedEOF
		})
		if err == nil || len(s.deliveries(Filter{})) != 0 {
			t.Fatalf("err %v, %d deliveries", err, len(s.deliveries(Filter{})))
		}
		s.fire("a1")
		if len(s.deliveries(Filter{})) != 1 {
			t.Fatal("the good entry made no delivery")
		}
	}, rooms...)
}

func TestRemovedChannelFailsWhatWaits(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn, nil)
	s.channel("hook", hook("https://receiver.example"))
	s.fire("a1")
	if err := conn.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { return dropChannel(ctx, tx, "hook") }); err != nil {
		t.Fatal(err)
	}
	s.pump()
	if d, _ := s.only(); d.State != Failed || d.LastError.JA == "" || len(s.entries("notify.failed")) != 1 {
		t.Fatalf("%+v", d)
	}
}

func TestMalformedAlertStillReachesSomebody(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	r := receive(t, always(200))
	s := open(t, conn, nil)
	s.channel("hook", hook(r.URL))
	err := conn.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: KindAlertFired, Subject: "slo:x", Data: json.RawMessage(`{"slo":7}`)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.pump()
	if d, _ := s.only(); d.State != Delivered || d.Message.Severity != "page" || d.Message.Title.JA == "" {
		t.Fatalf("%+v", d)
	}
}

func TestTestOfAChannelTellsTheOutcome(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		var status atomic.Int64
		status.Store(200)
		r := receive(t, func(int, hit) int { return int(status.Load()) })
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		got, err := s.Test(t.Context(), "hook")
		if err != nil || len(got) != 1 || got[0].Delivery.State != Delivered || got[0].Attempt.Code != 200 {
			t.Fatalf("%+v %v", got, err)
		}
		status.Store(503)
		got, err = s.Test(t.Context(), "hook")
		if err != nil || got[0].Delivery.State != Failed || got[0].Attempt.Code != 503 || got[0].Attempt.Error.JA == "" {
			t.Fatalf("%+v %v", got, err)
		}
		s.wait(time.Hour)
		s.pump()
		if len(r.seen()) != 2 || len(s.entries("notify.channel_tested")) != 2 {
			t.Errorf("%d sends, %d entries", len(r.seen()), len(s.entries("notify.channel_tested")))
		}
		if _, err := s.Test(t.Context(), "nowhere"); err == nil {
			t.Error("a channel that is not there was tested")
		}
	}, rooms...)
}

func TestSecretsAreWrittenNowhere(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	r := receive(t, always(500))
	s := open(t, conn, nil)
	s.channel("hook", Spec{Webhook: &WebhookSpec{URL: secret.Secret(r.URL + "/SECRET?token=SECRET"), Secret: "SECRET"}})
	s.channel("gone", Spec{Slack: &SlackSpec{URL: "http://127.0.0.1:1/services/SECRET"}})
	s.channel("file", Spec{Slack: &SlackSpec{URL: "${file:/no/such/file}"}})
	s.fire("a1")
	for range 4 {
		s.pump()
		s.wait(10 * time.Minute)
	}
	var seen strings.Builder
	seen.WriteString(s.log.String())
	for _, e := range s.entries("*") {
		seen.Write(e.Data)
	}
	for _, d := range s.deliveries(Filter{}) {
		detail, attempts, _, err := s.Delivery(t.Context(), d.ID)
		if err != nil {
			t.Fatal(err)
		}
		add := func(v any) {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			seen.Write(b)
		}
		add(detail)
		add(attempts)
		add(s.standing(d.Channel).info())
	}
	if strings.Contains(seen.String(), "SECRET") {
		t.Errorf("%s", seen.String())
	}
	if !strings.Contains(seen.String(), "attempt failed") {
		t.Error("nothing was logged")
	}
}

package notify

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// N5: a limit delays and bundles with the list of ids, and drops nothing.
func TestLimitBundlesWhatWaitsAndDropsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		r := receive(t, always(200))
		s := open(t, conn, nil)
		s.channel("hook", Spec{Webhook: &WebhookSpec{URL: secret.Secret(r.URL)}, AtMost: &Limit{Messages: 3, Per: "10m"}})
		say := func(n int) {
			for i := range n {
				a := alert(fmt.Sprintf("a%d-%d", s.time().Unix(), i))
				a.SLO = a.ID
				s.append(KindAlertFired, a)
			}
		}
		say(2)
		s.pump()
		if n := len(r.seen()); n != 2 {
			t.Fatalf("%d sends within the limit", n)
		}
		s.wait(time.Minute)
		say(5)
		s.pump()
		if n := len(r.seen()); n != 3 {
			t.Fatalf("%d sends, want the third to carry all five", n)
		}
		if last := r.seen()[2].body; strings.Count(last, `"delivery":`) != 5 || !strings.Contains(last, "5 messages") {
			t.Errorf("%s", last)
		}
		if n := len(s.deliveries(Filter{States: []string{"delivered"}})); n != 7 {
			t.Errorf("%d delivered of 7", n)
		}
		s.wait(time.Minute)
		say(40)
		s.pump()
		if n := len(r.seen()); n != 3 {
			t.Fatalf("%d sends above the limit", n)
		}
		s.wait(10 * time.Minute)
		s.pump()
		if n := len(s.deliveries(Filter{States: []string{"delivered"}})); n != 47 || len(r.seen()) != 4 {
			t.Errorf("%d delivered of 47 in %d sends", n, len(r.seen()))
		}
		if n := len(s.entries("notify.delivered")); n != 47 {
			t.Errorf("%d entries", n)
		}
	}, rooms...)
}

func TestBundleThatFailsIsTriedAgainWhole(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	r := receive(t, func(n int, _ hit) int {
		if n == 1 {
			return 503
		}
		return 200
	})
	s := open(t, conn, nil)
	s.channel("hook", Spec{Webhook: &WebhookSpec{URL: secret.Secret(r.URL)}, AtMost: &Limit{Messages: 1, Per: "1h"}})
	for i := range 3 {
		a := alert(fmt.Sprint("a", i))
		a.SLO = a.ID
		s.append(KindAlertFired, a)
	}
	s.pump()
	s.wait(5 * time.Second)
	s.pump()
	hits := r.seen()
	if len(hits) != 2 || hits[0] != hits[1] || len(s.deliveries(Filter{States: []string{"delivered"}})) != 3 {
		t.Errorf("%d sends, %+v", len(hits), s.deliveries(Filter{}))
	}
}

func TestWrongLimitsAreNamed(t *testing.T) {
	for _, l := range []Limit{{0, "1m"}, {5, "often"}, {5, "48h"}, {-1, "1m"}} {
		s := hook("https://receiver.example")
		s.AtMost = &l
		if len(s.Problems()) == 0 {
			t.Errorf("%+v is accepted", l)
		}
	}
}

// What another room sends over a way of its own leaves with its transaction, has
// the key that the room gave it, and goes once.
func TestMessageOverAWayOfAnotherRoomLeavesWithItsTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		r := receive(t, always(200))
		s := open(t, conn, nil)
		c := Channel{Name: "contact:1", Spec: hook(r.URL).typed()}
		s.Ways("contact", func(context.Context, Reader, string) (Channel, error) { return c, nil })
		s.start()
		waitUntil(t, s.courier.runs)
		for range 2 {
			err := conn.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
				_, err := s.Send(ctx, tx, c, Message{Key: "k1", Kind: "page.sent", Subject: "page:1", Thread: "page:1", Time: s.time(), Title: text.Say("a", "あ")})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		waitUntil(t, func() bool { return len(s.deliveries(Filter{States: []string{"delivered"}})) == 1 })
		if hits := r.seen(); len(hits) != 1 || hits[0].key != "k1" {
			t.Errorf("%+v", hits)
		}
	}, rooms...)
}

func TestMessageOverAWayThatIsGoneFails(t *testing.T) {
	conn := dbtest.Open(t, dbtest.SQLite(t), rooms...)
	s := open(t, conn, nil)
	s.Ways("contact", func(context.Context, Reader, string) (Channel, error) { return Channel{}, errNoChannel("contact:1") })
	err := conn.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.Send(ctx, tx, Channel{Name: "contact:1", Spec: hook("https://r.example")}, Message{Key: "k", Kind: "page.sent", Subject: "page:1", Time: s.time()})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.pump()
	if d, _ := s.only(); d.State != Failed || len(s.entries("notify.failed")) != 1 {
		t.Errorf("%+v", d)
	}
}

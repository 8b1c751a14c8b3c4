package notify

import (
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/notify/db"
	"github.com/teiten/teiten/notify/notice"
)

func TestTicketsWaitForWorkingHoursAndPagesNever(t *testing.T) {
	office := Channel{Spec: Spec{TimeZone: "Asia/Tokyo", TicketHours: []string{"Mon-Fri 09:00-18:00"}}}
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name     string
		channel  Channel
		severity notice.Severity
		now      string
		want     string
	}{
		{"on a Sunday until Monday", office, notice.Ticket, "2026-11-22T19:00:00+09:00", "2026-11-23T09:00:00+09:00"},
		{"before work begins", office, notice.Ticket, "2026-11-24T08:59:59+09:00", "2026-11-24T09:00:00+09:00"},
		{"at work", office, notice.Ticket, "2026-11-24T09:00:00+09:00", "2026-11-24T09:00:00+09:00"},
		{"when work ends", office, notice.Ticket, "2026-11-27T18:00:00+09:00", "2026-11-30T09:00:00+09:00"},
		{"a page at night", office, notice.Page, "2026-11-22T03:00:00+09:00", "2026-11-22T03:00:00+09:00"},
		{"no hours are set", Channel{}, notice.Ticket, "2026-11-22T03:00:00+09:00", "2026-11-22T03:00:00+09:00"},
	} {
		if got := c.channel.heldUntil(c.severity, at(c.now)); !got.Equal(at(c.want)) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestAHeldTicketBecomesADeliveryOnceWhenWorkBegins(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn, nil)
		spec := hook("http://127.0.0.1:1/x")
		spec.TicketHours = []string{"Mon-Fri 09:00-18:00"}
		s.channel("office", spec)
		deliveries := func() int64 {
			rows, err := db.New(conn.Read()).CountStates(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var n int64
			for _, r := range rows {
				n += r.Deliveries
			}
			return n
		}
		ticket := alert("a1")
		ticket.Severity = notice.Ticket
		e := s.append(KindAlertFired, ticket)
		if n := deliveries(); n != 0 {
			t.Fatalf("on a Sunday the ticket has %d deliveries", n)
		}
		s.append(KindAlertFired, alert("a2"))
		if n := deliveries(); n != 1 {
			t.Fatalf("the page has %d deliveries", n)
		}
		m, _ := writeAlert(e, s.site)
		m.Entry, m.Kind, m.Subject = e.ID, e.Kind, string(e.Subject)
		for range 2 {
			if err := s.release(t.Context(), release{Channel: "office", Message: m}); err != nil {
				t.Fatal(err)
			}
		}
		if n := deliveries(); n != 2 {
			t.Errorf("released twice, the ticket and the page have %d deliveries", n)
		}
	}, rooms...)
}

func TestAChannelHearsOfOneCauseOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := open(t, conn, nil)
		s.channel("team", hook("http://127.0.0.1:1/x"))
		buyers := hook("http://127.0.0.1:1/y")
		buyers.Match = &Match{Services: []string{"shop"}}
		s.channel("buyers", buyers)
		first, joined := alert("a1"), alert("a2")
		first.Group, joined.Group = "a1", "a1"
		joined.SLO, joined.Service, joined.Joined, joined.Together = "buying", "shop", true, []string{first.SLO}
		told := func(channel string) int { return len(s.deliveries(Filter{Channel: channel})) }

		s.append(KindAlertFired, first)
		s.append(KindAlertFired, joined)
		if told("team") != 1 || told("buyers") != 1 {
			t.Fatalf("team heard %d messages, want the first; buyers %d, want the one of their service", told("team"), told("buyers"))
		}
		joined.StillOpen = []string{first.SLO}
		s.append(KindAlertResolved, joined)
		if told("team") != 1 || told("buyers") != 2 {
			t.Errorf("the end of one: team heard %d, want no more; buyers %d, want the end", told("team"), told("buyers"))
		}
		s.append(KindAlertResolved, first)
		if told("team") != 2 || len(s.deliveries(Filter{Channel: ""})) != 4 {
			t.Errorf("the end: team heard %d messages, want 2", told("team"))
		}
	}, rooms...)
}

package notify

import (
	"net/http"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
)

const testRetention = 30 * 24 * time.Hour

// keeps is a stage whose deliveries are kept for a month, with a channel "hook".
func keeps(t *testing.T, conn *database.DB, answer func(int, hit) int) *stage {
	t.Helper()
	s := open(t, conn, func(d *Deps) { d.Retention = testRetention })
	s.channel("hook", hook(receive(t, answer).URL))
	return s
}

func (s *stage) forget() {
	s.t.Helper()
	if err := s.Forget(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func TestDeliveriesAreForgottenAndTheJournalIsNot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		s := keeps(t, conn, always(http.StatusOK))
		s.fire("old")
		s.pump()
		s.wait(testRetention)
		s.forget()
		if n := len(s.deliveries(Filter{})); n != 1 {
			t.Fatalf("after a month less an instant there are %d deliveries", n)
		}
		s.wait(time.Second)
		s.forget()
		if n := len(s.deliveries(Filter{})); n != 0 {
			t.Errorf("after more than a month there are %d deliveries", n)
		}
		var attempts int
		if err := conn.Read().QueryRowContext(t.Context(), "SELECT count(*) FROM notify_attempts").Scan(&attempts); err != nil || attempts != 0 {
			t.Errorf("%d attempts are left: %v", attempts, err)
		}
		if n := len(s.entries("notify.delivered")); n != 1 {
			t.Errorf("the journal has %d entries of it", n)
		}
	}, rooms...)
}

func TestWhatIsStillTriedIsNotForgotten(t *testing.T) {
	s := keeps(t, dbtest.Open(t, dbtest.SQLite(t), rooms...), always(http.StatusServiceUnavailable))
	s.fire("a1")
	s.pump()
	s.wait(2 * testRetention) // it was given up in the meantime, but nobody has said so yet
	s.forget()
	if d, _ := s.only(); d.State != Pending {
		t.Errorf("it is %s", d.State)
	}
}

func TestAThreadThatWasHeardOfSinceIsKeptWhole(t *testing.T) {
	s := keeps(t, dbtest.Open(t, dbtest.SQLite(t), rooms...), always(http.StatusOK))
	e := s.fire("a1")
	s.pump()
	s.wait(testRetention + time.Hour)
	s.resolve("a1", e.Time)
	s.pump()
	s.forget()
	if n := len(s.deliveries(Filter{})); n != 2 {
		t.Errorf("%d deliveries are left of an alert that ended now", n)
	}
	s.wait(testRetention + time.Hour)
	s.forget()
	if n := len(s.deliveries(Filter{})); n != 0 {
		t.Errorf("%d deliveries are left of an alert that ended long ago", n)
	}
}

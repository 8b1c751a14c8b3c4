package notify

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
)

func TestCrashBetweenSendAndRecordCostsOneMoreSendOfTheSameKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		r := receive(t, always(200))
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		s.fire("a1")
		begun := s.beginOn([]string{"hook"})
		if sent := s.carry(t.Context(), begun[0]); sent.err != nil { // and then the process is gone
			t.Fatal(sent.err)
		}
		s.wait(claimTime - time.Second)
		s.pump()
		if len(r.seen()) != 1 {
			t.Fatal("sent again while the attempt may still last")
		}
		s.wait(2 * time.Second)
		s.pump()
		d, attempts := s.only()
		hits := r.seen()
		if d.State != Delivered || len(hits) != 2 || hits[0] != hits[1] {
			t.Fatalf("%+v, sends %+v", d, hits)
		}
		if len(attempts) != 2 || attempts[0].Outcome != OutcomeUnknown || attempts[1].Outcome != OutcomeDelivered {
			t.Errorf("%+v", attempts)
		}
	}, rooms...)
}

func TestStopDuringASendIsRecordedAndTriedAgainAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		ctx, stop := context.WithCancel(t.Context())
		release := make(chan struct{})
		r := receive(t, func(n int, _ hit) int {
			if n == 1 {
				stop()
				<-release
			}
			return 200
		})
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		s.fire("a1")
		sent := s.carry(ctx, s.beginOn([]string{"hook"})[0])
		close(release)
		if _, err := s.turn(t.Context(), nil, []tried{sent}); err != nil {
			t.Fatal(err)
		}
		d, attempts := s.only()
		if d.State != Pending || d.NextAt.After(s.time()) || attempts[0].Outcome != OutcomeRetry {
			t.Fatalf("%+v %+v", d, attempts)
		}
		if st := s.standing("hook"); !st.FailingSince.IsZero() {
			t.Errorf("the receiver is blamed: %+v", st)
		}
		s.pump()
		if d, _ := s.only(); d.State != Delivered {
			t.Fatalf("%+v", d)
		}
	}, rooms...)
}

func TestManyWorkersSendOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, conn *database.DB) {
		r := receive(t, always(200))
		s := open(t, conn, nil)
		s.channel("hook", hook(r.URL))
		s.fire("a1")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() { s.tryOn([]string{"hook"}) })
		}
		wg.Wait()
		if n := len(r.seen()); n != 1 {
			t.Fatalf("%d sends", n)
		}
	}, rooms...)
}

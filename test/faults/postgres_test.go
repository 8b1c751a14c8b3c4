package faults_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/test/pgtest"
	"github.com/teiten/teiten/test/program"
)

func TestDatabaseThatCrashesUnderLoadLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs the built program")
	}
	chance := random(t)
	pg, err := pgtest.StartDurable(t.Context())
	if err != nil {
		t.Skipf("needs PostgreSQL: %v", err)
	}
	t.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	address, _, err := pg.Create(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	source := startSource(t)
	hooks := startReceiver(t, func() bool { return false })
	s := newServer(t, t.TempDir(), "TEITEN_DATABASE="+address)
	start(t, s)
	const objectives = 6
	docs := source.dataSource() + hooks.channel("hooks") + promises(objectives, "3d", true)
	if _, err := s.Apply(t.Context(), "base", docs); err != nil {
		t.Fatal(err)
	}

	var mu sync.Mutex
	acknowledged, asked, refused := map[int]bool{}, 0, 0
	stop, loaded := make(chan struct{}), sync.WaitGroup{}
	for range 2 {
		loaded.Go(func() {
			for pause := time.Duration(0); ; {
				select {
				case <-stop:
					return
				case <-time.After(pause):
				}
				mu.Lock()
				n := asked
				asked++
				mu.Unlock()
				_, err := s.Apply(t.Context(), set(n), documents(n))
				pause = 20 * time.Millisecond
				mu.Lock()
				if err == nil {
					acknowledged[n] = true
				} else if problem := checkAway(err); problem != "" {
					t.Error(problem)
				} else {
					refused++
					pause = 200 * time.Millisecond
				}
				mu.Unlock()
			}
		})
	}
	for range rounds(t, 2) {
		time.Sleep(500*time.Millisecond + time.Duration(chance.Int64N(int64(time.Second))))
		if err := pg.Crash(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(chance.Int64N(int64(2 * time.Second))))
		if err := s.Get(t.Context(), "/readyz", nil); err == nil {
			t.Error("the server says that it is ready without its database")
		}
		if err := s.Get(t.Context(), "/healthz", nil); err != nil {
			t.Errorf("the server does not live on without its database: %v", err)
		}
		if err := pg.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, 30*time.Second, "the server is ready again", func() (bool, error) {
			err := s.Get(t.Context(), "/readyz", nil)
			return err == nil, err
		})
	}
	close(stop)
	loaded.Wait()
	if refused == 0 || len(acknowledged) == 0 {
		t.Errorf("%d applies were refused and %d acknowledged: the test showed nothing", refused, len(acknowledged))
	}
	t.Logf("%d applies acknowledged, %d refused", len(acknowledged), refused)
	checkApplied(t, s, acknowledged, asked)
	until(t, time.Minute, "the past is read and every alert delivered", func() (bool, error) {
		all, err := statusOf(t.Context(), address)
		for _, o := range all {
			if o.Watermark == 0 || o.Missing > 0 {
				return false, err
			}
		}
		return err == nil && hooks.keys() >= objectives, err
	})
	verify(t, s, address)
	checkLedger(t, address, 24*time.Hour)
}

// checkAway says what is wrong with the answer of a server whose database is
// away.
func checkAway(err error) string {
	var p *program.AnswerError
	switch {
	case !errors.As(err, &p):
		return fmt.Sprintf("the server is gone: %v", err)
	case p.Status != 503 || p.RetryAfter == "":
		return fmt.Sprintf("want 503 with Retry-After: %v", err)
	}
	return ""
}

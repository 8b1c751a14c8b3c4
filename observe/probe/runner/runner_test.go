package runner_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/runner"
)

func env() check.Env {
	return check.Env{Reach: check.NewReach([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})}
}

// collect gathers what a runner delivers.
type collect struct {
	mu  sync.Mutex
	all []runner.Result
}

func (c *collect) deliver(_ context.Context, r runner.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, r)
}

// unmakable is a check that ends at once, without a network.
var unmakable = check.Check{HTTP: &check.HTTP{Steps: []check.HTTPStep{{URL: "http://{{missing}}/"}}}}

func TestEachCheckIsMadeOnceInEachInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got collect
		r := &runner.Runner{Location: "tokyo", Deliver: got.deliver}
		var jobs []runner.Job
		for i := range 20 {
			jobs = append(jobs, runner.Job{Probe: fmt.Sprint("p", i), Check: unmakable, Interval: check.Duration(time.Minute), Timeout: check.Duration(time.Second)})
		}
		r.Set(jobs)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		for range 7 {
			time.Sleep(10 * time.Minute / 7)
			r.Set(jobs) // as a refresh does
		}
		cancel()
		<-done
		times := map[string][]time.Time{}
		offsets := map[time.Duration]bool{}
		for _, x := range got.all {
			times[x.Probe] = append(times[x.Probe], x.Due)
			offsets[x.Due.Sub(x.Due.Truncate(time.Minute))] = true
		}
		for p, due := range times {
			if len(due) != 10 {
				t.Errorf("%s was checked %d times in 10 minutes", p, len(due))
			}
			for i := 1; i < len(due); i++ {
				if due[i].Sub(due[i-1]) != time.Minute {
					t.Errorf("%s: %s after the one before", p, due[i].Sub(due[i-1]))
				}
			}
		}
		if len(times) != 20 || len(offsets) < 15 {
			t.Errorf("%d probes at %d different moments", len(times), len(offsets))
		}
	})
}

func TestWhatWasMissedIsNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got collect
		now := time.Now()
		var asleep atomic.Int64
		e := check.Env{Now: func() time.Time { return time.Now().Add(time.Duration(asleep.Load())) }}
		r := &runner.Runner{Location: "tokyo", Env: e, Deliver: got.deliver}
		r.Set([]runner.Job{{Probe: "p", Check: unmakable, Interval: check.Duration(time.Minute), Timeout: check.Duration(time.Second)}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(2 * time.Minute)
		before := len(got.all)
		asleep.Store(int64(time.Hour))
		time.Sleep(2 * time.Minute)
		cancel()
		<-done
		if n := len(got.all) - before; n > 3 {
			t.Errorf("%d checks in the two minutes after an hour of sleep (began %s)", n, now)
		}
	})
}

func TestTheNextMomentLiesWithinOneInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := time.Duration(rapid.IntRange(10, 3600).Draw(t, "seconds")) * time.Second
		after := time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "after"))
		next := runner.Next("tokyo", rapid.String().Draw(t, "probe"), interval, after)
		if !next.After(after) || next.Sub(after) > interval || next.Nanosecond()%1000 != 0 {
			t.Fatalf("%s after %s", next, after)
		}
	})
}

func TestARetryKeepsTheFirstFailure(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		url      string
		retries  int
		outcome  check.Outcome
		attempts int
		first    bool
	}{
		"recovers":  {server.URL, 2, check.Success, 2, true},
		"stays":     {"http://" + closedPort(t), 1, check.Failure, 2, true},
		"no retry":  {"http://" + closedPort(t), 0, check.Failure, 1, false},
		"no reason": {"http://{{missing}}/", 3, check.Unknown, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			results := make(chan runner.Result, 1)
			r := &runner.Runner{Location: "tokyo", Env: env(), Deliver: func(_ context.Context, x runner.Result) {
				select {
				case results <- x:
				default:
				}
			}}
			r.Set([]runner.Job{{
				Probe: "p", Interval: check.Duration(1500 * time.Millisecond), Timeout: check.Duration(5 * time.Second), Retries: c.retries,
				Check: check.Check{HTTP: &check.HTTP{Steps: []check.HTTPStep{{URL: c.url}}}},
			}})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- r.Run(ctx) }()
			x := <-results
			cancel()
			<-done
			if x.Last.Outcome != c.outcome || x.Attempts != c.attempts || (x.First != nil) != c.first {
				t.Errorf("%s after %d attempts, first %+v", x.Last.Outcome, x.Attempts, x.First)
			}
			if x.First != nil && (x.First.Outcome != check.Failure || x.First.Reason.IsZero()) {
				t.Errorf("first: %+v", x.First)
			}
		})
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // closed at once: only its free port matters
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

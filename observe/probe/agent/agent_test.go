package agent

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/probe"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/runner"
)

// server takes results, unless it is away.
type server struct {
	mu    sync.Mutex
	err   error
	deaf  bool // takes results, and its answer is lost
	taken map[time.Time]int
}

func (s *server) say(err error, deaf bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.deaf = err, deaf
}

func (s *server) Assignments(context.Context, string) ([]runner.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []runner.Job{{
		Probe: "front", Interval: check.Duration(time.Minute), Timeout: check.Duration(time.Second),
		Check: check.Check{HTTP: &check.HTTP{Steps: []check.HTTPStep{{URL: "http://{{missing}}/"}}}},
	}}, s.err
}

func (s *server) Deliver(_ context.Context, _ string, results []runner.Result) (probe.Taken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil && !s.deaf {
		return probe.Taken{}, s.err
	}
	for _, r := range results {
		s.taken[r.Due]++
	}
	return probe.Taken{Accepted: len(results)}, s.err
}

var errAway = fault.New(fault.Unavailable, "test.away", text.Say("away", "応答なし"))

// minutes are the moments that arrived, and fails where one is missing between.
func (s *server) minutes(t *testing.T) int {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	due := slices.SortedFunc(maps.Keys(s.taken), time.Time.Compare)
	for i := 1; i < len(due); i++ {
		if due[i].Sub(due[i-1]) != time.Minute {
			t.Errorf("between %s and %s nothing arrived", due[i-1], due[i])
		}
	}
	return len(due)
}

// run runs an agent for a time and stops it.
func run(t *testing.T, s *server, folder string, during func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- (&Agent{Location: "tokyo", Server: s, Folder: folder}).Run(ctx) }()
	during()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWhileTheServerIsAwayResultsWaitAndArriveAfterwards(t *testing.T) {
	for _, folder := range []string{"", t.TempDir()} {
		synctest.Test(t, func(t *testing.T) {
			s := &server{taken: map[time.Time]int{}}
			run(t, s, folder, func() {
				time.Sleep(5 * time.Minute)
				s.say(errAway, false)
				time.Sleep(20 * time.Minute)
				if n := s.minutes(t); n > 6 {
					t.Errorf("%d arrived while it was away", n)
				}
				s.say(nil, false)
				time.Sleep(5 * time.Minute)
			})
			if n := s.minutes(t); n < 29 || n > 30 {
				t.Errorf("%d of 30 arrived", n)
			}
		})
	}
}

func TestADeliveryWhoseAnswerWasLostIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{taken: map[time.Time]int{}}
		run(t, s, "", func() {
			time.Sleep(90 * time.Second)
			s.say(errAway, true)
			time.Sleep(5 * time.Minute)
			s.say(nil, false)
			time.Sleep(2 * time.Minute)
		})
		again := 0
		for _, n := range s.taken {
			if n > 1 {
				again++
			}
		}
		if s.minutes(t) < 7 || again == 0 {
			t.Errorf("%v", s.taken)
		}
	})
}

func TestResultsThatWaitOutliveTheProgram(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &server{taken: map[time.Time]int{}}
		run(t, s, folder, func() {
			time.Sleep(2 * time.Minute)
			s.say(errAway, false)
			time.Sleep(5 * time.Minute)
		})
		// A line that the machine did not finish writing.
		f, err := os.OpenFile(filepath.Join(folder, file), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(f, `{"probe":"fro`)
		f.Close()
		before := s.minutes(t)
		s.say(nil, false)
		run(t, s, folder, func() { time.Sleep(time.Second) })
		if got := s.minutes(t) - before; got < 4 || got > 6 {
			t.Errorf("%d results of the former run arrived", got)
		}
		left, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %q %v", left, err)
		}
	})
}

func TestATokenThatIsNotAcceptedEndsTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{taken: map[time.Time]int{}, err: fault.New(fault.Denied, "test.denied", text.Say("no", "不可"))}
		err := (&Agent{Location: "tokyo", Server: s}).Run(t.Context())
		if fault.KindOf(err) != fault.Denied {
			t.Error(err)
		}
	})
}

func TestWithoutRoomTheOldestIsGivenUpAndCounted(t *testing.T) {
	w := &waiting{all: make([]runner.Result, mostWaiting)}
	for i := range 3 {
		if err := w.put(runner.Result{Probe: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff([]int{mostWaiting, 3, 0}, []int{w.len(), w.takeLost(), w.takeLost()}); d != "" {
		t.Error(d)
	}
}

func FuzzWhatWaitsIsReadWhateverTheFileHolds(f *testing.F) {
	f.Add([]byte("{\"probe\":\"a\",\"due\":\"2026-01-01T00:00:00Z\"}\n{\"probe\":"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range readResults(data) {
			if r.Probe == "" {
				t.Error("a result of no probe")
			}
		}
	})
}

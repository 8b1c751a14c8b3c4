// Package runner makes checks when they are due, in one place: in the server or
// in an agent.
//
// Checks are spread over their interval by their name, so that they neither come
// all at once nor move when another is added; a check that was due while nothing
// ran is not made up for, because nobody can look into the past. What becomes of
// a result is the caller's business.
package runner

import (
	"context"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"github.com/teiten/teiten/observe/probe/check"
)

// Job is a check and when it is made.
type Job struct {
	Probe    string         `json:"probe"`
	Revision string         `json:"revision" doc:"Changes with the settings."`
	Check    check.Check    `json:"check"`
	Interval check.Duration `json:"interval"`
	Timeout  check.Duration `json:"timeout"`
	Retries  int            `json:"retries"`
}

// Result is what became of one check. Due, to the microsecond, tells it from all
// others of the probe at the location.
type Result struct {
	Probe    string         `json:"probe"`
	Due      time.Time      `json:"due" doc:"When the check was to begin."`
	At       time.Time      `json:"at" doc:"When it began."`
	Attempts int            `json:"attempts"`
	Last     check.Attempt  `json:"last" doc:"The attempt that decided."`
	First    *check.Attempt `json:"first,omitempty" doc:"The first attempt, where it failed and another followed."`
}

const (
	atOnce  = 64              // checks under way
	longest = 5 * time.Second // without a look at the clock, which may be set

	// RetryPause is how long after a failed check it is repeated.
	RetryPause = time.Second
)

// Runner makes the checks of one location. Deliver is called from several
// goroutines.
type Runner struct {
	Location string
	Env      check.Env
	Deliver  func(ctx context.Context, r Result)
	Log      *slog.Logger

	mu      sync.Mutex
	jobs    map[string]job
	changed chan struct{}
	once    sync.Once
}

// job is a check with the moment when it is due next.
type job struct {
	Job
	next time.Time
}

func (r *Runner) init() {
	r.once.Do(func() {
		r.changed = make(chan struct{}, 1)
		r.jobs = map[string]job{}
		if r.Env.Now == nil {
			r.Env.Now = time.Now
		}
		if r.Log == nil {
			r.Log = slog.New(slog.DiscardHandler)
		}
	})
}

// Set replaces the checks. One whose interval stays keeps its rhythm.
func (r *Runner) Set(jobs []Job) {
	r.init()
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Env.Now()
	set := make(map[string]job, len(jobs))
	for _, j := range jobs {
		was, ok := r.jobs[j.Probe]
		next := was.next
		if !ok || was.Interval != j.Interval {
			next = Next(r.Location, j.Probe, time.Duration(j.Interval), now)
		}
		set[j.Probe] = job{j, next}
	}
	r.jobs = set
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Next is the first moment after a time at which a probe is due at a location.
func Next(location, probe string, interval time.Duration, after time.Time) time.Time {
	h := fnv.New64a()
	h.Write([]byte(location + "\x00" + probe))
	offset := time.Duration(h.Sum64() % uint64(interval)).Truncate(time.Microsecond)
	next := after.Truncate(interval).Add(offset)
	for !next.After(after) {
		next = next.Add(interval)
	}
	return next
}

// Run makes checks until ctx ends, and waits for those under way.
func (r *Runner) Run(ctx context.Context) error {
	r.init()
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, atOnce)
	for {
		due, wait := r.due(r.Env.Now())
		for _, d := range due {
			running.Go(func() {
				select {
				case slots <- struct{}{}:
					defer func() { <-slots }()
					r.make(ctx, d)
				case <-ctx.Done():
				}
			})
		}
		t := time.NewTimer(min(wait, longest))
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-r.changed:
		case <-t.C:
		}
		t.Stop()
	}
}

// due takes the checks whose moment has come, and tells how long the next takes.
func (r *Runner) due(now time.Time) (due []job, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wait = longest
	for name, j := range r.jobs {
		interval := time.Duration(j.Interval)
		if j.next.Sub(now) > interval { // the clock was put back
			j.next = Next(r.Location, name, interval, now)
		}
		if !j.next.After(now) {
			// One that is long overdue, because the machine slept, was missed.
			if now.Sub(j.next) < interval {
				due = append(due, j)
			}
			j.next = Next(r.Location, name, interval, now)
		}
		r.jobs[name] = j
		wait = min(wait, j.next.Sub(now))
	}
	return due, max(wait, time.Millisecond)
}

// make runs one check, again where it fails, and hands over what became of it. A
// check that was cut off because the program ends is no result.
func (r *Runner) make(ctx context.Context, j job) {
	at := r.Env.Now()
	result := Result{Probe: j.Probe, Due: j.next.UTC(), At: at.UTC().Truncate(time.Microsecond)}
	for {
		one, cancel := context.WithTimeout(ctx, time.Duration(j.Timeout))
		last := check.Run(one, j.Check, r.Env)
		cancel()
		if ctx.Err() != nil {
			return
		}
		result.Attempts++
		if result.Attempts == 1 && last.Outcome == check.Failure {
			result.First = &last
		}
		result.Last = last
		if last.Outcome != check.Failure || result.Attempts > j.Retries || !pause(ctx, RetryPause) {
			break
		}
	}
	if result.Attempts == 1 {
		result.First = nil
	}
	if ctx.Err() == nil {
		r.Deliver(ctx, result)
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Package agent makes the checks of one location and delivers what it finds.
//
// An agent only calls out: it fetches its checks from a server and posts results
// to it. While the server is away it goes on checking and keeps the results, on
// disk where it has a folder, up to a bound; afterwards it delivers them, each
// with its own time. A delivery whose answer was lost is repeated: the server
// knows each result by its probe and its moment and counts it once.
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/probe"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/runner"
)

// Server is the server as the agent needs it: its public API.
type Server interface {
	// Assignments fetches the checks of a location.
	Assignments(ctx context.Context, location string) ([]runner.Job, error)
	// Deliver posts results, at most MostAtOnce.
	Deliver(ctx context.Context, location string, results []runner.Result) (probe.Taken, error)
}

// MostAtOnce is how many results one delivery holds.
const MostAtOnce = 200

const (
	fetchEvery   = 30 * time.Second
	deliverEvery = 5 * time.Second
	longestWait  = time.Minute // between attempts while the server is away
	lastDelivery = 10 * time.Second
)

// Agent is one location's agent.
type Agent struct {
	Location string
	Server   Server
	Env      check.Env
	Folder   string // where results wait; "" keeps them in memory
	Log      *slog.Logger

	wait *waiting
}

// Run checks and delivers until ctx ends. A token that is not accepted ends it:
// that does not mend itself.
func (a *Agent) Run(ctx context.Context) error {
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	var err error
	if a.wait, err = openWaiting(a.Folder); err != nil {
		return err
	}
	run, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	checks := &runner.Runner{Location: a.Location, Env: a.Env, Log: a.Log, Deliver: func(ctx context.Context, r runner.Result) {
		if err := a.wait.put(r); err != nil {
			a.Log.WarnContext(ctx, "a result could not be kept", "probe", r.Probe, "error", err)
		}
	}}
	var parts sync.WaitGroup
	parts.Go(func() { _ = checks.Run(run) }) // ends with run and no error
	parts.Go(func() {
		a.repeat(run, stop, fetchEvery, func(ctx context.Context) error { return a.fetch(ctx, checks) })
	})
	parts.Go(func() { a.repeat(run, stop, deliverEvery, a.deliver) })
	parts.Wait()
	if cause := context.Cause(run); !errors.Is(cause, context.Canceled) {
		return cause
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDelivery)
	defer cancel()
	if err := a.deliver(last); err != nil {
		a.Log.WarnContext(ctx, "results wait for the next start", "results", a.wait.len(), "error", err)
	}
	return a.wait.flush()
}

// repeat does something at intervals, less often while it fails.
func (a *Agent) repeat(ctx context.Context, stop context.CancelCauseFunc, every time.Duration, do func(context.Context) error) {
	failed := 0
	for {
		err := do(ctx)
		wait := every
		switch {
		case ctx.Err() != nil:
			return
		case fault.KindOf(err) == fault.Denied || fault.KindOf(err) == fault.Invalid:
			stop(err)
			return
		case err != nil:
			if failed++; failed == 1 {
				a.Log.WarnContext(ctx, "the server is away; checks go on", "error", err)
			}
			wait = min(every<<min(failed, 6), longestWait)
		case failed > 0:
			a.Log.InfoContext(ctx, "the server is back", "waiting", a.wait.len())
			failed = 0
		}
		t := time.NewTimer(wait - rand.N(wait/5))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (a *Agent) fetch(ctx context.Context, to *runner.Runner) error {
	jobs, err := a.Server.Assignments(ctx, a.Location)
	if err != nil {
		return err
	}
	to.Set(jobs)
	return nil
}

// deliver sends what waits, the oldest first.
func (a *Agent) deliver(ctx context.Context) error {
	for {
		batch := a.wait.oldest(MostAtOnce)
		if len(batch) == 0 {
			return a.wait.flush()
		}
		taken, err := a.Server.Deliver(ctx, a.Location, batch)
		if err != nil {
			return errors.Join(err, a.wait.flush())
		}
		for _, r := range taken.Refused {
			a.Log.WarnContext(ctx, "the server does not take a result", "probe", r.Probe, "due", r.Due, "reason", r.Reason.EN)
		}
		if lost := a.wait.takeLost(); lost > 0 {
			a.Log.WarnContext(ctx, "the server was away for too long: the oldest results were given up", "results", lost)
		}
		if err := a.wait.delivered(len(batch)); err != nil {
			return fmt.Errorf("forget what was delivered: %w", err)
		}
	}
}

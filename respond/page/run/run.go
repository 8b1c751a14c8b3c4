// Package run says what an escalation does next.
//
// It is pure: what the policy plans and what has happened so far go in, and the
// one thing that comes next goes out, with its time. It holds no clock and
// remembers nothing, so that a run that slept through a night, a restart or a
// wrong clock takes one step and waits again, and never makes up for the past.
package run

import (
	"slices"
	"time"

	"github.com/teiten/teiten/kit/recur"
)

// Plan is what an escalation policy plans for one matter.
type Plan struct {
	Steps  []Step
	Rounds int           // how often the steps are gone through, at least once
	Pause  time.Duration // after the last step of a round, before the next or the end
}

// Step is one rung of the ladder. After is how long it waits for an answer to the
// one before it.
type Step struct {
	After      time.Duration
	Severities []string    // the severities it is for; empty: all
	Hours      *recur.Week // the hours it is for; nil: always
}

// applies reports whether a step is for a matter of a severity at a time.
func (s Step) applies(severity string, at time.Time) bool {
	if len(s.Severities) > 0 && !slices.Contains(s.Severities, severity) {
		return false
	}
	if s.Hours == nil {
		return true
	}
	for open := range s.Hours.Between(at, at.Add(time.Second)) {
		return !open.From.After(at)
	}
	return false
}

// Facts are what has happened.
type Facts struct {
	Began    time.Time
	Severity string
	Stopped  bool // acknowledged, resolved, or handed on
	Fallen   bool // the fallback was paged
	// Taken is whether any step was, and Round, Step and At are the last one.
	Taken       bool
	Round, Step int
	At          time.Time
}

// Kind tells what comes next.
type Kind string

// What can come next.
const (
	Page     Kind = "page"     // a step is to be paged
	Fallback Kind = "fallback" // nobody answered, or nobody was there to be asked
	End      Kind = "end"      // nothing more
)

// Intent is what comes next, and when.
type Intent struct {
	Kind        Kind
	Round, Step int
	At          time.Time
}

// Next is what comes after the facts. A step whose severity or hours do not fit
// is passed over: who was not asked is not waited for, so that the first page is
// never late. A step is judged by the time at which it would come, and that is
// never earlier than now: of several that are overdue, one comes now and the
// others wait again.
func Next(now time.Time, p Plan, f Facts) Intent {
	if f.Stopped || f.Fallen {
		return Intent{Kind: End}
	}
	round, step := 0, 0
	since := f.Began
	if f.Taken {
		round, step, since = f.Round, f.Step+1, f.At
	}
	if since.After(now) { // the clock was put back
		since = now
	}
	for ; round < max(p.Rounds, 1); round, step = round+1, 0 {
		for ; step < len(p.Steps); step++ {
			at := since.Add(p.wait(f, round, step))
			if at.Before(now) {
				at = now
			}
			if p.Steps[step].applies(f.Severity, at) {
				return Intent{Kind: Page, Round: round, Step: step, At: at}
			}
		}
	}
	if !f.Taken {
		return Intent{Kind: Fallback, At: now}
	}
	at := since.Add(p.Pause)
	if at.Before(now) {
		at = now
	}
	return Intent{Kind: Fallback, At: at}
}

// wait is how long a step waits after the last one that was taken.
func (p Plan) wait(f Facts, round, step int) time.Duration {
	switch {
	case !f.Taken && step > 0:
		return 0 // nobody was asked before it
	case f.Taken && round > f.Round:
		return p.Pause
	}
	return p.Steps[step].After
}

// Ahead is everything that would come if nobody answered, in order and with its
// times, from a time on: what a drill shows.
func Ahead(from time.Time, p Plan, severity string) []Intent {
	f := Facts{Began: from, Severity: severity}
	var all []Intent
	for now := from; ; {
		next := Next(now, p, f)
		if next.Kind == End {
			return all
		}
		all = append(all, next)
		if next.Kind == Fallback {
			f.Fallen = true
			continue
		}
		now = next.At
		f.Taken, f.Round, f.Step, f.At = true, next.Round, next.Step, next.At
	}
}

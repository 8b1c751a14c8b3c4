package access

import (
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// policy is how failed sign-ins slow down the next ones: so many are free, then
// each doubles the wait, which never exceeds longest. Nobody is locked out for
// good, and an hour without a failure forgives all.
type policy struct {
	free     int
	first    time.Duration
	longest  time.Duration
	forgiven time.Duration
}

var (
	// perAccount holds for one account, or one known browser of it.
	perAccount = policy{free: 5, first: 30 * time.Second, longest: 15 * time.Minute, forgiven: time.Hour}
	// perAddress is looser, because an office may share an address.
	perAddress = policy{free: 30, first: 30 * time.Second, longest: 15 * time.Minute, forgiven: time.Hour}
)

// attempts are the failed sign-ins of one account, browser or address.
type attempts struct {
	failures     int
	last         time.Time
	blockedUntil time.Time
}

// wait is how long the next attempt must wait; a clock that was set back does
// not make it longer than the policy's longest.
func (a attempts) wait(now time.Time, p policy) time.Duration {
	return max(0, min(a.blockedUntil.Sub(now), p.longest))
}

// fail counts one more failure.
func (a attempts) fail(now time.Time, p policy) attempts {
	if now.Sub(a.last) >= p.forgiven {
		a.failures = 0
	}
	a.failures++
	a.last = now
	if over := a.failures - p.free; over >= 0 {
		wait := p.longest
		if over < 10 { // beyond that, doubling would overflow long after longest
			wait = min(p.first<<over, p.longest)
		}
		a.blockedUntil = now.Add(wait)
	}
	return a
}

// succeed takes one counted failure back, because the attempt was none.
func (a attempts) succeed() attempts {
	a.failures = max(0, a.failures-1)
	a.blockedUntil = time.Time{}
	return a
}

func tooManyAttempts(wait time.Duration) error {
	minutes := int((wait + time.Minute - 1) / time.Minute)
	return fault.New(fault.Limited, "access.too_many_attempts",
		text.Say("too many failed sign-ins", "サインインの失敗が続いたため、一時的に受け付けていません")).
		Fix(text.Say("try again in %d min, or use a one-time link from an administrator",
			"%d 分後にもう一度試すか、管理者にワンタイムリンクを発行してもらってください", minutes)).
		After(wait)
}

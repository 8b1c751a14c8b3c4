package alert

import "time"

// stamp is when something happened: by the clock of its source, 0 where the
// source did not say, and when we learned of it. Both are microseconds since
// 1970.
type stamp struct{ source, arrived int64 }

// wrongClock is how far ahead of ours a source's clock may be before its times
// are not believed beside those of a right one.
const wrongClock = int64(time.Minute / time.Microsecond)

// ahead reports whether the source's clock was ahead of ours.
func (s stamp) ahead() bool { return s.source > s.arrived+wrongClock }

// before reports whether s, of which we learned before next, is also older than
// next. By the clock of their source, where both have its time: it then does not
// matter in which order they arrived. Where one lacks it, or one was stamped by a
// clock that was ahead and has been set right since, by the order of arrival.
func (s stamp) before(next stamp) bool {
	if s.source == 0 || next.source == 0 || s.ahead() != next.ahead() {
		return true
	}
	return s.source < next.source
}

// notAfter is before, or at the same time by the clock of their source.
func (s stamp) notAfter(next stamp) bool {
	return s.before(next) || s.source == next.source
}

// shown is the time that people are told: the source's, unless it lies in the
// future.
func (s stamp) shown() int64 {
	if s.source == 0 || s.source > s.arrived {
		return s.arrived
	}
	return s.source
}

// latest is the later of two stamps of the same kind.
func (s stamp) latest(other stamp) stamp {
	if s.before(other) {
		return other
	}
	return s
}

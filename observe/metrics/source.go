package metrics

import (
	"context"
	"errors"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// Status is what can be expected of a source now.
type Status string

// The states of a source.
const (
	Unknown       Status = "unknown"       // not asked yet
	OK            Status = "ok"            // answers in good time
	Slow          Status = "slow"          // answers late or in part, or missed its last deadline
	Gone          Status = "gone"          // does not answer
	Misconfigured Status = "misconfigured" // cannot answer until somebody changes its settings
	Full          Status = "full"          // answers, but stores nothing new: its disk is full
)

// State is what is known of one source.
type State struct {
	Name      string        // as documents refer to it
	Title     string        // for people; may be empty
	Kind      string        // one of the kinds below
	URL       string        // without credentials; empty for the embedded store
	Default   bool          // answers for the name ""
	Exact     bool          // knows exact increases
	Status    Status        //
	LastError text.Both     // the latest failure, kept until the source is well again
	LastOK    time.Time     // the latest answer; zero where there was none
	Latency   time.Duration // smoothed time of an answer
	CheckedAt time.Time     // when it was last asked
}

// The kinds of source.
const (
	KindEmbedded   = "embedded"
	KindPrometheus = "prometheus"
	KindEvents     = "events" // pushed counts, kept in the database
	KindPlugin     = "plugin" // a program of the operator's
)

const (
	slowAfter = 5 * time.Second // a mean answer that takes longer is slow
	goneAfter = 2 * time.Minute // without an answer, deadlines missed mean gone
	smoothing = 0.3             // weight of the newest answer in Latency
)

// answered is the state after an answer that took so long.
func (s State) answered(took time.Duration, now time.Time) State {
	if s.LastOK.IsZero() {
		s.Latency = took
	} else {
		s.Latency += time.Duration(smoothing * float64(took-s.Latency))
	}
	s.LastOK, s.CheckedAt, s.LastError, s.Status = now, now, text.Both{}, OK
	if s.Latency > slowAfter {
		s.Status = Slow
		s.LastError = text.Say("answers take %s on average", "応答に平均 %s かかっています", s.Latency.Round(100*time.Millisecond))
	}
	return s
}

// failed is the state after a failure of the source itself.
func (s State) failed(f *fault.Error, now time.Time) State {
	s.CheckedAt, s.LastError = now, f.What
	switch f.Code {
	case CodeTimeout:
		s.Status = Slow
		if now.Sub(s.LastOK) > goneAfter {
			s.Status = Gone
		}
	case CodeBusy, CodePartial:
		s.Status = Slow
	case CodeAuth, CodeTLS, CodeNonsense, secret.CodeMissing, CodeClock:
		s.Status = Misconfigured
	case CodeDiskFull:
		s.Status = Full
	default:
		s.Status = Gone
		if f.Kind == fault.Invalid || f.Kind == fault.Denied {
			s.Status = Misconfigured
		}
	}
	return s
}

// after is the state after a question. An expression that cannot be evaluated,
// or whose answer is too large, was answered, which does not make a source well
// that a check found otherwise; the caller's own end says nothing.
func (s State) after(err error, took time.Duration, now time.Time) State {
	f, ok := fault.As(err)
	switch {
	case err == nil && s.onlyCheckTells():
		s.LastOK = now
		return s
	case err == nil:
		return s.answered(took, now)
	case !ok && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)):
		return s
	case !ok:
		return s.failed(fault.New(fault.Unavailable, CodeGone, text.Say(
			"an internal error; the server's log says more", "内部エラーが発生しました（詳細はサーバーのログを確認してください）")), now)
	case (f.Kind == fault.Invalid || f.Kind == fault.Limited) && (s.Status == OK || s.Status == Slow):
		return s.after(nil, took, now)
	case f.Kind == fault.Invalid || f.Kind == fault.Limited:
		return s
	}
	return s.failed(f, now)
}

// onlyCheckTells reports a state that answers to questions do not end: a store
// that takes no samples still answers.
func (s State) onlyCheckTells() bool {
	return s.Status == Full || (s.Kind == KindEmbedded && s.Status == Misconfigured)
}

// afterCheck is the state after the source was asked how it is: there, every
// fault is its own.
func (s State) afterCheck(err error, took time.Duration, now time.Time) State {
	if f, ok := fault.As(err); ok {
		return s.failed(f, now)
	}
	if err == nil {
		return s.answered(took, now)
	}
	return s.after(err, took, now)
}

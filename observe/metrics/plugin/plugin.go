// Package plugin asks a program of the operator's for metrics that no
// Prometheus has.
//
// The program is named in the server's configuration and nowhere else: whoever
// may name it may run anything. It speaks lines of JSON over its standard input
// and output, answers questions in any order, and is started when it is first
// needed, and again, later each time, when it ends. A question that takes too
// long fails; an answer that is too large ends the program. What it writes to
// its standard error goes to the log. The protocol is in docs/guides/plugins.md.
package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
)

// Options say which program is asked.
type Options struct {
	Name    string   // of the data source
	Command []string // the program and its arguments
	Timeout time.Duration
	Environ []string // of the program
	Log     *slog.Logger
	Now     func() time.Time
}

const (
	defaultTimeout = 30 * time.Second
	mostLine       = 16 << 20 // bytes of one answer
	mostSteps      = 600_000
	firstBackoff   = time.Second
	longestBackoff = time.Minute
	lateInARow     = 3 // questions without an answer until the program is ended
	wellAfter      = time.Minute
)

// Source is a plug-in as a data source. It is safe for concurrent use.
type Source struct {
	o Options

	mu      sync.Mutex
	process *process
	next    time.Time     // before which it is not started again
	backoff time.Duration // of the latest end
	why     error         // of the latest end
	closed  bool
}

var (
	_ metrics.Querier = (*Source)(nil)
	_ metrics.Checker = (*Source)(nil)
)

// New returns a source whose program is not started yet.
func New(o Options) *Source {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Source{o: o}
}

// Anchored is false: what a plug-in counts is its own affair.
func (s *Source) Anchored() bool { return false }

// Check starts the program where it does not run, and reports why it cannot.
func (s *Source) Check(ctx context.Context) error {
	_, err := s.running(ctx)
	return err
}

// Instant implements metrics.Querier.
func (s *Source) Instant(ctx context.Context, expr string, at time.Time) ([]metrics.Series, error) {
	return s.ask(ctx, request{Method: "instant", Query: expr, At: seconds(at)})
}

// Range implements metrics.Querier.
func (s *Source) Range(ctx context.Context, expr string, from, to time.Time, step time.Duration) ([]metrics.Series, error) {
	if err := metrics.CheckRange(from, to, step, mostSteps); err != nil {
		return nil, err
	}
	return s.ask(ctx, request{Method: "range", Query: expr, From: seconds(from), To: seconds(to), Step: step.Seconds()})
}

// ask sends one question and waits for its answer.
func (s *Source) ask(ctx context.Context, q request) ([]metrics.Series, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, errLate)
	defer cancel()
	p, err := s.running(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := p.ask(ctx, q)
	switch {
	case err == nil:
		return answer.answer(s.o.Name, q)
	case errors.Is(err, errLate):
		return nil, fault.New(fault.Unavailable, metrics.CodeTimeout, text.Say("the plug-in %s did not answer within %s", "プラグイン %s が %s 以内に応答しませんでした", s.o.Name, s.o.Timeout)).
			Fix(text.Say("see what it says in the server's log, or allow it more time (metrics.plugins)", "サーバーのログを確認するか、metrics.plugins の timeout を延ばしてください"))
	case ctx.Err() != nil:
		return nil, err
	}
	return nil, s.gone(err)
}

var errLate = errors.New("no answer in time")

// gone says that the program does not run.
func (s *Source) gone(err error) error {
	if f, ok := fault.As(err); ok {
		return f
	}
	return fault.New(fault.Unavailable, metrics.CodeGone, text.Say("the plug-in %s does not run", "プラグイン %s が動いていません", s.o.Name)).
		Fix(text.Say("see what it says in the server's log, and check its command in the configuration (metrics.plugins)", "サーバーのログと、設定の metrics.plugins のコマンドを確認してください")).Wrap(err)
}

// running returns the program, started where it does not run and may.
func (s *Source) running(ctx context.Context) (*process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, s.gone(errors.New("closed"))
	}
	if p := s.process; p != nil {
		if !p.hasEnded() {
			return p, nil
		}
		s.ended(p)
	}
	now := s.o.Now()
	if now.Before(s.next) {
		return nil, s.gone(s.why)
	}
	p, err := start(ctx, s.o)
	if err != nil {
		s.wait(now, err)
		return nil, s.gone(err)
	}
	s.process = p
	return p, nil
}

// ended notes how a program ended. One that ran well for a while is started
// again at once.
func (s *Source) ended(p *process) {
	s.process = nil
	s.o.Log.Warn("plug-in ended", "source", s.o.Name, "error", p.why())
	now := s.o.Now()
	if now.Sub(p.began) >= wellAfter {
		s.backoff = 0
		return
	}
	s.wait(now, p.why())
}

func (s *Source) wait(now time.Time, why error) {
	s.backoff = min(max(2*s.backoff, firstBackoff), longestBackoff)
	s.next, s.why = now.Add(s.backoff), why
}

// Close ends the program.
func (s *Source) Close() error {
	s.mu.Lock()
	p := s.process
	s.process, s.closed = nil, true
	s.mu.Unlock()
	if p != nil {
		p.end()
	}
	return nil
}

// line writes a request.
func (q request) line() ([]byte, error) {
	b, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("ask a plug-in: %w", err)
	}
	return append(b, '\n'), nil
}

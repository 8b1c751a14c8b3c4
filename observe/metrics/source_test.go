package metrics

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

func unavailable(code string) error {
	return fault.New(fault.Unavailable, code, text.Say("why", "理由"))
}

func TestStatusFollowsWhatTheSourceDoes(t *testing.T) {
	t0 := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		err   error
		after time.Duration // since the last answer
		want  Status
	}{
		{"an answer", nil, time.Second, OK},
		{"one missed deadline", unavailable(CodeTimeout), 30 * time.Second, Slow},
		{"minutes without an answer", unavailable(CodeTimeout), 3 * time.Minute, Gone},
		{"no connection", unavailable(CodeGone), time.Second, Gone},
		{"limited", unavailable(CodeBusy), time.Second, Slow},
		{"partial", unavailable(CodePartial), time.Second, Slow},
		{"refused credentials", unavailable(CodeAuth), time.Second, Misconfigured},
		{"a web page", unavailable(CodeNonsense), time.Second, Misconfigured},
		{"a bad certificate", unavailable(CodeTLS), time.Second, Misconfigured},
		{"a full disk", unavailable(CodeDiskFull), time.Second, Full},
		{"a bad expression", fault.New(fault.Invalid, "metrics.promql", text.Say("x", "x")), time.Second, OK},
		{"a large answer", fault.New(fault.Invalid, "metrics.too_large", text.Say("x", "x")), time.Second, OK},
		{"the caller's end", fmt.Errorf("ask: %w", context.Canceled), time.Second, OK},
		{"a broken store", errors.New("corrupt"), time.Second, Gone},
		{"a forbidden address", fault.New(fault.Denied, "net", text.Say("x", "x")), time.Second, Misconfigured},
	} {
		s := State{}.answered(time.Millisecond, t0)
		got := s.after(c.err, 2*time.Millisecond, t0.Add(c.after))
		if got.Status != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Status, c.want)
		}
		if well := got.Status == OK; well != got.LastError.IsZero() {
			t.Errorf("%s: status %s with the error %q", c.name, got.Status, got.LastError)
		}
		if got.LastError.EN == "corrupt" {
			t.Error("an internal error is shown")
		}
	}
	slow := State{}.answered(20*time.Second, t0)
	if slow.Status != Slow || slow.LastError.JA == "" {
		t.Errorf("answers in 20 s: %+v", slow)
	}
	for range 20 {
		slow = slow.answered(time.Millisecond, t0)
	}
	if slow.Status != OK || slow.Latency > time.Second {
		t.Errorf("after quick answers: %+v", slow)
	}
}

func TestOnlyACheckEndsAFullDisk(t *testing.T) {
	now := time.Now()
	s := State{Kind: KindEmbedded}.afterCheck(unavailable(CodeDiskFull), 0, now)
	if s = s.after(nil, time.Millisecond, now); s.Status != Full || s.LastError.IsZero() {
		t.Errorf("an answer hides that the disk is full: %+v", s)
	}
	if s = s.afterCheck(nil, time.Millisecond, now); s.Status != OK {
		t.Errorf("%+v", s)
	}
}

// A source that answers without end fails its check, and answers every question
// with more than fits: that does not make it well.
func TestAnAnswerThatIsTooLargeDoesNotEndWhatACheckFound(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	large := fault.New(fault.Invalid, "metrics.too_large", text.Say("too large", "大きすぎます"))
	s := State{Status: Unknown}.afterCheck(large, time.Millisecond, now)
	if s.Status != Misconfigured {
		t.Fatalf("after the check it is %s", s.Status)
	}
	if s = s.after(large, time.Millisecond, now); s.Status != Misconfigured || s.LastError.IsZero() {
		t.Errorf("after a question it is %s: %v", s.Status, s.LastError)
	}
	if s = s.after(nil, time.Millisecond, now); s.Status != OK {
		t.Errorf("after an answer it is %s", s.Status)
	}
}

func TestOneNamesTheLabelsThatDiffer(t *testing.T) {
	_, err := One([]Series{
		{Labels: map[string]string{"__name__": "x", "job": "a", "code": "200"}},
		{Labels: map[string]string{"__name__": "x", "job": "a", "code": "500", "extra": "1"}},
	})
	f, ok := fault.As(err)
	if !ok || !strings.Contains(f.What.EN, "differ in code, extra (") || !strings.Contains(f.Remedy.JA, "sum(") {
		t.Errorf("%v", err)
	}
	if got, err := One(nil); err != nil || len(got.Points) != 0 {
		t.Errorf("nothing: %v, %v", got, err)
	}
}

func TestIncreaseWindowHoldsFourScrapes(t *testing.T) {
	got := map[time.Duration]time.Duration{}
	for _, interval := range []time.Duration{0, time.Second, 15 * time.Second, 16 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute} {
		got[interval] = Connection{ScrapeInterval: interval}.IncreaseWindow()
	}
	want := map[time.Duration]time.Duration{
		0: 2 * time.Minute, time.Second: time.Minute, 15 * time.Second: time.Minute, 16 * time.Second: 2 * time.Minute,
		30 * time.Second: 2 * time.Minute, time.Minute: 4 * time.Minute, 5 * time.Minute: 20 * time.Minute,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

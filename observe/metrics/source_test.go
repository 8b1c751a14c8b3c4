package metrics

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		{"a large answer", fault.New(fault.Limited, "metrics.too_large", text.Say("x", "x")), time.Second, OK},
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

func TestSecretsAreLookedUpAndNotPrinted(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "token")
	for _, f := range []string{file, filepath.Join(data, "teiten.db")} {
		if err := os.WriteFile(f, []byte("s3cret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(data, "teiten.db"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PROM_PASSWORD", "pw")
	t.Setenv("TEITEN_DATABASE", "postgres://secret")
	t.Setenv("TEITEN_SECRET_PROM", "pw2")
	x := secrets{privateFolder: data}
	for ref, want := range map[Secret]string{
		"plain": "plain", "": "", "${env:PROM_PASSWORD}": "pw", "${env:TEITEN_SECRET_PROM}": "pw2",
		Secret("${file:" + file + "}"): "s3cret",
	} {
		if got, err := x.reveal(ref); err != nil || got != want {
			t.Errorf("%s: %q, %v", string(ref), got, err)
		}
	}
	for ref, kind := range map[Secret]fault.Kind{
		"${env:NOT_SET_ANYWHERE}":                             fault.Unavailable,
		"${env:TEITEN_DATABASE}":                              fault.Invalid,
		Secret("${file:" + dir + "/none}"):                    fault.Unavailable,
		Secret("${file:" + dir + "}"):                         fault.Unavailable,
		Secret("${file:" + filepath.Join(data, "teiten.db}")): fault.Invalid,
		Secret("${file:" + filepath.Join(dir, "link}")):       fault.Invalid,
		Secret("${file:" + dir + "/token/../data/teiten.db}"): fault.Unavailable,
		Secret("${file:" + dir + "/data/../data/teiten.db}"):  fault.Invalid,
		"${file:/proc/self/environ}":                          fault.Invalid,
	} {
		got, err := x.reveal(ref)
		if fault.KindOf(err) != kind || got != "" {
			t.Errorf("%s: %q, %v, want %s", string(ref), got, err, kind)
		}
	}
	t.Chdir(dir)
	if _, err := (secrets{privateFolder: "data"}).reveal(Secret("${file:" + filepath.Join(data, "teiten.db}"))); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the data folder, named from where the server stands: %v", err)
	}
	for _, bad := range []Secret{"a${env:X}", "${env:X}b", "${env: X}", "${vault:x}"} {
		if !bad.misspelled() {
			t.Errorf("%s is taken for a secret", string(bad))
		}
	}
	if said := fmt.Sprintf("%v %s %+v %#v", Secret("s3cret"), Secret("s3cret"), Basic{Password: "s3cret"}, Secret("s3cret")); strings.Contains(said, "s3cret") {
		t.Errorf("printed: %s", said)
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

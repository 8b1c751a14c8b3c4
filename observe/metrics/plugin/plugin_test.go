package plugin_test

import (
	"bytes"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/plugin"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// example builds the program that is shown to people.
var example = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOCACHE").Output() // it ends by itself
	if err != nil {
		return "", err
	}
	path := filepath.Join(strings.TrimSpace(string(out)), "teiten-example-plugin")
	return path, exec.Command("go", "build", "-o", path, "../../../examples/plugin").Run() // it ends by itself
})

func open(t *testing.T, o plugin.Options) *plugin.Source {
	t.Helper()
	o.Name = "example"
	s := plugin.New(o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// shell is a plug-in that greets and then does as the script says.
func shell(t *testing.T, script string, o plugin.Options) *plugin.Source {
	t.Helper()
	o.Command = []string{"sh", "-c", `echo '{"protocol":1,"name":"shell"}'; ` + script}
	return open(t, o)
}

func TestTheExampleAnswersEachMinute(t *testing.T) {
	path, err := example()
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, plugin.Options{Command: []string{path}})
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := s.Range(t.Context(), "total", noon, noon.Add(9*time.Minute), time.Minute)
	if err != nil || len(got) != 1 || len(got[0].Points) != 10 || got[0].Points[3].T != noon.Add(3*time.Minute).UnixMilli() {
		t.Fatalf("%+v %v", got, err)
	}
	one, err := s.Instant(t.Context(), "good", noon)
	if err != nil || len(one) != 1 || one[0].Points[0].V >= got[0].Points[0].V || one[0].Labels["service"] != "example" {
		t.Errorf("%+v %v", one, err)
	}
	_, err = s.Instant(t.Context(), "errors", noon)
	if f, ok := fault.As(err); !ok || f.Kind != fault.Invalid || !strings.Contains(f.What.EN, "use total or good") {
		t.Errorf("%v", err)
	}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := s.Range(t.Context(), "total", noon, noon.Add(time.Hour), time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestAnswersMayComeInAnyOrder(t *testing.T) {
	s := shell(t, `read a; read b; echo '{"id":2,"series":[{"points":[[1762171200,2]]}]}'; echo '{"id":1,"series":[{"points":[[1762171200,"NaN"]]}]}'; cat >/dev/null`, plugin.Options{})
	at := time.Unix(1762171200, 0)
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	values := make(chan float64, 2)
	for range 2 {
		go func() {
			got, err := s.Instant(t.Context(), "x", at)
			if err != nil || len(got) != 1 {
				t.Error(err)
				values <- -1
				return
			}
			values <- got[0].Points[0].V
		}()
	}
	a, b := <-values, <-values
	if a != 2 && b != 2 || a == a && b == b { // one of them is not a number
		t.Errorf("%v and %v", a, b)
	}
}

func TestWhoBreaksTheProtocolIsEndedAndSaysWhy(t *testing.T) {
	for name, c := range map[string]struct{ script, code, says string }{
		"no JSON":       {`read a; echo nonsense; cat >/dev/null`, metrics.CodeNonsense, "does not keep to the protocol"},
		"unasked":       {`read a; echo '{"series":[]}'; cat >/dev/null`, metrics.CodeNonsense, "never asked"},
		"outside":       {`read a; echo '{"id":1,"series":[{"points":[[5,1]]}]}'; cat >/dev/null`, metrics.CodeNonsense, "outside the range"},
		"too large":     {`read a; head -c 17000000 /dev/zero | tr '\0' x; cat >/dev/null`, metrics.CodeNonsense, "longer than"},
		"ends":          {`read a; exit 3`, metrics.CodeGone, "does not run"},
		"its own fault": {`read a; echo '{"id":1,"error":{"kind":"unavailable","message":"no network"}}'; cat >/dev/null`, metrics.CodeGone, "no network"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := shell(t, c.script, plugin.Options{}).Instant(t.Context(), "x", noon)
			f, ok := fault.As(err)
			if !ok || f.Kind != fault.Unavailable || f.Code != c.code || !strings.Contains(f.What.EN, c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAGreetingOfAnotherVersionIsRefused(t *testing.T) {
	s := open(t, plugin.Options{Command: []string{"sh", "-c", `echo '{"protocol":2}'; cat >/dev/null`}})
	if err := s.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("%v", err)
	}
}

func TestAPluginThatEndsIsStartedAgainLaterEachTime(t *testing.T) {
	var mu sync.Mutex
	now := noon
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	lives := filepath.Join(t.TempDir(), "lives")
	s := shell(t, `echo x >> '`+lives+`'; read a; exit 1`, plugin.Options{Now: clock})
	count := func() string {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "wc -l < '"+lives+"'").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	for i, c := range []struct {
		after time.Duration
		lives string
	}{{0, "1"}, {0, "1"}, {1100 * time.Millisecond, "2"}, {0, "2"}, {1100 * time.Millisecond, "2"}, {time.Second, "3"}} {
		pass(c.after)
		if _, err := s.Instant(t.Context(), "x", noon); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("question %d: %v", i, err)
		}
		if got := count(); got != c.lives {
			t.Errorf("after question %d it was started %s times, want %s", i, got, c.lives)
		}
	}
}

func TestAQuestionThatTakesTooLongFailsAndAStuckPluginIsEnded(t *testing.T) {
	s := shell(t, `cat >/dev/null`, plugin.Options{Timeout: 30 * time.Millisecond})
	for range 3 {
		_, err := s.Instant(t.Context(), "x", noon)
		if f, ok := fault.As(err); !ok || f.Code != metrics.CodeTimeout && f.Code != metrics.CodeGone {
			t.Errorf("%v", err)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if f, ok := fault.As(s.Check(t.Context())); ok && f.Code == metrics.CodeGone {
			return
		}
	}
	t.Error("it is still taken for running")
}

func TestWhatItComplainsOfIsInTheLog(t *testing.T) {
	var log bytes.Buffer
	s := shell(t, `echo 'cannot reach the vault' >&2; read a; exit 1`, plugin.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if _, err := s.Instant(t.Context(), "x", noon); err == nil {
		t.Error("it answered")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "cannot reach the vault") {
		t.Errorf("the log says %q", log.String())
	}
}

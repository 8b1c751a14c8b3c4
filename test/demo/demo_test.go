// Package demo_test runs `teiten demo` as a person does: as a process of its
// own, from outside, in real time.
package demo_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/teiten/teiten/cli"
)

// asProgram makes the test binary be the teiten program, so that it starts
// itself, and the demo starts its simulator, without a build.
const asProgram = "TEITEN_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(cli.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// program is the command `teiten args…`.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "LANG=C", "TEITEN_LANG=en")
	return cmd
}

// running is a demo that was started.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	data   string
	mu     sync.Mutex
	output []string
	more   chan struct{} // closed and replaced at each line
	ended  chan struct{}
	http   *http.Client
	base   string
}

func start(t *testing.T, data string, args ...string) *running {
	t.Helper()
	d := &running{t: t, data: data, more: make(chan struct{}), ended: make(chan struct{})}
	d.cmd = program(t, append([]string{"demo", "--data", data, "--listen", "127.0.0.1:0"}, args...)...)
	d.cmd.Cancel = func() error { return d.cmd.Process.Signal(os.Interrupt) }
	d.cmd.WaitDelay = 30 * time.Second
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	d.cmd.Stderr = os.Stderr
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go d.read(out)
	t.Cleanup(d.stop)
	return d
}

func (d *running) read(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		d.mu.Lock()
		d.output = append(d.output, lines.Text())
		close(d.more)
		d.more = make(chan struct{})
		d.mu.Unlock()
	}
	close(d.ended)
}

// stop ends the demo as Ctrl-C does.
func (d *running) stop() {
	if d.cmd.ProcessState != nil {
		return
	}
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.t.Error(err)
	}
	<-d.ended
	var exit *exec.ExitError
	if err := d.cmd.Wait(); errors.As(err, &exit) && !exit.Sys().(syscall.WaitStatus).Signaled() {
		d.t.Errorf("the demo ended with %v:\n%s", err, strings.Join(d.output, "\n"))
	}
}

// line waits for a line of output that matches, and returns its submatches.
func (d *running) line(within time.Duration, pattern string) []string {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(within)
	for {
		d.mu.Lock()
		more, all := d.more, d.output
		d.mu.Unlock()
		for _, l := range all {
			if m := re.FindStringSubmatch(l); m != nil {
				return m
			}
		}
		select {
		case <-more:
		case <-d.ended:
			d.t.Fatalf("the demo ended without a line like %q:\n%s", pattern, strings.Join(all, "\n"))
		case <-deadline:
			d.t.Fatalf("no line like %q within %s:\n%s", pattern, within, strings.Join(all, "\n"))
		}
	}
}

// signIn uses the one-time link as the sign-in page does.
func (d *running) signIn() {
	d.t.Helper()
	link, err := url.Parse(d.line(time.Minute, `(http://\S+/signin\?token=\S+)`)[1])
	if err != nil {
		d.t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	d.base = "http://" + link.Host
	d.http = &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := url.Values{"token": {link.Query().Get("token")}, "next": {"/"}}
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.base+"/signin", strings.NewReader(form.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", d.base)
	resp, err := d.http.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		d.t.Fatalf("sign-in answered %s", resp.Status)
	}
}

func (d *running) get(path string, into any) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.base+path, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := d.http.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		d.t.Fatalf("GET %s: %s %v\n%s", path, resp.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		d.t.Fatalf("GET %s: %v\n%s", path, err, body)
	}
}

// until asks again every second until holds is true.
func (d *running) until(within time.Duration, what string, holds func() bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), within)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			d.t.Fatalf("not within %s: %s", within, what)
		}
	}
}

type slo struct {
	Name       string
	Status     string
	BudgetLeft float64
	Known      float64
	Alerts     []struct{ Severity string }
}

func (d *running) slos() map[string]slo {
	d.t.Helper()
	var page struct{ Items []slo }
	d.get("/api/v1/slos?limit=100", &page)
	all := map[string]slo{}
	for _, s := range page.Items {
		all[s.Name] = s
	}
	return all
}

func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := program(t, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("teiten %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestTheDemoTellsItsStory starts the demo, looks at the picture, breaks the
// checkout completely, and waits for the three messages. Where
// TEITEN_TEST_SLOW is set it also waits, some six minutes more, for the end of
// the alert after the fault was mended.
func TestTheDemoTellsItsStory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes of real time")
	}
	t.Parallel()
	data := filepath.Join(t.TempDir(), "demo")
	began := time.Now()
	d := start(t, data)
	d.signIn()
	d.until(2*time.Minute, "every objective has its 30 days", func() bool {
		all := d.slos()
		for _, s := range all {
			if s.Status == "backfilling" || s.Status == "unknown" {
				return false
			}
		}
		return len(all) == 24
	})
	t.Logf("whole picture after %s", time.Since(began).Round(100*time.Millisecond))
	d.picture()

	if out := run(t, "demo", "break", "checkout", "--errors", "100%", "--for", "30m", "--data", data); !strings.Contains(out, "checkout: 100%") {
		t.Errorf("break said %q", out)
	}
	broken := time.Now()
	d.line(5*time.Minute, `slack .*(チェックアウトの可用性|Checkout availability)`)
	d.line(time.Minute, `webhook .*Checkout availability`)
	d.line(time.Minute, `email .*(チェックアウトの可用性|Checkout availability)`)
	t.Logf("three messages %s after the fault was ordered", time.Since(broken).Round(time.Second))
	if s := d.slos()["checkout-availability"]; s.Status != "burning" || len(s.Alerts) == 0 {
		t.Errorf("the broken checkout is shown as %+v", s)
	}

	if out := run(t, "demo", "heal", "--data", data); !strings.Contains(out, "healed") {
		t.Errorf("heal said %q", out)
	}
	if out := run(t, "demo", "status", "--data", data); strings.Contains(out, "until") && strings.Count(out, "checkout") > 1 {
		t.Errorf("after healing, status says %q", out)
	}
	if os.Getenv("TEITEN_TEST_SLOW") == "" {
		t.Log("the end of the alert is not waited for: set TEITEN_TEST_SLOW=1")
		return
	}
	healed := time.Now()
	d.until(12*time.Minute, "the page about the checkout has ended", func() bool {
		for _, a := range d.slos()["checkout-availability"].Alerts {
			if a.Severity == "page" {
				return false
			}
		}
		return true
	})
	d.line(time.Minute, `webhook .*(?i:resolved).*Checkout availability`)
	t.Logf("alert ended %s after the fault was healed", time.Since(healed).Round(time.Second))
}

// picture checks what a newcomer sees first.
func (d *running) picture() {
	d.t.Helper()
	all := d.slos()
	healthy := 0
	for _, s := range all {
		if s.Status == "healthy" {
			healthy++
		}
		probed := strings.HasPrefix(s.Name, "probe-") // and has no past
		if !probed && (s.Known < 0.9985 || s.Known >= 1) {
			d.t.Errorf("%s: %.5f of its minutes are known, want all but some 24", s.Name, s.Known)
		}
	}
	if healthy < 17 {
		d.t.Errorf("only %d of %d objectives are healthy", healthy, len(all))
	}
	// Alerts are judged with the first minute that closes after the back-fill.
	d.until(3*time.Minute, "the slow search wants attention", func() bool {
		s := d.slos()["search-latency"]
		return s.Status == "attention" && s.BudgetLeft > 0.2
	})
	if s := all["payment-availability"]; s.Status != "attention" || s.BudgetLeft < 0 || s.BudgetLeft > 0.2 {
		d.t.Errorf("the payment after its incident is shown as %+v", s)
	}
}

// TestASecondStartGoesOn stops a demo and starts it again: the time between is
// filled in, nothing is applied twice, and no minute is unknown that was not.
func TestASecondStartGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute of real time")
	}
	t.Parallel()
	data := filepath.Join(t.TempDir(), "demo")
	first := start(t, data)
	applied := first.line(time.Minute, `(\d+) documents applied`)[1]
	first.line(time.Minute, `Sign in`)
	if out, err := program(t, "demo", "--data", data).CombinedOutput(); err == nil || !strings.Contains(string(out), "running already") {
		t.Errorf("a second demo in the folder of the first said %q, error %v", out, err)
	}
	first.stop()
	if out, err := program(t, "demo", "status", "--data", data).CombinedOutput(); err == nil || !strings.Contains(string(out), "no demo is running") {
		t.Errorf("after the stop, status said %q, error %v", out, err)
	}

	second := start(t, data)
	second.line(time.Minute, `minutes since the last demo filled in`)
	second.line(time.Minute, `0 documents applied, `+applied+` as they were`)
	second.signIn()
	second.until(2*time.Minute, "every objective has its 30 days", func() bool {
		for _, s := range second.slos() {
			if s.Status == "backfilling" || s.Status == "unknown" {
				return false
			}
		}
		return true
	})
	second.picture()
}

func TestFreshRemovesNoFolderThatIsNoDemo(t *testing.T) {
	data := t.TempDir()
	mine := filepath.Join(data, "mine.txt")
	if err := os.WriteFile(mine, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := program(t, "demo", "--fresh", "--data", data).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "nothing was removed") {
		t.Errorf("it said %q, error %v", out, err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(fmt.Errorf("the file is gone: %w", err))
	}
}

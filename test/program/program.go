// Package program runs the built program as people do: as a process, over HTTP,
// with a configuration in its environment. Tests and the benchmark steer real
// processes with it, and kill them.
package program

import (
	"bufio"
	"bytes"
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
	"time"
)

// BinaryVariable names a program that is already built.
const BinaryVariable = "TEITEN_BIN"

// Build returns the path of the program: the one that BinaryVariable names, or
// one that it builds into dir.
func Build(ctx context.Context, dir string) (string, error) {
	if bin := os.Getenv(BinaryVariable); bin != "" {
		return filepath.Abs(bin)
	}
	bin := filepath.Join(dir, "teiten")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "github.com/teiten/teiten/cmd/teiten")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return bin, nil
}

// Options say how a server is started.
type Options struct {
	Binary string
	Data   string   // its data folder
	Env    []string // settings, such as TEITEN_DATABASE=…
	Wrap   []string // a command that the program is started through, such as prlimit
}

// Server is a running program and the ways to speak to it. It may be killed and
// started again; the token lives in its database.
type Server struct {
	options Options
	URL     string
	Token   string

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // how it ended; read after done

	mu  sync.Mutex
	log bytes.Buffer // everything that it wrote
}

// New returns a server that has not been started.
func New(o Options) *Server { return &Server{options: o} }

// startTimeout is how long a start may take on a busy machine.
const startTimeout = 60 * time.Second

var (
	serving   = regexp.MustCompile(`msg=serving .*?\burl="?(http[^\s"]+)`)
	setupLink = regexp.MustCompile(`https?://\S+/setup\?token=\S+`)
)

// Start starts the process and waits until it serves. The first start of a data
// folder makes an administrator and a token with every scope.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	s.log.Reset()
	s.mu.Unlock()
	args := append([]string{}, s.options.Wrap...)
	args = append(args, s.options.Binary, "serve", "--data", s.options.Data)
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...)
	s.cmd.Env = append(os.Environ(), "TEITEN_LISTEN=127.0.0.1:0", "TEITEN_LANG=en", "TZ=UTC")
	s.cmd.Env = append(s.cmd.Env, s.options.Env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	s.cmd.Stdout, s.cmd.Stderr = w, w
	if err := s.cmd.Start(); err != nil {
		return errors.Join(err, r.Close(), w.Close())
	}
	_ = w.Close() // the process holds its own
	lines := make(chan string, 1000)
	go s.read(r, lines)
	s.done = make(chan struct{})
	go func() { s.err = s.cmd.Wait(); close(s.done) }()
	return s.await(ctx, lines)
}

// read keeps what the process writes and hands on its lines as long as somebody
// waits for them.
func (s *Server) read(r io.ReadCloser, lines chan<- string) {
	defer r.Close()
	defer close(lines)
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		s.mu.Lock()
		s.log.WriteString(scan.Text() + "\n")
		s.mu.Unlock()
		select {
		case lines <- scan.Text():
		default:
		}
	}
}

func (s *Server) await(ctx context.Context, lines <-chan string) error {
	late := time.NewTimer(startTimeout)
	defer late.Stop()
	link := ""
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				<-s.done
				return fmt.Errorf("ended while it started: %w\n%s", s.err, s.Log())
			}
			if found := setupLink.FindString(line); found != "" {
				link = found
			}
			m := serving.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			s.URL = m[1]
			if err := s.ready(ctx); err != nil {
				return err
			}
			if link != "" && s.Token == "" {
				return s.setUp(ctx, link)
			}
			return nil
		case <-late.C:
			return fmt.Errorf("did not start in %s:\n%s", startTimeout, s.Log())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ready waits until the server answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/healthz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = resp.Body.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("does not answer: %w", err)
		case <-s.done:
			return fmt.Errorf("ended while it started: %w\n%s", s.err, s.Log())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Login and Password are those of the administrator that the first start makes.
const (
	Login    = "tester@example.com"
	Password = "a long way round the lake"
)

// setUp makes the first administrator as a person would, and then a token.
func (s *Server) setUp(ctx context.Context, link string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	_, token, _ := strings.Cut(link, "token=")
	if token, err = url.QueryUnescape(token); err != nil {
		return err
	}
	form := url.Values{"token": {token}, "name": {"Tester"}, "login": {Login}, "password": {Password}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/setup", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := browser.Do(r)
	if err != nil {
		return err
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("set up: %s: %s", resp.Status, body)
	}
	var me struct{ Scopes []string }
	if err := s.call(ctx, browser, http.MethodGet, "/api/v1/me", nil, &me); err != nil {
		return err
	}
	var issued struct{ Token string }
	err = s.call(ctx, browser, http.MethodPost, "/api/v1/tokens", map[string]any{"name": "tests", "scopes": me.Scopes}, &issued)
	s.Token = issued.Token
	return err
}

// AnswerError is an answer that is not 2xx.
type AnswerError struct {
	Status     int
	RetryAfter string
	Body       string
}

func (p *AnswerError) Error() string { return fmt.Sprintf("%d: %s", p.Status, p.Body) }

// client waits long enough for the largest apply.
var client = &http.Client{Timeout: 2 * time.Minute}

// Get reads JSON.
func (s *Server) Get(ctx context.Context, path string, out any) error {
	return s.call(ctx, client, http.MethodGet, path, nil, out)
}

// Post sends and reads JSON. An answer that is not 2xx is an *AnswerError.
func (s *Server) Post(ctx context.Context, path string, in, out any) error {
	return s.call(ctx, client, http.MethodPost, path, in, out)
}

// Text reads what is not JSON.
func (s *Server) Text(ctx context.Context, path string) (string, error) {
	b, err := s.raw(ctx, client, http.MethodGet, path, nil)
	return string(b), err
}

func (s *Server) call(ctx context.Context, c *http.Client, method, path string, in, out any) error {
	b, err := s.raw(ctx, c, method, path, in)
	if err != nil {
		return err
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

func (s *Server) raw(ctx context.Context, c *http.Client, method, path string, in any) ([]byte, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if s.Token != "" {
		r.Header.Set("Authorization", "Bearer "+s.Token)
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %w", method, path, &AnswerError{resp.StatusCode, resp.Header.Get("Retry-After"), string(b)})
	}
	return b, nil
}

// File is one file of an apply.
type File struct {
	Name string `json:"name"`
	Data string `json:"data"`
}

// Plan is what an apply did.
type Plan struct {
	Added, Changed, Unchanged, Removed int
}

// Apply applies one file of documents as a set.
func (s *Server) Apply(ctx context.Context, set, documents string) (Plan, error) {
	var p Plan
	err := s.Post(ctx, "/api/v1/apply", map[string]any{"set": set, "files": []File{{set + ".yaml", documents}}}, &p)
	return p, err
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	Next  string
}

// All reads every page of a list.
func All[T any](ctx context.Context, s *Server, path string) ([]T, error) {
	var all []T
	u, err := url.Parse(path)
	if err != nil {
		return nil, err
	}
	for {
		var p Page[T]
		if err := s.Get(ctx, u.String(), &p); err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if p.Next == "" {
			return all, nil
		}
		q := u.Query()
		q.Set("cursor", p.Next)
		u.RawQuery = q.Encode()
	}
}

// PID is the process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (s *Server) Ended() <-chan struct{} { return s.done }

// Kill ends the process as a crash does, and waits until it is gone.
func (s *Server) Kill() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // its group: Wrap included
	<-s.done
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// stopTimeout is how long an orderly end may take.
const stopTimeout = 30 * time.Second

// Stop asks the process to end and returns how it did.
func (s *Server) Stop() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	select {
	case <-s.done:
		return s.err
	default:
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.done:
		return s.err
	case <-time.After(stopTimeout):
		return errors.Join(errors.New("did not stop when asked to:\n"+s.Log()), s.Kill())
	}
}

// Log is what the process wrote since it was started.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// Output is Run without what the command writes to its standard error.
func (s *Server) Output(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.options.Binary, args...)
	cmd.Env = append(os.Environ(), "TEITEN_SERVER="+s.URL, "TEITEN_TOKEN="+s.Token, "TEITEN_LANG=en")
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("teiten %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Run runs another command of the program against the server, and returns what
// it wrote.
func (s *Server) Run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.options.Binary, args...)
	cmd.Env = append(os.Environ(), "TEITEN_SERVER="+s.URL, "TEITEN_TOKEN="+s.Token, "TEITEN_LANG=en")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("teiten %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Package app puts the rooms together into one server and runs it.
//
// It is the only package that knows every other. Rooms hear of one another here:
// who subscribes to which entries of the journal is written in wire.go.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/queue"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/embedded"
)

// Version is set when a release is built.
var Version = "dev"

// Options are what a caller in the same process may bring along.
type Options struct {
	Log *slog.Logger
	// Now is the clock; time.Now where nil.
	Now func() time.Time
	// Targets are scraped by the embedded store besides those of its file.
	Targets []embedded.Target
	// BeforeStart runs once everything is open and nothing runs yet.
	BeforeStart func(ctx context.Context, a *App) error
	// offline builds a server that only describes itself and never listens.
	offline bool
}

// App is one server.
type App struct {
	rooms

	config   Config
	options  Options
	log      *slog.Logger
	now      func() time.Time
	started  time.Time
	db       *database.DB
	queue    *queue.Queue
	api      *httpapi.API
	metrics  *prometheus.Registry
	listener net.Listener
	server   *http.Server
	ready    struct {
		sync.Mutex
		at     time.Time
		checks []checkOut
	}

	// cleanups run last in, first out, when the server stops.
	cleanups []func(ctx context.Context) error
}

const (
	readHeaderTimeout = 10 * time.Second
	writeTimeout      = 5 * time.Minute // from the end of the headers; live streams set their own
	maxHeaderBytes    = 64 << 10
	idleTimeout       = 2 * time.Minute
	stopTimeout       = 15 * time.Second
)

// New opens everything that c names and listens, so that Run cannot fail for
// want of a port. What it opened it closes again when it fails.
func New(ctx context.Context, c Config, o Options) (_ *App, err error) {
	a := &App{config: c, options: o, log: o.Log, now: o.Now, started: time.Now(), metrics: prometheus.NewRegistry()}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.now == nil {
		a.now = time.Now
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.cleanup(context.WithoutCancel(ctx)))
		}
	}()
	for _, step := range []func(context.Context) error{a.openFolder, a.openDatabase, a.listen, a.openRooms, a.openAPI} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// later registers what undoes a step.
func (a *App) later(f func(ctx context.Context) error) { a.cleanups = append(a.cleanups, f) }

func (a *App) cleanup(ctx context.Context) (err error) {
	for _, f := range slices.Backward(a.cleanups) {
		err = errors.Join(err, f(ctx))
	}
	a.cleanups = nil
	return err
}

func (a *App) openFolder(context.Context) error {
	lock, err := lockFolder(a.config.Data)
	if err != nil {
		return err
	}
	a.later(func(context.Context) error { return lock.Close() })
	return nil
}

func (a *App) openDatabase(ctx context.Context) error {
	db, err := database.Open(ctx, a.config.databaseAddress())
	if err != nil {
		return err
	}
	a.db = db
	a.later(func(context.Context) error { return db.Close() })
	if err := db.Check(ctx); err != nil {
		return err
	}
	for _, r := range migrations() {
		if err := db.Migrate(ctx, r.name, r.files); err != nil {
			return err
		}
	}
	a.queue, err = queue.New(ctx, db, a.log)
	return err
}

func (a *App) listen(ctx context.Context) error {
	if a.options.offline {
		return nil
	}
	var err error
	a.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", a.config.Listen)
	if err != nil {
		return fault.New(fault.Unavailable, "app.listen", text.Say("cannot listen on %s", "%s で待ち受けできません", a.config.Listen)).
			Fix(text.Say("choose another address with --listen, or stop what uses it", "--listen で別のアドレスを指定するか、使用中のプログラムを止めてください")).Wrap(err)
	}
	a.later(func(context.Context) error { return ignoreClosed(a.listener.Close()) })
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// URL is how people reach the server.
func (a *App) URL() string {
	if a.listener == nil {
		return a.config.BaseURL
	}
	return a.config.baseURL(a.listener.Addr())
}

// API is what the server serves.
func (a *App) API() *httpapi.API { return a.api }

// Addr is where the server listens.
func (a *App) Addr() net.Addr { return a.listener.Addr() }

// Run serves until ctx ends, and then stops in order: no new requests, the
// running ones and the running jobs to their end or back to the queue, and
// everything closed.
func (a *App) Run(ctx context.Context) (err error) {
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, a.cleanup(last))
		a.log.InfoContext(ctx, "stopped")
	}()
	if a.options.BeforeStart != nil {
		if err := a.options.BeforeStart(ctx, a); err != nil {
			return err
		}
	}
	run, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := a.start(run, cancel); err != nil {
		return err
	}
	a.log.InfoContext(ctx, "serving", "url", a.URL(), "version", Version, "database", a.db.Dialect(), "took", time.Since(a.started).Round(time.Millisecond))
	<-run.Done()
	if cause := context.Cause(run); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// start runs the queue, what each room does all the time, and the HTTP server. A
// part that ends by itself with an error ends the server.
func (a *App) start(ctx context.Context, fail context.CancelCauseFunc) error {
	if err := a.queue.Start(ctx); err != nil {
		return err
	}
	a.later(a.queue.Stop)
	for _, part := range a.background() {
		done := make(chan struct{})
		partCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
		go func() {
			defer close(done)
			if err := part.run(partCtx); err != nil && partCtx.Err() == nil {
				fail(fmt.Errorf("%s: %w", part.name, err))
			}
		}()
		a.later(func(ctx context.Context) error { stop(); return await(ctx, done, part.name) })
	}
	a.server = &http.Server{
		Handler:           a.api.Handler(),
		ReadHeaderTimeout: readHeaderTimeout,
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	go func() {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			fail(fmt.Errorf("serve: %w", err))
		}
	}()
	a.later(func(ctx context.Context) error {
		a.api.Close() // live streams would keep the server from stopping
		return a.server.Shutdown(ctx)
	})
	return nil
}

func await(ctx context.Context, done <-chan struct{}, name string) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s did not stop in time", name)
	}
}

// Describe returns the server's OpenAPI document without starting one.
func Describe(ctx context.Context) ([]byte, error) {
	var spec []byte
	err := Offline(ctx, func(a *App) (err error) {
		spec, err = a.api.Spec()
		return err
	})
	return spec, err
}

// Offline builds a server that never listens, over an empty database that goes
// away again, for what needs only its kinds and operations.
func Offline(ctx context.Context, use func(a *App) error) (err error) {
	dir, err := os.MkdirTemp("", "teiten")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	c := DefaultConfig()
	c.Data, c.BaseURL, c.Metrics.Embedded.Enabled = dir, "http://localhost", false
	a, err := New(ctx, c, Options{offline: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.cleanup(ctx)) }()
	return use(a)
}

var levels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// NewLog returns the log that c asks for.
func NewLog(c LogConfig, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: levels[c.Level]}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// Commit is the revision that the program was built from, where known.
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return ""
}

// metricsFolder is where the embedded store keeps its samples.
func (c *Config) metricsFolder() string { return filepath.Join(c.Data, "metrics") }

func isHTTPS(u string) bool { return strings.HasPrefix(u, "https://") }

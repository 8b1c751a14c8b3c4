// Package pgtest starts a PostgreSQL server for tests, on a unix socket in a
// folder of its own, and hands out databases cloned from a template.
//
// It runs the server that is installed, as an unprivileged user, because
// PostgreSQL refuses to run as root. A server dies with the process that started
// it; the folder of one that could not clean up is removed by the next start.
// Where the environment variable TEITEN_TEST_POSTGRES names the socket folder of
// a running server, that one is shared instead of starting another.
package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver that creates databases
)

// nobody is the user that the server runs as when the tests run as root.
const nobody = 65534

const startTimeout = 60 * time.Second

// SharedVariable names the socket folder of a server to share.
const SharedVariable = "TEITEN_TEST_POSTGRES"

const folderPrefix = "teiten-pg"

// Server is a running PostgreSQL.
type Server struct {
	dir     string
	cmd     *exec.Cmd // nil where the server is shared
	durable bool
	admin   *sql.DB
	serial  atomic.Int64
}

// Start initialises and starts a server, or joins the shared one. Its caller
// stops it.
func Start(ctx context.Context) (*Server, error) {
	if dir := os.Getenv(SharedVariable); dir != "" {
		s := &Server{dir: dir}
		return s, s.wait(ctx)
	}
	return startOwn(ctx, &Server{})
}

func startOwn(ctx context.Context, s *Server) (*Server, error) {
	bin, err := findBin()
	if err != nil {
		return nil, err
	}
	sweep(ctx)
	if s.dir, err = os.MkdirTemp("", folderPrefix); err != nil {
		return nil, err
	}
	if err := s.start(ctx, bin); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// sweep removes the folders of servers that are gone: those that nobody answers
// for on the socket. It is housekeeping, so what cannot be removed stays.
func sweep(ctx context.Context) {
	dialer := net.Dialer{Timeout: time.Second}
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < 2*startTimeout {
			continue // it may be starting
		}
		conn, err := dialer.DialContext(ctx, "unix", filepath.Join(dir, ".s.PGSQL.5432"))
		if err == nil {
			_ = conn.Close()
			continue
		}
		_ = os.RemoveAll(dir)
	}
}

// Dir is the folder of the server's socket.
func (s *Server) Dir() string { return s.dir }

// findBin returns the folder of the newest installed server's programs.
func findBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		path, err := exec.LookPath("initdb")
		if err != nil {
			return "", errors.New("PostgreSQL's server is not installed: on Debian, apt-get install postgresql")
		}
		found = []string{path}
	}
	sort.Strings(found)
	return filepath.Dir(found[len(found)-1]), nil
}

func (s *Server) start(ctx context.Context, bin string) error {
	if os.Geteuid() == 0 {
		if err := os.Chown(s.dir, nobody, nobody); err != nil {
			return err
		}
	}
	data := filepath.Join(s.dir, "data")
	initdb := s.command(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "teiten", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s.launch(ctx, bin)
}

func (s *Server) launch(ctx context.Context, bin string) error {
	args := []string{"-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=300", "-c", "shared_buffers=64MB"}
	if !s.durable { // most tests measure behaviour, not disks
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	s.cmd = s.command(context.WithoutCancel(ctx), filepath.Join(bin, "postgres"), args...)
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	return s.wait(ctx)
}

// StartDurable starts a server that is never shared and keeps what it committed,
// for tests that Crash it.
func StartDurable(ctx context.Context) (*Server, error) {
	return startOwn(ctx, &Server{durable: true})
}

// Crash ends the server at once, as a failing machine does, and keeps its data.
func (s *Server) Crash() error {
	err := s.cmd.Process.Signal(syscall.SIGQUIT)
	_ = s.cmd.Wait() // an immediate shutdown ends with a status of its own
	return errors.Join(err, s.admin.Close())
}

// Restart starts the server again on the data of before.
func (s *Server) Restart(ctx context.Context) error {
	bin, err := findBin()
	if err != nil {
		return err
	}
	return s.launch(ctx, bin)
}

func (s *Server) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.dir
	// The server goes down with the test process, however that ends.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	return cmd
}

func (s *Server) wait(ctx context.Context) error {
	admin, err := sql.Open("pgx", s.Address("postgres"))
	if err != nil {
		return err
	}
	s.admin = admin
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if err = admin.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Address is the address of one of the server's databases.
func (s *Server) Address(name string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("teiten"), Path: "/" + name,
		RawQuery: url.Values{"host": {s.dir}}.Encode()}).String()
}

// Create makes a database, as a copy of the template where one is named, and
// returns its address and a function that removes it.
func (s *Server) Create(ctx context.Context, template string) (address string, drop func() error, err error) {
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), s.serial.Add(1))
	query := "CREATE DATABASE " + name
	if template != "" {
		query += " TEMPLATE " + template
	}
	if _, err := s.admin.ExecContext(ctx, query); err != nil {
		return "", nil, fmt.Errorf("create database: %w", err)
	}
	drop = func() error {
		_, err := s.admin.ExecContext(context.WithoutCancel(ctx), "DROP DATABASE "+name+" WITH (FORCE)")
		return err
	}
	return s.Address(name), drop, nil
}

// Stop ends the server at once and removes its folder.
func (s *Server) Stop() error {
	var err error
	if s.admin != nil {
		err = s.admin.Close()
	}
	if os.Getenv(SharedVariable) == s.dir {
		return err // somebody else's
	}
	if s.cmd != nil && s.cmd.Process != nil {
		err = errors.Join(err, s.cmd.Process.Signal(syscall.SIGQUIT))
		_ = s.cmd.Wait() // an immediate shutdown ends with a status of its own
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

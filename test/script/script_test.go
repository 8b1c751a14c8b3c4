// Package script tells what the command line does, as stories in testdata that
// read as documentation. A story that says "server" at its beginning has one.
package script_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"teiten": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
			stop()
			os.Exit(code)
		},
	})
}

func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("LANG", "en")
			e.Setenv("NO_COLOR", "1")
			e.Setenv("EARLIER", time.Now().UTC().Add(-5*time.Minute).Format(time.RFC3339))
			e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"server": server, "eventually": eventually},
	})
}

// server starts a server for the rest of the story and sets TEITEN_SERVER and an
// administrator's TEITEN_TOKEN.
func server(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: server")
	}
	c := app.DefaultConfig()
	c.Listen, c.Data = "127.0.0.1:0", ts.MkAbs("data")
	ctx, cancel := context.WithCancel(context.Background())
	a, err := app.New(ctx, c, app.Options{Log: slog.New(slog.DiscardHandler)})
	ts.Check(err)
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	ts.Defer(func() {
		cancel()
		if err := <-done; err != nil {
			fmt.Fprintln(os.Stderr, "server:", err)
		}
	})
	token, err := administrator(access.AsSystem(ctx), a)
	ts.Check(err)
	ts.Setenv("TEITEN_SERVER", a.URL())
	ts.Setenv("TEITEN_TOKEN", token)
}

// patience is how long a story waits for something to come about.
const patience = time.Minute

// eventually runs a command until its standard output matches a pattern.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually pattern program [argument...]")
	}
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	for end := time.Now().Add(patience); ; {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if out := ts.ReadFile("stdout"); pattern.MatchString(out) {
			return
		} else if time.Now().After(end) {
			ts.Fatalf("%v never said %q; at last it said:\n%s", args[1:], args[0], out)
		}
	}
}

// administrator makes somebody who may do everything, and a token of theirs.
func administrator(ctx context.Context, a *app.App) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	u, err := a.Access.EnsureUser(ctx, access.NewUser{Login: "admin@example.com", Name: "Administrator", Role: access.Admin})
	if err != nil {
		return "", err
	}
	ctx = access.WithPrincipal(ctx, access.Principal{Kind: access.Person, UserID: u.ID, Name: u.Name, Role: access.Admin, Scopes: access.AllScopes()})
	secret, _, err := a.Access.IssueToken(ctx, access.NewToken{Name: "story", Scopes: access.AllScopes()})
	return secret, err
}

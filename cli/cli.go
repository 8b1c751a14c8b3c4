// Package cli is the command line.
//
// Commands speak to a server over its public HTTP API and nothing else; serve,
// demo and what works without a server go through package app. Each command is
// a struct whose fields are its flags and whose Run method does it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// root is the whole command line.
type root struct {
	Lang string `help:"Language of messages: en or ja." env:"TEITEN_LANG" placeholder:"LANG"`

	Serve       serveCmd       `cmd:"" help:"Start the server."`
	Demo        demoCmd        `cmd:"" help:"Start an example company, live, with a past."`
	Validate    validateCmd    `cmd:"" help:"Judge documents without a server."`
	Diff        diffCmd        `cmd:"" help:"Show what an apply would do."`
	Apply       applyCmd       `cmd:"" help:"Make the server hold what files say."`
	Get         getCmd         `cmd:"" help:"List documents, or show one."`
	Delete      deleteCmd      `cmd:"" help:"Remove a document."`
	Export      exportCmd      `cmd:"" help:"Write documents as YAML that applies to the same."`
	Import      importCmd      `cmd:"" help:"Turn objectives, schedules and alert routes of other tools into documents."`
	Replay      replayCmd      `cmd:"" help:"Say what would have happened with another objective, window or policy."`
	Routing     routingCmd     `cmd:"" help:"Say who hears of an alert, and what a change of routes would have done."`
	Silence     silenceCmd     `cmd:"" help:"Keep alerts from people for a time."`
	Token       tokenCmd       `cmd:"" help:"Make, list and revoke tokens."`
	Probe       probeCmd       `cmd:"" help:"Check from here what probes of the server look at."`
	Push        pushCmd        `cmd:"" help:"Tell how many events happened and how many were good."`
	Oncall      oncallCmd      `cmd:"" help:"Say who is on call, and change that for a time."`
	Incident    incidentCmd    `cmd:"" help:"Declare and lead incidents."`
	Journal     journalCmd     `cmd:"" help:"Read the journal and verify its seals."`
	Page        pageCmd        `cmd:"" help:"List pages, or say who would be paged (--test)."`
	Ack         ackCmd         `cmd:"" help:"Say that you look after a page: nobody else is paged."`
	Config      configCmd      `cmd:"" help:"Check the server's configuration."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
	Alerts      alertsCmd      `cmd:"" help:"List alerts and groups, and answer them."`
	Integration integrationCmd `cmd:"" help:"Sources of alerts and their keys."`

	OpenAPI   openapiCmd   `cmd:"" name:"openapi" help:"Print the OpenAPI document of the server's API."`
	Reference referenceCmd `cmd:"" hidden:"" help:"Write the reference documents that are generated from the code."`
}

// streams are where a command reads and writes, and in which language.
type streams struct {
	in       io.Reader
	out, err io.Writer
	lang     text.Lang
	environ  []string
}

// say writes a line to a person, in their language.
func (s *streams) say(what text.Both) { fmt.Fprintln(s.out, what.In(s.lang)) }

// Main runs the command that args name and returns the exit code: 0 where it
// worked, and otherwise the code of the kind of fault (kit/fault).
func Main(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Run(ctx, args, os.Stdin, os.Stdout, os.Stderr, os.Environ())
}

const usageExit = 2

// Run is Main with everything that it touches given to it.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer, environ []string) int {
	var r root
	s := &streams{in: in, out: out, err: errOut, lang: language("", environ), environ: environ}
	exit := -1
	parser, err := kong.New(&r, kong.Name("teiten"), kong.UsageOnError(), kong.Writers(out, errOut),
		kong.Description("A journal of operations: promises, alerts, and what to do next."),
		kong.Exit(func(code int) { exit = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(errOut, "teiten:", err)
		return fault.Kind("").ExitCode()
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		fmt.Fprintln(errOut, "teiten:", err)
		return usageExit
	}
	s.lang = language(r.Lang, environ)
	command.BindTo(ctx, (*context.Context)(nil))
	return s.finish(command.Run(s))
}

// finish tells a person what went wrong and the shell which kind of fault it
// was.
func (s *streams) finish(err error) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return 0
	}
	if f, ok := fault.As(err); ok {
		fmt.Fprintln(s.err, "teiten:", f.In(s.lang))
		return f.Kind.ExitCode()
	}
	fmt.Fprintln(s.err, "teiten:", err)
	return fault.Kind("").ExitCode()
}

// language is the one asked for, or the one the shell is set to.
func language(asked string, environ []string) text.Lang {
	vars := map[string]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		vars[name] = value
	}
	for _, candidate := range []string{asked, vars["TEITEN_LANG"], vars["LC_ALL"], vars["LC_MESSAGES"], vars["LANG"]} {
		if l, ok := text.Parse(candidate); ok {
			return l
		}
	}
	return text.EN
}

type versionCmd struct{}

func (versionCmd) Run(s *streams) error {
	fmt.Fprintln(s.out, strings.TrimSpace("teiten "+app.Version+" "+app.Commit()))
	return nil
}

type openapiCmd struct{}

func (openapiCmd) Run(ctx context.Context, s *streams) error {
	spec, err := app.Describe(ctx)
	if err != nil {
		return err
	}
	_, err = s.out.Write(spec)
	return err
}

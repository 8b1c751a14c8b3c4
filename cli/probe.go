package cli

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"

	"github.com/teiten/teiten/app"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/probe"
	"github.com/teiten/teiten/observe/probe/agent"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/runner"
)

// probeCmd is the agent of a location. It only calls out.
type probeCmd struct {
	remote
	Token         string         `help:"A token with the scope probe:run; TEITEN_TOKEN keeps it out of the list of processes." placeholder:"TOKEN"`
	Location      string         `help:"The name of the place, as probes write it." required:"" placeholder:"NAME"`
	Folder        string         `help:"Where results wait while the server is away; by default teiten/probe in the folder for a person's state. - keeps them in memory." placeholder:"DIR"`
	AllowNetworks []netip.Prefix `help:"Networks that checks may reach besides the public internet; by default private ones. Loopback only where it is named." placeholder:"NETWORK"`
	LogLevel      string         `help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
}

// Run checks and delivers until it is told to end.
func (c *probeCmd) Run(ctx context.Context, s *streams) error {
	if c.Token != "" {
		s.environ = append([]string{"TEITEN_TOKEN=" + c.Token}, s.environ...)
	}
	to, err := c.client(s)
	if err != nil {
		return err
	}
	networks := c.AllowNetworks
	if len(networks) == 0 {
		networks = check.PrivateNetworks()
	}
	folder := c.folder(s)
	a := &agent.Agent{
		Location: c.Location, Server: probeServer{to}, Folder: folder,
		Env: check.Env{Reach: check.NewReach(networks), Secrets: secret.Lookup{Private: c.private(s, folder)}},
		Log: app.NewLog(app.LogConfig{Level: c.LogLevel, Format: "text"}, s.err),
	}
	s.say(text.Say("checking from %s for %s", "%s から %s のプローブを実行します", c.Location, c.Server))
	return a.Run(ctx)
}

// folder is where results wait.
func (c *probeCmd) folder(s *streams) string {
	switch c.Folder {
	case "-":
		return ""
	case "":
		dir := s.env("XDG_STATE_HOME")
		if dir == "" {
			dir = filepath.Join(s.env("HOME"), ".local", "state")
		}
		return filepath.Join(dir, "teiten", "probe", c.Location)
	}
	return c.Folder
}

// private is what documents of the server must not have this agent read out.
func (c *probeCmd) private(s *streams, folder string) []string {
	files := []string{c.TokenFile, defaultTokenFile(s)}
	if folder != "" {
		files = append(files, folder)
	}
	if home := s.env("HOME"); home != "" {
		files = append(files, filepath.Join(home, ".ssh"), filepath.Join(home, ".config"))
	}
	if self, err := os.Executable(); err == nil {
		files = append(files, self)
	}
	return files
}

// probeServer is the server over its public API.
type probeServer struct{ c *client }

var _ agent.Server = probeServer{}

// Assignments implements agent.Server.
func (p probeServer) Assignments(ctx context.Context, location string) ([]runner.Job, error) {
	var out struct{ Items []runner.Job }
	q := url.Values{"location": {location}, "version": {app.Version}}
	err := p.c.call(ctx, http.MethodGet, "/api/v1/probe-assignments", q, nil, &out)
	return out.Items, err
}

// Deliver implements agent.Server.
func (p probeServer) Deliver(ctx context.Context, location string, results []runner.Result) (probe.Taken, error) {
	var out probe.Taken
	body := map[string]any{"location": location, "version": app.Version, "results": results}
	err := p.c.call(ctx, http.MethodPost, "/api/v1/probe-results", nil, body, &out)
	return out, err
}

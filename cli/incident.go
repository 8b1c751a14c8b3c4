package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/incident"
)

// incidentCmd leads incidents from the command line.
type incidentCmd struct {
	List     incidentListCmd     `cmd:"" help:"List incidents, the newest first."`
	Show     incidentShowCmd     `cmd:"" help:"Show one incident, or write it as Markdown."`
	Declare  incidentDeclareCmd  `cmd:"" help:"Declare an incident."`
	Note     incidentNoteCmd     `cmd:"" help:"Write down what was seen or done."`
	Update   incidentUpdateCmd   `cmd:"" help:"Tell an audience how things stand."`
	Assign   incidentAssignCmd   `cmd:"" help:"Give a role to somebody."`
	Severity incidentSeverityCmd `cmd:"" help:"Change how bad it is."`
	Activate incidentActivateCmd `cmd:"" help:"End the triage: it is an incident."`
	Mitigate incidentMitigateCmd `cmd:"" help:"Say that it no longer hurts."`
	Resolve  incidentResolveCmd  `cmd:"" help:"Say that what was wrong is repaired."`
	Reopen   incidentReopenCmd   `cmd:"" help:"Say that it is not over."`
	Decline  incidentDeclineCmd  `cmd:"" help:"Say that it was no incident."`
	Merge    incidentMergeCmd    `cmd:"" help:"Let another incident stand for it."`
	Close    incidentCloseCmd    `cmd:"" help:"End it for good."`
}

// oneIncident is an incident on the command line.
type oneIncident struct {
	remote
	ID string `arg:"" help:"Its name: INC-42, or 42."`
}

func (c *oneIncident) path(more string) string {
	return "/api/v1/incidents/" + url.PathEscape(c.ID) + more
}

// do changes the incident and says what it is now.
func (c *oneIncident) do(ctx context.Context, s *streams, method, more string, in any) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	var now incident.Detail
	if err := to.call(ctx, method, c.path(more), nil, in, &now); err != nil {
		return err
	}
	s.incident(&now)
	return nil
}

// incident says in one line what an incident is now.
func (s *streams) incident(x *incident.Detail) {
	lead := text.Say("nobody leads it", "指揮官なし")
	if x.Commander != nil {
		lead = text.Say("%s leads it", "指揮官は %s", x.Commander.Name)
	}
	s.say(text.Say("%s  %s  %s  %s (%s)", "%s  %s  %s  %s(%s)", x.ID, x.Severity, x.State, x.Title, lead))
}

type incidentListCmd struct {
	remote
	State    string `help:"States, separated by commas; open stands for all in which people work on it." placeholder:"STATES"`
	Severity string `help:"Severities, separated by commas." placeholder:"SEVERITIES"`
	Service  string `help:"Only what hurts this service." placeholder:"NAME"`
	Team     string `help:"Only this team's." placeholder:"NAME"`
	Output   string `help:"How to write it: table or json." enum:"table,json," default:"" short:"o"`
}

func (c *incidentListCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	q := url.Values{}
	for k, v := range map[string]string{"state": c.State, "severity": c.Severity, "service": c.Service, "team": c.Team} {
		if v != "" {
			q.Set(k, v)
		}
	}
	all, err := everything[incident.Summary](ctx, to, "/api/v1/incidents", q)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		return s.json(all)
	}
	if len(all) == 0 {
		s.say(text.Say("no incidents", "インシデントはありません"))
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, text.Say("ID\tSEVERITY\tSTATE\tDECLARED\tCOMMANDER\tTITLE", "ID\t重大度\t状態\t宣言\t指揮官\t件名").In(s.lang))
	for _, x := range all {
		lead := "-"
		if x.Commander != nil {
			lead = x.Commander.Name
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", x.ID, x.Severity, x.State, x.DeclaredAt.Local().Format("2006-01-02 15:04"), lead, x.Title)
	}
	return w.Flush()
}

type incidentShowCmd struct {
	oneIncident
	Output string `help:"How to write it: markdown or json." enum:"markdown,json," default:"" short:"o"`
}

func (c *incidentShowCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		var x incident.Detail
		if err := to.call(ctx, http.MethodGet, c.path(""), nil, nil, &x); err != nil {
			return err
		}
		return s.json(x)
	}
	data, err := to.raw(ctx, http.MethodGet, c.path("/export"), url.Values{"lang": {string(s.lang)}}, nil)
	if err != nil {
		return err
	}
	_, err = s.out.Write(data)
	return err
}

type incidentDeclareCmd struct {
	remote
	Title     string    `arg:"" optional:"" help:"What is wrong, in one line; taken from the alerts where it is left out."`
	Severity  string    `help:"SEV1, the worst, to SEV5." placeholder:"SEVERITY"`
	Services  []string  `help:"Services that it hurts, separated by commas." name:"service" placeholder:"NAME"`
	Alerts    string    `help:"The group of alerts that told of it." placeholder:"ID"`
	Commander string    `help:"Who leads it, if not you." placeholder:"PERSON"`
	Since     time.Time `help:"Since when it hurts, such as 2026-11-23T09:30:00+09:00." placeholder:"TIME"`
	Triage    bool      `help:"It is not certain yet that this is an incident."`
}

func (c *incidentDeclareCmd) Run(ctx context.Context, s *streams) error {
	to, err := c.client(s)
	if err != nil {
		return err
	}
	d := incident.Declaration{Title: c.Title, Severity: incident.Severity(strings.ToUpper(c.Severity)), Services: c.Services, Group: c.Alerts,
		Commander: c.Commander, Triage: c.Triage}
	if !c.Since.IsZero() {
		d.ImpactStart = &c.Since
	}
	var now incident.Detail
	if err := to.call(ctx, http.MethodPost, "/api/v1/incidents", nil, d, &now); err != nil {
		return err
	}
	s.incident(&now)
	return nil
}

// written is text on the command line, or - for what is piped in.
type written struct {
	Text string `arg:"" optional:"" help:"In Markdown; - reads it from the standard input." default:"-"`
}

func (w written) read(s *streams) (string, error) {
	if w.Text != "-" {
		return w.Text, nil
	}
	if f, ok := s.in.(*os.File); ok {
		if at, err := f.Stat(); err == nil && at.Mode()&os.ModeCharDevice != 0 {
			fmt.Fprintln(s.err, text.Say("write, and end with Ctrl-D", "入力し、Ctrl-D で終えてください").In(s.lang))
		}
	}
	data, err := io.ReadAll(io.LimitReader(s.in, 64<<10))
	return strings.TrimSpace(string(data)), err
}

type incidentNoteCmd struct {
	oneIncident
	written
}

func (c *incidentNoteCmd) Run(ctx context.Context, s *streams) error {
	body, err := c.read(s)
	if err != nil {
		return err
	}
	return c.do(ctx, s, http.MethodPost, "/notes", map[string]string{"text": body})
}

type incidentUpdateCmd struct {
	oneIncident
	written
	Audience string `help:"For whom: team, stakeholders or public." enum:"team,stakeholders,public" default:"stakeholders" short:"a"`
}

func (c *incidentUpdateCmd) Run(ctx context.Context, s *streams) error {
	body, err := c.read(s)
	if err != nil {
		return err
	}
	return c.do(ctx, s, http.MethodPost, "/updates", map[string]string{"audience": c.Audience, "text": body})
}

type incidentAssignCmd struct {
	oneIncident
	Role   string `arg:"" help:"commander, operations, communications or scribe." enum:"commander,operations,communications,scribe"`
	Person string `arg:"" optional:"" help:"A person of the catalog or the address of an account; nobody where it is left out."`
}

func (c *incidentAssignCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPut, "/roles/"+c.Role, map[string]string{"person": c.Person})
}

type incidentSeverityCmd struct {
	oneIncident
	Severity string `arg:"" help:"SEV1, the worst, to SEV5."`
	Reason   string `help:"Why." placeholder:"TEXT"`
}

func (c *incidentSeverityCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPost, "/severity", map[string]string{"severity": strings.ToUpper(c.Severity), "reason": c.Reason})
}

type incidentActivateCmd struct {
	oneIncident
	Commander string `help:"Who leads it, if not you." placeholder:"PERSON"`
}

func (c *incidentActivateCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPost, "/activate", map[string]string{"commander": c.Commander})
}

// ended is when something was over, and what was done.
type ended struct {
	Text string    `arg:"" optional:"" help:"What was done."`
	At   time.Time `help:"Since when; now by default." placeholder:"TIME"`
}

func (e ended) body() map[string]any {
	b := map[string]any{"text": e.Text}
	if !e.At.IsZero() {
		b["at"] = e.At
	}
	return b
}

type incidentMitigateCmd struct {
	oneIncident
	ended
}

func (c *incidentMitigateCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPost, "/mitigate", c.body())
}

type incidentResolveCmd struct {
	oneIncident
	ended
}

func (c *incidentResolveCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPost, "/resolve", c.body())
}

type incidentReopenCmd struct {
	oneIncident
	Reason string `arg:"" optional:"" help:"Why."`
}

func (c *incidentReopenCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPost, "/reopen", map[string]string{"reason": c.Reason})
}

type incidentDeclineCmd struct {
	oneIncident
	Reason string `arg:"" help:"Why."`
}

func (c *incidentDeclineCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPost, "/decline", map[string]string{"reason": c.Reason})
}

type incidentMergeCmd struct {
	oneIncident
	Into string `arg:"" help:"The incident that stands for it from now on."`
}

func (c *incidentMergeCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPost, "/merge", map[string]string{"into": c.Into})
}

type incidentCloseCmd struct {
	oneIncident
	Waive string `help:"Why no postmortem is needed, where none is published." placeholder:"TEXT"`
}

func (c *incidentCloseCmd) Run(ctx context.Context, s *streams) error {
	return c.do(ctx, s, http.MethodPost, "/close", map[string]string{"waive": c.Waive})
}

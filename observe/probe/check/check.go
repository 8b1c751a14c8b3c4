// Package check looks at something from outside and says whether it works.
//
// Each check is a function of its settings and a context: it opens connections,
// measures their phases and judges what comes back. It keeps nothing, schedules
// nothing and writes nothing down, so that the server and the agents in other
// places run the very same code. What it reports holds no secret: neither those
// of its settings nor what it extracted from answers.
package check

import (
	"context"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// Check is what is to be looked at; exactly one field is set.
type Check struct {
	HTTP *HTTP      `json:"http,omitempty"`
	TCP  *TCP       `json:"tcp,omitempty"`
	TLS  *TLSExpiry `json:"tls,omitempty"`
	DNS  *DNS       `json:"dns,omitempty"`
	GRPC *GRPC      `json:"grpc,omitempty"`
	ICMP *ICMP      `json:"icmp,omitempty"`
}

// Type names the sort of check: http, tcp, tls, dns, grpc or icmp, and "" for
// one that is not exactly one of them.
func (c Check) Type() string {
	name, set := "", 0
	for _, p := range c.parts() {
		if p.there {
			name, set = p.name, set+1
		}
	}
	if set != 1 {
		return ""
	}
	return name
}

type part struct {
	name  string
	there bool
}

func (c Check) parts() []part {
	return []part{
		{"http", c.HTTP != nil}, {"tcp", c.TCP != nil}, {"tls", c.TLS != nil},
		{"dns", c.DNS != nil}, {"grpc", c.GRPC != nil}, {"icmp", c.ICMP != nil},
	}
}

// Target says for people what is looked at, without what may be secret in it.
func (c Check) Target() string {
	switch c.Type() {
	case "http":
		if len(c.HTTP.Steps) > 0 {
			return shownURL(c.HTTP.Steps[0].URL)
		}
	case "tcp":
		return c.TCP.Address
	case "tls":
		return c.TLS.Address
	case "dns":
		return c.DNS.recordType() + " " + c.DNS.Name
	case "grpc":
		return c.GRPC.Address
	case "icmp":
		return c.ICMP.Host
	}
	return ""
}

// Outcome is what a check found. Unknown means that it could not be made at all
// (a secret that is missing, an address that may not be reached, a socket that
// is not permitted): that says nothing about what is looked at, and counts
// neither as good nor as bad.
type Outcome string

// The outcomes.
const (
	Success Outcome = "success"
	Failure Outcome = "failure"
	Unknown Outcome = "unknown"
)

// Attempt is one look. Steps holds at least one step unless the outcome is
// Unknown. Total and the times of the steps are in milliseconds.
type Attempt struct {
	Outcome Outcome   `json:"outcome" enum:"success,failure,unknown"`
	Code    string    `json:"code,omitempty" doc:"What went wrong, for programs."`
	Reason  text.Both `json:"reason,omitzero" doc:"What went wrong, for people."`
	TotalMs float64   `json:"totalMs"`
	Steps   []Step    `json:"steps"`
}

// Step is one exchange within an attempt and where its time went. A phase that
// did not occur, such as dns on a connection that was kept, is 0.
type Step struct {
	Name            string    `json:"name"`
	StartMs         float64   `json:"startMs" doc:"When it began, counted from the beginning of the attempt."`
	DNSMs           float64   `json:"dnsMs"`
	ConnectMs       float64   `json:"connectMs"`
	TLSMs           float64   `json:"tlsMs"`
	TTFBMs          float64   `json:"ttfbMs" doc:"From the request sent to the first byte of the answer."`
	TransferMs      float64   `json:"transferMs"`
	TotalMs         float64   `json:"totalMs"`
	Status          int       `json:"status,omitempty" doc:"HTTP status, gRPC health (1: serving) or DNS answer code."`
	Bytes           int64     `json:"bytes,omitempty"`
	Address         string    `json:"address,omitempty" doc:"The address that was reached."`
	Protocol        string    `json:"protocol,omitempty"`
	CertificateDays *float64  `json:"certificateDays,omitempty" doc:"Days until the first certificate of the chain expires."`
	Redirects       int       `json:"redirects,omitempty"`
	Outcome         Outcome   `json:"outcome" enum:"success,failure,unknown"`
	Code            string    `json:"code,omitempty"`
	Reason          text.Both `json:"reason,omitzero"`
}

// Env is what checks may use of the place where they run.
type Env struct {
	Reach   *Reach
	Secrets secret.Lookup
	Now     func() time.Time
}

// Run looks once. It returns when it knows or when ctx ends; the end of ctx is a
// failure with the code CodeTimeout.
func Run(ctx context.Context, c Check, env Env) Attempt {
	if env.Now == nil {
		env.Now = time.Now
	}
	if env.Reach == nil {
		env.Reach = NewReach(nil)
	}
	r := &run{env: env, began: time.Now()}
	switch c.Type() {
	case "http":
		r.http(ctx, c.HTTP)
	case "tcp":
		r.tcp(ctx, c.TCP)
	case "tls":
		r.tls(ctx, c.TLS)
	case "dns":
		r.dns(ctx, c.DNS)
	case "grpc":
		r.grpc(ctx, c.GRPC)
	case "icmp":
		r.icmp(ctx, c.ICMP)
	default:
		r.impossible(fault.New(fault.Invalid, CodeType, text.Say("the probe has no check", "プローブにチェックの内容がありません")))
	}
	return r.attempt()
}

// run is one attempt under way.
type run struct {
	env     Env
	began   time.Time // with the monotonic clock, for durations
	steps   []Step
	unable  *fault.Error
	secrets []string // what must not appear in what is reported
}

// impossible ends the attempt without a verdict.
func (r *run) impossible(err error) {
	f, ok := fault.As(err)
	if !ok {
		f = fault.New(fault.Unavailable, CodeFailed, text.Say("the check could not be made", "チェックを実行できませんでした"))
	}
	r.unable = f
}

// begin starts a step.
func (r *run) begin(name string) *Step {
	return &Step{Name: name, StartMs: r.since(r.began), Outcome: Success}
}

func (r *run) since(t time.Time) float64 { return ms(time.Since(t)) }

// end finishes a step with its verdict: nil for success. It reports whether the
// attempt may go on.
func (r *run) end(s *Step, err error) bool {
	s.TotalMs = r.since(r.began) - s.StartMs
	if err != nil {
		f := explain(err)
		s.Outcome, s.Code, s.Reason = Failure, f.Code, r.hide(f.What)
		if isImpossible(f) {
			s.Outcome = Unknown
		}
	}
	r.steps = append(r.steps, *s)
	return err == nil
}

func (r *run) attempt() Attempt {
	a := Attempt{Outcome: Success, TotalMs: r.since(r.began), Steps: r.steps}
	if a.Steps == nil {
		a.Steps = []Step{}
	}
	if n := len(r.steps); n > 0 && r.steps[n-1].Outcome != Success {
		last := r.steps[n-1]
		a.Outcome, a.Code, a.Reason = last.Outcome, last.Code, last.Reason
		if n > 1 || last.Name != "" {
			a.Reason = text.Say("%s: %s", "%s: %s", last.Name, last.Reason)
		}
	}
	if r.unable != nil {
		a.Outcome, a.Code, a.Reason = Unknown, r.unable.Code, r.hide(r.unable.What)
	}
	return a
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

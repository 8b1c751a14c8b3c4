// Package probe looks at services from outside, on schedule and from several
// places, and turns what it sees into service levels.
//
// A Probe is a document. The server makes its checks itself (location "server"),
// and agents elsewhere fetch theirs over the API, run them and deliver results,
// also those of a time in which the server was away. Each result counts once: it
// is kept with where its time went, it adds to the events of the stream "probe",
// which objectives read exactly, and to counters in the embedded store for
// everything else. A place that does not report is a state with a name, and its
// minutes are unknown, never good. How checks are made is package check.
package probe

import (
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/pushed"
	"github.com/teiten/teiten/observe/probe/check"
	"github.com/teiten/teiten/observe/probe/runner"
)

// Server is the location of the server's own checks.
const Server = "server"

// Stream is the stream of events that checks are counted in, with the labels
// probe and location.
const Stream = pushed.Probes

// PrivateNetworks are what probes may reach besides the public internet where
// nothing else is configured.
func PrivateNetworks() []netip.Prefix { return check.PrivateNetworks() }

// Document is a Probe as it is written down.
type Document struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata names a probe.
type Metadata struct {
	Name        string            `json:"name" doc:"How the probe is referred to, and the label probe of its counters." ja:"参照に使う名前。カウンターのラベル probe にもなります。"`
	DisplayName string            `json:"displayName,omitempty" doc:"What people call it." ja:"表示名。"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Spec is what a Probe document says under spec.
type Spec struct {
	Description string           `json:"description,omitempty"`
	Service     string           `json:"service" doc:"The service that is looked at; it must be in the catalog." ja:"対象のサービス。カタログに登録されている必要があります。"`
	Interval    check.Duration   `json:"interval,omitzero" doc:"How often it is checked, from 10s to 1h; 1m when absent." ja:"チェックの間隔(10s〜1h)。省略時は1m。"`
	Timeout     check.Duration   `json:"timeout,omitzero" doc:"How long one attempt may take; 10s when absent." ja:"1回の試行の制限時間。省略時は10s。"`
	Retries     int              `json:"retries,omitempty" minimum:"0" maximum:"5" doc:"How often a failed attempt is repeated before the check counts as failed; 0 when absent." ja:"失敗と数える前に再試行する回数。省略時は0。"`
	Locations   []string         `json:"locations,omitempty" doc:"Where it is checked from: server, or the names of agents; server when absent." ja:"チェックする場所。server またはエージェントの名前。省略時は server。"`
	Quorum      int              `json:"quorum,omitempty" minimum:"0" doc:"How many locations must see it fail before the probe is down; 1 when absent. Each check counts for the objective all the same, unless slo.counts is agreement." ja:"ダウンとみなすのに必要な、失敗した場所の数。省略時は1。slo.counts が agreement でなければ、SLOには各チェックがそのまま数えられます。"`
	HTTP        *check.HTTP      `json:"http,omitempty" doc:"Requests with what is expected of their answers." ja:"リクエストと応答の条件。"`
	TCP         *check.TCP       `json:"tcp,omitempty" doc:"A connection, with a dialogue where wanted." ja:"接続と、必要なら簡単なやりとり。"`
	TLS         *check.TLSExpiry `json:"tls,omitempty" doc:"How long certificates are valid." ja:"証明書の残り期間。"`
	DNS         *check.DNS       `json:"dns,omitempty" doc:"Records of a name." ja:"名前のレコード。"`
	GRPC        *check.GRPC      `json:"grpc,omitempty" doc:"gRPC health check." ja:"gRPCのヘルスチェック。"`
	ICMP        *check.ICMP      `json:"icmp,omitempty" doc:"Echo requests, where the system permits them." ja:"エコー要求(ping)。システムが許可している場合に使えます。"`
	SLO         *Promise         `json:"slo,omitempty" doc:"Makes an objective of the probe." ja:"このプローブのSLOを作ります。"`
}

// Promise is the objective that a probe brings along.
type Promise struct {
	Objective float64 `json:"objective" doc:"The share of successful checks that is promised, such as 0.999." ja:"約束する成功の割合(例: 0.999)。"`
	Counts    string  `json:"counts,omitempty" enum:"checks,agreement" doc:"checks counts every check of every location (the default); agreement counts minutes, bad where as many locations as the quorum saw it fail." ja:"checks は各場所のチェックをすべて数えます(既定)。agreement は1分ごとに数え、quorum 以上の場所で失敗した分を不良とします。"`
	Window    string  `json:"window,omitempty" doc:"The rolling window: 7d, 28d, 30d; 30d when absent." ja:"移動ウィンドウ(7d、28d、30d など)。省略時は30d。"`
}

const (
	defaultInterval  = time.Minute
	shortestInterval = 10 * time.Second
	longestInterval  = time.Hour
	defaultTimeout   = 10 * time.Second
	defaultWindow    = "30d"
	mostLocations    = 50
	mostRetries      = 5
)

var nameShape = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Check is what the probe looks at.
func (s *Spec) check() check.Check {
	return check.Check{HTTP: s.HTTP, TCP: s.TCP, TLS: s.TLS, DNS: s.DNS, GRPC: s.GRPC, ICMP: s.ICMP}
}

func (s *Spec) interval() time.Duration {
	if s.Interval == 0 {
		return defaultInterval
	}
	return time.Duration(s.Interval)
}

func (s *Spec) timeout() time.Duration {
	if s.Timeout == 0 {
		return min(defaultTimeout, s.interval()/2)
	}
	return time.Duration(s.Timeout)
}

func (s *Spec) locations() []string {
	if len(s.Locations) == 0 {
		return []string{Server}
	}
	return s.Locations
}

func (s *Spec) quorum() int { return max(s.Quorum, 1) }

// longest is how long a check with all its repetitions may take.
func (s *Spec) longest() time.Duration {
	return s.timeout()*time.Duration(s.Retries+1) + runner.RetryPause*time.Duration(s.Retries)
}

// job is the probe as a runner makes it.
func (s *Spec) job(name, revision string) runner.Job {
	return runner.Job{
		Probe: name, Revision: revision, Check: s.check(), Interval: check.Duration(s.interval()),
		Timeout: check.Duration(s.timeout()), Retries: s.Retries,
	}
}

// State is how something is, in one word.
type State string

// The states. Degraded is that of a probe that fails at fewer locations than its
// quorum; Silent that of a location from which nothing arrives any more.
const (
	Up       State = "up"
	Degraded State = "degraded"
	Down     State = "down"
	Silent   State = "silent"
	Unknown  State = "unknown"
)

// of is the state that a result leads to.
func stateOf(o check.Outcome) State {
	switch o {
	case check.Success:
		return Up
	case check.Failure:
		return Down
	}
	return Unknown
}

// silentAfter is how long nothing may arrive before that is told.
const silentAfter = 3 * time.Minute

// silence is how long nothing has arrived from a location, and whether that is
// longer than it should be. Last is the latest sign of life.
func silence(last, now time.Time, interval time.Duration) (time.Duration, bool) {
	since := now.Sub(last)
	return since, since > max(silentAfter, 2*interval+silentAfter)
}

func silentReason(location string, since time.Duration) text.Both {
	if since > 24*time.Hour {
		return text.Say("location %s has not reported for %d days", "場所 %s から%d日間、報告がありません", location, int(since.Hours()/24))
	}
	return text.Say("location %s has not reported for %d min", "場所 %s から%d分間、報告がありません", location, int(since.Minutes()))
}

// overall is the state of a probe whose locations are in the given states.
func overall(states []State, quorum int) State {
	count := func(s State) int {
		n := 0
		for _, x := range states {
			if x == s {
				n++
			}
		}
		return n
	}
	down := count(Down)
	switch {
	case down >= quorum || down > 0 && down == len(states):
		return Down
	case down > 0:
		return Degraded
	case count(Up) > 0:
		return Up
	case count(Silent) > 0:
		return Silent
	}
	return Unknown
}

// rank orders states for lists, the most urgent first.
func (s State) rank() int { return slices.Index([]State{Down, Degraded, Silent, Unknown, Up}, s) }

func ref(name string) journal.Ref { return journal.RefTo("probe", name) }

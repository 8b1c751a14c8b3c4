// Package route decides who hears of an alert, and says why.
//
// A tree of routes chooses receivers by an alert's labels, in the syntax and with
// the meaning of Alertmanager's matchers. Silences, inhibitions, maintenance
// windows and time intervals keep an alert from people; none of them keeps it from
// being recorded. Every step of a decision names the line that it comes from.
//
// The package is pure: it has no clock, no database and no network. A Router does
// not change; an Inhibitor follows the alerts that fire and belongs to one caller.
package route

import (
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Labels are the names and values that identify an alert. A label that is not
// there is the same as one that is empty.
type Labels = map[string]string

// Alert is what routing knows of an alert. Team is who owns its service, empty
// where nobody is known to.
type Alert struct {
	Labels  Labels
	Service string
	Team    string
}

// Verdict is what becomes of an alert: who would hear of it, and what keeps it
// from all of them.
type Verdict struct {
	Decisions  []Decision
	Suppressed []Reason
}

// Heard lists the decisions that reach somebody: none of an alert that is
// suppressed, and otherwise those that no time interval mutes and whose receiver
// is not nobody.
func (v Verdict) Heard() []Decision {
	if len(v.Suppressed) > 0 {
		return nil
	}
	var heard []Decision
	for _, d := range v.Decisions {
		if d.Muted == nil && !d.Receiver.Nobody {
			heard = append(heard, d)
		}
	}
	return heard
}

// Decision is one receiver of an alert, and the group in which it hears of it.
// The first message of a new group is never delayed: alerts that join it within
// Wait are told of together, further ones every Interval, and what still fires is
// told again every Repeat.
type Decision struct {
	Receiver               *Receiver
	Group                  Group
	Wait, Interval, Repeat time.Duration
	Muted                  *Reason // the time interval that keeps it from this receiver now
	At                     fault.Position
}

// Group is what alerts share that are told of together. Key is the same as long
// as neither its route nor the labels it groups by change.
type Group struct {
	Key    string
	Labels Labels
}

// The kinds of reason why an alert does not reach people.
const (
	BySilence     = "silence"
	ByInhibition  = "inhibition"
	ByMaintenance = "maintenance"
	ByInterval    = "interval"
)

// Reason is why an alert does not reach people now. Ref is what the reason is:
// "silence:<id>", "alert:<id>" of the one that inhibits, "maintenance:<name>", or
// the name of a time interval. Until is when it ends, zero where that is not
// known.
type Reason struct {
	Kind  string         `json:"kind" enum:"silence,inhibition,maintenance,interval"`
	Ref   string         `json:"ref"`
	What  text.Both      `json:"what"`
	At    fault.Position `json:"at,omitzero"`
	Until time.Time      `json:"until,omitzero"`
}

// Receiver is who is told: the team that owns the service, an escalation policy,
// notification channels, or, where that is said, nobody.
type Receiver struct {
	Name     string         `json:"name"`
	Owner    bool           `json:"owner,omitempty"`
	Policy   string         `json:"policy,omitempty"`
	Channels []string       `json:"channels,omitempty"`
	Nobody   bool           `json:"nobody,omitempty"`
	At       fault.Position `json:"at,omitzero"`
}

// Key tells receivers apart by whom they tell, whatever routes call them:
// "owner", "policy:payments", "channels:a,b", or several of these.
func (r Receiver) Key() string {
	var whom []string
	if r.Owner {
		whom = append(whom, "owner")
	}
	if r.Policy != "" {
		whom = append(whom, "policy:"+r.Policy)
	}
	if len(r.Channels) > 0 {
		whom = append(whom, "channels:"+strings.Join(r.Channels, ","))
	}
	return strings.Join(whom, " ")
}

// OwnerReceiver is the name of the receiver that every tree has: the escalation
// policy of the team that owns the alert's service.
const OwnerReceiver = "owner"

// Router decides about alerts. It is made of what holds at one time.
type Router struct {
	tree     *Tree
	silences *Silences
	windows  *Windows
}

// New is the router of a tree, silences and maintenance windows. The last two may
// be nil.
func New(tree *Tree, silences *Silences, windows *Windows) *Router {
	return &Router{tree: tree, silences: silences, windows: windows}
}

// Tree is the tree that the router decides by.
func (r *Router) Tree() *Tree { return r.tree }

// Silences are those that the router knows.
func (r *Router) Silences() *Silences { return r.silences }

// Decide says what becomes of an alert at an instant. The inhibitor knows which
// alerts fire; nil inhibits nothing.
func (r *Router) Decide(a Alert, firing *Inhibitor, now time.Time) Verdict {
	return r.decide(a, firing, now, nil)
}

// Explain decides as Decide does, and tells each step.
func (r *Router) Explain(a Alert, firing *Inhibitor, now time.Time) (Verdict, Trace) {
	var t Trace
	v := r.decide(a, firing, now, &t)
	return v, t
}

func (r *Router) decide(a Alert, firing *Inhibitor, now time.Time, t *Trace) Verdict {
	v := Verdict{Decisions: r.tree.decide(a, now, t)}
	for _, s := range r.silences.Of(a.Labels, now) {
		v.Suppressed = append(v.Suppressed, s.reason())
	}
	v.Suppressed = append(v.Suppressed, r.windows.of(a, now)...)
	v.Suppressed = append(v.Suppressed, firing.of(a)...)
	t.outcome(v)
	return v
}

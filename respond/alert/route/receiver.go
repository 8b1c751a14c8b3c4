// Package route decides who hears of an alert, and why.
//
// It is pure: a tree of routes, silences, inhibitions and an alert's labels go
// in, decisions with their traces come out. It holds no clock, no database and no
// open alert.
package route

import "strings"

// ReceiverKind tells what sort of receiver a route names.
type ReceiverKind string

// The kinds of receiver.
const (
	Owner    ReceiverKind = "owner"    // the team that owns the alert's service, by its own policy
	Policy   ReceiverKind = "policy"   // an escalation policy
	Channels ReceiverKind = "channels" // notification channels, which nobody has to acknowledge
)

// Receiver is who hears of an alert.
type Receiver struct {
	Kind ReceiverKind `json:"kind" enum:"owner,policy,channels"`
	// Name is that of the escalation policy.
	Name string `json:"name,omitempty"`
	// Channels are the names of notification channels.
	Channels []string `json:"channels,omitempty"`
}

// Key tells receivers apart: "owner", "policy:payments", "channels:a,b".
func (r Receiver) Key() string {
	switch r.Kind {
	case Policy:
		return "policy:" + r.Name
	case Channels:
		return "channels:" + strings.Join(r.Channels, ",")
	}
	return string(Owner)
}

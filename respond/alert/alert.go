// Package alert takes in what monitoring systems say is wrong, and makes of it
// what a person is told once.
//
// What arrives is made durable before it is answered, and only then looked at:
// one replica reads the intake log in order and keeps the book of open alerts.
// Alerts of one matter form a group; groups are what people are paged for and
// what they acknowledge. The room pages nobody itself: it tells the journal, and
// respond/page listens.
package alert

import (
	"encoding/json"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/respond/alert/format"
	"github.com/teiten/teiten/respond/alert/route"
)

// State is where an alert or a group stands. That it is silenced or inhibited is
// no state, but a reason computed beside it.
type State string

// The states, in order.
const (
	Firing       State = "firing"
	Acknowledged State = "acknowledged"
	Resolved     State = "resolved"
)

// The entries about an alert, whose data is an Event.
const (
	EntryFired          = "alert.fired"
	EntryAcknowledged   = "alert.acknowledged"
	EntryUnacknowledged = "alert.unacknowledged"
	EntryResolved       = "alert.resolved"
)

// The entries about a group of alerts, whose data is a Notice. A group opens with
// its first alert that nothing suppresses, and is resolved with its last.
// Reminded is told of a group that is still open after its repeat interval, and of
// one that was acknowledged and then forgotten.
const (
	EntryGroupOpened       = "alert.group_opened"
	EntryGroupJoined       = "alert.group_joined"
	EntryGroupAcknowledged = "alert.group_acknowledged"
	EntryGroupResolved     = "alert.group_resolved"
	EntryGroupReminded     = "alert.group_reminded"
)

// Ref is how the journal names an alert, and GroupRef a group.
func Ref(id string) journal.Ref { return journal.RefTo("alert", id) }

// GroupRef is how the journal names a group.
func GroupRef(id string) journal.Ref { return journal.RefTo("alert-group", id) }

// Notice is the data of the entries about a group: all that is needed to tell
// people of it. The id is new each time a group opens; it is the same from then
// to its end.
type Notice struct {
	Group    string         `json:"group"`
	Receiver route.Receiver `json:"receiver"`
	// Route is where the route that led here is written, "routing.yaml:12", empty for
	// the default one. Trace is how the decision came about, a route.Trace.
	Route string          `json:"route,omitempty"`
	Trace json.RawMessage `json:"trace,omitempty"`

	State    State           `json:"state"`
	Severity format.Severity `json:"severity"` // the worst of its open alerts
	Title    string          `json:"title"`
	Body     string          `json:"body,omitempty"` // of the first alert
	Service  string          `json:"service,omitempty"`
	Team     string          `json:"team,omitempty"` // that owns the service, by its name

	Labels   map[string]string `json:"labels,omitempty"` // what all its alerts have in common
	Alerts   []string          `json:"alerts"`           // ids of open alerts, the first of at most MostNamed
	Count    int               `json:"count"`            // of open alerts
	OpenedAt time.Time         `json:"openedAt"`
	Link     string            `json:"link"`             // path of its page
	Source   string            `json:"source,omitempty"` // the first alert's page where it came from
	Runbook  string            `json:"runbook,omitempty"`

	// Joined are the ids of alerts that are new in a group_joined. Worse says that
	// the group is more severe with them than it was.
	Joined []string `json:"joined,omitempty"`
	Worse  bool     `json:"worse,omitempty"`
	// Forgotten says of a group_reminded that the group had been acknowledged, and
	// that nothing came of it.
	Forgotten bool `json:"forgotten,omitempty"`
	// Cause is the group of a service that this one's depends on, and whose alert
	// came before.
	Cause string `json:"cause,omitempty"`
}

// MostNamed is how many alerts of a group a Notice names.
const MostNamed = 20

// Event is the data of the entries about one alert.
type Event struct {
	Alert       string            `json:"alert"`
	Fingerprint string            `json:"fingerprint"`
	Occurrence  int               `json:"occurrence"`
	Integration string            `json:"integration"`
	State       State             `json:"state"`
	Severity    format.Severity   `json:"severity"`
	Title       string            `json:"title"`
	Service     string            `json:"service,omitempty"`
	Team        string            `json:"team,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	FiredAt     time.Time         `json:"firedAt"`
	ResolvedAt  time.Time         `json:"resolvedAt,omitzero"`
	Groups      []string          `json:"groups,omitempty"`
	// Suppressed says what keeps people from being told, empty where nothing does.
	Suppressed string `json:"suppressed,omitempty"`
	Reason     string `json:"reason,omitempty"` // why it ended, where its source did not say that it did
}

package incident

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/teiten/teiten/observe/slo"
)

// The entries about an incident, whose data is a Told.
const (
	EntryDeclared    = "incident.declared"
	EntryActivated   = "incident.activated"
	EntryMitigated   = "incident.mitigated"
	EntryResolved    = "incident.resolved"
	EntryReopened    = "incident.reopened"
	EntryClosed      = "incident.closed"
	EntryDeclined    = "incident.declined"
	EntryMerged      = "incident.merged"   // another one stands for it
	EntryAbsorbed    = "incident.absorbed" // it stands for another one
	EntryChanged     = "incident.changed"
	EntryRanked      = "incident.severity_changed"
	EntryAssigned    = "incident.role_assigned"
	EntryAmended     = "incident.times_corrected"
	EntryLinked      = "incident.linked"
	EntryUnlinked    = "incident.unlinked"
	EntryNoted       = "incident.note_added"
	EntryCorrected   = "incident.note_corrected"
	EntryPinned      = "incident.pinned"
	EntryUnpinned    = "incident.unpinned"
	EntryTask        = "incident.task_changed"
	EntryUpdated     = "incident.update_posted"
	EntryOverdue     = "incident.update_overdue"
	EntryBurnChanged = "incident.burn_overridden"
)

// Told is the data of every entry about an incident: what is so afterwards, of
// which the impact is what debits read, and what happened.
type Told struct {
	slo.Impact
	Incident string   `json:"incident"`
	Title    string   `json:"title"`
	State    State    `json:"state"`
	Severity Severity `json:"severity"`
	Team     string   `json:"team,omitempty"`

	Changes  []Change `json:"changes,omitempty"`  // what is not as it was
	Text     string   `json:"text,omitempty"`     // a note or an update, in Markdown, or a reason
	Audience Audience `json:"audience,omitempty"` // of an update
	Role     Role     `json:"role,omitempty"`
	Person   *Person  `json:"person,omitempty"`
	Entry    string   `json:"entry,omitempty"` // that is pinned or corrected
	Task     string   `json:"task,omitempty"`
	Done     bool     `json:"done,omitempty"`
	Group    string   `json:"group,omitempty"` // of alerts, linked or not any more
	Link     *Link    `json:"link,omitempty"`
	Other    string   `json:"other,omitempty"`   // the incident that it is merged into, or that it absorbed
	Minutes  float64  `json:"minutes,omitempty"` // how long an update is overdue
}

// Change is one field that is not as it was.
type Change struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// about fills in what is so now, and what changed.
func (t *Told) about(before, after *Incident) {
	t.Incident, t.Title, t.State, t.Severity, t.Team = after.ID(), after.Title, after.State, after.Severity, after.Team
	t.Impact = slo.Impact{Services: after.Services, SLOs: after.SLOs, ImpactStart: after.Stamps.ImpactStart,
		MitigatedAt: after.Stamps.MitigatedAt, ResolvedAt: after.Stamps.ResolvedAt}
	if before != nil {
		t.Changes = differences(before, after)
	}
}

// differences are the fields that are not the same, in the order of their names.
// When updates are due is no news.
func differences(before, after *Incident) []Change {
	a, b := fields(before), fields(after)
	names := maps.Clone(a)
	maps.Copy(names, b)
	var all []Change
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if name != "version" && name != "updates" && !bytes.Equal(a[name], b[name]) {
			all = append(all, Change{name, a[name], b[name]})
		}
	}
	return all
}

func fields(i *Incident) map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	data, err := json.Marshal(i)
	if err == nil {
		err = json.Unmarshal(data, &all)
	}
	if err != nil {
		panic("incident: " + err.Error()) // values of our own can be written and read
	}
	return all
}

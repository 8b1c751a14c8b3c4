// Package incident keeps what is done about trouble that hurts people: who leads,
// what is known, what was tried, whom it hurt and for how long.
//
// An incident is a short row and a long story. The row holds what is so now; the
// story is the journal, of which the timeline is a view, so that nothing that
// happened can be rewritten: a correction is another entry. The room pages nobody
// and decides nothing about error budgets. It says in its entries when and whom it
// hurt, and the ledger's debits read that.
package incident

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// State is where an incident stands.
type State string

// The states, in order. Declined was none; for one that was merged another stands.
const (
	Triage    State = "triage"
	Active    State = "active"
	Mitigated State = "mitigated"
	Resolved  State = "resolved"
	Closed    State = "closed"
	Declined  State = "declined"
	Merged    State = "merged"
)

// Open reports whether people still work on an incident in this state.
func (s State) Open() bool { return s == Triage || s == Active || s == Mitigated }

// led reports whether an incident in this state has exactly one commander.
func (s State) led() bool { return s == Active || s == Mitigated }

// Role is what somebody does in an incident.
type Role string

// The roles.
const (
	Commander      Role = "commander"
	Operations     Role = "operations"
	Communications Role = "communications"
	Scribe         Role = "scribe"
)

// Roles are all of them, in the order in which they are shown.
var Roles = []Role{Commander, Operations, Communications, Scribe}

// Person is somebody who takes a part: by the name under which the catalog or an
// account knows them, and what people call them.
type Person struct {
	ID   string `json:"id" doc:"The name in the catalog, or the address of an account."`
	Name string `json:"name" doc:"What people call them."`
}

// Link leads to what belongs to the incident and is kept elsewhere.
type Link struct {
	Title string `json:"title" minLength:"1" maxLength:"200"`
	URL   string `json:"url" format:"uri" maxLength:"2000"`
}

// Waiver says why an incident needs no postmortem, and who said so.
type Waiver struct {
	Reason string        `json:"reason"`
	By     journal.Actor `json:"by"`
	At     time.Time     `json:"at"`
}

// Override is a figure that somebody put in the place of a computed one.
type Override struct {
	Minutes float64       `json:"minutes" minimum:"0" doc:"Minutes of error budget."`
	Reason  string        `json:"reason"`
	By      journal.Actor `json:"by"`
	At      time.Time     `json:"at"`
}

// Incident is what is so now. Number is its name, INC-42. Version grows with each
// change.
type Incident struct {
	Number   int64    `json:"number"`
	Version  int64    `json:"version"`
	State    State    `json:"state"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	Summary  string   `json:"summary,omitempty"`
	Team     string   `json:"team,omitempty"`
	Services []string `json:"services"`
	SLOs     []string `json:"slos,omitempty"` // only these of the services; all where there are none

	Stamps        Stamps    `json:"stamps"`
	UsersAffected *float64  `json:"usersAffected,omitempty"` // 0 to 1
	Burned        *Override `json:"burned,omitempty"`

	Roles      map[Role]Person    `json:"roles"`
	Groups     []string           `json:"groups,omitempty"` // ids of alert groups
	Links      []Link             `json:"links,omitempty"`
	Pinned     []string           `json:"pinned,omitempty"` // ids of entries
	Tasks      []Task             `json:"tasks,omitempty"`
	Updates    map[Audience]Clock `json:"updates,omitempty"`
	Waiver     *Waiver            `json:"waiver,omitempty"`
	Into       int64              `json:"mergedInto,omitempty"`
	DeclaredAt time.Time          `json:"declaredAt"`
	DeclaredBy journal.Actor      `json:"declaredBy"`
	EndedAt    time.Time          `json:"endedAt,omitzero"` // closed, declined or merged
}

// ID is how people and the journal call it.
func (i *Incident) ID() string { return Name(i.Number) }

// Name is how the incident of a number is called.
func Name(number int64) string { return "INC-" + strconv.FormatInt(number, 10) }

// Number is the number of the incident that is called so, in any case of letters
// and with or without INC-.
func Number(name string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(name)), "INC-"), 10, 64)
	if err != nil || n < 1 {
		return 0, notThere(name)
	}
	return n, nil
}

// Ref is how the journal names an incident.
func Ref(number int64) journal.Ref { return journal.RefTo("incident", Name(number)) }

func notThere(name string) error {
	return fault.New(fault.NotFound, "incident.not_found", text.Say("there is no incident %q", "%q というインシデントはありません", name)).
		Fix(text.Say("`teiten incident list` lists them", "`teiten incident list` で一覧できます"))
}

// clone is a copy that shares nothing with i, for a transition to change.
func (i Incident) clone() Incident {
	i.Services, i.SLOs = slices.Clone(i.Services), slices.Clone(i.SLOs)
	i.Roles, i.Updates = maps.Clone(i.Roles), maps.Clone(i.Updates)
	i.Groups, i.Links = slices.Clone(i.Groups), slices.Clone(i.Links)
	i.Pinned, i.Tasks = slices.Clone(i.Pinned), slices.Clone(i.Tasks)
	if i.Roles == nil {
		i.Roles = map[Role]Person{}
	}
	return i
}

// Activate ends the triage: it is an incident, and somebody leads it.
func (i Incident) Activate(now time.Time) (Incident, error) {
	if i.State != Triage {
		return i, i.refuse("activated", "対応開始にできません")
	}
	i = i.clone()
	i.State = Active
	if _, ok := i.Roles[Commander]; !ok {
		return i, needsCommander(&i)
	}
	i.Stamps.AcknowledgedAt = earliest(i.Stamps.AcknowledgedAt, now)
	return i, i.Stamps.Check()
}

func needsCommander(i *Incident) error {
	return fault.New(fault.Invalid, "incident.no_commander", text.Say("%s has no commander", "%s には指揮官がいません", i.ID())).
		Fix(text.Say("say who leads it", "指揮官を指定してください")).On("body.commander")
}

// Mitigate says that it no longer hurts since at.
func (i Incident) Mitigate(at, now time.Time) (Incident, error) {
	if i.State != Active {
		return i, i.refuse("mitigated", "緩和済みにできません")
	}
	if at.After(now) {
		return i, inTheFuture("body.at")
	}
	i = i.clone()
	i.State, i.Stamps.MitigatedAt = Mitigated, at
	return i, i.Stamps.Check()
}

// Resolve says that what was wrong is repaired since at; an incident that was not
// mitigated before hurt until then.
func (i Incident) Resolve(at, now time.Time) (Incident, error) {
	if i.State != Active && i.State != Mitigated {
		return i, i.refuse("resolved", "解決済みにできません")
	}
	if at.After(now) {
		return i, inTheFuture("body.at")
	}
	i = i.clone()
	i.State, i.Stamps.ResolvedAt = Resolved, at
	if i.Stamps.MitigatedAt.IsZero() {
		i.Stamps.MitigatedAt = at
	}
	i.Updates = nil
	return i, i.Stamps.Check()
}

// Reopen says that it hurts again, or still. When it was thought to be over stays
// in the journal.
func (i Incident) Reopen(p *Policy, now time.Time) (Incident, error) {
	if i.State != Mitigated && i.State != Resolved && i.State != Closed {
		return i, i.refuse("reopened", "再開できません")
	}
	i = i.clone()
	i.State, i.EndedAt, i.Waiver = Active, time.Time{}, nil
	i.Stamps.MitigatedAt, i.Stamps.ResolvedAt = time.Time{}, time.Time{}
	i.startClocks(p, now)
	if _, ok := i.Roles[Commander]; !ok {
		return i, needsCommander(&i)
	}
	return i, nil
}

// Close ends a resolved incident once something was learned from it: its
// postmortem is published, or somebody waived it with a reason (I4).
func (i Incident) Close(published bool, waiver *Waiver, now time.Time) (Incident, error) {
	if i.State != Resolved {
		return i, i.refuse("closed", "クローズできません")
	}
	if !published && (waiver == nil || strings.TrimSpace(waiver.Reason) == "") {
		return i, fault.New(fault.Invalid, "incident.no_postmortem", text.Say("%s has no published postmortem", "%s のポストモーテムが公開されていません", i.ID())).
			Fix(text.Say("publish it, or say why none is needed", "公開するか、不要な理由を書いてください")).On("body.waive")
	}
	i = i.clone()
	i.State, i.EndedAt = Closed, now
	if !published {
		i.Waiver = waiver
	}
	return i, nil
}

// Decline says that it was no incident.
func (i Incident) Decline(now time.Time) (Incident, error) {
	if !i.State.Open() {
		return i, i.refuse("declined", "インシデントではないとすることはできません")
	}
	i = i.clone()
	i.State, i.EndedAt, i.Updates = Declined, now, nil
	return i, nil
}

// MergeInto lets another incident stand for this one. What hung on it hangs on
// the other from now on, which hurt from the earlier of the two beginnings.
func (i Incident) MergeInto(other Incident, now time.Time) (from, into Incident, err error) {
	if i.Number == other.Number {
		return i, other, fault.New(fault.Invalid, "incident.merge_itself", text.Say("an incident cannot be merged into itself", "自分自身には統合できません")).
			Fix(text.Say("name another one", "別のインシデントを指定してください")).On("body.into")
	}
	if !i.State.Open() {
		return i, other, i.refuse("merged", "統合できません")
	}
	if !other.State.Open() {
		return i, other, fault.New(fault.Conflict, "incident.merge_ended", text.Say("%s is %s: nothing can be merged into it", "%s は「%s」なので、統合先にできません", other.ID(), other.State)).
			Fix(text.Say("reopen it first, or merge the other way round", "先に再開するか、逆向きに統合してください")).On("body.into")
	}
	from, into = i.clone(), other.clone()
	into.Services = union(into.Services, from.Services)
	into.Groups = union(into.Groups, from.Groups)
	if len(into.SLOs) > 0 {
		into.SLOs = union(into.SLOs, from.SLOs)
	}
	for _, l := range from.Links {
		if !slices.Contains(into.Links, l) {
			into.Links = append(into.Links, l)
		}
	}
	into.Stamps.ImpactStart = earliest(into.Stamps.ImpactStart, from.Stamps.ImpactStart)
	into.Stamps.DetectedAt = earliest(into.Stamps.DetectedAt, from.Stamps.DetectedAt)
	from.State, from.EndedAt, from.Into, from.Groups, from.Updates = Merged, now, other.Number, nil, nil
	return from, into, into.Stamps.Check()
}

// Assign gives a role to somebody, instead of whoever had it, or takes it from
// them where p is nobody. An incident that is led cannot be without a commander (I2).
func (i Incident) Assign(r Role, p Person) (Incident, error) {
	if !slices.Contains(Roles, r) {
		return i, fault.New(fault.Invalid, "incident.role", text.Say("there is no role %q", "%q という役割はありません", r)).
			Fix(text.Say("use commander, operations, communications or scribe", "commander、operations、communications、scribe のいずれかにしてください")).On("path.role")
	}
	if !i.State.Open() && i.State != Resolved {
		return i, i.refuse("changed", "役割を変更できません")
	}
	i = i.clone()
	if p.ID == "" {
		delete(i.Roles, r)
	} else {
		i.Roles[r] = p
	}
	if _, ok := i.Roles[Commander]; !ok && i.State.led() {
		return i, needsCommander(&i)
	}
	return i, nil
}

// Amend corrects when things happened (I1). What is zero in s stays as it is.
func (i Incident) Amend(s Stamps, now time.Time) (Incident, error) {
	if i.State == Declined || i.State == Merged {
		return i, i.refuse("changed", "時刻を変更できません")
	}
	i = i.clone()
	if err := i.Stamps.amend(s, i.State, now); err != nil {
		return i, err
	}
	return i, i.Stamps.Check()
}

// refuse is the error of a transition that the state does not allow.
func (i *Incident) refuse(verb, ja string) error {
	return fault.New(fault.Conflict, "incident.state",
		text.Both{EN: fmt.Sprintf("%s is %s and cannot be %s", i.ID(), i.State, verb), JA: fmt.Sprintf("%s は%sなので、%s", i.ID(), i.State.text().JA, ja)}).
		Fix(text.Say("look at it again: somebody may have been quicker", "もう一度開いて状態を確かめてください。ほかの人が先に操作した可能性があります"))
}

// text is the state as people read it.
func (s State) text() text.Both {
	switch s {
	case Triage:
		return text.Say("in triage", "確認中")
	case Active:
		return text.Say("active", "対応中")
	case Mitigated:
		return text.Say("mitigated", "緩和済み")
	case Resolved:
		return text.Say("resolved", "解決済み")
	case Closed:
		return text.Say("closed", "クローズ済み")
	case Declined:
		return text.Say("declined", "対象外")
	case Merged:
		return text.Say("merged", "統合済み")
	}
	return text.Both{EN: string(s), JA: string(s)}
}

func union(a, b []string) []string {
	for _, x := range b {
		if !slices.Contains(a, x) {
			a = append(a, x)
		}
	}
	return a
}

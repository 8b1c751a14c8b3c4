package incident

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo"
)

// Summary is an incident in a list.
type Summary struct {
	ID         string     `json:"id" doc:"INC-42"`
	State      State      `json:"state" enum:"triage,active,mitigated,resolved,closed,declined,merged"`
	Severity   Severity   `json:"severity" enum:"SEV1,SEV2,SEV3,SEV4,SEV5"`
	Title      string     `json:"title"`
	Team       string     `json:"team,omitempty"`
	Services   []string   `json:"services"`
	Commander  *Person    `json:"commander,omitempty"`
	Stamps     Stamps     `json:"stamps"`
	Times      Times      `json:"times" doc:"How long things took, as far as they are over."`
	DeclaredAt time.Time  `json:"declaredAt"`
	EndedAt    *time.Time `json:"endedAt,omitempty" doc:"When it was closed, declined or merged."`
	UpdateDue  *time.Time `json:"updateDue,omitempty" doc:"When the next status update is due."`
}

// Detail is all that is so now.
type Detail struct {
	Summary
	Version       int64         `json:"version" doc:"Grows with each change; the ETag is made of it."`
	Description   string        `json:"summary,omitempty"`
	SLOs          []string      `json:"slos,omitempty" doc:"Only these of the services' objectives are hurt; all where there are none."`
	UsersAffected *float64      `json:"usersAffected,omitempty" doc:"Share of the users who were hurt, 0 to 1."`
	Burned        *Override     `json:"burned,omitempty" doc:"Minutes of error budget that somebody put in the place of the computed ones."`
	Assigned      []Assignment  `json:"roles" doc:"Every role, with who has it."`
	Groups        []string      `json:"alertGroups"`
	Links         []Link        `json:"links"`
	Pinned        []string      `json:"pinned" doc:"Entries of the timeline that are kept in view."`
	Tasks         []Task        `json:"tasks"`
	Updates       []Due         `json:"updates" doc:"Who is told how things stand, and when the next update is due."`
	Waiver        *Waiver       `json:"waiver,omitempty" doc:"Why there is no postmortem."`
	MergedInto    string        `json:"mergedInto,omitempty"`
	DeclaredBy    journal.Actor `json:"declaredBy"`
	Can           []string      `json:"can" doc:"The transitions that its state allows."`
}

// Assignment is a role and who has it.
type Assignment struct {
	Role   Role    `json:"role" enum:"commander,operations,communications,scribe"`
	Person *Person `json:"person,omitempty"`
}

// Due is when an audience is told next.
type Due struct {
	Audience Audience  `json:"audience" enum:"team,stakeholders,public"`
	Every    string    `json:"every" doc:"How often, such as 30m0s."`
	At       time.Time `json:"at"`
	Overdue  bool      `json:"overdue"`
}

func summarise(i *Incident) Summary {
	x := Summary{ID: i.ID(), State: i.State, Severity: i.Severity, Title: i.Title, Team: i.Team, Services: i.Services,
		Stamps: i.Stamps, Times: i.Stamps.Times(), DeclaredAt: i.DeclaredAt}
	if p, ok := i.Roles[Commander]; ok {
		x.Commander = &p
	}
	if !i.EndedAt.IsZero() {
		x.EndedAt = &i.EndedAt
	}
	for _, c := range i.Updates {
		if x.UpdateDue == nil || c.Due.Before(*x.UpdateDue) {
			x.UpdateDue = &c.Due
		}
	}
	return x
}

// detail is the view of an incident at an instant.
func detail(i *Incident, now time.Time) Detail {
	x := Detail{Summary: summarise(i), Version: i.Version, Description: i.Summary, SLOs: i.SLOs, UsersAffected: i.UsersAffected, Burned: i.Burned,
		Groups: orNone(i.Groups), Links: orNone(i.Links), Pinned: orNone(i.Pinned), Tasks: orNone(i.Tasks), Updates: []Due{},
		Waiver: i.Waiver, DeclaredBy: i.DeclaredBy, Can: i.can()}
	for _, r := range Roles {
		a := Assignment{Role: r}
		if p, ok := i.Roles[r]; ok {
			a.Person = &p
		}
		x.Assigned = append(x.Assigned, a)
	}
	for _, a := range Audiences {
		if c, ok := i.Updates[a]; ok {
			x.Updates = append(x.Updates, Due{Audience: a, Every: c.Every.String(), At: c.Due, Overdue: !c.Due.After(now)})
		}
	}
	if i.Into > 0 {
		x.MergedInto = Name(i.Into)
	}
	return x
}

func orNone[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// transitions are what each state allows.
var transitions = []struct {
	name string
	from []State
}{
	{"activate", []State{Triage}},
	{"mitigate", []State{Active}},
	{"resolve", []State{Active, Mitigated}},
	{"reopen", []State{Mitigated, Resolved, Closed}},
	{"close", []State{Resolved}},
	{"decline", []State{Triage, Active, Mitigated}},
	{"merge", []State{Triage, Active, Mitigated}},
}

// can are the transitions that the state allows.
func (i *Incident) can() []string {
	all := []string{}
	for _, t := range transitions {
		if slices.Contains(t.from, i.State) {
			all = append(all, t.name)
		}
	}
	return all
}

// Burned is what the incident burned of error budgets.
type Burned struct {
	Computed float64    `json:"computedMinutes" doc:"The most that it burned of one objective, in minutes of its budget: objectives of the same users are not added up."`
	Override *Override  `json:"override,omitempty" doc:"What counts instead, and why."`
	Items    []slo.Burn `json:"items" doc:"By objective, the largest part of a budget first."`
}

// Burn computes what the incident burned, in the windows that end when it was
// resolved, or now.
func (s *Service) Burn(ctx context.Context, name string) (Burned, error) {
	i, err := s.Get(ctx, name)
	if err != nil {
		return Burned{}, err
	}
	return s.burnOf(ctx, &i)
}

func (s *Service) burnOf(ctx context.Context, i *Incident) (Burned, error) {
	b := Burned{Override: i.Burned, Items: []slo.Burn{}}
	if i.State == Declined || i.State == Merged {
		return b, nil // it explains nothing
	}
	to := i.Stamps.ResolvedAt
	if to.IsZero() {
		to = s.now()
	}
	items, err := s.budgets.Burned(ctx, Ref(i.Number), i.Services, i.SLOs, to)
	if err != nil {
		return b, err
	}
	for _, x := range items {
		b.Computed = max(b.Computed, x.Minutes)
	}
	b.Items = orNone(items)
	return b, nil
}

// PolicyView is a policy as the API tells it.
type PolicyView struct {
	Name       string      `json:"name,omitempty" doc:"The document's; empty for the one that is in force without any."`
	Severities []LevelView `json:"severities"`
}

// LevelView is one severity.
type LevelView struct {
	Severity  Severity  `json:"severity" enum:"SEV1,SEV2,SEV3,SEV4,SEV5"`
	Title     text.Both `json:"title"`
	Criteria  text.Both `json:"criteria"`
	Updates   []Due     `json:"updates" doc:"Only audience and every are set."`
	Checklist []string  `json:"checklist"`
}

func viewOf(p *Policy) PolicyView {
	v := PolicyView{Name: p.Name}
	for _, l := range p.Levels {
		x := LevelView{Severity: l.Severity, Title: l.Title, Criteria: l.Criteria, Updates: []Due{}, Checklist: orNone(l.Checklist)}
		for _, a := range Audiences {
			if every, ok := l.Updates[a]; ok {
				x.Updates = append(x.Updates, Due{Audience: a, Every: every.String()})
			}
		}
		v.Severities = append(v.Severities, x)
	}
	return v
}

func etag(i *Incident) string { return httpapi.ETag(i.ID(), strconv.FormatInt(i.Version, 10)) }

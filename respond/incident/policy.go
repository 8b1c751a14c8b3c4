package incident

import (
	"slices"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/format"
)

// Severity is how bad an incident is: SEV1, the worst, to SEV5.
type Severity string

// Severities are all of them, from the worst.
var Severities = []Severity{"SEV1", "SEV2", "SEV3", "SEV4", "SEV5"}

// Audience is whom a status update is for.
type Audience string

// The audiences.
const (
	Team         Audience = "team"
	Stakeholders Audience = "stakeholders"
	Public       Audience = "public"
)

// Audiences are all of them.
var Audiences = []Audience{Team, Stakeholders, Public}

// Policy says what each severity means and asks for.
type Policy struct {
	Name   string
	Levels []Level // one for each severity, from the worst
}

// Level is what one severity means and asks for.
type Level struct {
	Severity  Severity
	Title     text.Both
	Criteria  text.Both
	Updates   map[Audience]time.Duration // an update is due so often
	Checklist []string
}

// level is what a severity asks for.
func (p *Policy) level(s Severity) *Level {
	i := slices.IndexFunc(p.Levels, func(l Level) bool { return l.Severity == s })
	if i < 0 {
		return &Level{Severity: s}
	}
	return &p.Levels[i]
}

// DefaultPolicy is in force where no document says otherwise.
func DefaultPolicy() *Policy {
	every := func(stakeholders, public time.Duration) map[Audience]time.Duration {
		u := map[Audience]time.Duration{}
		if stakeholders > 0 {
			u[Stakeholders] = stakeholders
		}
		if public > 0 {
			u[Public] = public
		}
		return u
	}
	return &Policy{Levels: []Level{
		{Severity: "SEV1", Title: text.Say("Most customers cannot use the service", "大半の利用者がサービスを使えない"),
			Criteria: text.Say("A service of the first tier is down or data is being lost.", "最重要のサービスが停止している、またはデータが失われている。"), Updates: every(30*time.Minute, time.Hour)},
		{Severity: "SEV2", Title: text.Say("Many customers are hurt", "多くの利用者に影響がある"),
			Criteria: text.Say("A main way through the product fails for some, or is slow for all.", "主要な機能が一部の利用者で失敗する、または全体で遅い。"), Updates: every(time.Hour, 2*time.Hour)},
		{Severity: "SEV3", Title: text.Say("Some customers are hurt", "一部の利用者に影響がある"),
			Criteria: text.Say("Something fails for few, or there is a way around it.", "少数の利用者で失敗する、または回避策がある。"), Updates: every(4*time.Hour, 0)},
		{Severity: "SEV4", Title: text.Say("Hardly anybody is hurt", "影響はごくわずか"),
			Criteria: text.Say("It can wait for working hours.", "業務時間まで待てる。")},
		{Severity: "SEV5", Title: text.Say("Nobody is hurt yet", "まだ影響はない"),
			Criteria: text.Say("A safeguard is gone, or something was noticed that will hurt.", "冗長性が失われた、またはいずれ影響が出ることがわかった。")},
	}}
}

// Suggested is the severity to begin with where an alert is all that is known.
func Suggested(s format.Severity) Severity {
	switch s {
	case format.Critical:
		return "SEV2"
	case format.Error:
		return "SEV3"
	case format.Info:
		return "SEV5"
	}
	return "SEV4"
}

// Task is one thing that a severity asks to be done.
type Task struct {
	Text   string    `json:"text"`
	DoneAt time.Time `json:"doneAt,omitzero"`
	DoneBy string    `json:"doneBy,omitempty"`
}

// Clock says when an update for an audience is due, and how often.
type Clock struct {
	Every time.Duration `json:"every"`
	Due   time.Time     `json:"due"`
	Told  time.Time     `json:"told,omitzero"` // the due time whose passing was told of
}

// Rank changes how bad it is. Tasks of the new severity are added, those of the
// old one stay; updates are due as the new one says, no later than before.
func (i Incident) Rank(s Severity, p *Policy, now time.Time) (Incident, error) {
	if !slices.Contains(Severities, s) {
		return i, fault.New(fault.Invalid, "incident.severity", text.Say("there is no severity %q", "%q という重大度はありません", s)).
			Fix(text.Say("use SEV1 to SEV5", "SEV1 から SEV5 のいずれかにしてください")).On("body.severity")
	}
	if i.State == Declined || i.State == Merged {
		return i, i.refuse("changed", "重大度を変更できません")
	}
	i = i.clone()
	i.Severity = s
	for _, t := range p.level(s).Checklist {
		if !slices.ContainsFunc(i.Tasks, func(x Task) bool { return x.Text == t }) {
			i.Tasks = append(i.Tasks, Task{Text: t})
		}
	}
	before := i.Updates
	i.startClocks(p, now)
	for a, c := range i.Updates {
		if b, ok := before[a]; ok && b.Due.Before(c.Due) {
			c.Due, c.Told = b.Due, b.Told
			i.Updates[a] = c
		}
	}
	return i, nil
}

// startClocks has updates be due from now on, while it is led.
func (i *Incident) startClocks(p *Policy, now time.Time) {
	i.Updates = nil
	if !i.State.led() {
		return
	}
	for a, every := range p.level(i.Severity).Updates {
		if i.Updates == nil {
			i.Updates = map[Audience]Clock{}
		}
		i.Updates[a] = Clock{Every: every, Due: now.Add(every)}
	}
}

// Said notes that an audience was given an update; the next one is due an
// interval later.
func (i Incident) Said(a Audience, now time.Time) Incident {
	i = i.clone()
	if c, ok := i.Updates[a]; ok {
		i.Updates[a] = Clock{Every: c.Every, Due: now.Add(c.Every)}
	}
	return i
}

// Overdue are the audiences whose update was due and who were not told so yet.
// Each further interval without an update is told of again.
func (i *Incident) Overdue(now time.Time) []Audience {
	var late []Audience
	for _, a := range Audiences {
		if c, ok := i.Updates[a]; ok && !c.Due.After(now) && (c.Told.IsZero() || !c.Told.Add(c.Every).After(now)) {
			late = append(late, a)
		}
	}
	return late
}

// told notes that it was said that an update is overdue.
func (i *Incident) told(a Audience, now time.Time) {
	c := i.Updates[a]
	c.Told = now
	i.Updates[a] = c
}

// nextLook is when an update is overdue next; zero where none is due.
func (i *Incident) nextLook() time.Time {
	var next time.Time
	for _, c := range i.Updates {
		at := c.Due
		if !c.Told.IsZero() {
			at = c.Told.Add(c.Every)
		}
		next = earliest(next, at)
	}
	return next
}

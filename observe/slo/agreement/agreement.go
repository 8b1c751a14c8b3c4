// Package agreement keeps what stakeholders agreed of service level objectives:
// versions of the terms, who gave which word on them, and which one is in force.
//
// An objective under agreement is promised by its stakeholders, in versions:
//
//	AG1 What a version says is never rewritten; a change is another version.
//	AG2 Once a version was in force, exactly one is, until the SLO leaves
//	    agreement or is removed.
//	AG3 The version in force is what is executed. Before the first one is, the
//	    proposed terms are.
//	AG4 A version comes into force when each of its stakeholders has agreed as
//	    their last word, or an owner of the service waives the rest with a reason.
//	AG5 A version whose place another one took is never in force again.
//
// Which terms are executed is all that other packages learn; it knows nothing of
// budgets.
package agreement

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// The words that may be said to a version.
const (
	wordAgree   = "agree"
	wordDecline = "decline"
	wordWaive   = "waive"
)

// required is what the annotation of an SLO under agreement says.
const required = "required"

// Terms are what is agreed of an SLO.
type Terms struct {
	Objectives      []openslo.Objective  `json:"objectives"`
	TimeWindow      []openslo.TimeWindow `json:"timeWindow,omitempty"`
	BudgetingMethod string               `json:"budgetingMethod,omitempty"`
}

func termsOf(o *openslo.SLO) Terms {
	return Terms{o.Spec.Objectives, o.Spec.TimeWindow, o.Spec.BudgetingMethod}
}

// same reports whether two terms say the same, as they are stored.
func (t Terms) same(o Terms) bool { return database.JSON(t) == database.JSON(o) }

// say tells the terms in one sentence: 99.95% over 30 days.
func (t Terms) say() text.Both {
	var targets []string
	for _, o := range t.Objectives {
		targets = append(targets, percent(o.Share()))
	}
	spec := openslo.SLOSpec{TimeWindow: t.TimeWindow}
	all, window := strings.Join(targets, ", "), spec.Window()
	if window.Calendar == nil {
		return text.Say("%s over %s", "%[2]sで%[1]s", all, burn.Spoken(window.Nominal()))
	}
	return text.Say("%s in each window of the calendar: %s", "暦の期間(%[2]s)ごとに%[1]s", all, calendar(window.Calendar))
}

// percent writes a share with every digit that it was written with.
func percent(share float64) string {
	return strconv.FormatFloat(math.Round(share*1e10)/1e8, 'f', -1, 64) + "%"
}

var units = map[budgeting.Unit]text.Both{
	budgeting.Minutes:  {EN: "minute", JA: "分"},
	budgeting.Hours:    {EN: "hour", JA: "時間"},
	budgeting.Days:     {EN: "day", JA: "日"},
	budgeting.Weeks:    {EN: "week", JA: "週"},
	budgeting.Months:   {EN: "month", JA: "か月"},
	budgeting.Quarters: {EN: "quarter", JA: "四半期"},
	budgeting.Years:    {EN: "year", JA: "年"},
}

// calendar tells how long a window of the calendar is, and where: 1 month (Asia/Tokyo).
func calendar(c *budgeting.Calendar) text.Both {
	unit := units[c.Unit]
	if c.Every != 1 {
		unit.EN += "s"
	}
	return text.Say("%d %s (%s)", "%d%s、%s", c.Every, unit, c.Zone)
}

// Version is one version of what is agreed of an SLO.
type Version struct {
	SLO          string
	Number       int64
	Terms        Terms
	Stakeholders []string // whose word it needs
	ProposedAt   time.Time
	ProposedBy   journal.Actor
	AgreedAt     time.Time // zero until then, as those below
	InForceAt    time.Time
	SupersededAt time.Time
}

// State is where the version stands: proposed, in force, superseded when it was
// in force, withdrawn when another one was proposed before it was.
func (v *Version) State() string {
	switch {
	case !v.SupersededAt.IsZero() && !v.InForceAt.IsZero():
		return "superseded"
	case !v.SupersededAt.IsZero():
		return "withdrawn"
	case !v.InForceAt.IsZero():
		return "in_force"
	}
	return "proposed"
}

// Word is what was said to a version.
type Word struct {
	Version     int64
	Stakeholder string // empty for a waiver
	Word        string
	Comment     string
	At          time.Time
	By          journal.Actor
}

// versions are those of one SLO that matter to its future; nil where there is
// none.
type versions struct{ inForce, proposed *Version }

// open finds what is in force and what is proposed among all versions.
func open(all []Version) (v versions) {
	for i := range all {
		switch a := &all[i]; {
		case !a.SupersededAt.IsZero():
		case !a.InForceAt.IsZero():
			v.inForce = a
		default:
			v.proposed = a
		}
	}
	return v
}

// settled reports whether nothing is missing for a version to come into force.
// The words are in the order in which they were said.
func (v *Version) settled(words []Word) bool {
	last := map[string]string{}
	for _, w := range words {
		if w.Version == v.Number {
			last[w.Stakeholder] = w.Word
		}
	}
	return last[""] == wordWaive || !slices.ContainsFunc(v.Stakeholders, func(name string) bool { return last[name] != wordAgree })
}

// speaksFor reports whether a principal's word is that of a stakeholder: the
// person themselves, an owner of the team, or somebody of the role.
func speaksFor(p access.Principal, stakeholder string) bool {
	kind, name, _ := strings.Cut(stakeholder, ":")
	switch kind {
	case "team":
		return slices.Contains(p.Owns, "team:"+strings.ToLower(name))
	case "user":
		return p.UserID != "" && (strings.EqualFold(p.Login, name) || p.UserID == name)
	case "role":
		return p.Role.AtLeast(access.Role(name)) && access.Role(name).Valid()
	}
	return false
}

// Brief is how an objective stands with its stakeholders.
type Brief struct {
	State    string `json:"state" enum:"none,proposed,in_force,changing" doc:"Changing: a version is in force and another one is proposed."`
	Version  int64  `json:"version,omitempty" doc:"The version in force."`
	Proposed int64  `json:"proposed,omitempty" doc:"The version that waits for its stakeholders."`
}

// named fills in the state.
func (b Brief) named() Brief {
	switch {
	case b.Version != 0 && b.Proposed != 0:
		b.State = "changing"
	case b.Version != 0:
		b.State = "in_force"
	case b.Proposed != 0:
		b.State = "proposed"
	default:
		b.State = "none"
	}
	return b
}

// Package page finds a person who answers, and does not give up before one did.
//
// It hears of groups of alerts and of what became of them. For each it begins a
// run: the steps of an escalation policy, one after the other, until somebody
// acknowledges, the matter is over, or it was handed on to the fallback. At each
// step the people are those on call at that moment, and each is reached by
// methods of their own, in the order and with the delays that they chose. Nobody
// is never an outcome: where a step finds nobody, the fallback is paged and the
// gap is on record.
//
// What is to be sent is stored before it is sent, with the run's own state, in
// one transaction; carrying it is notify's. Which step comes when is a pure
// function (package run): a restart or a wrong clock makes up for nothing.
package page

import (
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert"
	"github.com/teiten/teiten/respond/page/run"
)

// The entries about a page.
const (
	EntrySent         = "page.sent"         // a step asked somebody
	EntryAcknowledged = "page.acknowledged" // somebody answered
	EntryEscalated    = "page.escalated"    // nobody answered in time: the next step comes
	EntryExhausted    = "page.exhausted"    // nobody answered at all: handed on to the fallback
	EntryGap          = "page.gap"          // a step found nobody who can be reached
	EntryUndelivered  = "page.undelivered"  // a method did not deliver: the others follow at once
	EntryCapped       = "page.capped"       // a person had as many messages of one event as anybody gets
	EntryEnded        = "page.ended"        // the matter was over before anybody answered
)

// State is where a page stands.
type State string

// The states of a page. Exhausted was handed on and can still be acknowledged;
// told is one for which no policy and no person was there, only channels.
const (
	Paging       State = "paging"
	Acknowledged State = "acknowledged"
	Resolved     State = "resolved"
	Exhausted    State = "exhausted"
	Told         State = "told"
)

// Page is the effort to have somebody answer for one group of alerts.
type Page struct {
	ID             string
	Group          string
	Policy         Policy // as it was when the page began; without a name where none applied
	Team           string
	Severity       string
	State          State
	Notice         alert.Notice
	BeganAt        time.Time
	Taken          bool
	Round, Step    int
	StepAt         time.Time
	AcknowledgedAt time.Time
	AcknowledgedBy journal.Actor
	EndedAt        time.Time
}

// Ref is how the journal names a page.
func Ref(id string) journal.Ref { return journal.RefTo("page", id) }

// open reports whether somebody is still being looked for.
func (p Page) open() bool { return p.State == Paging }

// facts are what package run has to know.
func (p Page) facts() run.Facts {
	return run.Facts{
		Began: p.BeganAt, Severity: p.Severity, Stopped: p.State == Acknowledged || p.State == Resolved || p.State == Told,
		Fallen: p.State == Exhausted, Taken: p.Taken, Round: p.Round, Step: p.Step, At: p.StepAt,
	}
}

// acknowledged is the page after somebody answered. A second answer changes
// nothing, and one to what is over is refused.
func (p Page) acknowledged(by journal.Actor, now time.Time) (Page, bool, error) {
	switch p.State {
	case Acknowledged:
		return p, false, nil
	case Resolved:
		return p, false, fault.New(fault.Conflict, "page.over",
			text.Say("the matter is over: there is nothing to acknowledge", "この件はすでに終わっています。確認応答は必要ありません"))
	}
	p.State, p.AcknowledgedAt, p.AcknowledgedBy = Acknowledged, now, by
	return p, true, nil
}

// Urgency is how a person is to be reached: by day and night, or when it suits.
type Urgency string

// The urgencies.
const (
	High Urgency = "high"
	Low  Urgency = "low"
)

// urgencyOf is the urgency of an alert's severity. What says nothing of its
// severity is urgent.
func urgencyOf(severity string) Urgency {
	switch severity {
	case "warning", "info":
		return Low
	}
	return High
}

// Target is somebody or something that a step reaches, by kind and name:
// "schedule:payments-primary", "user:aoi", "team:payments", "channel:ops".
type Target string

// The kinds of target.
const (
	ToSchedule = "schedule"
	ToUser     = "user"
	ToTeam     = "team"
	ToChannel  = "channel"
)

func (t Target) parts() (kind, name string) {
	kind, name, ok := strings.Cut(string(t), ":")
	if !ok {
		return "", ""
	}
	return kind, name
}

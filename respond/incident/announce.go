package incident

import (
	"encoding/json"
	"fmt"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/notice"
)

// announced are the entries that channels can hear.
var announced = []string{EntryDeclared, EntryActivated, EntryMitigated, EntryResolved, EntryReopened, EntryClosed, EntryRanked, EntryUpdated, EntryOverdue}

// Announcements say how the room's entries become messages, for channels that name
// them. An update that is overdue is heard by all that hear alerts.
func Announcements() map[string]notify.Announcement {
	all := map[string]notify.Announcement{}
	for _, kind := range announced {
		all[kind] = notify.Announcement{Alert: kind == EntryOverdue, Write: write}
	}
	return all
}

// write makes a message of an entry. All messages about an incident are one
// thread.
func write(e journal.Entry, site notify.Site) (notify.Message, notify.Audience) {
	var t Told
	_ = json.Unmarshal(e.Data, &t) // a bare message is better than none
	said := what(Moment{Kind: e.Kind, Data: e.Data, Actor: e.Actor})
	m := notify.Message{Thread: string(e.Subject), Severity: severity(e.Kind, t.Severity), Link: site.Page("incidents", t.Incident),
		Title: text.Both{EN: fmt.Sprintf("[%s %s] %s: %s", t.Incident, t.Severity, t.Title, t.State.text().EN),
			JA: fmt.Sprintf("【%s %s】%s: %s", t.Incident, t.Severity, t.Title, t.State.text().JA)},
		Body: text.Both{EN: e.Actor.Name + " " + said.EN, JA: e.Actor.Name + said.JA},
	}
	if t.Text != "" {
		m.Body = text.Both{EN: m.Body.EN + "\n" + t.Text, JA: m.Body.JA + "\n" + t.Text}
	}
	if t.Audience != "" {
		m.Facts = append(m.Facts, notice.Fact{Label: text.Say("For", "宛先"), Value: t.Audience.text()})
	}
	m.Facts = append(m.Facts, notice.Fact{Label: text.Say("Since", "影響の開始"), At: t.ImpactStart})
	to := notify.Audience{Severity: m.Severity, Services: t.Services}
	if t.Team != "" {
		to.Teams = []string{t.Team}
	}
	return m, to
}

// severity is how soon somebody has to look at a message.
func severity(kind string, s Severity) notice.Severity {
	switch {
	case kind == EntryOverdue:
		return notice.Ticket
	case kind == EntryDeclared && (s == "SEV1" || s == "SEV2"):
		return notice.Page
	}
	return notice.Info
}

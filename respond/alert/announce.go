package alert

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/respond/alert/format"
)

// Announcements say how channels hear of groups of alerts: those that a route
// names, and for what goes to a service's owner those that match. People are paged
// besides. An SLO's own alerts reach channels by themselves already.
func Announcements() map[string]notify.Announcement {
	all := map[string]notify.Announcement{}
	for _, kind := range []string{EntryGroupOpened, EntryGroupJoined, EntryGroupReminded, EntryGroupResolved} {
		all[kind] = notify.Announcement{Alert: true, Write: writeGroup}
	}
	return all
}

// urgency is how soon somebody has to look at an alert of a severity.
func urgency(s format.Severity) notice.Severity {
	switch s {
	case format.Warning:
		return notice.Ticket
	case format.Info:
		return notice.Info
	}
	return notice.Page
}

func writeGroup(e journal.Entry, site notify.Site) (notify.Message, notify.Audience) {
	var n Notice
	if err := json.Unmarshal(e.Data, &n); err != nil {
		n = Notice{Title: string(e.Subject)} // a bare message is better than none
	}
	phase := notice.Fired
	if e.Kind == EntryGroupResolved {
		phase = notice.Resolved
	}
	m := notify.Message{
		Thread: string(e.Subject), Severity: urgency(n.Severity), Phase: phase, Time: n.OpenedAt, Title: n.headline(e.Kind), Body: text.Both{EN: n.Body, JA: n.Body},
		Facts: n.facts(), Look: n.look(site), Link: site.Page("alerts", "groups", n.Group),
	}
	if phase == notice.Resolved || e.Kind == EntryGroupReminded {
		m.Time = e.Time
	}
	to := notify.Audience{Phase: phase, Severity: m.Severity, Targets: n.Receiver.Channels, Only: len(n.Receiver.Channels) > 0, Paged: n.Receiver.Owner || n.Receiver.Policy != ""}
	if n.Team != "" {
		to.Teams = []string{n.Team}
	}
	if n.Service != "" {
		to.Services = []string{n.Service}
	}
	to.Silent = len(n.Receiver.Channels) == 0 && (!n.Receiver.Owner || n.Labels["integration"] == fromSLO)
	return m, to
}

func (n *Notice) headline(kind string) text.Both {
	title := notice.OneLine(n.Title, 200)
	if n.Count > 1 {
		title += " (" + strconv.Itoa(n.Count) + ")"
	}
	switch {
	case kind == EntryGroupResolved:
		return text.Say("[RESOLVED] %s", "【解消】%s", title)
	case kind == EntryGroupReminded && n.Forgotten:
		return text.Say("[FORGOTTEN] %s: acknowledged, and still open", "【放置】%s: 確認されたまま続いています", title)
	case kind == EntryGroupReminded:
		return text.Say("[STILL OPEN] %s", "【継続】%s", title)
	}
	switch urgency(n.Severity) {
	case notice.Page:
		return text.Say("[PAGE] %s", "【緊急】%s", title)
	case notice.Ticket:
		return text.Say("[TICKET] %s", "【要確認】%s", title)
	}
	return text.Say("[INFO] %s", "【情報】%s", title)
}

func (n *Notice) facts() []notice.Fact {
	var all []notice.Fact
	add := func(label text.Both, value string) {
		if value != "" {
			all = append(all, notice.Fact{Label: label, Value: text.Both{EN: value, JA: value}})
		}
	}
	add(text.Say("Service", "サービス"), n.Service)
	add(text.Say("Owner", "担当チーム"), n.Team)
	if n.Count > 1 {
		add(text.Say("Open alerts", "継続中のアラート"), strconv.Itoa(n.Count))
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		if name != "service" && name != "alertname" && name != "integration" && name != "severity" {
			pairs = append(pairs, name+"="+notice.OneLine(n.Labels[name], 80))
		}
	}
	const most = 12
	add(text.Say("Labels", "ラベル"), strings.Join(pairs[:min(len(pairs), most)], ", "))
	return all
}

func (n *Notice) look(site notify.Site) []notice.Pointer {
	var all []notice.Pointer
	add := func(label text.Both, url string) {
		if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
			all = append(all, notice.Pointer{Label: label, URL: url})
		}
	}
	add(text.Say("Runbook", "手順書"), n.Runbook)
	add(text.Say("Where it came from", "送信元のページ"), n.Source)
	if n.Service != "" {
		add(text.Say("Service %s", "サービス %s", n.Service), site.Page("services", n.Service))
	}
	return all
}

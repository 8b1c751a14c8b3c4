package oncall

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/notice"
)

// Announcements say how the room's entries become messages. A gap is heard by
// every channel that hears alerts; what people ask of one another is for channels
// that name it.
func Announcements() map[string]notify.Announcement {
	all := map[string]notify.Announcement{EntryGapAhead: {Alert: true, Write: writeGaps}}
	for kind, said := range map[string]text.Both{
		EntrySwapAsked:     text.Say("asks %s to take over", "が %s に交代を申し込みました"),
		EntrySwapAccepted:  text.Say("swaps with %s: agreed", "と %s の交代が成立しました"),
		EntrySwapDeclined:  text.Say("asked %s, who declined", "の交代の申し込みを %s が断りました"),
		EntrySwapWithdrawn: text.Say("no longer asks %s", "が %s への申し込みを取り下げました"),
	} {
		all[kind] = notify.Announcement{Write: writeSwap(said)}
	}
	all[EntryHandover] = notify.Announcement{Write: writeHandover}
	return all
}

func audience(e journal.Entry) notify.Audience {
	to := notify.Audience{Severity: notice.Info}
	for _, r := range e.Also {
		if r.Kind() == "team" {
			to.Teams = append(to.Teams, r.Name())
		}
	}
	return to
}

// writeGaps names the times in which nobody will be on call.
func writeGaps(e journal.Entry, site notify.Site) (notify.Message, notify.Audience) {
	var g Gaps
	_ = json.Unmarshal(e.Data, &g) // a bare message is better than none
	zone, err := time.LoadLocation(g.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	m := notify.Message{Thread: string(e.Subject), Severity: notice.Ticket, Link: site.Page("oncall", e.Subject.Name()),
		Title: text.Say("[TICKET] %s: nobody will be on call", "【要確認】%s: 当番のいない時間があります", titleOf(g)),
		Body:  text.Say("Until somebody is, what happens then goes to the team's fallback.", "このままでは、その間の通知はチームの予備の宛先に届きます。")}
	for _, x := range g.Gaps {
		span := clockOf(x.From, zone) + " – " + clockOf(x.To, zone)
		m.Facts = append(m.Facts, notice.Fact{Label: text.Say("Gap", "空白"), Value: text.Both{EN: span, JA: span}})
	}
	to := audience(e)
	to.Severity = notice.Ticket
	return m, to
}

func titleOf(g Gaps) string {
	if g.Title != "" {
		return g.Title
	}
	return g.Schedule
}

func writeSwap(said text.Both) func(journal.Entry, notify.Site) (notify.Message, notify.Audience) {
	return func(e journal.Entry, site notify.Site) (notify.Message, notify.Audience) {
		var w Swap
		_ = json.Unmarshal(e.Data, &w)
		told := text.Both{EN: strings.ReplaceAll(said.EN, "%s", w.Asked), JA: strings.ReplaceAll(said.JA, "%s", w.Asked)}
		m := notify.Message{Thread: "swap:" + w.ID, Severity: notice.Info, Link: site.Page("oncall", w.Schedule),
			Title: text.Say("%s: %s %s", "%s: %s %s", w.Schedule, w.Asker, told),
			Facts: []notice.Fact{{Label: text.Say("From", "開始"), At: w.From}, {Label: text.Say("To", "終了"), At: w.To}}}
		if w.Reason != "" {
			m.Body = text.Both{EN: w.Reason, JA: w.Reason}
		}
		return m, audience(e)
	}
}

func writeHandover(e journal.Entry, site notify.Site) (notify.Message, notify.Audience) {
	var h handedOver
	_ = json.Unmarshal(e.Data, &h)
	return notify.Message{Thread: string(e.Subject), Severity: notice.Info, Link: site.Page("oncall", h.Schedule),
		Title: text.Say("%s: hand-over note by %s", "%s: %s さんからの引き継ぎ", h.Schedule, h.CreatedBy.Name), Body: text.Both{EN: h.Body, JA: h.Body}}, audience(e)
}

package page

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/respond/alert"
)

// ackPath is where a link of a message leads.
const ackPath = "/ack/"

// link is the address that acknowledges a page in a person's name, "" where the
// server has no address of its own.
func (s *Service) link(page, person string) string {
	if s.base == "" {
		return ""
	}
	return strings.TrimRight(s.base, "/") + ackPath + pass{page, person, s.now().Add(linkLife)}.sign(s.linkKey)
}

// at is the full address of a page of the product.
func (s *Service) at(path string) string {
	if s.base == "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return ""
	}
	return strings.TrimRight(s.base, "/") + path
}

func severityOf(severity string) notice.Severity {
	if urgencyOf(severity) == High {
		return notice.Page
	}
	return notice.Ticket
}

// message is what a person is told.
func (s *Service) message(p Page, person, key string, round, step int, reasons []Reason) notice.Message {
	n := p.Notice
	m := notice.Message{
		Key: key, Kind: EntrySent, Subject: string(Ref(p.ID)), Thread: "alert-group:" + p.Group,
		Severity: severityOf(p.Severity), Phase: notice.Fired, Time: s.now(), Link: cmp.Or(s.at(n.Link), s.at("/pages/"+p.ID)),
	}
	tag := text.Say("[PAGE]", "【呼び出し】")
	if m.Severity == notice.Ticket {
		tag = text.Say("[NOTICE]", "【要確認】")
	}
	m.Title = text.Say("%s %s", "%s%s", tag, notice.OneLine(n.Title, 200))
	m.Body = text.Say("%s", "%s", notice.Cut(n.Body, 1500))
	m.Facts = facts(n, p, round, step)
	if len(reasons) > 0 {
		m.Facts = append(m.Facts, notice.Fact{Label: text.Say("Why you", "呼び出しの理由"), Value: reasons[0].What})
	}
	if u, err := url.Parse(n.Runbook); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		m.Look = append(m.Look, notice.Pointer{Label: text.Say("Runbook", "手順書"), URL: n.Runbook})
	}
	if u, err := url.Parse(n.Source); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		m.Look = append(m.Look, notice.Pointer{Label: text.Say("Where it came from", "発生元"), URL: n.Source})
	}
	if link := s.link(p.ID, person); link != "" {
		m.Actions = []notice.Action{{Do: "acknowledge", Label: text.Say("Acknowledge", "確認して対応する"), URL: link}}
	}
	m.Data = details(p, person, round, step)
	return m
}

func facts(n alert.Notice, p Page, round, step int) []notice.Fact {
	var all []notice.Fact
	add := func(label text.Both, value string) {
		if value != "" {
			all = append(all, notice.Fact{Label: label, Value: text.Both{EN: value, JA: value}})
		}
	}
	add(text.Say("Service", "サービス"), n.Service)
	add(text.Say("Owner", "担当チーム"), p.Team)
	add(text.Say("Severity", "重大度"), p.Severity)
	if n.Count > 1 {
		all = append(all, notice.Fact{Label: text.Say("Alerts", "アラート"), Value: text.Say("%d", "%d件", n.Count)})
	}
	var labels []string
	for k, v := range n.Labels {
		if k != "service" && k != "severity" && k != "alertname" {
			labels = append(labels, k+"="+notice.OneLine(v, 80))
		}
	}
	slices.Sort(labels)
	add(text.Say("Labels", "ラベル"), strings.Join(labels[:min(len(labels), 8)], ", "))
	all = append(all, notice.Fact{Label: text.Say("Since", "開始時刻"), At: n.OpenedAt})
	switch {
	case step == fallbackStep:
		all = append(all, notice.Fact{Label: text.Say("Step", "段階"), Value: text.Say("fallback: nobody answered or could be reached", "予備: 応答または連絡のつく当番がいませんでした")})
	case round > 0 || step > 0:
		all = append(all, notice.Fact{Label: text.Say("Step", "段階"), Value: text.Say("%d, time %d: nobody has answered so far", "%d(%d回目): まだ誰も応答していません", step+1, round+1)})
	}
	return all
}

// details are the data of a message, for programs.
func details(p Page, person string, round, step int) json.RawMessage {
	data, err := json.Marshal(map[string]any{
		"page": p.ID, "group": p.Group, "person": person, "round": round, "step": step, "severity": p.Severity, "service": p.Notice.Service,
		"team": p.Team, "alerts": p.Notice.Alerts, "count": p.Notice.Count, "labels": p.Notice.Labels, "policy": p.Policy.Name, "title": p.Notice.Title,
	})
	if err != nil {
		return nil // names and numbers always marshal
	}
	return data
}

// over is what a channel is told when the matter ends.
func (s *Service) over(p Page, n alert.Notice, e journal.Entry, key string) notice.Message {
	m := notice.Message{
		Key: key + "/end", Kind: EntryEnded, Subject: string(Ref(p.ID)), Thread: "alert-group:" + p.Group, Severity: severityOf(p.Severity),
		Phase: notice.Resolved, Time: e.Time, Link: cmp.Or(s.at(n.Link), s.at("/pages/"+p.ID)), Data: details(p, "", p.Round, p.Step),
	}
	m.Title = text.Say("[RESOLVED] %s", "【解消】%s", notice.OneLine(n.Title, 200))
	m.Facts = []notice.Fact{{Label: text.Say("Lasted", "継続時間"), Value: notice.Span(e.Time.Sub(n.OpenedAt))}}
	return m
}

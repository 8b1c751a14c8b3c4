package notify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
)

// The kinds of journal entry that say that an alert began or ended.
const (
	KindAlertFired    = "slo.alert_fired"
	KindAlertResolved = "slo.alert_resolved"
	KindSourceGone    = "slo.source_gone"
	KindSourceBack    = "slo.source_back"
)

// Alert is the data of an entry of kind slo.alert_fired or slo.alert_resolved.
// Whoever appends such an entry may use it as the entry's data; ratios are
// between 0 and 1, and BudgetLeft is negative when the budget is overspent.
type Alert struct {
	ID         string          `json:"alert"` // the same when it fires and when it ends
	SLO        string          `json:"slo"`
	Title      string          `json:"title,omitempty"`
	Service    string          `json:"service,omitempty"`
	Team       string          `json:"team,omitempty"`
	Severity   notice.Severity `json:"severity"`
	Kind       string          `json:"kind,omitempty"`    // of the rule; "" is a burn rate
	Targets    []string        `json:"targets,omitempty"` // channels that the alert's policy names
	Objective  float64         `json:"objective"`
	Window     string          `json:"window,omitempty"` // the objective's period: "30d"
	Long       string          `json:"long,omitempty"`
	Short      string          `json:"short,omitempty"`
	Factor     float64         `json:"factor,omitempty"`
	Share      float64         `json:"share,omitempty"`
	LongBurn   float64         `json:"longBurn,omitempty"`
	ShortBurn  float64         `json:"shortBurn,omitempty"`
	Bad        float64         `json:"bad,omitempty"`   // events in the long window
	Total      float64         `json:"total,omitempty"` // events in the long window
	BudgetLeft *float64        `json:"budgetLeft,omitempty"`
	ExhaustsAt time.Time       `json:"exhaustsAt,omitzero"`
	FiredAt    time.Time       `json:"firedAt"`
	ResolvedAt time.Time       `json:"resolvedAt,omitzero"`
	Reason     text.Both       `json:"reason,omitzero"`
	Link       string          `json:"link,omitempty"` // path of its page
	Runbook    string          `json:"runbook,omitempty"`
	Quiet      bool            `json:"quiet,omitempty"`     // its policy wants nobody told of the end
	Group      string          `json:"group,omitempty"`     // alerts of one cause have one
	Together   []string        `json:"together,omitempty"`  // objectives whose alerts were in the group before
	Joined     bool            `json:"joined,omitempty"`    // the same people were told of the group before
	Others     int             `json:"others,omitempty"`    // how many more than together names
	StillOpen  []string        `json:"stillOpen,omitempty"` // objectives of the group, when it ends
}

// Site knows the addresses of the product's own pages.
type Site struct{ base string }

// Page is the full address of a page, from its path; "" where the product has no
// address of its own.
func (s Site) Page(elements ...string) string {
	if s.base == "" {
		return ""
	}
	for i, e := range elements {
		elements[i] = url.PathEscape(e)
	}
	return s.base + "/" + strings.Join(elements, "/")
}

// at is the address of a page given by its path, and fallback where the path
// leads elsewhere.
func (s Site) at(p, fallback string) string {
	if s.base == "" || !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n") {
		return fallback
	}
	return s.base + p
}

// Announcement says how entries of one kind become messages. Alert marks a kind
// that channels hear without naming it, and that must not go unheard. Write
// fills in texts, facts and audience; the rest is filled in from the entry.
type Announcement struct {
	Alert bool
	Write func(e journal.Entry, s Site) (Message, Audience)
}

// announcements are the kinds that are known from the start.
func announcements() map[string]Announcement {
	return map[string]Announcement{
		KindAlertFired:    {Alert: true, Write: writeAlert},
		KindAlertResolved: {Alert: true, Write: writeAlert},
		// A source that is gone is heard like an alert: until it is back, no
		// alert can fire.
		KindSourceGone: {Alert: true, Write: writeSource},
		KindSourceBack: {Alert: true, Write: writeSource},
	}
}

// writeAlert says that an error budget is spent too fast, or no longer is. Data
// that is not an alert still makes a message: better a bare one than none.
func writeAlert(e journal.Entry, s Site) (Message, Audience) {
	var a Alert
	phase := notice.Fired
	if e.Kind == KindAlertResolved {
		phase = notice.Resolved
	}
	if err := json.Unmarshal(e.Data, &a); err != nil || a.SLO == "" {
		m, to := writePlain(e, s)
		m.Phase, m.Severity, to.Phase, to.Severity = phase, notice.Page, phase, notice.Page
		to.Targets = a.Targets
		return m, to
	}
	if a.FiredAt.IsZero() {
		a.FiredAt = e.Time
	}
	m := Message{
		Thread: cmp.Or(a.Group, a.ID), Severity: a.Severity, Phase: phase, Time: a.FiredAt,
		Link: s.at(a.Link, s.Page("slos", a.SLO)),
	}
	if phase == notice.Resolved {
		if a.ResolvedAt.IsZero() {
			a.ResolvedAt = e.Time
		}
		m.Time = a.ResolvedAt
	}
	m.Title, m.Body = a.headline(phase), a.story(phase)
	m.Facts = a.facts(phase)
	m.Look = a.look(s)
	to := Audience{Phase: phase, Severity: a.Severity, Targets: a.Targets, Silent: a.Quiet && phase == notice.Resolved,
		Joined: a.Joined && (phase == notice.Fired || len(a.StillOpen) > 0)}
	to.Teams, to.Services = concerned(e)
	to.Teams, to.Services = join(to.Teams, a.Team), join(to.Services, a.Service)
	return m, to
}

func (a Alert) name() string {
	if a.Title != "" {
		return a.Title
	}
	return a.SLO
}

func (a Alert) headline(p notice.Phase) text.Both {
	if p == notice.Resolved {
		return text.Say("[RESOLVED] %s: burn ended after %s", "【解消】%s: 開始から%sで収束", a.name(), notice.Span(a.ResolvedAt.Sub(a.FiredAt)))
	}
	tag := text.Say("[TICKET]", "【要確認】")
	if a.Severity == notice.Page {
		tag = text.Say("[PAGE]", "【緊急】")
	}
	switch a.Kind {
	case "outage":
		return text.Say("%s %s: events fail", "%s%s: イベントが失敗しています", tag, a.name())
	case "budget":
		return text.Say("%s %s: little of the error budget is left", "%s%s: エラーバジェットの残りがわずかです", tag, a.name())
	case "forecast":
		return text.Say("%s %s: the error budget will soon be spent", "%s%s: エラーバジェットがまもなく尽きます", tag, a.name())
	case "no-data":
		return text.Say("%s %s: there is no data", "%s%s: データがありません", tag, a.name())
	}
	return text.Say("%s %s: error budget burning at %s the allowed rate", "%s%s: エラーバジェットを許容の%sの速さで消費中", tag, a.name(), Times(a.LongBurn))
}

func (a Alert) story(p notice.Phase) text.Both {
	var parts []text.Both
	if !a.Reason.IsZero() {
		parts = append(parts, sentence(a.Reason))
	} else if p == notice.Fired && a.Long != "" {
		parts = append(parts, text.Say(
			"In the last %s, %s of events failed (allowed: %s), and in the last %s, %s.",
			"直近%sで%sのイベントが失敗しています(許容は%s)。直近%sでは%sです。",
			Period(a.Long), Percent(a.LongBurn*(1-a.Objective)), Percent(1-a.Objective), Period(a.Short), Percent(a.ShortBurn*(1-a.Objective))))
	}
	if p == notice.Resolved {
		parts = append(parts, text.Say("The error rate over the short window is back under the threshold.", "短いウィンドウの失敗率がしきい値を下回りました。"))
	}
	all := text.Both{}
	for i, b := range parts {
		if i > 0 {
			all.EN, all.JA = all.EN+"\n", all.JA+"\n"
		}
		all.EN, all.JA = all.EN+b.In(text.EN), all.JA+b.In(text.JA)
	}
	return all
}

// sentence is what an entry says as a reason, with a capital and a full stop.
func sentence(b text.Both) text.Both {
	if first, size := utf8.DecodeRuneInString(b.EN); size > 0 {
		b.EN = string(unicode.ToUpper(first)) + b.EN[size:]
		if !strings.HasSuffix(b.EN, ".") {
			b.EN += "."
		}
	}
	if b.JA != "" && !strings.HasSuffix(b.JA, "。") {
		b.JA += "。"
	}
	return b
}

func (a Alert) facts(p notice.Phase) []notice.Fact {
	var all []notice.Fact
	add := func(label, value text.Both) { all = append(all, notice.Fact{Label: label, Value: value}) }
	same := func(s string) text.Both { return text.Both{EN: s, JA: s} }
	if a.Service != "" {
		add(text.Say("Service", "サービス"), same(a.Service))
	}
	if a.Team != "" {
		add(text.Say("Owner", "担当チーム"), same(a.Team))
	}
	if a.Objective > 0 {
		add(text.Say("Objective", "目標"), text.Say("%[1]s over %[2]s", "%[2]sで%[1]s", Percent(a.Objective), Period(a.Window)))
	}
	if a.Long != "" {
		add(text.Say("Burn rate", "バーンレート"), text.Say("%s over %s, %s over %s (alert from %s)", "%[2]sで%[1]s、%[4]sで%[3]s(しきい値%[5]s)",
			Times(a.LongBurn), Period(a.Long), Times(a.ShortBurn), Period(a.Short), Times(a.Factor)))
	}
	if p == notice.Fired && a.Total > 0 && a.Long != "" {
		add(text.Say("Failed events", "失敗したイベント"), text.Say("%[1]s of %[2]s in the last %[3]s", "直近%[3]sで%[2]s件中%[1]s件", Count(a.Bad), Count(a.Total), Period(a.Long)))
	}
	if p == notice.Fired && len(a.Together) > 0 {
		others := strings.Join(a.Together, ", ")
		said := same(others)
		if a.Others > 0 {
			said = text.Say("%s and %d more", "%s、ほか%d件", others, a.Others)
		}
		add(text.Say("Together with", "同時に発生"), said)
	}
	if p == notice.Resolved && len(a.StillOpen) > 0 {
		add(text.Say("Still open", "継続中"), same(strings.Join(a.StillOpen, ", ")))
	}
	if a.BudgetLeft != nil {
		add(text.Say("Error budget left", "エラーバジェット残量"), same(Left(*a.BudgetLeft)))
	}
	if p == notice.Fired && !a.ExhaustsAt.IsZero() {
		all = append(all, notice.Fact{Label: text.Say("Exhausted at this rate", "この速さが続くとバジェットが尽きる時刻"), At: a.ExhaustsAt})
	}
	if p == notice.Resolved {
		all = append(all, notice.Fact{Label: text.Say("Began", "開始時刻"), At: a.FiredAt})
		add(text.Say("Lasted", "継続時間"), notice.Span(a.ResolvedAt.Sub(a.FiredAt)))
	}
	return all
}

func (a Alert) look(s Site) []notice.Pointer {
	var all []notice.Pointer
	if u, err := url.Parse(a.Runbook); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		all = append(all, notice.Pointer{Label: text.Say("Runbook", "手順書"), URL: a.Runbook})
	}
	if page := s.Page("services", a.Service); page != "" && a.Service != "" {
		all = append(all, notice.Pointer{Label: text.Say("Service %s", "サービス %s", a.Service), URL: page})
	}
	return all
}

// writeSource says that a source of metrics stopped or began again to answer.
func writeSource(e journal.Entry, s Site) (Message, Audience) {
	var data struct {
		Since  time.Time `json:"since"`
		Reason text.Both `json:"reason"`
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		data.Since = e.Time // a bare message is better than none
	}
	m, to := writePlain(e, s)
	name := e.Subject.Name()
	m.Severity, m.Phase = notice.Ticket, notice.Fired
	m.Title = text.Say("[TICKET] Data source %s does not answer", "【要確認】データソース%sが応答しません", name)
	m.Body = text.Say("Until it answers again, minutes are unknown: budgets neither grow nor shrink, and alerts cannot fire.",
		"応答が戻るまで各分は「不明」となり、エラーバジェットは増減せず、アラートも発生しません。")
	if !data.Reason.IsZero() {
		m.Body = text.Say("%s\n%s", "%s\n%s", data.Reason, m.Body)
	}
	if e.Kind == KindSourceBack {
		m.Phase = notice.Resolved
		m.Title = text.Say("[RESOLVED] Data source %s answers again", "【解消】データソース%sが応答するようになりました", name)
		m.Body = text.Say("What was missed in between is asked for again.", "その間の分はさかのぼって取得します。")
	}
	if !data.Since.IsZero() {
		m.Facts = append(m.Facts, notice.Fact{Label: text.Say("Away since", "応答が途絶えた時刻"), At: data.Since})
	}
	m.Thread = string(e.Subject)
	m.Link = s.Page("settings", "sources")
	to.Severity, to.Phase = m.Severity, m.Phase
	return m, to
}

// writePlain says what an entry says of itself, for kinds about which nothing
// more is known.
func writePlain(e journal.Entry, s Site) (Message, Audience) {
	to := Audience{Severity: notice.Info}
	to.Teams, to.Services = concerned(e)
	return Message{
		Thread: string(e.Subject), Severity: notice.Info, Time: e.Time, Link: s.Page("activity"),
		Title: text.Say("%s: %s", "%s: %s", notice.OneLine(string(e.Subject), 100), notice.OneLine(e.Kind, 60)),
	}, to
}

// concerned is the teams and services that an entry touches.
func concerned(e journal.Entry) (teams, services []string) {
	for _, r := range append([]journal.Ref{e.Subject}, e.Also...) {
		switch r.Kind() {
		case "team", "group":
			teams = join(teams, r.Name())
		case "service", "component":
			services = join(services, r.Name())
		}
	}
	return teams, services
}

func join(names []string, name string) []string {
	if name == "" {
		return names
	}
	for _, n := range names {
		if short(n) == short(name) {
			return names
		}
	}
	return append(names, name)
}

// Percent writes a ratio in percent with as many digits as matter: 0.9995 is
// "99.95%", 0.0213 is "2.13%".
func Percent(ratio float64) string {
	p := ratio * 100
	if math.IsNaN(p) || math.IsInf(p, 0) {
		return "–"
	}
	digits := 2
	if away := math.Min(math.Abs(p), math.Abs(100-p)); away > 0 && away < 1 {
		digits = min(2-int(math.Floor(math.Log10(away))), 6)
	}
	s := strconv.FormatFloat(p, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		s = "0"
	}
	return s + "%"
}

// Times writes a burn rate, as a multiple of what is allowed: "21.3×", 21.3倍.
func Times(rate float64) text.Both {
	if math.IsNaN(rate) || math.IsInf(rate, 0) {
		return text.Both{EN: "–", JA: "–"}
	}
	digits := 1
	switch {
	case rate < 10:
		digits = 2
	case rate >= 100:
		digits = 0
	}
	s := strconv.FormatFloat(rate, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return text.Both{EN: s + "×", JA: s + "倍"}
}

// Count writes a number of events with thousands apart: "12,345".
func Count(n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) || math.Abs(n) > 1e18 {
		return "–"
	}
	s := strconv.FormatInt(int64(math.Round(n)), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Left writes the share of an error budget that is left, never more than there
// is: 0.4399 is "43.9%".
func Left(ratio float64) string {
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return "–"
	}
	return strconv.FormatFloat(math.Floor(ratio*1000)/10, 'f', 1, 64) + "%"
}

// Period writes a window such as "1h", "30d" or "5m" as people say it.
func Period(w string) text.Both {
	if len(w) > 1 {
		n, err := strconv.Atoi(w[:len(w)-1])
		units := map[byte]text.Both{
			's': {EN: "second", JA: "秒間"}, 'm': {EN: "minute", JA: "分間"}, 'h': {EN: "hour", JA: "時間"},
			'd': {EN: "day", JA: "日間"}, 'w': {EN: "week", JA: "週間"},
		}
		if u, ok := units[w[len(w)-1]]; ok && err == nil {
			if n != 1 {
				u.EN += "s"
			}
			return text.Both{EN: fmt.Sprintf("%d %s", n, u.EN), JA: fmt.Sprintf("%d%s", n, u.JA)}
		}
	}
	return text.Both{EN: w, JA: w}
}

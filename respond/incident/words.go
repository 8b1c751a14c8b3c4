package incident

import (
	"encoding/json"
	"fmt"

	"github.com/teiten/teiten/kit/text"
)

// text is the role as people read it.
func (r Role) text() text.Both {
	switch r {
	case Commander:
		return text.Say("Commander", "指揮官")
	case Operations:
		return text.Say("Operations", "作業担当")
	case Communications:
		return text.Say("Communications", "連絡担当")
	case Scribe:
		return text.Say("Scribe", "記録担当")
	}
	return text.Both{EN: string(r), JA: string(r)}
}

// text is the audience as people read it.
func (a Audience) text() text.Both {
	switch a {
	case Team:
		return text.Say("the team", "チーム")
	case Stakeholders:
		return text.Say("stakeholders", "関係者")
	case Public:
		return text.Say("the public", "一般")
	}
	return text.Both{EN: string(a), JA: string(a)}
}

// plain are entries of which there is nothing more to say than that.
var plain = map[string]text.Both{
	EntryDeclared:    text.Say("declared the incident", "がインシデントを宣言しました"),
	EntryActivated:   text.Say("began the response", "が対応を開始しました"),
	EntryMitigated:   text.Say("mitigated it", "が緩和済みにしました"),
	EntryResolved:    text.Say("resolved it", "が解決済みにしました"),
	EntryReopened:    text.Say("reopened it", "が再開しました"),
	EntryClosed:      text.Say("closed it", "がクローズしました"),
	EntryDeclined:    text.Say("declined it: no incident", "がインシデントではないと判断しました"),
	EntryChanged:     text.Say("changed the description", "が内容を変更しました"),
	EntryAmended:     text.Say("corrected the times", "が時刻を訂正しました"),
	EntryLinked:      text.Say("linked what belongs to it", "が関連付けを追加しました"),
	EntryUnlinked:    text.Say("unlinked alerts", "がアラートの関連付けを外しました"),
	EntryNoted:       text.Say("wrote:", "の記録:"),
	EntryPinned:      text.Say("pinned an entry", "が記録を固定表示にしました"),
	EntryUnpinned:    text.Say("unpinned an entry", "が固定表示を外しました"),
	EntryBurnChanged: text.Say("replaced the computed burn", "が計算されたバジェットの消費を置き換えました"),

	"alert.group_opened":       text.Say("alerts fired", "アラートが発生しました"),
	"alert.group_joined":       text.Say("more alerts fired", "アラートが加わりました"),
	"alert.group_acknowledged": text.Say("acknowledged the alerts", "がアラートを確認しました"),
	"alert.group_resolved":     text.Say("the alerts ended", "アラートが解消しました"),
	"alert.group_reminded":     text.Say("the alerts are still open", "アラートが続いています"),
	"page.sent":                text.Say("paged", "呼び出しを送りました"),
	"page.escalated":           text.Say("nobody answered: the next step was paged", "応答がないため、次のステップを呼び出しました"),
	"page.acknowledged":        text.Say("answered the page", "が呼び出しに応答しました"),
	"page.exhausted":           text.Say("nobody answered any step", "どのステップからも応答がありませんでした"),
	"deploy.started":           text.Say("a deployment began", "デプロイを開始しました"),
	"deploy.finished":          text.Say("a deployment went out", "デプロイが完了しました"),
}

// what says in one line what an entry of a timeline tells.
func what(m Moment) text.Both {
	if said, ok := plain[m.Kind]; ok {
		return said
	}
	var t Told
	if json.Unmarshal(m.Data, &t) != nil {
		return text.Both{EN: m.Kind, JA: m.Kind}
	}
	say := func(en, ja string, args ...any) text.Both {
		return text.Both{EN: fmt.Sprintf(en, args...), JA: fmt.Sprintf(ja, args...)}
	}
	switch m.Kind {
	case EntryMerged:
		return say("merged it into %s", "が %s に統合しました", t.Other)
	case EntryAbsorbed:
		return say("merged %s into it", "が %s を統合しました", t.Other)
	case EntryRanked:
		return say("changed the severity to %s", "が重大度を %s に変更しました", t.Severity)
	case EntryAssigned:
		return assigned(t)
	case EntryTask:
		if t.Done {
			return say("did: %s", "が完了: %s", t.Task)
		}
		return say("took back as not done: %s", "が未完了に戻しました: %s", t.Task)
	case EntryUpdated:
		return text.Both{EN: "told " + t.Audience.text().EN + ":", JA: "から" + t.Audience.text().JA + "への連絡:"}
	case EntryOverdue:
		return text.Both{EN: fmt.Sprintf("an update for %s is overdue by %.0f minutes", t.Audience.text().EN, t.Minutes),
			JA: fmt.Sprintf("%sへの連絡の予定を%.0f分過ぎています", t.Audience.text().JA, t.Minutes)}
	}
	return text.Both{EN: m.Kind, JA: m.Kind}
}

// assigned says who has a role now.
func assigned(t Told) text.Both {
	role := t.Role.text()
	if t.Person == nil || t.Person.ID == "" {
		return text.Both{EN: role.EN + ": nobody any more", JA: role.JA + "の割り当てを外しました"}
	}
	return text.Both{EN: role.EN + ": " + t.Person.Name, JA: role.JA + ": " + t.Person.Name}
}

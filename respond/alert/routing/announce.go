package routing

import (
	"encoding/json"
	"strings"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify"
	"github.com/teiten/teiten/notify/notice"
)

// Announce lets notification channels hear of silences that end soon. A channel
// hears them where its match names the kind.
func Announce(n interface {
	Announce(kind string, a notify.Announcement)
}) {
	n.Announce(EntrySilenceEnding, notify.Announcement{Write: writeEnding})
}

// writeEnding says that a silence ends soon.
func writeEnding(e journal.Entry, _ notify.Site) (notify.Message, notify.Audience) {
	var v SilenceView
	if err := json.Unmarshal(e.Data, &v); err != nil {
		v.ID = strings.TrimPrefix(string(e.Subject), "silence:")
	}
	return notify.Message{
		Severity: notice.Info,
		Title:    text.Say("The silence of %s ends soon", "%s のサイレンスがまもなく終わります", strings.Join(v.Matchers, ", ")),
		Body: text.Say("%s made it: %s. Make it longer if these alerts still need nobody.",
			"作成者は%s、理由は「%s」です。通知の停止がまだ必要な場合は延長してください。", v.Author, v.Reason),
		Facts: []notice.Fact{{Label: text.Say("Ends", "終了"), At: v.Ends}},
	}, notify.Audience{Severity: notice.Info}
}

package slack_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
	"github.com/teiten/teiten/notify/slack"
)

var at = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

type body struct {
	Text   string `json:"text"`
	Blocks []struct {
		Type     string                  `json:"type"`
		Text     *struct{ Text string }  `json:"text"`
		Fields   []struct{ Text string } `json:"fields"`
		Elements []struct{ Text string } `json:"elements"`
	} `json:"blocks"`
	Channel string `json:"channel"`
}

func encode(t *testing.T, m notice.Message) body {
	t.Helper()
	raw, err := slack.Encode("#ops", m)
	if err != nil {
		t.Fatal(err)
	}
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return b
}

func sample() notice.Message {
	return notice.Message{
		Key: "k", Subject: "slo:checkout", Severity: notice.Page, Phase: notice.Fired, Time: at, SentAt: at,
		Title: text.Say("[PAGE] checkout burns", "【緊急】checkoutが消費中"), Body: text.Say("Two per cent failed.", "2%が失敗。"),
		Facts: []notice.Fact{{Label: text.Say("Burn", "消費速度"), Value: text.Say("21×", "21倍")}, {Label: text.Say("Exhausted", "枯渇"), At: at}},
		Look:  []notice.Pointer{{Label: text.Say("Runbook", "手順書"), URL: "https://wiki.example/a|b>c"}},
		Link:  "https://teiten.example/slos/checkout",
	}
}

func TestMessageIsInTheReadersLanguageAndZone(t *testing.T) {
	m := sample()
	m.Lang, m.Zone = text.JA, time.FixedZone("JST", 9*3600)
	b := encode(t, m)
	for _, want := range []string{"【緊急】checkoutが消費中", "2%が失敗。", "消費速度: 21倍", "2026-11-22 19:00:00 JST", "<https://teiten.example/slos/checkout|Teitenで開く>"} {
		if !strings.Contains(b.Text, want) {
			t.Errorf("the text lacks %q:\n%s", want, b.Text)
		}
	}
	if b.Channel != "#ops" || b.Blocks[0].Type != "header" || !strings.HasPrefix(b.Blocks[0].Text.Text, "🔴 ") {
		t.Errorf("%+v", b)
	}
}

func TestLateMessageSaysSo(t *testing.T) {
	m := sample()
	m.SentAt = at.Add(time.Hour + 5*time.Minute)
	if b := encode(t, m); !strings.Contains(b.Text, "Delivered 1 h 5 min after it happened") {
		t.Errorf("%s", b.Text)
	}
	m.SentAt = at.Add(time.Second)
	if b := encode(t, m); strings.Contains(b.Text, "after it happened") {
		t.Errorf("%s", b.Text)
	}
}

// raw finds what Slack would read as something other than text.
var raw = regexp.MustCompile(`<[^>]*>`)

func TestNothingInAMessageBecomesAMentionOrALink(t *testing.T) {
	m := sample()
	evil := "<!channel> <@U1> & <https://evil|click>"
	m.Title, m.Body = text.Both{EN: evil}, text.Both{EN: evil}
	m.Facts[0].Value = text.Both{EN: evil}
	m.Look[0].Label = text.Both{EN: evil}
	b := encode(t, m)
	for _, found := range raw.FindAllString(b.Text, -1) {
		if !strings.HasPrefix(found, "<https://teiten.example/") && !strings.HasPrefix(found, "<https://wiki.example/a%7Cb%3Ec|") {
			t.Errorf("the text holds %s", found)
		}
	}
	if strings.Contains(b.Text, "<!") || strings.Contains(b.Text, "<@") {
		t.Errorf("%s", b.Text)
	}
}

func check(t *testing.T, m notice.Message) {
	t.Helper()
	b := encode(t, m)
	if n := utf8.RuneCountInString(b.Text); n == 0 || n > 4100 {
		t.Errorf("a text of %d characters", n)
	}
	for _, block := range b.Blocks {
		limit := map[string]int{"header": 150, "section": 3000}[block.Type]
		if block.Text != nil && (utf8.RuneCountInString(block.Text.Text) > limit || block.Text.Text == "") {
			t.Errorf("a %s of %d characters", block.Type, utf8.RuneCountInString(block.Text.Text))
		}
		if len(block.Fields) > 10 {
			t.Errorf("%d fields", len(block.Fields))
		}
		for _, f := range block.Fields {
			if utf8.RuneCountInString(f.Text) > 2000 {
				t.Errorf("a field of %d characters", utf8.RuneCountInString(f.Text))
			}
		}
	}
}

func TestLongMessageStaysWithinSlacksLimits(t *testing.T) {
	m := sample()
	long := strings.Repeat("長い<&>", 3000)
	m.Title, m.Body = text.Both{EN: long}, text.Both{EN: long}
	for range 30 {
		m.Facts = append(m.Facts, notice.Fact{Label: text.Both{EN: long}, Value: text.Both{EN: long}})
		m.Look = append(m.Look, notice.Pointer{Label: text.Both{EN: long}, URL: "https://x.example/" + strings.Repeat("y", 300)})
	}
	check(t, m)
}

func FuzzEncode(f *testing.F) {
	f.Add("t", "b", "l", "v", "https://x.example", "slo:a")
	f.Add("<!here>", "\x00\u202e", strings.Repeat("&", 5000), "\xff", "javascript:alert(1)|x>", "")
	f.Fuzz(func(t *testing.T, title, story, label, value, link, subject string) {
		m := sample()
		m.Title, m.Body, m.Subject = text.Both{EN: title}, text.Both{EN: story}, subject
		m.Facts = []notice.Fact{{Label: text.Both{EN: label}, Value: text.Both{EN: value}}}
		m.Look = []notice.Pointer{{Label: text.Both{EN: label}, URL: link}}
		check(t, m)
		if b := encode(t, m); strings.Contains(b.Text, "<!") || strings.Contains(b.Text, "<@") || strings.Contains(b.Text, "<#") {
			t.Errorf("%s", b.Text)
		}
	})
}

package email

import (
	"bytes"
	_ "embed" // the templates
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	texttemplate "text/template"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
)

//go:embed message.html.tmpl
var htmlSource string

//go:embed message.txt.tmpl
var textSource string

var (
	htmlTemplate = htmltemplate.Must(htmltemplate.New("html").Parse(htmlSource))
	textTemplate = texttemplate.Must(texttemplate.New("text").Parse(textSource))
)

const maxSubject = 180

// view is a message as the templates see it: in one language.
type view struct {
	Lang, Title, Body, When, Late, Subject, Key, Colour string
	Facts                                               []pair
	Links                                               []pair
	Labels                                              map[string]string
}

type pair struct{ Label, Value string }

// Subject is the subject line of a message.
func Subject(m notice.Message) string { return notice.OneLine(m.Title.In(m.Lang), maxSubject) }

var labels = map[string]text.Both{
	"when":  text.Say("Time", "発生時刻"),
	"about": text.Say("About", "対象"),
	"look":  text.Say("Look at", "確認先"),
	"why":   text.Say("You get this mail because a channel of Teiten names your address.", "このメールは、Teitenの通知チャンネルにこのアドレスが登録されているため送信されています。"),
}

// colours of the bar beside the title; the title says the same in words.
func colour(m notice.Message) string {
	switch {
	case m.Phase == notice.Resolved:
		return "#2b8a3e"
	case m.Severity == notice.Page:
		return "#c92a2a"
	case m.Severity == notice.Ticket:
		return "#d9480f"
	}
	return "#495057"
}

func seen(m notice.Message) view {
	lang := "en"
	if m.Lang == text.JA {
		lang = "ja"
	}
	v := view{
		Lang: lang, Title: Subject(m), Body: clean(m.Body.In(m.Lang)), When: m.When(m.Time), Late: m.Late().In(m.Lang),
		Subject: notice.OneLine(m.Subject, 200), Key: id(m.Key, "")[:32], Colour: colour(m), Labels: map[string]string{},
	}
	for k, b := range labels {
		v.Labels[k] = b.In(m.Lang)
	}
	for _, f := range m.Facts {
		v.Facts = append(v.Facts, pair{notice.OneLine(f.Label.In(m.Lang), 200), notice.OneLine(m.Said(f), 1000)})
	}
	for _, a := range m.Actions {
		v.add(notice.OneLine(a.Label.In(m.Lang), 200), a.URL)
	}
	if m.Link != "" {
		v.add(text.Say("Open in Teiten", "Teitenで開く").In(m.Lang), m.Link)
	}
	for _, l := range m.Look {
		v.add(notice.OneLine(l.Label.In(m.Lang), 200), l.URL)
	}
	return v
}

// add keeps links to web pages only: nothing else belongs into a mail.
func (v *view) add(label, address string) {
	u, err := url.Parse(address)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		v.Links = append(v.Links, pair{label, u.String()})
	}
}

// clean keeps line breaks and drops other control characters.
func clean(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = notice.OneLine(l, 2000)
	}
	return strings.Join(lines, "\n")
}

// Render writes a message as text and as HTML, in its language.
func Render(m notice.Message) (plain, rich string, err error) {
	v := seen(m)
	var t, h bytes.Buffer
	if err := textTemplate.Execute(&t, v); err != nil {
		return "", "", fmt.Errorf("render mail: %w", err)
	}
	if err := htmlTemplate.Execute(&h, v); err != nil {
		return "", "", fmt.Errorf("render mail: %w", err)
	}
	return t.String(), h.String(), nil
}

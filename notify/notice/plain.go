package notice

import (
	"strings"

	"github.com/teiten/teiten/kit/text"
)

// Brief is the message as plain text in at most max characters, for receivers
// that show little else: the title, what fits of the body, and what to do, each
// with its address, which is never cut.
func (m Message) Brief(most int) string {
	var tail strings.Builder
	for _, a := range m.Actions {
		line := "\n" + OneLine(a.Label.In(m.Lang), 80) + ": " + a.URL
		if len([]rune(tail.String()+line)) > most*3/4 {
			break
		}
		tail.WriteString(line)
	}
	if tail.Len() == 0 && m.Link != "" {
		tail.WriteString("\n" + m.Link)
	}
	head := OneLine(m.Title.In(m.Lang), 300)
	if body := strings.TrimSpace(m.Body.In(m.Lang)); body != "" {
		head += "\n" + body
	}
	if late := m.Late(); !late.IsZero() {
		head += "\n" + late.In(m.Lang)
	}
	return Cut(head, max(most-len([]rune(tail.String())), 20)) + tail.String()
}

// Story is what the message says below its title, as plain text: the body, the
// facts, when it happened, and that it comes late where it does.
func (m Message) Story() string {
	var b strings.Builder
	if s := strings.TrimSpace(m.Body.In(m.Lang)); s != "" {
		b.WriteString(s + "\n")
	}
	for _, f := range m.Facts {
		b.WriteString(OneLine(f.Label.In(m.Lang), 200) + ": " + OneLine(m.Said(f), 1000) + "\n")
	}
	if late := m.Late(); !late.IsZero() {
		b.WriteString(late.In(m.Lang) + "\n")
	}
	return b.String() + m.When(m.Time)
}

// Links are what to do and where to look, what to do first.
func (m Message) Links() []Pointer {
	var all []Pointer
	for _, a := range m.Actions {
		all = append(all, Pointer{Label: a.Label, URL: a.URL})
	}
	if m.Link != "" {
		all = append(all, Pointer{Label: text.Say("Open in Teiten", "Teitenで開く"), URL: m.Link})
	}
	return append(all, m.Look...)
}

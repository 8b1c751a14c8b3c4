package incident

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/notify/notice"
)

type exportIn struct {
	Which
	Lang text.Lang `query:"lang" enum:"en,ja" default:"en" doc:"The language of the headings."`
}

// Export writes an incident with its times, what it burned and its timeline as
// Markdown. Times are UTC.
func (s *Service) Export(ctx context.Context, name string, lang text.Lang) ([]byte, error) {
	i, err := s.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	t, err := s.Timeline(ctx, name)
	if err != nil {
		return nil, err
	}
	burned, err := s.burnOf(ctx, &i)
	if err != nil {
		return nil, err
	}
	p := page{lang: lang}
	p.head(&i)
	p.burn(burned)
	p.timeline(t)
	return p.Bytes(), nil
}

// page is a Markdown document in one language.
type page struct {
	bytes.Buffer
	lang text.Lang
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) say(en, ja string) string { return text.Both{EN: en, JA: ja}.In(p.lang) }

// fact writes one row of a table, if there is something to say.
func (p *page) fact(label, value string) {
	if value != "" {
		p.line("| %s | %s |", label, cell(value))
	}
}

// cell keeps a value within its cell.
func cell(s string) string {
	return strings.NewReplacer("|", "\\|", "\n", " ", "\r", " ").Replace(s)
}

func (p *page) head(i *Incident) {
	p.line("# %s: %s\n", i.ID(), notice.OneLine(i.Title, 200))
	p.line("| | |\n|---|---|")
	p.fact(p.say("State", "状態"), i.State.text().In(p.lang))
	p.fact(p.say("Severity", "重大度"), string(i.Severity))
	p.fact(p.say("Services", "サービス"), strings.Join(i.Services, ", "))
	for _, r := range Roles {
		p.fact(r.text().In(p.lang), i.Roles[r].Name)
	}
	for _, x := range i.Stamps.all() {
		if !x.at.IsZero() {
			p.fact(strings.TrimPrefix(x.name.In(p.lang), "the "), clock(*x.at))
		}
	}
	times := i.Stamps.Times()
	for _, x := range []struct {
		name string
		d    *float64
	}{
		{p.say("Time to detect", "検知まで"), times.Detect}, {p.say("Time to acknowledge", "確認まで"), times.Acknowledge},
		{p.say("Time to mitigate", "緩和まで"), times.Mitigate}, {p.say("Time to resolve", "解決まで"), times.Resolve},
	} {
		if x.d != nil {
			p.fact(x.name, notice.Span(time.Duration(*x.d*float64(time.Second))).In(p.lang))
		}
	}
	if i.UsersAffected != nil {
		p.fact(p.say("Users affected", "影響を受けた利用者"), fmt.Sprintf("%.4g %%", *i.UsersAffected*100))
	}
	if i.Summary != "" {
		p.line("\n%s", i.Summary)
	}
}

func (p *page) burn(b Burned) {
	if len(b.Items) == 0 && b.Override == nil {
		return
	}
	p.line("\n## %s\n", p.say("Error budget", "エラーバジェット"))
	if b.Override != nil {
		p.line("%s\n", p.say(fmt.Sprintf("%.1f minutes instead of the computed %.1f: %s", b.Override.Minutes, b.Computed, b.Override.Reason),
			fmt.Sprintf("計算値 %.1f 分の代わりに %.1f 分とします: %s", b.Computed, b.Override.Minutes, b.Override.Reason)))
	}
	p.line("| %s | %s | %s |\n|---|---:|---:|", "SLO", p.say("Share of the budget", "バジェットに占める割合"), p.say("Minutes", "分"))
	for _, x := range b.Items {
		p.line("| %s | %.2f %% | %.2f |", cell(x.SLO), x.Share*100, x.Minutes)
	}
}

func (p *page) timeline(t Timeline) {
	p.line("\n## %s\n", p.say("Timeline (UTC)", "タイムライン(UTC)"))
	for _, m := range t.Moments {
		said := what(m)
		p.line("- %s **%s** %s", m.Time.UTC().Format("2006-01-02 15:04:05"), m.Actor.Name, said.In(p.lang))
		p.quote(m.body())
		for _, c := range m.Corrections {
			p.line("  - %s **%s** %s", c.Time.UTC().Format("15:04:05"), c.Actor.Name, p.say("corrected it:", "が訂正しました:"))
			p.quote(c.Text)
		}
	}
	if t.Cut {
		p.line("\n%s", p.say("There is more than is shown here; the journal has it.", "このほかの記録はジャーナルにあります。"))
	}
}

// quote writes what somebody wrote, set off from what the product says.
func (p *page) quote(s string) {
	if s == "" {
		return
	}
	for l := range strings.Lines(s) {
		p.line("  > %s", strings.TrimRight(l, "\r\n"))
	}
}

// body is what somebody wrote in an entry about an incident.
func (m *Moment) body() string {
	var t Told
	if !strings.HasPrefix(m.Kind, "incident.") || json.Unmarshal(m.Data, &t) != nil {
		return ""
	}
	return t.Text
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

package route

import (
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Step is one thing that was decided, with the line that it comes from.
type Step struct {
	Kind  string         `json:"kind" enum:"matched,passed,receiver,silence,inhibition,maintenance,interval,outcome"`
	Depth int            `json:"depth" doc:"How deep in the tree of routes it is."`
	What  text.Both      `json:"what"`
	At    fault.Position `json:"at,omitzero"`
}

// Trace is how a decision came about, in order. It answers why somebody was
// paged, and why nobody was.
type Trace []Step

// The kinds of step besides the kinds of reason.
const (
	StepMatched  = "matched"  // a route matches
	StepPassed   = "passed"   // a route does not match
	StepReceiver = "receiver" // who is told
	StepOutcome  = "outcome"  // what becomes of the alert
)

// mostPassed is how many routes that do not match are told of one by one.
const mostPassed = 100

// In writes the trace for a person, a line for each step, the place first.
func (t Trace) In(l text.Lang) string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(strings.Repeat("  ", s.Depth))
		b.WriteString(s.What.In(l))
		if !s.At.IsZero() {
			b.WriteString(" (" + s.At.String() + ")")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (t *Trace) add(s Step) {
	if t != nil {
		*t = append(*t, s)
	}
}

func (t *Trace) matched(n *node, a Alert, depth int) {
	if t == nil {
		return
	}
	what := text.Say("route %s matches", "ルート %s に一致", n.matchers)
	switch {
	case depth == 0:
		what = text.Say("every alert begins at the root", "すべてのアラートは根のルートから始まります")
	case n.team != "" && len(n.matchers) == 0:
		what = text.Say("%s belongs to the team %s, which has routes of its own", "%[1]s のチーム %[2]s には独自のルートがあります", serviceOf(a), n.team)
	}
	t.add(Step{Kind: StepMatched, Depth: depth, What: what, At: n.at})
}

func serviceOf(a Alert) text.Both {
	if a.Service == "" {
		return text.Say("the alert", "このアラート")
	}
	return text.Say("service %s", "サービス %s", a.Service)
}

func (t *Trace) passed(n *node, m *Matcher, a Alert, depth int) {
	if t == nil {
		return
	}
	passed := 0
	for _, s := range *t {
		if s.Kind == StepPassed {
			passed++
		}
	}
	if passed >= mostPassed {
		return
	}
	what := text.Say("route %s does not match: %s is %q", "ルート %s は不一致(%s が %q)", n.matchers, m.Name, a.Labels[m.Name])
	if a.Labels[m.Name] == "" {
		what = text.Say("route %s does not match: the alert has no %s", "ルート %s は不一致(アラートに %s がない)", n.matchers, m.Name)
	}
	t.add(Step{Kind: StepPassed, Depth: depth, What: what, At: n.at})
}

func (t *Trace) chosen(n *node, a Alert, d Decision) {
	if t == nil {
		return
	}
	depth := 0
	if len(*t) > 0 {
		depth = (*t)[len(*t)-1].Depth + 1
	}
	t.add(Step{Kind: StepReceiver, Depth: depth, What: n.receiver.say(a), At: n.receiver.At})
	if d.Muted != nil {
		t.add(Step{Kind: ByInterval, Depth: depth, What: d.Muted.What, At: d.Muted.At})
	}
}

// say tells who is told by a receiver.
func (r *Receiver) say(a Alert) text.Both {
	if r.Nobody {
		return text.Say("receiver %s tells nobody: that is what it says", "受信先 %s は誰にも知らせない設定です", r.Name)
	}
	var en, ja []string
	if r.Owner {
		owner := text.Say("the team that owns %s: %s", "%s を所有するチーム(%s)", serviceOf(a), teamOf(a))
		en, ja = append(en, owner.EN), append(ja, owner.JA)
	}
	if r.Policy != "" {
		en, ja = append(en, "the escalation policy "+r.Policy), append(ja, "エスカレーションポリシー "+r.Policy)
	}
	if len(r.Channels) > 0 {
		names := strings.Join(r.Channels, ", ")
		en, ja = append(en, "the channels "+names), append(ja, "チャンネル "+names)
	}
	return text.Both{EN: "it goes to " + strings.Join(en, " and "), JA: strings.Join(ja, "と") + "に知らせます"}
}

func teamOf(a Alert) text.Both {
	if a.Team == "" {
		return text.Say("nobody is known to, so the fallback is told", "不明のため、代替の連絡先")
	}
	return text.Say("%s", "%s", a.Team)
}

// outcome ends a trace.
func (t *Trace) outcome(v Verdict) {
	if t == nil {
		return
	}
	for _, r := range v.Suppressed {
		t.add(Step{Kind: r.Kind, What: r.What, At: r.At})
	}
	heard := v.Heard()
	what := text.Say("%d receivers hear of it", "%d件の受信先に知らせます", len(heard))
	switch {
	case len(v.Suppressed) > 0:
		what = text.Say("nobody hears of it while that holds; it stays listed as suppressed", "この間は誰にも知らせません。アラートは抑止中として残ります")
	case len(heard) == 0:
		what = text.Say("nobody hears of it", "誰にも知らせません")
	case len(heard) == 1:
		what = text.Say("one receiver hears of it", "1件の受信先に知らせます")
	}
	t.add(Step{Kind: StepOutcome, What: what})
}

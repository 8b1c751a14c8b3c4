package route

import (
	"log/slog"
	"regexp"
	"sort"
	"strings"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Matcher is a condition on one label.
type Matcher struct {
	labels.Matcher
	// words is what a regular expression stands for that is nothing but words
	// between bars.
	words map[string]bool
}

// Matchers are conditions that all have to hold.
type Matchers []Matcher

// parse reads UTF-8 matchers and, where they cannot be read as such, classic
// ones, as Alertmanager does by default.
var parse = compat.FallbackMatchersParser(slog.New(slog.DiscardHandler))

// ParseMatchers reads one or more matchers: severity="critical", or
// {team=~"shop|search",env!="test"}. What cannot be read is an Invalid fault.
func ParseMatchers(s string) (Matchers, error) {
	read, err := parse(s, "")
	if err != nil {
		return nil, fault.New(fault.Invalid, "route.matcher", text.Say("%q is not a matcher: %s", "%q はマッチャーとして読めません: %s", s, err)).
			Fix(text.Say(`write name="value", with =, !=, =~ or !~`, `name="value" の形で書いてください。演算子は =、!=、=~、!~ です`))
	}
	ms := make(Matchers, 0, len(read))
	for _, m := range read {
		ms = append(ms, ready(m))
	}
	return ms, nil
}

// NewMatcher is a matcher of its parts, as Alertmanager's API tells them. A
// regular expression that cannot be read is an Invalid fault.
func NewMatcher(name, value string, equal, regex bool) (Matcher, error) {
	kind := map[[2]bool]labels.MatchType{
		{true, false}: labels.MatchEqual, {false, false}: labels.MatchNotEqual, {true, true}: labels.MatchRegexp, {false, true}: labels.MatchNotRegexp,
	}[[2]bool{equal, regex}]
	m, err := labels.NewMatcher(kind, name, value)
	if err != nil {
		return Matcher{}, fault.New(fault.Invalid, "route.matcher", text.Say("%q is not a regular expression: %s", "%q は正規表現として読めません: %s", value, err)).
			Fix(text.Say("correct the regular expression (RE2 syntax)", "正規表現を直してください(RE2 の文法)"))
	}
	return ready(m), nil
}

func ready(m *labels.Matcher) Matcher {
	made := Matcher{Matcher: *m}
	if words := strings.Split(m.Value, "|"); made.Regex() && !strings.ContainsFunc(m.Value, special) {
		made.words = make(map[string]bool, len(words))
		for _, w := range words {
			made.words[w] = true
		}
	}
	return made
}

// special reports whether a character means something else than itself in a
// regular expression, the bar aside.
func special(r rune) bool { return r != '|' && regexp.QuoteMeta(string(r)) != string(r) }

// Equal reports whether the value has to match, not to differ.
func (m *Matcher) Equal() bool { return m.Type == labels.MatchEqual || m.Type == labels.MatchRegexp }

// Regex reports whether the value is a regular expression.
func (m *Matcher) Regex() bool {
	return m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp
}

// Matches reports whether a value of the label satisfies the matcher.
func (m *Matcher) Matches(value string) bool {
	if m.words != nil {
		return m.words[value] == (m.Type == labels.MatchRegexp)
	}
	return m.Matcher.Matches(value)
}

// Match reports whether labels satisfy every matcher.
func (ms Matchers) Match(l Labels) bool { return ms.failing(l) == nil }

// failing is the first matcher that labels do not satisfy, nil where they satisfy
// all.
func (ms Matchers) failing(l Labels) *Matcher {
	for i := range ms {
		if !ms[i].Matches(l[ms[i].Name]) {
			return &ms[i]
		}
	}
	return nil
}

// MatchNothing reports whether labels without any value satisfy every matcher, so
// that they say hardly anything about an alert.
func (ms Matchers) MatchNothing() bool { return ms.Match(nil) }

// Strings writes each matcher so that it can be read back.
func (ms Matchers) Strings() []string {
	all := make([]string, 0, len(ms))
	for i := range ms {
		all = append(all, ms[i].String())
	}
	return all
}

// String writes the matchers in braces.
func (ms Matchers) String() string { return "{" + strings.Join(ms.Strings(), ",") + "}" }

// sorted is a copy in the order of names, which makes a key of them.
func (ms Matchers) sorted() Matchers {
	all := append(Matchers{}, ms...)
	sort.SliceStable(all, func(i, j int) bool { return all[i].String() < all[j].String() })
	return all
}

// key is the label and the value that whatever matches must have, where one of
// the matchers asks for exactly one value.
func (ms Matchers) key() (name, value string, ok bool) {
	for i := range ms {
		if m := &ms[i]; m.Type == labels.MatchEqual && m.Value != "" {
			return m.Name, m.Value, true
		}
	}
	return "", "", false
}

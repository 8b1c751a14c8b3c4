package route_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/route"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) // a Monday

// parsed reads documents as an apply does.
func parsed(t testing.TB, files ...string) []route.Document {
	t.Helper()
	type object struct {
		APIVersion string     `json:"apiVersion"`
		Kind       string     `json:"kind"`
		Metadata   metadata   `json:"metadata"`
		Spec       route.Spec `json:"spec"`
	}
	r := ascode.NewRegistry()
	r.Add(ascode.Kind{APIVersion: "teiten.dev/v1", Kind: "AlertRouting", ID: "alert-routings", Title: text.Say("a", "あ"), New: func() any { return &object{} }})
	var sources []ascode.File
	for i, f := range files {
		sources = append(sources, ascode.File{Name: fmt.Sprintf("%d.yaml", i), Data: "apiVersion: teiten.dev/v1\nkind: AlertRouting\n" + f})
	}
	docs, faults := r.Parse(sources)
	if len(faults) > 0 {
		t.Fatal(fault.Join(faults))
	}
	var all []route.Document
	for _, d := range docs {
		all = append(all, route.Document{Name: d.Name, Spec: d.Object.(*object).Spec, Places: d})
	}
	return all
}

type metadata struct {
	Name string `json:"name"`
}

func build(t testing.TB, files ...string) *route.Tree {
	t.Helper()
	tree, faults := route.Build(parsed(t, files...))
	if len(faults) > 0 {
		t.Fatal(fault.Join(faults))
	}
	return tree
}

const organisation = `metadata: {name: all}
spec:
  receivers:
  - {name: watch, nobody: true}
  - {name: chat, channels: [ops]}
  - {name: security, policy: security, channels: [ops]}
  timeIntervals:
  - name: nights
    parts: [{times: [{start: "00:00", end: "08:00"}, {start: "20:00", end: "24:00"}], timeZone: Asia/Tokyo}]
  inhibitions:
  - {sourceMatchers: ['alertname="Down"'], targetMatchers: ['severity="warning"'], equal: [service]}
  route:
    routes:
    - {matchers: ['alertname="Watchdog"'], receiver: watch}
    - {matchers: ['kind="security"'], receiver: security, continue: true, groupBy: [host]}
    - {matchers: ['severity="info"'], receiver: chat, muteTimeIntervals: [nights]}
`

const shop = `metadata: {name: shop}
spec:
  team: shop
  receivers: [{name: page, policy: shop-primary}]
  route:
    receiver: page
    groupBy: ['...']
    routes:
    - {matchers: [severity=~"warning|info"], receiver: owner}
`

func names(v route.Verdict) string {
	var all []string
	for _, d := range v.Heard() {
		all = append(all, d.Receiver.Name)
	}
	return strings.Join(all, " ")
}

func alert(service, team string, pairs ...string) route.Alert {
	a := route.Alert{Service: service, Team: team, Labels: route.Labels{"service": service}}
	for i := 0; i+1 < len(pairs); i += 2 {
		a.Labels[pairs[i]] = pairs[i+1]
	}
	return a
}

func TestTheFirstRouteThatMatchesDecides(t *testing.T) {
	r := route.New(build(t, organisation, shop), nil, nil)
	for _, c := range []struct {
		alert route.Alert
		want  string
	}{
		{alert("checkout", "", "alertname", "X"), "owner"},
		{alert("checkout", "", "alertname", "Watchdog"), ""},
		{alert("checkout", "", "kind", "security"), "security"},
		{alert("checkout", "", "kind", "security", "severity", "info"), "security"}, // chat is muted: it is 21:00 in Tokyo
		{alert("checkout", "shop", "alertname", "X"), "page"},
		{alert("checkout", "shop", "severity", "warning"), "owner"},
		{alert("search", "search", "alertname", "X"), "owner"},
	} {
		if got := names(r.Decide(c.alert, nil, noon)); got != c.want {
			t.Errorf("%v: %q, want %q", c.alert, got, c.want)
		}
	}
	if got := names(r.Decide(alert("a", "", "kind", "security", "severity", "info"), nil, noon.Add(-3*time.Hour))); got != "security chat" {
		t.Errorf("by day: %q", got)
	}
}

func TestWithoutADocumentTheOwnerHearsOfEverything(t *testing.T) {
	v := route.New(route.Default(), nil, nil).Decide(alert("checkout", "shop", "alertname", "X", "pod", "a"), nil, noon)
	if len(v.Heard()) != 1 || !v.Decisions[0].Receiver.Owner {
		t.Fatalf("%+v", v)
	}
	if d := cmp.Diff(route.Labels{"alertname": "X", "service": "checkout"}, v.Decisions[0].Group.Labels); d != "" {
		t.Error(d)
	}
}

func TestGroupsKeepTheirKeysWhileOtherRoutesChange(t *testing.T) {
	a := alert("checkout", "", "kind", "security", "host", "h1")
	key := func(doc string) string {
		return route.New(build(t, doc), nil, nil).Decide(a, nil, noon).Decisions[0].Group.Key
	}
	before := key(organisation)
	after := key(strings.Replace(organisation, "    routes:\n", "    routes:\n    - {matchers: [x=\"y\"], receiver: chat}\n", 1))
	if before != after {
		t.Errorf("%q became %q", before, after)
	}
	for _, other := range []route.Alert{alert("checkout", "", "kind", "security", "host", "h2"), alert("checkout", "", "kind", "security", "host", "h1\nx=y")} {
		if k := route.New(build(t, organisation), nil, nil).Decide(other, nil, noon).Decisions[0].Group.Key; k == before {
			t.Errorf("%v is in the same group", other)
		}
	}
}

func TestEveryStepNamesItsLine(t *testing.T) {
	docs := build(t, organisation, shop)
	firing := route.NewInhibitor(docs.Inhibitions())
	firing.Add("1", alert("checkout", "shop", "alertname", "Down"))
	r := route.New(docs, route.NewSilences([]*route.Silence{silence(t, "s1", `service="checkout"`)}), nil)
	_, trace := r.Explain(alert("checkout", "shop", "severity", "warning"), firing, noon)
	want := `every alert begins at the root (0.yaml:14:3)
  route {alertname="Watchdog"} does not match: the alert has no alertname (0.yaml:16:7)
  route {kind="security"} does not match: the alert has no kind (0.yaml:17:7)
  route {severity="info"} does not match: severity is "warning" (0.yaml:18:7)
  service checkout belongs to the team shop, which has routes of its own (1.yaml:7:3)
    route {severity=~"warning|info"} matches (1.yaml:11:7)
      it goes to the team that owns service checkout: shop
ann silenced {service="checkout"} until 2026-11-23 13:00 UTC: because
an alert of {alertname="Down"} fires, which inhibits {severity="warning"} with the same service (0.yaml:13:5)
nobody hears of it while that holds; it stays listed as suppressed
`
	if d := cmp.Diff(want, trace.In(text.EN)); d != "" {
		t.Error(d)
	}
	for _, s := range trace {
		if s.What.JA == "" {
			t.Errorf("no Japanese for %q", s.What.EN)
		}
	}
	if ja := trace.In(text.JA); !strings.Contains(ja, "サービス checkout のチーム shop には独自のルートがあります (1.yaml:7:3)") {
		t.Error(ja)
	}
}

func silence(t *testing.T, id string, matchers string) *route.Silence {
	t.Helper()
	ms, err := route.ParseMatchers(matchers)
	if err != nil {
		t.Fatal(err)
	}
	return &route.Silence{ID: id, Matchers: ms, Author: "ann", Reason: "because", Starts: noon.Add(-time.Hour), Ends: noon.Add(time.Hour)}
}

func TestSilencesHoldBetweenTheirEnds(t *testing.T) {
	s := silence(t, "1", `a="b"`)
	for at, want := range map[time.Duration]string{-2 * time.Hour: route.Pending, -time.Hour: route.Active, 0: route.Active, time.Hour: route.Expired} {
		if got := s.State(noon.Add(at)); got != want {
			t.Errorf("%v: %s, want %s", at, got, want)
		}
		held := len(route.NewSilences([]*route.Silence{s}).Of(route.Labels{"a": "b"}, noon.Add(at))) > 0
		if held != (want == route.Active) {
			t.Errorf("%v: holds %v", at, held)
		}
	}
}

func TestASilenceNeedsSomebodyAReasonAnEndAndALabel(t *testing.T) {
	for want, change := range map[string]func(*route.Silence){
		"silence.author":     func(s *route.Silence) { s.Author = " " },
		"silence.reason":     func(s *route.Silence) { s.Reason = "" },
		"silence.span":       func(s *route.Silence) { s.Ends = s.Starts },
		"silence.everything": func(s *route.Silence) { s.Matchers = silence(t, "", `a=~".*"`).Matchers },
	} {
		s := silence(t, "1", `a="b"`)
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		change(s)
		if f, ok := fault.As(s.Check()); !ok || f.Code != want || f.Remedy.IsZero() {
			t.Errorf("%s: %v", want, s.Check())
		}
	}
}

func TestMaintenanceSuppressesTheAlertsOfItsServices(t *testing.T) {
	w := &route.Window{Name: "move", Reason: "new racks", Services: []string{"db"}, SLOs: []string{"db-latency"}, Spans: []route.Span{{noon, noon.Add(time.Hour)}}}
	r := route.New(route.Default(), nil, route.NewWindows([]*route.Window{w}))
	for _, c := range []struct {
		alert route.Alert
		after time.Duration
		want  int
	}{
		{alert("db", ""), 0, 1}, {alert("db", ""), time.Hour, 0}, {alert("db", ""), -1, 0}, {alert("web", ""), 0, 0},
		{alert("db", "", "slo", "db-latency"), 0, 1}, {alert("web", "", "slo", "db-latency"), 0, 1},
	} {
		v := r.Decide(c.alert, nil, noon.Add(c.after))
		if len(v.Suppressed) != c.want || len(v.Heard()) == c.want {
			t.Errorf("%v after %v: %+v", c.alert, c.after, v.Suppressed)
		}
	}
}

func TestAnAlertDoesNotInhibitItself(t *testing.T) {
	tree := build(t, `metadata: {name: a}
spec:
  route: {}
  inhibitions: [{sourceMatchers: ['severity=~"critical|page"'], targetMatchers: ['severity=~"page|warning"'], equal: [service]}]
`)
	r, firing := route.New(tree, nil, nil), route.NewInhibitor(tree.Inhibitions())
	page, warning := alert("a", "", "severity", "page"), alert("a", "", "severity", "warning")
	firing.Add("page", page)
	if v := r.Decide(page, firing, noon); len(v.Suppressed) > 0 {
		t.Errorf("it inhibits itself: %+v", v.Suppressed)
	}
	if v := r.Decide(warning, firing, noon); len(v.Suppressed) != 1 || v.Suppressed[0].Ref != "alert:page" {
		t.Errorf("a target of both sides is no source: %+v", v.Suppressed)
	}
	firing.Add("critical", alert("a", "", "severity", "critical"))
	if v := r.Decide(page, firing, noon); len(v.Suppressed) != 1 {
		t.Errorf("%+v", v.Suppressed)
	}
	firing.Remove("critical", alert("a", "", "severity", "critical"))
	firing.Remove("page", page)
	if v := r.Decide(warning, firing, noon); len(v.Suppressed) > 0 {
		t.Errorf("what is over inhibits: %+v", v.Suppressed)
	}
}

func TestMistakesAreShownWhereTheyAre(t *testing.T) {
	for _, c := range []struct{ doc, code, where string }{
		{"route: {receiver: chatt}\n  receivers: [{name: chat, channels: [a]}]", "routing.receiver_unknown", "0.yaml:5:21"},
		{"route: {matchers: [a=b]}", "routing.root_matchers", "0.yaml:5:11"},
		{"route: {routes: [{matchers: ['a=~\"(\"']}]}", "routing.matcher", "0.yaml:5:32"},
		{"route: {groupBy: [a, '...']}", "routing.group_by", "0.yaml:5:11"},
		{"route: {groupBy: [a, a]}", "routing.group_by", "0.yaml:5:11"},
		{"route: {repeatInterval: 0s}", "routing.duration", "0.yaml:5:27"},
		{"route: {groupWait: soon}", "routing.duration", "0.yaml:5:22"},
		{"route: {muteTimeIntervals: [night]}", "routing.interval_unknown", "0.yaml:5:31"},
		{"route: {}\n  receivers: [{name: owner, nobody: true}]", "routing.receiver_twice", "0.yaml:6:22"},
		{"route: {}\n  receivers: [{name: a}]", "routing.receiver_whom", "0.yaml:6:15"},
		{"route: {}\n  receivers: [{name: a, nobody: true, policy: b}]", "routing.receiver_whom", "0.yaml:6:15"},
		{"route: {}\n  timeIntervals: [{name: a, parts: [{weekdays: [friday:monday]}]}]", "routing.interval", "0.yaml:6:49"},
		{"route: {}\n  timeIntervals: [{name: a, parts: [{times: [{start: '9', end: '10:00'}]}]}]", "routing.interval", "0.yaml:6:46"},
		{"route: {}\n  timeIntervals: [{name: a, parts: [{timeZone: Mars/Olympus}]}]", "routing.interval", "0.yaml:6:48"},
	} {
		_, faults := route.Build(parsed(t, "metadata: {name: a}\nspec:\n  "+c.doc+"\n"))
		if len(faults) != 1 || faults[0].Code != c.code || faults[0].Where.String() != c.where || faults[0].Remedy.JA == "" || faults[0].What.JA == "" {
			t.Errorf("%s: %v", c.doc, fault.Join(faults))
		}
	}
	_, faults := route.Build(parsed(t, organisation, strings.Replace(organisation, "name: all", "name: other", 1)))
	if len(faults) != 1 || faults[0].Code != "routing.twice" || faults[0].Where.File != "1.yaml" {
		t.Errorf("two of the organisation: %v", fault.Join(faults))
	}
}

func TestManyRoutesAreAskedAsFew(t *testing.T) {
	var doc strings.Builder
	doc.WriteString("metadata: {name: a}\nspec:\n  receivers: [{name: chat, channels: [a]}]\n  route:\n    routes:\n")
	for i := range 200 {
		fmt.Fprintf(&doc, "    - {matchers: ['service=\"s%d\"'], receiver: chat, continue: %v}\n", i%100, i%3 == 0)
		if i%50 == 0 {
			doc.WriteString("    - {matchers: ['tier=~\"gold|silver\"'], receiver: chat, continue: true}\n")
		}
	}
	tree := build(t, doc.String())
	r := route.New(tree, nil, nil)
	for i := range 110 {
		a := alert(fmt.Sprintf("s%d", i), "", "tier", []string{"gold", "tin"}[i%2])
		quick := r.Decide(a, nil, noon)
		slow, _ := r.Explain(a, nil, noon) // asks each
		if d := cmp.Diff(slow, quick, cmpopts.IgnoreUnexported()); d != "" {
			t.Fatal(a, d)
		}
	}
}

func TestMatchersReadBothSyntaxes(t *testing.T) {
	for in, want := range map[string][]string{
		`a=b`:                       {`a="b"`},
		`{a="b", c=~"x|y",d!="",}`:  {`a="b"`, `c=~"x|y"`, `d!=""`},
		`"サービス"="決済"`:               {`サービス="決済"`},
		`"a b"!~"x.*"`:              {`"a b"!~"x.*"`},
		`a=\d+`:                     {`a="\\d+"`}, // classic only
		`{}`:                        {},
		`a="with \"quotes\" and ,"`: {`a="with \"quotes\" and ,"`},
	} {
		ms, err := route.ParseMatchers(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if !slices.Equal(ms.Strings(), want) {
			t.Errorf("%s: %q, want %q", in, ms.Strings(), want)
		}
		for _, s := range ms.Strings() {
			if again, err := route.ParseMatchers(s); err != nil || again.String() != "{"+s+"}" {
				t.Errorf("%s is read back as %v, %v", s, again, err)
			}
		}
	}
}

func FuzzMatchers(f *testing.F) {
	for _, s := range []string{`a=b`, `{a="b"}`, `"ü"=~"x|y"`, `a!~"(`, "{", `a="\xff"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ms, err := route.ParseMatchers(s)
		if err != nil {
			if fl, ok := fault.As(err); !ok || fl.Remedy.IsZero() {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		ms.Match(route.Labels{"a": s})
	})
}

package route_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/route"
)

// nowhere is where documents are written that come from no file.
type nowhere struct{}

func (nowhere) Pos(...any) fault.Position { return fault.Position{} }
func (nowhere) Fault(code string, what, remedy text.Both, _ ...any) *fault.Error {
	return fault.New(fault.Invalid, code, what).Fix(remedy)
}

// large is a tree of a thousand routes, with inhibitions.
func large(t testing.TB) *route.Tree {
	var doc strings.Builder
	doc.WriteString(`metadata: {name: a}
spec:
  receivers: [{name: chat, channels: [a]}]
  inhibitions:
  - {sourceMatchers: ['severity="critical"'], targetMatchers: ['severity="warning"'], equal: [service]}
  - {sourceMatchers: ['alertname="ClusterDown"'], targetMatchers: ['alertname!="ClusterDown"'], equal: [cluster]}
  route:
    routes:
`)
	for i := range 1000 {
		fmt.Fprintf(&doc, "    - {matchers: ['service=\"s%d\"', 'severity=~\"critical|warning\"'], receiver: chat}\n", i)
	}
	return build(t, doc.String())
}

// BenchmarkDecide decides about one of 100,000 alerts that fire, by a thousand
// routes and two inhibitions, beside a thousand silences.
func BenchmarkDecide(b *testing.B) {
	tree := large(b)
	firing := route.NewInhibitor(tree.Inhibitions())
	all := make([]route.Alert, 100_000)
	for i := range all {
		all[i] = alert(fmt.Sprintf("s%d", i%1000), "", "alertname", "A", "severity", []string{"critical", "warning"}[i%2], "cluster", fmt.Sprint("c", i%50), "pod", fmt.Sprint(i))
		firing.Add(fmt.Sprint(i), all[i])
	}
	silences := make([]*route.Silence, 1000)
	for i := range silences {
		ms, _ := route.ParseMatchers(fmt.Sprintf(`service="s%d",pod=~"9.*"`, i))
		silences[i] = &route.Silence{ID: fmt.Sprint(i), Matchers: ms, Starts: noon.Add(-1), Ends: noon.Add(1)}
	}
	r := route.New(tree, route.NewSilences(silences), nil)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Decide(all[i%len(all)], firing, noon)
	}
}

// BenchmarkFollow notes that an alert fires and resolves, among 100,000.
func BenchmarkFollow(b *testing.B) {
	firing := route.NewInhibitor(large(b).Inhibitions())
	a := alert("s1", "", "alertname", "A", "severity", "critical")
	for i := range 100_000 {
		firing.Add(fmt.Sprint(i), a)
	}
	b.ReportAllocs()
	for b.Loop() {
		firing.Add("one", a)
		firing.Remove("one", a)
	}
}

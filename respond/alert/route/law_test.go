package route_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/respond/alert/route"
)

var (
	labelNames  = []string{"a", "b", "c"}
	labelValues = []string{"", "x", "y", "z"}
)

func drawLabels(t *rapid.T) route.Labels {
	l := route.Labels{}
	for _, name := range labelNames {
		if v := rapid.SampledFrom(labelValues).Draw(t, name); v != "" {
			l[name] = v
		}
	}
	return l
}

func drawMatchers(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf("%s%s%q", rapid.SampledFrom(labelNames).Draw(t, "name"), rapid.SampledFrom([]string{"=", "!=", "=~", "!~"}).Draw(t, "op"),
			rapid.SampledFrom([]string{"", "x", "y", "x|y", "x|y|", "[xy]", ".+"}).Draw(t, "value"))
	}), 1, 3).Draw(t, "matchers")
}

func matchers(t interface{ Fatal(...any) }, list []string) route.Matchers {
	ms, err := route.ParseMatchers(strings.Join(list, ","))
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

// TestTheInhibitorAgreesWithLookingAtEveryPair compares with what the words say:
// some alert that fires matches the source, all labels of equal are the same, and
// not both alerts match both sides.
func TestTheInhibitorAgreesWithLookingAtEveryPair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rules []*route.Inhibition
		for range rapid.IntRange(1, 3).Draw(t, "rules") {
			rules = append(rules, &route.Inhibition{Source: matchers(t, drawMatchers(t)), Target: matchers(t, drawMatchers(t)),
				Equal: rapid.SliceOfNDistinct(rapid.SampledFrom(labelNames), 0, 2, rapid.ID).Draw(t, "equal")})
		}
		r, firing := route.New(route.Default(), nil, nil), route.NewInhibitor(rules)
		there := map[string]route.Alert{}
		for i := range rapid.IntRange(1, 12).Draw(t, "steps") {
			id := fmt.Sprint(rapid.IntRange(0, 5).Draw(t, "id"))
			if a, ok := there[id]; ok {
				firing.Remove(id, a)
				delete(there, id)
			} else {
				there[id] = route.Alert{Labels: drawLabels(t)}
				firing.Add(id, there[id])
			}
			a := route.Alert{Labels: drawLabels(t)}
			if got, want := r.Decide(a, firing, noon).Suppressed, pairs(rules, there, a); (len(got) > 0) != want {
				t.Fatalf("step %d: %v of %v: %v, want %v", i, a, there, got, want)
			}
		}
	})
}

func pairs(rules []*route.Inhibition, there map[string]route.Alert, a route.Alert) bool {
	for _, r := range rules {
		for _, s := range there {
			same := !slices.ContainsFunc(r.Equal, func(name string) bool { return s.Labels[name] != a.Labels[name] })
			both := r.Source.Match(a.Labels) && r.Target.Match(s.Labels)
			if r.Target.Match(a.Labels) && r.Source.Match(s.Labels) && same && !both {
				return true
			}
		}
	}
	return false
}

func TestSilencesAreFoundAsIfEachWereAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []*route.Silence
		for i := range rapid.IntRange(0, 8).Draw(t, "silences") {
			from := noon.Add(time.Duration(rapid.IntRange(-3, 3).Draw(t, "from")) * time.Hour)
			all = append(all, &route.Silence{ID: fmt.Sprint(i), Matchers: matchers(t, drawMatchers(t)), Starts: from, Ends: from.Add(2 * time.Hour)})
		}
		l := drawLabels(t)
		var want []*route.Silence
		for _, s := range all {
			if s.State(noon) == route.Active && s.Matchers.Match(l) {
				want = append(want, s)
			}
		}
		if got := route.NewSilences(all).Of(l, noon); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// TestEveryAlertHasAReceiver holds whatever the tree.
func TestEveryAlertHasAReceiver(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tree, faults := route.Build([]route.Document{{Spec: route.Spec{Receivers: []route.ReceiverSpec{{Name: "r", Policy: "p"}}, Route: drawRoute(t, 3)}, Places: nowhere{}}})
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		a := route.Alert{Labels: drawLabels(t)}
		v := route.New(tree, nil, nil).Decide(a, nil, noon)
		if len(v.Heard()) == 0 {
			t.Fatalf("nobody hears of %v", a)
		}
		explained, trace := route.New(tree, nil, nil).Explain(a, nil, noon)
		if len(explained.Decisions) != len(v.Decisions) || len(trace) < 3 {
			t.Fatalf("explained otherwise: %v", trace)
		}
	})
}

func drawRoute(t *rapid.T, depth int) route.Branch {
	s := route.Branch{Receiver: rapid.SampledFrom([]string{"", "owner", "r"}).Draw(t, "receiver")}
	if depth == 0 {
		return s
	}
	for range rapid.IntRange(0, 10).Draw(t, "routes") {
		next := drawRoute(t, depth-1)
		next.Matchers, next.Continue = drawMatchers(t), rapid.Bool().Draw(t, "continue")
		s.Routes = append(s.Routes, next)
	}
	return s
}

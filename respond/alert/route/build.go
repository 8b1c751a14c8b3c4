package route

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Places says where in a file a field of a document is written.
type Places interface {
	Pos(path ...any) fault.Position
	Fault(code string, what, remedy text.Both, path ...any) *fault.Error
}

// Document is one AlertRouting, and where it is written.
type Document struct {
	Name   string
	Spec   Spec
	Places Places
}

// The timing of a root that says nothing else.
const (
	defaultWait     = 30 * time.Second
	defaultInterval = 5 * time.Minute
	defaultRepeat   = 4 * time.Hour
)

// indexFrom is from how many routes on one level an index pays.
const indexFrom = 8

// Build puts documents together: the organisation's first, and each team's below
// it, after its own routes. What is wrong comes back with its place, and no tree.
func Build(docs []Document) (*Tree, []*fault.Error) {
	docs = slices.Clone(docs)
	slices.SortFunc(docs, func(a, b Document) int {
		return cmp.Or(cmp.Compare(a.Spec.Team, b.Spec.Team), cmp.Compare(a.Name, b.Name))
	})
	owner := &Receiver{Name: OwnerReceiver, Owner: true}
	t := &Tree{receivers: []*Receiver{owner}}
	t.root = &node{id: "{}", receiver: owner,
		timing: timing{groupBy: []string{"alertname", "service"}, wait: defaultWait, interval: defaultInterval, repeat: defaultRepeat}}
	b := builder{tree: t, shared: scope{receivers: map[string]*Receiver{OwnerReceiver: owner}, intervals: map[string]*Interval{}}}
	for i, d := range docs {
		if i > 0 && docs[i-1].Spec.Team == d.Spec.Team {
			b.twice(d, docs[i-1])
			continue
		}
		b.document(d)
	}
	if len(b.faults) > 0 {
		return nil, b.faults
	}
	t.root.settle()
	return t, nil
}

// scope is what a document's routes can refer to.
type scope struct {
	receivers map[string]*Receiver
	intervals map[string]*Interval
}

type builder struct {
	tree   *Tree
	shared scope // of the organisation
	scope  scope // of the present document
	doc    Document
	faults []*fault.Error
}

func (b *builder) fail(code string, what, remedy text.Both, path ...any) {
	b.faults = append(b.faults, b.doc.Places.Fault("routing."+code, what, remedy, append([]any{"spec"}, path...)...))
}

func (b *builder) twice(d, other Document) {
	b.doc = d
	if d.Spec.Team == "" {
		b.fail("twice", text.Say("%q is the organisation's routing already", "組織全体のルートは %q にあります", other.Name),
			text.Say("name the team under team, or put both into one document", "team にチームを書くか、1つの文書にまとめてください"), "route")
		return
	}
	b.fail("twice", text.Say("%q holds the routing of %s already", "%[2]s のルートは %[1]q にあります", other.Name, d.Spec.Team),
		text.Say("put both into one document", "1つの文書にまとめてください"), "team")
}

// document hangs what a document says into the tree.
func (b *builder) document(d Document) {
	b.doc = d
	b.scope = scope{receivers: map[string]*Receiver{}, intervals: map[string]*Interval{}}
	for name, r := range b.shared.receivers {
		b.scope.receivers[name] = r
	}
	for name, i := range b.shared.intervals {
		b.scope.intervals[name] = i
	}
	b.receivers()
	b.intervals()
	b.inhibitions()
	n, s := b.tree.root, d.Spec.Route
	if d.Spec.Team != "" {
		n = &node{id: "team:" + d.Spec.Team, team: d.Spec.Team, receiver: n.receiver, timing: n.timing}
		b.tree.root.routes = append(b.tree.root.routes, n)
	} else {
		b.shared = b.scope
	}
	if len(s.Matchers) > 0 {
		b.fail("root_matchers", text.Say("the first route has matchers", "最上位のルートに matchers があります"),
			text.Say("everything that no route below takes ends here: move the matchers into a route below", "下位のどのルートにも一致しないアラートを受けるルートです。matchers は下位のルートに書いてください"), "route", "matchers")
	}
	if s.Continue {
		b.fail("root_continue", text.Say("nothing comes after the first route", "最上位のルートの後には何もありません"),
			text.Say("remove continue", "continue を削除してください"), "route", "continue")
	}
	b.fill(n, s, "route")
}

// fill gives a node what its route says, and the routes below it.
func (b *builder) fill(n *node, s Branch, path ...any) {
	here := func(more ...any) []any { return append(slices.Clone(path), more...) }
	n.at = b.doc.Places.Pos(append([]any{"spec"}, path...)...)
	n.goOn = s.Continue
	if s.Receiver != "" {
		if r, ok := b.scope.receivers[s.Receiver]; ok {
			n.receiver = r
		} else {
			b.fail("receiver_unknown", text.Say("there is no receiver %q", "受信先 %q はありません", s.Receiver), oneOf(s.Receiver, b.scope.receivers), here("receiver")...)
		}
	}
	b.grouping(n, s, here)
	n.wait = b.duration(s.GroupWait, n.wait, true, here("groupWait"))
	n.interval = b.duration(s.GroupInterval, n.interval, false, here("groupInterval"))
	n.repeat = b.duration(s.RepeatInterval, n.repeat, false, here("repeatInterval"))
	n.mute = b.named(s.MuteTimeIntervals, here("muteTimeIntervals"))
	n.active = b.named(s.ActiveTimeIntervals, here("activeTimeIntervals"))
	seen := map[string]int{}
	for i, next := range s.Routes {
		at := here("routes", i)
		child := &node{receiver: n.receiver, timing: n.timing, matchers: b.matchers(next.Matchers, append(slices.Clone(at), "matchers")...)}
		child.id = n.id + "/" + child.matchers.sorted().String()
		if seen[child.id]++; seen[child.id] > 1 {
			child.id += fmt.Sprintf("#%d", seen[child.id])
		}
		n.routes = append(n.routes, child)
		b.fill(child, next, at...)
	}
}

func oneOf[T any](got string, known map[string]T) text.Both {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	slices.Sort(names)
	return ascode.OneOf(got, names...)
}

// everyLabel stands for all labels in groupBy.
const everyLabel = "..."

func (b *builder) grouping(n *node, s Branch, here func(...any) []any) {
	if s.GroupBy == nil {
		return
	}
	by := slices.Clone(*s.GroupBy)
	slices.Sort(by)
	n.groupBy, n.groupAll = by, false
	switch {
	case slices.Contains(by, everyLabel) && len(by) > 1:
		b.fail("group_by", text.Say("'...' stands for every label", "'...' はすべてのラベルを表します"),
			text.Say("write either '...' or names of labels", "'...' かラベル名のどちらかだけを書いてください"), here("groupBy")...)
	case slices.Contains(by, everyLabel):
		n.groupBy, n.groupAll = nil, true
	case slices.Contains(by, ""):
		b.fail("group_by", text.Say("a label has no name", "ラベル名が空です"), text.Say("write the name of a label", "ラベル名を書いてください"), here("groupBy")...)
	case len(slices.Compact(slices.Clone(by))) < len(by):
		b.fail("group_by", text.Say("a label is named twice", "同じラベルが2回あります"), text.Say("name each label once", "1回だけ書いてください"), here("groupBy")...)
	}
}

func (b *builder) duration(s string, inherited time.Duration, mayBeZero bool, path []any) time.Duration {
	if s == "" {
		return inherited
	}
	d, err := model.ParseDuration(s)
	if err != nil || d == 0 && !mayBeZero {
		b.fail("duration", text.Say("%q is no length of time", "%q は時間の長さとして読めません", s), text.Say("write it like 30s, 5m or 4h", "30s、5m、4h のように書いてください"), path...)
	}
	return time.Duration(d)
}

func (b *builder) named(names []string, path []any) []*Interval {
	var found []*Interval
	for i, name := range names {
		iv, ok := b.scope.intervals[name]
		if !ok {
			b.fail("interval_unknown", text.Say("there is no time interval %q", "時間帯 %q はありません", name), oneOf(name, b.scope.intervals), append(slices.Clone(path), i)...)
			continue
		}
		found = append(found, iv)
	}
	return found
}

func (b *builder) matchers(list []string, path ...any) Matchers {
	var all Matchers
	for i, s := range list {
		ms, err := ParseMatchers(s)
		if f, ok := fault.As(err); ok {
			b.fail("matcher", f.What, f.Remedy, append(slices.Clone(path), i)...)
			continue
		}
		all = append(all, ms...)
	}
	return all
}

// settle indexes the levels that have many routes.
func (n *node) settle() {
	for _, next := range n.routes {
		next.settle()
	}
	if len(n.routes) >= indexFrom {
		n.index = indexOf(len(n.routes), func(i int) Matchers { return n.routes[i].matchers })
	}
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

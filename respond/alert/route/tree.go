package route

import (
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/fault"
)

// Tree is the routes of all documents together. It does not change.
type Tree struct {
	root        *node
	receivers   []*Receiver
	inhibitions []*Inhibition
}

// node is one route, with what it takes over from the routes around it.
type node struct {
	id       string // the same for as long as its matchers and those around it are
	team     string // whose alerts it is for; empty: everybody's
	matchers Matchers
	goOn     bool // the next route is asked although this one matches
	receiver *Receiver
	timing
	mute, active []*Interval
	routes       []*node
	index        *index
	at           fault.Position
}

// timing is how alerts of a route are told of together.
type timing struct {
	groupBy                []string // sorted
	groupAll               bool     // every label
	wait, interval, repeat time.Duration
}

// Receivers lists the receivers that the documents define, and the owner.
func (t *Tree) Receivers() []*Receiver { return t.receivers }

// Inhibitions lists the inhibitions that the documents define.
func (t *Tree) Inhibitions() []*Inhibition { return t.inhibitions }

// Default is the tree without any document: everything goes to the owner, grouped
// by alert name and service.
func Default() *Tree {
	t, _ := Build(nil)
	return t
}

// decide lists what each route says that is reached: of the routes of one level
// the first that matches, and with "continue" the ones after it.
func (t *Tree) decide(a Alert, now time.Time, trace *Trace) []Decision {
	var found []Decision
	t.root.walk(a, 0, trace, func(n *node) {
		d := Decision{Receiver: n.receiver, Group: n.group(a.Labels), Wait: n.wait, Interval: n.interval, Repeat: n.repeat, Muted: n.muted(now), At: n.at}
		trace.chosen(n, a, d)
		found = append(found, d)
	})
	return found
}

// walk reports whether the alert belongs to the node, and calls use for the
// deepest nodes to which it does.
func (n *node) walk(a Alert, depth int, trace *Trace, use func(*node)) bool {
	if n.team != "" && n.team != a.Team {
		return false
	}
	if m := n.matchers.failing(a.Labels); m != nil {
		trace.passed(n, m, a, depth)
		return false
	}
	trace.matched(n, a, depth)
	matched := false
	for _, i := range n.candidates(a.Labels, trace != nil) {
		next := n.routes[i]
		if !next.walk(a, depth+1, trace, use) {
			continue
		}
		if matched = true; !next.goOn {
			break
		}
	}
	if !matched {
		use(n)
	}
	return true
}

// candidates are the routes below that may match; a trace wants to see those that
// do not.
func (n *node) candidates(l Labels, all bool) []int {
	if n.index != nil && !all {
		return n.index.of(l)
	}
	places := make([]int, len(n.routes))
	for i := range places {
		places[i] = i
	}
	return places
}

// group is the group of an alert under a route.
func (n *node) group(l Labels) Group {
	g := Group{Labels: make(Labels, len(n.groupBy))}
	var names []string
	if n.groupAll {
		names = make([]string, 0, len(l))
		for name := range l {
			names = append(names, name)
		}
		slices.Sort(names)
	} else {
		names = n.groupBy
	}
	var key strings.Builder
	key.WriteString(n.id)
	for _, name := range names {
		v := l[name]
		if v == "" {
			continue
		}
		g.Labels[name] = v
		key.WriteByte('\n') // no name holds one, and a value ends with the next name
		key.WriteString(name)
		key.WriteByte('=')
		key.WriteString(strings.ReplaceAll(v, "\n", "\\n"))
	}
	g.Key = key.String()
	return g
}

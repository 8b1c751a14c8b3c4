package route

import (
	"github.com/prometheus/common/model"

	"github.com/teiten/teiten/kit/fault"
)

// View is one route of a tree as people see it, with what it takes over from the
// routes around it filled in.
type View struct {
	Team           string         `json:"team,omitempty" doc:"Whose alerts it is for; absent: everybody's."`
	Matchers       []string       `json:"matchers"`
	Receiver       string         `json:"receiver"`
	Continue       bool           `json:"continue,omitempty"`
	GroupBy        []string       `json:"groupBy" doc:"'...' is every label."`
	GroupWait      string         `json:"groupWait"`
	GroupInterval  string         `json:"groupInterval"`
	RepeatInterval string         `json:"repeatInterval"`
	Mute           []string       `json:"muteTimeIntervals,omitempty"`
	Active         []string       `json:"activeTimeIntervals,omitempty"`
	At             fault.Position `json:"at,omitzero" doc:"Where it is written; absent for the routes that hold without a document."`
	Routes         []View         `json:"routes,omitempty"`
}

// View is the root of the tree, with all routes below it.
func (t *Tree) View() View { return t.root.view() }

func (n *node) view() View {
	v := View{Team: n.team, Matchers: n.matchers.Strings(), Receiver: n.receiver.Name, Continue: n.goOn, GroupBy: append([]string{}, n.groupBy...),
		GroupWait: model.Duration(n.wait).String(), GroupInterval: model.Duration(n.interval).String(), RepeatInterval: model.Duration(n.repeat).String(), At: n.at}
	if n.groupAll {
		v.GroupBy = []string{everyLabel}
	}
	for _, i := range n.mute {
		v.Mute = append(v.Mute, i.Name)
	}
	for _, i := range n.active {
		v.Active = append(v.Active, i.Name)
	}
	for _, next := range n.routes {
		v.Routes = append(v.Routes, next.view())
	}
	return v
}

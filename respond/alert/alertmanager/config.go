package alertmanager

import (
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/respond/alert/route"
)

// The routes as Alertmanager would have them written, for clients that read its
// configuration. A team's routes hang on the label team; time intervals are left
// out.
type (
	config struct {
		Route       branch       `json:"route"`
		Inhibitions []inhibition `json:"inhibit_rules,omitempty"`
		Receivers   []named      `json:"receivers"`
	}
	branch struct {
		Receiver       string   `json:"receiver"`
		GroupBy        []string `json:"group_by,omitempty"`
		Matchers       []string `json:"matchers,omitempty"`
		Continue       bool     `json:"continue,omitempty"`
		GroupWait      string   `json:"group_wait"`
		GroupInterval  string   `json:"group_interval"`
		RepeatInterval string   `json:"repeat_interval"`
		Routes         []branch `json:"routes,omitempty"`
	}
	inhibition struct {
		Source []string `json:"source_matchers"`
		Target []string `json:"target_matchers"`
		Equal  []string `json:"equal,omitempty"`
	}
)

func configuration(t *route.Tree) (string, error) {
	c := config{Route: branchOf(t.View())}
	seen := map[string]bool{}
	for _, r := range t.Receivers() {
		if !seen[r.Name] { // teams may use one name for several
			seen[r.Name] = true
			c.Receivers = append(c.Receivers, named{r.Name})
		}
	}
	for _, i := range t.Inhibitions() {
		c.Inhibitions = append(c.Inhibitions, inhibition{i.Source.Strings(), i.Target.Strings(), i.Equal})
	}
	return ascode.Write(c)
}

func branchOf(v route.View) branch {
	b := branch{Receiver: v.Receiver, GroupBy: v.GroupBy, Matchers: v.Matchers, Continue: v.Continue,
		GroupWait: v.GroupWait, GroupInterval: v.GroupInterval, RepeatInterval: v.RepeatInterval}
	if v.Team != "" {
		b.Matchers = []string{`team="` + v.Team + `"`}
	}
	for _, next := range v.Routes {
		b.Routes = append(b.Routes, branchOf(next))
	}
	return b
}

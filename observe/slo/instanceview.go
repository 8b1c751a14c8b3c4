package slo

import (
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
)

// InstancesView is how the instances of an objective stand that is taken apart by
// labels.
type InstancesView struct {
	By       []string       `json:"by" doc:"The labels."`
	Count    int            `json:"count"`
	Limit    int            `json:"limit" doc:"How many there may be."`
	ByStatus map[Status]int `json:"byStatus"`
	Worst    *Worst         `json:"worst,omitempty" doc:"The instance that needs somebody most."`
	Retired  int            `json:"retired" doc:"Instances that were absent for long; they keep their history."`
	State    string         `json:"state" enum:"ok,too_many_instances,too_many_instances_in_all,label_explosion,value_too_long"`
	Refused  int            `json:"refused,omitempty" doc:"Instances that are not counted on their own. They are part of the whole."`
	Reason   text.Both      `json:"reason,omitzero" doc:"Why some are refused, and what to do."`
}

// sumUp makes out how the instances of an objective stand.
func (l *listing) sumUp(whole *row, why func(*Definition, db.SloRefusal) text.Both) {
	g := whole.def.Grouping
	v := &InstancesView{By: g.By, Limit: g.Limit, ByStatus: map[Status]int{}, Retired: l.of.retired[whole.Name], State: instancesOK}
	order := orders[""]
	var worst *row
	for _, d := range l.of.instances[whole.Name] {
		r := l.byName[d.Name]
		v.Count++
		v.ByStatus[r.Status]++
		if worst == nil || compare(order, keys(order, r), keys(order, worst)) < 0 {
			worst = r
		}
	}
	if worst != nil {
		v.Worst = &Worst{worst.Name, worst.Status, worst.BudgetLeft}
	}
	if r, ok := l.of.refusals[whole.Name]; ok {
		v.State, v.Refused, v.Reason = r.State, int(r.Refused), why(whole.def, r)
		shown := *whole.shown
		shown.crowded = v.Reason
		shown.Status = shown.state()
		whole.shown = &shown
	}
	whole.instances = v
}

package slo

import (
	"context"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/httpapi"
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

// Retired is an instance that was absent for long. It comes back with its history
// when it is seen again.
type Retired struct {
	Name      string       `json:"name"`
	Labels    []LabelValue `json:"labels"`
	FoundAt   time.Time    `json:"foundAt"`
	RetiredAt time.Time    `json:"retiredAt"`
}

type retiredIn struct {
	httpapi.PageIn
	Name string `path:"name" doc:"The name of the objective that is taken apart."`
}

type retiredOut struct{ Body httpapi.Page[Retired] }

const retiredCursor = "retired-instances"

func (s *Service) apiRetired(ctx context.Context, in *retiredIn) (*retiredOut, error) {
	items, next, err := s.Retired(ctx, in.Name, in.Cursor, in.Limit)
	return &retiredOut{httpapi.Page[Retired]{Items: items, Next: next}}, err
}

// Retired lists the retired instances of an objective by name, and the cursor of
// the next page.
func (s *Service) Retired(ctx context.Context, name, cursor string, limit int) ([]Retired, string, error) {
	if _, err := s.one(ctx, name); err != nil {
		return nil, "", err
	}
	after := ""
	if cursor != "" {
		if err := httpapi.DecodeCursor(retiredCursor, cursor, &after); err != nil {
			return nil, "", err
		}
	}
	rows, err := db.New(s.db.Read()).RetiredOf(ctx, db.RetiredOfParams{Whole: name, Name: after, Limit: int32(limit) + 1})
	if err != nil {
		return nil, "", database.Fault(fmt.Errorf("list the retired instances of %s: %w", name, err))
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = httpapi.EncodeCursor(retiredCursor, rows[limit-1].Name)
	}
	all := []Retired{}
	for _, row := range rows {
		r := Retired{Name: row.Name, FoundAt: database.Time(row.FoundAt), RetiredAt: database.Time(row.RetiredAt)}
		var by []string
		values, err := unquote(row.Matched)
		if err == nil {
			err = unmarshal(row.Labels, &by)
		}
		if err != nil {
			return nil, "", fmt.Errorf("read the labels of %s: %w", row.Name, err)
		}
		for i, label := range by {
			r.Labels = append(r.Labels, LabelValue{label, shorten(values[i])})
		}
		all = append(all, r)
	}
	return all, next, nil
}

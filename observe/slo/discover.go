package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const (
	// firstLook is how far back instances are looked for at first, in minutes.
	firstLook = 60
	// longestLook is how many minutes are looked at together afterwards.
	longestLook = 15
	// mostAtOnce is how many instances begin in one transaction.
	mostAtOnce = 2_000
	// leastAbsence is how many minutes an instance is absent before it is retired,
	// whatever its objective says: until then its last hour is in the ledger.
	leastAbsence = 2*ledger.MinutesPerHour + closeSpread
	// keepAbsence is how often it is stored how long instances were absent.
	keepAbsence = 60
)

// grouped is what the replica that moves a grouped objective remembers of its
// instances.
type grouped struct {
	looked int64            // the first minute that was not looked at
	absent map[string]int64 // minutes in which others were seen, of those that were not
	kept   map[string]int64 // as it was stored
	keptAt int64

	refused map[string]int64 // those that were refused, and when last
	told    string           // the state that was told
	toldAt  int64
	count   int
}

// looked is one objective whose instances are looked for.
type looked struct {
	whole *member
	group *grouped
	span  minutes
	seen  map[string][]string // values by the name of the instance
	err   error
}

// discover finds the instances of grouped objectives that appeared since it looked
// last, and retires those that were absent for long.
func (e *engine) discover(ctx context.Context, defs *definitions, now time.Time) error {
	all, err := e.toLookAt(ctx, defs)
	if err != nil || len(all) == 0 {
		return err
	}
	e.s.look(ctx, all)
	var found []*findings
	room := e.s.instances - defs.taken
	var errs []error
	for _, x := range all {
		f := x.sort(defs.instances[x.whole.name], room)
		if f == nil {
			errs = append(errs, x.err)
			continue
		}
		room -= len(f.fresh)
		if !f.none() {
			found = append(found, f)
		}
	}
	errs = append(errs, e.keepAbsences(ctx, all))
	if len(found) == 0 {
		return errors.Join(errs...)
	}
	if err := e.write(ctx, found, defs.generation, now); err != nil {
		for _, f := range found {
			delete(e.groups, f.whole.Name) // they are looked for again in a second
		}
		if !errors.Is(err, errChanged) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// toLookAt lists the grouped objectives that have moved on since they were looked
// at, and forgets those that another replica moves.
func (e *engine) toLookAt(ctx context.Context, defs *definitions) ([]*looked, error) {
	var all []*looked
	held := map[string]*grouped{}
	for _, sh := range e.all() {
		for _, m := range sh.members {
			if m.def.Grouping == nil {
				continue
			}
			g, err := e.group(ctx, m.name, defs, sh.end)
			if err != nil {
				return nil, err
			}
			held[m.name] = g
			if sh.end > g.looked {
				all = append(all, &looked{whole: m, group: g, span: ledger.Between(max(g.looked, sh.end-firstLook), sh.end)})
			}
		}
	}
	e.groups = held
	return all, nil
}

// group is what is remembered of an objective's instances, read where this replica
// has just begun with it.
func (e *engine) group(ctx context.Context, name string, defs *definitions, end int64) (*grouped, error) {
	if g := e.groups[name]; g != nil {
		g.looked = max(g.looked, end-longestLook)
		return g, nil
	}
	g := &grouped{absent: map[string]int64{}, kept: map[string]int64{}, refused: map[string]int64{}, keptAt: end}
	if len(defs.instances[name]) > 0 {
		g.looked = end - longestLook
	}
	rows, err := db.New(e.s.db.Read()).InstancesOf(ctx, name)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read the instances of %s: %w", name, err))
	}
	for _, row := range rows {
		if row.RetiredAt == 0 && row.Absent > 0 {
			g.absent[row.Name], g.kept[row.Name] = row.Absent, row.Absent
		}
	}
	if r, ok := defs.refusals[name]; ok {
		var names []string
		if err := unmarshal(r.Examples, &names); err != nil {
			return nil, fmt.Errorf("read what %s refused: %w", name, err)
		}
		g.told, g.toldAt, g.count = r.State, end, int(r.Refused)
		for _, n := range append(names, unnamed) {
			g.refused[n] = end
		}
	}
	return g, nil
}

// look asks the sources which instances there were. Those that count by themselves
// are asked for all objectives at once.
func (s *Service) look(ctx context.Context, all []*looked) {
	type place struct {
		x  *looked
		at int
	}
	questions, places := map[tallied][]metrics.Selection{}, map[tallied][]place{}
	for _, x := range all {
		x.seen = map[string][]string{}
		for _, a := range x.whole.def.present() {
			if !s.counts(x.whole) {
				x.ask(ctx, s, a)
				continue
			}
			key := tallied{a.Source, x.span}
			places[key] = append(places[key], place{x, len(questions[key])})
			questions[key] = append(questions[key], metrics.Selection{Expr: a.Expr, By: x.by()})
		}
	}
	for key, selections := range questions {
		source, err := s.sources.Get(key.source)
		var counts []metrics.Counts
		if c, ok := source.(metrics.Counting); err == nil && ok {
			counts, err = c.Counts(ctx, selections, key.span.From, key.span.To)
		}
		for _, p := range places[key] {
			switch {
			case err != nil:
				p.x.err = err
			case p.at < len(counts):
				p.x.take(&counts[p.at])
			}
		}
	}
}

func (x *looked) by() []string { return x.whole.def.Grouping.By }

// take notes the groups that were counted.
func (x *looked) take(c *metrics.Counts) {
	if c.Err != nil {
		x.err = c.Err
	}
	for _, g := range c.Groups {
		if slices.ContainsFunc(g.Values, func(v float64) bool { return !math.IsNaN(v) }) {
			x.note(g.Labels)
		}
	}
}

// note notes a combination of values.
func (x *looked) note(labels map[string]string) {
	values := make([]string, len(x.by()))
	for i, name := range x.by() {
		values[i] = labels[name]
	}
	x.seen[instanceName(x.whole.name, x.by(), values)] = values
}

// ask looks for series that an expression selects at the end of the span.
func (x *looked) ask(ctx context.Context, s *Service, a ask) {
	q, err := s.sources.Get(a.Source)
	var expr string
	if err == nil {
		expr, err = promexpr.Present(a.Expr, x.by())
	}
	var found []metrics.Series
	if err == nil {
		found, err = q.Instant(ctx, expr, ledger.End(x.span.To-1))
	}
	if err != nil {
		x.err = err
	}
	for _, series := range found {
		x.note(series.Labels)
	}
}

// sort tells instances that begin from those that are there, may not be and are
// gone. It returns nil where the sources could not say.
func (x *looked) sort(active []*defined, room int) *findings {
	g := x.group
	f := &findings{whole: x.whole.d}
	if exploded(x.err) {
		f.told, g.looked = g.refuse(tooManyLabels, []string{unnamed}, x.span.To), x.span.To
		return f
	}
	if x.err != nil {
		return nil
	}
	there := make(map[string]bool, len(active))
	for _, d := range active {
		there[d.Name] = true
		delete(g.refused, d.Name)
	}
	x.missing(active, f)
	room = min(room, x.whole.def.Grouping.Limit-len(active)+len(f.gone))
	state, rest := "", false
	var refused []string
	for _, name := range slices.Sorted(maps.Keys(x.seen)) {
		switch {
		case there[name]:
		case slices.ContainsFunc(x.seen[name], func(v string) bool { return len(v) > longestValue }):
			refused, state = append(refused, name), orState(state, valueTooLong)
		case len(f.fresh) < min(room, mostAtOnce):
			f.fresh = append(f.fresh, x.seen[name])
			delete(g.refused, name)
		case len(f.fresh) < room:
			rest = true // they begin in a second
		case len(active)+len(f.fresh)-len(f.gone) >= x.whole.def.Grouping.Limit:
			refused, state = append(refused, name), tooMany
		default:
			refused, state = append(refused, name), tooManyInAll
		}
	}
	f.told = g.refuse(state, refused, x.span.To)
	if !rest {
		g.looked = x.span.To
	}
	return f
}

func orState(state, other string) string {
	if state != "" {
		return state
	}
	return other
}

// exploded reports whether there are more groups, or series, than can be counted.
func exploded(err error) bool {
	f, ok := fault.As(err)
	return ok && (f.Code == "metrics.too_many_groups" || f.Code == "metrics.too_many_series")
}

// missing counts for how long instances are absent while others of their objective
// are there, and finds those that are to be retired.
func (x *looked) missing(active []*defined, f *findings) {
	g := x.group
	if len(x.seen) == 0 {
		return // nothing at all is seen: that says nothing about one
	}
	over := int64(1)
	if g.looked > 0 {
		over = x.span.To - max(g.looked, x.span.From)
	}
	for _, d := range active {
		if _, ok := x.seen[d.Name]; ok {
			delete(g.absent, d.Name)
			continue
		}
		if g.absent[d.Name] += over; g.absent[d.Name] >= max(int64(x.whole.def.Grouping.Retire/time.Minute), leastAbsence) {
			f.gone = append(f.gone, d.Name)
			delete(g.absent, d.Name)
			delete(g.kept, d.Name)
		}
	}
}

// keepAbsences stores once in a while how long instances were absent.
func (e *engine) keepAbsences(ctx context.Context, all []*looked) error {
	changed := map[string]int64{}
	for _, x := range all {
		g := x.group
		if x.span.To-g.keptAt < keepAbsence {
			continue
		}
		for name := range g.kept {
			if g.absent[name] == 0 {
				changed[name] = 0
			}
		}
		for name, n := range g.absent {
			if g.kept[name] != n {
				changed[name] = n
			}
		}
		g.kept, g.keptAt = maps.Clone(g.absent), x.span.To
	}
	if len(changed) == 0 {
		return nil
	}
	return e.s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		q := db.New(prepare(tx))
		for _, name := range slices.Sorted(maps.Keys(changed)) {
			if err := q.SetAbsent(ctx, db.SetAbsentParams{Name: name, Absent: changed[name]}); err != nil {
				return fmt.Errorf("keep how long %s was absent: %w", name, err)
			}
		}
		return nil
	})
}

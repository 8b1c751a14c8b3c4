package alert

import (
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/alert/format"
)

func micros(t int64) time.Time { return database.Time(t) }

// rank orders severities; one that its source did not give stands between
// warning and error, so that it is not overlooked.
func rank(s format.Severity) int {
	switch s {
	case format.Critical:
		return 4
	case format.Error:
		return 3
	case format.Warning:
		return 1
	case format.Info:
		return 0
	}
	return 2
}

// gather puts an alert into the groups that its targets name, and opens those
// that are not there. Where what its service depends on has an open group of the
// same team and receiver, it joins that one: it is the same matter.
func (b *book) gather(c *changes, x *item, targets []target, d *delivery, now int64, j judge) {
	for i := range targets {
		t := &targets[i]
		g, cause := b.groups[t.key], ""
		if g == nil {
			var same *group
			if same, cause = b.cause(x, t, j); same != nil {
				g = same
			}
		}
		if g != nil && slices.Contains(x.groups, g) {
			continue
		}
		if g == nil {
			b.open(c, x, t, d, now, cause, j)
			continue
		}
		b.join(c, g, x)
	}
}

// cause finds the open group of a service that the alert's service depends on:
// the same group where it is told to the same people, or else its id.
func (b *book) cause(x *item, t *target, j judge) (same *group, cause string) {
	if x.service == "" {
		return nil, ""
	}
	for _, service := range j.upstream(x.service) {
		for _, g := range b.about[service] {
			if g.team == x.team && g.receiver.Key() == t.receiver.Key() {
				return g, ""
			}
			if cause == "" {
				cause = g.id
			}
		}
	}
	return nil, cause
}

func (b *book) open(c *changes, x *item, t *target, d *delivery, now int64, cause string, j judge) {
	g := &group{
		id: newID(), key: t.key, service: x.service, team: x.team, title: x.title, severity: x.severity, state: Firing, receiver: t.receiver,
		labels: x.labels, cause: cause, openedAt: now, toldAt: now, repeat: t.repeat, interval: t.interval, total: 1,
	}
	g.members.add(x)
	x.groups = append(x.groups, g)
	b.enter(g)
	c.of(x).joined = append(c.of(x).joined, g)
	c.touch(g)
	n := g.notice()
	n.Route, n.Trace = t.route, j.trace(x, now)
	if d != nil {
		n.Body, n.Source, n.Runbook = d.alert.Body, d.alert.Link, d.alert.Runbook
	}
	c.entries = append(c.entries, entry{kind: EntryGroupOpened, group: g, note: n})
	b.explain(c, g, j)
}

// explain has groups of services that depend on the new group's, and that came
// before it, say so.
func (b *book) explain(c *changes, g *group, j judge) {
	if g.service == "" {
		return
	}
	for service, groups := range b.about {
		if service == g.service || !slices.Contains(j.upstream(service), g.service) {
			continue
		}
		for _, other := range groups {
			if other.cause == "" && other.id != g.cause {
				other.cause = g.id
				c.touch(other)
			}
		}
	}
}

// enter makes an open group findable.
func (b *book) enter(g *group) {
	b.groups[g.key], b.byName[g.id] = g, g
	if g.service != "" {
		b.about[g.service] = append(b.about[g.service], g)
	}
}

// forget is the opposite of enter.
func (b *book) forget(g *group) {
	delete(b.groups, g.key)
	delete(b.byName, g.id)
	left := slices.DeleteFunc(b.about[g.service], func(o *group) bool { return o == g })
	if b.about[g.service] = left; len(left) == 0 {
		delete(b.about, g.service)
	}
}

// join puts one more alert into an open group. People are told of those that
// joined together, once in the group's interval, and at once where the group is
// worse than before.
func (b *book) join(c *changes, g *group, x *item) {
	g.members.add(x)
	g.total++
	g.labels = g.labels.common(x.labels)
	x.groups = append(x.groups, g)
	c.of(x).joined = append(c.of(x).joined, g)
	c.touch(g)
	g.waiting = append(g.waiting, x.id)
	b.worsen(c, g, x)
}

// worsen makes a group as severe as one of its alerts is now, and tells people
// where that is more than they were told. One that was acknowledged is no longer.
func (b *book) worsen(c *changes, g *group, x *item) {
	was := rank(g.severity)
	g.severity = g.worst()
	c.touch(g)
	if rank(x.severity) <= was {
		return
	}
	if g.state == Acknowledged {
		g.state, g.acknowledgedAt, g.acknowledgedBy = Firing, 0, ""
	}
	g.tellJoined(c, x.lastAt, true)
}

func (g *group) tellJoined(c *changes, now int64, worse bool) {
	n := g.notice()
	n.Joined, n.Worse = g.waiting[:min(len(g.waiting), MostNamed)], worse
	g.waiting, g.toldAt = nil, now
	c.touch(g)
	c.entries = append(c.entries, entry{kind: EntryGroupJoined, group: g, note: n})
}

// leave takes an alert that ended out of a group, and ends the group with its
// last.
func (b *book) leave(c *changes, g *group, x *item, now int64, actor *journal.Actor, cause string) {
	g.members.drop(x)
	g.waiting = slices.DeleteFunc(g.waiting, func(id string) bool { return id == x.id })
	c.touch(g)
	if g.members.len() > 0 {
		if g.severity == x.severity {
			g.severity = g.worst()
		}
		if g.state == Firing && g.allAcknowledged() {
			g.acknowledged(c, now, "", actor, cause)
		}
		return
	}
	g.state, g.endedAt = Resolved, now
	b.forget(g)
	n := g.notice()
	c.entries = append(c.entries, entry{kind: EntryGroupResolved, group: g, note: n, actor: actor, cause: cause})
}

// fewEnough is up to how many members a group is looked through at each change.
// Beyond, severity and acknowledgement follow what comes, not what goes.
const fewEnough = 200

func (g *group) worst() format.Severity {
	worst := g.severity
	if g.members.len() <= fewEnough {
		worst = format.Info
	}
	seen := 0
	g.members.each(func(x *item) bool {
		if rank(x.severity) > rank(worst) {
			worst = x.severity
		}
		seen++
		return seen <= fewEnough
	})
	if last := g.members.list[len(g.members.list)-1]; last != nil && rank(last.severity) > rank(worst) {
		worst = last.severity
	}
	return worst
}

func (g *group) allAcknowledged() bool {
	all := true
	g.members.each(func(x *item) bool { all = x.state == Acknowledged; return all })
	return all && g.members.len() > 0
}

func (g *group) acknowledged(c *changes, now int64, who string, actor *journal.Actor, cause string) {
	g.state, g.acknowledgedAt, g.acknowledgedBy = Acknowledged, now, who
	c.touch(g)
	c.entries = append(c.entries, entry{kind: EntryGroupAcknowledged, group: g, note: g.notice(), actor: actor, cause: cause})
}

// notice is what is told of a group, but for what only the database keeps.
func (g *group) notice() Notice {
	n := Notice{
		Group: g.id, Receiver: g.receiver, State: g.state, Severity: g.severity, Title: g.title, Service: g.service, Team: g.team,
		Labels: g.labels.unpack(), Alerts: []string{}, Count: g.members.len(), OpenedAt: micros(g.openedAt), Link: "/alerts/groups/" + g.id, Cause: g.cause,
	}
	g.members.each(func(x *item) bool {
		n.Alerts = append(n.Alerts, x.id)
		return len(n.Alerts) < MostNamed
	})
	return n
}

package alert

import (
	"github.com/google/uuid"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/respond/alert/format"
)

// apply enters deliveries in their order. The same deliveries in any order, and
// any of them several times, leave the same alerts open, as far as their source
// says when each thing happened: a firing opens unless a later end is known, and
// an end closes unless a later firing is known.
//
// The book must hold the last occurrence of every fingerprint that the deliveries
// are about, open or closed.
func (b *book) apply(c *changes, all []*delivery, j judge) {
	for _, d := range all {
		x := b.items[d.fingerprint]
		switch d.alert.State {
		case format.Resolved:
			b.end(c, x, d, j)
		case format.Acknowledged:
			if x == nil || !x.open() && !d.at.notAfter(x.ended) {
				x = b.fire(c, x, d, j)
			}
			if x != nil && x.state == Firing {
				b.acknowledge(c, x, d.integration, &journal.Actor{Kind: journal.System, ID: d.integration, Name: d.integration}, "")
			}
		default:
			b.fire(c, x, d, j)
		}
	}
}

// fire enters that an alert fires: one that is open is seen once more, one that
// ended later than this stays as it is, and any other begins.
func (b *book) fire(c *changes, x *item, d *delivery, j judge) *item {
	switch {
	case x == nil:
		return b.begin(c, 1, d, j)
	case x.open():
		x.fired = x.fired.latest(d.at)
		b.seen(c, x, d)
		return x
	case x.ended != (stamp{}) && !x.ended.before(d.at):
		if x.fired == (stamp{}) { // its end overtook it
			x.fired = d.at
			k := c.of(x)
			k.state, k.told = true, d
		}
		b.seen(c, x, d)
		return x
	}
	return b.begin(c, x.occurrence+1, d, j)
}

// seen notes that a source said something of an alert again.
func (b *book) seen(c *changes, x *item, d *delivery) {
	k := c.of(x)
	x.count++
	x.lastAt = max(x.lastAt, d.at.arrived)
	k.event = d.event
	if x.open() {
		x.until = d.until
	}
	if x.content == d.content || !x.open() {
		return
	}
	// It says it otherwise: another value, or worse.
	x.content, x.title = d.content, d.alert.Title
	k.state, k.told = true, d
	if x.severity == d.alert.Severity {
		return
	}
	x.severity = d.alert.Severity
	for _, g := range x.groups {
		b.worsen(c, g, x)
	}
}

// begin opens an occurrence.
func (b *book) begin(c *changes, occurrence int, d *delivery, j judge) *item {
	a := &d.alert
	x := &item{
		id: newID(), fingerprint: d.fingerprint, integration: d.integration, service: d.service, team: d.team, title: a.Title, content: d.content,
		labels: packLabels(a.Labels), severity: a.Severity, state: Firing, occurrence: occurrence, count: 1,
		fired: d.at, lastAt: d.at.arrived, until: d.until,
	}
	b.items[x.fingerprint], b.byID[x.id] = x, x
	j.fires(x)
	k := c.of(x)
	k.fresh, k.state, k.told, k.event = true, true, d, d.event
	v := j.decide(x, d.at.arrived)
	x.suppressed = v.suppressed
	if v.suppressed == "" {
		b.gather(c, x, v.targets, d, d.at.arrived, j)
	}
	c.entries = append(c.entries, entry{kind: EntryFired, item: x, event: x.event()})
	return x
}

// end enters that a source says that an alert is over. Of one that is not known
// it is kept, because the firing that it ends may arrive later.
func (b *book) end(c *changes, x *item, d *delivery, j judge) {
	switch {
	case x == nil:
		x = &item{
			id: newID(), fingerprint: d.fingerprint, integration: d.integration, service: d.service, team: d.team, title: d.alert.Title, content: d.content,
			labels: packLabels(d.alert.Labels), severity: d.alert.Severity, state: Resolved, occurrence: 1, ended: d.at, lastAt: d.at.arrived,
		}
		b.items[x.fingerprint] = x
		k := c.of(x)
		k.fresh, k.state, k.told, k.event = true, true, d, d.event
	case !x.open():
		if later := x.ended.latest(d.at); later != x.ended {
			x.ended = later
			c.of(x).state = true
		}
		c.of(x).event = d.event
	case !x.fired.notAfter(d.at): // older than the last firing
		x.lastAt = max(x.lastAt, d.at.arrived)
		c.of(x).event = d.event
	default:
		k := c.of(x)
		k.event = d.event
		b.close(c, x, d.at, "", nil, "", j)
	}
}

// close ends an open alert.
func (b *book) close(c *changes, x *item, at stamp, reason string, actor *journal.Actor, cause string, j judge) {
	x.state, x.ended, x.until, x.suppressed = Resolved, at, 0, ""
	x.lastAt = max(x.lastAt, at.arrived)
	delete(b.byID, x.id)
	j.ends(x)
	k := c.of(x)
	k.state, k.reason = true, reason
	e := x.event()
	e.Reason = reason
	c.entries = append(c.entries, entry{kind: EntryResolved, item: x, event: e, actor: actor, cause: cause})
	for _, g := range x.groups {
		b.leave(c, g, x, at.arrived, actor, cause)
	}
	x.groups = nil
}

// acknowledge notes that somebody sees to an alert.
func (b *book) acknowledge(c *changes, x *item, who string, actor *journal.Actor, cause string) {
	if x.state != Firing {
		return
	}
	x.state, x.acknowledgedAt, x.acknowledgedBy = Acknowledged, x.lastAt, who
	c.of(x).state = true
	c.entries = append(c.entries, entry{kind: EntryAcknowledged, item: x, event: x.event(), actor: actor, cause: cause})
	for _, g := range x.groups {
		if g.state == Firing && g.allAcknowledged() {
			g.acknowledged(c, x.lastAt, who, actor, cause)
		}
	}
}

// event is what the journal says of an alert.
func (x *item) event() Event {
	e := Event{
		Alert: x.id, Fingerprint: x.fingerprint, Occurrence: x.occurrence, Integration: x.integration, State: x.state, Severity: x.severity,
		Title: x.title, Service: x.service, Team: x.team, Labels: x.labels.unpack(), FiredAt: micros(x.fired.shown()), Suppressed: x.suppressed,
	}
	if x.state == Resolved {
		e.ResolvedAt = micros(x.ended.shown())
	}
	for _, g := range x.groups {
		e.Groups = append(e.Groups, g.id)
	}
	return e
}

// newID is a UUIDv7.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err) // the system has no randomness
	}
	return id.String()
}

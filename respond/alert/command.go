package alert

import (
	"slices"
	"time"

	"github.com/teiten/teiten/journal"
)

// The operations of people on alerts and groups.
const (
	opAcknowledge   = "acknowledge"
	opUnacknowledge = "unacknowledge"
	opResolve       = "resolve"
)

// command is what a person wants done to alerts or groups. It goes through the
// intake log like what monitoring systems send, so that one hand writes the book
// and everything happens in one order.
type command struct {
	Op    string        `json:"op"`
	IDs   []string      `json:"ids"`
	Actor journal.Actor `json:"actor"`
	Cause string        `json:"cause,omitempty"`
}

// obey carries out a command on those of its alerts and groups that are open.
// What is so already stays as it is.
func (b *book) obey(c *changes, m *command, now int64, j judge) {
	for _, id := range m.IDs {
		if g := b.byName[id]; g != nil {
			b.obeyGroup(c, g, m, now, j)
		} else if x := b.byID[id]; x != nil {
			b.obeyAlert(c, x, m, now, j)
		}
	}
}

func (b *book) obeyGroup(c *changes, g *group, m *command, now int64, j judge) {
	switch m.Op {
	case opAcknowledge:
		if g.state == Firing {
			g.acknowledged(c, now, m.Actor.Name, &m.Actor, m.Cause)
		}
	case opUnacknowledge:
		if g.state == Acknowledged {
			b.remind(c, g, now, false, &m.Actor, m.Cause)
		}
	}
	for _, x := range slices.Clone(g.members.list) {
		if x != nil {
			b.obeyAlert(c, x, m, now, j)
		}
	}
}

func (b *book) obeyAlert(c *changes, x *item, m *command, now int64, j judge) {
	switch m.Op {
	case opAcknowledge:
		x.lastAt = max(x.lastAt, now)
		b.acknowledge(c, x, m.Actor.Name, &m.Actor, m.Cause)
	case opUnacknowledge:
		b.unacknowledge(c, x, &m.Actor, m.Cause)
	case opResolve:
		// Without the source's time: what it says from now on counts, whatever its clock.
		b.close(c, x, stamp{arrived: now}, "resolved by "+m.Actor.Name, &m.Actor, m.Cause, j)
	}
}

func (b *book) unacknowledge(c *changes, x *item, actor *journal.Actor, cause string) {
	if x.state != Acknowledged {
		return
	}
	x.state, x.acknowledgedAt, x.acknowledgedBy = Firing, 0, ""
	c.of(x).state = true
	c.entries = append(c.entries, entry{kind: EntryUnacknowledged, item: x, event: x.event(), actor: actor, cause: cause})
}

// remind tells people of a group that is still open. One that was acknowledged
// no longer is.
func (b *book) remind(c *changes, g *group, now int64, forgotten bool, actor *journal.Actor, cause string) {
	if g.state == Acknowledged {
		g.members.each(func(x *item) bool { b.unacknowledge(c, x, actor, cause); return true })
	}
	g.state, g.acknowledgedAt, g.acknowledgedBy, g.toldAt = Firing, 0, "", now
	c.touch(g)
	n := g.notice()
	n.Forgotten = forgotten
	c.entries = append(c.entries, entry{kind: EntryGroupReminded, group: g, note: n, actor: actor, cause: cause})
}

// look does what time itself brings about: alerts whose source said until when
// they hold end, those that nothing suppresses any more are told, groups that
// alerts joined are told of again, and what was acknowledged and then forgotten
// comes back. Forgotten is after how many microseconds; 0 is never.
func (b *book) look(c *changes, now int64, forgotten int64, j judge) {
	for _, x := range b.byID {
		switch {
		case x.until > 0 && x.until <= now:
			b.close(c, x, stamp{arrived: now}, "its source no longer repeats it", nil, "", j)
		case x.suppressed != "":
			b.decideAgain(c, x, now, j)
		}
	}
	for _, g := range b.byName {
		switch {
		case g.state == Acknowledged && forgotten > 0 && g.acknowledgedAt+forgotten <= now:
			b.remind(c, g, now, true, nil, "")
		case len(g.waiting) > 0 && g.toldAt+g.interval <= now:
			g.tellJoined(c, now, false)
		case g.state == Firing && g.repeat > 0 && g.toldAt+g.repeat <= now:
			b.repeat(c, g, now, j)
		}
	}
}

// repeat reminds of a group unless its alerts are suppressed by now.
func (b *book) repeat(c *changes, g *group, now int64, j judge) {
	quiet := true
	g.members.each(func(x *item) bool { quiet = j.decide(x, now).suppressed != ""; return quiet })
	if quiet {
		g.toldAt = now
		c.touch(g)
		return
	}
	b.remind(c, g, now, false, nil, "")
}

// decideAgain tells of an alert that was suppressed once nothing does that any
// more. What it says is read from the database.
func (b *book) decideAgain(c *changes, x *item, now int64, j judge) {
	v := j.decide(x, now)
	if v.suppressed == x.suppressed {
		return
	}
	x.suppressed = v.suppressed
	c.of(x).state = true
	if v.suppressed == "" {
		b.gather(c, x, v.targets, nil, now, j)
	}
}

// Defaults of what time brings about.
const (
	// DefaultForgotten is after how long an acknowledged group that is still open
	// pages again.
	DefaultForgotten = 4 * time.Hour
	// joinInterval is how often people are told of alerts that join a group, where
	// its route does not say.
	joinInterval = time.Minute
)

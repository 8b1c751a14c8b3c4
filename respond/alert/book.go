package alert

import (
	"slices"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/respond/alert/format"
	"github.com/teiten/teiten/respond/alert/route"
)

// book is every open alert and group, in memory and in order to be compact: what
// only a page of one alert shows stays in the database. It is changed by one
// goroutine, and only through methods that return what they changed. Times are
// microseconds since 1970, 0 for none.
type book struct {
	items  map[string]*item    // by fingerprint; besides the open ones, those closed that a delivery is about
	byID   map[string]*item    // the open ones
	groups map[string]*group   // open, by key
	byName map[string]*group   // open, by id
	about  map[string][]*group // open, by service
}

func newBook() *book {
	return &book{items: map[string]*item{}, byID: map[string]*item{}, groups: map[string]*group{}, byName: map[string]*group{}, about: map[string][]*group{}}
}

// item is one alert.
type item struct {
	id, fingerprint, integration string
	service, team                string
	title                        string
	content                      string
	labels                       labels
	severity                     format.Severity
	state                        State
	suppressed                   string
	occurrence                   int
	count                        int64
	fired, ended                 stamp
	lastAt, until                int64
	acknowledgedAt               int64
	acknowledgedBy               string
	groups                       []*group
}

func (x *item) open() bool { return x.state != Resolved }

// group is the alerts of one matter that go to one receiver.
type group struct {
	id, key                string
	service, team          string
	title                  string
	severity               format.Severity
	state                  State
	receiver               route.Receiver
	labels                 labels // what all its alerts have in common
	cause                  string
	members                members
	openedAt, toldAt       int64
	acknowledgedAt, repeat int64
	acknowledgedBy         string
	interval, endedAt      int64
	waiting                []string // alerts that joined since people were last told
	total                  int64
}

// members are the open alerts of a group, in the order in which they came. Most
// groups have few.
type members struct {
	list []*item
	at   map[*item]int // where in the list, once that is long
	gone int           // how many of the list are nil
}

const manyMembers = 32

func (m *members) len() int { return len(m.list) - m.gone }

func (m *members) add(x *item) {
	if m.at == nil && len(m.list) >= manyMembers {
		m.at = map[*item]int{}
		for i, y := range m.list {
			m.at[y] = i
		}
	}
	if m.at != nil {
		m.at[x] = len(m.list)
	}
	m.list = append(m.list, x)
}

func (m *members) drop(x *item) {
	i, ok := m.at[x]
	if m.at == nil {
		i = slices.Index(m.list, x)
		ok = i >= 0
	}
	if !ok {
		return
	}
	if m.at == nil {
		m.list = slices.Delete(m.list, i, i+1)
		return
	}
	m.list[i] = nil
	delete(m.at, x)
	if m.gone++; m.gone > len(m.list)/2 {
		m.list = slices.DeleteFunc(m.list, func(y *item) bool { return y == nil })
		for i, y := range m.list {
			m.at[y] = i
		}
		m.gone = 0
	}
}

// each calls f with the members in their order until it returns false.
func (m *members) each(f func(*item) bool) {
	for _, x := range m.list {
		if x != nil && !f(x) {
			return
		}
	}
}

// delivery is one alert as it arrived.
type delivery struct {
	event       string // batch and number
	integration string
	fingerprint string
	content     string
	service     string
	team        string
	alert       format.Alert
	at          stamp
	until       int64 // 0 where only its source ends it
}

// target is one group that an alert belongs to, by the routes.
type target struct {
	receiver         route.Receiver
	key              string // tells the groups of a receiver apart
	route            string
	interval, repeat int64
}

// verdict is where an alert goes, and what keeps people from being told.
type verdict struct {
	targets    []target
	suppressed string
}

// judge routes alerts. It knows which services an alert's service depends on.
type judge interface {
	decide(x *item, now int64) verdict
	fires(x *item)
	ends(x *item)
	// trace is how the decision about an alert came about, as JSON.
	trace(x *item, now int64) []byte
	// upstream are the services that a service depends on, however far away.
	upstream(service string) []string
}

// changes is what the book wants written.
type changes struct {
	items   []*itemChange
	groups  []*group
	entries []entry

	item  map[*item]*itemChange
	group map[*group]bool
}

// itemChange is one alert that changed. Told is the delivery that says what only
// the database keeps, nil where that did not change.
type itemChange struct {
	*item
	fresh  bool // a new occurrence
	state  bool // more changed than when it was last seen, and how often
	told   *delivery
	event  string // the last one that was about it
	reason string
	joined []*group
}

// entry is one for the journal.
type entry struct {
	kind  string
	item  *item
	group *group
	event Event
	note  Notice
	actor *journal.Actor // nil for the product itself
	cause string
}

func newChanges() *changes {
	return &changes{item: map[*item]*itemChange{}, group: map[*group]bool{}}
}

func (c *changes) of(x *item) *itemChange {
	k := c.item[x]
	if k == nil {
		k = &itemChange{item: x}
		c.item[x] = k
		c.items = append(c.items, k)
	}
	return k
}

func (c *changes) touch(g *group) {
	if !c.group[g] {
		c.group[g] = true
		c.groups = append(c.groups, g)
	}
}

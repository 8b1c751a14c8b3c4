package alert

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/respond/alert/format"
	"github.com/teiten/teiten/respond/alert/route"
)

// plain is a judge that sends everything to the owner, one group for each
// service.
type plain struct {
	suppressed map[string]string // by title
	depends    map[string][]string
}

func (p *plain) decide(x *item, _ int64) verdict {
	if why := p.suppressed[x.title]; why != "" {
		return verdict{suppressed: why}
	}
	to := route.Receiver{Owner: true}
	return verdict{targets: []target{{receiver: to, key: x.service, interval: joinInterval.Microseconds(), repeat: 3600e6}}}
}

func (p *plain) fires(*item)                      {}
func (p *plain) ends(*item)                       {}
func (p *plain) trace(*item, int64) []byte        { return nil }
func (p *plain) upstream(service string) []string { return p.depends[service] }

func says(key string, s format.State, source, arrived int64) *delivery {
	a := format.Alert{State: s, Key: key, Title: key, Severity: format.Error, Labels: map[string]string{"alertname": key}}
	return &delivery{integration: "test", fingerprint: Fingerprint("test", &a), content: content(&a), service: "service-" + key, team: "team", alert: a, at: stamp{source, arrived}}
}

func (c *changes) kinds() []string {
	var all []string
	for _, e := range c.entries {
		all = append(all, e.kind)
	}
	return all
}

// summary is what a book says of each alert: whether it is open, and since when or
// until when by the source's clock.
func (b *book) summary() map[string]string {
	all := map[string]string{}
	for f, x := range b.items {
		if x.open() {
			all[f] = fmt.Sprintf("open since %d", x.fired.source)
		} else {
			all[f] = fmt.Sprintf("over at %d", x.ended.source)
		}
	}
	return all
}

// consistent returns what is wrong within a book, or nothing.
func (b *book) consistent() string {
	for f, x := range b.items {
		if x.fingerprint != f {
			return "an alert is filed under another fingerprint"
		}
		if x.open() != (b.byID[x.id] == x) {
			return "what is open by id differs from what is open"
		}
		for _, g := range x.groups {
			if b.byName[g.id] != g || !slices.Contains(g.members.list, x) {
				return "an alert is in a group that does not know it"
			}
		}
	}
	for key, g := range b.groups {
		if g.key != key || g.state == Resolved || g.members.len() == 0 {
			return "a group without open alerts is open"
		}
	}
	if len(b.groups) != len(b.byName) {
		return "groups by key and by id differ"
	}
	return ""
}

// deliveries are what a source with a clock says of a few alerts, in order: each
// fires, perhaps several times, and ends.
func deliveries(t *rapid.T) []*delivery {
	var all []*delivery
	now := int64(1e15)
	for range rapid.IntRange(1, 12).Draw(t, "turns") {
		key := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "key")
		now += rapid.Int64Range(1, 1e8).Draw(t, "later")
		state := rapid.SampledFrom([]format.State{format.Firing, format.Firing, format.Resolved}).Draw(t, "state")
		all = append(all, says(key, state, now, 0))
	}
	return all
}

func arrive(all []*delivery) []*delivery {
	out := make([]*delivery, len(all))
	for i, d := range all {
		c := *d
		c.at.arrived = 2e15 + int64(i)
		out[i] = &c
	}
	return out
}

func TestAnyOrderAndRepetitionLeavesTheSameAlertsOpen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		once := deliveries(t)
		want := newBook()
		want.apply(newChanges(), arrive(once), &plain{})
		more := slices.Clone(once)
		for range rapid.IntRange(0, 6).Draw(t, "repetitions") {
			more = append(more, rapid.SampledFrom(once).Draw(t, "repeated"))
		}
		rand.New(rand.NewSource(rapid.Int64().Draw(t, "order"))).Shuffle(len(more), func(i, k int) { more[i], more[k] = more[k], more[i] })
		got := newBook()
		got.apply(newChanges(), arrive(more), &plain{})
		if diff := cmp.Diff(want.summary(), got.summary()); diff != "" {
			t.Fatalf("in order once and otherwise differ (-want +got):\n%s", diff)
		}
		if wrong := got.consistent(); wrong != "" {
			t.Fatal(wrong)
		}
	})
}

func TestEveryGroupThatOpensEndsOnceAndEveryAlertThatFiresEndsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, c := newBook(), newChanges()
		b.apply(c, arrive(deliveries(t)), &plain{})
		var ids []string
		for id := range b.byID {
			ids = append(ids, id)
		}
		b.obey(c, &command{Op: opResolve, IDs: ids}, 3e15, &plain{})
		told := map[string]int{}
		for _, e := range c.entries {
			told[e.kind]++
		}
		if told[EntryFired] != told[EntryResolved] || told[EntryGroupOpened] != told[EntryGroupResolved] {
			t.Fatalf("told %v", told)
		}
		if len(b.byID)+len(b.groups) != 0 {
			t.Fatalf("%d alerts and %d groups are still open", len(b.byID), len(b.groups))
		}
	})
}

// A2: at most one open alert for each fingerprint; A3: the same again is the same
// occurrence.
func TestTheSameAgainIsOneOccurrenceAndACountMore(t *testing.T) {
	b, c := newBook(), newChanges()
	b.apply(c, []*delivery{says("a", format.Firing, 100, 200), says("a", format.Firing, 100, 201), says("a", format.Firing, 100, 202)}, &plain{})
	if len(b.byID) != 1 {
		t.Fatalf("%d alerts are open, want 1", len(b.byID))
	}
	for _, x := range b.byID {
		if x.count != 3 || x.occurrence != 1 || x.lastAt != 202 {
			t.Errorf("count %d, occurrence %d, last at %d; want 3, 1, 202", x.count, x.occurrence, x.lastAt)
		}
	}
	if want := []string{EntryGroupOpened, EntryFired}; !slices.Equal(c.kinds(), want) {
		t.Errorf("told %v, want %v", c.kinds(), want)
	}
}

// A4.
func TestAResolveOlderThanTheLastFiringChangesNothing(t *testing.T) {
	b := newBook()
	b.apply(newChanges(), []*delivery{says("a", format.Firing, 100, 200)}, &plain{})
	c := newChanges()
	b.apply(c, []*delivery{says("a", format.Resolved, 99, 201)}, &plain{})
	if len(b.byID) != 1 || len(c.entries) != 0 {
		t.Fatalf("%d open alerts, told %v", len(b.byID), c.kinds())
	}
	b.apply(c, []*delivery{says("a", format.Resolved, 100, 202)}, &plain{})
	if len(b.byID) != 0 {
		t.Error("a resolve at the time of the firing did not end it")
	}
}

func TestAFiringAfterItsEndOpensAnotherOccurrence(t *testing.T) {
	b, c := newBook(), newChanges()
	b.apply(c, []*delivery{says("a", format.Firing, 100, 200), says("a", format.Resolved, 110, 201), says("a", format.Firing, 120, 202)}, &plain{})
	want := []string{EntryGroupOpened, EntryFired, EntryResolved, EntryGroupResolved, EntryGroupOpened, EntryFired}
	if diff := cmp.Diff(want, c.kinds()); diff != "" {
		t.Error(diff)
	}
	for _, x := range b.byID {
		if x.occurrence != 2 {
			t.Errorf("occurrence %d, want 2", x.occurrence)
		}
	}
}

func TestAClockThatIsWrongDoesNotKeepAnAlertOpen(t *testing.T) {
	const hour = int64(3600e6)
	now := int64(1e15)
	for name, all := range map[string][]*delivery{
		"ahead throughout":        {says("a", format.Firing, now+hour, now), says("a", format.Resolved, now+hour+10, now+10)},
		"behind throughout":       {says("a", format.Firing, now-hour, now), says("a", format.Resolved, now-hour+10, now+10)},
		"ahead, then set right":   {says("a", format.Firing, now+hour, now), says("a", format.Resolved, now+10, now+10)},
		"only the firing has one": {says("a", format.Firing, now+hour, now), says("a", format.Resolved, 0, now+10)},
		"only the end has one":    {says("a", format.Firing, 0, now), says("a", format.Resolved, now-hour, now+10)},
	} {
		b := newBook()
		b.apply(newChanges(), all, &plain{})
		if len(b.byID) != 0 {
			t.Errorf("%s: the alert is still open", name)
		}
	}
}

func TestASuppressedAlertIsToldOfOnceNothingSuppressesIt(t *testing.T) {
	b, c, j := newBook(), newChanges(), &plain{suppressed: map[string]string{"a": "silence:1"}}
	b.apply(c, []*delivery{says("a", format.Firing, 100, 200)}, j)
	if want := []string{EntryFired}; !slices.Equal(c.kinds(), want) {
		t.Fatalf("told %v, want %v", c.kinds(), want)
	}
	j.suppressed = nil
	c = newChanges()
	b.look(c, 300, 0, j)
	if want := []string{EntryGroupOpened}; !slices.Equal(c.kinds(), want) {
		t.Errorf("told %v, want %v", c.kinds(), want)
	}
}

func TestAnAlertOfAnUpstreamServiceGathersItsDownstreams(t *testing.T) {
	b, c, j := newBook(), newChanges(), &plain{depends: map[string][]string{"service-shop": {"service-db"}}}
	b.apply(c, []*delivery{says("db", format.Firing, 100, 200), says("shop", format.Firing, 101, 201)}, j)
	if len(b.groups) != 1 {
		t.Fatalf("%d groups, want 1", len(b.groups))
	}
	other := says("shop", format.Firing, 101, 201)
	other.team = "another"
	b, c = newBook(), newChanges()
	b.apply(c, []*delivery{says("db", format.Firing, 100, 200), other}, j)
	causes := map[string]bool{}
	for _, g := range b.groups {
		causes[g.cause] = true
	}
	if len(b.groups) != 2 || len(causes) != 2 {
		t.Errorf("of another team: %d groups with causes %v; want 2, of which one names the other", len(b.groups), slices.Collect(maps.Keys(causes)))
	}
}

func TestAForgottenAcknowledgedGroupComesBack(t *testing.T) {
	b := newBook()
	b.apply(newChanges(), []*delivery{says("a", format.Firing, 100, 200)}, &plain{})
	c := newChanges()
	for id := range b.byName {
		b.obey(c, &command{Op: opAcknowledge, IDs: []string{id}, Actor: journal.Actor{Name: "responder"}}, 300, &plain{})
	}
	if want := []string{EntryGroupAcknowledged, EntryAcknowledged}; !slices.Equal(c.kinds(), want) {
		t.Fatalf("told %v, want %v", c.kinds(), want)
	}
	c = newChanges()
	b.look(c, 300+999, 1000, &plain{})
	if len(c.entries) != 0 {
		t.Fatalf("told %v before the time", c.kinds())
	}
	b.look(c, 300+1000, 1000, &plain{})
	if want := []string{EntryUnacknowledged, EntryGroupReminded}; !slices.Equal(c.kinds(), want) || !c.entries[1].note.Forgotten {
		t.Errorf("told %v, want %v, forgotten", c.kinds(), want)
	}
}

func TestAGroupThatGetsWorseIsToldAtOnceAndOneThatGrowsOnceInAWhile(t *testing.T) {
	b, j := newBook(), &plain{}
	one, two, bad := says("a", format.Firing, 100, 200), says("b", format.Firing, 100, 201), says("c", format.Firing, 100, 202)
	for _, d := range []*delivery{one, two, bad} {
		d.service = "shop"
	}
	bad.alert.Severity = format.Critical
	c := newChanges()
	b.apply(c, []*delivery{one, two}, j)
	if want := []string{EntryGroupOpened, EntryFired, EntryFired}; !slices.Equal(c.kinds(), want) {
		t.Fatalf("told %v, want %v", c.kinds(), want)
	}
	c = newChanges()
	b.look(c, 201+joinInterval.Microseconds(), 0, j)
	if want := []string{EntryGroupJoined}; !slices.Equal(c.kinds(), want) {
		t.Fatalf("told %v, want %v", c.kinds(), want)
	}
	c = newChanges()
	b.apply(c, []*delivery{bad}, j)
	if want := []string{EntryGroupJoined, EntryFired}; !slices.Equal(c.kinds(), want) || !c.entries[0].note.Worse {
		t.Errorf("told %v, want %v, worse", c.kinds(), want)
	}
}

func TestMembersStayInOrderHoweverMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m members
		var want []*item
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			if len(want) > 0 && rapid.IntRange(0, 2).Draw(t, "drop") == 0 {
				i := rapid.IntRange(0, len(want)-1).Draw(t, "which")
				m.drop(want[i])
				want = slices.Delete(want, i, i+1)
				continue
			}
			x := &item{}
			m.add(x)
			want = append(want, x)
		}
		var got []*item
		m.each(func(x *item) bool { got = append(got, x); return true })
		if !slices.Equal(got, want) || m.len() != len(want) {
			t.Fatalf("%d members, want %d", m.len(), len(want))
		}
	})
}

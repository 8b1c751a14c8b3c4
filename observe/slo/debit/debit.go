// Package debit tells what an error budget was spent on.
//
// The bad events of a span are split into episodes, and each episode is put down
// to what went on at the time: an incident, a deployment, a dependency that was
// failing, or nothing that is known. It is pure: what was counted and what went
// on come in, parts come out that add up to the whole.
package debit

import (
	"cmp"
	"slices"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// Kind is what a part of the budget was spent on.
type Kind string

// The kinds. Where several went on during an episode, the first of these counts.
const (
	Incident     Kind = "incident"
	Deployment   Kind = "deployment"
	Dependency   Kind = "dependency"
	Unattributed Kind = "unattributed"
	Rest         Kind = "rest" // of what can be attributed: all the smaller causes
)

func (k Kind) rank() int { return slices.Index([]Kind{Incident, Deployment, Dependency}, k) }

// Apart is how many minutes without a bad event end an episode.
const Apart = 5

// Episode is a time in which the budget was spent: the minutes from From to To,
// To not included, the first and the last of them with bad events, and what they
// count.
type Episode struct {
	From, To int64
	ledger.Sum
}

// Episodes finds them in minutes, of which the first has the index first.
func Episodes(first int64, all []ledger.Minute) []Episode {
	var found []Episode
	for i, m := range all {
		if !m.Known || m.Bad <= 0 {
			continue
		}
		at := first + int64(i)
		if n := len(found); n == 0 || at-found[n-1].To >= Apart {
			found = append(found, Episode{From: at, To: at})
		}
		e := &found[len(found)-1]
		for ; e.To <= at; e.To++ {
			e.Sum = e.Add(all[e.To-first])
		}
	}
	return found
}

// Cause is something that may explain episodes: those that overlap the minutes
// from From to To.
type Cause struct {
	Kind     Kind
	Ref      string // what it is, in the words of the journal: incident:INC-42
	Entry    string // of the journal, where one says it
	From, To int64
	// Explains narrows down which of them it explains; nil is all of them.
	Explains func(Episode) bool
}

func (c *Cause) explains(e Episode) bool {
	return c.From < e.To && c.To > e.From && (c.Explains == nil || c.Explains(e))
}

// Part is what the budget was spent on for one reason.
type Part struct {
	Kind     Kind
	Ref      string
	Entry    string
	Bad      float64
	Episodes int
	Largest  Episode
}

func (p *Part) add(e Episode) {
	if p.Episodes == 0 || e.Bad > p.Largest.Bad {
		p.Largest = e
	}
	p.Bad += e.Bad
	p.Episodes++
}

// Attribute puts each episode down to one cause, and returns the parts, the
// largest first and of causes at most the given number; the smaller ones are
// summed up as Rest. What no cause explains is Unattributed. The second result is
// the whole: the parts' bad events added up in their order.
//
// Of several causes an incident goes before a deployment, that before a
// dependency, and of one kind the one that began last before the episode did.
func Attribute(episodes []Episode, causes []Cause, most int) ([]Part, float64) {
	parts := map[string]*Part{}
	for _, e := range episodes {
		c := Cause{Kind: Unattributed}
		if i := first(causes, e); i >= 0 {
			c = causes[i]
		}
		key := string(c.Kind) + " " + c.Ref + " " + c.Entry
		if parts[key] == nil {
			parts[key] = &Part{Kind: c.Kind, Ref: c.Ref, Entry: c.Entry}
		}
		parts[key].add(e)
	}
	var named []Part
	others := []Part{{Kind: Rest}, {Kind: Unattributed}}
	for _, p := range parts {
		if p.Kind == Unattributed {
			others[1] = *p
		} else {
			named = append(named, *p)
		}
	}
	slices.SortFunc(named, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Bad, a.Bad), cmp.Compare(a.Largest.From, b.Largest.From), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Entry, b.Entry))
	})
	for _, p := range named[min(most, len(named)):] {
		if others[0].Episodes == 0 || p.Largest.Bad > others[0].Largest.Bad {
			others[0].Largest = p.Largest
		}
		others[0].Bad += p.Bad
		others[0].Episodes += p.Episodes
	}
	all := named[:min(most, len(named))]
	var whole float64
	for _, p := range others {
		if p.Episodes > 0 {
			all = append(all, p)
		}
	}
	for _, p := range all {
		whole += p.Bad
	}
	return all, whole
}

// first is the place of the cause that an episode is put down to, or −1.
func first(causes []Cause, e Episode) int {
	best := -1
	for i := range causes {
		c := &causes[i]
		if !c.explains(e) {
			continue
		}
		if best < 0 || before(c, &causes[best], e) {
			best = i
		}
	}
	return best
}

func before(a, b *Cause, e Episode) bool {
	early := func(c *Cause) int64 { return min(c.From, e.From) }
	return cmp.Or(cmp.Compare(a.Kind.rank(), b.Kind.rank()), cmp.Compare(early(b), early(a)), cmp.Compare(a.From, b.From)) < 0
}

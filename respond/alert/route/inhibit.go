package route

import (
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Inhibition keeps alerts that match Target from people while an alert that
// matches Source fires and both have the same values of the labels in Equal. An
// alert that matches both sides is not inhibited by another one that does, so that
// none inhibits itself. With a Team, only that team's alerts are inhibited.
type Inhibition struct {
	Name           string
	Source, Target Matchers
	Equal          []string
	Team           string
	At             fault.Position
}

// Inhibitor follows which alerts fire, and answers which alerts they inhibit. It
// looks for what equals, not through all, so that a decision takes as long among a
// hundred thousand alerts as among ten. It is not safe for use by several at once.
type Inhibitor struct {
	rules []*inhibiting
}

type inhibiting struct {
	*Inhibition
	why    text.Both
	firing map[string]*sources // by the values of Equal
}

// sources are the ids of alerts that fire with the same values.
type sources struct {
	one  map[string]bool // match the source only
	both map[string]bool // match the target as well
}

// NewInhibitor is the inhibitor of rules while nothing fires.
func NewInhibitor(rules []*Inhibition) *Inhibitor {
	in := &Inhibitor{}
	for _, r := range rules {
		in.rules = append(in.rules, &inhibiting{Inhibition: r, why: r.why(), firing: map[string]*sources{}})
	}
	return in
}

// Add notes that an alert fires. To add it again changes nothing.
func (in *Inhibitor) Add(id string, a Alert) {
	for _, r := range in.rules {
		if !r.Source.Match(a.Labels) {
			continue
		}
		key := r.key(a.Labels)
		s := r.firing[key]
		if s == nil {
			s = &sources{one: map[string]bool{}, both: map[string]bool{}}
			r.firing[key] = s
		}
		if r.Target.Match(a.Labels) {
			s.both[id] = true
		} else {
			s.one[id] = true
		}
	}
}

// Remove notes that an alert no longer fires. Its labels are those that it was
// added with.
func (in *Inhibitor) Remove(id string, a Alert) {
	for _, r := range in.rules {
		if !r.Source.Match(a.Labels) {
			continue
		}
		key := r.key(a.Labels)
		s := r.firing[key]
		if s == nil {
			continue
		}
		delete(s.one, id)
		delete(s.both, id)
		if len(s.one)+len(s.both) == 0 {
			delete(r.firing, key)
		}
	}
}

// of lists why an alert is inhibited: one reason for each rule.
func (in *Inhibitor) of(a Alert) []Reason {
	if in == nil {
		return nil
	}
	var reasons []Reason
	for _, r := range in.rules {
		if len(r.firing) == 0 || r.Team != "" && r.Team != a.Team || !r.Target.Match(a.Labels) {
			continue
		}
		s := r.firing[r.key(a.Labels)]
		if s == nil {
			continue
		}
		by, ok := least(s.one)
		if !ok && !r.Source.Match(a.Labels) {
			by, ok = least(s.both)
		}
		if ok {
			reasons = append(reasons, r.reason(by))
		}
	}
	return reasons
}

// few is among how many alerts the first by id is looked for; among more, any of
// them is named.
const few = 8

func least(ids map[string]bool) (id string, ok bool) {
	for next := range ids {
		if !ok || next < id {
			id, ok = next, true
		}
		if len(ids) > few {
			break
		}
	}
	return id, ok
}

func (r *inhibiting) reason(by string) Reason {
	return Reason{Kind: ByInhibition, Ref: "alert:" + by, At: r.At, What: r.why}
}

// why tells what the rule says.
func (r *Inhibition) why() text.Both {
	same := text.Both{}
	if len(r.Equal) > 0 {
		same = text.Say(" with the same %s", "(%s が同じもの)", strings.Join(r.Equal, ", "))
	}
	return text.Say("an alert of %s fires, which inhibits %s%s", "%[1]s のアラートが発生中のため、%[2]s は抑止されます%[3]s", r.Source, r.Target, same)
}

// key joins the values of the labels that have to be equal.
func (r *inhibiting) key(l Labels) string {
	switch len(r.Equal) {
	case 0:
		return ""
	case 1:
		return l[r.Equal[0]]
	}
	var b strings.Builder
	for _, name := range r.Equal {
		b.WriteString(l[name])
		b.WriteByte(0xff) // in no valid UTF-8, so that values cannot run into one another
	}
	return b.String()
}

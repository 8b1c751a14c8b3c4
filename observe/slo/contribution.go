package slo

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
)

// Contribution is the part that the events with one value of a label have in
// what burns.
type Contribution struct {
	Label  string   `json:"label"`
	Value  string   `json:"value"`
	Bad    float64  `json:"bad" doc:"Bad events with that value in the window."`
	Total  float64  `json:"total,omitempty" doc:"All events with that value in the window."`
	Share  float64  `json:"share" doc:"Of all bad events of the window."`
	Events float64  `json:"events" doc:"Share of all events of the window."`
	Before *float64 `json:"before,omitempty" doc:"Share of the bad events of the day before it began; absent where there were none."`
}

const (
	// standsOut is how much more than its part before, and than its part of all
	// events, a value must have in the bad events to be named.
	standsOut = 0.2
	// mostContributions is how many labels are named.
	mostContributions = 3
	// dayBefore is what a window is compared with: the day before the trouble.
	dayBefore = 24 * time.Hour
)

// labelPart is what was counted with one value of a label.
type labelPart struct{ bad, total, before float64 }

// labelParts are the counts of a window by label and value.
type labelParts struct {
	counts string // events or minutes
	all    labelPart
	by     map[string]map[string]*labelPart
	skip   []string // labels that say nothing
}

func newLabelParts(counts string, skip ...string) *labelParts {
	return &labelParts{counts: counts, by: map[string]map[string]*labelPart{}, skip: append(skip, "__name__", "le")}
}

// field is one of the numbers of a part.
type field func(*labelPart) *float64

func badOf(p *labelPart) *float64    { return &p.bad }
func totalOf(p *labelPart) *float64  { return &p.total }
func beforeOf(p *labelPart) *float64 { return &p.before }

// add counts one series.
func (p *labelParts) add(labels map[string]string, v float64, into ...field) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	for _, of := range into {
		*of(&p.all) += v
	}
	for name, value := range labels {
		if slices.Contains(p.skip, name) {
			continue
		}
		if p.by[name] == nil {
			p.by[name] = map[string]*labelPart{}
		}
		if p.by[name][value] == nil {
			p.by[name][value] = &labelPart{}
		}
		for _, of := range into {
			*of(p.by[name][value]) += v
		}
	}
}

// contribution is what a value of a label has in the whole.
func (p *labelParts) contribution(label, value string, n *labelPart) Contribution {
	c := Contribution{Label: label, Value: value, Bad: max(n.bad, 0), Total: n.total}
	if p.all.bad > 0 {
		c.Share = share(n.bad, p.all.bad)
	}
	if p.all.total > 0 {
		c.Events = share(n.total, p.all.total)
	}
	if p.all.before > 0.5 {
		was := share(n.before, p.all.before)
		c.Before = &was
	}
	return c
}

// values are the values of a label, the one with most bad events first.
func (p *labelParts) values(label string) []Contribution {
	all := make([]Contribution, 0, len(p.by[label]))
	for value, n := range p.by[label] {
		all = append(all, p.contribution(label, value, n))
	}
	slices.SortFunc(all, func(a, b Contribution) int {
		return cmp.Or(cmp.Compare(b.Bad, a.Bad), cmp.Compare(b.Total, a.Total), strings.Compare(a.Value, b.Value))
	})
	return all
}

// most is the value of a label that stands out most.
func (p *labelParts) most(label string) Contribution {
	var best Contribution
	for value, n := range p.by[label] {
		c := p.contribution(label, value, n)
		if best.Label == "" || c.lift() > best.lift() || c.lift() == best.lift() && value < best.Value {
			best = c
		}
	}
	return best
}

// rank names, of each label with several values, the value that stands out most.
func (p *labelParts) rank() []Contribution {
	if p.all.bad <= 0 || p.all.total <= 0 {
		return nil
	}
	var found []Contribution
	for label, values := range p.by {
		if len(values) < 2 {
			continue
		}
		if best := p.most(label); best.lift() >= standsOut {
			found = append(found, best)
		}
	}
	slices.SortFunc(found, func(a, b Contribution) int {
		return cmp.Or(cmp.Compare(b.lift(), a.lift()), cmp.Compare(a.Label, b.Label))
	})
	return found[:min(len(found), mostContributions)]
}

func share(part, whole float64) float64 { return min(max(part/whole, 0), 1) }

// lift is by how much the value has more of the bad events than is to be
// expected.
func (c Contribution) lift() float64 {
	expected := c.Events
	if c.Before != nil {
		expected = max(expected, *c.Before)
	}
	return c.Share - expected
}

// contributionText says what stands out in a sentence.
func contributionText(all []Contribution) text.Both {
	if len(all) == 0 {
		return text.Say("no label value stands out", "際立つラベルの値はありません")
	}
	var said text.Both
	for i, c := range all {
		one := text.Say("%[1]s=%[2]s burns %[3]s%% of it, with %[4]s%% of the events and no failures the day before",
			"%[1]s=%[2]sが消費の%[3]s%%を占めています(イベントの%[4]s%%、前日の失敗なし)", c.Label, c.Value, perCent(c.Share), perCent(c.Events))
		if c.Before != nil {
			one = text.Say("%[1]s=%[2]s burns %[3]s%% of it, before %[4]s%%", "%[1]s=%[2]sが消費の%[3]s%%を占めています(以前は%[4]s%%)",
				c.Label, c.Value, perCent(c.Share), perCent(*c.Before))
		}
		if i > 0 {
			said.EN, said.JA = said.EN+"; ", said.JA+"。"
		}
		said.EN, said.JA = said.EN+one.EN, said.JA+one.JA
	}
	return said
}

func perCent(v float64) string { return burn.Number(math.Round(v * 100)) }

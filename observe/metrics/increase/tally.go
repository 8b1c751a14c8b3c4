package increase

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

// Limits of one selection.
const (
	MaxSeries = 250_000 // counters that are added up
	MaxGroups = 25_000  // combinations of values of its By labels
)

// Plan is a selection as it is counted.
type Plan struct {
	Terms []promexpr.Term
	by    []string // labels by which the sum is taken apart
	one   bool     // it must not be apart
	whole bool     // apart is every series
}

// NewPlan reads a selection.
func NewPlan(s metrics.Selection) (Plan, error) {
	sum, err := promexpr.Count(s.Expr)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Terms: sum.Terms, by: sum.By, one: sum.One, whole: sum.AllLabels}
	if len(s.By) > 0 {
		p.by, p.one, p.whole = slices.Clone(s.By), false, false
		slices.Sort(p.by)
	}
	return p, nil
}

// Grouped reports whether the result is taken apart by labels.
func (p Plan) Grouped() bool { return len(p.by) > 0 && !p.one }

// Key names the group that a series belongs to; it is empty for a plain sum.
func (p Plan) Key(ls labels.Labels) string {
	if p.whole {
		return ls.String()
	}
	if len(p.by) == 0 {
		return ""
	}
	var b strings.Builder
	for _, name := range p.by {
		b.WriteString(ls.Get(name))
		b.WriteByte(0)
	}
	return b.String()
}

// groupLabels is the inverse of Key.
func (p Plan) groupLabels(key string) map[string]string {
	values := strings.Split(key, "\x00")
	ls := make(map[string]string, len(p.by))
	for i, name := range p.by {
		if values[i] != "" {
			ls[name] = values[i]
		}
	}
	return ls
}

// Tally counts one selection over one span.
type Tally struct {
	Plan     Plan
	From, To int64
	Err      error
	groups   map[string]*Minutes
	series   int
	lead     int64 // minutes before those that were asked for
}

// NewTally returns the tally of a selection for the minutes [from, to). From may
// become earlier than asked for; Counts has no more than was asked for.
func NewTally(p Plan, from, to int64) *Tally {
	t := &Tally{Plan: p, From: from, To: to, groups: map[string]*Minutes{}}
	if p.one {
		t.From, t.lead = from-1, 1
	}
	return t
}

// Group returns the minutes to which a series adds, and nil where the selection
// has a fault already.
func (t *Tally) Group(ls labels.Labels) *Minutes {
	if t.series++; t.series > MaxSeries {
		t.Fail(TooManySeries())
	}
	if t.Err != nil {
		return nil
	}
	return t.group(t.Plan.Key(ls))
}

func (t *Tally) group(key string) *Minutes {
	m, ok := t.groups[key]
	if !ok {
		if len(t.groups) >= MaxGroups {
			t.Fail(TooManyGroups())
			return nil
		}
		key = strings.Clone(key)
		m = NewMinutes(t.From, t.To)
		t.groups[key] = m
	}
	return m
}

// refuse notes that a minute of a group holds a sample that cannot be counted.
// Native histograms where numbers are meant are wrong at all times.
func (t *Tally) refuse(m *Minutes, minute int64, err error) {
	f, ok := fault.As(err)
	switch {
	case minute < t.From || minute >= t.To:
	case !ok || f.Code == metrics.HistogramFault().Code:
		t.Fail(err)
	case !slices.ContainsFunc(m.Faults, func(r metrics.Refused) bool { return r.Minute == minute }):
		m.Faults = append(m.Faults, metrics.Refused{Minute: minute, Err: err})
	}
}

// bounded reports whether only some observations of native histograms are
// counted, for which the whole of them must be read.
func (p Plan) bounded() bool {
	return slices.ContainsFunc(p.Terms, func(t promexpr.Term) bool { return t.Of.Bounded })
}

// Fail keeps the first fault.
func (t *Tally) Fail(err error) {
	if t.Err == nil {
		t.Err = err
	}
}

// Counts is the result.
func (t *Tally) Counts() metrics.Counts {
	if t.Err == nil && t.Plan.one {
		t.Err = t.several()
	}
	if t.Err != nil {
		return metrics.Counts{Err: t.Err}
	}
	keys := slices.Sorted(maps.Keys(t.groups))
	if !t.Plan.Grouped() {
		sum := NewMinutes(t.From+t.lead, t.To)
		for _, key := range keys {
			g := t.groups[key]
			for i, v := range g.Values[t.lead:] {
				if !math.IsNaN(v) {
					sum.add(sum.First+int64(i), v)
				}
			}
			sum.Lumps = append(sum.Lumps, g.Lumps...)
			sum.Faults = append(sum.Faults, g.Faults...)
		}
		sum.Faults = slices.DeleteFunc(sum.Faults, func(f metrics.Refused) bool { return f.Minute < sum.First })
		sum.Lumps = slices.DeleteFunc(sum.Lumps, func(l metrics.Lump) bool { return l.To < sum.First })
		return metrics.Counts{Values: sum.known(), Lumps: sorted(sum.Lumps), Refused: sum.Faults, Exact: true}
	}
	c := metrics.Counts{Exact: true, Groups: make([]metrics.Group, 0, len(keys))}
	for _, key := range keys {
		g := t.groups[key]
		c.Groups = append(c.Groups, metrics.Group{Labels: t.Plan.groupLabels(key), Values: g.known(), Lumps: sorted(g.Lumps), Refused: g.Faults})
	}
	return c
}

// several is the fault of an expression that stands for one series and selects
// more at a time. One minute of both is how one takes over from another.
func (t *Tally) several() error {
	if len(t.groups) < 2 {
		return nil
	}
	row := 0
	for i := range t.To - t.From {
		known := 0
		for _, g := range t.groups {
			if !math.IsNaN(g.Values[i]) {
				known++
			}
		}
		if row++; known < 2 {
			row = 0
		}
		if row >= 2 {
			return severalSeries(known)
		}
	}
	return nil
}

func severalSeries(n int) error {
	return fault.New(fault.Invalid, "metrics.several_series", text.Say(
		"the expression answers %d series instead of one", "式の結果が1系列ではなく%d系列になりました", n)).
		Fix(text.Say("wrap the expression in sum(…), or select one series by its labels",
			"式を sum(…) で囲むか、ラベルで1系列に絞り込んでください"))
}

// TooManySeries is the fault of a selection that explodes.
func TooManySeries() error {
	return fault.New(fault.Invalid, "metrics.too_many_series", text.Say(
		"the expression selects more than %d counters", "式が%d個を超えるカウンターを選択しています", MaxSeries)).
		Fix(text.Say("select fewer by their labels, or drop labels with many values where the metric is scraped",
			"ラベルで絞り込むか、値の種類が多いラベルをスクレイプ時に取り除いてください"))
}

// TooManyGroups is the fault of a grouping that explodes.
func TooManyGroups() error {
	return fault.New(fault.Invalid, "metrics.too_many_groups", text.Say(
		"the labels have more than %d combinations of values", "ラベルの値の組み合わせが%d通りを超えています", MaxGroups)).
		Fix(text.Say("group by labels with fewer values", "値の種類が少ないラベルでグループ化してください"))
}

package slo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// What the numbers of a window taken apart count.
const (
	countsEvents  = "events"
	countsMinutes = "minutes"
)

// partLabel is the label by which a composite is taken apart: the names of its
// parts.
const partLabel = "part"

// compared is a window and the calm time that it is compared with: the day that
// ends with calm.
type compared struct {
	end    time.Time
	window time.Duration
	calm   time.Time
}

// takeApart counts an objective in a window by the labels of the series that its
// own expressions read. Where they cannot be taken apart it returns nil and says
// why.
func (s *Service) takeApart(ctx context.Context, d *Definition, c compared) (*labelParts, text.Both, error) {
	if d.Composite != nil {
		p, err := s.parts(ctx, d, c)
		return p, text.Both{}, err
	}
	switch {
	case d.Threshold != nil:
		return s.limits(ctx, d, c)
	case d.Raw != nil:
		return nil, text.Say("the source computes the ratio itself, so that nothing tells its events apart: give good and total instead",
			"比率をデータソース側で計算しているため、内訳は分かりません。代わりに good と total を指定してください"), nil
	case d.Counter:
		return s.counters(ctx, d, c)
	}
	return s.gauges(ctx, d, c)
}

var notApart = text.Say("the expressions are no sums, so that nothing tells their events apart",
	"式が合計の形ではないため、内訳は分かりません")

// asker asks a source for the values of series over a time that ends at a moment.
type asker func(q metrics.Querier, at time.Time, over time.Duration, take func(labels map[string]string, v float64)) error

// counters takes sums of counters apart, by the increase of each.
func (s *Service) counters(ctx context.Context, d *Definition, c compared) (*labelParts, text.Both, error) {
	total, err := promexpr.Count(d.Total)
	if err != nil {
		return nil, notApart, nil //nolint:nilerr // not a sum of counters, so nothing can be said
	}
	part, err := promexpr.Count(cmp.Or(d.Bad, d.Good))
	if err != nil {
		return nil, notApart, nil //nolint:nilerr // likewise
	}
	p := newLabelParts(countsEvents, telling(part, total)...)
	increases := func(sum promexpr.Sum) asker {
		return func(q metrics.Querier, at time.Time, over time.Duration, take func(map[string]string, float64)) error {
			return eachSeries(ctx, q, sum, at, over, take)
		}
	}
	return p, text.Both{}, s.ratioParts(d, c, p, increases(total), increases(part))
}

// gauges takes counts apart that are read as they stand at the end of each
// minute.
func (s *Service) gauges(ctx context.Context, d *Definition, c compared) (*labelParts, text.Both, error) {
	total, ok := promexpr.Apart(d.Total)
	part, good := promexpr.Apart(cmp.Or(d.Bad, d.Good))
	adds := func(w promexpr.Whole) bool { return w.Op == "sum" || w.Op == "count" }
	if !ok || !good || !adds(total) || !adds(part) {
		return nil, notApart, nil
	}
	values := func(w promexpr.Whole) asker {
		return func(q metrics.Querier, at time.Time, over time.Duration, take func(map[string]string, float64)) error {
			return valuesAt(ctx, q, overTime(w.Op, w.Parts, over), at, take)
		}
	}
	p := newLabelParts(countsEvents)
	return p, text.Both{}, s.ratioParts(d, c, p, values(total), values(part))
}

// ratioParts adds what total, and good or bad, are made of.
func (s *Service) ratioParts(d *Definition, c compared, p *labelParts, total, part asker) error {
	of, err := s.sources.Get(d.Source)
	if err != nil {
		return err
	}
	partOf := of
	if d.PartSource != nil {
		if partOf, err = s.sources.Get(*d.PartSource); err != nil {
			return err
		}
	}
	add := func(q metrics.Querier, read asker, sign float64, at time.Time, over time.Duration, into ...field) {
		if err == nil {
			err = read(q, at, over, func(labels map[string]string, v float64) { p.add(labels, sign*v, into...) })
		}
	}
	if d.Bad != "" {
		add(partOf, part, 1, c.end, c.window, badOf)
		add(of, total, 1, c.end, c.window, totalOf)
		add(partOf, part, 1, c.calm, dayBefore, beforeOf)
		return err
	}
	add(partOf, part, -1, c.end, c.window, badOf)
	add(of, total, 1, c.end, c.window, badOf, totalOf)
	add(partOf, part, -1, c.calm, dayBefore, beforeOf)
	add(of, total, 1, c.calm, dayBefore, beforeOf)
	return err
}

// limits says which series of a threshold were beyond it, and for how many
// minutes. A sum has no such series: none of its parts has a limit of its own.
func (s *Service) limits(ctx context.Context, d *Definition, c compared) (*labelParts, text.Both, error) {
	w, ok := promexpr.Apart(d.Threshold.Expr)
	if !ok || !slices.Contains([]string{"", "avg", "min", "max"}, w.Op) {
		return nil, text.Say("the limit is one of the whole, so that none of its series is beyond it by itself",
			"しきい値が全体に対するものなので、個々の系列がしきい値を超えたかどうかは決まりません"), nil
	}
	q, err := s.sources.Get(d.Source)
	if err != nil {
		return nil, text.Both{}, err
	}
	p := newLabelParts(countsMinutes)
	within := fmt.Sprintf("(%s) %s bool %g", w.Parts, comparisons[d.Threshold.Op], d.Threshold.Value)
	bad := func(at time.Time, over time.Duration, into ...field) error {
		return valuesAt(ctx, q, overTime("sum", "1 - ("+within+")", over), at, func(labels map[string]string, v float64) { p.add(labels, v, into...) })
	}
	if err := bad(c.end, c.window, badOf); err != nil {
		return nil, text.Both{}, err
	}
	if err := valuesAt(ctx, q, overTime("count", w.Parts, c.window), c.end, func(labels map[string]string, v float64) { p.add(labels, v, totalOf) }); err != nil {
		return nil, text.Both{}, err
	}
	return p, text.Both{}, bad(c.calm, dayBefore, beforeOf)
}

var comparisons = map[string]string{"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}

// overTime adds up, or counts, the values that an expression has at the end of
// each minute of a window.
func overTime(op, expr string, window time.Duration) string {
	return fmt.Sprintf("%s_over_time((%s)[%ds:1m])", op, expr, int64(window.Seconds()))
}

// valuesAt evaluates an expression at one moment, series by series.
func valuesAt(ctx context.Context, q metrics.Querier, expr string, at time.Time, take func(labels map[string]string, v float64)) error {
	answer, err := q.Instant(ctx, expr, at)
	if err != nil {
		return err
	}
	for _, series := range answer {
		for _, point := range series.Points {
			take(series.Labels, point.V)
		}
	}
	return nil
}

// parts takes a composite apart into its parts, as the ledger would count each
// by itself: of a weighted one the events times the weight, of others minutes.
func (s *Service) parts(ctx context.Context, d *Definition, c compared) (*labelParts, error) {
	p := newLabelParts(countsEvents)
	if d.Composite.Join != Weighted {
		p.counts = countsMinutes
	}
	for i := range d.Composite.Parts {
		part := &d.Composite.Parts[i]
		labels := map[string]string{partLabel: part.title(i)}
		counted, err := s.readAlone(ctx, d, part, c.end, c.window)
		if err != nil {
			return nil, err
		}
		before, err := s.readAlone(ctx, d, part, c.calm, dayBefore)
		if err != nil {
			return nil, err
		}
		bad, total := d.Composite.weigh(part, counted)
		p.add(labels, bad, badOf)
		p.add(labels, total, totalOf)
		bad, _ = d.Composite.weigh(part, before)
		p.add(labels, bad, beforeOf)
	}
	return p, nil
}

// title is what a part is called.
func (p *Part) title(i int) string { return cmp.Or(p.Title, strconv.Itoa(i+1)) }

// weigh is what the minutes of a part have in the composite.
func (c *Composite) weigh(p *Part, counted []ledger.Minute) (bad, total float64) {
	for _, m := range counted {
		switch {
		case !m.Known:
		case c.Join == Weighted:
			bad, total = bad+p.Weight*m.Bad, total+p.Weight*m.Total
		case m.Total > 0:
			bad, total = bad+m.Bad/m.Total, total+1
		default:
			total++
		}
	}
	return bad, total
}

// readAlone reads the minutes of a part over a time that ends at a moment, past
// the ledger.
func (s *Service) readAlone(ctx context.Context, d *Definition, p *Part, end time.Time, over time.Duration) ([]ledger.Minute, error) {
	alone := &Definition{Indicator: p.Indicator, Scrape: d.Scrape}
	m := &member{track: track{def: alone}, countable: alone.countable(), asks: alone.asks()}
	span := minutes{From: ledger.Done(end.Add(-over)), To: ledger.Done(end)}
	all := []reading{{m: m, span: span}}
	s.newReader().read(ctx, all)
	return all[0].counted, all[0].err
}

// telling are the labels that tell the bad events, or the good ones, from the
// others: that they stand out says nothing.
func telling(part, total promexpr.Sum) []string {
	in := map[string]bool{}
	for _, t := range total.Terms {
		for _, m := range t.Matchers {
			in[m.String()] = true
		}
	}
	var names []string
	for _, t := range part.Terms {
		for _, m := range t.Matchers {
			if !in[m.String()] {
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// eachSeries asks for the increase of each counter of a sum in a window.
func eachSeries(ctx context.Context, q metrics.Querier, sum promexpr.Sum, at time.Time, window time.Duration, take func(labels map[string]string, v float64)) error {
	for _, t := range sum.Terms {
		expr, err := promexpr.IncreaseOver(t.String(), window, q.Anchored(), 0)
		if err != nil {
			return err
		}
		if err := valuesAt(ctx, q, expr, at, func(labels map[string]string, v float64) { take(labels, t.Weight*v) }); err != nil {
			return err
		}
	}
	return nil
}

const (
	// longestApart is how long a span may be that is taken apart.
	longestApart = 31 * 24 * time.Hour
	// briefValues is how many values of each label are listed where none is asked
	// for, and mostValues how many of one that is.
	briefValues = 10
	mostValues  = 500
)

// Contributions say which label values the bad events of a span have.
type Contributions struct {
	From        time.Time      `json:"from"`
	To          time.Time      `json:"to"`
	Counts      string         `json:"counts" enum:"events,minutes" doc:"What bad and total are: events, or minutes of series or of parts."`
	Bad         float64        `json:"bad"`
	Total       float64        `json:"total"`
	Labels      []Contributing `json:"labels" doc:"The label whose values differ most first. Each adds up to the whole by itself."`
	StandsOut   []Contribution `json:"standsOut" doc:"Values that have far more of the bad events than of all events, and than the day before."`
	Explanation text.Both      `json:"explanation"`
	Reason      *text.Both     `json:"reason,omitempty" doc:"Why nothing can be taken apart."`
}

// Contributing is one label with its values.
type Contributing struct {
	Label  string         `json:"label"`
	Values []Contribution `json:"values" doc:"Those with most bad events first."`
	More   int            `json:"more" doc:"How many values were left out."`
}

// Contributions takes the events of a span apart by the labels of what the
// objective reads. A zero To is the last minute that was read, a zero From an
// hour before To. With a label all values of that one are listed.
func (s *Service) Contributions(ctx context.Context, name, label string, from, to time.Time) (Contributions, error) {
	d, mark, err := s.read(ctx, name, time.Time{})
	if err != nil {
		return Contributions{}, err
	}
	if to.IsZero() {
		to = ledger.Start(mark)
	}
	if from.IsZero() {
		from = to.Add(-time.Hour)
	}
	from, to = from.UTC().Truncate(time.Minute), to.UTC().Truncate(time.Minute)
	switch {
	case !from.Before(to):
		return Contributions{}, fault.New(fault.Invalid, "slo.span", text.Say("the span ends before it begins", "期間の終わりが始まりより前です")).
			Fix(text.Say("choose a time to that is after from", "to を from より後にしてください")).On("query.to")
	case to.Sub(from) > longestApart:
		return Contributions{}, fault.New(fault.Invalid, "slo.span_long", text.Say("at most %d days are taken apart", "内訳を調べられる期間は%d日までです", int(longestApart.Hours()/24))).
			Fix(text.Say("choose a shorter span", "期間を短くしてください")).On("query.from")
	}
	x := Contributions{From: from, To: to, Counts: countsEvents, Labels: []Contributing{}, StandsOut: []Contribution{}}
	p, why, err := s.takeApart(ctx, d, compared{to, to.Sub(from), from})
	if err != nil {
		return x, err
	}
	if p == nil {
		x.Reason, x.Explanation = &why, why
		return x, nil
	}
	x.Counts, x.Bad, x.Total = p.counts, max(p.all.bad, 0), p.all.total
	x.StandsOut = nonNil(p.rank())
	x.Explanation = contributionText(x.StandsOut)
	x.Labels = p.list(label)
	return x, nil
}

// list is the labels with several values, or all values of one label.
func (p *labelParts) list(only string) []Contributing {
	all := []Contributing{}
	lift := map[string]float64{}
	for label, values := range p.by {
		if only != "" && label != only || only == "" && len(values) < 2 {
			continue
		}
		x := Contributing{Label: label, Values: p.values(label)}
		keep := briefValues
		if only != "" {
			keep = mostValues
		}
		if keep = min(keep, len(x.Values)); keep < len(x.Values) {
			x.More, x.Values = len(x.Values)-keep, x.Values[:keep]
		}
		lift[label] = p.most(label).lift()
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b Contributing) int {
		return cmp.Or(cmp.Compare(lift[b.Label], lift[a.Label]), cmp.Compare(a.Label, b.Label))
	})
	return all
}

package slo

import (
	"math"
	"slices"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// Indicator is what one objective, or one part of a composite, is read from:
// good (or bad) over total, or a Threshold, or a Raw ratio.
type Indicator struct {
	Source  string `json:"source,omitempty"` // "" is the default data source
	Good    string `json:"good,omitempty"`   // either good or bad
	Bad     string `json:"bad,omitempty"`
	Total   string `json:"total"`
	Counter bool   `json:"counter"`
	// PartSource is where good or bad comes from, where that is not Source.
	PartSource *string `json:"partSource,omitempty"`
	// Bucket is the boundary (le) of the histogram's bucket that good selects.
	Bucket string `json:"bucket,omitempty"`

	Threshold *Threshold `json:"threshold,omitempty"`
	Raw       *Raw       `json:"raw,omitempty"`
}

// Threshold is an indicator that is one value for each minute: the minute is
// good where the value compares to the limit as Op says.
type Threshold struct {
	Expr  string  `json:"expr"`
	Op    string  `json:"op"` // lt, lte, gt, gte
	Value float64 `json:"value"`
}

// Raw is an indicator that the source computes: the share of good events, or of
// bad ones with Failure, for each minute. Every minute counts the same, because
// nothing says how many events it had.
type Raw struct {
	Expr    string `json:"expr"`
	Failure bool   `json:"failure,omitempty"`
}

// Join is how the parts of a composite become one.
type Join string

// The ways to join. Weighted adds the events of the parts, each part's times its
// weight. The others count minutes: a minute is as good as its worst part (all
// must work), as its best one (one must work), as one that so many others are not
// better than (a quorum must fail), or as a journey through all of them, whose
// chances of success multiply.
const (
	Weighted Join = "weighted"
	All      Join = "and"
	Any      Join = "or"
	Quorum   Join = "quorum"
	Journey  Join = "journey"
)

// Composite is an indicator of several.
type Composite struct {
	Join Join `json:"join"`
	// Quorum is how many parts must fail for a quorum to fail.
	Quorum int    `json:"quorum,omitempty"`
	Parts  []Part `json:"parts"`
}

// Part is one indicator of a composite.
type Part struct {
	Title     string         `json:"title,omitempty"`
	Weight    float64        `json:"weight"`
	Objective burn.Objective `json:"objective"`
	Indicator
}

// ask is one expression of an objective, as its document has it.
type ask struct {
	Field   string // good, bad, total, value, ratio
	Source  string
	Expr    string
	Counter bool // its increase in each minute is wanted, not its value
}

// asks lists the expressions of an objective. Whoever reads minutes asks for the
// value of each at every minute, in this order.
func (d *Definition) asks() []ask {
	if d.Composite == nil {
		return d.Indicator.asks()
	}
	var all []ask
	for i := range d.Composite.Parts {
		all = append(all, d.Composite.Parts[i].asks()...)
	}
	return all
}

func (x *Indicator) asks() []ask {
	switch {
	case x.Threshold != nil:
		return []ask{{Field: "value", Source: x.Source, Expr: x.Threshold.Expr}}
	case x.Raw != nil:
		return []ask{{Field: "ratio", Source: x.Source, Expr: x.Raw.Expr}}
	}
	part := ask{Field: "good", Source: x.Source, Expr: x.Good, Counter: x.Counter}
	if x.Bad != "" {
		part.Field, part.Expr = "bad", x.Bad
	}
	if x.PartSource != nil {
		part.Source = *x.PartSource
	}
	return []ask{{Field: "total", Source: x.Source, Expr: x.Total, Counter: x.Counter}, part}
}

// minute makes a count of the values that were answered, one for each of asks.
// NaN is the absence of a value. What cannot be counted makes the minute unknown
// and is named.
func (d *Definition) minute(values []float64) (ledger.Minute, trouble) {
	if d.Composite == nil {
		return d.Indicator.minute(values)
	}
	return d.Composite.minute(values)
}

func (x *Indicator) minute(values []float64) (ledger.Minute, trouble) {
	switch {
	case x.Threshold != nil:
		return x.Threshold.minute(values[0])
	case x.Raw != nil:
		return x.Raw.minute(values[0])
	}
	return x.ratio(values[0], values[1])
}

// ratio counts events. Without a total nothing is known. Without a part the
// total stands alone: a series that was never born counted nothing, so that
// absent errors are no errors, and absent successes no success. A histogram
// has all its buckets from its first event on: one that is absent while there are
// events is not one of them.
func (x *Indicator) ratio(total, part float64) (ledger.Minute, trouble) {
	field := "good"
	if x.Bad != "" {
		field = "bad"
	}
	if t := uncountable("total", total); t != fine {
		return ledger.Minute{}, t
	}
	if missing(total) {
		return ledger.Minute{}, fine
	}
	if t := uncountable(field, part); t != fine {
		return ledger.Minute{}, t
	}
	if missing(part) {
		if x.PartSource != nil && field == "good" && total > 0 {
			return ledger.Minute{}, sourcesDisagree
		}
		if x.Bucket != "" && total > 0 {
			return ledger.Minute{}, noBucket
		}
		part = 0
	}
	if part > total*(1+slack)+slackEvents && x.PartSource != nil {
		return ledger.Minute{}, sourcesDisagree
	}
	if part > total*(1+slack)+slackEvents {
		return ledger.Minute{}, troubleAbove[field]
	}
	part = min(part, total)
	if field == "bad" {
		return ledger.Of(total, part), fine
	}
	return ledger.Of(total, total-part), fine
}

// slack is by how much more good or bad events than events there may be in one
// minute: requests that end in a later minute than they began, and sources that
// extrapolate.
const (
	slack       = 0.05
	slackEvents = 5
)

func (x *Threshold) minute(v float64) (ledger.Minute, trouble) {
	if missing(v) {
		return ledger.Minute{}, fine
	}
	if math.IsNaN(v) {
		return ledger.Minute{}, notANumber
	}
	good := false
	switch x.Op {
	case "lt":
		good = v < x.Value
	case "lte":
		good = v <= x.Value
	case "gt":
		good = v > x.Value
	case "gte":
		good = v >= x.Value
	}
	if good {
		return ledger.Of(1, 0), fine
	}
	return ledger.Of(1, 1), fine
}

func (x *Raw) minute(v float64) (ledger.Minute, trouble) {
	switch {
	case missing(v):
		return ledger.Minute{}, fine
	case math.IsNaN(v):
		return ledger.Minute{}, notANumber
	case v < -rounding || v > 1+rounding:
		return ledger.Minute{}, ratioOutside
	}
	v = min(max(v, 0), 1)
	if !x.Failure {
		v = 1 - v
	}
	return ledger.Of(1, v), fine
}

// rounding is by how much a ratio that a source computed may miss 0 and 1.
const rounding = 1e-9

func (c *Composite) minute(values []float64) (ledger.Minute, trouble) {
	parts := make([]ledger.Minute, len(c.Parts))
	worst := fine
	for i := range c.Parts {
		n := len(c.Parts[i].asks())
		m, t := c.Parts[i].minute(values[:n])
		parts[i], values = m, values[n:]
		if t != fine {
			worst = t
		}
	}
	m := c.join(parts)
	if m.Known {
		return m, fine
	}
	return m, worst
}

// join makes one minute of those of the parts. A weighted composite counts the
// parts that have data. The others are known where the parts with data decide.
func (c *Composite) join(parts []ledger.Minute) ledger.Minute {
	if c.Join == Weighted {
		var sum ledger.Minute
		for i, m := range parts {
			sum.Total += c.Parts[i].Weight * m.Total
			sum.Bad += c.Parts[i].Weight * m.Bad
			sum.Known = sum.Known || m.Known
		}
		if !sum.Known {
			return sum
		}
		return ledger.Of(sum.Total, sum.Bad)
	}
	if c.Join == Quorum {
		return c.quorum(parts)
	}
	known, good := 0, 1.0
	if c.Join == Any {
		good = 0
	}
	for _, m := range parts {
		if !m.Known {
			continue
		}
		known++
		share := burn.SLI(ledger.Sum{Total: m.Total, Bad: m.Bad})
		switch c.Join {
		case Any:
			good = max(good, share)
		case Journey:
			good *= share
		default:
			good = min(good, share)
		}
	}
	decided := known > 0 && (c.Join == Any && good == 1 || c.Join != Any && good == 0)
	if known < len(parts) && !decided {
		return ledger.Minute{}
	}
	return ledger.Of(1, 1-good)
}

// quorum is a minute that is as good as its part at the place of the quorum, the
// worst first. It is known where the parts without data cannot change that.
func (c *Composite) quorum(parts []ledger.Minute) ledger.Minute {
	low, high := make([]float64, len(parts)), make([]float64, len(parts))
	for i, m := range parts {
		low[i], high[i] = 0, 1
		if m.Known {
			low[i] = burn.SLI(ledger.Sum{Total: m.Total, Bad: m.Bad})
			high[i] = low[i]
		}
	}
	slices.Sort(low)
	slices.Sort(high)
	at := min(max(c.Quorum, 1), len(parts)) - 1
	if low[at] != high[at] {
		return ledger.Minute{}
	}
	return ledger.Of(1, 1-low[at])
}

// undefined is an answer that is not a number, where NaN itself is no answer.
var undefined = math.Float64frombits(0x7ff8_0000_0000_0bad)

// missing reports whether there was no answer.
func missing(v float64) bool {
	return math.IsNaN(v) && math.Float64bits(v) != math.Float64bits(undefined)
}

// answered is a value that a source gave.
func answered(v float64) float64 {
	if math.IsNaN(v) {
		return undefined
	}
	return v
}

// trouble is why an answer could not be counted.
type trouble string

// The troubles.
const (
	fine          trouble = ""
	notANumber    trouble = "not_a_number"
	infinite      trouble = "infinite"
	negativeTotal trouble = "negative_total"
	negativePart  trouble = "negative_part"
	goodAbove     trouble = "good_above_total"
	badAbove      trouble = "bad_above_total"
	ratioOutside  trouble = "ratio_outside"
	noBucket      trouble = "no_bucket"

	sourcesDisagree trouble = "sources_disagree"
)

var troubleAbove = map[string]trouble{"good": goodAbove, "bad": badAbove}

// uncountable names what cannot be a number of events.
func uncountable(field string, v float64) trouble {
	switch {
	case missing(v):
		return fine
	case math.IsNaN(v):
		return notANumber
	case math.IsInf(v, 0) || v > math.MaxFloat32:
		return infinite
	case v < 0 && field == "total":
		return negativeTotal
	case v < 0:
		return negativePart
	}
	return fine
}

// Say tells a person what is wrong and what mends it.
func (t trouble) Say() text.Both {
	switch t {
	case notANumber:
		return text.Say("an expression gives NaN, which counts nothing: leave the division to Teiten and give good and total on their own, or write `… or vector(0)`",
			"式の値が NaN のため数えられません。割り算は式に書かず good と total を別々に指定するか、`… or vector(0)` を付けてください")
	case infinite:
		return text.Say("an expression gives infinity or more than can be counted: do not divide by something that may be 0",
			"式の値が無限大か、数えられる大きさを超えています。0になりうる値で割らないでください")
	case negativeTotal:
		return text.Say("total is negative, and a number of events cannot be: with a counter, write the counter itself with `counter: true`; otherwise do not subtract",
			"total が負の数です。イベント数は負になりません。カウンターなら `counter: true` としてカウンターそのものを書き、そうでなければ引き算をやめてください")
	case negativePart:
		return text.Say("good or bad is negative, and a number of events cannot be: with a counter, write the counter itself with `counter: true`; otherwise do not subtract",
			"good または bad が負の数です。イベント数は負になりません。カウンターなら `counter: true` としてカウンターそのものを書き、そうでなければ引き算をやめてください")
	case goodAbove:
		return text.Say("there are more good events than events: check that good selects a part of what total selects, and that the two are not swapped",
			"良いイベントが全イベントより多くなっています。good が total の一部を選んでいるか、逆になっていないかを確かめてください")
	case badAbove:
		return text.Say("there are more bad events than events: check that bad selects a part of what total selects, and that the two are not swapped",
			"不良イベントが全イベントより多くなっています。bad が total の一部を選んでいるか、逆になっていないかを確かめてください")
	case ratioOutside:
		return text.Say("the raw ratio is not between 0 and 1: divide a percentage by 100, or give good and total instead",
			"比率(raw)が0から1の間にありません。百分率なら100で割るか、代わりに good と total を指定してください")
	case sourcesDisagree:
		return text.Say("total and the other part come from two data sources, and what they say does not fit: one has events where the other has none, or fewer; read both from one source, or mend the one that lacks data",
			"total ともう一方を別々のデータソースから読んでいますが、内容が食い違っています(一方にあるイベントが他方にないか、少なくなっています)。両方を同じデータソースから読むか、データの欠けている方を直してください")
	case noBucket:
		return text.Say("the histogram has no bucket with the boundary (le) that good selects: choose a boundary that it has, written as the source writes it (1 is \"1.0\" in newer ones); between boundaries nothing is known",
			"good が選ぶ境界(le)のバケットがヒストグラムにありません。実在する境界を、データソースの表記どおりに指定してください(新しい版では 1 は \"1.0\" です)。境界と境界の間の値は分かりません")
	}
	return text.Both{}
}

package promexpr

import (
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Sum is an expression as a sum of counters: what is left of PromQL where events
// are counted from raw samples. A counter that does not exist counts nothing, so
// that sum(total) - sum(errors) is the total where there never was an error.
type Sum struct {
	Terms []Term
	// By are the labels by which the expression itself keeps its results apart.
	By []string
	// One says that the expression stands for one series and does not add several
	// up: a selector without sum(…), or sum by (…). Several at once are a mistake.
	One bool
	// AllLabels says that One is about whole series: nothing aggregates them.
	AllLabels bool
}

// Term is one selector of a sum.
type Term struct {
	Weight   float64 // 1 or -1, or what the expression multiplies with
	Matchers []*labels.Matcher
	// Of is what is counted of the selected series' samples.
	Of Observed
}

// maxTerms bounds how many selectors an expression may be added up from.
const maxTerms = 64

// Countable reports whether the expression is a sum of bare counters, so that
// its increases can be counted from raw samples: selectors under sum, sum by,
// histogram_count, or histogram_fraction times histogram_count, with +, −, a
// factor, parentheses and "or vector(0)".
func Countable(expr string) bool {
	_, err := Count(expr)
	return err == nil
}

// Count reads an expression as a sum of counters. It returns an Invalid fault
// with the position of what is none.
func Count(expr string) (Sum, error) {
	tree, err := parse(expr)
	if err != nil {
		return Sum{}, err
	}
	c := counter{expr: expr}
	s, ok := c.sum(tree)
	if !ok {
		return Sum{}, c.fault
	}
	s.Terms = slices.DeleteFunc(s.Terms, func(t Term) bool { return t.Weight == 0 })
	if len(s.Terms) == 0 || len(s.Terms) > maxTerms {
		c.refuse(tree)
		return Sum{}, c.fault
	}
	return s, nil
}

// counter reads one expression and remembers the first thing that is no sum.
type counter struct {
	expr  string
	fault *fault.Error
}

func (c *counter) refuse(n parser.Node) (Sum, bool) {
	if c.fault == nil {
		what := c.expr
		at := n.PositionRange()
		if int(at.Start) < len(what) && at.Start < at.End && int(at.End) <= len(what) {
			what = what[at.Start:at.End]
		}
		c.fault = wrong(c.expr, at.Start, text.Say(
			"%s cannot be counted from raw samples", "%s は生のサンプルから数えられません", clip(what)))
		c.fault.Code = "metrics.not_countable"
		c.fault = c.fault.Fix(text.Say("write sums of counters, such as sum(requests_total{code=~\"5..\"})",
			"sum(requests_total{code=~\"5..\"}) のようなカウンターの合計で書いてください"))
	}
	return Sum{}, false
}

func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}

// sum reads a node.
func (c *counter) sum(n parser.Expr) (Sum, bool) {
	switch n := n.(type) {
	case *parser.ParenExpr:
		return c.sum(n.Expr)
	case *parser.StepInvariantExpr:
		return c.sum(n.Expr)
	case *parser.VectorSelector:
		return c.selector(n)
	case *parser.AggregateExpr:
		return c.aggregate(n)
	case *parser.UnaryExpr:
		s, ok := c.sum(n.Expr)
		if ok && n.Op == parser.SUB {
			s.scale(-1)
		}
		return s, ok
	case *parser.Call:
		return c.call(n)
	case *parser.BinaryExpr:
		return c.binary(n)
	}
	return c.refuse(n)
}

func (c *counter) selector(n *parser.VectorSelector) (Sum, bool) {
	if n.OriginalOffset != 0 || n.OriginalOffsetExpr != nil || n.Timestamp != nil || n.StartOrEnd != 0 || n.Anchored || n.Smoothed {
		return c.refuse(n)
	}
	return Sum{Terms: []Term{{Weight: 1, Matchers: n.LabelMatchers}}, One: true, AllLabels: true}, true
}

// aggregate reads sum and sum by. What is already apart by labels is put
// together again by those that both keep.
func (c *counter) aggregate(n *parser.AggregateExpr) (Sum, bool) {
	if n.Op != parser.SUM || n.Without {
		return c.refuse(n)
	}
	s, ok := c.sum(n.Expr)
	if !ok {
		return s, false
	}
	by := slices.Clone(n.Grouping)
	slices.Sort(by)
	by = slices.Compact(by)
	if !s.AllLabels {
		by = slices.DeleteFunc(by, func(l string) bool { return !slices.Contains(s.By, l) })
	}
	s.By, s.One, s.AllLabels = by, len(by) > 0, false
	return s, true
}

// call reads functions that leave a count what it is.
func (c *counter) call(n *parser.Call) (Sum, bool) {
	if n.Func.Name != "histogram_count" || len(n.Args) != 1 {
		return c.refuse(n)
	}
	s, ok := c.sum(n.Args[0])
	for i := range s.Terms {
		if s.Terms[i].Of != (Observed{}) {
			return c.refuse(n)
		}
		s.Terms[i].Of = Observed{Histogram: true}
	}
	return s, ok
}

func (c *counter) binary(n *parser.BinaryExpr) (Sum, bool) {
	if f, ok := number(n.RHS); ok && (n.Op == parser.MUL || n.Op == parser.DIV) {
		s, ok := c.sum(n.LHS)
		if n.Op == parser.DIV {
			f = 1 / f
		}
		return c.scaled(n, s, ok, f)
	}
	if f, ok := number(n.LHS); ok && n.Op == parser.MUL {
		s, ok := c.sum(n.RHS)
		return c.scaled(n, s, ok, f)
	}
	if n.Op == parser.LOR && isZero(n.RHS) {
		return c.sum(n.LHS)
	}
	if s, ok := c.below(n); ok {
		return s, true
	}
	if n.Op != parser.ADD && n.Op != parser.SUB || !plain(n.VectorMatching) {
		return c.refuse(n)
	}
	return c.added(n)
}

// added is the sum or the difference of two.
func (c *counter) added(n *parser.BinaryExpr) (Sum, bool) {
	left, ok := c.sum(n.LHS)
	if !ok {
		return left, false
	}
	right, ok := c.sum(n.RHS)
	if !ok {
		return right, false
	}
	// Whole series meet only where all their labels are equal; what is added up
	// here would be more.
	if left.AllLabels || right.AllLabels || !slices.Equal(left.By, right.By) {
		return c.refuse(n)
	}
	if n.Op == parser.SUB {
		right.scale(-1)
	}
	left.Terms = append(left.Terms, right.Terms...)
	return left, true
}

func (c *counter) scaled(n parser.Node, s Sum, ok bool, by float64) (Sum, bool) {
	if ok && by-by != 0 { // infinite, or no number
		return c.refuse(n)
	}
	if ok {
		s.scale(by)
	}
	return s, ok
}

func (s *Sum) scale(by float64) {
	for i := range s.Terms {
		s.Terms[i].Weight *= by
	}
}

// plain reports whether operands meet without on, ignoring, group or fill.
func plain(m *parser.VectorMatching) bool {
	return m == nil || (m.Card == parser.CardOneToOne && !m.On && len(m.MatchingLabels) == 0 && len(m.Include) == 0 &&
		m.FillValues.LHS == nil && m.FillValues.RHS == nil)
}

// number is the value of a literal.
func number(n parser.Expr) (float64, bool) {
	switch n := n.(type) {
	case *parser.NumberLiteral:
		return n.Val, true
	case *parser.ParenExpr:
		return number(n.Expr)
	case *parser.StepInvariantExpr:
		return number(n.Expr)
	case *parser.UnaryExpr:
		v, ok := number(n.Expr)
		if n.Op == parser.SUB {
			v = -v
		}
		return v, ok
	}
	return 0, false
}

// isZero reports whether an operand of "or" only says that nothing counts 0.
func isZero(n parser.Expr) bool {
	switch n := n.(type) {
	case *parser.ParenExpr:
		return isZero(n.Expr)
	case *parser.StepInvariantExpr:
		return isZero(n.Expr)
	case *parser.Call:
		if n.Func.Name == "vector" && len(n.Args) == 1 {
			v, ok := number(n.Args[0])
			return ok && v == 0
		}
	}
	return false
}

// Metric is the name of the metric that the term selects, and empty where it is
// picked by a pattern.
func (t Term) Metric() string {
	for _, m := range t.Matchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return ""
}

// String writes the term's selector.
func (t Term) String() string {
	s := &parser.VectorSelector{LabelMatchers: t.Matchers}
	if name := t.Metric(); model.LegacyValidation.IsValidMetricName(name) {
		s.Name = name
	}
	return t.Of.of(s.String())
}

package promexpr

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Observed says what of a sample is counted: its value or, of a native
// histogram, how many observations it holds.
type Observed struct {
	Histogram bool
	Bounded   bool    // only observations from 0 up to UpTo
	UpTo      float64 // of no meaning where they are not bounded
}

// below reads histogram_fraction(0, u, x) * histogram_count(x), in either order:
// the observations of x up to u.
func (c *counter) below(n *parser.BinaryExpr) (Sum, bool) {
	fraction, histogram := fractionOf(n.LHS), countOf(n.RHS)
	if fraction == nil {
		fraction, histogram = fractionOf(n.RHS), countOf(n.LHS)
	}
	if fraction == nil || histogram == nil || n.Op != parser.MUL || !plain(n.VectorMatching) ||
		fraction.Args[2].String() != histogram.String() {
		return Sum{}, false
	}
	lower, ok := number(fraction.Args[0])
	upper, isNumber := number(fraction.Args[1])
	if !ok || !isNumber || lower != 0 || !(upper > 0) || math.IsInf(upper, 0) {
		return Sum{}, false
	}
	s, ok := c.sum(histogram)
	for i := range s.Terms {
		if s.Terms[i].Of != (Observed{}) {
			return Sum{}, false
		}
		s.Terms[i].Of = Observed{Histogram: true, Bounded: true, UpTo: upper}
	}
	return s, ok
}

// fractionOf is the call of histogram_fraction that a node is, and nil of others.
func fractionOf(n parser.Expr) *parser.Call {
	if call, ok := unwrapped(n).(*parser.Call); ok && call.Func.Name == "histogram_fraction" && len(call.Args) == 3 {
		return call
	}
	return nil
}

// countOf is the histogram whose observations a node counts, and nil of others.
func countOf(n parser.Expr) parser.Expr {
	if call, ok := unwrapped(n).(*parser.Call); ok && call.Func.Name == "histogram_count" && len(call.Args) == 1 {
		return call.Args[0]
	}
	return nil
}

// unwrapped takes parentheses off.
func unwrapped(n parser.Expr) parser.Expr {
	for {
		switch x := n.(type) {
		case *parser.ParenExpr:
			n = x.Expr
		case *parser.StepInvariantExpr:
			n = x.Expr
		default:
			return n
		}
	}
}

// of writes what is counted of a selector.
func (o Observed) of(selector string) string {
	switch {
	case o.Bounded:
		return fmt.Sprintf("(histogram_fraction(0, %s, %s) * histogram_count(%[2]s))", strconv.FormatFloat(o.UpTo, 'g', -1, 64), selector)
	case o.Histogram:
		return fmt.Sprintf("histogram_count(%s)", selector)
	}
	return selector
}

// Interpolated rewrites an expression over bare counters so that thresholds which
// lie between the boundaries of a histogram's buckets are estimated, as though
// observations were spread evenly within a bucket: sum(x_bucket{le="0.3"}) of a
// classic histogram, and histogram_fraction(0, 0.3, x) * histogram_count(x) of a
// native one. At a boundary both are what they were. Where nothing was observed
// they are 0 rather than NaN. It reports whether there was anything of that kind.
func Interpolated(expr string) (string, bool, error) {
	tree, err := parse(expr)
	if err != nil {
		return "", false, err
	}
	was := tree.String()
	is := interpolate(tree).String()
	return is, is != was, nil
}

func interpolate(n parser.Expr) parser.Expr {
	switch n := n.(type) {
	case *parser.ParenExpr:
		n.Expr = interpolate(n.Expr)
	case *parser.UnaryExpr:
		n.Expr = interpolate(n.Expr)
	case *parser.StepInvariantExpr:
		n.Expr = interpolate(n.Expr)
	case *parser.BinaryExpr:
		for _, histogram := range []parser.Expr{countOf(n.LHS), countOf(n.RHS)} {
			if n.Op == parser.MUL && histogram != nil && (fractionOf(n.LHS) != nil || fractionOf(n.RHS) != nil) {
				return orNothing(n.String(), fmt.Sprintf("histogram_count(%s)", histogram))
			}
		}
		n.LHS, n.RHS = interpolate(n.LHS), interpolate(n.RHS)
	case *parser.AggregateExpr:
		if x := interpolatedBucket(n); x != nil {
			return x
		}
		n.Expr = interpolate(n.Expr)
	}
	return n
}

// interpolatedBucket is the sum of one bucket, which there need not be, as a
// fraction of all observations; nil for another aggregation.
func interpolatedBucket(n *parser.AggregateExpr) parser.Expr {
	s, ok := unwrapped(n.Expr).(*parser.VectorSelector)
	if !ok || n.Op != parser.SUM || n.Without || len(n.Grouping) > 0 {
		return nil
	}
	le, rest := "", []*labels.Matcher{}
	for _, m := range s.LabelMatchers {
		if m.Name == labels.BucketLabel && m.Type == labels.MatchEqual {
			le = m.Value
			continue
		}
		rest = append(rest, m)
	}
	bound, err := strconv.ParseFloat(le, 64)
	if err != nil || math.IsInf(bound, 0) {
		return nil
	}
	all := *s
	all.LabelMatchers = rest
	whole := *s
	whole.LabelMatchers = append(slices.Clone(rest), labels.MustNewMatcher(labels.MatchEqual, labels.BucketLabel, "+Inf"))
	count := fmt.Sprintf("sum(%s)", &whole)
	return orNothing(fmt.Sprintf("histogram_fraction(-Inf, %s, sum by (le) (%s)) * %s", le, &all, count), count)
}

// orNothing is an expression that is NaN where nothing was counted, as 0.
func orNothing(expr, count string) parser.Expr {
	tree, err := parse(fmt.Sprintf("((%s) >= 0 or %s * 0)", expr, count))
	if err != nil {
		panic(err) // it is put together from what was parsed
	}
	return tree
}

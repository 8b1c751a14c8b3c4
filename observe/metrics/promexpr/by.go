package promexpr

import (
	"slices"

	"github.com/prometheus/prometheus/promql/parser"
)

// ApartBy rewrites an expression so that it answers one series for each combination
// of values of labels, each with what Narrow would have it answer for these values:
// every aggregation keeps the labels, and operands meet by them. It reports false
// where that cannot be had by rewriting: where a function makes series of nothing
// or changes the labels, or a scalar is made of a vector.
func ApartBy(expr string, by []string) (string, bool) {
	tree, err := parse(expr)
	if err != nil {
		return "", false
	}
	possible := true
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.AggregateExpr:
			n.Grouping = kept(n.Grouping, by, !n.Without)
			possible = possible && n.Op != parser.COUNT_VALUES
		case *parser.BinaryExpr:
			if m := n.VectorMatching; m != nil {
				m.MatchingLabels = kept(m.MatchingLabels, by, m.On)
				possible = possible && m.FillValues.LHS == nil && m.FillValues.RHS == nil
			}
		case *parser.Call:
			possible = possible && !slices.Contains(notApart, n.Func.Name)
		}
		return nil
	})
	return tree.String(), possible
}

// notApart are the functions that ApartBy cannot see through.
var notApart = []string{"absent", "absent_over_time", "scalar", "vector", "label_replace", "label_join", "info"}

// kept are the labels of a clause that names those to keep, or else those to drop,
// so that others stay.
func kept(clause, others []string, keep bool) []string {
	clause = slices.DeleteFunc(slices.Clone(clause), func(name string) bool { return slices.Contains(others, name) })
	if keep {
		clause = append(clause, others...)
	}
	return clause
}

package promexpr

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Narrow returns the expression with every selector narrowed to series that have
// these values of labels. An empty value selects series without the label. Errors
// are those of Check.
func Narrow(expr string, names, values []string) (string, error) {
	tree, err := parse(expr)
	if err != nil {
		return "", err
	}
	eachSelector(tree, func(s *parser.VectorSelector) {
		for i, name := range names {
			m := labels.MustNewMatcher(labels.MatchEqual, name, values[i])
			same := func(o *labels.Matcher) bool { return o.Type == m.Type && o.Name == m.Name && o.Value == m.Value }
			if !slices.ContainsFunc(s.LabelMatchers, same) {
				s.LabelMatchers = append(s.LabelMatchers, m)
			}
		}
	})
	return tree.String(), nil
}

// Present is an expression that has one series for each combination of values of
// labels that the selectors of another expression find. Errors are those of Check,
// and that it selects nothing.
func Present(expr string, by []string) (string, error) {
	tree, err := parse(expr)
	if err != nil {
		return "", err
	}
	var found parser.Expr
	eachSelector(tree, func(s *parser.VectorSelector) {
		alone := &parser.VectorSelector{Name: s.Name, LabelMatchers: s.LabelMatchers}
		if found == nil {
			found = alone
			return
		}
		found = &parser.BinaryExpr{Op: parser.LOR, LHS: found, RHS: alone,
			VectorMatching: &parser.VectorMatching{Card: parser.CardManyToMany}}
	})
	if found == nil {
		return "", fault.New(fault.Invalid, "metrics.constant", text.Say(
			"the expression reads no series", "式がどの系列も参照していません")).
			Fix(text.Say("select the series to count", "数える系列を選択してください"))
	}
	return (&parser.AggregateExpr{Op: parser.GROUP, Expr: found, Grouping: by}).String(), nil
}

func eachSelector(tree parser.Expr, do func(*parser.VectorSelector)) {
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			do(s)
		}
		return nil
	})
}

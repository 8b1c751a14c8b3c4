package promexpr

import "github.com/prometheus/prometheus/promql/parser"

// Whole is an expression taken apart into what it puts together.
type Whole struct {
	// Op is how: sum, count, avg, min, max or group; empty where the expression
	// puts nothing together.
	Op string
	// Parts is the expression whose series are put together.
	Parts string
}

// Apart takes off the outermost aggregation of an expression, with its
// parentheses and "or vector(0)". Labels of the parts say what the expression
// itself does not tell apart. It reports false for an expression that does not
// parse, and for aggregations that name some series only, such as topk.
func Apart(expr string) (Whole, bool) {
	tree, err := parse(expr)
	if err != nil {
		return Whole{}, false
	}
	for {
		switch n := tree.(type) {
		case *parser.ParenExpr:
			tree = n.Expr
			continue
		case *parser.StepInvariantExpr:
			tree = n.Expr
			continue
		case *parser.BinaryExpr:
			if n.Op == parser.LOR && isZero(n.RHS) {
				tree = n.LHS
				continue
			}
		case *parser.AggregateExpr:
			if n.Param != nil {
				return Whole{}, false
			}
			switch n.Op {
			case parser.SUM, parser.COUNT, parser.AVG, parser.MIN, parser.MAX, parser.GROUP:
				return Whole{Op: n.Op.String(), Parts: n.Expr.String()}, true
			}
			return Whole{}, false
		case *parser.NumberLiteral, *parser.StringLiteral:
			return Whole{}, false
		}
		return Whole{Parts: tree.String()}, true
	}
}

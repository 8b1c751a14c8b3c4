package promexpr

import (
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// Bare is the way back from IncreaseOver: it takes rate(x[w]) and increase(x[w])
// out of an expression, where w is the given window, and leaves the counters
// alone. It reports false, and the expression means nothing, where something else
// looks at a range, where the two functions are mixed (their sum would have no
// unit), or where what is left is no sum of counters.
func Bare(expr string, window time.Duration) (string, bool) {
	tree, err := parse(expr)
	if err != nil {
		return "", false
	}
	b := barer{window: window, functions: map[string]bool{}}
	tree = b.strip(tree)
	bare := tree.String()
	if b.failed || len(b.functions) != 1 || !Countable(bare) {
		return "", false
	}
	return bare, true
}

type barer struct {
	window    time.Duration
	functions map[string]bool
	failed    bool
}

// strip returns the node without the functions that Bare takes out.
func (b *barer) strip(n parser.Expr) parser.Expr {
	switch n := n.(type) {
	case *parser.ParenExpr:
		n.Expr = b.strip(n.Expr)
	case *parser.UnaryExpr:
		n.Expr = b.strip(n.Expr)
	case *parser.BinaryExpr:
		n.LHS, n.RHS = b.strip(n.LHS), b.strip(n.RHS)
	case *parser.AggregateExpr:
		n.Expr = b.strip(n.Expr)
	case *parser.StepInvariantExpr:
		n.Expr = b.strip(n.Expr)
	case *parser.Call:
		return b.call(n)
	case *parser.VectorSelector: // a bare one beside the others counts something else
		b.failed = true
	}
	return n
}

func (b *barer) call(n *parser.Call) parser.Expr {
	if n.Func.Name != "rate" && n.Func.Name != "increase" {
		for i, a := range n.Args {
			n.Args[i] = b.strip(a)
		}
		return n
	}
	m, ok := n.Args[0].(*parser.MatrixSelector)
	if !ok || m.Range != b.window {
		b.failed = true
		return n
	}
	b.functions[n.Func.Name] = true
	return m.VectorSelector
}

// Seconds reads a duration as PromQL writes it, such as 1h30m or 500ms.
func Seconds(s string) (float64, bool) {
	d, err := model.ParseDuration(s)
	return time.Duration(d).Seconds(), err == nil && d > 0
}

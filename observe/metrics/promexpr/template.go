package promexpr

import (
	"regexp"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// placeholder is how generators of rules leave the window of a rate open.
var placeholder = regexp.MustCompile(`\{\{\s*\.window\s*\}\}`)

// stand is the range that stands in for the placeholder while an expression is
// parsed: long, and no one's choice.
const stand = 7_919_017 * time.Second

// rates are the functions over a range whose ratio is that of the increases.
var rates = []string{"rate", "increase"}

// Templated reports whether the expression leaves a window open, as
// sum(rate(x[{{.window}}])).
func Templated(expr string) bool { return placeholder.MatchString(expr) }

// Closed is the expression with its open windows as long as given, in Prometheus'
// spelling.
func Closed(expr, window string) string { return placeholder.ReplaceAllString(expr, window) }

// Counters takes the rates over an open window off an expression and leaves the
// counters: sum(rate(x[{{.window}}])) becomes sum(x), whose increase can be taken
// over any window. An open window anywhere else is an Invalid fault.
func Counters(expr string) (string, error) {
	tree, err := parse(placeholder.ReplaceAllString(expr, "7919017s"))
	if err != nil {
		return "", err
	}
	tree = bare(tree)
	left := false
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		switch n := n.(type) {
		case *parser.MatrixSelector:
			left = left || n.Range == stand
		case *parser.SubqueryExpr:
			left = left || n.Range == stand || n.Step == stand
		}
		return nil
	})
	if left {
		return "", fault.New(fault.Invalid, "metrics.window_open", text.Say(
			"the window {{.window}} stands where no rate is taken", "{{.window}} が rate() 以外の場所にあります")).
			Fix(text.Say("write the counter itself, as in sum(http_requests_total), with counter: true",
				"counter: true とし、sum(http_requests_total) のようにカウンターそのものを書いてください"))
	}
	return tree.String(), nil
}

// bare returns the node with the rates over the stand-in below it replaced by
// their selectors.
func bare(n parser.Expr) parser.Expr {
	switch n := n.(type) {
	case *parser.ParenExpr:
		n.Expr = bare(n.Expr)
	case *parser.UnaryExpr:
		n.Expr = bare(n.Expr)
	case *parser.StepInvariantExpr:
		n.Expr = bare(n.Expr)
	case *parser.BinaryExpr:
		n.LHS, n.RHS = bare(n.LHS), bare(n.RHS)
	case *parser.AggregateExpr:
		n.Expr = bare(n.Expr)
	case *parser.Call:
		if m, ok := rateOver(n); ok && m.Range == stand {
			return m.VectorSelector
		}
		for i, a := range n.Args {
			n.Args[i] = bare(a)
		}
	}
	return n
}

func rateOver(c *parser.Call) (*parser.MatrixSelector, bool) {
	if !slices.Contains(rates, c.Func.Name) || len(c.Args) != 1 {
		return nil, false
	}
	m, ok := c.Args[0].(*parser.MatrixSelector)
	return m, ok
}

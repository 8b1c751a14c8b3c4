package promexpr

import (
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// rawFunctions are functions whose result depends on the raw samples of a
// counter and would say something else of its increase.
var rawFunctions = []string{"timestamp", "start_timestamp", "absent"}

// IncreaseOver rewrites an expression over counters into the same expression
// over the increases of these counters in the window w that ends at each moment
// of evaluation: every bare selector x becomes increase(x[w]). Offset and @ stay
// with their selector. The result always parses.
//
// With anchored, increases are exact: increase(x[w] anchored), for sources whose
// Querier says so. Evaluated every w, each event is then counted exactly once.
//
// Without it, Prometheus estimates the increase from the samples inside the
// window and needs two of them, so that w may have to be several times as long
// as the step of evaluation. The increase is therefore divided by w/every:
// evaluated at every step, each event is counted once in total, spread evenly
// over w. With every 0, or not less than w, nothing is divided.
//
// A selector that already stands in a range vector or a subquery, as in
// rate(x[5m]), is an Invalid fault with the selector's position: an increase of
// it would count events twice or not at all.
func IncreaseOver(expr string, w time.Duration, anchored bool, every time.Duration) (string, error) {
	if w < time.Millisecond {
		return "", fault.New(fault.Invalid, "metrics.window", text.Say(
			"the window %s is too short", "期間 %s は短すぎます", w))
	}
	tree, err := parse(expr)
	if err != nil {
		return "", err
	}
	r := rewriter{expr: expr, window: w, anchored: anchored, divisor: 1}
	if !anchored && every > 0 && every < w {
		r.divisor = float64(w) / float64(every)
	}
	tree = r.rewrite(tree)
	if len(r.faults) > 0 {
		return "", fault.Join(r.faults)
	}
	return tree.String(), nil
}

// rewriter replaces the bare selectors of one expression.
type rewriter struct {
	expr     string
	window   time.Duration
	anchored bool
	divisor  float64
	faults   []*fault.Error
}

// rewrite returns the node with all bare selectors below it replaced.
func (r *rewriter) rewrite(n parser.Expr) parser.Expr {
	switch n := n.(type) {
	case *parser.VectorSelector:
		return r.increase(n)
	case *parser.ParenExpr:
		n.Expr = r.rewrite(n.Expr)
	case *parser.UnaryExpr:
		n.Expr = r.rewrite(n.Expr)
	case *parser.StepInvariantExpr:
		n.Expr = r.rewrite(n.Expr)
	case *parser.BinaryExpr:
		n.LHS, n.RHS = r.rewrite(n.LHS), r.rewrite(n.RHS)
	case *parser.AggregateExpr:
		n.Expr = r.rewrite(n.Expr)
		if n.Param != nil {
			n.Param = r.rewrite(n.Param)
		}
	case *parser.Call:
		r.rewriteCall(n)
	case *parser.MatrixSelector:
		r.refuse(n.PositionRange(), alreadyRange)
	case *parser.SubqueryExpr:
		r.refuse(n.PositionRange(), alreadyRange)
	}
	return n
}

func (r *rewriter) rewriteCall(n *parser.Call) {
	if slices.Contains(rawFunctions, n.Func.Name) {
		r.refuse(n.PositionRange(), text.Say(
			"%s() looks at the counter itself and cannot be taken of its increase",
			"%s() はカウンターそのものを見る関数のため、増分に対しては使えません", n.Func.Name))
		return
	}
	for i, a := range n.Args {
		if n.Func.Name == "info" && i == 1 {
			continue // names labels, selects no counter
		}
		if m, ok := a.(*parser.MatrixSelector); ok {
			r.refuse(m.PositionRange(), text.Say(
				"the selector already stands in %s()", "セレクターがすでに %s() の中にあります", n.Func.Name))
			continue
		}
		n.Args[i] = r.rewrite(a)
	}
}

var alreadyRange = text.Say("the selector already has a range", "セレクターにすでに範囲が指定されています")

func (r *rewriter) refuse(at posrange.PositionRange, what text.Both) {
	line, column := lineColumn(r.expr, int(at.Start))
	r.faults = append(r.faults, fault.New(fault.Invalid, "metrics.not_a_counter", what).
		At(fault.Position{Line: line, Column: column}).
		Fix(text.Say(
			"with counter: true, write the counter alone, without rate(), increase() or a range: sum(http_requests_total); or set counter: false",
			"counter: true の場合は rate() や increase()、範囲指定を付けず、sum(http_requests_total) のようにカウンターだけを書いてください。または counter: false にしてください")))
}

// increase returns increase(selector[window]), divided where events would be
// counted in several windows.
func (r *rewriter) increase(s *parser.VectorSelector) parser.Expr {
	if s.Anchored || s.Smoothed {
		r.refuse(s.PositionRange(), text.Say(
			"the selector already has a modifier for ranges", "セレクターにすでに範囲用の修飾子が付いています"))
		return s
	}
	s.Anchored = r.anchored
	call := &parser.Call{
		Func: parser.Functions["increase"],
		Args: parser.Expressions{&parser.MatrixSelector{VectorSelector: s, Range: r.window}},
	}
	if r.divisor == 1 {
		return call
	}
	return &parser.ParenExpr{Expr: &parser.BinaryExpr{
		Op: parser.DIV, LHS: call, RHS: &parser.NumberLiteral{Val: r.divisor},
	}}
}

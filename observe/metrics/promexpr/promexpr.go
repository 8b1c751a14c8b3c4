// Package promexpr reads and rewrites PromQL expressions on their syntax tree.
//
// It parses with Prometheus' own parser, says where an expression is wrong in
// both languages, and takes increases of counters inside an expression. It never
// edits text, evaluates nothing and does no I/O.
package promexpr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// MaxLength is how many bytes an expression may have. It keeps the depth of the
// syntax tree, and with it the memory that an expression can ask for, small.
const MaxLength = 32 << 10

// Options is the language that this package and the embedded store understand:
// PromQL with the extended range selectors (anchored, smoothed) that give exact
// increases. Expressions for remote servers are read with it too; whether such a
// server knows a younger feature is for that server to say.
var Options = parser.Options{
	EnableExperimentalFunctions:  true,
	EnableExtendedRangeSelectors: true,
	EnableBinopFillModifiers:     true,
}

var language = parser.NewParser(Options)

// Check returns nil where expr can be evaluated to numbers, and otherwise an
// Invalid fault with the code "metrics.promql", whose position is the line and
// column within expr.
func Check(expr string) error {
	_, err := parse(expr)
	return err
}

// Metrics returns the names of the metrics that the expression reads, sorted. A
// selector that picks its metric by a pattern contributes the pattern.
func Metrics(expr string) ([]string, error) {
	tree, err := parse(expr)
	if err != nil {
		return nil, err
	}
	var names []string
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok {
			for _, m := range s.LabelMatchers {
				if m.Name == model.MetricNameLabel {
					names = append(names, m.Value)
				}
			}
		}
		return nil
	})
	return unique(names, ""), nil
}

func unique(names []string, without string) []string {
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(n string) bool { return n == without })
}

// parse returns the syntax tree of an expression that evaluates to an instant
// vector or a scalar.
func parse(expr string) (tree parser.Expr, err error) {
	if len(expr) > MaxLength {
		return nil, fault.New(fault.Invalid, "metrics.promql_long", text.Say(
			"the expression has %d bytes; at most %d are accepted",
			"式が長すぎます（%dバイト、上限は%dバイト）", len(expr), MaxLength)).
			Fix(text.Say("record the inner parts with recording rules and select their results",
				"内側の部分をレコーディングルールにして、その結果を参照してください"))
	}
	if !utf8.ValidString(expr) {
		return nil, wrong(expr, 0, text.Say("the expression is not valid UTF-8", "式が正しいUTF-8ではありません"))
	}
	if strings.TrimSpace(expr) == "" {
		return nil, wrong(expr, 0, text.Say("the expression is empty", "式が空です")).
			Fix(text.Say("write a PromQL expression", "PromQLの式を書いてください"))
	}
	// The parser recovers from its own panics except runtime errors, which it
	// passes on: what a user wrote must not end the process.
	defer func() {
		if p := recover(); p != nil {
			tree, err = nil, wrong(expr, 0, text.Say("the expression cannot be parsed", "式を解釈できません")).
				Wrap(fmt.Errorf("PromQL parser: %v", p))
		}
	}()
	tree, err = language.ParseExpr(expr)
	if err != nil {
		return nil, syntaxFault(expr, err)
	}
	switch tree.Type() {
	case parser.ValueTypeVector, parser.ValueTypeScalar:
		return tree, nil
	case parser.ValueTypeMatrix:
		return nil, wrong(expr, tree.PositionRange().Start, text.Say(
			"the expression is a range of samples, not a value at each moment",
			"式が範囲ベクトルになっています。各時点の値になる式が必要です")).
			Fix(text.Say("put it into a function such as increase(…) or max_over_time(…), or remove the range [ ]",
				"increase(…) や max_over_time(…) などの関数に渡すか、範囲指定 [ ] を外してください"))
	}
	return nil, wrong(expr, tree.PositionRange().Start, text.Say(
		"the expression is text, not a number", "式が数値ではなく文字列です"))
}

// Selector reads the matchers of a selector such as up{job="shop"}. Errors are
// as those of Check.
func Selector(expr string) ([]*labels.Matcher, error) {
	tree, err := parse(expr)
	if err != nil {
		return nil, err
	}
	s, ok := tree.(*parser.VectorSelector)
	if !ok {
		return nil, wrong(expr, tree.PositionRange().Start, text.Say("the expression is not a selector", "セレクターではありません")).
			Fix(text.Say(`write a metric with labels, such as up{job="shop"}`, `up{job="shop"} のように書いてください`))
	}
	return s.LabelMatchers, nil
}

// wrong is a fault at a byte position of the expression.
func wrong(expr string, at posrange.Pos, what text.Both) *fault.Error {
	line, column := lineColumn(expr, int(at))
	return fault.New(fault.Invalid, "metrics.promql", what).
		At(fault.Position{Line: line, Column: column})
}

// lineColumn turns a byte offset into a line and a column, both from 1; columns
// count characters, as editors do.
func lineColumn(expr string, offset int) (line, column int) {
	offset = min(max(offset, 0), len(expr))
	before := expr[:offset]
	line = 1 + strings.Count(before, "\n")
	column = 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return line, column
}

// syntaxFault turns the parser's errors into one fault; of several, the first
// is shown, because the others usually follow from it.
func syntaxFault(expr string, err error) *fault.Error {
	var several parser.ParseErrors
	var one *parser.ParseErr
	switch {
	case errors.As(err, &several) && len(several) > 0:
		one = &several[0]
	case errors.As(err, &one):
	default:
		return wrong(expr, 0, text.Say("PromQL: %s", "PromQLの誤り: %s", err.Error()))
	}
	return wrong(expr, one.PositionRange.Start, explain(one.Err.Error()))
}

package promexpr

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

func TestCheckSaysWhereAnExpressionIsWrong(t *testing.T) {
	for _, c := range []struct {
		expr, en, ja string
		line, column int
	}{
		{"sum(rate(x[5m])", "unclosed left parenthesis", "閉じられていません", 1, 16},
		{"sum(\n  rate(x[5m]) + )", "unexpected", "予期しない", 2, 17},
		{`up{job="a}`, "unterminated quoted string", "引用符", 1, 8},
		{"ratee(x[5m])", "unknown function", "関数 ratee はありません", 1, 1},
		{"rate(x)", "expected type range vector", "range vector が必要", 1, 6},
		{"x[5m]", "range of samples", "範囲ベクトル", 1, 1},
		{`"text"`, "text, not a number", "文字列", 1, 1},
		{"", "empty", "空です", 1, 1},
		{"# only a comment\n", "no expression", "式がありません", 1, 1},
		{"{}", "non-empty matcher", "空でない条件", 1, 1},
		{"up\xff", "UTF-8", "UTF-8", 1, 1},
		{"sum(売上 + )", "PromQL", "PromQL", 1, 5},
	} {
		err := Check(c.expr)
		f, ok := fault.As(err)
		if !ok {
			t.Errorf("Check(%q) = %v, want a fault", c.expr, err)
			continue
		}
		if f.Kind != fault.Invalid || f.Code != "metrics.promql" {
			t.Errorf("Check(%q): kind %q code %q", c.expr, f.Kind, f.Code)
		}
		if f.Where.Line != c.line || f.Where.Column != c.column {
			t.Errorf("Check(%q) points to %d:%d, want %d:%d (%s)", c.expr, f.Where.Line, f.Where.Column, c.line, c.column, f.What.EN)
		}
		if !strings.Contains(f.In(text.EN), c.en) || !strings.Contains(f.In(text.JA), c.ja) {
			t.Errorf("Check(%q) says %q / %q", c.expr, f.In(text.EN), f.In(text.JA))
		}
	}
	if err := Check(strings.Repeat("(", MaxLength) + "x"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an endless expression is accepted: %v", err)
	}
}

func TestCheckAccepts(t *testing.T) {
	for _, expr := range []string{
		"up", "1", "sum by (job) (rate(x[5m]))", "increase(x[1m] anchored)", `{"http.requests"}`,
		"x # trailing comment", "# leading\nsum(\n x)", "x offset -5m", "x @ end()", "-x", "1 > bool 2",
	} {
		if err := Check(expr); err != nil {
			t.Errorf("Check(%q) = %v", expr, err)
		}
	}
}

func TestIncreaseOverWrapsEveryBareSelector(t *testing.T) {
	for _, c := range []struct{ in, anchored, spread string }{
		{"x", "increase(x[1m] anchored)", "(increase(x[5m]) / 5)"},
		{"sum(x)", "sum(increase(x[1m] anchored))", "sum((increase(x[5m]) / 5))"},
		{`sum(x{code!~"5.."}) / sum(x)`,
			`sum(increase(x{code!~"5.."}[1m] anchored)) / sum(increase(x[1m] anchored))`,
			`sum((increase(x{code!~"5.."}[5m]) / 5)) / sum((increase(x[5m]) / 5))`},
		{"x offset 5m", "increase(x[1m] anchored offset 5m)", "(increase(x[5m] offset 5m) / 5)"},
		{"x offset -5m", "increase(x[1m] anchored offset -5m)", "(increase(x[5m] offset -5m) / 5)"},
		{"x @ 1700000000.5", "increase(x[1m] anchored @ 1700000000.500)", "(increase(x[5m] @ 1700000000.500) / 5)"},
		{"x @ start() offset 1h", "increase(x[1m] anchored @ start() offset 1h)", "(increase(x[5m] @ start() offset 1h) / 5)"},
		{"sum(x) # all\n", "sum(increase(x[1m] anchored))", "sum((increase(x[5m]) / 5))"},
		{"a - b or vector(0)", "increase(a[1m] anchored) - increase(b[1m] anchored) or vector(0)",
			"(increase(a[5m]) / 5) - (increase(b[5m]) / 5) or vector(0)"},
		{"-x", "-increase(x[1m] anchored)", "-(increase(x[5m]) / 5)"},
		{`{"http.requests", code="200"}`, `increase({"http.requests",code="200"}[1m] anchored)`, ""},
		{`label_replace(x, "a", "$1", "b", "(.*)")`, `label_replace(increase(x[1m] anchored), "a", "$1", "b", "(.*)")`, ""},
		{"topk(3, x)", "topk(3, increase(x[1m] anchored))", ""},
		{"a / on (job) group_left (team) b", "increase(a[1m] anchored) / on (job) group_left (team) increase(b[1m] anchored)", ""},
		{"vector(1)", "vector(1)", "vector(1)"},
	} {
		got, err := IncreaseOver(c.in, time.Minute, true, time.Minute)
		if err != nil {
			t.Errorf("IncreaseOver(%q): %v", c.in, err)
		} else if want := canonical(t, c.anchored); canonical(t, got) != want {
			t.Errorf("IncreaseOver(%q, anchored) = %s, want %s", c.in, got, want)
		}
		if c.spread == "" {
			continue
		}
		got, err = IncreaseOver(c.in, 5*time.Minute, false, time.Minute)
		if err != nil || got != canonical(t, c.spread) {
			t.Errorf("IncreaseOver(%q, spread) = %s, %v, want %s", c.in, got, err, c.spread)
		}
	}
}

func TestIncreaseOverDividesOnlyOverlappingWindows(t *testing.T) {
	for _, every := range []time.Duration{0, time.Minute, 2 * time.Minute} {
		got, err := IncreaseOver("x", time.Minute, false, every)
		if err != nil || got != "increase(x[1m])" {
			t.Errorf("every %s: %s, %v", every, got, err)
		}
	}
	got, err := IncreaseOver("x", 90*time.Second, false, time.Minute)
	if err != nil || got != "(increase(x[1m30s]) / 1.5)" {
		t.Errorf("window 90s: %s, %v", got, err)
	}
}

func TestIncreaseOverRefusesWhatIsNotABareCounter(t *testing.T) {
	for _, c := range []struct {
		in           string
		line, column int
	}{
		{"sum(rate(x[5m]))", 1, 10},
		{"sum(y) +\n  increase(x[5m])", 2, 12},
		{"max_over_time(x[5m:1m])", 1, 15},
		{"timestamp(x)", 1, 1},
		{"sum(x anchored)", 1, 5},
	} {
		_, err := IncreaseOver(c.in, time.Minute, true, time.Minute)
		f, ok := fault.As(err)
		if !ok || f.Code != "metrics.not_a_counter" || f.Remedy.JA == "" {
			t.Errorf("IncreaseOver(%q) = %v, want metrics.not_a_counter with a remedy", c.in, err)
			continue
		}
		if f.Where != (fault.Position{Line: c.line, Column: c.column}) {
			t.Errorf("IncreaseOver(%q) points to %s, want %d:%d", c.in, f.Where, c.line, c.column)
		}
	}
}

func TestMetricsOfAnExpression(t *testing.T) {
	got, err := Metrics(`sum by (team) (a{code="200"}) / on (zone) sum(increase({__name__=~"b.*", job="x"}[5m]))`)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"a", "b.*"}, got); d != "" {
		t.Error(d)
	}
}

// expressions generates expressions over bare counters.
func expressions() *rapid.Generator[string] {
	leaf := rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom([]string{"x", `x{a="b"}`, `{__name__="x",c=~"d|e"}`, `{"utf.8"}`}).Draw(t, "selector")
		return s + rapid.SampledFrom([]string{"", " offset 5m", " offset -1h30m", " @ 12.345", " @ end()", " @ start() offset 1m"}).Draw(t, "modifier")
	})
	var node func(depth int) *rapid.Generator[string]
	node = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return leaf
		}
		return rapid.Custom(func(t *rapid.T) string {
			in := func(name string) string { return node(depth-1).Draw(t, name) }
			switch rapid.IntRange(0, 8).Draw(t, "shape") {
			case 0:
				return "(" + in("inner") + ")"
			case 1:
				return "sum by (a, b) (" + in("inner") + ")"
			case 2:
				op := rapid.SampledFrom([]string{"+", "-", "*", "/", "^", "and", "or", "unless", "> bool", "=="}).Draw(t, "op")
				return in("left") + " " + op + " " + in("right")
			case 3:
				return in("left") + " / on (a) group_left (b) " + in("right")
			case 4:
				return "topk(3, " + in("inner") + ")"
			case 5:
				return "-" + in("inner")
			case 6:
				return "clamp_min(" + in("inner") + ", 0) # note\n"
			case 7:
				return "histogram_quantile(0.9, " + in("inner") + ")"
			}
			return in("same")
		})
	}
	return rapid.Custom(func(t *rapid.T) string { return node(rapid.IntRange(0, 3).Draw(t, "depth")).Draw(t, "expr") })
}

func TestRewrittenExpressionsParseAndHoldNoBareSelector(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expr := expressions().Draw(t, "expr")
		anchored := rapid.Bool().Draw(t, "anchored")
		minutes := rapid.IntRange(1, 10).Draw(t, "minutes")
		got, err := IncreaseOver(expr, time.Duration(minutes)*time.Minute, anchored, time.Minute)
		if err != nil {
			t.Fatalf("IncreaseOver(%q): %v", expr, err)
		}
		if err := Check(got); err != nil {
			t.Fatalf("IncreaseOver(%q) = %q, which does not parse: %v", expr, got, err)
		}
		before, _ := Metrics(expr)
		after, _ := Metrics(got)
		if d := cmp.Diff(before, after); d != "" {
			t.Fatalf("%q → %q: %s", expr, got, d)
		}
		if _, err := IncreaseOver(got, time.Minute, anchored, 0); fault.KindOf(err) != fault.Invalid {
			t.Fatalf("a counter of %q is still bare in %q: %v", expr, got, err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"sum(rate(x[5m])) by (job)", "x offset 5m @ end()", `{"a.b"}`, "x[5m:1m]", "{{", "1e999", "x[", "\x00", "# c\nx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		err := Check(expr)
		if err != nil {
			flt, ok := fault.As(err)
			if !ok || flt.Kind != fault.Invalid || flt.What.EN == "" || flt.What.JA == "" {
				t.Fatalf("%q: %v", expr, err)
			}
			if flt.Where.Line > 1+strings.Count(expr, "\n") {
				t.Fatalf("%q: line %d", expr, flt.Where.Line)
			}
			return
		}
		got, err := IncreaseOver(expr, time.Minute, true, time.Minute)
		if err != nil {
			return
		}
		if err := Check(got); err != nil {
			t.Fatalf("%q → %q: %v", expr, got, err)
		}
	})
}

// canonical prints an expression as the parser does, so that expectations can
// be written in any order that PromQL allows.
func canonical(t *testing.T, expr string) string {
	t.Helper()
	tree, err := parse(expr)
	if err != nil {
		t.Fatalf("expectation %q: %v", expr, err)
	}
	return tree.String()
}

func TestRatesOverAnOpenWindowLeaveTheCounters(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(rate(x{job="a",code!~"(5..|429)"}[{{.window}}]))`:        `sum(x{code!~"(5..|429)",job="a"})`,
		`sum(increase(x[{{ .window }}])) - sum(rate(y[{{.window}}]))`: `sum(x) - sum(y)`,
		`(sum by (job) (rate(x[{{.window}}] offset 1m)))`:             `(sum by (job) (x offset 1m))`,
	} {
		got, err := Counters(expr)
		if err != nil || got != want || !Templated(expr) {
			t.Errorf("%s becomes %q, %v; want %q", expr, got, err, want)
		}
	}
	for _, expr := range []string{`avg_over_time(x[{{.window}}])`, `max_over_time(x[{{.window}}:1m])`, `sum(rate(x[{{.window}}])`} {
		if got, err := Counters(expr); err == nil && strings.Contains(got, "7919017") {
			t.Errorf("%s becomes %q", expr, got)
		}
	}
	if _, err := Counters(`avg_over_time(x[{{.window}}])`); err == nil {
		t.Error("an average over an open window is taken for a counter")
	}
}

func TestBucketsAreFound(t *testing.T) {
	got, err := Buckets(`sum(x_bucket{le="0.4",verb!="WATCH"}) + sum(y_bucket{le=~".*"}) + sum(z_bucket)`)
	want := []Bucket{{Metric: "x_bucket", Le: "0.4", All: `x_bucket{verb!="WATCH"}`}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

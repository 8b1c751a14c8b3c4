package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/ledger"
)

func TestSpansThatTouchBecomeOne(t *testing.T) {
	got := ledger.Join([]ledger.Span{{From: 7, To: 9}, {From: 1, To: 3}, {From: 3, To: 4}, {From: 2, To: 3}, {From: 20, To: 20}, {From: 8, To: 12}})
	if d := cmp.Diff([]ledger.Span{{From: 1, To: 4}, {From: 7, To: 12}}, got); d != "" {
		t.Error(d)
	}
}

// Whatever is cut from spans and what is left make up the spans again.
func TestCutMinutesAndThoseLeftMakeUpTheSpans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) ledger.Span {
			from := rapid.Int64Range(0, 50).Draw(t, name+" from")
			return ledger.Span{From: from, To: from + rapid.Int64Range(0, 20).Draw(t, name+" length")}
		}
		var spans []ledger.Span
		for range rapid.IntRange(0, 5).Draw(t, "spans") {
			spans = append(spans, draw("span"))
		}
		spans = ledger.Join(spans)
		cut := draw("cut")
		whole := ledger.Length(spans)
		left, n := ledger.Without(spans, cut)
		if got := ledger.Length(left); got+n != whole {
			t.Fatalf("%d left and %d cut of %d", got, n, whole)
		}
		if inside := ledger.Length(ledger.Clip(spans, cut)); inside != n {
			t.Fatalf("%d minutes lie in the cut, and %d were cut", inside, n)
		}
		if again, m := ledger.Without(left, cut); m != 0 || ledger.Length(again) != ledger.Length(left) {
			t.Fatalf("%d minutes were still there", m)
		}
	})
}

package slo

import (
	"testing"
	"time"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/slo/ledger"
)

func TestLateSamplesConcernTheObjectivesThatCountThem(t *testing.T) {
	x := lateSpans([]metrics.Late{
		{Selection: metrics.Selection{Expr: "sum(a_total)"}, From: 10, To: 20},
		{Selection: metrics.Selection{Expr: "sum(a_total)", By: []string{"pod"}}, From: 15, To: 30},
		{From: 5, To: 40},
	})
	ratio := func(bad, total string, counter bool) *Definition {
		return &Definition{Indicator: Indicator{Source: "s", Bad: bad, Total: total, Counter: counter}}
	}
	for name, c := range map[string]struct {
		d    *Definition
		want minutes
	}{
		"by its total":            {ratio("sum(b_total)", "sum(a_total)", true), ledger.Between(10, 30)},
		"by neither":              {ratio("sum(b_total)", "sum(c_total)", true), minutes{}},
		"not counted as it comes": {ratio("sum(rate(a_total[1m]))", "sum(rate(a_total[1m]))", false), ledger.Between(5, 40)},
	} {
		if got, ok := x.of(c.d, "s"); got != c.want || ok != (c.want.Len() > 0) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
		if _, ok := x.of(c.d, "another"); ok {
			t.Errorf("%s: concerns another source", name)
		}
	}
}

// teller is a source that tells what came late.
type teller struct {
	changed []metrics.Late
	taken   []int64
}

func (l *teller) Late() ([]metrics.Late, int64) {
	c := l.changed
	l.changed = nil
	return c, 7
}

func (l *teller) LateTaken(mark int64) error { l.taken = append(l.taken, mark); return nil }

func TestWhatComesLateInManyPartsIsReadAgainOnceItIsQuiet(t *testing.T) {
	var l latecomers
	source := &teller{}
	now := time.Unix(1e9, 0)
	for range 5 {
		source.changed = []metrics.Late{{All: true, From: 1, To: 2}}
		l.take("s", source, now)
		now = now.Add(2 * time.Second)
	}
	w := l.waiting["s"]
	if w.quiet(now) || !w.quiet(now.Add(lateQuiet)) {
		t.Error("it is read again while more comes, or not once that is over")
	}
	if !w.quiet(w.first.Add(lateWait)) || !w.quiet(w.first.Add(-time.Hour)) {
		t.Error("it is not read again after a while, or when the clock went back")
	}
}

func TestWhatComesLateWhileItIsReadIsReadAgain(t *testing.T) {
	m := &member{}
	sh := &shard{members: []*member{m}}
	m.lose(ledger.Between(0, 100))
	r := &reading{m: m, span: ledger.Between(0, 60)}
	if !sh.holds(r) {
		t.Fatal("nothing came late")
	}
	late := ledger.Between(59, 70)
	m.lose(late)
	m.outdated = wider(m.outdated, late)
	if sh.holds(r) {
		t.Error("what was read before it came would stand")
	}
	if !sh.holds(&reading{m: m, span: ledger.Between(0, 59)}) {
		t.Error("nothing came late of that")
	}
}

package policy_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/policy"
)

func TestAStateFollowsFromTheFiguresAlone(t *testing.T) {
	p := policy.Default()
	p.End = policy.Low
	high := p
	high.End = policy.High
	calm := p
	calm.Calm = true
	strict := p
	strict.Exhausted = 0.1
	for _, c := range []struct {
		p    policy.Policy
		f    policy.Figures
		want policy.State
	}{
		{p, policy.Figures{Low: 0.25, High: 0.25, Counted: true}, policy.Healthy},
		{p, policy.Figures{Low: 0.2499, High: 0.9, Counted: true}, policy.Attention},
		{high, policy.Figures{Low: 0.2499, High: 0.9, Counted: true}, policy.Healthy},
		{p, policy.Figures{Low: 0, High: 0.3, Counted: true}, policy.Exhausted},
		{high, policy.Figures{Low: -1, High: 0.1, Counted: true}, policy.Attention},
		{p, policy.Figures{Low: 0.0001, High: 0.1, Counted: true}, policy.Attention},
		{strict, policy.Figures{Low: 0.1, High: 0.1, Counted: true}, policy.Exhausted},
		{p, policy.Figures{Low: 0.9, High: 0.9, Counted: true, Burning: true}, policy.Attention},
		{calm, policy.Figures{Low: 0.9, High: 0.9, Counted: true, Burning: true}, policy.Healthy},
		{p, policy.Figures{}, policy.Healthy},
		{policy.Default(), policy.Figures{Left: 0.3, Low: -1, High: 1, Counted: true}, policy.Healthy},
		{policy.Default(), policy.Figures{Left: 0.2, Low: -1, High: 1, Counted: true}, policy.Attention},
	} {
		got, why := c.p.State(c.f)
		if got != c.want || why.EN == "" || why.JA == "" {
			t.Errorf("%+v of %+v: %s (%s), want %s", c.p, c.f, got, why, c.want)
		}
	}
}

func TestLessLeftIsNeverABetterState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policy.Default()
		p.End = rapid.SampledFrom([]policy.End{policy.Low, policy.High, policy.Counted}).Draw(t, "end")
		left := rapid.Float64Range(-2, 1)
		a := policy.Figures{Low: left.Draw(t, "low"), Counted: true, Burning: rapid.Bool().Draw(t, "burning")}
		a.Left = a.Low + rapid.Float64Range(0, 1).Draw(t, "more")
		a.High = a.Left + rapid.Float64Range(0, 1).Draw(t, "yet more")
		b := a
		loss := rapid.Float64Range(0, 2).Draw(t, "loss")
		b.Left, b.Low, b.High = a.Left-loss, a.Low-loss, a.High-loss
		before, _ := p.State(a)
		after, _ := p.State(b)
		if after.Rank() < before.Rank() {
			t.Fatalf("%s became %s with %v less", before, after, loss)
		}
		cautious := p
		cautious.End = policy.Low
		if low, _ := cautious.State(a); low.Rank() < before.Rank() {
			t.Fatalf("the cautious end gives %s, the other %s", low, before)
		}
	})
}

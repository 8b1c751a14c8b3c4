package debit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/debit"
	"github.com/teiten/teiten/observe/slo/ledger"
)

func TestThePartsAddUpToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []ledger.Minute
		var bad float64
		for range rapid.IntRange(0, 200).Draw(t, "minutes") {
			m := ledger.Minute{}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				m = ledger.Of(float64(rapid.IntRange(1, 1<<40).Draw(t, "total")), float64(rapid.IntRange(0, 1<<39).Draw(t, "bad")))
			case 1:
				m = ledger.Of(10, 0)
			}
			bad += m.Bad
			all = append(all, m)
		}
		var causes []debit.Cause
		for range rapid.IntRange(0, 12).Draw(t, "causes") {
			from := rapid.Int64Range(0, 200).Draw(t, "from")
			causes = append(causes, debit.Cause{
				Kind: rapid.SampledFrom([]debit.Kind{debit.Incident, debit.Deployment, debit.Dependency}).Draw(t, "kind"),
				Ref:  rapid.StringMatching("[a-c]").Draw(t, "ref"), From: from, To: from + rapid.Int64Range(1, 60).Draw(t, "length"),
			})
		}
		episodes := debit.Episodes(0, all)
		parts, whole := debit.Attribute(episodes, causes, rapid.IntRange(0, 4).Draw(t, "most"))
		var sum float64
		n := 0
		for _, p := range parts {
			sum += p.Bad
			n += p.Episodes
		}
		if sum != whole || whole != bad {
			t.Fatalf("the parts are %v, the whole is %v, %v was bad", sum, whole, bad)
		}
		if n != len(episodes) {
			t.Fatalf("%d episodes are in the parts, there were %d", n, len(episodes))
		}
		for i := 1; i < len(episodes); i++ {
			if episodes[i].From < episodes[i-1].To+debit.Apart {
				t.Fatalf("%v and %v are one", episodes[i-1], episodes[i])
			}
		}
	})
}

func TestAnEpisodeIsPutDownToWhatExplainsItBest(t *testing.T) {
	minutes := make([]ledger.Minute, 200)
	for i := range minutes {
		minutes[i] = ledger.Of(10, 0)
	}
	bad := func(from, to int, events float64) {
		for i := from; i < to; i++ {
			minutes[i] = ledger.Of(10, events)
		}
	}
	bad(20, 30, 5)   // after two deployments
	bad(33, 34, 1)   // still the same episode
	bad(60, 70, 3)   // in an incident, after a deployment
	bad(100, 102, 1) // nothing is known
	bad(150, 151, 2) // a dependency
	causes := []debit.Cause{
		{Kind: debit.Deployment, Ref: "service:a", Entry: "1", From: 5, To: 35},
		{Kind: debit.Deployment, Ref: "service:a", Entry: "2", From: 15, To: 45},
		{Kind: debit.Deployment, Ref: "service:a", Entry: "3", From: 59, To: 89},
		{Kind: debit.Incident, Ref: "incident:1", From: 65, To: 80},
		{Kind: debit.Dependency, Ref: "slo:b", From: 0, To: 200, Explains: func(e debit.Episode) bool { return e.From > 120 }},
	}
	type part struct {
		Kind debit.Kind
		Ref  string
		Bad  float64
	}
	got := func(most int) (short []part) {
		parts, _ := debit.Attribute(debit.Episodes(0, minutes), causes, most)
		for _, p := range parts {
			short = append(short, part{p.Kind, p.Ref + p.Entry, p.Bad})
		}
		return short
	}
	if diff := cmp.Diff([]part{
		{debit.Deployment, "service:a2", 51}, {debit.Incident, "incident:1", 30}, {debit.Dependency, "slo:b", 2}, {debit.Unattributed, "", 2},
	}, got(5)); diff != "" {
		t.Errorf("the parts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]part{
		{debit.Deployment, "service:a2", 51}, {debit.Rest, "", 32}, {debit.Unattributed, "", 2},
	}, got(1)); diff != "" {
		t.Errorf("the largest part (-want +got):\n%s", diff)
	}
}

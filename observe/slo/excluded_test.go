package slo

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/ledger"
)

func TestAnExcludedMinuteCountsNothingAndIsNoGap(t *testing.T) {
	bad, gap, none := ledger.Of(100, 50), ledger.Minute{}, ledger.Minute{Known: true}
	slice := func(bad float64) ledger.Minute { return ledger.Minute{Total: 1, Bad: bad, Known: true} }
	sliced := budgeting.Counting{Method: budgeting.Timeslices, Slice: 2, Target: 0.9}
	for name, c := range map[string]struct {
		counting   budgeting.Counting
		have, want []ledger.Minute
		excluded   []minutes
	}{
		"events":                            {budgeting.Counting{}, []ledger.Minute{bad, bad, gap}, []ledger.Minute{bad, none, none}, []minutes{ledger.Between(11, 13)}},
		"a slice of which a part counts":    {sliced, []ledger.Minute{bad, bad}, []ledger.Minute{none, slice(1)}, []minutes{ledger.Between(10, 11)}},
		"its last minute excluded":          {sliced, []ledger.Minute{bad, bad}, []ledger.Minute{none, slice(1)}, []minutes{ledger.Between(11, 12)}},
		"a slice that is excluded entirely": {sliced, []ledger.Minute{bad, bad, bad, bad}, []ledger.Minute{none, none, none, slice(1)}, []minutes{ledger.Between(10, 12)}},
		"spans beyond what is asked":        {budgeting.Counting{}, []ledger.Minute{bad, bad}, []ledger.Minute{none, none}, []minutes{ledger.Between(0, 100)}},
	} {
		have := append([]ledger.Minute{}, c.have...)
		if d := cmp.Diff(c.want, counted(&Definition{Counting: c.counting}, 10, have, c.excluded)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(c.have, have); d != "" {
			t.Errorf("%s: the ledger was changed: %s", name, d)
		}
	}
}

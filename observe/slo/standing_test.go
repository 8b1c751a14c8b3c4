package slo

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/budgeting"
	"github.com/teiten/teiten/observe/slo/ledger"
	"github.com/teiten/teiten/observe/slo/window"
)

// stands draws where an objective may stand.
func stands(t *rapid.T, slot, end, made int64) *standing {
	s := &standing{slot: slot, end: end, made: made, windows: rapid.Uint64().Draw(t, "windows"), complete: rapid.Bool().Draw(t, "complete")}
	s.state.watermark, s.state.exact = end, rapid.Bool().Draw(t, "exact")
	s.state.from = rapid.Int64Range(0, end).Draw(t, "from")
	for range rapid.IntRange(0, 9).Draw(t, "windows") {
		l := window.Lasting{Known: rapid.IntRange(0, 43_200).Draw(t, "known")}
		if rapid.Bool().Draw(t, "whole") {
			l.Total = float64(rapid.Int64Range(0, 1<<53).Draw(t, "total"))
			l.Bad = float64(rapid.Int64Range(0, 1<<40).Draw(t, "bad"))
		} else {
			l.Total, l.TotalRest = rapid.Float64Range(0, 1e15).Draw(t, "total"), rapid.Float64Range(-1, 1).Draw(t, "rest")
			l.Bad, l.BadRest = rapid.Float64Range(0, 1e15).Draw(t, "bad"), rapid.Float64Range(-1, 1).Draw(t, "rest")
		}
		s.sums = append(s.sums, l)
	}
	if rapid.Bool().Draw(t, "unusual") {
		s.state.rules = map[string]ruleState{"page-fast": {Firing: true, Since: end - 3}}
		s.state.missing = []minutes{ledger.Between(end-90, end-30)}
		s.state.backfill = backfill{Reason: reasonGap, Done: 7, Total: 60, StartedAt: made}
		s.state.gone = text.Say("gone", "応答なし")
		s.slicer = budgeting.Slicer{Total: 3, Bad: 1.5, Known: 2}
		s.doubt.holes = []hole{{Lump: ledger.Lump{From: end - 80, To: end - 70, Total: 12.5, Bad: 1}, Gap: 9, Torn: true}}
		s.doubt.torn = true
	}
	s.doubt.begun = rapid.Int64Range(0, end).Draw(t, "begun")
	s.doubt.peaks = [2]float64{rapid.Float64Range(0, 1e15).Draw(t, "peak"), float64(rapid.Int64Range(0, 1<<40).Draw(t, "peak"))}
	s.state.doubt = s.doubt
	return s
}

var standingFields = cmp.Options{
	cmp.AllowUnexported(standing{}, state{}, backfill{}, ruleState{}, doubt{}, hole{}), cmpopts.EquateEmpty(),
}

func TestStandingsUnpackToWhatWasPacked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end, made := rapid.Int64Range(1000, 30_000_000).Draw(t, "end"), rapid.Int64().Draw(t, "made")
		final := end - rapid.Int64Range(0, 60).Draw(t, "provisional")
		var want []*standing
		slot := int64(0)
		for range rapid.IntRange(0, 5).Draw(t, "objectives") {
			slot += rapid.Int64Range(1, 1000).Draw(t, "slot")
			want = append(want, stands(t, slot, end, made))
		}
		gotFinal, got, err := unpackStandings(packStandings(final, end, made, want))
		if err != nil || gotFinal != final {
			t.Fatalf("final %d, want %d: %v", gotFinal, final, err)
		}
		if d := cmp.Diff(want, got, standingFields); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzUnpackStandings(f *testing.F) {
	f.Add(packStandings(5, 9, 1, []*standing{{slot: 3, end: 9, made: 1, sums: []window.Lasting{{Total: 7, Bad: 1, Known: 2}, {Total: 0.5}}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, all, err := unpackStandings(data)
		if err != nil && all != nil {
			t.Error("half of it is returned with a fault")
		}
	})
}

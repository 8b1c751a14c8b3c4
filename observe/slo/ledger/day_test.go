package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// sums draws what some minutes amount to.
func sums(t *rapid.T, known int) ledger.Sum {
	s := ledger.Sum{Total: float64(rapid.Int64Range(0, 1<<50).Draw(t, "total")), Known: rapid.IntRange(0, known).Draw(t, "known")}
	if rapid.Bool().Draw(t, "estimated") {
		s.Total = rapid.Float64Range(0, 1e12).Draw(t, "total")
	}
	s.Bad = s.Total * rapid.SampledFrom([]float64{0, 0.25, 1}).Draw(t, "share")
	return s
}

func TestADayUnpacksToWhatItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := ledger.Day{Number: 20_000, Parts: make([]ledger.Digest, rapid.SampledFrom([]int{1, 24}).Draw(t, "parts"))}
		for i := range d.Parts {
			p := &d.Parts[i]
			p.Events = sums(t, int(d.Length()))
			p.Budget, p.Largest = p.Events, float64(rapid.IntRange(0, 1000).Draw(t, "largest"))
			if rapid.Bool().Draw(t, "the budget counted otherwise") {
				p.Budget = sums(t, int(d.Length()))
			}
			start := d.First() + int64(i)*d.Length()
			for range rapid.IntRange(0, 2).Draw(t, "lumps") {
				p.Lumps = append(p.Lumps, ledger.Lump{From: start - rapid.Int64Range(1, 500).Draw(t, "from"), To: start + 3, Total: 7, Bad: 0.5})
			}
		}
		var back ledger.Day
		if err := back.Unpack(d.Number, d.Pack(nil)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, back); diff != "" {
			t.Fatalf("the day changed (-packed +unpacked):\n%s", diff)
		}
	})
}

// FuzzUnpackDay feeds bytes as a damaged database might hold them.
func FuzzUnpackDay(f *testing.F) {
	d := ledger.Day{Parts: make([]ledger.Digest, 24)}
	d.Parts[3] = ledger.Digest{Events: ledger.Sum{Total: 1e9, Bad: 2.5, Known: 60}, Budget: ledger.Sum{Total: 60, Known: 60}, Largest: 9,
		Lumps: []ledger.Lump{{From: 100, To: 200, Total: 3}}}
	f.Add(d.Pack(nil))
	whole := d.Whole()
	f.Add(whole.Pack(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d, again ledger.Day
		if d.Unpack(0, data) != nil {
			return
		}
		if err := again.Unpack(0, d.Pack(nil)); err != nil {
			t.Fatalf("what was unpacked does not unpack again: %v", err)
		}
		if diff := cmp.Diff(d, again); diff != "" {
			t.Fatalf("unpacking twice differs:\n%s", diff)
		}
	})
}

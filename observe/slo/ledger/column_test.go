package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/ledger"
)

const columnMinute = 29_500_000

func columns() *rapid.Generator[ledger.Column] {
	return rapid.Custom(func(t *rapid.T) ledger.Column {
		var c ledger.Column
		slot := int64(-1)
		for range rapid.IntRange(0, 40).Draw(t, "cells") {
			slot += rapid.Int64Range(1, 5000).Draw(t, "step")
			var m ledger.Minute
			if rapid.Bool().Draw(t, "whole") {
				n := rapid.Int64Range(0, 1<<52).Draw(t, "total")
				m = ledger.Of(float64(n), float64(rapid.Int64Range(0, n).Draw(t, "bad")))
			} else {
				v := rapid.Float64Range(0, 1e9).Draw(t, "total")
				m = ledger.Of(v, v*rapid.Float64Range(0, 1).Draw(t, "share"))
			}
			x := ledger.Cell{Slot: slot, Total: m.Total, Bad: m.Bad}
			if rapid.Bool().Draw(t, "across a gap") {
				x.Since = columnMinute - rapid.Int64Range(1, 10_000).Draw(t, "gap")
				x.LateTotal, x.LateBad = m.Total, m.Bad
			}
			c = append(c, x)
		}
		return c
	})
}

func TestAColumnUnpacksToWhatWasPacked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := columns().Draw(t, "column")
		got, err := ledger.UnpackColumn(want.Pack(nil, columnMinute), columnMinute)
		if err != nil {
			t.Fatal(err)
		}
		if len(want) > 0 && !cmp.Equal(want, got) {
			t.Fatal(cmp.Diff(want, got))
		}
	})
}

func TestThousandBusyObjectivesTakeAtMostFourBytesEach(t *testing.T) {
	var c ledger.Column
	for slot := range int64(1000) {
		c = append(c, ledger.Cell{Slot: slot, Total: float64(6000 + slot*7%500), Bad: float64(slot % 20 / 19)})
	}
	if n := len(c.Pack(nil, columnMinute)); n > 4*len(c) {
		t.Errorf("%d bytes for %d objectives", n, len(c))
	}
}

func FuzzUnpackColumn(f *testing.F) {
	f.Add(ledger.Column{{Slot: 3, Total: 10, Bad: 1}, {Slot: 9, Total: 0.5, Since: columnMinute - 7, LateTotal: 0.5}}.Pack(nil, columnMinute))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ledger.UnpackColumn(data, columnMinute)
		if err != nil {
			return
		}
		again, err := ledger.UnpackColumn(c.Pack(nil, columnMinute), columnMinute)
		if err != nil || !cmp.Equal(c, again) {
			t.Fatalf("%v: %s", err, cmp.Diff(c, again))
		}
	})
}

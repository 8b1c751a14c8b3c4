package ledger_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// minutes draws what a source may say of one minute: nothing, whole counts,
// counts with a fraction, large ones.
func minutes() *rapid.Generator[ledger.Minute] {
	return rapid.Custom(func(t *rapid.T) ledger.Minute {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return ledger.Minute{}
		case 1:
			total := rapid.Int64Range(0, 1<<53).Draw(t, "total")
			return ledger.Of(float64(total), float64(rapid.Int64Range(0, total).Draw(t, "bad")))
		case 2:
			total := rapid.Float64Range(0, 1e12).Draw(t, "total")
			return ledger.Of(total, total*rapid.Float64Range(0, 1).Draw(t, "share"))
		case 3:
			return ledger.Of(0, 0)
		default:
			return ledger.Of(float64(rapid.IntRange(0, 9000).Draw(t, "total")), 0)
		}
	})
}

func TestUnpackGivesBackWhatPackTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h, back ledger.Hour
		for i := range h {
			h[i] = minutes().Draw(t, "minute")
		}
		if err := back.Unpack(h.Pack(nil)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(h, back); diff != "" {
			t.Fatalf("the hour changed (-packed +unpacked):\n%s", diff)
		}
	})
}

func TestCountsAreKeptWithoutLossThatMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Float64Range(1e-9, 1e15).Draw(t, "total")
		bad := total * rapid.Float64Range(0, 1).Draw(t, "share")
		m := ledger.Of(total, bad)
		if e := math.Abs(m.Total-total) / total; e > 6e-8 {
			t.Fatalf("total %v is kept as %v: relative error %v", total, m.Total, e)
		}
		if e := math.Abs(m.Bad-bad) / total; e > 1.2e-7 {
			t.Fatalf("bad %v of %v is kept as %v", bad, total, m.Bad)
		}
		if m.Bad > m.Total {
			t.Fatalf("more bad than total: %v", m)
		}
	})
}

func TestNonsenseIsUnknownAndRoundingIsNoEvent(t *testing.T) {
	for _, c := range []struct {
		name       string
		total, bad float64
		want       ledger.Minute
	}{
		{"not a number", math.NaN(), 0, ledger.Minute{}},
		{"bad is not a number", 10, math.NaN(), ledger.Minute{}},
		{"infinite", math.Inf(1), 0, ledger.Minute{}},
		{"negative total", -1, 0, ledger.Minute{}},
		{"good above total", 10, -2, ledger.Minute{Total: 10, Known: true}},
		{"bad above total", 10, 12, ledger.Minute{Total: 10, Bad: 10, Known: true}},
		{"rounding of two sums", 1e6, 1e-7, ledger.Minute{Total: 1e6, Known: true}},
		{"one bad event of many", 1e8, 1, ledger.Minute{Total: 1e8, Bad: 1, Known: true}},
		{"no events", 0, 0, ledger.Minute{Known: true}},
	} {
		if diff := cmp.Diff(c.want, ledger.Of(c.total, c.bad)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestAnHourOfABusyServiceTakesAtMostFourBytesAMinute(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h ledger.Hour
	for i := range h {
		total := math.Round(60_000 + 2_000*random.NormFloat64())
		h[i] = ledger.Of(total, math.Round(total*0.002))
	}
	if n := len(h.Pack(nil)); n > 4*ledger.MinutesPerHour {
		t.Errorf("%d bytes an hour, want at most %d", n, 4*ledger.MinutesPerHour)
	}
}

func TestAMinuteEndsWithItsLastInstant(t *testing.T) {
	end := time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)
	m := ledger.At(end)
	if got := ledger.End(m); !got.Equal(end) {
		t.Errorf("the minute of %v ends at %v", end, got)
	}
	if got := ledger.At(end.Add(time.Nanosecond)); got != m+1 {
		t.Errorf("an instant later is minute %d, want %d", got, m+1)
	}
	if got := ledger.Done(end); got != m+1 {
		t.Errorf("at %v the first minute that is not over is %d, want %d", end, got, m+1)
	}
	if got := ledger.Done(end.Add(-time.Nanosecond)); got != m {
		t.Errorf("just before %v the first minute that is not over is %d, want %d", end, got, m)
	}
}

// FuzzUnpack feeds bytes as a damaged database might hold them: they are
// refused, or are an hour that packs to the same bytes or fewer.
func FuzzUnpack(f *testing.F) {
	var h ledger.Hour
	f.Add(h.Pack(nil))
	for i := range h {
		h[i] = ledger.Of(float64(i)*100.5, float64(i))
	}
	f.Add(h.Pack(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h, again ledger.Hour
		if h.Unpack(data) != nil {
			return
		}
		packed := h.Pack(nil)
		if err := again.Unpack(packed); err != nil {
			t.Fatalf("what was unpacked does not unpack again: %v", err)
		}
		if h != again {
			t.Fatalf("unpacking twice differs: %v, %v", h, again)
		}
		if len(data) > 0 && len(packed) > len(data) && !bytes.Equal(packed, data) {
			t.Fatalf("%d bytes became %d", len(data), len(packed))
		}
	})
}

func BenchmarkPackAnHour(b *testing.B) {
	var h ledger.Hour
	for i := range h {
		h[i] = ledger.Of(6000+float64(i*7%50), float64(i%3))
	}
	var buf []byte
	for b.Loop() {
		buf = h.Pack(buf[:0])
	}
	b.ReportMetric(float64(len(buf))/60, "bytes/minute")
}

func BenchmarkUnpackAnHour(b *testing.B) {
	var h ledger.Hour
	for i := range h {
		h[i] = ledger.Of(6000+float64(i*7%50), float64(i%3))
	}
	data := h.Pack(nil)
	for b.Loop() {
		if err := h.Unpack(data); err != nil {
			b.Fatal(err)
		}
	}
}

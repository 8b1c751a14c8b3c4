package ledger_test

import (
	"encoding/hex"
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

// records draws hours, some with events whose minutes are not known.
func records() *rapid.Generator[ledger.Record] {
	return rapid.Custom(func(t *rapid.T) ledger.Record {
		r := ledger.Record{Number: rapid.Int64Range(400_000, 600_000).Draw(t, "number")}
		for i := range r.Hour {
			r.Hour[i] = minutes().Draw(t, "minute")
		}
		for range rapid.IntRange(0, 3).Draw(t, "lumps") {
			if m := minutes().Draw(t, "counts"); m.Known {
				to := r.First() + rapid.Int64Range(0, 59).Draw(t, "to")
				r.Lumps = append(r.Lumps, ledger.Lump{From: to - rapid.Int64Range(0, 3000).Draw(t, "back"), To: to, Total: m.Total, Bad: m.Bad})
			}
		}
		return r
	})
}

func TestUnpackGivesBackWhatPackTook(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var back ledger.Record
		r := records().Draw(t, "hour")
		if err := back.Unpack(r.Number, r.Pack(nil)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, back); diff != "" {
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

// day is the traffic of a day with n events a minute at its peak and a ten
// thousandth of that at night, one in a thousand of them bad, by chance.
func day(n float64, random *rand.Rand) [24]ledger.Record {
	var hours [24]ledger.Record
	for i := range 24 * 60 {
		mean := max(1, n*math.Pow(math.Sin(math.Pi*float64(i)/1440), 4))
		total := math.Max(0, math.Round(mean+math.Sqrt(mean)*random.NormFloat64()))
		bad := math.Max(0, math.Round(total/1000+math.Sqrt(total/1000)*random.NormFloat64()))
		hours[i/60].Hour[i%60] = ledger.Of(total, bad)
	}
	return hours
}

func TestAMinuteOfTheLedgerTakesAtMostTwoBytes(t *testing.T) {
	for _, peak := range []float64{10_000, 100_000} {
		size := 0
		for _, r := range day(peak, rand.New(rand.NewPCG(1, 2))) {
			size += len(r.Pack(nil))
		}
		each := float64(size) / (24 * 60)
		t.Logf("with up to %v events a minute: %.2f bytes a minute", peak, each)
		if each > 2 {
			t.Errorf("with up to %v events a minute: %.2f bytes a minute, want at most 2", peak, each)
		}
	}
}

func TestTheFirstLayoutIsStillRead(t *testing.T) {
	var steady, patchy, one ledger.Hour
	for i := range steady {
		steady[i] = ledger.Of(float64(600+i*7%50), float64(i%3))
		if i%4 != 0 {
			patchy[i] = ledger.Of(float64(i)*10.5, float64(i)*0.3)
		}
	}
	one[7] = ledger.Of(1<<40, 12)
	for packed, want := range map[string]ledger.Hour{
		"15b66ddbb66ddbb60db0090e0e0e0e0e0e0e550e0e0e0e0e0e550e0e0e0e0e0e550e0e0e0e0e0e550e0e0e0e0e0e550e0e0e0e0e0e550e0e0e0e0e0e550e0e0e0e0e0e0e550e01020102010201020102010201020102010201020102010201020102010201020102010201020102": steady,
		"1eeeeeeeeeeeeeee0eaaaaaaaaaaaaaa0aeeeeeeeeeeeeee0eeeeaeeaeeeeeea0e000028412a0000fc410000524254000093420000bd42540000e742008008435400801d4300803243540080474300805c435400807143004083435400c08d43004098435400c0a2430040ad435400c0b7430040c2435400c0cc430040d7435400c0e1430040ec435400c0f64300a000445400e0054400200b44540060104400a015445400e01a449a99993e9a99193f6666663f0000c03f6666e63f66660640cdcc2c4003333353409a99794066668640000090403333a340cdccac406666b6409a99c9403333d340cdccdc400000f0409a99f9409a99014133330b4109cdcc144166661e4133332341000028419a9931416666364133333b41cdcc44419a99494166664e4100005841cdcc5c419a99614133336b410fcdcc744166667e419a99814100008441cdcc884133338b419a998d41": patchy,
		"108000000000000000808080808040": one,
	} {
		data, err := hex.DecodeString(packed)
		if err != nil {
			t.Fatal(err)
		}
		var r ledger.Record
		if err := r.Unpack(9, data); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ledger.Record{Number: 9, Hour: want}, r); diff != "" {
			t.Errorf("the hour reads otherwise (-want +got):\n%s", diff)
		}
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
// refused, or are an hour that packs and unpacks to itself.
func FuzzUnpack(f *testing.F) {
	var r ledger.Record
	f.Add(r.Pack(nil))
	for i := range r.Hour {
		r.Hour[i] = ledger.Of(float64(i)*100.5, float64(i))
	}
	f.Add(r.Pack(nil))
	r.Hour[3] = ledger.Minute{}
	r.Lumps = []ledger.Lump{{From: -70, To: 4, Total: 1e9, Bad: 0.5}}
	f.Add(r.Pack(nil))
	f.Add([]byte{0x11, 2, 2})
	f.Fuzz(func(t *testing.T, data []byte) {
		var r, again ledger.Record
		if r.Unpack(0, data) != nil {
			return
		}
		if err := again.Unpack(0, r.Pack(nil)); err != nil {
			t.Fatalf("what was unpacked does not unpack again: %v", err)
		}
		if !r.Equal(&again) {
			t.Fatalf("unpacking twice differs: %v, %v", r, again)
		}
	})
}

func BenchmarkPackAnHour(b *testing.B) {
	r := day(10_000, rand.New(rand.NewPCG(1, 2)))[12]
	var buf []byte
	for b.Loop() {
		buf = r.Pack(buf[:0])
	}
	b.ReportMetric(float64(len(buf))/60, "bytes/minute")
}

func BenchmarkUnpackAnHour(b *testing.B) {
	r := day(10_000, rand.New(rand.NewPCG(1, 2)))[12]
	data := r.Pack(nil)
	for b.Loop() {
		if err := r.Unpack(0, data); err != nil {
			b.Fatal(err)
		}
	}
}

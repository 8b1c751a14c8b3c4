package burn

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/ledger"
)

const day = 24 * time.Hour

// TestWorkbookFactors holds the table of the SRE workbook, chapter 5, and what
// the formula share · period / long window makes of other periods.
func TestWorkbookFactors(t *testing.T) {
	for _, c := range []struct {
		period time.Duration
		want   map[string]float64
	}{
		{30 * day, map[string]float64{"page-fast": 14.4, "page-slow": 6, "ticket-fast": 3, "ticket-slow": 1}},
		{28 * day, map[string]float64{"page-fast": 13.44, "page-slow": 5.6, "ticket-fast": 2.8, "ticket-slow": 14.0 / 15}},
		{7 * day, map[string]float64{"page-fast": 3.36, "page-slow": 1.4, "ticket-fast": 0.7, "ticket-slow": 7.0 / 30}},
		{day, map[string]float64{"page-fast": 0.48, "page-slow": 0.2}},
	} {
		got := map[string]float64{}
		for _, r := range Workbook(c.period) {
			got[r.Name] = r.Factor
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.period, diff)
		}
	}
}

func TestWorkbookWindows(t *testing.T) {
	type row struct {
		Severity    Severity
		Long, Short time.Duration
		Share       float64
	}
	var got []row
	for _, r := range Workbook(30 * day) {
		got = append(got, row{r.Severity, r.Long, r.Short, r.Share})
	}
	want := []row{
		{Page, time.Hour, 5 * time.Minute, 0.02},
		{Page, 6 * time.Hour, 30 * time.Minute, 0.05},
		{Ticket, day, 2 * time.Hour, 0.1},
		{Ticket, 3 * day, 6 * time.Hour, 0.1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func terms(target float64) Terms {
	return Terms{Objective: Objective(target), Period: 30 * day, Exact: true}
}

func counts(total, bad float64) ledger.Sum { return ledger.Sum{Total: total, Bad: bad, Known: 60} }

// always answers the same counts for every window.
func always(s ledger.Sum) func(time.Duration) ledger.Sum {
	return func(time.Duration) ledger.Sum { return s }
}

func TestExactlyTheFactorIsNotOverIt(t *testing.T) {
	target := 0.9995
	d := terms(target)
	rule := Workbook(30 * day)[0]
	// 72 bad of 10,000 burn exactly 14.4 times; floating point says a little more.
	if naive := 72.0 / 10_000 / (1 - target); naive <= 14.4 {
		t.Fatalf("the example shows nothing: %v", naive)
	}
	if rule.Judge(d, always(counts(10_000, 72)), false).Firing {
		t.Error("fires at exactly the factor")
	}
	if !rule.Judge(d, always(counts(10_000, 73)), false).Firing {
		t.Error("does not fire one event later")
	}
}

func TestOneBadEventInAQuietHourPagesNobody(t *testing.T) {
	for _, target := range []float64{0.5, 0.9, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999} {
		for _, period := range []time.Duration{7 * day, 28 * day, 30 * day, 90 * day} {
			d := terms(target)
			d.Period = period
			for _, r := range Workbook(period) {
				for total := 1.0; total < 3_000_000; total = math.Ceil(total * 1.7) {
					if x := r.Judge(d, always(counts(total, 1)), false); x.Firing {
						t.Fatalf("%v over %v: %s fires for one bad event of %v", target, period, r.Name, total)
					}
				}
			}
		}
	}
}

func TestASetMinimumReplacesChance(t *testing.T) {
	d, rule := terms(0.999), Workbook(30 * day)[0]
	if x := rule.Judge(d, always(counts(36, 2)), false); x.Firing || !x.Guarded {
		t.Errorf("two bad events of 36 may be chance, got %+v", x)
	}
	for minimum, want := range map[float64]bool{0: true, 36: true, 37: false} {
		d.Minimum = &minimum
		if x := rule.Judge(d, always(counts(36, 1)), false); x.Firing != want || x.Guarded == want {
			t.Errorf("with a minimum of %v: firing %v, want %v", minimum, x.Firing, want)
		}
	}
}

func TestAnAlertBeginsWithBothWindowsAndEndsWithTheShortOne(t *testing.T) {
	d := terms(0.999)
	rule := Workbook(30 * day)[0]
	over := func(long, short ledger.Sum) func(time.Duration) ledger.Sum {
		return func(w time.Duration) ledger.Sum {
			if w == rule.Long {
				return long
			}
			return short
		}
	}
	hot, cold, nothing := counts(10_000, 2_000), counts(10_000, 1), ledger.Sum{}
	for _, c := range []struct {
		name        string
		long, short ledger.Sum
		fired, want bool
	}{
		{"both over", hot, hot, false, true},
		{"only the long one", hot, cold, false, false},
		{"only the short one", cold, hot, false, false},
		{"goes on", hot, hot, true, true},
		{"the short one is under", hot, cold, true, false},
		{"no traffic any more", hot, ledger.Sum{Known: 5}, true, false},
		{"no data any more", hot, nothing, true, true},
		{"no data at first", hot, nothing, false, false},
		{"few events left", counts(10, 9), counts(10, 9), true, true},
		{"few events at all, and none of late", counts(36, 3), counts(3, 0), true, true},
		{"few events at all, and good ones of late", counts(36, 0), counts(3, 0), true, false},
	} {
		if got := rule.Judge(d, over(c.long, c.short), c.fired).Firing; got != c.want {
			t.Errorf("%s: firing %v, want %v", c.name, got, c.want)
		}
	}
}

func TestBudgets(t *testing.T) {
	o := Objective(0.999)
	for _, c := range []struct {
		name            string
		s               ledger.Sum
		sli, left, burn float64
	}{
		{"untouched", counts(1000, 0), 1, 1, 0},
		{"half spent", counts(2000, 1), 0.9995, 0.5, 0.5},
		{"exactly spent", counts(1000, 1), 0.999, 0, 1},
		{"overspent", counts(1000, 2), 0.998, -1, 2},
		{"no events", ledger.Sum{Known: 9}, 1, 1, 0},
		{"no data", ledger.Sum{}, 1, 1, 0},
	} {
		if SLI(c.s) != c.sli || o.BudgetLeft(c.s) != c.left || o.BurnRate(c.s) != c.burn {
			t.Errorf("%s: sli %v left %v burn %v, want %v %v %v", c.name,
				SLI(c.s), o.BudgetLeft(c.s), o.BurnRate(c.s), c.sli, c.left, c.burn)
		}
	}
}

func TestExhaustionFollowsFromWhatIsLeftAndTheBurnRate(t *testing.T) {
	for _, c := range []struct {
		left, burn float64
		want       time.Duration
		ok         bool
	}{
		{1, 1, 30 * day, true},
		{0.5, 14.4, 25 * time.Hour, true},
		{0, 3, 0, true},
		{-0.2, 0, 0, true},
		{0.5, 0, 0, false},
		{1, 1e-9, 0, false},
	} {
		got, ok := ExhaustsIn(c.left, c.burn, 30*day)
		if got != c.want || ok != c.ok {
			t.Errorf("left %v burning %v: %v %v, want %v %v", c.left, c.burn, got, ok, c.want, c.ok)
		}
	}
}

func TestSentencesSayFiguresAsPeopleDo(t *testing.T) {
	d := terms(0.999)
	fast, slow := Workbook(30 * day)[0], Workbook(30 * day)[3]
	hot, cold := counts(2_425_052, 179_224), counts(10_000, 1)
	split := func(r Rule, long, short ledger.Sum) Reading {
		return r.Judge(d, func(w time.Duration) ledger.Sum {
			if w == r.Long {
				return long
			}
			return short
		}, false)
	}
	for _, c := range []struct {
		said   text.Both
		en, ja string
	}{
		{split(slow, hot, hot).Reason(d), "73.9 times the allowed rate over 3 days", "直近3日間で許容の73.9倍、直近6時間で73.9倍"},
		{split(slow, hot, hot).Reason(d), "spends 10% of the 30-day budget in 3 days (179,224 of 2,425,052 events", "30日間のバジェットの10%を3日間で使う速さです(直近3日間の2,425,052件中179,224件が不良)"},
		{split(fast, hot, cold).State(d, false), "under the limit of 14.4 times the allowed rate: 0.1 times over 5 minutes", "14.4倍というしきい値を下回っています(直近5分間は0.1倍)"},
		{split(fast, cold, hot).State(d, false), "0.1 times over 1 hour", "直近1時間は0.1倍"},
		{split(fast, hot, ledger.Sum{}).State(d, false), "no data in the last 5 minutes", "直近5分間のデータがありません"},
	} {
		if !strings.Contains(c.said.EN, c.en) || !strings.Contains(c.said.JA, c.ja) {
			t.Errorf("%q / %q, want %q / %q in it", c.said.EN, c.said.JA, c.en, c.ja)
		}
	}
	if n := Number(-1234567); n != "-1,234,567" {
		t.Errorf("a negative count is %s", n)
	}
}

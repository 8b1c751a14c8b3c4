package burn

import (
	"testing"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// windows answers each length with its own counts.
func windows(by map[time.Duration]ledger.Sum) func(time.Duration) ledger.Sum {
	return func(d time.Duration) ledger.Sum { return by[d] }
}

func TestABudgetRuleFiresExactlyAtItsThreshold(t *testing.T) {
	for _, c := range []struct {
		left, bad   float64
		fired, want bool
	}{
		{0.5, 499, false, false},
		{0.5, 500, false, true},
		{0.2, 799, false, false},
		{0.2, 800, false, true},
		{0, 999, false, false},
		{0, 1000, false, true},
		{0.2, 795, true, true}, // less than a hundredth has come back
		{0.2, 789, true, false},
	} {
		r := Rule{Severity: Ticket, Kind: Budget, Left: c.left}
		x := r.Judge(terms(0.999), always(counts(1e6, c.bad)), c.fired)
		if x.Firing != c.want {
			t.Errorf("%v bad of a thousand, threshold %v, fired %v: %v, want %v", c.bad, c.left, c.fired, x.Firing, c.want)
		}
	}
	r := Rule{Kind: Budget, Left: 0.2}
	if !r.Judge(terms(0.999), always(ledger.Sum{}), true).Firing || r.Judge(terms(0.999), always(ledger.Sum{}), false).Firing {
		t.Error("without data nothing changes")
	}
}

func TestAForecastLooksAheadFromWhatIsLeft(t *testing.T) {
	r := Rule{Severity: Ticket, Kind: Forecast, Long: 6 * time.Hour, Within: 5 * day}
	half := counts(1e6, 500)
	for _, c := range []struct {
		name string
		bad  float64 // of 100,000 in six hours
		want bool
	}{
		{"at the allowed rate half lasts 15 days", 100, false},
		{"at three times it lasts 5 days", 300, true},
		{"a little slower", 299, false},
		{"nothing burns", 0, false},
	} {
		x := r.Judge(terms(0.999), windows(map[time.Duration]ledger.Sum{30 * day: half, 6 * time.Hour: counts(1e5, c.bad)}), false)
		if x.Firing != c.want {
			t.Errorf("%s: firing %v, want %v", c.name, x.Firing, c.want)
		}
	}
	few := windows(map[time.Duration]ledger.Sum{30 * day: counts(26_000, 13), 6 * time.Hour: counts(216, 2)})
	if x := r.Judge(terms(0.999), few, false); x.Firing || !x.Guarded {
		t.Errorf("two bad of 216 are no forecast, got %+v", x)
	}
}

func TestNoDataFiresWhenAWindowKnowsNothing(t *testing.T) {
	r := Rule{Severity: Page, Kind: NoData, Long: 10 * time.Minute}
	if !r.Judge(terms(0.999), always(ledger.Sum{}), false).Firing {
		t.Error("nothing known does not fire")
	}
	if r.Judge(terms(0.999), always(ledger.Sum{Known: 1}), true).Firing {
		t.Error("a minute with data, and without events, does not end it")
	}
}

func TestARuleBelowItsFactor(t *testing.T) {
	r := Rule{Severity: Ticket, Policy: "idle", Long: time.Hour, Factor: 2, Below: true}
	for _, c := range []struct {
		s       ledger.Sum
		orEqual bool
		want    bool
	}{
		{counts(10_000, 19), false, true},
		{counts(10_000, 20), false, false},
		{counts(10_000, 20), true, true},
		{counts(10_000, 21), true, false},
		{ledger.Sum{Known: 60}, true, false},
	} {
		r.OrEqual = c.orEqual
		if got := r.Judge(terms(0.999), always(c.s), false).Firing; got != c.want {
			t.Errorf("%+v, or equal %v: %v, want %v", c.s, c.orEqual, got, c.want)
		}
	}
}

func TestEveryKindSaysWhyInBothLanguages(t *testing.T) {
	rules := append(Defaults(30*day),
		Rule{Kind: Budget, Left: 0.2}, Rule{Kind: Forecast, Long: time.Hour, Within: day},
		Rule{Kind: NoData, Long: 5 * time.Minute}, Rule{Policy: "p", Long: time.Hour, Factor: 2, Below: true})
	for _, r := range rules {
		for _, s := range []ledger.Sum{{}, counts(36, 1), counts(36, 36), counts(1e6, 1e5), {Known: 5}} {
			x := r.Judge(terms(0.999), always(s), false)
			for _, said := range []string{x.Reason(terms(0.999)).EN, x.Reason(terms(0.999)).JA, x.State(terms(0.999), false).EN, x.State(terms(0.999), false).JA} {
				if said == "" {
					t.Errorf("%s %s says nothing of %+v", r.Name, r.Kind, s)
				}
			}
		}
	}
}

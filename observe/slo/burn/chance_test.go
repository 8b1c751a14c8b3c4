package burn

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// fresh are several sources of randomness that no run has seen before. A run
// that fails is repeated with the seeds that it prints.
func fresh(t *testing.T, n int) []*rand.Rand {
	t.Helper()
	all := make([]*rand.Rand, n)
	for i := range all {
		a, b := rand.Uint64(), rand.Uint64()
		t.Logf("seed %d: %d, %d", i, a, b)
		all[i] = rand.New(rand.NewPCG(a, b))
	}
	return all
}

// traffics are services with 36 requests an hour.
var traffics = map[string]func(rng *rand.Rand, minute int) int{
	"at random": func(rng *rand.Rand, _ int) int { return poisson(rng, 0.6) },
	"evenly":    func(_ *rand.Rand, m int) int { return (m+1)*36/60 - m*36/60 },
}

// pagesOfMonths are the pages of months in which each request fails with a
// probability.
func pagesOfMonths(t *testing.T, requests func(*rand.Rand, int) int, failing float64, months int) (all [][]int) {
	for _, rng := range fresh(t, months) {
		f := newFeed(0.999)
		for m := range month {
			n := requests(rng, m)
			f.add(n, binomial(rng, n, failing))
		}
		all = append(all, f.pages)
	}
	return all
}

func TestALowTrafficServiceWithinItsObjectivePagesAtMostOnceInAMonth(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates months")
	}
	for name, requests := range traffics {
		for i, pages := range pagesOfMonths(t, requests, 0.0004, 6) {
			if len(pages) > 1 {
				t.Errorf("%s, seed %d: %d pages, in minutes %v", name, i, len(pages), pages)
			}
		}
	}
}

// A service whose requests fail with just what its objective allows is on the
// edge: the three rules together may raise 0.15 false alarms a month. More than
// seven in twelve months are then less likely than one in a thousand.
func TestALowTrafficServiceThatJustKeepsItsObjectivePagesSeldom(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates months")
	}
	n := 0
	for _, requests := range traffics {
		for _, pages := range pagesOfMonths(t, requests, 0.001, 6) {
			n += len(pages)
		}
	}
	if n > 7 {
		t.Errorf("%d pages in twelve months", n)
	}
}

func TestAnOutageOfALowTrafficServicePagesWithItsSecondFailedMinute(t *testing.T) {
	for name, requests := range traffics {
		for i, rng := range fresh(t, 20) {
			f := newFeed(0.999)
			start := 2*24*60 + rng.IntN(60)
			for m := range start {
				n := requests(rng, m)
				f.add(n, binomial(rng, n, 0.0004))
			}
			f.pages = nil
			for m, failed := start, 0; failed < 2; m++ {
				n := requests(rng, m)
				if n > 0 {
					failed++
				}
				if paging := f.add(n, n); failed == 2 && !paging {
					t.Fatalf("%s, seed %d: does not page", name, i)
				}
			}
			for m := start + 60; m < start+120; m++ { // it goes on
				n := requests(rng, m)
				f.add(n, n)
			}
			if !f.paging() || len(f.pages) != 1 {
				t.Errorf("%s, seed %d: paged %d times in one outage, still paging: %v", name, i, len(f.pages), f.paging())
			}
		}
	}
}

// TestAnOutageOfABusyServicePagesWithin90Seconds begins outages at every ten
// seconds of a minute, at night too, when the hour before was busier.
func TestAnOutageOfABusyServicePagesWithin90Seconds(t *testing.T) {
	for _, target := range []float64{0.5, 0.9, 0.99, 0.999, 0.9999} {
		for _, decline := range []float64{1, 0.97} { // of the traffic, each minute
			for offset := 0; offset < 60; offset += 10 {
				for i, rng := range fresh(t, 1) {
					f := newFeed(target)
					rate := 1000 / math.Pow(decline, 60)
					for m := range 24 * 60 {
						if m >= 23*60 {
							rate *= decline
						}
						n := poisson(rng, rate)
						f.add(n, binomial(rng, n, (1-target)/4))
					}
					if f.paging() {
						t.Fatalf("%v: pages before the outage", target)
					}
					seconds, share := 60-offset, float64(60-offset)/60
					for !f.add(int(rate), int(rate*share)) {
						seconds, share = seconds+60, 1
					}
					if seconds > 90 {
						t.Errorf("%v, traffic ×%v, %d s into a minute, seed %d: paged after %d s", target, decline, offset, i, seconds)
					}
				}
			}
		}
	}
}

// aloneWith is a service with one request a minute and one rule, after a day.
func aloneWith(r Rule) *feed {
	f := newFeed(0.999)
	f.rules, f.fires = []*Judge{r.Against(terms(0.999))}, []bool{false}
	for range 24 * 60 {
		f.add(1, 0)
	}
	return f
}

func TestAnOutageEndsWithGoodEvents(t *testing.T) {
	f := aloneWith(Rule{Severity: Page, Kind: Outage})
	if f.add(1, 1) || f.add(0, 0) || !f.add(1, 1) {
		t.Fatal("two failures in a row are an outage, one is not")
	}
	for range 20 {
		if !f.add(0, 0) {
			t.Fatal("a few minutes without events end it")
		}
	}
	if !f.add(1, 1) || !f.add(1, 0) || f.add(1, 0) {
		t.Error("it ends with the second good event in a row")
	}
	f.add(1, 1)
	f.add(1, 1)
	for range 59 {
		if !f.add(0, 0) {
			t.Fatal("it ended without events")
		}
	}
	if f.add(0, 0) {
		t.Error("an hour without events does not end it")
	}
}

func TestRetriesOfOneMinuteAreNoOutage(t *testing.T) {
	f := aloneWith(Rule{Severity: Page, Kind: Outage})
	if f.add(5, 5) {
		t.Error("a single minute with few events pages")
	}
}

func TestChanceBoundsTheBeginningsOfAlarms(t *testing.T) {
	traffic := ledger.Sum{Total: 0.6 * month, Known: month}
	for _, c := range []struct {
		name       string
		total, bad float64
		want       float64
	}{
		// 25.92 minutes with bad events in 30 days, times P(X ≥ bad−1).
		{"a second failure next to the first", 2, 2, 25.92 * 0.001},
		{"one of an hour", 36, 1, 25.92},
		{"two of an hour", 36, 2, 25.92 * (1 - math.Pow(0.999, 35))},
		{"a third in a row", 3, 3, 25.92 * 1e-6},
	} {
		got := null(0.001).chance(Terms{Exact: true}, ledger.Sum{Total: c.total, Bad: c.bad}, traffic)
		if math.Abs(got-c.want) > 1e-9*c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestTailIsTheSumOfItsTerms compares with the terms added up one by one, where
// the tail says more than that it is at most 1.
func TestTailIsTheSumOfItsTerms(t *testing.T) {
	for _, n := range []int{1, 2, 10, 36, 216, 1000} {
		for _, p := range []float64{0.5, 0.1, 0.001, 1e-5} {
			term, sum := math.Pow(1-p, float64(n)), 0.0
			var below []float64
			for k := 0; k <= n; k++ {
				below = append(below, sum)
				sum += term
				term *= float64(n-k) / float64(k+1) * p / (1 - p)
			}
			for k := 0; k <= n; k++ {
				want, got := 1-below[k], tail(float64(n), float64(k), p)
				if float64(k) <= float64(n)*p {
					want = 1
				}
				if math.Abs(got-want) > 1e-9 {
					t.Fatalf("P(X ≥ %d), n=%d, p=%v: %v, want %v", k, n, p, got, want)
				}
			}
		}
	}
	if got := tail(1e9, 2e6, 1e-3); got != 0 {
		t.Errorf("a thousand million events: %v", got)
	}
	if got := (null(0.001)).looks(ledger.Sum{}); got != month {
		t.Errorf("without history every minute counts, got %v", got)
	}
}

// TestPlentyOfEventsNeedNoGuard says from which traffic on the plain comparison
// with the factor decides alone.
func TestPlentyOfEventsNeedNoGuard(t *testing.T) {
	for _, target := range []float64{0.99, 0.999, 0.9999} {
		d := terms(target)
		for _, r := range Workbook(30 * day) {
			// As many events as bring sixty bad ones at the objective.
			total := math.Round(60 / d.Objective.Budget())
			bad := math.Floor(r.Factor*total*d.Objective.Budget()) + 1
			s := ledger.Sum{Total: total, Bad: bad, Known: int(r.Long / time.Minute)}
			if x := r.Judge(d, always(s), false); !x.Firing {
				t.Errorf("%v %s: %v of %v do not fire: %+v", target, r.Name, bad, total, x)
			}
		}
	}
}

package burn

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/teiten/teiten/observe/slo/ledger"
)

// feed is a service minute by minute, with the sums of its past.
type feed struct {
	sums  []ledger.Sum // sums[i] is of the first i minutes
	rules []*Judge
	fires []bool // by rule
	pages []int  // minutes in which a page began
}

func newFeed(target float64) *feed {
	f := &feed{sums: []ledger.Sum{{}}, fires: make([]bool, 5)}
	for _, r := range Defaults(30 * day) {
		f.rules = append(f.rules, r.Against(terms(target)))
	}
	return f
}

func (f *feed) over(d time.Duration) ledger.Sum {
	now := f.sums[len(f.sums)-1]
	was := f.sums[max(len(f.sums)-1-int(d/time.Minute), 0)]
	return ledger.Sum{Total: now.Total - was.Total, Bad: now.Bad - was.Bad, Known: now.Known - was.Known}
}

// add takes one more minute and reports whether a page is open.
func (f *feed) add(total, bad int) bool {
	before := f.paging()
	f.sums = append(f.sums, f.sums[len(f.sums)-1].Add(ledger.Minute{Total: float64(total), Bad: float64(bad), Known: true}))
	for i, r := range f.rules {
		f.fires[i] = r.Read(f.over, f.fires[i]).Firing
	}
	now := f.paging()
	if now && !before {
		f.pages = append(f.pages, len(f.sums)-2)
	}
	return now
}

func (f *feed) paging() bool {
	for i, r := range f.rules {
		if r.rule.Severity == Page && f.fires[i] {
			return true
		}
	}
	return false
}

// poisson draws how many events a minute brings at a mean rate.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 50 {
		return max(0, int(mean+rng.NormFloat64()*math.Sqrt(mean)+0.5))
	}
	n, at := 0, rng.ExpFloat64()
	for at < mean {
		n++
		at += rng.ExpFloat64()
	}
	return n
}

// binomial draws how many of n fail.
func binomial(rng *rand.Rand, n int, p float64) int {
	if p <= 0 {
		return 0
	}
	bad, at := 0, 0.0 // from failure to failure
	for {
		at += math.Floor(math.Log(1-rng.Float64())/math.Log1p(-p)) + 1
		if at > float64(n) {
			return bad
		}
		bad++
	}
}

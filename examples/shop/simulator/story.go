package simulator

import (
	"math"
	"time"
)

// spell is a stretch of time in which one service behaves differently.
type spell struct {
	from, until time.Time
	errors      float64
	add         float64 // seconds added to each request
	slower      float64 // factor on each duration; 0 stands for 1
}

func (s spell) holds(t time.Time) bool { return !t.Before(s.from) && t.Before(s.until) }

// day is what one Tokyo calendar day has in store for one service.
type day struct {
	deployments []time.Time
	spells      []spell
}

// plan is the day of service i that contains t. It is a function of the seed.
func plan(seed uint64, i int, t time.Time) day {
	wall := t.In(tokyo)
	midnight := time.Date(wall.Year(), wall.Month(), wall.Day(), 0, 0, 0, 0, tokyo)
	number := uint64(midnight.Unix() / 86400)
	draw := func(what uint64) float64 { return uniform(hash(seed, 2, uint64(i), number, what)) }

	var d day
	weekday := midnight.Weekday()
	if weekday != time.Saturday && weekday != time.Sunday && draw(1) < services[i].deploys/5 {
		d.deploy(midnight.Add(10*time.Hour+time.Duration(draw(2)*7.5*float64(time.Hour))).Truncate(Tick), draw)
	}
	if draw(3) < 0.10 { // a small fault of its own
		from := midnight.Add(time.Duration(draw(4) * 23.5 * float64(time.Hour))).Truncate(Tick)
		lasting := 2*time.Minute + time.Duration(draw(5)*5*float64(time.Minute)).Truncate(Tick)
		d.spells = append(d.spells, spell{from: from, until: from.Add(lasting), errors: 0.003 + 0.015*draw(6)})
	}
	return d
}

// deploy adds a release at the given moment: a restart that costs a little, and
// now and then a bad release that is rolled back after some minutes.
func (d *day) deploy(at time.Time, draw func(uint64) float64) {
	d.deployments = append(d.deployments, at)
	d.spells = append(d.spells, spell{from: at, until: at.Add(90 * time.Second), errors: 0.002, slower: 1.25})
	if draw(7) < 0.06 {
		back := at.Add(4*time.Minute + time.Duration(draw(8)*5*float64(time.Minute)).Truncate(Tick))
		d.deployments = append(d.deployments, back)
		d.spells = append(d.spells, spell{from: at, until: back, errors: 0.015 + 0.03*draw(9), slower: 1.4})
	}
}

// stories are the large events, by service, relative to the shop's start:
//
//   - two weeks ago, on the evening peak, the card network failed for 38
//     minutes and took the checkout with it;
//   - 23 days ago the carrier's interface was flaky for two hours;
//   - four days ago a release made the search slower, and nobody has looked.
func stories(seed uint64, start time.Time) [][]spell {
	all := make([][]spell, len(services))
	add := func(name string, s spell) {
		i := serviceIndex[name]
		all[i] = append(all[i], s)
	}
	evening := ago(start, 14, 20, 12)
	// As bad as it takes to leave a few per cent of the budget, whether the
	// evening was busy or not.
	share := math.Min(0.7, 0.59/loadAt(seed, evening.Add(18*time.Minute)))
	add("payment", spell{from: evening, until: evening.Add(6 * time.Minute), errors: share / 3, add: 1.2})
	add("payment", spell{from: evening.Add(6 * time.Minute), until: evening.Add(31 * time.Minute), errors: share, add: 2.4})
	add("payment", spell{from: evening.Add(31 * time.Minute), until: evening.Add(38 * time.Minute), errors: 0.1, add: 0.4})

	carrier := ago(start, 23, 9, 40)
	add("shipping", spell{from: carrier, until: carrier.Add(2 * time.Hour), errors: 0.06, add: 0.3})

	slow := slowRelease(start)
	add("search", spell{from: slow, until: slow.Add(14 * 24 * time.Hour), slower: 1.27})
	return all
}

// slowRelease is when search was deployed with the regression.
func slowRelease(start time.Time) time.Time { return ago(start, 4, 14, 20) }

// gap is the stretch for which the history has no samples at all: the
// monitoring host was being moved, nine days before the start.
func gap(start time.Time) (from, until time.Time) {
	from = ago(start, 9, 3, 10)
	return from, from.Add(24 * time.Minute)
}

// ago is a wall-clock time in Tokyo, some days before the start.
func ago(start time.Time, days, hour, minute int) time.Time {
	wall := start.In(tokyo)
	return time.Date(wall.Year(), wall.Month(), wall.Day()-days, hour, minute, 0, 0, tokyo)
}

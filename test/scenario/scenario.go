// Package scenario makes up months of a service's life whose truth is known to
// the last event: what happened, what its scrapes saw, and when.
//
// A simulation moves pods through time. Each pod counts requests in two
// counters, as client libraries do, and is scraped; restarts, pods that come and
// go, outages, late scrapes and scrapes that fail are part of a Plan. What comes
// out are raw samples for a store and, beside them, the counts that an exact
// ledger must arrive at. It is for tests and measurements only.
package scenario

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
)

// Plan says what happens.
type Plan struct {
	Name     string
	Job      string    // of its series, so that several plans fit into one store
	From, To time.Time // whole minutes
	Scrape   time.Duration
	// Rate is how many requests come each second at a time, over all pods.
	Rate func(t time.Time) float64
	// Errors is the share of requests that fail at a time.
	Errors func(t time.Time) float64
	// Pods returns the pods that live at a time, by name. A name that was away and
	// comes back is a new process.
	Pods func(t time.Time) []string
	// Restarts reports whether a pod's process begins anew in the scrape interval
	// that ends at t.
	Restarts func(pod string, t time.Time) bool
	// Late is how much later than planned the scrape of time t comes; it must stay
	// under the scrape interval.
	Late func(t time.Time, r *rand.Rand) time.Duration
	// Down reports whether the scrapes at t do not happen at all.
	Down func(t time.Time) bool
	// Born has the counter of errors exist from a pod's start, at zero, rather than
	// from its first error.
	Born bool

	// Every is how long after the scrapes at a time the next ones come, where that
	// changes; otherwise it is Scrape.
	Every func(t time.Time) time.Duration
	// Apart has each pod scraped at a time of its own within the interval, as
	// servers do, and not all at once.
	Apart bool
	// Away reports whether a pod cannot be reached: its up is 0, and its counters
	// are missing.
	Away func(pod string, t time.Time) bool
	// Before is what the first pods have counted already when the scrapes begin.
	Before float64
	// Unit is how much one event adds to a counter, where that is not 1.
	Unit float64
	// Version is a label of a pod that is deployed anew when it changes: another
	// process, and other series, under the same name.
	Version func(pod string, t time.Time) string
	// Marked has series that are gone marked as stale, as servers do that scrape.
	Marked bool
	// Bare leaves out up; the counters are all there is.
	Bare bool
	// Tells has each process say when it began.
	Tells bool
	// Shape is how the service counts.
	Shape Shape
	// Schema is the resolution of a pod's native histograms at a time, 0 where nil.
	Schema func(pod string, t time.Time) int32
	// Twins are labels under which everything is scraped once more: the first are
	// those that are counted, and only its scrapes fail. The others lie elsewhere
	// in the interval.
	Twins []map[string]string
	// Target is under which labels a pod is scraped at a time, where not under its
	// job and name. Its job is what follows on that of the plan.
	Target func(pod string, t time.Time) map[string]string
}

// Sample is one value of one series.
type Sample struct {
	Series int // index into Scenario.Labels
	T      int64
	V      float64
	H      *histogram.Histogram // instead of V
}

// Count is what happened, or was seen.
type Count struct{ Total, Bad float64 }

// Span is a stretch of minutes since 1970, from included, to not.
type Span struct{ From, To int64 }

// Scenario is a plan as it came out.
type Scenario struct {
	Plan
	Labels  []map[string]string
	Samples []Sample // in order of time
	Gaps    []Span   // minutes whose scrapes did not happen, in order
	seen    []Count  // by minute: increments in the minute of the scrape that showed them
	passed  []Count  // by minute: what happened, seen or not
	Unseen  Count    // what no scrape could see: between a process' last scrape and its end
}

// process is one life of a pod.
type process struct {
	pod      string
	version  string
	began    time.Time
	good     float64
	bad      float64
	goodSeen float64
	badSeen  float64
}

type simulation struct {
	*Scenario
	r     *rand.Rand
	alive map[string]*process
	index map[string]int
	shown map[string]map[int]bool // by pod and twin: the series of its last scrape
	last  time.Time               // when scrapes were planned before, whether they happened or not
}

// Make runs a plan. The same plan and seed give the same scenario.
func Make(p Plan, seed uint64) *Scenario {
	if p.Scrape == 0 {
		p.Scrape = 30 * time.Second
	}
	s := &simulation{
		Scenario: &Scenario{Plan: p, seen: make([]Count, int(p.To.Sub(p.From)/time.Minute)+2),
			passed: make([]Count, int(p.To.Sub(p.From)/time.Minute)+2)},
		r:     rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // a simulation that can be repeated
		alive: map[string]*process{}, index: map[string]int{}, shown: map[string]map[int]bool{}, last: p.From,
	}
	if s.Unit == 0 {
		s.Unit = 1
	}
	s.start(p.From)
	s.scrape(p.From)
	s.scrapeTwins(p.From, false)
	for planned := s.next(p.From); !planned.After(p.To); planned = s.next(planned) {
		// Pods come, go and begin anew between two scrapes, amid the requests.
		middle := s.last.Add(planned.Sub(s.last) * 2 / 5)
		s.live(s.last, middle)
		s.turnOver(planned, middle)
		s.live(middle, planned)
		down := p.Down != nil && p.Down(planned)
		if down {
			s.gap(planned)
		} else {
			s.scrape(planned)
		}
		s.scrapeTwins(planned, down)
		s.last = planned
	}
	s.end()
	slices.SortStableFunc(s.Samples, func(a, b Sample) int { return cmp.Compare(a.T, b.T) })
	return s.Scenario
}

// next is when the scrapes after those of a time are planned.
func (s *simulation) next(t time.Time) time.Time {
	if s.Every != nil {
		return t.Add(s.Every(t))
	}
	return t.Add(s.Scrape)
}

// live lets the requests of a time happen.
func (s *simulation) live(begin, end time.Time) {
	total := poisson(s.r, s.Rate(begin)*end.Sub(begin).Seconds())
	share := 0.0
	if s.Errors != nil {
		share = s.Errors(begin)
	}
	bad := binomial(s.r, total, share)
	pods := s.pods()
	if len(pods) > 0 {
		minute := &s.passed[int(begin.Sub(s.From)/time.Minute)]
		minute.Total += total * s.Unit
		minute.Bad += bad * s.Unit
	}
	for i, p := range pods {
		g, b := part(total-bad, i, len(pods)), part(bad, i, len(pods))
		p.good += g * s.Unit
		p.bad += b * s.Unit
	}
}

func (s *simulation) pods() []*process {
	names := make([]string, 0, len(s.alive))
	for name := range s.alive {
		names = append(names, name)
	}
	slices.Sort(names)
	list := make([]*process, len(names))
	for i, name := range names {
		list[i] = s.alive[name]
	}
	return list
}

// part is the share of one of n in a whole number, so that all add up to it.
func part(whole float64, i, n int) float64 {
	v := math.Floor(whole / float64(n))
	if float64(i) < whole-v*float64(n) {
		v++
	}
	return v
}

// turnOver ends and begins processes: those that the scrapes of time t will show.
func (s *simulation) turnOver(t, at time.Time) {
	names := s.Pods(t)
	for name, p := range s.alive {
		if !slices.Contains(names, name) {
			s.lose(p)
			s.forget(name, at)
			delete(s.alive, name)
		}
	}
	for _, name := range names {
		p := s.alive[name]
		version := s.versionOf(name, t)
		if p != nil && (s.Restarts != nil && s.Restarts(name, t) || p.version != version) {
			s.lose(p)
			p = nil
		}
		if p == nil {
			s.alive[name] = &process{pod: name, version: version, began: at}
		}
	}
}

func (s *simulation) versionOf(pod string, t time.Time) string {
	if s.Version == nil {
		return ""
	}
	return s.Version(pod, t)
}

// start has the first pods. What they counted before, nobody saw happen.
func (s *simulation) start(t time.Time) {
	for i, name := range s.Pods(t) {
		p := &process{pod: name, version: s.versionOf(name, t), began: t.Add(-time.Hour)}
		p.good = s.Before * float64(i+1)
		p.bad = math.Floor(p.good / 1000)
		p.goodSeen, p.badSeen = p.good, p.bad
		s.alive[name] = p
	}
}

// lose counts what a process takes with it.
func (s *simulation) lose(p *process) {
	s.Unseen.Total += p.good + p.bad - p.goodSeen - p.badSeen
	s.Unseen.Bad += p.bad - p.badSeen
}

func (s *simulation) end() {
	for _, p := range s.alive {
		s.lose(p)
	}
}

// scrape has every pod scraped.
func (s *simulation) scrape(planned time.Time) {
	for i, p := range s.pods() {
		at := planned
		if s.Apart {
			at = at.Add(time.Duration(7919*i%9000) * time.Millisecond)
		}
		if s.Late != nil && planned.After(s.From) {
			at = at.Add(s.Late(planned, s.r))
		}
		s.visit(p, planned, at)
	}
}

// gap notes that the minutes up to t were not scraped.
func (s *simulation) gap(t time.Time) {
	end := t.Unix() / 60
	last := len(s.Gaps) - 1
	if last >= 0 && s.Gaps[last].To >= end-1 {
		s.Gaps[last].To = end
		return
	}
	s.Gaps = append(s.Gaps, Span{s.last.Unix() / 60, end})
}

// Seen is what the scrapes between two times showed: after from, up to and
// including to. It is what an exact ledger holds for these minutes.
func (s *Scenario) Seen(from, to time.Time) Count { return s.between(s.seen, from, to) }

// Happened is what happened between two times, on full minutes, to as many
// seconds as lie between two scrapes.
func (s *Scenario) Happened(from, to time.Time) Count { return s.between(s.passed, from, to) }

func (s *Scenario) between(minutes []Count, from, to time.Time) Count {
	var c Count
	first := max(int(from.Sub(s.From)/time.Minute), 0)
	last := min(int(to.Sub(s.From)/time.Minute), len(minutes))
	for m := first; m < last; m++ {
		c.Total += minutes[m].Total
		c.Bad += minutes[m].Bad
	}
	return c
}

// InGap reports whether a minute since 1970 begins within a gap, so that what was
// seen after it may have happened before.
func (s *Scenario) InGap(minute int64) bool {
	return slices.ContainsFunc(s.Gaps, func(g Span) bool { return minute > g.From && minute <= g.To })
}

// BeginsInGap reports whether a gap follows the very first scrape, so that a target
// that is new after it cannot be told from one that was there all along.
func (s *Scenario) BeginsInGap() bool { return s.InGap(s.From.Unix()/60 + 1) }

// Consumed is the share of the error budget of the whole scenario that the seen
// events spent, for an objective such as 0.999.
func (s *Scenario) Consumed(objective float64) float64 {
	c := s.Seen(s.From, s.To)
	if c.Total == 0 {
		return 0
	}
	return c.Bad / ((1 - objective) * c.Total)
}

// String names the scenario.
func (s *Scenario) String() string {
	return fmt.Sprintf("%s (%d series, %d samples)", s.Name, len(s.Labels), len(s.Samples))
}

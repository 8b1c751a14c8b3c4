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
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Plan says what happens.
type Plan struct {
	Name     string
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
}

// Sample is one value of one series.
type Sample struct {
	Series int // index into Scenario.Labels
	T      int64
	V      float64
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
	Gaps    []Span   // minutes whose scrapes did not happen
	seen    []Count  // by minute: increments in the minute of the scrape that showed them
	Unseen  Count    // what no scrape could see: between a process' last scrape and its end
}

// The counters of the simulated service.
const (
	Metric = "http_requests_total"
	Job    = "checkout"
)

// process is one life of a pod.
type process struct {
	pod      string
	good     float64
	bad      float64
	goodSeen float64
	badSeen  float64
	scraped  bool
}

type simulation struct {
	*Scenario
	r     *rand.Rand
	alive map[string]*process
	index map[string]int
}

// Make runs a plan. The same plan and seed give the same scenario.
func Make(p Plan, seed uint64) *Scenario {
	if p.Scrape == 0 {
		p.Scrape = 30 * time.Second
	}
	s := &simulation{
		Scenario: &Scenario{Plan: p, seen: make([]Count, int(p.To.Sub(p.From)/time.Minute)+2)},
		r:        rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // a simulation that can be repeated
		alive:    map[string]*process{}, index: map[string]int{},
	}
	s.start(p.From)
	s.scrape(p.From)
	for planned := p.From.Add(p.Scrape); !planned.After(p.To); planned = planned.Add(p.Scrape) {
		s.live(planned)
		s.turnOver(planned)
		if p.Down != nil && p.Down(planned) {
			s.gap(planned)
			continue
		}
		at := planned
		if p.Late != nil {
			at = at.Add(p.Late(planned, s.r))
		}
		s.scrape(at)
	}
	s.end()
	return s.Scenario
}

// live lets the requests of one scrape interval happen.
func (s *simulation) live(end time.Time) {
	begin := end.Add(-s.Scrape)
	total := poisson(s.r, s.Rate(begin)*s.Scrape.Seconds())
	share := 0.0
	if s.Errors != nil {
		share = s.Errors(begin)
	}
	bad := binomial(s.r, total, share)
	pods := s.pods()
	for i, p := range pods {
		g, b := part(total-bad, i, len(pods)), part(bad, i, len(pods))
		p.good += g
		p.bad += b
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

// turnOver ends and begins processes between two scrapes.
func (s *simulation) turnOver(t time.Time) {
	names := s.Pods(t)
	for name, p := range s.alive {
		if !slices.Contains(names, name) {
			s.lose(p)
			delete(s.alive, name)
		}
	}
	for _, name := range names {
		p := s.alive[name]
		if p != nil && s.Restarts != nil && s.Restarts(name, t) {
			s.lose(p)
			p = nil
		}
		if p == nil {
			s.alive[name] = &process{pod: name}
		}
	}
}

func (s *simulation) start(t time.Time) {
	for _, name := range s.Pods(t) {
		s.alive[name] = &process{pod: name}
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

// scrape writes what every pod shows.
func (s *simulation) scrape(at time.Time) {
	// A scrape on a full minute belongs to the minute that ends there.
	minute := int64((at.Sub(s.From) - 1) / time.Minute)
	for _, p := range s.pods() {
		s.sample(at, "up", p.pod, "", 1)
		s.sample(at, Metric, p.pod, "200", p.good)
		if s.Born || p.bad > 0 {
			s.sample(at, Metric, p.pod, "500", p.bad)
		}
		s.seen[minute].Total += p.good + p.bad - p.goodSeen - p.badSeen
		s.seen[minute].Bad += p.bad - p.badSeen
		p.goodSeen, p.badSeen, p.scraped = p.good, p.bad, true
	}
}

func (s *simulation) sample(at time.Time, name, pod, code string, v float64) {
	key := name + "\x00" + pod + "\x00" + code
	i, ok := s.index[key]
	if !ok {
		labels := map[string]string{"__name__": name, "job": Job, "instance": pod}
		if code != "" {
			labels["code"] = code
		}
		i = len(s.Labels)
		s.index[key] = i
		s.Labels = append(s.Labels, labels)
	}
	s.Samples = append(s.Samples, Sample{i, at.UnixMilli(), v})
}

// gap notes that the minutes up to t were not scraped.
func (s *simulation) gap(t time.Time) {
	end := t.Unix() / 60
	last := len(s.Gaps) - 1
	if last >= 0 && s.Gaps[last].To >= end-1 {
		s.Gaps[last].To = end
		return
	}
	s.Gaps = append(s.Gaps, Span{t.Add(-s.Scrape).Unix() / 60, end})
}

// Seen is what the scrapes between two times showed: after from, up to and
// including to. It is what an exact ledger holds for these minutes.
func (s *Scenario) Seen(from, to time.Time) Count {
	var c Count
	first := max(int(from.Sub(s.From)/time.Minute), 0)
	last := min(int(to.Sub(s.From)/time.Minute), len(s.seen))
	for m := first; m < last; m++ {
		c.Total += s.seen[m].Total
		c.Bad += s.seen[m].Bad
	}
	return c
}

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

// poisson draws the number of events where so many are expected.
func poisson(r *rand.Rand, expected float64) float64 {
	if expected <= 0 {
		return 0
	}
	if expected > 50 {
		return math.Max(0, math.Round(expected+math.Sqrt(expected)*r.NormFloat64()))
	}
	limit, product, n := math.Exp(-expected), r.Float64(), 0.0
	for product > limit {
		product *= r.Float64()
		n++
	}
	return n
}

// binomial draws how many of n fail with the given probability.
func binomial(r *rand.Rand, n, p float64) float64 {
	switch {
	case p <= 0 || n == 0:
		return 0
	case p >= 1:
		return n
	case n*p > 50 && n*(1-p) > 50:
		return math.Min(n, math.Max(0, math.Round(n*p+math.Sqrt(n*p*(1-p))*r.NormFloat64())))
	case n*p <= 50 && n > 1000:
		return math.Min(n, poisson(r, n*p))
	}
	bad := 0.0
	for range int(n) {
		if r.Float64() < p {
			bad++
		}
	}
	return bad
}

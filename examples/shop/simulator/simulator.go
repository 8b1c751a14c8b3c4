// Package simulator plays the live traffic of the example shop.
//
// A Shop is twelve services whose counters are a function of a seed, of the
// moment the shop was founded, and of the faults somebody ordered; of nothing
// else. The same function writes the history of the past weeks and answers the
// scrapes of today, so the two join without a seam and without a reset. It
// knows nothing of Teiten: it is what Teiten is pointed at.
package simulator

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"
)

// Tick is the grain of the simulation: what happens within one tick happens
// evenly spread over it, and faults begin and end on its border.
const Tick = 15 * time.Second

// Past is how long before its start a shop's counters begin.
const Past = 35 * 24 * time.Hour

// Fault is trouble that somebody ordered for one service.
type Fault struct {
	Service string        `json:"service"`
	Errors  float64       `json:"errors"`  // share of requests that fail, 0 to 1
	Latency time.Duration `json:"latency"` // added to every request
	From    time.Time     `json:"from"`
	Until   time.Time     `json:"until"`
}

// Active reports whether the fault is in force at t.
func (f Fault) Active(t time.Time) bool {
	return !t.Before(f.From) && t.Before(f.Until)
}

// Shop is the simulated company. Its methods may be called concurrently.
type Shop struct {
	seed   uint64
	start  time.Time
	origin time.Time
	series []map[string]string

	mu     sync.Mutex
	faults []Fault
	live   *engine   // advanced by Values, on demand
	last   time.Time // newest moment handed out, so that a clock set back repeats it
}

// New returns a shop. It does no work until values are asked for.
func New(o State) *Shop {
	start := o.Start.UTC().Truncate(time.Minute)
	s := &Shop{
		seed:   o.Seed,
		start:  start,
		origin: start.Add(-Past),
		series: layout(),
		faults: append([]Fault(nil), o.Faults...),
	}
	return s
}

// Origin is the moment at which every counter was zero.
func (s *Shop) Origin() time.Time { return s.origin }

// Series lists the labels of every series, in the order of the values that
// History and Values return. It includes __name__, and the job and instance
// labels that a scrape of the live shop is configured to add.
func (s *Shop) Series() []map[string]string { return s.series }

// Services lists the names of the services, in the order of the call graph:
// a service comes after those it depends on.
func Services() []string {
	names := make([]string, len(services))
	for i := range services {
		names[i] = services[i].name
	}
	return names
}

// Values returns the value of every series at t and the moment they are true
// for. That is t itself, except when t lies before a moment that was asked for
// already (the clock was set back): then it is that later moment, because a
// counter never decreases.
func (s *Shop) Values(t time.Time) ([]float64, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.at(t)
	return e.values(s.last, make([]float64, len(s.series))), s.last
}

// at advances the live engine to t and returns it; s.mu is held.
func (s *Shop) at(t time.Time) *engine {
	if s.live == nil {
		s.live = newEngine(s.seed, s.start, s.origin, s.faults)
	}
	if t.After(s.last) {
		s.last = t
	}
	s.live.advanceTo(s.last)
	return s.live
}

// Break orders a fault that begins on the next tick after now and lasts for
// the given time. It returns the fault as it will happen.
func (s *Shop) Break(now time.Time, service string, failing float64, latency, lasting time.Duration) (Fault, error) {
	if _, ok := serviceIndex[service]; !ok {
		return Fault{}, fmt.Errorf("there is no service %q", service)
	}
	switch {
	case math.IsNaN(failing) || failing < 0 || failing > 1:
		return Fault{}, errors.New("the share of errors must be between 0% and 100%")
	case latency < 0 || latency > time.Minute:
		return Fault{}, errors.New("the latency must be between 0s and 1m")
	case failing == 0 && latency == 0:
		return Fault{}, errors.New("a fault needs errors, latency, or both")
	case lasting < Tick || lasting > 7*24*time.Hour:
		return Fault{}, fmt.Errorf("the duration must be between %s and 168h", Tick)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.next(now)
	f := Fault{Service: service, Errors: failing, Latency: latency, From: from, Until: from.Add(lasting.Truncate(Tick))}
	s.faults = append(s.faults, f)
	s.live.faults = s.faults
	return f, nil
}

// Heal ends the active faults of a service, or of all services when the name
// is empty, on the next tick after now. It returns the faults it ended.
func (s *Shop) Heal(now time.Time, service string) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := s.next(now)
	var ended []Fault
	faults := append([]Fault(nil), s.faults...)
	for i := range faults {
		f := &faults[i]
		if (service != "" && f.Service != service) || !f.Until.After(until) {
			continue
		}
		f.Until = until
		if f.From.After(until) {
			f.From = until
		}
		ended = append(ended, *f)
	}
	s.faults, s.live.faults = faults, faults
	return ended
}

// restore puts back the faults as they were before a change that begins on a
// tick to come.
func (s *Shop) restore(faults []Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
	if s.live != nil {
		s.live.faults = faults
	}
}

// next is the first tick border whose counts are not settled yet; s.mu is held.
func (s *Shop) next(now time.Time) time.Time {
	e := s.at(now)
	return e.tickStart(e.k + 1)
}

// Faults returns every fault ordered so far, oldest first.
func (s *Shop) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Fault(nil), s.faults...)
}

// layout names the series. The engine fills values in this same order.
func layout() []map[string]string {
	var all []map[string]string
	add := func(name string, pairs ...string) {
		labels := map[string]string{"__name__": name, "job": "shop", "instance": "shop"}
		for i := 0; i < len(pairs); i += 2 {
			labels[pairs[i]] = pairs[i+1]
		}
		all = append(all, labels)
	}
	for i := range services {
		s := &services[i]
		for _, code := range s.codes() {
			add("http_requests_total", "service", s.name, "code", code)
		}
		for _, le := range s.buckets {
			add("http_request_duration_seconds_bucket", "service", s.name, "le", formatLe(le))
		}
		add("http_request_duration_seconds_bucket", "service", s.name, "le", "+Inf")
		add("http_request_duration_seconds_count", "service", s.name)
		add("http_request_duration_seconds_sum", "service", s.name)
		add("deployments_total", "service", s.name)
		add("container_cpu_usage_ratio", "service", s.name)
		add("container_memory_working_set_bytes", "service", s.name)
	}
	for _, q := range queues {
		add("queue_depth", "queue", q.name)
	}
	for _, p := range pools {
		add("db_connections_in_use", "pool", p.name)
	}
	return all
}

// formatLe writes a bucket border the way Prometheus normalises it.
func formatLe(le float64) string {
	text := strconv.FormatFloat(le, 'g', -1, 64)
	if le == math.Trunc(le) {
		text += ".0"
	}
	return text
}

package simulator

import (
	"math"
	"time"
)

// perService is how many series each service has; see layout.
const perService = 4 + 5 + 1 + 2 + 3

// Offsets of a service's series within its block.
const (
	atCodes   = 0
	atBuckets = 4
	atInf     = 9
	atCount   = 10
	atSum     = 11
	atDeploys = 12
	atCPU     = 13
	atMemory  = 14
)

// engine walks from the origin tick by tick. base holds every counter at the
// beginning of tick k, inc what tick k adds; gauges stand in base alone.
type engine struct {
	seed   uint64
	origin time.Time
	faults []Fault
	k      int64
	base   []float64
	inc    []float64

	stories [][]spell
	today   int64 // Tokyo's day number that days was planned for
	days    []day
	slowAt  time.Time

	state   []condition // of each service in tick k
	shapes  []map[shapeKey]shape
	deploy  []time.Time // newest deployment of each service
	backlog []float64
}

// condition is how a service fares in one tick, its dependencies included.
type condition struct {
	own, inherited float64 // shares of requests that fail
	add            float64 // seconds
	slower         float64
	requests       float64
}

type shapeKey struct{ slower, add int32 }

// shape is the distribution of durations under one condition.
type shape struct {
	below [5]float64 // share of requests up to each bucket's border
	mean  float64
}

func newEngine(seed uint64, start, origin time.Time, faults []Fault) *engine {
	n := len(services)
	e := &engine{
		seed: seed, origin: origin, faults: faults, k: -1,
		base:    make([]float64, n*perService+len(queues)+len(pools)),
		inc:     make([]float64, n*perService+len(queues)+len(pools)),
		stories: stories(seed, start), today: math.MinInt64, days: make([]day, n), slowAt: slowRelease(start),
		state: make([]condition, n), shapes: make([]map[shapeKey]shape, n),
		deploy: make([]time.Time, n), backlog: make([]float64, len(queues)),
	}
	for i := range n {
		e.shapes[i] = map[shapeKey]shape{}
		// Somebody deployed before the counters began, too.
		e.deploy[i] = origin.Add(-time.Duration(uniform(hash(seed, 3, uint64(i))) * 96 * float64(time.Hour)))
	}
	e.step()
	return e
}

func (e *engine) tickStart(k int64) time.Time { return e.origin.Add(time.Duration(k) * Tick) }

// advanceTo makes the tick that contains t the current one.
func (e *engine) advanceTo(t time.Time) {
	for want := int64(t.Sub(e.origin) / Tick); e.k < want; {
		e.step()
	}
}

// values writes every series' value at t, which lies in the current tick.
// Counts stay whole numbers, and sums of parts never exceed their whole.
func (e *engine) values(t time.Time, out []float64) []float64 {
	part := float64(t.Sub(e.tickStart(e.k))) / float64(Tick)
	part = math.Max(0, math.Min(part, 1))
	for i, b := range e.base {
		out[i] = b
		if add := e.inc[i]; add != 0 {
			out[i] += math.Floor(add * part)
		}
	}
	for s := range services {
		i := s*perService + atSum
		out[i] = e.base[i] + e.inc[i]*part
	}
	return out
}

// step settles the current tick and works out the next one.
func (e *engine) step() {
	for i, add := range e.inc {
		e.base[i] += add
	}
	e.k++
	t := e.tickStart(e.k)
	if number := (t.Unix() + 9*60*60) / 86400; number != e.today {
		e.today = number
		for i := range services {
			e.days[i] = plan(e.seed, i, t)
		}
		if search := serviceIndex["search"]; (e.slowAt.Unix()+9*60*60)/86400 == number {
			e.days[search].deployments = append(e.days[search].deployments, e.slowAt)
		}
	}
	load := loadAt(e.seed, t)
	for i := range services {
		e.service(i, t, load)
	}
	for i := range queues {
		e.queue(i)
	}
	for i := range pools {
		e.pool(i)
	}
}

// service works out tick k of one service.
func (e *engine) service(i int, t time.Time, load float64) {
	s, c := &services[i], e.condition(i, t, load)
	inc, now := e.inc[i*perService:], e.base[i*perService:]
	draw := func(what uint64) uint64 { return hash(e.seed, 4, uint64(i), uint64(e.k), what) }

	n := count(draw(1), -1, s.rate*load*Tick.Seconds())
	failed := count(draw(2), n, 1-(1-c.own)*(1-c.inherited))
	upstream := 0.0
	if c.inherited > 0 {
		upstream = math.Round(failed * c.inherited / (c.own + c.inherited))
	}
	refused := count(draw(3), n-failed, s.clientRate)
	inc[atCodes], inc[atCodes+1] = n-failed-refused, refused
	inc[atCodes+2], inc[atCodes+3] = failed-upstream, upstream

	sh := e.shape(i, c)
	u := uniform(draw(4))
	for b, below := range sh.below {
		inc[atBuckets+b] = math.Floor(n*below + u) // one u for all borders keeps them in order
	}
	inc[atInf], inc[atCount], inc[atSum] = n, n, n*sh.mean

	inc[atDeploys] = 0
	for _, at := range e.days[i].deployments {
		if !at.Before(t) && at.Before(t.Add(Tick)) {
			inc[atDeploys]++
			e.deploy[i] = at
		}
	}
	c.requests = n
	e.state[i] = c

	busy := s.cpu * (0.25 + 0.75*load*math.Sqrt(c.slower))
	now[atCPU] = math.Round(math.Min(0.98, busy*(1+0.05*normal(draw(5))))*1e4) / 1e4
	age := t.Sub(e.deploy[i]).Hours() / 24
	now[atMemory] = math.Round(s.memory * (1 + s.leak*math.Min(age, 12) + 0.01*load))
}

// condition adds up the spells, the ordered faults and the dependencies.
func (e *engine) condition(i int, t time.Time, load float64) condition {
	s := &services[i]
	c := condition{slower: 1 + 0.06*math.Max(0, load-1)}
	good := 1 - s.errorRate
	apply := func(sp spell) {
		if !sp.holds(t) {
			return
		}
		good *= 1 - sp.errors
		c.add += sp.add
		if sp.slower > 0 {
			c.slower *= sp.slower
		}
	}
	for _, sp := range e.stories[i] {
		apply(sp)
	}
	for _, sp := range e.days[i].spells {
		apply(sp)
	}
	for _, f := range e.faults {
		if f.Service == s.name && f.Active(t) {
			good *= 1 - f.Errors
			c.add += f.Latency.Seconds()
		}
	}
	c.own = 1 - good

	inheritedGood := 1.0
	for _, call := range resolved[i] {
		d := &e.state[call.on]
		base := services[call.on].errorRate
		// What a dependency loses in ordinary times is in the caller's own rate.
		lost := math.Max(0, 1-(1-d.own)*(1-d.inherited)-base*1.5)
		if d.add > 0 {
			lost += (1 - lost) * beyond(&services[call.on], d, call.timeout)
		}
		inheritedGood *= 1 - call.share*lost
		c.add += call.share * math.Min(d.add, call.timeout)
	}
	c.inherited = 1 - inheritedGood
	return c
}

// beyond is the share of a dependency's requests that take longer than limit
// seconds under condition c.
func beyond(s *service, c *condition, limit float64) float64 {
	return 1 - logNormal((limit-c.add)/(s.median*c.slower), s.sigma)
}

// shape looks up, or works out, how durations are distributed under c.
func (e *engine) shape(i int, c condition) shape {
	s := &services[i]
	key := shapeKey{slower: int32(math.Round(c.slower * 64)), add: int32(math.Round(c.add * 1000))}
	if known, ok := e.shapes[i][key]; ok {
		return known
	}
	median, add := s.median*float64(key.slower)/64, float64(key.add)/1000
	sh := shape{mean: add + median*math.Exp(s.sigma*s.sigma/2)}
	for b, border := range s.buckets {
		sh.below[b] = logNormal((border-add)/median, s.sigma)
	}
	e.shapes[i][key] = sh
	return sh
}

// logNormal is the distribution function at x medians.
func logNormal(x, sigma float64) float64 {
	if x <= 0 {
		return 0
	}
	return 0.5 * math.Erfc(-math.Log(x)/(sigma*math.Sqrt2))
}

// queue fills and empties one queue over tick k.
func (e *engine) queue(i int) {
	q, ends := queues[i], queueEnds[i]
	from, to := e.state[ends[0]], e.state[ends[1]]
	arrived := from.requests * (1 - from.own) * (1 - from.inherited) * q.perRequest
	pace := services[ends[0]].rate * q.perRequest * q.headroom * Tick.Seconds()
	slowed := 1 + to.add/(services[ends[1]].median*2)
	pace *= (1 - to.own) * (1 - to.inherited) / slowed
	e.backlog[i] = math.Max(0, e.backlog[i]+arrived-pace)
	waiting := math.Round(arrived / 15 * (1 + 2*uniform(hash(e.seed, 5, uint64(i), uint64(e.k)))))
	e.base[len(services)*perService+i] = math.Floor(e.backlog[i]) + waiting
}

// pool counts the connections that are busy in tick k.
func (e *engine) pool(i int) {
	busy := 2.0
	for _, u := range poolUsers[i] {
		c, s := e.state[u], &services[u]
		busy += c.requests / Tick.Seconds() * (s.median*c.slower*0.6 + c.add*0.5)
	}
	busy *= 1 + 0.08*normal(hash(e.seed, 6, uint64(i), uint64(e.k)))
	e.base[len(services)*perService+len(queues)+i] = math.Round(math.Max(1, math.Min(busy, pools[i].size)))
}

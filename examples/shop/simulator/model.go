package simulator

// service is how one service behaves when nothing is wrong.
type service struct {
	name       string
	rate       float64 // requests a second, averaged over a week
	clientCode string  // the 4xx that its callers provoke
	clientRate float64 // share of requests that end so
	errorRate  float64 // share of requests that fail by themselves
	median     float64 // seconds
	sigma      float64 // of the logarithm of the duration
	buckets    [5]float64
	deploys    float64 // a week
	cpu        float64 // cores' share at mean load
	memory     float64 // bytes after a deployment
	leak       float64 // growth of memory a day since then
	calls      []call
}

// call is a dependency: the share of the caller's requests that need it, and
// how long the caller waits before it gives up.
type call struct {
	on      string
	share   float64
	timeout float64 // seconds
}

func (s *service) codes() [4]string { return [4]string{"200", s.clientCode, "500", "503"} }

const mib = 1 << 20

// services is the call graph, leaves first.
var services = []service{
	{
		name: "inventory", rate: 6, clientCode: "409", clientRate: 0.004, errorRate: 0.00031,
		median: 0.018, sigma: 0.75, buckets: [5]float64{0.025, 0.05, 0.1, 0.25, 1}, deploys: 1,
		cpu: 0.12, memory: 310 * mib, leak: 0.004,
	},
	{
		name: "payment", rate: 1.5, clientCode: "402", clientRate: 0.031, errorRate: 0.00006,
		median: 0.42, sigma: 0.5, buckets: [5]float64{0.25, 0.5, 1, 2.5, 5}, deploys: 0.8,
		cpu: 0.09, memory: 420 * mib, leak: 0.003,
	},
	{
		name: "shipping", rate: 1.4, clientCode: "422", clientRate: 0.006, errorRate: 0.0017,
		median: 0.12, sigma: 0.7, buckets: [5]float64{0.1, 0.25, 0.5, 1, 2.5}, deploys: 0.7,
		cpu: 0.06, memory: 260 * mib, leak: 0.002,
	},
	{
		name: "accounts", rate: 3.6, clientCode: "401", clientRate: 0.047, errorRate: 0.00026,
		median: 0.085, sigma: 0.62, buckets: [5]float64{0.05, 0.1, 0.25, 0.5, 1}, deploys: 1,
		cpu: 0.14, memory: 380 * mib, leak: 0.003,
	},
	{
		name: "notification", rate: 2.1, clientCode: "400", clientRate: 0.002, errorRate: 0.0013,
		median: 0.35, sigma: 0.8, buckets: [5]float64{0.25, 0.5, 1, 2.5, 10}, deploys: 1,
		cpu: 0.05, memory: 190 * mib, leak: 0.002,
	},
	{
		name: "recommendation", rate: 10, clientCode: "404", clientRate: 0.001, errorRate: 0.0036,
		median: 0.11, sigma: 0.6, buckets: [5]float64{0.05, 0.1, 0.25, 0.5, 1}, deploys: 2,
		cpu: 0.38, memory: 1400 * mib, leak: 0.045,
	},
	{
		name: "catalog", rate: 22, clientCode: "404", clientRate: 0.012, errorRate: 0.00011,
		median: 0.032, sigma: 0.7, buckets: [5]float64{0.025, 0.05, 0.1, 0.25, 1}, deploys: 2,
		cpu: 0.27, memory: 640 * mib, leak: 0.004,
		calls: []call{{on: "inventory", share: 0.05, timeout: 1}},
	},
	{
		name: "search", rate: 8, clientCode: "400", clientRate: 0.003, errorRate: 0.0014,
		median: 0.095, sigma: 0.48, buckets: [5]float64{0.05, 0.1, 0.25, 0.5, 1}, deploys: 2,
		cpu: 0.44, memory: 2100 * mib, leak: 0.006,
		calls: []call{{on: "catalog", share: 0.3, timeout: 1}},
	},
	{
		name: "cart", rate: 5.2, clientCode: "404", clientRate: 0.003, errorRate: 0.0001,
		median: 0.028, sigma: 0.72, buckets: [5]float64{0.025, 0.05, 0.1, 0.25, 1}, deploys: 1,
		cpu: 0.13, memory: 300 * mib, leak: 0.003,
		calls: []call{{on: "inventory", share: 0.2, timeout: 1}},
	},
	{
		name: "checkout", rate: 1.6, clientCode: "409", clientRate: 0.008, errorRate: 0.0002,
		median: 0.24, sigma: 0.5, buckets: [5]float64{0.1, 0.25, 0.5, 1, 2.5}, deploys: 2,
		cpu: 0.11, memory: 450 * mib, leak: 0.003,
		calls: []call{
			{on: "cart", share: 1, timeout: 2}, {on: "payment", share: 0.62, timeout: 3},
			{on: "inventory", share: 0.8, timeout: 2}, {on: "shipping", share: 0.1, timeout: 3},
			{on: "accounts", share: 0.3, timeout: 2},
		},
	},
	{
		name: "storefront", rate: 30, clientCode: "404", clientRate: 0.014, errorRate: 0.00024,
		median: 0.19, sigma: 0.55, buckets: [5]float64{0.1, 0.25, 0.5, 1, 2.5}, deploys: 4,
		cpu: 0.35, memory: 720 * mib, leak: 0.006,
		calls: []call{
			{on: "catalog", share: 0.55, timeout: 2}, {on: "search", share: 0.04, timeout: 2},
			{on: "accounts", share: 0.03, timeout: 2}, {on: "recommendation", share: 0.001, timeout: 0.5},
		},
	},
	{
		name: "gateway", rate: 44, clientCode: "404", clientRate: 0.018, errorRate: 0.00007,
		median: 0.2, sigma: 0.55, buckets: [5]float64{0.1, 0.25, 0.5, 1, 2.5}, deploys: 0.6,
		cpu: 0.22, memory: 240 * mib, leak: 0.001,
		calls: []call{
			{on: "storefront", share: 0.68, timeout: 10}, {on: "checkout", share: 0.036, timeout: 10},
			{on: "accounts", share: 0.05, timeout: 10}, {on: "search", share: 0.1, timeout: 10},
			{on: "cart", share: 0.1, timeout: 10},
		},
	},
}

// queue is work that waits between two services: producer fills it, consumer
// empties it at up to headroom times the usual pace.
type queue struct {
	name, producer, consumer string
	perRequest, headroom     float64
}

var queues = []queue{
	{name: "order-events", producer: "checkout", consumer: "shipping", perRequest: 0.9, headroom: 3.4},
	{name: "mail", producer: "checkout", consumer: "notification", perRequest: 1.3, headroom: 3},
	{name: "stock-updates", producer: "inventory", consumer: "catalog", perRequest: 0.15, headroom: 5},
}

// pool is a database's connections, used by the services named.
type pool struct {
	name  string
	size  float64
	users []string
}

var pools = []pool{
	{name: "orders", size: 80, users: []string{"checkout", "payment", "shipping"}},
	{name: "catalog", size: 120, users: []string{"catalog", "inventory"}},
	{name: "accounts", size: 60, users: []string{"accounts", "cart"}},
}

// serviceIndex finds a service by its name; resolved holds each service's
// calls with the index of the callee.
var (
	serviceIndex = indexServices()
	resolved     = resolveCalls()
	queueEnds    = resolveQueues()
	poolUsers    = resolvePools()
)

type resolvedCall struct {
	on             int
	share, timeout float64
}

func indexServices() map[string]int {
	index := map[string]int{}
	for i := range services {
		index[services[i].name] = i
	}
	return index
}

func resolveCalls() [][]resolvedCall {
	all := make([][]resolvedCall, len(services))
	for i := range services {
		for _, c := range services[i].calls {
			on, ok := serviceIndex[c.on]
			if !ok || on >= i {
				panic("simulator: " + services[i].name + " calls " + c.on + ", which must stand before it")
			}
			all[i] = append(all[i], resolvedCall{on: on, share: c.share, timeout: c.timeout})
		}
	}
	return all
}

func resolveQueues() [][2]int {
	ends := make([][2]int, len(queues))
	for i, q := range queues {
		ends[i] = [2]int{serviceIndex[q.producer], serviceIndex[q.consumer]}
	}
	return ends
}

func resolvePools() [][]int {
	users := make([][]int, len(pools))
	for i, p := range pools {
		for _, u := range p.users {
			users[i] = append(users[i], serviceIndex[u])
		}
	}
	return users
}

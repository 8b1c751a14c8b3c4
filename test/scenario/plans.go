package scenario

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Plans are the stories that an engine must get right, each over the given days
// from a Monday, with the end on a full hour.
func Plans(from time.Time, days int) []Plan {
	to := from.AddDate(0, 0, days)
	middle := from.AddDate(0, 0, days/2)
	base := Plan{From: from, To: to, Rate: steady(20), Errors: always(0.0005), Pods: fixed("a", "b", "c")}
	plan := func(name string, change func(p *Plan)) Plan {
		p := base
		p.Name = name
		change(&p)
		return p
	}
	return []Plan{
		plan("flat", func(*Plan) {}),
		plan("outage at night", func(p *Plan) {
			p.Rate = daily(0.5, 50)
			p.Errors = outage(middle.Add(2*time.Hour), time.Hour, 1, 0.0001)
		}),
		plan("half an outage at peak", func(p *Plan) {
			p.Rate = daily(0.5, 50)
			p.Errors = outage(middle.Add(13*time.Hour), 20*time.Minute, 0.5, 0.0001)
		}),
		plan("low traffic", func(p *Plan) {
			p.Rate, p.Pods = steady(36.0/3600), fixed("a")
		}),
		plan("idle nights", func(p *Plan) {
			p.Rate = func(t time.Time) float64 {
				if h := t.Hour(); h < 6 || h >= 22 {
					return 0
				}
				return 5
			}
		}),
		plan("pods come and go", func(p *Plan) {
			p.Errors = outage(middle, 3*time.Hour, 0.1, 0.0005)
			p.Pods = replaced(3, 4*time.Hour, from)
		}),
		plan("restarts", func(p *Plan) {
			p.Restarts = func(pod string, t time.Time) bool {
				return t.Sub(from)%(97*time.Minute) < 30*time.Second && pod == "b"
			}
		}),
		plan("outage inside a scrape gap", func(p *Plan) {
			p.Errors = outage(middle.Add(30*time.Minute), time.Hour, 1, 0)
			p.Down = during(middle, 2*time.Hour)
		}),
		plan("late scrapes", func(p *Plan) {
			p.Scrape = 45 * time.Second
			p.Late = func(_ time.Time, r *rand.Rand) time.Duration { return time.Duration(r.Int64N(int64(40 * time.Second))) }
		}),
		plan("scrapes rarer than minutes", func(p *Plan) { p.Scrape = 90 * time.Second }),
		plan("targets move", func(p *Plan) { p.Pods = replaced(1, 11*time.Hour, from) }),
		plan("no error ever", func(p *Plan) { p.Errors = always(0) }),
		plan("every request fails", func(p *Plan) { p.Errors = always(1) }),
	}
}

// Adversities are stories in which something is awkward: how samples come, what
// counters do, or both at a time. Of all of them the truth is known, too.
func Adversities(from time.Time, days int) []Plan {
	to := from.AddDate(0, 0, days)
	middle := from.AddDate(0, 0, days/2)
	base := Plan{From: from, To: to, Rate: steady(20), Errors: always(0.0005), Pods: fixed("a", "b", "c"), Apart: true}
	plan := func(name string, change func(p *Plan)) Plan {
		p := base
		p.Name = name
		change(&p)
		return p
	}
	crash := func(each time.Duration, pod string) func(string, time.Time) bool { return crash(from, each, pod) }
	return []Plan{
		plan("counters are old when the store begins", func(p *Plan) { p.Before = 1e6 }),
		plan("restarts that are marked", func(p *Plan) {
			p.Marked, p.Restarts = true, crash(41*time.Minute, "b")
		}),
		plan("restarts in an outage", func(p *Plan) {
			p.Errors, p.Restarts = outage(middle, 6*time.Hour, 0.3, 0.0001), crash(17*time.Minute, "a")
		}),
		plan("restarts that say so", func(p *Plan) {
			p.Tells, p.Restarts = true, crash(13*time.Minute, "c")
		}),
		plan("deployments change a label", func(p *Plan) {
			p.Marked = true
			p.Version = func(_ string, t time.Time) string { return fmt.Sprint("v", t.Sub(from)/(7*time.Hour)) }
		}),
		plan("deployments in a gap", func(p *Plan) {
			p.Pods, p.Down = replaced(3, 5*time.Hour, from), during(middle, 3*time.Hour)
			p.Errors = outage(middle.Add(time.Hour), time.Hour, 1, 0)
		}),
		plan("a gap of more than a day", func(p *Plan) {
			p.Pods, p.Down = replaced(2, 9*time.Hour, from), during(from.Add(10*time.Hour), 26*time.Hour)
			p.Tells = true
		}),
		plan("many short gaps", func(p *Plan) {
			p.Down = func(t time.Time) bool {
				return t.Sub(from)%(53*time.Minute) < 5*time.Minute && t.After(from.Add(time.Hour))
			}
		}),
		plan("a pod that cannot be reached", func(p *Plan) {
			p.Marked = true
			p.Away = func(pod string, t time.Time) bool { return pod == "b" && t.Sub(from)%(3*time.Hour) > 160*time.Minute }
		}),
		plan("a pod that cannot be reached, unmarked", func(p *Plan) {
			p.Away = func(pod string, t time.Time) bool { return pod == "b" && t.Sub(from)%(3*time.Hour) > 160*time.Minute }
		}),
		plan("the interval becomes longer", func(p *Plan) {
			p.Every = func(t time.Time) time.Duration {
				if t.Before(middle) {
					return 15 * time.Second
				}
				return time.Minute
			}
		}),
		plan("scrapes every two minutes", func(p *Plan) { p.Scrape = 2 * time.Minute }),
		plan("scrapes every five minutes", func(p *Plan) { p.Scrape = 5 * time.Minute }),
		plan("jitter of milliseconds", func(p *Plan) {
			p.Late = func(_ time.Time, r *rand.Rand) time.Duration { return time.Duration(r.Int64N(999)) * time.Millisecond }
		}),
		plan("no up", func(p *Plan) {
			p.Bare, p.Pods, p.Restarts = true, replaced(3, 6*time.Hour, from), crash(59*time.Minute, "a")
		}),
		plan("counters beyond whole numbers", func(p *Plan) { p.Before, p.Unit = 1<<60, 1<<12 }),
		plan("counters of halves", func(p *Plan) { p.Unit = 0.5 }),
		plan("a service that ends for ever", func(p *Plan) {
			p.Marked = true
			p.Pods = func(t time.Time) []string {
				if t.After(middle) {
					return nil
				}
				return []string{"a", "b"}
			}
		}),
		plan("pods of a minute", func(p *Plan) {
			p.Pods = func(t time.Time) []string {
				names := []string{"a"}
				if n := t.Sub(from) / time.Minute; n%5 == 1 && n > 10 {
					names = append(names, fmt.Sprint("job-", n))
				}
				return names
			}
		}),
		plan("a crash loop of a quiet service", func(p *Plan) {
			p.Tells, p.Rate, p.Errors = true, steady(0.5), always(0.3)
			p.Restarts = crash(6*time.Minute, "a")
		}),
	}
}

// Shapes are stories of services that count in other ways than by codes, and of
// targets with other labels than a job and an instance.
func Shapes(from time.Time, days int) []Plan {
	to := from.AddDate(0, 0, days)
	middle := from.Add(to.Sub(from) / 2)
	base := Plan{From: from, To: to, Rate: steady(20), Errors: outage(middle, 3*time.Hour, 0.2, 0.0005), Pods: fixed("a", "b", "c"), Apart: true}
	var plans []Plan
	plan := func(name string, change func(p *Plan)) {
		p := base
		p.Name = name
		change(&p)
		plans = append(plans, p)
	}
	for i, shape := range []string{"failures apart", "ten counters", "classic histograms", "native histograms"} {
		name := Split + Shape(i)
		plan(shape, func(p *Plan) { p.Shape = name })
		plan(shape+", restarts", func(p *Plan) { p.Shape, p.Restarts = name, crash(from, 23*time.Minute, "b") })
		if name != ManyCodes { // a counter that most scrapes do not show tells too little of such lives
			plan(shape+", short lives", func(p *Plan) { p.Shape, p.Restarts, p.Marked = name, crash(from, 3*time.Minute, "a"), true })
		}
		plan(shape+", pods come and go in a gap", func(p *Plan) {
			p.Shape, p.Pods, p.Down = name, replaced(3, 5*time.Hour, from), during(middle, 2*time.Hour)
		})
	}
	plan("native histograms of other resolutions", func(p *Plan) {
		p.Shape = Native
		p.Schema = func(pod string, t time.Time) int32 { return int32((t.Sub(from)/(95*time.Minute))%5) - 1 }
	})
	plan("counters of tenths", func(p *Plan) { p.Unit = 0.1 })
	for _, every := range []time.Duration{5 * time.Second, 15 * time.Second} {
		plan(fmt.Sprintf("scrapes every %s", every), func(p *Plan) {
			p.Scrape, p.Pods = every, fixed("a")
			p.Restarts = func(_ string, t time.Time) bool { return t.Sub(from)%(2*time.Hour) < every }
		})
	}
	replicas := []map[string]string{{"replica": "a"}, {"replica": "b"}}
	plan("replicas", func(p *Plan) { p.Twins, p.Pods = replicas, replaced(2, 7*time.Hour, from) })
	plan("a replica that was away", func(p *Plan) {
		p.Twins, p.Before, p.Down = replicas, 1e5, during(middle, 2*time.Hour)
	})
	plan("a replica that was away for some scrapes", func(p *Plan) {
		p.Twins, p.Before = replicas, 1e5
		p.Down = func(t time.Time) bool {
			return t.Sub(from)%(47*time.Minute) < 95*time.Second && t.After(from.Add(time.Hour))
		}
	})
	plan("clusters with the same addresses", func(p *Plan) {
		p.Twins, p.Pods, p.Restarts = []map[string]string{{"cluster": "a"}, {"cluster": "b"}}, replaced(2, 3*time.Hour, from), crash(from, 50*time.Minute, "pod-0-2")
	})
	elsewhere := func(job string, each time.Duration) func(string, time.Time) map[string]string {
		return func(pod string, t time.Time) map[string]string {
			n := int(t.Sub(from) / each)
			ls := map[string]string{"job": Job, "instance": fmt.Sprintf("%s-%d", pod, n)}
			if job != "" {
				ls["instance"] = pod
			}
			ls["job"] = [2]string{"", job}[n%2]
			return ls
		}
	}
	for _, tells := range []bool{false, true} {
		more := map[bool]string{true: " and says so"}[tells]
		plan("a process moves to another address"+more, func(p *Plan) {
			p.Target, p.Marked, p.Tells, p.Before = elsewhere("", 5*time.Hour), true, tells, 1e6
		})
		plan("a process moves to another job"+more, func(p *Plan) {
			p.Target, p.Marked, p.Tells, p.Before = elsewhere(moved, 11*time.Hour), true, tells, 1e6
		})
	}
	return plans
}

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
	make := func(name string, change func(p *Plan)) Plan {
		p := base
		p.Name = name
		change(&p)
		return p
	}
	return []Plan{
		make("flat", func(*Plan) {}),
		make("outage at night", func(p *Plan) {
			p.Rate = daily(0.5, 50)
			p.Errors = outage(middle.Add(2*time.Hour), time.Hour, 1, 0.0001)
		}),
		make("half an outage at peak", func(p *Plan) {
			p.Rate = daily(0.5, 50)
			p.Errors = outage(middle.Add(13*time.Hour), 20*time.Minute, 0.5, 0.0001)
		}),
		make("low traffic", func(p *Plan) {
			p.Rate, p.Pods = steady(36.0/3600), fixed("a")
		}),
		make("idle nights", func(p *Plan) {
			p.Rate = func(t time.Time) float64 {
				if h := t.Hour(); h < 6 || h >= 22 {
					return 0
				}
				return 5
			}
		}),
		make("pods come and go", func(p *Plan) {
			p.Errors = outage(middle, 3*time.Hour, 0.1, 0.0005)
			p.Pods = replaced(3, 4*time.Hour, from)
		}),
		make("restarts", func(p *Plan) {
			p.Restarts = func(pod string, t time.Time) bool {
				return t.Sub(from)%(97*time.Minute) < 30*time.Second && pod == "b"
			}
		}),
		make("outage inside a scrape gap", func(p *Plan) {
			p.Errors = outage(middle.Add(30*time.Minute), time.Hour, 1, 0)
			p.Down = during(middle, 2*time.Hour)
		}),
		make("late scrapes", func(p *Plan) {
			p.Scrape = 45 * time.Second
			p.Late = func(_ time.Time, r *rand.Rand) time.Duration { return time.Duration(r.Int64N(int64(40 * time.Second))) }
		}),
		make("scrapes rarer than minutes", func(p *Plan) { p.Scrape = 90 * time.Second }),
		make("targets move", func(p *Plan) { p.Pods = replaced(1, 11*time.Hour, from) }),
		make("no error ever", func(p *Plan) { p.Errors = always(0) }),
		make("every request fails", func(p *Plan) { p.Errors = always(1) }),
	}
}

func steady(perSecond float64) func(time.Time) float64 {
	return func(time.Time) float64 { return perSecond }
}

func always(share float64) func(time.Time) float64 {
	return func(time.Time) float64 { return share }
}

// daily is quiet from midnight to six and busy else.
func daily(night, day float64) func(time.Time) float64 {
	return func(t time.Time) float64 {
		if t.Hour() < 6 {
			return night
		}
		return day
	}
}

// outage is a share of errors for a time, and another at all others.
func outage(at time.Time, long time.Duration, share, otherwise float64) func(time.Time) float64 {
	return func(t time.Time) float64 {
		if t.Before(at) || !t.Before(at.Add(long)) {
			return otherwise
		}
		return share
	}
}

func during(at time.Time, long time.Duration) func(time.Time) bool {
	return func(t time.Time) bool { return t.After(at) && !t.After(at.Add(long)) }
}

func fixed(names ...string) func(time.Time) []string {
	return func(time.Time) []string { return names }
}

// replaced are n pods, each of which gives way to a new one after a while, one
// after the other.
func replaced(n int, each time.Duration, from time.Time) func(time.Time) []string {
	return func(t time.Time) []string {
		names := make([]string, n)
		for i := range names {
			age := t.Sub(from) + each*time.Duration(i)/time.Duration(n)
			names[i] = fmt.Sprintf("pod-%d-%d", i, age/each)
		}
		return names
	}
}

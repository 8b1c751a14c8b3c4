package scenario

import (
	"fmt"
	"time"
)

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

// crash has one pod's process begin anew again and again.
func crash(from time.Time, each time.Duration, pod string) func(string, time.Time) bool {
	return func(name string, t time.Time) bool { return t.Sub(from)%each < 30*time.Second && name == pod }
}

package rota

import (
	"slices"
	"time"
)

// Difference is a time in which two plans have other people on call.
type Difference struct {
	From, To      time.Time
	Before, After []string
}

// Differences compares shifts that tile the same time.
func Differences(before, after []Shift) []Difference {
	var out []Difference
	for i, j := 0, 0; i < len(before) && j < len(after); {
		b, a := before[i], after[j]
		d := Difference{later(b.From, a.From), earlier(b.To, a.To), b.Users, a.Users}
		if !samePeople(b.Users, a.Users) {
			if n := len(out); n > 0 && out[n-1].continues(d) {
				out[n-1].To = d.To
			} else {
				out = append(out, d)
			}
		}
		if !b.To.After(d.To) {
			i++
		}
		if !a.To.After(d.To) {
			j++
		}
	}
	return out
}

func (d Difference) continues(next Difference) bool {
	return d.To.Equal(next.From) && samePeople(d.Before, next.Before) && samePeople(d.After, next.After)
}

// samePeople compares without regard to order.
func samePeople(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(u string) bool { return !slices.Contains(b, u) })
}

package route

import (
	"time"

	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Interval is a named time that recurs.
type Interval struct {
	Name  string
	Parts []timeinterval.TimeInterval
	At    fault.Position
}

// Contains reports whether an instant lies within the interval. Parts without a
// zone are in UTC.
func (i *Interval) Contains(t time.Time) bool {
	for _, p := range i.Parts {
		if p.ContainsTime(t.UTC()) {
			return true
		}
	}
	return false
}

// muted is why a route tells nobody at an instant, nil where it does.
func (n *node) muted(now time.Time) *Reason {
	for _, i := range n.mute {
		if i.Contains(now) {
			return &Reason{Kind: ByInterval, Ref: i.Name, At: i.At,
				What: text.Say("it is %s, when this route is muted", "このルートが無音になる時間帯 %s です", i.Name)}
		}
	}
	for _, i := range n.active {
		if i.Contains(now) {
			return nil
		}
	}
	if len(n.active) == 0 {
		return nil
	}
	first := n.active[0]
	return &Reason{Kind: ByInterval, Ref: first.Name, At: first.At,
		What: text.Say("it is outside %s, when this route is active", "このルートが有効な時間帯 %s の外です", first.Name)}
}

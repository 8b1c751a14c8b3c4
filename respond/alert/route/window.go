package route

import (
	"slices"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Window is planned work on services, whose alerts need nobody meanwhile.
type Window struct {
	Name     string
	Reason   string
	Services []string
	SLOs     []string // by the value of the label slo
	Spans    []Span   // ascending
	At       fault.Position
}

// Span is from one instant on and before another.
type Span struct{ From, To time.Time }

func (s Span) contains(t time.Time) bool { return !t.Before(s.From) && t.Before(s.To) }

// LabelSLO is the label by which an alert tells which objective it is about.
const LabelSLO = "slo"

// Windows finds those that cover an alert. It does not change.
type Windows struct {
	services, slos map[string][]*Window
}

// NewWindows indexes maintenance windows.
func NewWindows(all []*Window) *Windows {
	w := &Windows{services: map[string][]*Window{}, slos: map[string][]*Window{}}
	for _, one := range all {
		for _, name := range one.Services {
			w.services[name] = append(w.services[name], one)
		}
		for _, name := range one.SLOs {
			w.slos[name] = append(w.slos[name], one)
		}
	}
	return w
}

func (w *Windows) of(a Alert, now time.Time) []Reason {
	if w == nil {
		return nil
	}
	var covering []*Window
	if a.Service != "" {
		covering = w.services[a.Service]
	}
	if slo := a.Labels[LabelSLO]; slo != "" && len(w.slos) > 0 {
		covering = append(slices.Clone(covering), w.slos[slo]...)
	}
	var reasons []Reason
	for i, one := range covering {
		if slices.Contains(covering[:i], one) {
			continue
		}
		for _, s := range one.Spans {
			if s.contains(now) {
				reasons = append(reasons, one.reason(s))
				break
			}
		}
	}
	return reasons
}

func (w *Window) reason(s Span) Reason {
	return Reason{Kind: ByMaintenance, Ref: "maintenance:" + w.Name, At: w.At, Until: s.To,
		What: text.Say("maintenance %s until %s: %s", "メンテナンス %s(%s まで): %s", w.Name, minute(s.To), w.Reason)}
}

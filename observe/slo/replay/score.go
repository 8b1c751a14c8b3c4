package replay

import (
	"slices"

	"github.com/teiten/teiten/observe/slo/burn"
)

// Incident is a span of minutes in which something was wrong, as somebody marked
// it.
type Incident struct {
	From, To int64
	Title    string
}

// Found is how an incident was noticed.
type Found struct {
	Incident
	Detected   bool
	DetectedAt int64 // the minute after which the first alert was open
	ResetAt    int64 // the minute after which the last alert of it ended; 0: still open
}

// Score is how good the alerts of one severity were. An alert is right if it was
// open during an incident.
type Score struct {
	Severity  burn.Severity
	Alerts    int
	Right     int
	Incidents []Found
	Detected  int
}

// Precision is the share of alerts that were right, false without alerts.
func (s Score) Precision() (float64, bool) { return ratio(s.Right, s.Alerts) }

// Recall is the share of incidents that were noticed, false without incidents.
func (s Score) Recall() (float64, bool) { return ratio(s.Detected, len(s.Incidents)) }

func ratio(part, whole int) (float64, bool) {
	if whole == 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}

// Detection is how many minutes after its beginning the median incident was
// noticed, of those that were; false where none was.
func (s Score) Detection() (float64, bool) {
	var all []int64
	for _, f := range s.Incidents {
		if f.Detected {
			all = append(all, f.DetectedAt-f.From)
		}
	}
	return median(all)
}

// Reset is how many minutes after the end of the median incident its alerts
// were over, 0 where they were before; false where none is over.
func (s Score) Reset() (float64, bool) {
	var all []int64
	for _, f := range s.Incidents {
		if f.Detected && f.ResetAt > 0 {
			all = append(all, max(f.ResetAt-f.To, 0))
		}
	}
	return median(all)
}

func median(all []int64) (float64, bool) {
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	half := len(all) / 2
	if len(all)%2 == 1 {
		return float64(all[half]), true
	}
	return float64(all[half-1]+all[half]) / 2, true
}

// Judge scores the alerts of a severity against incidents.
func (o *Outcome) Judge(severity burn.Severity, incidents []Incident) Score {
	s := Score{Severity: severity}
	for _, a := range o.Alerts {
		if a.Severity != severity {
			continue
		}
		s.Alerts++
		if slices.ContainsFunc(incidents, a.during) {
			s.Right++
		}
	}
	for _, i := range incidents {
		f := o.find(severity, i)
		if f.Detected {
			s.Detected++
		}
		s.Incidents = append(s.Incidents, f)
	}
	return s
}

// find looks for the alerts of an incident.
func (o *Outcome) find(severity burn.Severity, i Incident) Found {
	f := Found{Incident: i}
	for _, a := range o.Alerts {
		if a.Severity != severity || !a.during(i) {
			continue
		}
		if !f.Detected {
			f.Detected, f.DetectedAt = true, max(a.From, i.From)
		}
		f.ResetAt = a.To
	}
	return f
}

// during reports whether the alert was open in an incident, or began with its
// last minutes' data.
func (a Alert) during(i Incident) bool {
	return a.From <= i.To && (a.To == 0 || a.To > i.From)
}

package alert

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/alert/format"
)

// reading is what a batch says.
type reading struct {
	deliveries []*delivery
	commands   []placedCommand
	heard      map[string]*heardOf // by integration
}

// placedCommand is a command, to be carried out once the deliveries before it
// are entered.
type placedCommand struct {
	command
	after int // how many deliveries come before it
}

// heardOf counts what arrived of an integration.
type heardOf struct {
	events, unread int64
	at             int64
}

// read takes the events of a batch apart. Nothing is refused: what no format
// knows is an alert that says so.
func (r *reading) read(batch string, at int64, events []rawEvent, known func(name string) *integration, owner func(service string) string) {
	for i := range events {
		e := &events[i]
		if e.kind == eventCommand {
			c := placedCommand{after: len(r.deliveries)}
			if json.Unmarshal(e.body, &c.command) == nil {
				r.commands = append(r.commands, c)
			}
			continue
		}
		n := known(e.integration)
		h := r.heard[n.name]
		if h == nil {
			h = &heardOf{}
			r.heard[n.name] = h
		}
		h.events, h.at = h.events+1, max(h.at, at)
		if e.kind == eventBeat {
			continue
		}
		alerts, ok := n.alerts(e, database.Time(at))
		if !ok {
			h.unread++
		}
		for k := range alerts {
			r.deliveries = append(r.deliveries, n.deliver(&alerts[k], eventID(batch, i), at, owner))
		}
	}
}

// alerts are what an event says, by the format that its address or its
// integration names.
func (n *integration) alerts(e *rawEvent, now time.Time) ([]format.Alert, bool) {
	if n.name == fromSLO && e.format == fromSLO {
		return fromObjective(e.body)
	}
	f := n.format
	if e.format != "" {
		f = format.Named(e.format)
	}
	return format.Read(f, format.Request{Header: e.header, Body: e.body, Now: now})
}

func (n *integration) deliver(a *format.Alert, event string, at int64, owner func(service string) string) *delivery {
	tidy(a)
	d := &delivery{event: event, integration: n.name, fingerprint: Fingerprint(n.name, a), at: stamp{database.Micros(a.At), at}}
	n.enrich(a)
	d.content, d.service = content(a), a.Labels["service"]
	d.team = owner(d.service)
	if d.team == "" {
		d.team = cmp.Or(n.spec.Team, a.Labels["team"])
	}
	if a.State != format.Resolved {
		if n.resolveAfter > 0 {
			d.until = at + n.resolveAfter.Microseconds()
		}
		if !a.Until.IsZero() {
			d.until = database.Micros(a.Until)
		}
	}
	d.alert = *a
	return d
}

// objective is what the journal says of an SLO's alert, as far as it matters
// here.
type objective struct {
	ID         string            `json:"alert"`
	SLO        string            `json:"slo"`
	Title      string            `json:"title"`
	Service    string            `json:"service"`
	Team       string            `json:"team"`
	Severity   string            `json:"severity"`
	Kind       string            `json:"kind"`
	Labels     map[string]string `json:"labels"`
	FiredAt    time.Time         `json:"firedAt"`
	ResolvedAt time.Time         `json:"resolvedAt"`
	Reason     struct {
		EN string `json:"en"`
		JA string `json:"ja"`
	} `json:"reason"`
	Link    string `json:"link"`
	Runbook string `json:"runbook"`
}

// fromObjective reads an entry about an SLO's alert. Each time it fires is an
// occurrence of the same alert.
func fromObjective(body []byte) ([]format.Alert, bool) {
	var o objective
	if err := json.Unmarshal(body, &o); err != nil || o.SLO == "" {
		return []format.Alert{{State: format.Firing, Raw: true, Key: "unrecognised", Severity: format.Warning, Title: "An SLO's alert could not be read", Body: string(body),
			Labels: map[string]string{"alertname": "UnrecognisedPayload"}}}, false
	}
	a := format.Alert{
		Key: o.SLO + "/" + o.Severity, State: format.Firing, At: o.FiredAt, Severity: format.Warning, Title: o.Title, Body: o.Reason.EN, Link: o.Link, Runbook: o.Runbook,
		Labels:      map[string]string{"alertname": "SLO", "slo": o.SLO, "service": o.Service, "team": o.Team, "kind": o.Kind},
		Annotations: map[string]string{"reason_ja": o.Reason.JA, "slo_alert": o.ID},
	}
	for name, v := range o.Labels {
		a.Labels[name] = v
	}
	if a.Title == "" {
		a.Title = o.SLO
	}
	if o.Severity == "page" {
		a.Severity = format.Critical
	}
	if a.Labels["kind"] == "" {
		a.Labels["kind"] = "burn-rate"
	}
	if !o.ResolvedAt.IsZero() {
		a.State, a.At = format.Resolved, o.ResolvedAt
	}
	return []format.Alert{a}, true
}

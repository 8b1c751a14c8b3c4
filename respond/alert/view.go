package alert

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/alert/db"
	"github.com/teiten/teiten/respond/alert/format"
	"github.com/teiten/teiten/respond/alert/route"
)

// View is an alert as the API shows it.
type View struct {
	ID             string            `json:"id"`
	Fingerprint    string            `json:"fingerprint" doc:"The same for every occurrence of the alert."`
	Occurrence     int               `json:"occurrence" doc:"How many times it has begun, this time included."`
	Integration    string            `json:"integration"`
	State          State             `json:"state" enum:"firing,acknowledged,resolved"`
	Suppressed     string            `json:"suppressed,omitempty" doc:"What keeps people from being told: silence:ID, alert:ID, maintenance:NAME or interval:NAME."`
	Severity       format.Severity   `json:"severity,omitempty"`
	Title          string            `json:"title"`
	Body           string            `json:"body,omitempty"`
	Service        string            `json:"service,omitempty"`
	Team           string            `json:"team,omitempty"`
	Labels         map[string]string `json:"labels"`
	Annotations    map[string]string `json:"annotations"`
	Source         string            `json:"source,omitempty" doc:"Its page where it came from."`
	Runbook        string            `json:"runbook,omitempty"`
	FiredAt        time.Time         `json:"firedAt"`
	LastAt         time.Time         `json:"lastAt" doc:"When its source last said something of it."`
	EndsAt         time.Time         `json:"endsAt,omitzero" doc:"When it ends unless its source repeats it."`
	AcknowledgedAt time.Time         `json:"acknowledgedAt,omitzero"`
	AcknowledgedBy string            `json:"acknowledgedBy,omitempty"`
	ResolvedAt     time.Time         `json:"resolvedAt,omitzero"`
	Reason         string            `json:"reason,omitempty" doc:"Why it ended, where its source did not say that it did."`
	Count          int64             `json:"count" doc:"How many times its source said that it fires."`
	FirstEvent     string            `json:"firstEvent,omitempty" doc:"The raw event that began it."`
	LastEvent      string            `json:"lastEvent,omitempty" doc:"The last raw event about it."`
	Usefulness     Usefulness        `json:"usefulness,omitempty" doc:"What a responder said of it afterwards."`
	JudgedBy       string            `json:"judgedBy,omitempty"`
}

// GroupView is a group as the API shows it.
type GroupView struct {
	ID             string            `json:"id"`
	State          State             `json:"state" enum:"firing,acknowledged,resolved"`
	Receiver       route.Receiver    `json:"receiver"`
	Route          string            `json:"route,omitempty" doc:"Where the route is written that led there."`
	Severity       format.Severity   `json:"severity,omitempty"`
	Title          string            `json:"title"`
	Body           string            `json:"body,omitempty"`
	Service        string            `json:"service,omitempty"`
	Team           string            `json:"team,omitempty"`
	Labels         map[string]string `json:"labels" doc:"What all its alerts have in common."`
	Source         string            `json:"source,omitempty"`
	Runbook        string            `json:"runbook,omitempty"`
	OpenedAt       time.Time         `json:"openedAt"`
	AcknowledgedAt time.Time         `json:"acknowledgedAt,omitzero"`
	AcknowledgedBy string            `json:"acknowledgedBy,omitempty"`
	ResolvedAt     time.Time         `json:"resolvedAt,omitzero"`
	Count          int64             `json:"count" doc:"How many of its alerts are open."`
	Total          int64             `json:"total" doc:"How many alerts were ever in it."`
	Cause          string            `json:"cause,omitempty" doc:"The group of a service that this one's depends on."`
}

// Page is an alert with everything that belongs to it.
type Page struct {
	View
	Groups      []GroupView `json:"groups"`
	Occurrences []View      `json:"occurrences" doc:"The alert's other occurrences, the last first."`
}

// GroupPage is a group with its alerts.
type GroupPage struct {
	GroupView
	Trace  json.RawMessage `json:"trace" doc:"How routing came to it."`
	Alerts []View          `json:"alerts" doc:"In the order in which they came, at most 500."`
}

// Usefulness is what a responder says of an alert afterwards.
type Usefulness string

// What can be said of an alert.
const (
	Useful   Usefulness = "useful"
	Noise    Usefulness = "noise"
	NoAction Usefulness = "no-action"
)

func viewOf(r *db.AlertAlert) (View, error) {
	v := View{
		ID: r.ID, Fingerprint: r.Fingerprint, Occurrence: int(r.Occurrence), Integration: r.Integration, State: State(r.State), Suppressed: r.Suppressed, Severity: format.Severity(r.Severity),
		Title: r.Title, Body: r.Body, Service: r.Service, Team: r.Team, Source: r.Link, Runbook: r.Runbook, FiredAt: database.Time(r.FiredAt), LastAt: database.Time(r.LastAt),
		EndsAt: database.Time(r.UntilAt), AcknowledgedAt: database.Time(r.AcknowledgedAt), AcknowledgedBy: r.AcknowledgedBy, ResolvedAt: database.Time(r.ResolvedAt), Reason: r.Reason,
		Count: r.Count, FirstEvent: r.FirstEvent, LastEvent: r.LastEvent, Usefulness: Usefulness(r.Usefulness), JudgedBy: r.JudgedBy,
	}
	if err := database.ReadJSON(r.Labels, &v.Labels); err != nil {
		return v, fmt.Errorf("read alert %s: %w", r.ID, err)
	}
	if err := database.ReadJSON(r.Annotations, &v.Annotations); err != nil {
		return v, fmt.Errorf("read alert %s: %w", r.ID, err)
	}
	return v, nil
}

func viewsOf(rows []db.AlertAlert) ([]View, error) {
	out := make([]View, 0, len(rows))
	for i := range rows {
		v, err := viewOf(&rows[i])
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func groupViewOf(r *db.AlertGroup) (GroupView, error) {
	v := GroupView{
		ID: r.ID, State: State(r.State), Route: r.Route, Severity: format.Severity(r.Severity), Title: r.Title, Body: r.Body, Service: r.Service, Team: r.Team, Source: r.Link, Runbook: r.Runbook,
		OpenedAt: database.Time(r.OpenedAt), AcknowledgedAt: database.Time(r.AcknowledgedAt), AcknowledgedBy: r.AcknowledgedBy, ResolvedAt: database.Time(r.ResolvedAt),
		Count: r.Count, Total: r.Total, Cause: r.Cause,
	}
	if err := database.ReadJSON(r.Labels, &v.Labels); err != nil {
		return v, fmt.Errorf("read group %s: %w", r.ID, err)
	}
	if err := database.ReadJSON(r.Receiver, &v.Receiver); err != nil {
		return v, fmt.Errorf("read group %s: %w", r.ID, err)
	}
	return v, nil
}

// RawEvent is a message as it arrived.
type RawEvent struct {
	ID          string            `json:"id"`
	Integration string            `json:"integration,omitempty"`
	Kind        string            `json:"kind" enum:"message,command,beat"`
	Format      string            `json:"format,omitempty" doc:"The format that its address names."`
	ReceivedAt  time.Time         `json:"receivedAt"`
	Looked      bool              `json:"looked" doc:"Whether it was entered yet."`
	Headers     map[string]string `json:"headers"`
	Hash        string            `json:"hash" doc:"SHA-256 of the body."`
	Size        int               `json:"size"`
	Body        string            `json:"body" doc:"The body; what is no UTF-8 in it is replaced by U+FFFD."`
	Recognised  bool              `json:"recognised" doc:"Whether a format knows it."`
	Alerts      int               `json:"alerts" doc:"How many alerts it tells of."`
}

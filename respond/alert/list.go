package alert

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert/db"
	"github.com/teiten/teiten/respond/alert/format"
)

// Filter selects alerts or groups. The zero value selects all.
type Filter struct {
	States      []string // "open" is those that are not resolved
	Severities  []string
	Services    []string
	Teams       []string
	Integration string
	Query       string // in title and labels
	From, To    time.Time
	Limit       int
	Cursor      string
}

const (
	alertsCursor = "alerts"
	groupsCursor = "alert-groups"
	eventsCursor = "alert-events"
	defaultLimit = 50
)

type position struct {
	At int64  `json:"at"`
	ID string `json:"id"`
}

// where is the filter as SQL over a table whose rows begin at the column.
func (f *Filter) where(cursor, column string) (*database.Where, error) {
	w := &database.Where{}
	var states []string
	for _, s := range f.States {
		if s == "open" {
			states = append(states, string(Firing), string(Acknowledged))
			continue
		}
		states = append(states, s)
	}
	w.AnyOf("state", states)
	w.AnyOf("severity", f.Severities)
	w.AnyOf("service", f.Services)
	w.AnyOf("team", f.Teams)
	w.Contains(f.Query, "title", "labels")
	if !f.From.IsZero() {
		w.And(column+" >= ?", database.Micros(f.From))
	}
	if !f.To.IsZero() {
		w.And(column+" < ?", database.Micros(f.To))
	}
	if f.Cursor != "" {
		var p position
		if err := httpapi.DecodeCursor(cursor, f.Cursor, &p); err != nil {
			return nil, err
		}
		w.And("("+column+" < ? OR ("+column+" = ? AND id < ?))", p.At, p.At, p.ID)
	}
	return w, nil
}

const alertColumns = `id, fingerprint, occurrence, integration, state, severity, title, body, service, team, labels, annotations, link, runbook, fired_at, fired_source,
	fired_arrived, ended_source, ended_arrived, last_at, until_at, acknowledged_at, acknowledged_by, resolved_at, reason, count, content, suppressed, first_event, last_event, usefulness, judged_by`

func scanAlert(rows *sql.Rows) (r db.AlertAlert, err error) {
	err = rows.Scan(&r.ID, &r.Fingerprint, &r.Occurrence, &r.Integration, &r.State, &r.Severity, &r.Title, &r.Body, &r.Service, &r.Team, &r.Labels, &r.Annotations, &r.Link, &r.Runbook,
		&r.FiredAt, &r.FiredSource, &r.FiredArrived, &r.EndedSource, &r.EndedArrived, &r.LastAt, &r.UntilAt, &r.AcknowledgedAt, &r.AcknowledgedBy, &r.ResolvedAt, &r.Reason, &r.Count,
		&r.Content, &r.Suppressed, &r.FirstEvent, &r.LastEvent, &r.Usefulness, &r.JudgedBy)
	return r, err
}

// Alerts lists alerts, the last that fired first, and the cursor of the next
// page.
func (s *Service) Alerts(ctx context.Context, f Filter) (list []View, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	w, err := f.where(alertsCursor, "fired_at")
	if err != nil {
		return nil, "", err
	}
	if f.Integration != "" {
		w.And("integration = ?", f.Integration)
	}
	limit := w.Arg(f.Limit + 1)
	list = []View{}
	err = database.Each(ctx, s.DB.Read(), "SELECT "+alertColumns+" FROM alert_alerts"+w.SQL()+" ORDER BY fired_at DESC, id DESC LIMIT "+limit, w.Args(), func(rows *sql.Rows) error {
		r, err := scanAlert(rows)
		if err != nil {
			return err
		}
		v, err := viewOf(&r)
		list = append(list, v)
		return err
	})
	if err == nil && len(list) > f.Limit {
		list = list[:f.Limit]
		last := list[f.Limit-1]
		next = httpapi.EncodeCursor(alertsCursor, position{database.Micros(last.FiredAt), last.ID})
	}
	return list, next, err
}

const groupColumns = `id, key, state, receiver, route, trace, severity, title, body, service, team, labels, link, runbook, repeat_every, opened_at, told_at,
	acknowledged_at, acknowledged_by, resolved_at, count, total, cause`

// Groups lists groups, the last that opened first, and the cursor of the next
// page.
func (s *Service) Groups(ctx context.Context, f Filter) (list []GroupView, next string, err error) {
	if f.Limit <= 0 {
		f.Limit = defaultLimit
	}
	w, err := f.where(groupsCursor, "opened_at")
	if err != nil {
		return nil, "", err
	}
	limit := w.Arg(f.Limit + 1)
	list = []GroupView{}
	err = database.Each(ctx, s.DB.Read(), "SELECT "+groupColumns+" FROM alert_groups"+w.SQL()+" ORDER BY opened_at DESC, id DESC LIMIT "+limit, w.Args(), func(rows *sql.Rows) error {
		var r db.AlertGroup
		err := rows.Scan(&r.ID, &r.Key, &r.State, &r.Receiver, &r.Route, &r.Trace, &r.Severity, &r.Title, &r.Body, &r.Service, &r.Team, &r.Labels, &r.Link, &r.Runbook, &r.RepeatEvery,
			&r.OpenedAt, &r.ToldAt, &r.AcknowledgedAt, &r.AcknowledgedBy, &r.ResolvedAt, &r.Count, &r.Total, &r.Cause)
		if err != nil {
			return err
		}
		v, err := groupViewOf(&r)
		list = append(list, v)
		return err
	})
	if err == nil && len(list) > f.Limit {
		list = list[:f.Limit]
		last := list[f.Limit-1]
		next = httpapi.EncodeCursor(groupsCursor, position{database.Micros(last.OpenedAt), last.ID})
	}
	return list, next, err
}

// Alert returns one alert with its groups and its other occurrences.
func (s *Service) Alert(ctx context.Context, id string) (Page, error) {
	q := db.New(s.DB.Read())
	r, err := q.GetAlert(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Page{}, notThere(id)
	}
	if err != nil {
		return Page{}, database.Fault(fmt.Errorf("read alert: %w", err))
	}
	v, err := viewOf(&r)
	if err != nil {
		return Page{}, err
	}
	p := Page{View: v, Groups: []GroupView{}, Occurrences: []View{}}
	groups, err := q.GroupsOf(ctx, id)
	if err != nil {
		return p, database.Fault(fmt.Errorf("read groups of alert: %w", err))
	}
	for i := range groups {
		g, err := groupViewOf(&groups[i])
		if err != nil {
			return p, err
		}
		p.Groups = append(p.Groups, g)
	}
	others, err := q.OccurrencesOf(ctx, db.OccurrencesOfParams{Fingerprint: r.Fingerprint, Most: defaultLimit})
	if err != nil {
		return p, database.Fault(fmt.Errorf("read occurrences: %w", err))
	}
	all, err := viewsOf(others)
	for _, o := range all {
		if o.ID != id {
			p.Occurrences = append(p.Occurrences, o)
		}
	}
	return p, err
}

// Group returns one group with its alerts.
func (s *Service) Group(ctx context.Context, id string) (GroupPage, error) {
	q := db.New(s.DB.Read())
	r, err := q.GetGroup(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return GroupPage{}, notThere(id)
	}
	if err != nil {
		return GroupPage{}, database.Fault(fmt.Errorf("read group: %w", err))
	}
	g, err := groupViewOf(&r)
	if err != nil {
		return GroupPage{}, err
	}
	const most = 500
	rows, err := q.MembersOf(ctx, db.MembersOfParams{GroupID: id, Most: most})
	if err != nil {
		return GroupPage{}, database.Fault(fmt.Errorf("read alerts of group: %w", err))
	}
	alerts, err := viewsOf(rows)
	return GroupPage{GroupView: g, Trace: json.RawMessage(r.Trace), Alerts: alerts}, err
}

// EntryJudged says what a responder thinks of an alert.
const EntryJudged = "alert.judged"

// Judge notes how useful alerts were.
func (s *Service) Judge(ctx context.Context, u Usefulness, ids ...string) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, id := range ids {
			if err := s.judge(ctx, tx, u, id); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) judge(ctx context.Context, tx *sql.Tx, u Usefulness, id string) error {
	q := db.New(tx)
	r, err := q.GetAlert(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return notThere(id)
	}
	if err != nil {
		return fmt.Errorf("read alert: %w", err)
	}
	if _, err := q.Judge(ctx, db.JudgeParams{ID: id, Usefulness: string(u), JudgedBy: journal.ActorFrom(ctx).Name}); err != nil {
		return fmt.Errorf("judge alert: %w", err)
	}
	draft := journal.Draft{Kind: EntryJudged, Subject: Ref(id), Data: map[string]any{"fingerprint": r.Fingerprint, "title": r.Title, "before": r.Usefulness, "after": u}}
	if r.Service != "" {
		draft.Also = append(draft.Also, journal.RefTo("service", r.Service))
	}
	_, err = s.Journal.Append(ctx, tx, draft)
	return err
}

// Events lists what arrived, the last first, as it arrived.
func (s *Service) Events(ctx context.Context, integration string, unread bool, limit int, cursor string) (list []RawEvent, next string, err error) {
	if limit <= 0 {
		limit = defaultLimit
	}
	at := position{ID: "~"} // after every id
	skip := 0
	if cursor != "" {
		if err := httpapi.DecodeCursor(eventsCursor, cursor, &at); err != nil {
			return nil, "", err
		}
		skip = int(at.At)
	}
	list = []RawEvent{}
	const page = 50
	for range page { // batches that hold nothing wanted end the search after a while
		rows, err := db.New(s.DB.Read()).BatchesBefore(ctx, db.BatchesBeforeParams{Before: at.ID, Most: page})
		if err != nil {
			return nil, "", database.Fault(fmt.Errorf("read the intake log: %w", err))
		}
		for i := range rows {
			found, err := s.eventsOf(ctx, &rows[i], integration, unread)
			if err != nil {
				return nil, "", err
			}
			for k := skip; k < len(found); k++ {
				if len(list) == limit {
					return list, httpapi.EncodeCursor(eventsCursor, position{int64(k), at.ID}), nil
				}
				list = append(list, found[k])
			}
			skip, at.ID = 0, rows[i].ID
		}
		if len(rows) < page {
			return list, "", nil
		}
	}
	return list, httpapi.EncodeCursor(eventsCursor, position{0, at.ID}), nil
}

// eventsOf are the wanted events of a batch, the last first.
func (s *Service) eventsOf(ctx context.Context, b *db.AlertBatch, integration string, unread bool) ([]RawEvent, error) {
	all, err := unpackEvents(b.Data)
	if err != nil {
		return nil, fmt.Errorf("batch %s: %w", b.ID, err)
	}
	known, err := s.allIntegrations(ctx)
	if err != nil {
		return nil, err
	}
	var out []RawEvent
	for i := len(all) - 1; i >= 0; i-- {
		e := &all[i]
		if integration != "" && e.integration != integration {
			continue
		}
		v := rawView(b, i, e)
		if e.kind == eventReceived {
			n := known[e.integration]
			if n == nil {
				n = newIntegration(e.integration, IntegrationSpec{})
			}
			var alerts []format.Alert
			alerts, v.Recognised = n.alerts(e, v.ReceivedAt)
			v.Alerts = len(alerts)
		}
		if !unread || !v.Recognised {
			out = append(out, v)
		}
	}
	return out, nil
}

func rawView(b *db.AlertBatch, number int, e *rawEvent) RawEvent {
	sum := sha256.Sum256(e.body)
	v := RawEvent{
		ID: eventID(b.ID, number), Integration: e.integration, Kind: "message", Format: e.format, ReceivedAt: database.Time(b.ReceivedAt), Looked: b.ProcessedAt > 0,
		Headers: map[string]string{}, Hash: hex.EncodeToString(sum[:]), Size: len(e.body), Body: strings.ToValidUTF8(string(e.body), "�"), Recognised: true,
	}
	switch e.kind {
	case eventCommand:
		v.Kind = "command"
	case eventBeat:
		v.Kind = "beat"
	}
	for name, values := range e.header {
		v.Headers[name] = values[0]
	}
	return v
}

// Event returns one event as it arrived.
func (s *Service) Event(ctx context.Context, id string) (RawEvent, error) {
	gone := fault.New(fault.NotFound, "alert.event_not_found", text.Say("there is no event %q, or it is kept no longer", "イベント %q はないか、保持期間を過ぎています", id))
	batch, number, ok := parseEventID(id)
	if !ok {
		return RawEvent{}, gone
	}
	b, err := db.New(s.DB.Read()).GetBatch(ctx, batch)
	if errors.Is(err, sql.ErrNoRows) {
		return RawEvent{}, gone
	}
	if err != nil {
		return RawEvent{}, database.Fault(fmt.Errorf("read event: %w", err))
	}
	all, err := s.eventsOf(ctx, &b, "", false)
	if err != nil || number >= len(all) {
		return RawEvent{}, errors.Join(err, gone)
	}
	return all[len(all)-1-number], nil
}

package incident

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/alert"
)

// Declaration is what is known when an incident is declared. All of it is optional
// where Group names a group of alerts, from which the rest follows.
type Declaration struct {
	Title       string     `json:"title,omitempty" maxLength:"200" doc:"One line; taken from the alerts where there is none."`
	Summary     string     `json:"summary,omitempty" maxLength:"5000"`
	Severity    Severity   `json:"severity,omitempty" enum:"SEV1,SEV2,SEV3,SEV4,SEV5" doc:"Taken from the alerts where there is none, and SEV3 otherwise."`
	Services    []string   `json:"services,omitempty" maxItems:"50"`
	SLOs        []string   `json:"slos,omitempty" maxItems:"50" doc:"Only these of the services' objectives are hurt; all where there are none."`
	Group       string     `json:"alertGroup,omitempty" doc:"The group of alerts that told of it."`
	Commander   string     `json:"commander,omitempty" doc:"Who leads it: a person of the catalog or the address of an account. The caller where there is none."`
	Triage      bool       `json:"triage,omitempty" doc:"It is not certain yet that this is an incident."`
	ImpactStart *time.Time `json:"impactStart,omitempty" doc:"Since when it hurts; the first alert, or now, where there is none."`
}

// Declare opens an incident. With somebody to lead it, it is active at once;
// otherwise it is in triage.
func (s *Service) Declare(ctx context.Context, d Declaration) (Incident, error) {
	var m matter
	if d.Group != "" {
		var err error
		if m, err = s.matter(ctx, d.Group); err != nil {
			return Incident{}, err
		}
		d.fill(m)
	}
	if strings.TrimSpace(d.Title) == "" {
		return Incident{}, fault.New(fault.Invalid, "incident.no_title", text.Say("the incident has no title", "インシデントの件名がありません")).
			Fix(text.Say("say in one line what is wrong", "何が起きているかを1行で書いてください")).On("body.title")
	}
	var i Incident
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if i, err = s.begin(ctx, tx, d, m); err != nil {
			return err
		}
		if err := add(ctx, tx, &i); err != nil {
			return err
		}
		return s.tell(ctx, tx, EntryDeclared, nil, &i, Told{Group: d.Group, Text: d.Summary})
	})
	return i, err
}

// begin is the incident of a declaration.
func (s *Service) begin(ctx context.Context, tx *sql.Tx, d Declaration, m matter) (Incident, error) {
	now := s.now()
	i := Incident{State: Triage, Title: strings.TrimSpace(d.Title), Summary: d.Summary, SLOs: d.SLOs, Roles: map[Role]Person{},
		DeclaredAt: now, DeclaredBy: journal.ActorFrom(ctx)}
	var err error
	if i.Services, i.Team, err = s.services(ctx, tx, d.Services); err != nil {
		return i, err
	}
	if i.Team == "" {
		i.Team = m.notice.Team
	}
	i.Stamps = Stamps{ImpactStart: now, DetectedAt: now}
	if d.Group != "" {
		i.Groups = []string{d.Group}
		i.Stamps = Stamps{ImpactStart: m.notice.OpenedAt, DetectedAt: m.notice.OpenedAt, AcknowledgedAt: m.acknowledgedAt}
	}
	if d.ImpactStart != nil {
		if d.ImpactStart.After(now) {
			return i, inTheFuture("body.impactStart")
		}
		i.Stamps.ImpactStart = *d.ImpactStart
	}
	if err := i.Stamps.Check(); err != nil {
		return i, err
	}
	p, err := s.policy(ctx, tx, i.Team)
	if err != nil {
		return i, err
	}
	if i, err = i.Rank(cmp.Or(d.Severity, "SEV3"), p, now); err != nil {
		return i, err
	}
	return s.lead(ctx, tx, i, d, p)
}

// lead gives a new incident its commander, if there is one.
func (s *Service) lead(ctx context.Context, tx *sql.Tx, i Incident, d Declaration, p *Policy) (Incident, error) {
	who, err := s.person(ctx, tx, d.Commander, "body.commander")
	if err == nil && who.ID == "" && !d.Triage {
		who, err = s.caller(ctx, tx)
	}
	if err != nil || who.ID == "" {
		return i, err
	}
	i.Roles[Commander] = who
	if d.Triage {
		return i, nil
	}
	now := s.now()
	if i, err = i.Activate(now); err != nil {
		return i, err
	}
	i.startClocks(p, now)
	return i, nil
}

// matter is what the journal tells of a group of alerts.
type matter struct {
	notice         alert.Notice
	acknowledgedAt time.Time
}

// fill takes over what alerts say where nobody said otherwise.
func (d *Declaration) fill(m matter) {
	d.Title = cmp.Or(strings.TrimSpace(d.Title), m.notice.Title)
	d.Severity = cmp.Or(d.Severity, Suggested(m.notice.Severity))
	if len(d.Services) == 0 && m.notice.Service != "" {
		d.Services = []string{m.notice.Service}
	}
}

// mostOfGroup is how many entries about a group of alerts are looked through.
const mostOfGroup = 500

// matter reads what happened to a group of alerts.
func (s *Service) matter(ctx context.Context, group string) (matter, error) {
	var m matter
	entries, _, err := s.journal.List(ctx, journal.Filter{Kinds: []string{"alert.group_*"}, Subject: alert.GroupRef(group), Limit: mostOfGroup})
	if err != nil {
		return m, err
	}
	if len(entries) == 0 {
		return m, fault.New(fault.NotFound, "incident.no_group", text.Say("there is no group of alerts %q", "%q というアラートのグループはありません", group)).
			Fix(text.Say("take the id from the list of alerts", "アラートの一覧にある ID を指定してください"))
	}
	for _, e := range entries { // the newest first
		var n alert.Notice
		if err := json.Unmarshal(e.Data, &n); err != nil {
			return m, fmt.Errorf("read entry %s: %w", e.ID, err)
		}
		m.notice = n
		if e.Kind == alert.EntryGroupAcknowledged {
			m.acknowledgedAt = e.Time
		}
	}
	return m, nil
}

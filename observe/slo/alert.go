package slo

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/policy"
)

// The states of an alert.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// The journal entries of the room.
const (
	EntryAlertFired       = "slo.alert_fired"
	EntryAlertResolved    = "slo.alert_resolved"
	EntryAlertExplained   = "slo.alert_explained"
	EntryBackfillStarted  = "slo.backfill_started"
	EntryBackfillFinished = "slo.backfill_finished"
	EntrySourceGone       = "slo.source_gone"
	EntrySourceBack       = "slo.source_back"
	EntryInstancesFound   = "slo.instances_found"
	EntryInstancesRetired = "slo.instances_retired"
	EntryInstancesRefused = "slo.instances_refused"
	EntryInstancesAgain   = "slo.instances_accepted_again"
)

// Alert is what the journal says of an alert when it fires and when it ends. It
// carries what a message needs, so that whoever tells people asks nobody back.
type Alert struct {
	ID         string        `json:"alert"`
	SLO        string        `json:"slo"`
	Title      string        `json:"title,omitempty"`
	Service    string        `json:"service"`
	Team       string        `json:"team,omitempty"`
	Severity   burn.Severity `json:"severity"`
	Kind       burn.Kind     `json:"kind,omitempty"` // of the rule that explains it best; "" is a burn rate
	Targets    []string      `json:"targets,omitempty"`
	Objective  float64       `json:"objective"`
	Window     string        `json:"window"`
	Rules      []string      `json:"rules"` // all that fire, the fastest first
	Long       string        `json:"long"`
	Short      string        `json:"short,omitempty"`
	Factor     float64       `json:"factor"`
	Share      float64       `json:"share"`
	LongBurn   float64       `json:"longBurn"`
	ShortBurn  float64       `json:"shortBurn"`
	Bad        float64       `json:"bad"`   // events in the long window
	Total      float64       `json:"total"` // events in the long window
	BudgetLeft float64       `json:"budgetLeft"`
	ExhaustsAt time.Time     `json:"exhaustsAt,omitzero"`
	FiredAt    time.Time     `json:"firedAt"`
	ResolvedAt time.Time     `json:"resolvedAt,omitzero"`
	Reason     text.Both     `json:"reason"`
	Link       string        `json:"link"`
	Quiet      bool          `json:"quiet,omitempty"` // nobody is told of the end

	Group         string         `json:"group,omitempty"`     // alerts of one cause have one
	Together      []string       `json:"together,omitempty"`  // objectives whose alerts were in the group before
	Others        int            `json:"others,omitempty"`    // how many more than those that together names
	Joined        bool           `json:"joined,omitempty"`    // the same people were told of the group before
	StillOpen     []string       `json:"stillOpen,omitempty"` // objectives of the group, when this alert ends
	Explanation   text.Both      `json:"explanation,omitzero"`
	Contributions []Contribution `json:"contributions,omitempty"`
}

// alert is one that is open.
type alert struct {
	ID   string
	Data Alert
}

// change is one alert beginning, going on for other reasons, or ending.
type change struct {
	kind  string // a journal entry's, or "" where only the reasons changed
	alert alert
}

// judge reads all rules off the windows and returns the rules' new states and
// what that changes. All rules of one severity make one alert: it opens with
// the first of them, follows the fastest, and ends with the last, so that one
// cause is one message. The rules must be prepared.
func (t *track) judge(now time.Time) (state, []change) {
	after := t.state
	after.rules = nil
	after.alerts = maps.Clone(t.alerts)
	var fired []burn.Reading
	for i, judge := range t.judges {
		r := &t.def.Rules[i]
		was := t.rules[r.Name]
		x := judge.Read(t.sums, was.Firing)
		if x.Firing && !was.Firing && (t.lacks(r.Long) || t.unread()) {
			// The minutes read so far may say the opposite of the whole window.
			x.Firing = false
		}
		next := was.Next(&x, t.watermark)
		if next != (ruleState{}) {
			if after.rules == nil {
				after.rules = map[string]ruleState{}
			}
			after.rules[r.Name] = next
		}
		if next.Firing {
			fired = append(fired, x)
		}
	}
	if len(fired) == 0 && len(t.alerts) == 0 { // the common case
		return after, nil
	}
	if after.alerts == nil {
		after.alerts = map[burn.Severity]alert{}
	}
	slices.SortStableFunc(fired, burn.Worst)
	var changes []change
	for _, severity := range []burn.Severity{burn.Page, burn.Ticket} {
		changes = append(changes, t.follow(&after, severity, fired, now)...)
	}
	return after, changes
}

// follow opens, updates or ends the alert of one severity.
func (t *track) follow(after *state, severity burn.Severity, fired []burn.Reading, now time.Time) []change {
	var mine []burn.Reading
	for _, x := range fired {
		if x.Rule.Severity == severity {
			mine = append(mine, x)
		}
	}
	open, isOpen := t.alerts[severity]
	switch {
	case len(mine) == 0 && !isOpen:
		return nil
	case len(mine) == 0:
		delete(after.alerts, severity)
		open.Data.ResolvedAt = now
		open.Data.BudgetLeft = t.def.Objective.BudgetLeft(t.win.Over(t.def.Period))
		open.Data.LongBurn, open.Data.ShortBurn = t.burnNow(open.Data)
		return []change{{EntryAlertResolved, open}}
	case !isOpen:
		id, err := uuid.NewV7()
		if err != nil {
			panic(err) // the system has no randomness
		}
		open = alert{ID: id.String(), Data: t.explain(mine, now)}
		open.Data.ID, open.Data.FiredAt = open.ID, now
		after.alerts[severity] = open
		return []change{{EntryAlertFired, open}}
	}
	data := t.explain(mine, now)
	data.ID, data.FiredAt = open.ID, open.Data.FiredAt
	changed := !slices.Equal(data.Rules, open.Data.Rules)
	open.Data = data
	after.alerts[severity] = open
	if changed {
		return []change{{"", open}}
	}
	return nil
}

// burnNow is what burns now in the windows of the rule that an alert named.
func (t *track) burnNow(a Alert) (long, short float64) {
	for _, r := range t.def.Rules {
		if len(a.Rules) > 0 && r.Name == a.Rules[0] {
			long = t.def.Objective.BurnRate(t.win.Over(r.Long))
			short = long
			if r.Short > 0 {
				short = t.def.Objective.BurnRate(t.win.Over(r.Short))
			}
		}
	}
	return long, short
}

// explain makes an alert of the readings that call for it, the fastest first.
func (t *track) explain(readings []burn.Reading, now time.Time) Alert {
	d, x := t.def, readings[0]
	left := d.Objective.BudgetLeft(t.win.Over(d.Period))
	a := Alert{
		SLO: d.Name, Title: d.Title, Service: d.Service, Severity: x.Rule.Severity, Kind: x.Rule.Kind,
		Objective: float64(d.Objective), Window: label(d.Period),
		Long: labelled(x.Rule.Long), Short: labelled(x.Rule.Short), Factor: x.Rule.Factor, Share: x.Rule.Share,
		LongBurn: x.LongBurn, ShortBurn: x.ShortBurn, Bad: x.Long.Bad, Total: x.Long.Total,
		BudgetLeft: left, Reason: x.Reason(t.terms()), Link: "/slos/" + d.Name, Quiet: true,
	}
	if t.end == policy.Low {
		a.Reason = supposed(a.Reason, t.over(max(x.Rule.Long, time.Minute)).Known, x.Rule)
	}
	if in, ok := t.exhaustsIn(left); ok {
		a.ExhaustsAt = now.Add(in).UTC().Truncate(time.Second)
	}
	for _, y := range readings {
		a.Rules = append(a.Rules, y.Rule.Name)
		a.Quiet = a.Quiet && y.Rule.Quiet
		for _, target := range y.Rule.Targets {
			if !slices.Contains(a.Targets, target) {
				a.Targets = append(a.Targets, target)
			}
		}
	}
	return a
}

// supposed adds to the reason of an alert, of which so many minutes were known, that
// others were taken for bad.
func supposed(reason text.Both, known int, r *burn.Rule) text.Both {
	if known >= int(max(r.Long, time.Minute)/time.Minute) {
		return reason
	}
	return text.Say("%s, where minutes without data are taken for as bad as they may be", "%s(データのない時間は、ありうる最悪の値とみなしています)", reason)
}

func loadAlerts(ctx context.Context, q db.DBTX, name string) (map[burn.Severity]alert, error) {
	rows, err := db.New(q).OpenAlerts(ctx, name)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read the alerts of %s: %w", name, err))
	}
	open := map[burn.Severity]alert{}
	for _, r := range rows {
		a := alert{ID: r.ID}
		if err := unmarshal(r.Data, &a.Data); err != nil {
			return nil, fmt.Errorf("read the alerts of %s: %w", name, err)
		}
		open[burn.Severity(r.Severity)] = a
	}
	return open, nil
}

// record stores a change of an alert and puts it into the journal.
func (s *Service) record(ctx context.Context, tx *sql.Tx, c change, owner string, now time.Time, with *company) error {
	q, a := db.New(tx), c.alert
	a.Data.Team = owner
	err := s.complete(ctx, tx, &a.Data, c.kind, now, with)
	if err != nil {
		return err
	}
	switch c.kind {
	case EntryAlertFired:
		err = q.AddAlert(ctx, db.AddAlertParams{ID: a.ID, Slo: a.Data.SLO, Service: a.Data.Service, Owner: owner,
			Severity: string(a.Data.Severity), Since: database.Micros(a.Data.FiredAt), Data: marshal(a.Data)})
	case EntryAlertResolved:
		err = q.ResolveAlert(ctx, db.ResolveAlertParams{ID: a.ID, ResolvedAt: database.Micros(now), Data: marshal(a.Data)})
	default:
		err = q.UpdateAlert(ctx, db.UpdateAlertParams{ID: a.ID, Data: marshal(a.Data)})
	}
	if err != nil {
		return fmt.Errorf("record alert of %s: %w", a.Data.SLO, err)
	}
	if c.kind == "" {
		return nil
	}
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: c.kind, Subject: journal.RefTo("slo", a.Data.SLO), Also: catalog.RefsOf(a.Data.Service, owner), Data: a.Data})
	return err
}

// complete adds what an alert's data does not know by itself: its group, and what
// was found out while it was open.
func (s *Service) complete(ctx context.Context, tx *sql.Tx, a *Alert, kind string, now time.Time, with *company) error {
	if kind == EntryAlertFired {
		if err := with.join(ctx, a, now); err != nil || a.Others > 0 {
			return err // of very many, the first are explained
		}
		return s.queue.Insert(ctx, tx, explainJob{Alert: a.ID})
	}
	stored, _, err := readAlert(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	a.keep(stored)
	if kind == EntryAlertResolved {
		a.StillOpen, err = with.stillOpen(ctx, a)
	}
	return err
}

// endAlerts ends what is open for an objective that goes away.
func (s *Service) endAlerts(ctx context.Context, tx *sql.Tx, d *Definition) error {
	open, err := loadAlerts(ctx, tx, d.Name)
	if err != nil {
		return err
	}
	for _, severity := range slices.Sorted(maps.Keys(open)) {
		a := open[severity]
		a.Data.ResolvedAt = s.now().UTC()
		a.Data.Reason = text.Say("the objective was removed", "目標が削除されました")
		if err := s.record(ctx, tx, change{EntryAlertResolved, a}, a.Data.Team, a.Data.ResolvedAt, s.company(tx)); err != nil {
			return err
		}
	}
	return nil
}

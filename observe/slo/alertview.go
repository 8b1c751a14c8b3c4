package slo

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
)

// AlertView is an alert, open or past.
type AlertView struct {
	ID         string        `json:"id"`
	SLO        string        `json:"slo"`
	Title      string        `json:"title,omitempty"`
	Service    string        `json:"service"`
	Owner      string        `json:"owner,omitempty"`
	Severity   burn.Severity `json:"severity" enum:"page,ticket"`
	State      string        `json:"state" enum:"firing,resolved"`
	Since      time.Time     `json:"since"`
	ResolvedAt *time.Time    `json:"resolvedAt,omitempty"`
	Rules      []string      `json:"rules"`
	Long       string        `json:"long,omitempty"`
	Short      string        `json:"short,omitempty"`
	Factor     float64       `json:"factor"`
	LongBurn   float64       `json:"longBurn"`
	ShortBurn  float64       `json:"shortBurn"`
	ShortNow   *float64      `json:"shortNow,omitempty" doc:"The burn rate of the short window now, in lists of alerts that fire. The others are of when the alert began or ended."`
	BudgetLeft float64       `json:"budgetLeft"`
	Reason     text.Both     `json:"reason"`

	Group         string         `json:"group,omitempty" doc:"Alerts of one cause have one."`
	Together      []string       `json:"together,omitempty" doc:"Objectives whose alerts were in the group before, at most 20."`
	Others        int            `json:"others,omitempty" doc:"How many more there were."`
	Explanation   *text.Both     `json:"explanation,omitempty" doc:"Which label values burn most, compared with before; found soon after the alert began."`
	Contributions []Contribution `json:"contributions,omitempty"`
}

func (s *Service) openAlerts(ctx context.Context) (map[string][]AlertView, error) {
	rows, err := db.New(s.db.Read()).AllOpenAlerts(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list alerts: %w", err))
	}
	open := map[string][]AlertView{}
	for _, r := range rows {
		v, err := viewAlert(r)
		if err != nil {
			return nil, err
		}
		open[r.Slo] = append(open[r.Slo], v)
	}
	return open, nil
}

func explanation(a Alert) *text.Both {
	if a.Explanation.IsZero() {
		return nil
	}
	return &a.Explanation
}

func viewAlert(r db.SloAlert) (AlertView, error) {
	var a Alert
	if err := unmarshal(r.Data, &a); err != nil {
		return AlertView{}, fmt.Errorf("read alert %s: %w", r.ID, err)
	}
	return AlertView{
		ID: r.ID, SLO: r.Slo, Title: a.Title, Service: r.Service, Owner: r.Owner, Severity: burn.Severity(r.Severity), State: r.State,
		Since: database.Time(r.Since), ResolvedAt: timeOf(r.ResolvedAt), Rules: nonNil(a.Rules),
		Long: a.Long, Short: a.Short, Factor: a.Factor, LongBurn: a.LongBurn, ShortBurn: a.ShortBurn,
		BudgetLeft: a.BudgetLeft, Reason: a.Reason,
		Group: a.Group, Together: a.Together, Others: a.Others, Explanation: explanation(a), Contributions: a.Contributions,
	}, nil
}

// Alerts lists alerts, the newest first, and the cursor of the next page.
func (s *Service) Alerts(ctx context.Context, f alertFilter) ([]AlertView, string, error) {
	rows, next, err := s.alerts(ctx, f)
	if err != nil {
		return nil, "", err
	}
	now, err := s.standings(ctx)
	if err != nil {
		return nil, "", err
	}
	all := make([]AlertView, len(rows))
	for i, r := range rows {
		if all[i], err = viewAlert(r); err != nil {
			return nil, "", err
		}
		if r.State == Firing {
			all[i].ShortNow = now.burnsNow(r.Slo, cmp.Or(all[i].Short, all[i].Long))
		}
	}
	return all, next, nil
}

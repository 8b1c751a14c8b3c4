package slo

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/db"
)

// together is how soon after another an alert must begin to be taken for the
// same cause.
const together = 5 * time.Minute

// join finds the group of an alert that fires: that of an alert which began less
// than five minutes ago in the same service, in one that it depends on or in one
// that depends on it. The first alert of a group gives it its id.
func (s *Service) join(ctx context.Context, tx *sql.Tx, a *Alert, now time.Time) error {
	a.Group = a.ID
	recent, err := db.New(tx).AlertsSince(ctx, database.Micros(now.Add(-together)))
	if err != nil || len(recent) == 0 {
		return err
	}
	near, err := s.near(ctx, tx, a.Service)
	if err != nil {
		return err
	}
	for _, r := range recent {
		if r.Service != a.Service && !slices.Contains(near, r.Service) {
			continue
		}
		var other Alert
		if err := unmarshal(r.Data, &other); err != nil {
			return fmt.Errorf("read alert %s: %w", r.ID, err)
		}
		if a.Group == a.ID && other.Group != "" {
			a.Group = other.Group
		}
		if other.Group != a.Group {
			continue
		}
		if other.SLO != a.SLO && !slices.Contains(a.Together, other.SLO) {
			a.Together = append(a.Together, other.SLO)
		}
		a.Joined = a.Joined || other.Team == a.Team && slices.Equal(other.Targets, a.Targets) && !a.moreUrgent(other)
	}
	return nil
}

// moreUrgent reports whether the alert asks for somebody sooner than another.
func (a *Alert) moreUrgent(other Alert) bool { return a.Severity == "page" && other.Severity != "page" }

// near are the services that a service depends on, and those that depend on it.
func (s *Service) near(ctx context.Context, tx *sql.Tx, service string) ([]string, error) {
	e, err := s.catalog.Find(ctx, tx, service)
	if fault.KindOf(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find what %s depends on: %w", service, err)
	}
	var names []string
	for _, ref := range slices.Concat(e.DependsOn, e.DependedBy) {
		if r, err := catalog.ParseRef(ref, catalog.KindComponent, catalog.DefaultNamespace); err == nil {
			names = append(names, r.Short())
		}
	}
	return names, nil
}

// stillOpen are the objectives of the alert's group with other alerts that go on.
func stillOpen(ctx context.Context, q db.DBTX, a *Alert) ([]string, error) {
	rows, err := db.New(q).AllOpenAlerts(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range rows {
		var other Alert
		if err := unmarshal(r.Data, &other); err != nil {
			return nil, fmt.Errorf("read alert %s: %w", r.ID, err)
		}
		if r.ID != a.ID && other.Group == a.Group && a.Group != "" && !slices.Contains(names, r.Slo) {
			names = append(names, r.Slo)
		}
	}
	return names, nil
}

// keep takes over from the stored alert what was found out since it fired.
func (a *Alert) keep(stored Alert) {
	a.Group, a.Together, a.Joined = stored.Group, stored.Together, stored.Joined
	a.Explanation, a.Contributions = stored.Explanation, stored.Contributions
}

package slo

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/observe/slo/burn"
	"github.com/teiten/teiten/observe/slo/db"
)

// together is how soon after another an alert must begin to be taken for the
// same cause.
const together = 5 * time.Minute

// mostTogether is how many other objectives an alert names; of more it says how
// many there are.
const mostTogether = 20

// company knows the alerts of the last minutes and those that are open, during one
// transaction that writes many. What it needs of the database it reads once.
type company struct {
	s  *Service
	tx *sql.Tx

	read   bool
	groups []*group // in the order in which they began
	byID   map[string]*group
	nearby map[string][]string // services that are near one

	open map[string]map[string]int // open alerts, by group and objective; nil before it was read
}

// group is the alerts of one cause.
type group struct {
	id       string
	services []string
	slos     []string        // the first of them
	in       map[string]bool // all of them
	told     map[string]bool // whom it was told to, by team, targets and severity
}

func (s *Service) company(tx *sql.Tx) *company {
	return &company{s: s, tx: tx, byID: map[string]*group{}, nearby: map[string][]string{}}
}

// add puts an alert that fired into its group.
func (c *company) add(a *Alert) {
	g := c.byID[a.Group]
	if g == nil {
		g = &group{id: a.Group, in: map[string]bool{}, told: map[string]bool{}}
		c.byID[a.Group] = g
		c.groups = append(c.groups, g)
	}
	if !slices.Contains(g.services, a.Service) {
		g.services = append(g.services, a.Service)
	}
	if !g.in[a.SLO] {
		g.in[a.SLO] = true
		if len(g.slos) <= mostTogether {
			g.slos = append(g.slos, a.SLO)
		}
	}
	g.told[a.told(string(a.Severity))] = true
	if c.open != nil {
		c.opened(a, 1)
	}
}

// told identifies whom an alert is told to, had it this severity.
func (a *Alert) told(severity string) string {
	return severity + "\x00" + a.Team + "\x00" + strings.Join(a.Targets, "\x00")
}

// join finds the group of an alert that fires: that of an alert which began less
// than five minutes ago in the same service, in one that it depends on or in one
// that depends on it. The first alert of a group gives it its id.
func (c *company) join(ctx context.Context, a *Alert, now time.Time) error {
	if err := c.readRecent(ctx, now); err != nil {
		return err
	}
	near, err := c.near(ctx, a.Service)
	if err != nil {
		return err
	}
	a.Group = a.ID
	for _, g := range c.groups {
		if !slices.ContainsFunc(g.services, func(name string) bool { return name == a.Service || slices.Contains(near, name) }) {
			continue
		}
		a.Group = g.id
		for _, name := range g.slos {
			if name != a.SLO && len(a.Together) < mostTogether {
				a.Together = append(a.Together, name)
			}
		}
		others := len(g.in)
		if g.in[a.SLO] {
			others--
		}
		a.Others = others - len(a.Together)
		a.Joined = g.told[a.told("page")] || a.Severity != burn.Page && g.told[a.told(string(a.Severity))]
		break
	}
	c.add(a)
	return nil
}

// readRecent reads the alerts of the last minutes.
func (c *company) readRecent(ctx context.Context, now time.Time) error {
	if c.read {
		return nil
	}
	rows, err := db.New(c.tx).AlertsSince(ctx, database.Micros(now.Add(-together)))
	if err != nil {
		return err
	}
	c.read = true
	for _, r := range rows {
		var a Alert
		if err := unmarshal(r.Data, &a); err != nil {
			return fmt.Errorf("read alert %s: %w", r.ID, err)
		}
		if a.Group != "" {
			c.add(&a)
		}
	}
	return nil
}

func (c *company) near(ctx context.Context, service string) ([]string, error) {
	if names, ok := c.nearby[service]; ok {
		return names, nil
	}
	names, err := c.s.near(ctx, c.tx, service)
	c.nearby[service] = names
	return names, err
}

// stillOpen are objectives of the group of an alert that ends with other alerts
// that go on.
func (c *company) stillOpen(ctx context.Context, a *Alert) ([]string, error) {
	if err := c.readOpen(ctx); err != nil {
		return nil, err
	}
	c.opened(a, -1)
	if a.Group == "" {
		return nil, nil
	}
	names := slices.Sorted(maps.Keys(c.open[a.Group]))
	return names[:min(len(names), mostTogether)], nil
}

// readOpen reads which alerts are open.
func (c *company) readOpen(ctx context.Context) error {
	if c.open != nil {
		return nil
	}
	rows, err := db.New(c.tx).AllOpenAlerts(ctx)
	if err != nil {
		return err
	}
	c.open = map[string]map[string]int{}
	for _, r := range rows {
		var a Alert
		if err := unmarshal(r.Data, &a); err != nil {
			return fmt.Errorf("read alert %s: %w", r.ID, err)
		}
		c.opened(&a, 1)
	}
	return nil
}

// opened counts an alert that begins, or with -1 one that ends.
func (c *company) opened(a *Alert, n int) {
	in := c.open[a.Group]
	if in == nil {
		in = map[string]int{}
		c.open[a.Group] = in
	}
	if in[a.SLO] += n; in[a.SLO] <= 0 {
		delete(in, a.SLO)
	}
}

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

// keep takes over from the stored alert what was found out since it fired.
func (a *Alert) keep(stored Alert) {
	a.Group, a.Together, a.Others, a.Joined = stored.Group, stored.Together, stored.Others, stored.Joined
	a.Explanation, a.Contributions = stored.Explanation, stored.Contributions
}

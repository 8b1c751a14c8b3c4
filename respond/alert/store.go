package alert

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sort"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/respond/alert/db"
	"github.com/teiten/teiten/respond/alert/format"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed spool/*.sql
var spool embed.FS

// Migrations are the room's tables, and SpoolMigrations those of the file that
// takes in what arrives.
var (
	Migrations      = folder(migrations, "migrations")
	SpoolMigrations = folder(spool, "spool")
)

func folder(in embed.FS, name string) fs.FS {
	files, err := fs.Sub(in, name)
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return files
}

// save writes what a book wants written, in the order in which it changed.
func (c *changes) save(ctx context.Context, tx *sql.Tx) error {
	q := db.New(tx)
	for _, k := range c.items {
		if err := k.save(ctx, q); err != nil {
			return fmt.Errorf("save alert %s: %w", k.id, err)
		}
	}
	first := map[*group]*Notice{}
	for i := range c.entries {
		if e := &c.entries[i]; e.kind == EntryGroupOpened {
			first[e.group] = &e.note
		}
	}
	for _, g := range c.groups {
		if err := g.save(ctx, q, first[g]); err != nil {
			return fmt.Errorf("save group %s: %w", g.id, err)
		}
	}
	for _, k := range c.items {
		for _, g := range k.joined {
			if err := q.PutMember(ctx, db.PutMemberParams{GroupID: g.id, AlertID: k.id, JoinedAt: k.lastAt}); err != nil {
				return fmt.Errorf("save member of group %s: %w", g.id, err)
			}
		}
	}
	return nil
}

func (k *itemChange) save(ctx context.Context, q *db.Queries) error {
	x := k.item
	var resolved int64
	if x.state == Resolved {
		resolved = x.ended.shown()
	}
	if k.fresh {
		a := &k.told.alert
		return q.PutAlert(ctx, db.PutAlertParams{
			ID: x.id, Fingerprint: x.fingerprint, Occurrence: int64(x.occurrence), Integration: x.integration, State: string(x.state), Severity: string(x.severity),
			Title: x.title, Body: a.Body, Service: x.service, Team: x.team, Labels: database.JSON(a.Labels), Annotations: database.JSON(a.Annotations), Link: a.Link, Runbook: a.Runbook,
			FiredAt: x.fired.shown(), FiredSource: x.fired.source, FiredArrived: x.fired.arrived, EndedSource: x.ended.source, EndedArrived: x.ended.arrived, LastAt: x.lastAt, UntilAt: x.until,
			AcknowledgedAt: x.acknowledgedAt, AcknowledgedBy: x.acknowledgedBy, ResolvedAt: resolved, Reason: k.reason, Count: x.count, Content: x.content, Suppressed: x.suppressed,
			FirstEvent: k.event, LastEvent: k.event,
		})
	}
	if k.told != nil {
		a := &k.told.alert
		err := q.RetellAlert(ctx, db.RetellAlertParams{ID: x.id, Severity: string(x.severity), Title: x.title, Body: a.Body, Labels: database.JSON(a.Labels),
			Annotations: database.JSON(a.Annotations), Link: a.Link, Runbook: a.Runbook, Content: x.content, LastEvent: k.event})
		if err != nil {
			return err
		}
	}
	if k.state {
		return q.ChangeAlert(ctx, db.ChangeAlertParams{
			ID: x.id, State: string(x.state), LastAt: x.lastAt, UntilAt: x.until, Count: x.count, Suppressed: x.suppressed, FiredAt: x.fired.shown(),
			FiredSource: x.fired.source, FiredArrived: x.fired.arrived, EndedSource: x.ended.source, EndedArrived: x.ended.arrived, ResolvedAt: resolved, Reason: k.reason,
			AcknowledgedAt: x.acknowledgedAt, AcknowledgedBy: x.acknowledgedBy,
		})
	}
	return q.SeeAlert(ctx, db.SeeAlertParams{ID: x.id, LastAt: x.lastAt, UntilAt: x.until, Count: x.count, LastEvent: k.event, FiredSource: x.fired.source, FiredArrived: x.fired.arrived})
}

// save writes a group; n is what was told when it opened, nil for one that is
// there.
func (g *group) save(ctx context.Context, q *db.Queries, n *Notice) error {
	var resolved int64
	if g.state == Resolved {
		resolved = g.endedAt
	}
	labels := database.JSON(g.labels.unpack())
	if n == nil {
		return q.ChangeGroup(ctx, db.ChangeGroupParams{ID: g.id, State: string(g.state), Severity: string(g.severity), Labels: labels, ToldAt: g.toldAt,
			AcknowledgedAt: g.acknowledgedAt, AcknowledgedBy: g.acknowledgedBy, ResolvedAt: resolved, Count: int64(g.members.len()), Total: g.total, Cause: g.cause})
	}
	trace := string(n.Trace)
	if trace == "" {
		trace = "{}"
	}
	return q.PutGroup(ctx, db.PutGroupParams{
		ID: g.id, Key: g.key, State: string(g.state), Receiver: database.JSON(g.receiver), Route: n.Route, Trace: trace, Severity: string(g.severity), Title: g.title, Body: n.Body,
		Service: g.service, Team: g.team, Labels: labels, Link: n.Source, Runbook: n.Runbook, RepeatEvery: g.repeat, OpenedAt: g.openedAt, ToldAt: g.toldAt,
		AcknowledgedAt: g.acknowledgedAt, AcknowledgedBy: g.acknowledgedBy, ResolvedAt: resolved, Count: int64(g.members.len()), Total: g.total, Cause: g.cause,
	})
}

// complete adds to a notice what only the database keeps.
func (n *Notice) complete(ctx context.Context, q *db.Queries) error {
	r, err := q.GroupText(ctx, n.Group)
	if err != nil {
		return fmt.Errorf("read group %s: %w", n.Group, err)
	}
	n.Body, n.Source, n.Runbook, n.Route, n.Trace = r.Body, r.Link, r.Runbook, r.Route, json.RawMessage(r.Trace)
	return nil
}

// loadBook reads every open alert and group.
func loadBook(ctx context.Context, from db.DBTX, j judge) (*book, error) {
	b, q := newBook(), db.New(from)
	items, err := q.OpenAlerts(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read open alerts: %w", err))
	}
	for i := range items {
		r := &items[i]
		l, err := storedLabels(r.Labels)
		if err != nil {
			return nil, fmt.Errorf("read alert %s: %w", r.ID, err)
		}
		x := &item{
			id: r.ID, fingerprint: r.Fingerprint, occurrence: int(r.Occurrence), integration: r.Integration, state: State(r.State), severity: format.Severity(r.Severity),
			service: r.Service, team: r.Team, title: r.Title, content: r.Content, labels: l, count: r.Count, suppressed: r.Suppressed,
			fired: stamp{r.FiredSource, r.FiredArrived}, lastAt: r.LastAt, until: r.UntilAt, acknowledgedAt: r.AcknowledgedAt, acknowledgedBy: r.AcknowledgedBy,
		}
		b.items[x.fingerprint], b.byID[x.id] = x, x
		j.fires(x)
	}
	groups, err := q.OpenGroups(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read open groups: %w", err))
	}
	for i := range groups {
		g, err := groupOf(&groups[i])
		if err != nil {
			return nil, err
		}
		b.enter(g)
	}
	members, err := q.OpenMembers(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read members of groups: %w", err))
	}
	for _, m := range members {
		if g, x := b.byName[m.GroupID], b.byID[m.AlertID]; g != nil && x != nil {
			g.members.add(x)
			x.groups = append(x.groups, g)
		}
	}
	return b, nil
}

func storedLabels(data string) (labels, error) {
	var m map[string]string
	if err := database.ReadJSON(data, &m); err != nil {
		return "", err
	}
	return packLabels(m), nil
}

func groupOf(r *db.AlertGroup) (*group, error) {
	l, err := storedLabels(r.Labels)
	if err != nil {
		return nil, fmt.Errorf("read group %s: %w", r.ID, err)
	}
	g := &group{
		id: r.ID, key: r.Key, state: State(r.State), severity: format.Severity(r.Severity), title: r.Title, service: r.Service, team: r.Team, labels: l, cause: r.Cause,
		openedAt: r.OpenedAt, toldAt: r.ToldAt, acknowledgedAt: r.AcknowledgedAt, acknowledgedBy: r.AcknowledgedBy, repeat: r.RepeatEvery, interval: joinInterval.Microseconds(), total: r.Total,
	}
	if err := database.ReadJSON(r.Receiver, &g.receiver); err != nil {
		return nil, fmt.Errorf("read receiver of group %s: %w", r.ID, err)
	}
	return g, nil
}

// recall puts the last occurrence of each alert that deliveries are about into
// the book, where it is not open.
func (b *book) recall(ctx context.Context, from db.DBTX, all []*delivery) error {
	q := db.New(from)
	missing := map[string]bool{}
	for _, d := range all {
		if b.items[d.fingerprint] == nil {
			missing[d.fingerprint] = true
		}
	}
	for _, f := range sortedKeys(missing) {
		r, err := q.LastOccurrence(ctx, f)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return database.Fault(fmt.Errorf("read alert: %w", err))
		}
		l, err := storedLabels(r.Labels)
		if err != nil {
			return fmt.Errorf("read alert %s: %w", r.ID, err)
		}
		b.items[f] = &item{
			id: r.ID, fingerprint: f, occurrence: int(r.Occurrence), integration: r.Integration, state: State(r.State), severity: format.Severity(r.Severity), service: r.Service, team: r.Team,
			title: r.Title, content: r.Content, labels: l, count: r.Count, lastAt: r.LastAt,
			fired: stamp{r.FiredSource, r.FiredArrived}, ended: stamp{r.EndedSource, r.EndedArrived},
		}
	}
	return nil
}

// trim lets go of alerts that are closed.
func (b *book) trim(c *changes, all []*delivery) {
	for _, d := range all {
		if x := b.items[d.fingerprint]; x != nil && !x.open() {
			delete(b.items, d.fingerprint)
		}
	}
	for _, k := range c.items {
		if x := b.items[k.fingerprint]; x != nil && !x.open() {
			delete(b.items, k.fingerprint)
		}
	}
}

func sortedKeys(m map[string]bool) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	sort.Strings(all)
	return all
}

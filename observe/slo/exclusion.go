package slo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/db"
	"github.com/teiten/teiten/observe/slo/ledger"
)

// The kinds of journal entries about time that does not count.
const (
	EntryExclusionAdded     = "slo.exclusion_added"
	EntryExclusionTakenBack = "slo.exclusion_taken_back"
)

// muchHidden is the part of an error budget that an exclusion may give back
// without the word of an owner or administrator.
const muchHidden = 0.2

// Hidden is what an exclusion changes about one objective's budget when it is
// made.
type Hidden struct {
	SLO        string  `json:"slo"`
	Minutes    int64   `json:"minutes" doc:"Minutes of the present window that would no longer count."`
	Bad        float64 `json:"bad" doc:"Bad events that would no longer count."`
	LeftBefore float64 `json:"budgetLeftBefore"`
	LeftAfter  float64 `json:"budgetLeftAfter"`
	GivesBack  float64 `json:"givesBack" doc:"The part of the error budget that would be given back."`
}

// draft is an exclusion before it is there.
type draft struct {
	document string
	covers   Covers
	shape    shape
	starts   int64 // microseconds
	ends     int64
	reason   string
}

// exclusionEntry is what the journal says of an exclusion.
type exclusionEntry struct {
	ID       string    `json:"id"`
	Document string    `json:"document,omitempty"`
	Covers   Covers    `json:"covers"`
	When     text.Both `json:"when"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to,omitzero"`
	Reason   string    `json:"reason"`
	Why      string    `json:"why,omitempty"` // it was taken back
	Hides    []Hidden  `json:"hides,omitempty"`
}

// exclude writes an exclusion and has everything it covers summed again.
func (s *Service) exclude(ctx context.Context, tx *sql.Tx, n draft, hides []Hidden) (exclusion, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return exclusion{}, fmt.Errorf("exclude: %w", err)
	}
	row := db.SloExclusion{
		ID: id.String(), Document: n.document, Covers: marshal(n.covers), Shape: marshal(n.shape), StartsAt: n.starts, EndsAt: n.ends,
		Reason: n.reason, CreatedAt: database.Micros(s.now()), CreatedBy: marshal(journal.ActorFrom(ctx)),
	}
	x, err := readExclusion(row)
	if err != nil {
		return x, err
	}
	q := db.New(tx)
	err = q.AddExclusion(ctx, db.AddExclusionParams{ID: row.ID, Document: row.Document, Covers: row.Covers, Shape: row.Shape,
		StartsAt: row.StartsAt, EndsAt: row.EndsAt, Reason: row.Reason, CreatedAt: row.CreatedAt, CreatedBy: row.CreatedBy})
	for _, c := range n.covers.all() {
		err = errors.Join(err, q.AddExclusionCover(ctx, db.AddExclusionCoverParams{Kind: c.kind, Name: c.name, Exclusion: row.ID}))
	}
	if err != nil {
		return x, fmt.Errorf("exclude: %w", err)
	}
	if err := s.sumAgain(ctx, tx, &x); err != nil {
		return x, err
	}
	return x, s.tellExclusion(ctx, tx, EntryExclusionAdded, &x, hides)
}

// takeBack has an exclusion count for nothing from now on. It stays readable.
func (s *Service) takeBack(ctx context.Context, tx *sql.Tx, x *exclusion, why string) error {
	now, by := database.Micros(s.now()), marshal(journal.ActorFrom(ctx))
	n, err := db.New(tx).TakeBackExclusion(ctx, db.TakeBackExclusionParams{ID: x.row.ID, TakenBackAt: now, TakenBackBy: by, TakenBackWhy: why})
	if err != nil {
		return fmt.Errorf("take back exclusion %s: %w", x.row.ID, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "slo.exclusion_taken_back",
			text.Say("it was taken back already", "すでに取り消されています")).
			Fix(text.Say("read it to see who did so and why", "誰がなぜ取り消したかは、除外を開くと分かります"))
	}
	x.row.TakenBackAt, x.row.TakenBackBy, x.row.TakenBackWhy = now, by, why
	if err := s.sumAgain(ctx, tx, x); err != nil {
		return err
	}
	return s.tellExclusion(ctx, tx, EntryExclusionTakenBack, x, nil)
}

// sumAgain asks for the figures that an exclusion touches to be summed anew, and
// has the rounds to come know of it.
func (s *Service) sumAgain(ctx context.Context, tx *sql.Tx, x *exclusion) error {
	if err := db.New(tx).NextGeneration(ctx); err != nil {
		return fmt.Errorf("sum again: %w", err)
	}
	since := x.bounds().From
	if since > ledger.Done(s.now()) {
		return nil
	}
	covered, err := coveredBy(ctx, tx, x.covers)
	for _, c := range covered {
		err = errors.Join(err, askRebuild(ctx, tx, c.SLO, since))
	}
	return err
}

// askRebuild has an objective's figures summed again from the ledger, as far as
// they are of minutes from since on.
func askRebuild(ctx context.Context, tx *sql.Tx, slo string, since int64) error {
	id, err := uuid.NewV7()
	if err == nil {
		err = db.New(tx).AskRebuild(ctx, db.AskRebuildParams{Slo: slo, Since: since, Asked: id.String()})
	}
	if err != nil {
		return fmt.Errorf("sum %s again: %w", slo, err)
	}
	return nil
}

// coveredBy lists the objectives that are covered at present.
func coveredBy(ctx context.Context, q db.DBTX, covers Covers) ([]coverage, error) {
	rows, err := db.New(q).Coverages(ctx)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("list what is covered: %w", err))
	}
	all := covers.all()
	var found []coverage
	for _, r := range rows {
		c := coverage{r.Name, r.Service, r.System, r.Owner}
		if slices.ContainsFunc(c.covers(), func(x cover) bool { return x.name != "" && slices.Contains(all, x) }) {
			found = append(found, c)
		}
	}
	return found, nil
}

// teamsOf are the teams whose word it takes to exclude something: the owners of
// what is named and of every objective it covers at present. "" stands for what
// nobody owns.
func (s *Service) teamsOf(ctx context.Context, q db.DBTX, covers Covers) ([]string, error) {
	teams := slices.Clone(covers.Teams)
	covered, err := coveredBy(ctx, q, covers)
	if err != nil {
		return nil, err
	}
	for _, c := range covered {
		teams = append(teams, c.Team)
	}
	for _, name := range covers.Services {
		e, _, err := s.lookUp(ctx, q, name)
		if err != nil {
			return nil, err
		}
		teams = append(teams, e.Owner)
	}
	for _, name := range covers.Systems {
		e, err := s.catalog.Entity(ctx, catalog.Ref{Kind: catalog.KindSystem, Namespace: catalog.DefaultNamespace, Name: name})
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return nil, err
		}
		teams = append(teams, e.Owner)
	}
	slices.Sort(teams)
	return slices.Compact(teams), nil
}

// mayEditAll returns nil when the caller may change what each of the teams owns.
func mayEditAll(ctx context.Context, teams []string) error {
	for _, team := range teams {
		if err := access.MayEdit(ctx, team); err != nil {
			return err
		}
	}
	return nil
}

// mayHide returns nil when the caller's word is enough to give back much of a
// spent budget: that of an administrator, or of an owner of each of the teams.
func mayHide(ctx context.Context, teams []string) error {
	p, ok := access.From(ctx)
	if ok && p.Role.AtLeast(access.Admin) {
		return nil
	}
	for _, team := range teams {
		if !ok || team == "" || !slices.Contains(p.Owns, string(journal.RefTo("team", team))) {
			return fault.New(fault.Denied, "slo.exclusion_owner",
				text.Say("this exclusion gives back more than %d%% of an error budget", "この除外により、エラーバジェットの%d%%を超える分が戻ります", int(muchHidden*100))).
				Fix(text.Say("ask an owner of the team or an administrator to make it", "チームの所有者か管理者に依頼してください"))
		}
	}
	return nil
}

// hides reports what an exclusion would change about the present windows of
// those it covers, the most first. It says nothing of those it does not change.
func (s *Service) hides(ctx context.Context, q db.DBTX, n draft) ([]Hidden, error) {
	x, err := readExclusion(db.SloExclusion{Covers: marshal(n.covers), Shape: marshal(n.shape), StartsAt: n.starts, EndsAt: n.ends})
	if err != nil {
		return nil, err
	}
	end := ledger.Done(s.now())
	if x.bounds().From >= end {
		return nil, nil
	}
	covered, err := coveredBy(ctx, q, n.covers)
	if err != nil {
		return nil, err
	}
	book, err := loadExclusions(ctx, q, time.Time{})
	if err != nil {
		return nil, err
	}
	var all []Hidden
	for _, c := range covered {
		h, err := s.hidesOf(ctx, q, c, &x, book, end)
		if err != nil {
			return nil, err
		}
		if h.Minutes > 0 {
			all = append(all, h)
		}
	}
	slices.SortStableFunc(all, func(a, b Hidden) int {
		switch {
		case a.GivesBack > b.GivesBack:
			return -1
		case a.GivesBack < b.GivesBack:
			return 1
		}
		return 0
	})
	return all, nil
}

func (s *Service) hidesOf(ctx context.Context, q db.DBTX, c coverage, x *exclusion, book *exclusionBook, end int64) (Hidden, error) {
	h := Hidden{SLO: c.SLO}
	row, err := db.New(q).GetDefinition(ctx, c.SLO)
	if err != nil {
		return h, database.Fault(fmt.Errorf("read %s: %w", c.SLO, err))
	}
	var d Definition
	if err := unmarshal(row.Data, &d); err != nil {
		return h, fmt.Errorf("read %s: %w", c.SLO, err)
	}
	span := ledger.Between(d.Counting.Start(d.window().Start(end)), end)
	already := book.minutes(c, span)
	more := x.within(span)
	both := ledger.Join(append(slices.Clone(already), more...))
	if h.Minutes = ledger.Length(both) - ledger.Length(already); h.Minutes == 0 {
		return h, nil
	}
	past, err := s.history(ctx, q, &d, span, time.Time{})
	if err != nil {
		return h, err
	}
	before, after := total(counted(&d, span.From, past.Minutes, already)), total(counted(&d, span.From, past.Minutes, both))
	h.Bad = before.Bad - after.Bad
	h.LeftBefore, h.LeftAfter = d.Objective.BudgetLeft(before), d.Objective.BudgetLeft(after)
	h.GivesBack = h.LeftAfter - h.LeftBefore
	return h, nil
}

func total(all []ledger.Minute) (sum ledger.Sum) {
	for _, m := range all {
		sum = sum.Add(m)
	}
	return sum
}

// tellExclusion writes the journal's entry.
func (s *Service) tellExclusion(ctx context.Context, tx *sql.Tx, kind string, x *exclusion, hides []Hidden) error {
	const most = 20
	e := exclusionEntry{
		ID: x.row.ID, Document: x.row.Document, Covers: x.covers, When: x.shape.say(), Reason: x.row.Reason,
		From: database.Time(x.row.StartsAt), Why: x.row.TakenBackWhy, Hides: hides[:min(len(hides), most)],
	}
	if x.row.EndsAt != forever {
		e.To = database.Time(x.row.EndsAt)
	}
	var refs []journal.Ref
	for _, c := range x.covers.all() {
		refs = append(refs, journal.RefTo(c.kind, c.name))
	}
	if x.row.Document != "" {
		refs = slices.Insert(refs, 0, maintenanceRef(x.row.Document))
	}
	covered, err := coveredBy(ctx, tx, x.covers)
	if err != nil {
		return err
	}
	for _, c := range covered[:min(len(covered), most)] {
		for _, r := range append([]journal.Ref{journal.RefTo("slo", c.SLO)}, also(c.Service, c.Team)...) {
			if !slices.Contains(refs, r) {
				refs = append(refs, r)
			}
		}
	}
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: refs[0], Also: refs[1:], Data: e})
	return err
}

func maintenanceRef(name string) journal.Ref { return journal.RefTo("maintenance", name) }

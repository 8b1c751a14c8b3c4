package exclusion

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/exclusion/db"
)

// The kinds of journal entries about time that does not count.
const (
	EntryAdded     = "slo.exclusion_added"
	EntryTakenBack = "slo.exclusion_taken_back"
	EntryEnded     = "slo.exclusion_ended"
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

// Reader is a connection or a transaction.
type Reader = db.DBTX

// Objectives is what the room asks of the objectives that exclusions cover. What
// it reads and writes belongs to the caller's transaction.
type Objectives interface {
	// Coverages lists what every objective belongs to, by name.
	Coverages(ctx context.Context, q Reader) ([]Coverage, error)
	// Exists returns a NotFound fault where there is no objective of that name.
	Exists(ctx context.Context, name string) error
	// CheckService returns what is wrong with a document that names a service.
	CheckService(ctx context.Context, tx *sql.Tx, d *ascode.Document, name string) []*fault.Error
	// Hides tells what one more exclusion changes about an objective's present
	// budget, besides those of the book.
	Hides(ctx context.Context, q Reader, c Coverage, x *Exclusion, book *Book) (Hidden, error)
	// Excluded has the rounds to come read the book again, and the figures of
	// objectives summed anew as far as they are of minutes from since on.
	Excluded(ctx context.Context, tx *sql.Tx, names []string, since int64) error
}

// Deps is what the room stands on.
type Deps struct {
	DB         *database.DB
	Journal    *journal.Journal
	Catalog    *catalog.Service
	Objectives Objectives
	Now        func() time.Time
}

// Service makes exclusions and takes them back.
type Service struct {
	db         *database.DB
	journal    *journal.Journal
	catalog    *catalog.Service
	objectives Objectives
	now        func() time.Time
}

// New returns the room.
func New(d Deps) *Service {
	return &Service{db: d.DB, journal: d.Journal, catalog: d.Catalog, objectives: d.Objectives, now: d.Now}
}

// ready is an exclusion that can be asked what it excludes.
func ready(x Exclusion) (*Exclusion, error) {
	x.Starts, x.Ends = x.Starts.Truncate(time.Microsecond), x.Ends.Truncate(time.Microsecond) // as they are stored
	if err := x.Shape.readInto(&x.pattern); err != nil {
		return nil, fmt.Errorf("exclude: %w", err)
	}
	return &x, nil
}

// exclude writes an exclusion and has everything it covers summed again.
func (s *Service) exclude(ctx context.Context, tx *sql.Tx, x *Exclusion, hides []Hidden) error {
	x.CreatedAt, x.CreatedBy = s.now().UTC().Truncate(time.Microsecond), journal.ActorFrom(ctx)
	if err := add(ctx, tx, x); err != nil {
		return err
	}
	if err := s.sumAgain(ctx, tx, x); err != nil {
		return err
	}
	return s.tell(ctx, tx, EntryAdded, x, hides, time.Time{})
}

// takeBack has an exclusion count for nothing from now on. It stays readable.
func (s *Service) takeBack(ctx context.Context, tx *sql.Tx, x *Exclusion, why string) error {
	t := TakenBack{s.now().UTC().Truncate(time.Microsecond), journal.ActorFrom(ctx), why}
	n, err := db.New(tx).TakeBackExclusion(ctx, db.TakeBackExclusionParams{
		ID: x.ID, TakenBackAt: database.Micros(t.At), TakenBackBy: database.JSON(t.By), TakenBackWhy: why})
	if err != nil {
		return fmt.Errorf("take back exclusion %s: %w", x.ID, err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "slo.exclusion_taken_back",
			text.Say("it was taken back already", "すでに取り消されています")).
			Fix(text.Say("read it to see who did so and why", "誰がなぜ取り消したかは、除外を開くと分かります"))
	}
	x.TakenBack = &t
	if err := s.sumAgain(ctx, tx, x); err != nil {
		return err
	}
	return s.tell(ctx, tx, EntryTakenBack, x, nil, time.Time{})
}

// end has an exclusion hold no longer. What it excluded so far stays excluded;
// one that has not begun is taken back.
func (s *Service) end(ctx context.Context, tx *sql.Tx, x *Exclusion) error {
	now := s.now()
	switch {
	case !x.holds(now):
		return nil
	case !x.Starts.Before(now):
		return s.takeBack(ctx, tx, x, "the maintenance window was removed before it began")
	}
	err := db.New(tx).EndExclusion(ctx, db.EndExclusionParams{ID: x.ID, EndsAt: database.Micros(now)})
	if err = errors.Join(err, s.objectives.Excluded(ctx, tx, nil, 0)); err != nil {
		return fmt.Errorf("end exclusion %s: %w", x.ID, err)
	}
	ended := *x
	ended.Ends = now
	return s.tell(ctx, tx, EntryEnded, &ended, nil, x.Ends)
}

// sumAgain asks for the figures that an exclusion touches to be summed anew.
func (s *Service) sumAgain(ctx context.Context, tx *sql.Tx, x *Exclusion) error {
	var names []string
	since := x.bounds().From
	if since <= s.minute() {
		covered, err := s.coveredBy(ctx, tx, x.Covers)
		if err != nil {
			return err
		}
		for _, c := range covered {
			names = append(names, c.SLO)
		}
	}
	return s.objectives.Excluded(ctx, tx, names, since)
}

// coveredBy lists the objectives that are covered at present.
func (s *Service) coveredBy(ctx context.Context, q Reader, covers Covers) ([]Coverage, error) {
	all, err := s.objectives.Coverages(ctx, q)
	return slices.DeleteFunc(all, func(c Coverage) bool { return !c.by(covers) }), err
}

// teamsOf are the teams whose word it takes to exclude something: the owners of
// what is named and of every objective it covers at present. "" stands for what
// nobody owns.
func (s *Service) teamsOf(ctx context.Context, q Reader, covers Covers) ([]string, error) {
	teams := slices.Clone(covers.Teams)
	covered, err := s.coveredBy(ctx, q, covers)
	if err != nil {
		return nil, err
	}
	for _, c := range covered {
		teams = append(teams, c.Team)
	}
	for _, name := range covers.Services {
		e, err := s.catalog.Find(ctx, q, name)
		if err != nil && fault.KindOf(err) != fault.NotFound {
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
func (s *Service) hides(ctx context.Context, q Reader, x *Exclusion) ([]Hidden, error) {
	if x.bounds().From >= s.minute() {
		return nil, nil
	}
	covered, err := s.coveredBy(ctx, q, x.Covers)
	if err != nil {
		return nil, err
	}
	book, err := Load(ctx, q, time.Time{})
	if err != nil {
		return nil, err
	}
	var all []Hidden
	for _, c := range covered {
		if c.Whole != "" && !slices.Contains(x.Covers.SLOs, c.SLO) {
			continue // the whole stands for its instances, of which there may be thousands
		}
		h, err := s.objectives.Hides(ctx, q, c, x, book)
		if err != nil {
			return nil, err
		}
		if h.Minutes > 0 {
			all = append(all, h)
		}
	}
	slices.SortStableFunc(all, func(a, b Hidden) int { return cmp.Compare(b.GivesBack, a.GivesBack) })
	return all, nil
}

// entry is what the journal says of an exclusion.
type entry struct {
	ID       string    `json:"id"`
	Document string    `json:"document,omitempty"`
	Covers   Covers    `json:"covers"`
	When     text.Both `json:"when"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to,omitzero"`
	Until    time.Time `json:"until,omitzero"` // before it was ended early; absent where it had no end
	Reason   string    `json:"reason"`
	Why      string    `json:"why,omitempty"` // it was taken back
	Hides    []Hidden  `json:"hides,omitempty"`
}

// tell writes the journal's entry. until is when one that was ended early would have
// ended.
func (s *Service) tell(ctx context.Context, tx *sql.Tx, kind string, x *Exclusion, hides []Hidden, until time.Time) error {
	const most = 20
	e := entry{ID: x.ID, Document: x.Document, Covers: x.Covers, When: x.Shape.say(), Reason: x.Reason,
		From: x.Starts.UTC(), To: x.Ends.UTC(), Until: until, Hides: hides[:min(len(hides), most)]}
	if x.TakenBack != nil {
		e.Why = x.TakenBack.Why
	}
	var refs []journal.Ref
	for _, c := range x.Covers.all() {
		refs = append(refs, journal.RefTo(c.kind, c.name))
	}
	if x.Document != "" {
		refs = slices.Insert(refs, 0, windowRef(x.Document))
	}
	covered, err := s.coveredBy(ctx, tx, x.Covers)
	if err != nil {
		return err
	}
	for _, c := range covered[:min(len(covered), most)] {
		for _, r := range append([]journal.Ref{journal.RefTo("slo", c.SLO)}, catalog.RefsOf(c.Service, c.Team)...) {
			if !slices.Contains(refs, r) {
				refs = append(refs, r)
			}
		}
	}
	_, err = s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: refs[0], Also: refs[1:], Data: e})
	return err
}

// minute is the one that is under way.
func (s *Service) minute() int64 { return s.now().Unix() / 60 }

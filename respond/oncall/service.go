package oncall

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/recur"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/respond/oncall/db"
	"github.com/teiten/teiten/respond/oncall/rota"
)

// Deps is what the room stands on. Documents reads the documents of an edit that
// is previewed; Measures holds what other rooms know of people's load.
type Deps struct {
	DB        *database.DB
	Journal   *journal.Journal
	Catalog   *catalog.Service
	Accounts  Accounts
	Documents *ascode.Engine
	Measures  *measure.Registry
	Permit    func(ctx context.Context, owner string) error
	Now       func() time.Time
	BaseURL   string
}

// Service keeps schedules and says who is on call.
type Service struct {
	db        *database.DB
	journal   *journal.Journal
	catalog   *catalog.Service
	accounts  Accounts
	documents *ascode.Engine
	measures  *measure.Registry
	permit    func(ctx context.Context, owner string) error
	now       func() time.Time
	baseURL   string
}

// New returns the room. Its tables are there after
// db.Migrate(ctx, "oncall", oncall.Migrations).
func New(d Deps) *Service {
	return &Service{db: d.DB, journal: d.Journal, catalog: d.Catalog, accounts: d.Accounts, documents: d.Documents,
		measures: d.Measures, permit: d.Permit, now: d.Now, baseURL: d.BaseURL}
}

// View says as of when a question about the past is answered.
type View string

// The views of the past.
const (
	Then View = "then" // as the configuration was at that time: who was on call
	Now  View = "now"  // as the configuration is now: who would have been
)

// loaded is a schedule with as much of its history as a question needs.
type loaded struct {
	name      string
	versions  []version
	overrides []Override
	plan      rota.Plan
}

// load reads a schedule for a question about [from, to).
func (s *Service) load(ctx context.Context, q Reader, name string, from, to time.Time, view View) (*loaded, error) {
	versions, err := versionsOf(ctx, q, name)
	if err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, notThere(name)
	}
	overrides, err := overridesOf(ctx, q, name, from, to)
	if err != nil {
		return nil, err
	}
	l := &loaded{name: name, versions: versions, overrides: overrides}
	for _, v := range versions {
		l.plan.Versions = append(l.plan.Versions, rota.Version{Number: v.number, From: v.from, Schedule: v.planned})
	}
	if view == Now {
		last := l.plan.Versions[len(versions)-1]
		last.From = time.Time{}
		l.plan.Versions = []rota.Version{last}
	}
	for _, o := range overrides {
		l.plan.Overrides = append(l.plan.Overrides, o.rota())
	}
	return l, nil
}

// latest is the last version.
func (l *loaded) latest() *version { return &l.versions[len(l.versions)-1] }

// removed reports whether the schedule is no longer there.
func (l *loaded) removed() bool { return l.latest().doc == nil }

// spec is that of the last version which is one.
func (l *loaded) spec() *Spec {
	for _, v := range slices.Backward(l.versions) {
		if v.doc != nil {
			return &v.doc.Spec
		}
	}
	return &Spec{}
}

// zone is the zone that the schedule is written in.
func (l *loaded) zone() *time.Location {
	if z, err := time.LoadLocation(l.spec().TimeZone); err == nil {
		return z
	}
	return time.UTC
}

// roles are those that a version of the schedule has layers or overrides for,
// primary always among them.
func (l *loaded) roles() []rota.Role {
	return slices.DeleteFunc(slices.Clone(rota.Roles), func(r rota.Role) bool {
		if r == rota.Primary || slices.ContainsFunc(l.overrides, func(o Override) bool { return o.Role == r }) {
			return false
		}
		return !slices.ContainsFunc(l.plan.Versions, func(v rota.Version) bool {
			return slices.ContainsFunc(v.Schedule.Layers, func(x rota.Layer) bool { return x.Role == r })
		})
	})
}

// Span is a time from one instant on and before another.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// gaps are when nobody is on call as primary although somebody has to be. Before
// there was a schedule nobody had to.
func (l *loaded) gaps(from, to time.Time) []Span {
	var all []Span
	if len(l.versions) > 0 && l.versions[0].from.After(from) {
		from = l.versions[0].from
	}
	if !from.Before(to) {
		return nil
	}
	for _, s := range l.plan.Shifts(rota.Primary, from, to) {
		if !s.Gap() {
			continue
		}
		for _, g := range l.covered(s.From, s.To) {
			if n := len(all); n > 0 && all[n-1].To.Equal(g.From) {
				all[n-1].To = g.To
				continue
			}
			all = append(all, Span(g))
		}
	}
	return all
}

// covered are the parts of a time in which somebody has to be on call.
func (l *loaded) covered(from, to time.Time) []recur.Span {
	lines := l.spec().Coverage
	if len(lines) == 0 {
		return []recur.Span{{From: from, To: to}}
	}
	hours, _, err := recur.ParseHours(lines)
	if err != nil {
		return []recur.Span{{From: from, To: to}} // it was judged before it was stored
	}
	return slices.Collect(recur.Week{Hours: hours, Zone: l.zone()}.Between(from, to))
}

// Source is what put somebody on call: a layer of a version of the schedule, with
// the place where it is written, and the overrides that changed it.
type Source struct {
	Version   int      `json:"version,omitempty" doc:"The version of the schedule."`
	Layer     string   `json:"layer,omitempty" doc:"The layer's name."`
	File      string   `json:"file,omitempty" doc:"Where the layer is written, for a schedule from code."`
	Line      int      `json:"line,omitempty"`
	Overrides []string `json:"overrides,omitempty" doc:"The ids of the overrides that changed it, in order."`
}

func (l *loaded) source(s rota.Source) Source {
	out := Source{Version: s.Version, Overrides: s.Overrides}
	if s.Version < 1 || s.Version > len(l.versions) || s.Layer < 0 {
		return out
	}
	out.Layer = s.Name
	if v := l.versions[s.Version-1]; v.file != "" && s.Layer < len(v.lines) {
		out.File, out.Line = v.file, v.lines[s.Layer]
	}
	return out
}

// Duty is who is on call in one role, from when to when, and why. Without people
// it is a gap. From and To are looked for within a month.
type Duty struct {
	Role   rota.Role `json:"role" enum:"primary,secondary,shadow"`
	People []Person  `json:"people"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Source Source    `json:"source"`
}

// Answer is who is on call by a schedule at an instant, primary first. A role
// that nobody has is a duty without people; Removed is a schedule that is no
// longer there.
type Answer struct {
	Schedule string    `json:"schedule"`
	At       time.Time `json:"at"`
	Removed  bool      `json:"removed,omitempty"`
	Duties   []Duty    `json:"duties"`
}

// People are those who are on call in a role, without those who left.
func (a Answer) People(role rota.Role) []Person {
	for _, d := range a.Duties {
		if d.Role == role {
			return slices.DeleteFunc(slices.Clone(d.People), func(p Person) bool { return p.Left })
		}
	}
	return nil
}

// On is who is on call by a schedule at an instant, as the configuration was at
// that time, with the reason. It is NotFound where there never was such a
// schedule.
func (s *Service) On(ctx context.Context, schedule string, at time.Time) (Answer, error) {
	return s.OnAs(ctx, s.db.Read(), schedule, at, Then)
}

// OnAs is On in a transaction or on a connection, as of then or as of now.
func (s *Service) OnAs(ctx context.Context, q Reader, schedule string, at time.Time, view View) (Answer, error) {
	l, err := s.load(ctx, q, schedule, at.AddDate(0, -1, 0), at.AddDate(0, 1, 0), view)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Schedule: schedule, At: at, Removed: l.removed()}
	var names []string
	var shifts []rota.Shift
	for _, role := range l.roles() {
		x := l.plan.At(role, at)
		shifts = append(shifts, x)
		names = append(names, x.Users...)
		a.Duties = append(a.Duties, Duty{Role: role, From: x.From, To: x.To, Source: l.source(x.Source)})
	}
	found, err := s.People(ctx, q, names)
	if err != nil {
		return Answer{}, err
	}
	for i, x := range shifts {
		a.Duties[i].People = named(found, x.Users)
	}
	return a, nil
}

func named(found map[string]Person, names []string) []Person {
	all := make([]Person, len(names))
	for i, name := range names {
		all[i] = cmp.Or(found[name], Person{ID: name, Name: name})
	}
	return all
}

// names lists the schedules that are there.
func (s *Service) list(ctx context.Context, q Reader) ([]db.OncallSchedule, error) {
	rows, err := db.New(q).ListSchedules(ctx)
	if err != nil {
		return nil, database.Fault(err)
	}
	return rows, nil
}

// tell appends an entry about a schedule, found under its team as well.
func (s *Service) tell(ctx context.Context, tx *sql.Tx, kind, schedule, owner string, data any) error {
	_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: refTo(schedule), Also: []journal.Ref{journal.RefTo("team", owner)}, Data: data})
	return err
}

package incident

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/respond/incident/db"
	"github.com/teiten/teiten/respond/oncall"
)

// People is what the room asks of those who can take a part.
type People interface {
	// People finds persons by the names under which they are kept.
	People(ctx context.Context, q oncall.Reader, names []string) (map[string]oncall.Person, error)
	// Caller is the name of whoever acts, and "" where they are nobody who could
	// take a part.
	Caller(ctx context.Context, q oncall.Reader) (string, error)
}

// Budgets is what the room asks of error budgets.
type Budgets interface {
	// Burned is what an incident burned of the budgets of its services, as of to.
	Burned(ctx context.Context, incident journal.Ref, services, slos []string, to time.Time) ([]slo.Burn, error)
}

// Deps is what the room stands on. Published reports whether the postmortem of an
// incident is published; nil means that there are none.
type Deps struct {
	DB        *database.DB
	Journal   *journal.Journal
	Catalog   *catalog.Service
	People    People
	Budgets   Budgets
	Published func(ctx context.Context, q Reader, number int64) (bool, error)
	Now       func() time.Time
	BaseURL   string
}

// Service keeps incidents.
type Service struct {
	db        *database.DB
	journal   *journal.Journal
	catalog   *catalog.Service
	who       People
	budgets   Budgets
	published func(ctx context.Context, q Reader, number int64) (bool, error)
	now       func() time.Time
	baseURL   string
}

// New returns the room. Its tables are there after
// db.Migrate(ctx, "incident", incident.Migrations).
func New(d Deps) *Service {
	if d.Published == nil {
		d.Published = func(context.Context, Reader, int64) (bool, error) { return false, nil }
	}
	return &Service{db: d.DB, journal: d.Journal, catalog: d.Catalog, who: d.People, budgets: d.Budgets,
		published: d.Published, now: d.Now, baseURL: strings.TrimRight(d.BaseURL, "/")}
}

// Get returns an incident by its name, INC-42.
func (s *Service) Get(ctx context.Context, name string) (Incident, error) {
	n, err := Number(name)
	if err != nil {
		return Incident{}, err
	}
	return get(ctx, s.db.Read(), n)
}

// step is one transition: it returns what the incident becomes, and what its entry
// says besides.
type step func(ctx context.Context, tx *sql.Tx, i Incident) (Incident, Told, error)

// change takes an incident through one transition, with its entry.
func (s *Service) change(ctx context.Context, name, kind string, do step) (Incident, error) {
	n, err := Number(name)
	if err != nil {
		return Incident{}, err
	}
	var after Incident
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		before, err := take(ctx, tx, n)
		if err != nil {
			return err
		}
		var told Told
		if after, told, err = do(ctx, tx, before); err != nil {
			return err
		}
		if err := put(ctx, tx, &after); err != nil {
			return err
		}
		return s.tell(ctx, tx, kind, &before, &after, told)
	})
	return after, err
}

// tell appends the entry of a change.
func (s *Service) tell(ctx context.Context, tx *sql.Tx, kind string, before, after *Incident, t Told) error {
	t.about(before, after)
	_, err := s.journal.Append(ctx, tx, journal.Draft{Kind: kind, Subject: Ref(after.Number), Also: after.touches(), Data: t})
	return err
}

// touches are the references under which entries about an incident are found as
// well.
func (i *Incident) touches() []journal.Ref {
	var also []journal.Ref
	for _, s := range i.Services {
		also = append(also, journal.RefTo("service", s))
	}
	if i.Team != "" {
		also = append(also, journal.RefTo("team", i.Team))
	}
	for _, g := range i.Groups {
		also = append(also, journal.RefTo("alert-group", g))
	}
	return also
}

// policy is the policy of a team.
func (s *Service) policy(ctx context.Context, q Reader, team string) (*Policy, error) {
	rows, err := db.New(q).PoliciesFor(ctx, team)
	if err != nil {
		return nil, database.Fault(fmt.Errorf("read incident policies: %w", err))
	}
	if len(rows) == 0 {
		return DefaultPolicy(), nil
	}
	var d Document
	if err := database.ReadJSON(rows[0].Document, &d); err != nil {
		return nil, fmt.Errorf("read incident policy %s: %w", rows[0].Name, err)
	}
	return d.policy(), nil
}

// services checks that services are in the catalog and returns their short names,
// with the team that owns the first of them.
func (s *Service) services(ctx context.Context, q Reader, names []string) (short []string, team string, err error) {
	short = []string{}
	for _, name := range names {
		e, err := s.catalog.Find(ctx, q, name)
		if err != nil {
			return nil, "", err
		}
		if !slices.Contains(short, e.Short) {
			short = append(short, e.Short)
		}
		if team == "" {
			team = e.Owner
		}
	}
	return short, team, nil
}

// person is who is meant by a name; nobody by "".
func (s *Service) person(ctx context.Context, q Reader, name, field string) (Person, error) {
	if strings.TrimSpace(name) == "" {
		return Person{}, nil
	}
	found, err := s.who.People(ctx, q, []string{name})
	if err != nil {
		return Person{}, err
	}
	p, ok := found[name]
	if !ok || p.Left {
		return Person{}, fault.New(fault.Invalid, "incident.person", text.Say("there is nobody called %q", "%q という人はいません", name)).
			Fix(text.Say("name a person of the catalog, or the address of an account", "カタログの人の名前か、アカウントのアドレスを指定してください")).On(field)
	}
	return Person{ID: p.ID, Name: p.Name}, nil
}

// caller is whoever acts, as somebody who can take a part; nobody where they
// cannot.
func (s *Service) caller(ctx context.Context, q Reader) (Person, error) {
	name, err := s.who.Caller(ctx, q)
	if err != nil || name == "" {
		return Person{}, err
	}
	found, err := s.who.People(ctx, q, []string{name})
	p := found[name]
	return Person{ID: p.ID, Name: p.Name}, err
}

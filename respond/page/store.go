package page

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/respond/page/db"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the room's tables.
var Migrations = func() fs.FS {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return files
}()

// newID is an id that grows with time.
func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("new id: %w", err)
	}
	return id.String(), nil
}

func marshal(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("store: %w", err)
	}
	return string(b), nil
}

func putPolicy(ctx context.Context, tx *sql.Tx, p Policy, now time.Time) error {
	body, err := marshal(p)
	if err != nil {
		return err
	}
	err = db.New(tx).PutPolicy(ctx, db.PutPolicyParams{Name: p.Name, Team: p.Spec.Team, Policy: body, UpdatedAt: database.Micros(now)})
	if err != nil {
		return fmt.Errorf("store policy %s: %w", p.Name, err)
	}
	return nil
}

func policyFrom(r db.PagePolicy) (p Policy, err error) {
	if err := json.Unmarshal([]byte(r.Policy), &p); err != nil {
		return p, fmt.Errorf("read policy %s: %w", r.Name, err)
	}
	return p, nil
}

// findPolicy is the policy of a name, and false where there is none.
func findPolicy(ctx context.Context, from db.DBTX, name string) (Policy, bool, error) {
	return policyRow(db.New(from).GetPolicy(ctx, name))
}

// policyOf is the policy of a team, and false where it has none.
func policyOf(ctx context.Context, from db.DBTX, team string) (Policy, bool, error) {
	if team == "" {
		return Policy{}, false, nil
	}
	return policyRow(db.New(from).PolicyOfTeam(ctx, team))
}

func policyRow(r db.PagePolicy, err error) (Policy, bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return Policy{}, false, nil
	}
	if err != nil {
		return Policy{}, false, fmt.Errorf("read policy: %w", database.Fault(err))
	}
	p, err := policyFrom(r)
	return p, err == nil, err
}

func methodFrom(r db.PageMethod) (Method, error) {
	m := Method{
		ID: r.ID, Person: r.Person, Title: r.Title, CreatedAt: database.Time(r.CreatedAt), VerifiedAt: database.Time(r.VerifiedAt),
		DisabledAt: database.Time(r.DisabledAt), code: code{r.CodeHash, database.Time(r.CodeUntil), int(r.CodeTries)},
	}
	if err := json.Unmarshal([]byte(r.Spec), &m.Spec); err != nil {
		return m, fmt.Errorf("read method %s: %w", r.ID, err)
	}
	return m, nil
}

func methodsOf(ctx context.Context, from db.DBTX, person string) ([]Method, error) {
	rows, err := db.New(from).MethodsOf(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("read methods of %s: %w", person, database.Fault(err))
	}
	all := make([]Method, 0, len(rows))
	for _, r := range rows {
		m, err := methodFrom(r)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func errNoMethod() error {
	return fault.New(fault.NotFound, "page.no_method", text.Say("there is no such contact method", "その連絡方法はありません"))
}

func getMethod(ctx context.Context, from db.DBTX, id string) (Method, error) {
	r, err := db.New(from).GetMethod(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Method{}, errNoMethod()
	}
	if err != nil {
		return Method{}, fmt.Errorf("read method: %w", database.Fault(err))
	}
	return methodFrom(r)
}

func putMethod(ctx context.Context, tx *sql.Tx, m Method) error {
	spec, err := marshal(m.Spec)
	if err != nil {
		return err
	}
	err = db.New(tx).PutMethod(ctx, db.PutMethodParams{
		ID: m.ID, Title: m.Title, Spec: spec, VerifiedAt: database.Micros(m.VerifiedAt), DisabledAt: database.Micros(m.DisabledAt),
		CodeHash: m.code.hash, CodeUntil: database.Micros(m.code.until), CodeTries: int64(m.code.tries),
	})
	if err != nil {
		return fmt.Errorf("store method: %w", err)
	}
	return nil
}

func preferencesOf(ctx context.Context, from db.DBTX, person string) (p Preferences, err error) {
	r, err := db.New(from).GetPreferences(ctx, person)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read preferences of %s: %w", person, database.Fault(err))
	}
	if err := json.Unmarshal([]byte(r.Spec), &p); err != nil {
		return p, fmt.Errorf("read preferences of %s: %w", person, err)
	}
	return p, nil
}

func addPage(ctx context.Context, tx *sql.Tx, p Page) error {
	notice, err := marshal(p.Notice)
	if err != nil {
		return err
	}
	policy, err := marshal(p.Policy)
	if err != nil {
		return err
	}
	err = db.New(tx).AddPage(ctx, db.AddPageParams{
		ID: p.ID, GroupID: p.Group, Policy: policy, Team: p.Team, Severity: p.Severity, State: string(p.State), Notice: notice,
		BeganAt: database.Micros(p.BeganAt), EndedAt: database.Micros(p.EndedAt),
	})
	if err != nil {
		return fmt.Errorf("store page: %w", err)
	}
	return nil
}

func putPage(ctx context.Context, tx *sql.Tx, p Page) error {
	notice, err := marshal(p.Notice)
	if err != nil {
		return err
	}
	by, err := marshal(p.AcknowledgedBy)
	if err != nil {
		return err
	}
	err = db.New(tx).PutPage(ctx, db.PutPageParams{
		ID: p.ID, State: string(p.State), Notice: notice, Taken: p.Taken, Round: int64(p.Round), Step: int64(p.Step),
		StepAt: database.Micros(p.StepAt), AcknowledgedAt: database.Micros(p.AcknowledgedAt), AcknowledgedBy: by,
		EndedAt: database.Micros(p.EndedAt), Severity: p.Severity,
	})
	if err != nil {
		return fmt.Errorf("store page: %w", err)
	}
	return nil
}

func pageFrom(r db.PagePage) (Page, error) {
	p := Page{
		ID: r.ID, Group: r.GroupID, Team: r.Team, Severity: r.Severity, State: State(r.State), BeganAt: database.Time(r.BeganAt),
		Taken: r.Taken, Round: int(r.Round), Step: int(r.Step), StepAt: database.Time(r.StepAt),
		AcknowledgedAt: database.Time(r.AcknowledgedAt), EndedAt: database.Time(r.EndedAt),
	}
	err := errors.Join(json.Unmarshal([]byte(r.Policy), &p.Policy), json.Unmarshal([]byte(r.Notice), &p.Notice),
		json.Unmarshal([]byte(r.AcknowledgedBy), &p.AcknowledgedBy))
	if err != nil {
		return p, fmt.Errorf("read page %s: %w", r.ID, err)
	}
	return p, nil
}

func getPage(ctx context.Context, from db.DBTX, id string) (Page, error) {
	r, err := db.New(from).GetPage(ctx, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Page{}, fault.New(fault.NotFound, "page.not_found", text.Say("there is no such page", "その呼び出しはありません"))
	}
	if err != nil {
		return Page{}, fmt.Errorf("read page: %w", database.Fault(err))
	}
	return pageFrom(r)
}

// pagesOf are the pages of a group that are not over.
func pagesOf(ctx context.Context, from db.DBTX, group string) ([]Page, error) {
	rows, err := db.New(from).PagesOfGroup(ctx, group)
	if err != nil {
		return nil, fmt.Errorf("read pages: %w", database.Fault(err))
	}
	all := make([]Page, 0, len(rows))
	for _, r := range rows {
		p, err := pageFrom(r)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// Filter chooses pages. Before is the id of the last one already seen.
type Filter struct {
	States []string
	Team   string
	Group  string
	Person string
	Before string
	Limit  int
}

const pageColumns = `id, group_id, policy, team, severity, state, notice, began_at, taken, round, step, step_at,
	acknowledged_at, acknowledged_by, ended_at`

func listPages(ctx context.Context, from db.DBTX, f Filter) ([]Page, error) {
	var w database.Where
	w.AnyOf("state", f.States)
	if f.Team != "" {
		w.And("team = ?", f.Team)
	}
	if f.Group != "" {
		w.And("group_id = ?", f.Group)
	}
	if f.Person != "" {
		w.And("EXISTS (SELECT 1 FROM page_messages m WHERE m.page = page_pages.id AND m.person = ?)", f.Person)
	}
	if f.Before != "" {
		w.And("id < ?", f.Before)
	}
	limit := w.Arg(f.Limit) // before Args is read
	rows, err := from.QueryContext(ctx, "SELECT "+pageColumns+" FROM page_pages"+w.SQL()+" ORDER BY id DESC LIMIT "+limit, w.Args()...)
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", database.Fault(err))
	}
	defer rows.Close()
	var all []Page
	for rows.Next() {
		var r db.PagePage
		if err := rows.Scan(&r.ID, &r.GroupID, &r.Policy, &r.Team, &r.Severity, &r.State, &r.Notice, &r.BeganAt, &r.Taken, &r.Round,
			&r.Step, &r.StepAt, &r.AcknowledgedAt, &r.AcknowledgedBy, &r.EndedAt); err != nil {
			return nil, fmt.Errorf("list pages: %w", err)
		}
		p, err := pageFrom(r)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list pages: %w", database.Fault(err))
	}
	return all, nil
}

package catalog

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/teiten/teiten/catalog/db"
	"github.com/teiten/teiten/kit/database"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables of the catalog.
var Migrations fs.FS = mustSub(migrations, "migrations")

func mustSub(f fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(f, dir)
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

func (s *Service) save(ctx context.Context, tx *sql.Tx, e Entity) error {
	tags, err := json.Marshal(e.Tags)
	if err != nil {
		return err
	}
	links, err := json.Marshal(e.Links)
	if err != nil {
		return err
	}
	annotations, err := json.Marshal(e.Annotations)
	if err != nil {
		return err
	}
	q := db.New(tx)
	err = q.SaveEntity(ctx, db.SaveEntityParams{
		Ref: e.Ref, Kind: e.Kind, Namespace: e.Namespace, Name: e.Name, Short: e.Short, Title: e.Title, Description: e.Description,
		Owner: e.Owner, System: e.System, Domain: e.Domain, Type: e.Type, Lifecycle: e.Lifecycle, Tier: e.Tier, Email: e.Email,
		Tags: string(tags), Links: string(links), Annotations: string(annotations), Search: e.searchText(), UpdatedAt: database.Micros(s.now()),
	})
	if err != nil {
		return fmt.Errorf("save %s: %w", e.Ref, err)
	}
	if err := q.DeleteRelations(ctx, e.Ref); err != nil {
		return fmt.Errorf("save relations of %s: %w", e.Ref, err)
	}
	for _, r := range e.relations {
		if err := q.SaveRelation(ctx, db.SaveRelationParams{Source: r.Source, Type: r.Type, Target: r.Target, Origin: e.Ref}); err != nil {
			return fmt.Errorf("save relations of %s: %w", e.Ref, err)
		}
	}
	return nil
}

func entityOf(r db.CatalogEntity) (Entity, error) {
	e := Entity{Kind: r.Kind, Namespace: r.Namespace, Name: r.Name, Title: r.Title, Description: r.Description, Owner: r.Owner,
		System: r.System, Domain: r.Domain, Type: r.Type, Lifecycle: r.Lifecycle, Tier: r.Tier, Email: r.Email}
	e.complete()
	err := errors.Join(json.Unmarshal([]byte(r.Tags), &e.Tags), json.Unmarshal([]byte(r.Links), &e.Links),
		json.Unmarshal([]byte(r.Annotations), &e.Annotations))
	if err != nil {
		return Entity{}, fmt.Errorf("read %s: %w", r.Ref, err)
	}
	return e, nil
}

// Filter chooses entities; what is empty is not asked for. Query is looked for
// in names, titles, descriptions, owners and tags; every word must be there.
type Filter struct {
	Query    string
	Kind     string
	Owner    string
	System   string
	Tier     string
	Services bool // components, and services that only other rooms know
	Sort     Sort
	After    []string // the position after which to go on: the sort key and the reference
	Limit    int      // 0: all
}

// Sort is the order of a list.
type Sort string

// The orders of a list.
const (
	ByName  Sort = "name"
	ByOwner Sort = "owner"
	ByTier  Sort = "tier"
)

var sortColumn = map[Sort]string{"": "short", ByName: "short", ByOwner: "owner", ByTier: "tier"}

const onlyServices = `(e.kind = 'component' OR (e.kind = 'service' AND NOT EXISTS (SELECT 1 FROM catalog_entities c WHERE c.kind = 'component' AND c.short = e.short)))`

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// where writes the conditions of a filter.
func (f Filter) where() (string, []any) {
	conditions := []string{"1 = 1"}
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		conditions = append(conditions, fmt.Sprintf(condition, len(args)))
	}
	if f.Services {
		conditions = append(conditions, onlyServices)
	}
	for word := range strings.FieldsSeq(strings.ToLower(f.Query)) {
		add(`e.search LIKE $%d ESCAPE '\'`, "%"+likeEscaper.Replace(word)+"%")
	}
	for column, value := range map[string]string{"kind": f.Kind, "owner": f.Owner, "system": f.System} {
		if value != "" {
			add("e."+column+" = $%d", strings.ToLower(value))
		}
	}
	if f.Tier != "" {
		add("e.tier = $%d", f.Tier)
	}
	return strings.Join(conditions, " AND "), args
}

// list returns entities in order, and one more than Limit where there are more.
func (s *Service) list(ctx context.Context, q Reader, f Filter) ([]Entity, error) {
	where, args := f.where()
	column, ok := sortColumn[f.Sort]
	if !ok {
		column = "short"
	}
	if len(f.After) == 2 {
		n := len(args)
		where += fmt.Sprintf(" AND (e.%[1]s > $%[2]d OR (e.%[1]s = $%[2]d AND e.ref > $%[3]d))", column, n+1, n+2)
		args = append(args, f.After[0], f.After[1])
	}
	query := `SELECT e.* FROM catalog_entities e WHERE ` + where + ` ORDER BY e.` + column + `, e.ref`
	if f.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", f.Limit+1)
	}
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list entities: %w", err)
	}
	defer rows.Close()
	list := []Entity{}
	for rows.Next() {
		var r db.CatalogEntity
		if err := rows.Scan(&r.Ref, &r.Kind, &r.Namespace, &r.Name, &r.Short, &r.Title, &r.Description, &r.Owner, &r.System, &r.Domain,
			&r.Type, &r.Lifecycle, &r.Tier, &r.Email, &r.Tags, &r.Links, &r.Annotations, &r.Search, &r.UpdatedAt); err != nil {
			return nil, fmt.Errorf("list entities: %w", err)
		}
		e, err := entityOf(r)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, rows.Err()
}

// count returns how many entities a filter chooses in all.
func (s *Service) count(ctx context.Context, q Reader, f Filter) (int, error) {
	where, args := f.where()
	var n int
	if err := q.QueryRowContext(ctx, `SELECT COUNT(*) FROM catalog_entities e WHERE `+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count entities: %w", err)
	}
	return n, nil
}

// sortKey is what an entity is sorted by.
func (f Filter) sortKey(e Entity) string {
	switch f.Sort {
	case ByOwner:
		return e.Owner
	case ByTier:
		return e.Tier
	}
	return e.Short
}

package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/teiten/teiten/kit/database"
)

// People returns the persons of some short names, by name. Those that are not in
// the catalog are not in the answer.
func (s *Service) People(ctx context.Context, q Reader, names []string) (map[string]Entity, error) {
	refs := make([]string, 0, len(names))
	for _, name := range names {
		if r, err := ParseRef(name, KindUser, DefaultNamespace); err == nil {
			refs = append(refs, r.String())
		}
	}
	found := map[string]Entity{}
	if len(refs) == 0 {
		return found, nil
	}
	w := &database.Where{}
	w.AnyOf("ref", refs)
	err := database.Each(ctx, q, "SELECT namespace, name, title, email FROM catalog_entities"+w.SQL(), w.Args(), func(rows *sql.Rows) error {
		e := Entity{Kind: KindUser}
		err := rows.Scan(&e.Namespace, &e.Name, &e.Title, &e.Email)
		e.complete()
		found[e.Short] = e
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find people: %w", err)
	}
	return found, nil
}

// PersonOf is the short name of the person with an address, and "" where the
// catalog has none.
func (s *Service) PersonOf(ctx context.Context, q Reader, address string) (string, error) {
	w := &database.Where{}
	w.And("kind = ?", KindUser)
	w.And("lower(email) = ?", strings.ToLower(address))
	name := ""
	err := database.Each(ctx, q, "SELECT short FROM catalog_entities"+w.SQL()+" ORDER BY short LIMIT 1", w.Args(), func(rows *sql.Rows) error {
		return rows.Scan(&name)
	})
	if err != nil {
		return "", fmt.Errorf("find the person of an address: %w", err)
	}
	return name, nil
}

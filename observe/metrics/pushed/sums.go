package pushed

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/observe/metrics/pushed/db"
)

// Sum is what happened in a stream since some minute.
type Sum struct {
	Labels      map[string]string
	Good, Total float64
}

// Sums adds up each stream of a name from a minute on. A stream in which nothing
// happened since is left out.
func (s *Service) Sums(ctx context.Context, name string, since int64) ([]Sum, error) {
	rows, err := db.New(s.DB.Read()).SumSince(ctx, db.SumSinceParams{Name: name, Minute: since})
	if err != nil {
		return nil, database.Fault(fmt.Errorf("add up stream %s: %w", name, err))
	}
	out := make([]Sum, 0, len(rows))
	for _, r := range rows {
		x := Sum{Good: r.Good, Total: r.Total}
		if err := json.Unmarshal([]byte(r.Labels), &x.Labels); err != nil {
			return nil, fmt.Errorf("read the labels of stream %s: %w", name, err)
		}
		out = append(out, x)
	}
	return out, nil
}

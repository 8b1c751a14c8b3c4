package slo

import (
	"context"
	"math"
)

// brief is what overviews need of an objective: little enough to read all of
// ten thousand at once.
type brief struct {
	Name, Title, Service, Owner, System, Tier string
	Status                                    Status
	BudgetLeft                                float64
	Counted                                   bool // anything at all
}

// briefs are the objectives that the filter matches, those that need somebody
// most first. The filter's order and page are not looked at.
func (s *Service) briefs(ctx context.Context, f filter) ([]brief, error) {
	rows, err := s.choose(ctx, f, orders[""])
	all := make([]brief, len(rows))
	for i, r := range rows {
		all[i] = brief{r.Name, r.Title, r.Service, r.Owner, r.System, r.Tier, r.Status, r.BudgetLeft, r.Total > 0}
	}
	return all, err
}

// key is what groups an objective.
func (b *brief) key(by string) string {
	switch by {
	case "owner":
		return b.Owner
	case "system":
		return b.System
	case "tier":
		return b.Tier
	case "status":
		return string(b.Status)
	default:
		return b.Service
	}
}

// Counts groups the objectives that the filter matches by service, owner,
// system, tier or status, the groups that need somebody most first.
func (s *Service) Counts(ctx context.Context, by string, f filter) ([]Count, error) {
	all, err := s.briefs(ctx, f)
	if err != nil {
		return nil, err
	}
	counts, at := []Count{}, map[string]int{}
	for _, b := range all {
		key := b.key(by)
		i, ok := at[key]
		if !ok {
			i = len(counts)
			at[key] = i
			counts = append(counts, Count{Key: key, ByStatus: map[Status]int{}, Worst: Worst{b.Name, b.Status, b.BudgetLeft}})
		}
		counts[i].Total++
		counts[i].ByStatus[b.Status]++
	}
	return counts, nil
}

// Budgets is what is left of many budgets, in columns, which are half as long
// as rows: element i of each column is of the same objective.
type Budgets struct {
	Names  []string   `json:"names" doc:"Those that need somebody most come first."`
	Titles []string   `json:"titles"`
	Groups []string   `json:"groups" doc:"What each is grouped by; empty where it has none."`
	Status []Status   `json:"status" enum:"healthy,burning,attention,exhausted,unknown,backfilling"`
	Left   []*float64 `json:"left" doc:"Part of the error budget that is left, rounded to a thousandth; null where nothing was counted."`
}

// Budgets returns what is left of the budgets of all objectives that the filter
// matches, with what they are grouped by.
func (s *Service) Budgets(ctx context.Context, by string, f filter) (Budgets, error) {
	all, err := s.briefs(ctx, f)
	if err != nil {
		return Budgets{}, err
	}
	n := len(all)
	x := Budgets{make([]string, n), make([]string, n), make([]string, n), make([]Status, n), make([]*float64, n)}
	for i, b := range all {
		x.Names[i], x.Titles[i], x.Groups[i], x.Status[i] = b.Name, b.Title, b.key(by), b.Status
		if b.Counted {
			left := math.Round(b.BudgetLeft*1000) / 1000
			x.Left[i] = &left
		}
	}
	return x, nil
}

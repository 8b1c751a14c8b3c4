package embedded

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

var _ metrics.Explorer = (*Store)(nil)

// scanned bounds how many names are looked through for those that fit.
const scanned = 200_000

// Names implements metrics.Explorer.
func (s *Store) Names(ctx context.Context, l metrics.Lookup) ([]metrics.Metric, bool, error) {
	names, more, err := s.LabelValues(ctx, model.MetricNameLabel, l)
	found := make([]metrics.Metric, len(names))
	for i, n := range names {
		found[i].Name = n
	}
	metrics.Describe(found, s.family)
	return found, more, err
}

// family is what the scraped targets say of a metric.
func (s *Store) family(name string) (metrics.Metric, bool) {
	for _, targets := range s.scraper.TargetsActive() {
		for _, t := range targets {
			if m, ok := t.GetMetadata(name); ok {
				kind := string(m.Type)
				if kind == "unknown" {
					kind = ""
				}
				return metrics.Metric{Type: kind, Help: m.Help, Unit: m.Unit}, true
			}
		}
	}
	return metrics.Metric{}, false
}

// LabelNames implements metrics.Explorer.
func (s *Store) LabelNames(ctx context.Context, l metrics.Lookup) ([]string, bool, error) {
	return s.look(l, func(q storage.Querier, m []*labels.Matcher) ([]string, error) {
		names, _, err := q.LabelNames(ctx, &storage.LabelHints{Limit: scanned}, m...)
		return names, err
	})
}

// LabelValues implements metrics.Explorer.
func (s *Store) LabelValues(ctx context.Context, label string, l metrics.Lookup) ([]string, bool, error) {
	return s.look(l, func(q storage.Querier, m []*labels.Matcher) ([]string, error) {
		values, _, err := q.LabelValues(ctx, label, &storage.LabelHints{Limit: scanned}, m...)
		return values, err
	})
}

// look asks the index and keeps what fits.
func (s *Store) look(l metrics.Lookup, ask func(storage.Querier, []*labels.Matcher) ([]string, error)) (found []string, more bool, err error) {
	var matchers []*labels.Matcher
	if l.Match != "" {
		if matchers, err = promexpr.Selector(l.Match); err != nil {
			return nil, false, err
		}
	}
	q, err := s.db.Querier(l.From.UnixMilli(), l.To.UnixMilli())
	if err != nil {
		return nil, false, fmt.Errorf("look for names: %w", err)
	}
	defer func() { _ = q.Close() }() // nothing was written
	all, err := ask(q, matchers)
	if err != nil {
		return nil, false, fmt.Errorf("look for names: %w", err)
	}
	part := strings.ToLower(l.Contains)
	for _, name := range all {
		if !strings.Contains(strings.ToLower(name), part) {
			continue
		}
		if len(found) == l.Limit {
			return found, true, nil
		}
		found = append(found, strings.Clone(name)) // the index may go away
	}
	return found, false, nil
}

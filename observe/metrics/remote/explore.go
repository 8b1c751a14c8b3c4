package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/teiten/teiten/observe/metrics"
	"github.com/teiten/teiten/observe/metrics/promexpr"
)

var _ metrics.Explorer = (*Client)(nil)

// Names implements metrics.Explorer. What the server knows of the metrics is
// added where it says so.
func (c *Client) Names(ctx context.Context, l metrics.Lookup) ([]metrics.Metric, bool, error) {
	names, more, err := c.LabelValues(ctx, model.MetricNameLabel, l)
	if err != nil {
		return nil, false, err
	}
	found := make([]metrics.Metric, len(names))
	for i, n := range names {
		found[i].Name = n
	}
	families := map[string][]metrics.Metric{}
	if err := c.list(ctx, http.MethodGet, []string{"metadata"}, url.Values{"limit_per_metric": {"1"}}, &families); err == nil {
		metrics.Describe(found, func(name string) (metrics.Metric, bool) {
			f := families[name]
			if len(f) == 0 {
				return metrics.Metric{}, false
			}
			return f[0], true
		})
	}
	return found, more, nil
}

// LabelNames implements metrics.Explorer.
func (c *Client) LabelNames(ctx context.Context, l metrics.Lookup) ([]string, bool, error) {
	form, err := lookupForm(l, "")
	if err != nil {
		return nil, false, err
	}
	var names []string
	err = c.list(ctx, http.MethodPost, []string{"labels"}, form, &names)
	found, more := fitting(names, l)
	return found, more, err
}

// LabelValues implements metrics.Explorer.
func (c *Client) LabelValues(ctx context.Context, label string, l metrics.Lookup) ([]string, bool, error) {
	form, err := lookupForm(l, label)
	if err != nil {
		return nil, false, err
	}
	if !model.LegacyValidation.IsValidLabelName(label) {
		label = model.EscapeName(label, model.ValueEncodingEscaping)
	}
	var values []string
	err = c.list(ctx, http.MethodGet, []string{"label", label, "values"}, form, &values)
	found, more := fitting(values, l)
	return found, more, err
}

// lookupForm lets the server do the search where values of a label are looked
// for.
func lookupForm(l metrics.Lookup, label string) (url.Values, error) {
	form := url.Values{"start": {seconds(l.From.UnixMilli())}, "end": {seconds(l.To.UnixMilli())}}
	var matchers []*labels.Matcher
	if l.Match != "" {
		var err error
		if matchers, err = promexpr.Selector(l.Match); err != nil {
			return nil, err
		}
	}
	if label != "" {
		form.Set("limit", strconv.Itoa(l.Limit+1))
		if l.Contains != "" {
			m, err := labels.NewMatcher(labels.MatchRegexp, label, l.Pattern())
			if err != nil {
				return nil, fmt.Errorf("look for values: %w", err)
			}
			matchers = append(slices.Clone(matchers), m)
		}
	}
	if len(matchers) > 0 {
		form.Set("match[]", (&parser.VectorSelector{LabelMatchers: matchers}).String())
	}
	return form, nil
}

// fitting keeps what was looked for: a server may not know every option.
func fitting(names []string, l metrics.Lookup) (found []string, more bool) {
	part := strings.ToLower(l.Contains)
	slices.Sort(names)
	for _, n := range slices.Compact(names) {
		if !strings.Contains(strings.ToLower(n), part) {
			continue
		}
		if len(found) == l.Limit {
			return found, true
		}
		found = append(found, n)
	}
	return found, false
}

// list asks for something other than a query; into gets its data.
func (c *Client) list(ctx context.Context, method string, path []string, form url.Values, into any) error {
	return c.exchange(ctx, request{method: method, path: path, form: form, most: anyResponse, read: func(r io.Reader) error {
		var a struct {
			Status string          `json:"status"`
			Data   json.RawMessage `json:"data"`
		}
		if err := json.NewDecoder(r).Decode(&a); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		if a.Status != "success" {
			return fmt.Errorf("status %q", clip(a.Status))
		}
		if err := json.Unmarshal(a.Data, into); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return nil
	}})
}

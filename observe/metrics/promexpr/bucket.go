package promexpr

import (
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Bucket is a selector of one bucket of a classic histogram, as in
// x_bucket{le="0.5"}.
type Bucket struct {
	Metric string
	Le     string // as it is written
	All    string // the selector without le: all buckets
}

// Buckets lists the selectors of an expression that pick one bucket each.
func Buckets(expr string) ([]Bucket, error) {
	tree, err := parse(expr)
	if err != nil {
		return nil, err
	}
	var found []Bucket
	parser.Inspect(tree, func(n parser.Node, _ []parser.Node) error {
		s, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		b := Bucket{}
		var rest []*labels.Matcher
		for _, m := range s.LabelMatchers {
			switch {
			case m.Name == model.BucketLabel && m.Type == labels.MatchEqual:
				b.Le = m.Value
				continue
			case m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual:
				b.Metric = m.Value
			}
			rest = append(rest, m)
		}
		if b.Le != "" && b.Metric != "" {
			all := parser.VectorSelector{Name: b.Metric, LabelMatchers: rest}
			b.All = all.String()
			found = append(found, b)
		}
		return nil
	})
	return found, nil
}

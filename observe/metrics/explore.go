package metrics

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Explorer is what a source may implement so that people find their way in it:
// what a PromQL editor proposes. Answers are sorted and hold at most
// Lookup.Limit names; more reports whether there are others.
type Explorer interface {
	// Names lists metrics.
	Names(ctx context.Context, l Lookup) (found []Metric, more bool, err error)
	// LabelNames lists the labels of the series that Match selects.
	LabelNames(ctx context.Context, l Lookup) (found []string, more bool, err error)
	// LabelValues lists the values of one of their labels.
	LabelValues(ctx context.Context, label string, l Lookup) (found []string, more bool, err error)
}

// Lookup says what names are looked for.
type Lookup struct {
	Match    string // a PromQL selector; all series where empty
	Contains string // a part of the name or value, in any case
	From, To time.Time
	Limit    int
}

// Pattern is Contains as an anchored regular expression of PromQL.
func (l Lookup) Pattern() string { return "(?i).*" + regexp.QuoteMeta(l.Contains) + ".*" }

// Metric is a metric and what its exporter says of it.
type Metric struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty" doc:"counter, gauge, histogram, summary, info, stateset; absent where unknown."`
	Help string `json:"help,omitempty"`
	Unit string `json:"unit,omitempty"`
}

// families are the endings that the series of one metric family have.
var families = []string{"", "_total", "_bucket", "_count", "_sum", "_created", "_info"}

// Describe adds type, help and unit from what is known of metric families.
func Describe(found []Metric, family func(name string) (Metric, bool)) {
	for i := range found {
		name := found[i].Name
		for _, ending := range families {
			if len(name) <= len(ending) || name[len(name)-len(ending):] != ending {
				continue
			}
			if f, ok := family(name[:len(name)-len(ending)]); ok {
				f.Name = name
				found[i] = f
				break
			}
		}
	}
}

const (
	lookupBack  = 6 * time.Hour // how far back names are looked for
	lookupLimit = 1000
)

// explorer returns what proposes names of a source, and a place to ask it.
func (s *Sources) explorer(ctx context.Context, name string) (e Explorer, leave func(), err error) {
	if _, err := s.Get(name); err != nil {
		return nil, nil, err
	}
	s.mu.RLock()
	src, err := s.find(name)
	s.mu.RUnlock()
	if err != nil {
		return nil, nil, err
	}
	e, ok := src.inner.(Explorer)
	if !ok {
		return nil, nil, fault.New(fault.Invalid, "metrics.no_names", text.Say(
			"the data source %q cannot list names", "データソース %q は名前の一覧に対応していません", src.name)).
			Fix(text.Say("write the expression without proposals", "候補なしで式を入力してください"))
	}
	leave, err = s.exploring(ctx)
	return e, leave, err
}

// TypeOf is what a source says that a metric is: counter, gauge, histogram and so
// on, and "" where it does not say.
func (s *Sources) TypeOf(ctx context.Context, source, metric string) (string, error) {
	e, leave, err := s.explorer(ctx, source)
	if err != nil {
		return "", err
	}
	defer leave()
	now := s.o.Now()
	found, _, err := e.Names(ctx, Lookup{Match: fmt.Sprintf("{__name__=%q}", metric), From: now.Add(-lookupBack), To: now, Limit: 1})
	if err != nil || len(found) != 1 {
		return "", err
	}
	return found[0].Type, nil
}

// LookupIn says what of a source is looked for. It is exported because the API
// reads embedded inputs only when they are.
type LookupIn struct {
	Source string `query:"source" maxLength:"130" doc:"Name of the data source; the default one when absent."`
	Match  string `query:"match" maxLength:"4096" doc:"PromQL selector of the series to look at, such as up{job=\"shop\"}; all when absent."`
	Q      string `query:"q" maxLength:"200" doc:"A part of what is looked for, in any case."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200" doc:"How many are answered at most."`
}

func (s *Sources) lookup(in LookupIn) Lookup {
	now := s.o.Now()
	limit := in.Limit
	if limit <= 0 {
		limit = lookupLimit
	}
	return Lookup{Match: in.Match, Contains: in.Q, From: now.Add(-lookupBack), To: now, Limit: limit}
}

// MetricList is the answer to a search for metrics.
type MetricList struct {
	Items []Metric `json:"items"`
	More  bool     `json:"more" doc:"There are others; write more of the name."`
}

// NameList is the answer to a search for label names or values.
type NameList struct {
	Items []string `json:"items"`
	More  bool     `json:"more" doc:"There are others; write more of the name."`
}

type metricsOut struct{ Body MetricList }

type namesOut struct{ Body NameList }

func (s *Sources) apiMetrics(ctx context.Context, in *LookupIn) (*metricsOut, error) {
	e, leave, err := s.explorer(ctx, in.Source)
	if err != nil {
		return nil, err
	}
	defer leave()
	found, more, err := e.Names(ctx, s.lookup(*in))
	if err != nil {
		return nil, err
	}
	return &metricsOut{MetricList{Items: listed(found), More: more}}, nil
}

func (s *Sources) apiLabelNames(ctx context.Context, in *LookupIn) (*namesOut, error) {
	e, leave, err := s.explorer(ctx, in.Source)
	if err != nil {
		return nil, err
	}
	defer leave()
	found, more, err := e.LabelNames(ctx, s.lookup(*in))
	if err != nil {
		return nil, err
	}
	return &namesOut{NameList{Items: listed(found), More: more}}, nil
}

type valuesIn struct {
	LookupIn
	Label string `path:"label" maxLength:"200"`
}

func (s *Sources) apiLabelValues(ctx context.Context, in *valuesIn) (*namesOut, error) {
	e, leave, err := s.explorer(ctx, in.Source)
	if err != nil {
		return nil, err
	}
	defer leave()
	found, more, err := e.LabelValues(ctx, in.Label, s.lookup(in.LookupIn))
	if err != nil {
		return nil, err
	}
	return &namesOut{NameList{Items: listed(found), More: more}}, nil
}

// listed is a list that JSON writes as [] where it is empty.
func listed[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

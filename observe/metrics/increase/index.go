package increase

import (
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// Index finds the selectors that select a series, among very many of them.
type Index[T any] struct {
	names map[string]*bucket[T]
	rest  []entry[T] // those that pick their metric by a pattern
}

// bucket holds the selectors of one metric. Each is filed under the value that
// it wants of one label, the label in which the selectors differ most.
type bucket[T any] struct {
	entries []entry[T]
	labels  []string                         // filed under these
	values  map[string]map[string][]entry[T] // label → value
	rest    []entry[T]
}

type entry[T any] struct {
	matchers []*labels.Matcher
	item     T
}

// Add files an item under its selector. An index that was asked already must not
// be added to.
func (x *Index[T]) Add(matchers []*labels.Matcher, item T) {
	e := entry[T]{matchers, item}
	for _, m := range matchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			if x.names == nil {
				x.names = map[string]*bucket[T]{}
			}
			b := x.names[m.Value]
			if b == nil {
				b = &bucket[T]{}
				x.names[m.Value] = b
			}
			b.entries = append(b.entries, e)
			return
		}
	}
	x.rest = append(x.rest, e)
}

// Find calls found for each item whose selector selects the series.
func (x *Index[T]) Find(ls labels.Labels, found func(T)) {
	for _, e := range x.rest {
		e.check(ls, found)
	}
	b := x.names[ls.Get(model.MetricNameLabel)]
	if b == nil {
		return
	}
	if b.values == nil {
		b.file()
	}
	for _, e := range b.rest {
		e.check(ls, found)
	}
	for _, name := range b.labels {
		for _, e := range b.values[name][ls.Get(name)] {
			e.check(ls, found)
		}
	}
}

func (e entry[T]) check(ls labels.Labels, found func(T)) {
	for _, m := range e.matchers {
		if !m.Matches(ls.Get(m.Name)) {
			return
		}
	}
	found(e.item)
}

// file sorts the selectors of a metric by values of labels.
func (b *bucket[T]) file() {
	different := map[string]map[string]bool{}
	for _, e := range b.entries {
		e.wants(func(name, value string) {
			if different[name] == nil {
				different[name] = map[string]bool{}
			}
			different[name][value] = true
		})
	}
	b.values = map[string]map[string][]entry[T]{}
	for _, e := range b.entries {
		var label, wanted string
		e.wants(func(name, value string) {
			if label == "" || len(different[name]) > len(different[label]) {
				label, wanted = name, value
			}
		})
		if label == "" {
			b.rest = append(b.rest, e)
			continue
		}
		if b.values[label] == nil {
			b.values[label] = map[string][]entry[T]{}
			b.labels = append(b.labels, label)
		}
		b.values[label][wanted] = append(b.values[label][wanted], e)
	}
	b.entries = nil
}

// wants yields the labels of which the selector wants one value.
func (e entry[T]) wants(yield func(name, value string)) {
	for _, m := range e.matchers {
		if m.Type == labels.MatchEqual && m.Name != model.MetricNameLabel && m.Value != "" {
			yield(m.Name, m.Value)
		}
	}
}

package measure_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/measure"
)

func define(id string) measure.Definition {
	return measure.Definition{
		ID: id, Version: 1, Unit: "ratio", Better: measure.HigherIsBetter, Title: text.Say("Budget left", "バジェット残り"),
		Source: measure.SourceFunc(func(context.Context, journal.Ref, time.Time, time.Time) ([]measure.Value, error) {
			return []measure.Value{{V: 0.5, Known: 1}}, nil
		}),
	}
}

func TestMeasuresAreFoundByIDAndListedInOrder(t *testing.T) {
	r := measure.NewRegistry()
	r.Add(define("slo.sli"))
	r.Add(define("slo.budget_left"))
	d, err := r.Lookup("slo.sli")
	if err != nil || d.ID != "slo.sli" {
		t.Fatal(d, err)
	}
	if _, err := r.Lookup("nope"); fault.KindOf(err) != fault.NotFound {
		t.Fatal(err)
	}
	var ids []string
	for _, d := range r.All() {
		ids = append(ids, d.ID)
	}
	if d := cmp.Diff([]string{"slo.budget_left", "slo.sli"}, ids); d != "" {
		t.Fatal(d)
	}
}

func TestIncompleteOrRepeatedDefinitionPanics(t *testing.T) {
	incomplete := define("x")
	incomplete.Title.JA = ""
	for name, add := range map[string][]measure.Definition{
		"incomplete": {incomplete},
		"repeated":   {define("x"), define("x")},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			r := measure.NewRegistry()
			for _, d := range add {
				r.Add(d)
			}
		})
	}
}

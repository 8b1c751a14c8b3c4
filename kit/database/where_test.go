package database_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
)

func TestWhereNumbersPlaceholdersAndKeepsValuesOutOfTheText(t *testing.T) {
	var w database.Where
	w.And("a > ?", 1)
	w.AnyOf("kind", []string{"x", "slo.*"})
	w.AnyOf("none", nil)
	w.NoneOf("none", nil)
	w.NoneOf("kind", []string{"y"})
	w.Contains("50%_'; DROP", "title", "body")
	w.Contains("  ", "title")
	w.And("(b = ? OR c = ?)", "p", "q")
	limit := w.Arg(10)
	want := ` WHERE a > $1 AND (kind LIKE $3 ESCAPE '\' OR kind IN ($2)) AND NOT (kind IN ($4)) AND (lower(title) LIKE $5 ESCAPE '\' OR lower(body) LIKE $5 ESCAPE '\') AND (b = $6 OR c = $7)`
	if d := cmp.Diff(want, w.SQL()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]any{1, "x", "slo.%", "y", `%50\%\_'; drop%`, "p", "q", 10}, w.Args()); d != "" || limit != "$8" {
		t.Error(d, limit)
	}
}

func TestEmptyWhereSaysNothing(t *testing.T) {
	var w database.Where
	if w.SQL() != "" || len(w.Args()) != 0 {
		t.Fatal(w.SQL(), w.Args())
	}
}

package ascode

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// tree draws any value a document can hold.
func tree(depth int) *rapid.Generator[any] {
	scalars := rapid.OneOf(rapid.Map(rapid.IntRange(-9, 9), toAny[int]), rapid.Map(rapid.Bool(), toAny[bool]),
		rapid.Map(rapid.SampledFrom([]string{"", "a", "true", "1", "two\nlines", "ゐ", Hidden}), toAny[string]))
	if depth == 0 {
		return scalars
	}
	return rapid.OneOf(scalars,
		rapid.Map(rapid.SliceOfN(tree(depth-1), 0, 3), toAny[[]any]),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c.d"}), tree(depth-1), 0, 3), toAny[map[string]any]))
}

func toAny[T any](v T) any { return v }

func encoded(t *rapid.T, v any) *yaml.Node {
	n, err := encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTreesDifferExactlyWhereSomethingIsTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := encoded(t, tree(3).Draw(t, "a")), encoded(t, tree(3).Draw(t, "b"))
		if told := compare(a, b, a, b); (len(told) == 0) != same(a, b) {
			t.Fatalf("%s and %s: told %v", writeJSON(a), writeJSON(b), told)
		}
		if told := compare(a, a, a, a); len(told) != 0 {
			t.Fatalf("%s differs from itself: %v", writeJSON(a), told)
		}
	})
}

func TestWhatIsStoredReadsBackAsItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := encoded(t, tree(3).Draw(t, "a"))
		back, err := jsonNode(string(writeJSON(a)))
		if err != nil || !same(a, back) {
			t.Fatalf("%s became %v, %v", writeJSON(a), back, err)
		}
	})
}

func TestFieldsAreToldWhereTheyAre(t *testing.T) {
	read := func(s string) *yaml.Node {
		n, err := jsonNode(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	a := read(`{"x": {"teiten.dev/tier": "1", "gone": [1, 2]}, "l": [{"n": 1}, {"n": 2}], "t": "a"}`)
	b := read(`{"x": {"teiten.dev/tier": "2"}, "l": [{"n": 1}, {"n": 3}, {"n": 4}], "t": "a b\n"}`)
	want := []FieldChange{
		{`x["teiten.dev/tier"]`, "1", "2"}, {"x.gone", "[1, 2]", ""}, {"l[1].n", "2", "3"}, {"l[2]", "", "{n: 4}"}, {"t", "a", `"a b\n"`},
	}
	if d := cmp.Diff(want, compare(a, b, a, b)); d != "" {
		t.Error(d)
	}
}

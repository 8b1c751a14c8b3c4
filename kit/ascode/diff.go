package ascode

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FieldChange is one field that differs. Before is empty where the field is
// new, After where it is gone. Secrets read as Hidden on both sides.
type FieldChange struct {
	Path   string `json:"path" doc:"The field, for example spec.objectives[0].target."`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// compare lists the fields in which two trees differ, in the order of the
// trees. The shown trees are the same ones without their secrets: what differs
// is found in the real trees, what is told comes from the shown ones.
func compare(before, after, shownBefore, shownAfter *yaml.Node) []FieldChange {
	c := comparison{}
	c.walk("", side{before, shownBefore}, side{after, shownAfter})
	return c.changes
}

// side is one tree and what may be shown of it; nil where there is nothing.
type side struct{ real, shown *yaml.Node }

type comparison struct{ changes []FieldChange }

func (c *comparison) walk(path string, a, b side) {
	switch {
	case same(a.real, b.real):
	case a.is(yaml.MappingNode) && b.is(yaml.MappingNode):
		for i := 0; i+1 < len(a.real.Content); i += 2 {
			key := a.real.Content[i].Value
			c.walk(join(path, key), a.field(key), b.field(key))
		}
		for i := 0; i+1 < len(b.real.Content); i += 2 {
			if key := b.real.Content[i].Value; a.field(key).real == nil {
				c.walk(join(path, key), side{}, b.field(key))
			}
		}
	case a.is(yaml.SequenceNode) && b.is(yaml.SequenceNode) && (a.nested() || b.nested()):
		for i := range max(len(a.real.Content), len(b.real.Content)) {
			c.walk(path+"["+strconv.Itoa(i)+"]", a.item(i), b.item(i))
		}
	default:
		c.changes = append(c.changes, FieldChange{Path: path, Before: a.text(), After: b.text()})
	}
}

func join(path, key string) string {
	if strings.ContainsAny(key, "./[") {
		return path + "[" + strconv.Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func (s side) is(k yaml.Kind) bool { return s.real != nil && s.real.Kind == k }

// nested reports whether a list holds more than plain values.
func (s side) nested() bool {
	for _, item := range s.real.Content {
		if item.Kind != yaml.ScalarNode {
			return true
		}
	}
	return false
}

func (s side) field(key string) side {
	_, r := child(s.real, key)
	if r == nil {
		return side{}
	}
	var shown *yaml.Node
	if s.shown != nil {
		_, shown = child(s.shown, key)
	}
	return side{r, shown}
}

func (s side) item(i int) side {
	_, r := child(s.real, i)
	if r == nil {
		return side{}
	}
	var shown *yaml.Node
	if s.shown != nil {
		_, shown = child(s.shown, i)
	}
	return side{r, shown}
}

// text is what is told of one side of a change, on one line.
func (s side) text() string {
	switch {
	case s.real == nil:
		return ""
	case s.shown == nil:
		return Hidden
	case s.shown.Kind == yaml.ScalarNode:
		return plainText(s.shown)
	}
	return shorten(flow(s.shown), 400)
}

// plainText writes a value as YAML does, with quotes only where it needs them.
func plainText(n *yaml.Node) string {
	if n.Tag == "!!str" && (n.Value == "" || strings.ContainsAny(n.Value, "\n\t\"")) {
		return shorten(strconv.Quote(n.Value), 400)
	}
	return shorten(n.Value, 400)
}

// flow writes a tree on one line: {a: 1, b: [x, y]}.
func flow(n *yaml.Node) string {
	var parts []string
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, n.Content[i].Value+": "+flow(n.Content[i+1]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		for _, item := range n.Content {
			parts = append(parts, flow(item))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return plainText(n)
}

// same reports whether two trees mean the same; the order of fields means
// nothing.
func same(a, b *yaml.Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || len(a.Content) != len(b.Content) {
		return false
	}
	switch a.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(a.Content); i += 2 {
			if _, other := child(b, a.Content[i].Value); other == nil || !same(a.Content[i+1], other) {
				return false
			}
		}
		return true
	case yaml.SequenceNode:
		for i := range a.Content {
			if !same(a.Content[i], b.Content[i]) {
				return false
			}
		}
		return true
	}
	return a.Value == b.Value && a.Tag == b.Tag
}

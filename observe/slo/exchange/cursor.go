package exchange

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
)

// cursor is a place in a document. It remembers which fields were asked for, so
// that those nobody knew can be told.
type cursor struct {
	node *yaml.Node // nil where there is nothing
	file string
	path string
	read map[*yaml.Node]bool // shared by all cursors of a document
}

func documentAt(file string, root *yaml.Node) cursor {
	return cursor{node: root, file: file, read: map[*yaml.Node]bool{}}
}

func (c cursor) position() fault.Position {
	if c.node == nil {
		return fault.Position{File: c.file}
	}
	return fault.Position{File: c.file, Line: c.node.Line, Column: c.node.Column}
}

func (c cursor) exists() bool { return c.node != nil && c.node.ShortTag() != "!!null" }

// field is the value under the first of the names that is there. Tools spell
// the same field in two ways.
func (c cursor) field(names ...string) cursor {
	out := cursor{file: c.file, read: c.read, path: join(c.path, names[0])}
	if c.node == nil || c.node.Kind != yaml.MappingNode {
		return out
	}
	for i := 0; i+1 < len(c.node.Content); i += 2 {
		if slices.Contains(names, c.node.Content[i].Value) {
			out.node, out.path = c.node.Content[i+1], join(c.path, c.node.Content[i].Value)
			c.read[out.node] = true
			return out
		}
	}
	return out
}

// at follows several fields.
func (c cursor) at(names ...string) cursor {
	for _, n := range names {
		c = c.field(n)
	}
	return c
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// all marks the whole value as read.
func (c cursor) all() cursor {
	if c.node != nil {
		c.mark(c.node)
	}
	return c
}

func (c cursor) mark(n *yaml.Node) {
	c.read[n] = true
	for _, child := range n.Content {
		c.mark(child)
	}
}

func (c cursor) text() string {
	if c.node == nil || c.node.Kind != yaml.ScalarNode || !c.exists() {
		return ""
	}
	return c.node.Value
}

func (c cursor) number() (float64, bool) {
	v, err := strconv.ParseFloat(c.text(), 64)
	return v, err == nil
}

func (c cursor) yes() bool { return c.text() == "true" }

// items are the elements of a list.
func (c cursor) items() []cursor {
	if c.node == nil || c.node.Kind != yaml.SequenceNode {
		return nil
	}
	var list []cursor
	for i, n := range c.node.Content {
		c.read[n] = true
		list = append(list, cursor{node: n, file: c.file, read: c.read, path: c.path + "[" + strconv.Itoa(i) + "]"})
	}
	return list
}

// labels are the texts of a flat mapping.
func (c cursor) labels() map[string]any {
	if c.node == nil || c.node.Kind != yaml.MappingNode || len(c.node.Content) == 0 {
		return nil
	}
	out := map[string]any{}
	for i := 0; i+1 < len(c.node.Content); i += 2 {
		out[c.node.Content[i].Value] = c.node.Content[i+1].Value
		c.mark(c.node.Content[i+1])
	}
	return out
}

// unread lists the outermost fields that nothing asked for.
func (c cursor) unread() []cursor {
	var lost []cursor
	switch {
	case c.node == nil:
	case c.node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(c.node.Content); i += 2 {
			v := cursor{node: c.node.Content[i+1], file: c.file, read: c.read, path: join(c.path, c.node.Content[i].Value)}
			if c.read[v.node] {
				lost = append(lost, v.unread()...)
			} else {
				lost = append(lost, v)
			}
		}
	case c.node.Kind == yaml.SequenceNode:
		for i, n := range c.node.Content {
			v := cursor{node: n, file: c.file, read: c.read, path: c.path + "[" + strconv.Itoa(i) + "]"}
			if c.read[n] {
				lost = append(lost, v.unread()...)
			} else {
				lost = append(lost, v)
			}
		}
	}
	return lost
}

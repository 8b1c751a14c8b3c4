package exchange

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
)

// node is a place in a file of another tool. It remembers which fields were asked
// for, so that the rest can be told.
type node struct {
	yaml *yaml.Node // nil where there is nothing
	file string
	path string
	seen map[*yaml.Node]bool // shared by all nodes of a file
}

func (n node) there() bool { return n.yaml != nil && n.yaml.ShortTag() != "!!null" }

func (n node) position() fault.Position {
	if n.yaml == nil {
		return fault.Position{File: n.file}
	}
	return fault.Position{File: n.file, Line: n.yaml.Line, Column: n.yaml.Column}
}

// field is the value of a field, which counts as carried over from now on.
func (n node) field(name string) node {
	found := node{file: n.file, path: name, seen: n.seen}
	if n.path != "" {
		found.path = n.path + "." + name
	}
	for _, f := range n.fields() {
		if f.key == name {
			n.seen[f.yaml] = true
			return f.node
		}
	}
	return found
}

type field struct {
	key string
	node
}

func (n node) fields() []field {
	if n.yaml == nil || n.yaml.Kind != yaml.MappingNode {
		return nil
	}
	var all []field
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		key := n.yaml.Content[i].Value
		path := key
		if n.path != "" {
			path = n.path + "." + key
		}
		all = append(all, field{key, node{yaml: n.yaml.Content[i+1], file: n.file, path: path, seen: n.seen}})
	}
	return all
}

// items are the elements of a list.
func (n node) items() []node {
	if n.yaml == nil || n.yaml.Kind != yaml.SequenceNode {
		return nil
	}
	var all []node
	for _, item := range n.yaml.Content {
		n.seen[item] = true
		all = append(all, node{yaml: item, file: n.file, path: n.path, seen: n.seen})
	}
	return all
}

func (n node) text() string {
	if !n.there() || n.yaml.Kind != yaml.ScalarNode {
		return ""
	}
	return n.yaml.Value
}

// texts are the elements of a list of scalars, nil where there is no list.
func (n node) texts() []string {
	if n.yaml == nil || n.yaml.Kind != yaml.SequenceNode {
		return nil
	}
	all := []string{}
	for _, item := range n.items() {
		all = append(all, item.text())
	}
	return all
}

func (n node) yes() bool { return n.text() == "true" }

// rest lists the outermost fields that nothing asked for.
func (n node) rest() []node {
	var all []node
	for _, f := range n.fields() {
		if n.seen[f.yaml] {
			all = append(all, f.rest()...)
		} else {
			all = append(all, f.node)
		}
	}
	if n.yaml != nil && n.yaml.Kind == yaml.SequenceNode {
		for _, item := range n.yaml.Content {
			if n.seen[item] {
				all = append(all, node{yaml: item, file: n.file, path: n.path, seen: n.seen}.rest()...)
			}
		}
	}
	return slices.Clip(all)
}

package ascode

import (
	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// settle returns the tree of a document as it will be stored, with the secrets
// that it leaves Hidden taken from before, and the tree that is stored now.
func (d *Document) settle(before *row) (tree, old *yaml.Node, faults []*fault.Error, err error) {
	if tree, err = encode(d.Object); err != nil {
		return nil, nil, nil, err
	}
	if before != nil {
		if old, err = jsonNode(before.body); err != nil {
			return nil, nil, nil, err
		}
	}
	u := unhider{doc: d}
	u.walk(tree, old)
	if len(u.faults) > 0 || !u.found {
		return tree, old, u.faults, nil
	}
	d.Object = d.kind.New()
	return tree, old, decode(d, tree, d.Object), nil
}

// unhider puts stored secrets back where a document says Hidden.
type unhider struct {
	doc    *Document
	path   []any
	found  bool
	faults []*fault.Error
}

func (u *unhider) walk(n, old *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			u.step(key, n.Content[i+1], valueAt(old, key))
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			u.step(i, item, counterpart(item, old, i))
		}
	case yaml.ScalarNode:
		if n.Tag != "!!str" || n.Value != Hidden {
			return
		}
		if old == nil || old.Kind != yaml.ScalarNode {
			u.faults = append(u.faults, u.doc.Fault("ascode.secret_missing",
				text.Say("%s is hidden, and nothing is stored that could take its place", "%s は伏せられており、保存されている値もありません", pathString(u.path)),
				text.Say("write the secret", "秘密の値を書いてください"), u.path...))
			return
		}
		n.Value, u.found = old.Value, true
	}
}

func (u *unhider) step(s any, n, old *yaml.Node) {
	u.path = append(u.path, s)
	u.walk(n, old)
	u.path = u.path[:len(u.path)-1]
}

func valueAt(n *yaml.Node, step any) *yaml.Node {
	if n == nil {
		return nil
	}
	_, v := child(n, step)
	return v
}

// counterpart finds the stored item of a list that item stands for: the one of
// the same name, and where items have no name, the one at the same index.
func counterpart(item, old *yaml.Node, i int) *yaml.Node {
	name := valueAt(item, "name")
	if name == nil || old == nil {
		return valueAt(old, i)
	}
	for _, o := range old.Content {
		if n := valueAt(o, "name"); n != nil && n.Value == name.Value {
			return o
		}
	}
	return nil
}

package ascode

import (
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// settle returns the tree of a document as it will be stored, with the secrets
// that it leaves Hidden taken from before, and the tree that is stored now. Where
// blind, it does not look at what its secrets are.
func (d *Document) settle(before *row, blind bool) (tree, old *yaml.Node, faults []*fault.Error, err error) {
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
	if len(u.faults) > 0 || len(u.kept) == 0 {
		return tree, old, u.faults, nil
	}
	d.Object = d.kind.New()
	if faults = decode(d, tree, d.Object); len(faults) == 0 && !blind {
		faults = d.travelling(before, u.kept)
	}
	return tree, old, faults, nil
}

// travelling refuses to keep secrets in a document that now sends them to
// somewhere else: to an address of its author's choice, who need not know them.
func (d *Document) travelling(before *row, kept [][]any) []*fault.Error {
	if d.kind.Moved == nil {
		return nil
	}
	was, _, err := d.kind.restore(before)
	if err == nil && !d.kind.Moved(was.Object, d.Object) {
		return nil
	}
	faults := make([]*fault.Error, len(kept))
	for i, path := range kept {
		faults[i] = d.Fault("ascode.secret_moved",
			text.Say("%s is hidden, and it would go to another destination than before", "%s は伏せられていますが、送信先が変わっています", pathString(path)),
			text.Say("write the secret again, because its destination changed", "送信先が変わったため、秘密の値をもう一度書いてください"), path...)
	}
	return faults
}

// unhider puts stored secrets back where a document says Hidden.
type unhider struct {
	doc    *Document
	path   []any
	kept   [][]any
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
		n.Value = old.Value
		u.kept = append(u.kept, slices.Clone(u.path))
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

// Package ascode turns YAML and JSON documents into typed objects and back, and
// applies whole sets of them in one transaction.
//
// A room describes each of its documents with a Kind: how to make one, how to
// judge it, how to write it into the room's tables. The package does the rest in
// the same way for all: strict reading with positions and suggestions, a plan
// that can be read before it is carried out, ownership (what came from code is
// changed in code), pruning with confirmation, export that applies to the same,
// and a JSON Schema for editors. It knows none of the kinds, nothing of who is
// allowed to do what, and nothing of the journal: the last two are hooks.
package ascode

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
)

// DefaultNamespace is the namespace of documents that name none.
const DefaultNamespace = "default"

// Hidden stands where a secret was before a document was shown, compared or
// exported. A Kind's Redact puts it there. Applying a document that holds it
// keeps the secret that is stored at the same place.
const Hidden = secret.Hidden

// File is one file of documents as it was read: Name is what people are shown
// in messages, relative to where they stand; "-" is the standard input.
type File struct {
	Name string `json:"name" doc:"Name shown in messages, for example services/checkout.yaml."`
	Data string `json:"data" doc:"The content: YAML of one or more documents, or JSON."`
}

// Source says where a document comes from. Set is empty for one that was made
// in the browser.
type Source struct {
	Set  string `json:"set,omitempty"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
}

// Document is one document of a known kind. Object is what Kind.New returned,
// filled in. Name and Namespace come from its metadata; Namespace is never
// empty.
type Document struct {
	APIVersion string
	Kind       string
	Namespace  string
	Name       string
	Object     any
	Source     Source

	kind *Kind
	root *yaml.Node // nil for a document that was read back from the database
}

// ID identifies the document among all: kind, namespace and name, as
// "SLO/default/checkout-availability". Names differ by more than case.
func (d *Document) ID() string { return documentID(d.Kind, d.Namespace, d.Name) }

func documentID(kind, namespace, name string) string {
	return kind + "/" + strings.ToLower(namespace+"/"+name)
}

// Ref is how the rest of the product refers to what the document describes, for
// example "slo:checkout-availability".
func (d *Document) Ref() string {
	if d.kind == nil || d.kind.Ref == nil {
		return strings.ToLower(d.Kind) + ":" + d.Name
	}
	return d.kind.Ref(d)
}

// Owner is the team that owns what the document describes, and "" where the
// kind has no owner.
func (d *Document) Owner() string {
	if d.kind == nil || d.kind.Owner == nil {
		return ""
	}
	return d.kind.Owner(d)
}

// Pos is where in its file a field is written, or the nearest thing around it
// that is written. The path holds field names and list indexes:
// Pos("spec", "objectives", 0, "target").
func (d *Document) Pos(path ...any) fault.Position {
	p := fault.Position{File: d.Source.File, Line: d.Source.Line}
	if d.root == nil {
		return p
	}
	n, key := d.root, d.root
	for _, step := range path {
		k, v := child(n, step)
		if v == nil {
			break
		}
		n, key = v, k
	}
	at := n
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode || n.Line == 0 {
		at = key
	}
	if at.Line > 0 {
		p.Line, p.Column = at.Line, at.Column
	}
	return p
}

// Has reports whether the field is written in the document, even as null.
func (d *Document) Has(path ...any) bool {
	n := d.root
	if n == nil {
		return false
	}
	for _, step := range path {
		if _, n = child(n, step); n == nil {
			return false
		}
	}
	return true
}

// Fault is an Invalid fault at the position of a field of the document.
func (d *Document) Fault(code string, what, remedy text.Both, path ...any) *fault.Error {
	return fault.New(fault.Invalid, code, what).Fix(remedy).At(d.Pos(path...)).On(pathString(path))
}

// child returns the node that a step leads to, and the node that names it: the
// key in a mapping, the item itself in a list.
func child(n *yaml.Node, step any) (key, value *yaml.Node) {
	switch s := step.(type) {
	case string:
		if n.Kind != yaml.MappingNode {
			return nil, nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == s {
				return n.Content[i], n.Content[i+1]
			}
		}
	case int:
		if n.Kind == yaml.SequenceNode && s >= 0 && s < len(n.Content) {
			return n.Content[s], n.Content[s]
		}
	}
	return nil, nil
}

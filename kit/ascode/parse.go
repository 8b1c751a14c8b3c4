package ascode

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// maxFaults is how many faults one parse reports before it gives up: more help
// nobody.
const maxFaults = 200

// nameShape is what a name may be: what Kubernetes, Backstage and OpenSLO agree
// on, so that it fits into a path and a label.
var nameShape = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// Parse reads every document of the files, strictly, and judges each by itself.
// It returns what could be read together with everything that is wrong, each
// with its position and remedy; documents are in the order of the files.
func (r *Registry) Parse(files []File) ([]*Document, []*fault.Error) {
	var docs []*Document
	var faults []*fault.Error
	first := map[string]*Document{}
	for _, f := range files {
		roots, wrong := readFile(f)
		faults = append(faults, wrong...)
		for _, root := range roots {
			d, wrong := r.document(f.Name, root)
			faults = append(faults, wrong...)
			if d == nil {
				continue
			}
			if other, twice := first[d.ID()]; twice {
				faults = append(faults, d.Fault("ascode.twice",
					text.Say("%s %q is already described at %s", "%s %q は %s に既に書かれています", d.Kind, d.Name, other.Pos("metadata", "name")),
					text.Say("keep one of the two", "どちらか一方だけを残してください"), "metadata", "name"))
				continue
			}
			first[d.ID()] = d
			docs = append(docs, d)
		}
		if len(faults) > maxFaults {
			return docs, faults[:maxFaults]
		}
	}
	return docs, faults
}

// document makes a typed document of one root node. It returns nil where the
// node cannot stand for a document at all.
func (r *Registry) document(file string, root *yaml.Node) (*Document, []*fault.Error) {
	d := &Document{root: root, Source: Source{File: file, Line: root.Line}}
	if foreign := recognise(d); foreign != nil {
		return nil, []*fault.Error{foreign}
	}
	version, wrong := d.header("apiVersion")
	if wrong != nil {
		return nil, []*fault.Error{wrong}
	}
	kindName, wrong := d.header("kind")
	if wrong != nil {
		return nil, []*fault.Error{wrong}
	}
	k, wrong := r.kindOf(d, version, kindName)
	if wrong != nil {
		return nil, []*fault.Error{wrong}
	}
	if k.Upgrade != nil {
		k.Upgrade(root)
		version = k.APIVersion
	}
	d.kind, d.Kind, d.APIVersion = k, k.Kind, version
	d.Object = k.New()
	faults := decode(d, root, d.Object)
	if wrong := d.identify(); d.Name != "" || len(faults) == 0 {
		faults = append(faults, wrong...)
	}
	if len(faults) == 0 && k.Validate != nil {
		faults = k.Validate(d)
	}
	if d.Name == "" {
		return nil, faults
	}
	return d, faults
}

// header returns a required text at the top of the document.
func (d *Document) header(field string) (string, *fault.Error) {
	_, v := child(d.root, field)
	if v == nil || v.Kind != yaml.ScalarNode || v.Value == "" || v.ShortTag() != "!!str" {
		return "", d.Fault("ascode.header_missing",
			text.Say("the document has no %s", "%s がありません", field),
			text.Say("begin it with apiVersion and kind, for example `apiVersion: openslo/v1` and `kind: SLO`",
				"先頭に apiVersion と kind を書いてください(例: `apiVersion: openslo/v1` と `kind: SLO`)"), field)
	}
	return v.Value, nil
}

// kindOf finds the kind of a document by its apiVersion and kind.
func (r *Registry) kindOf(d *Document, version, name string) (*Kind, *fault.Error) {
	if k, ok := r.kinds[name]; ok {
		if k.reads(version) {
			return k, nil
		}
		allowed := append([]string{k.APIVersion}, k.AlsoVersions...)
		return nil, d.Fault("ascode.version_unknown",
			text.Say("%s is not read in version %q", "%s はバージョン %q では読み込めません", name, version),
			oneOf(version, allowed), "apiVersion")
	}
	group, _, _ := strings.Cut(version, "/")
	if f, ok := r.refused[name]; ok && f.group == group {
		return nil, d.Fault("ascode.kind_refused", f.why, f.remedy, "kind")
	}
	var same, all []string
	for _, k := range r.Kinds() {
		all = append(all, k.Kind)
		if strings.HasPrefix(k.APIVersion, group+"/") {
			same = append(same, k.Kind)
		}
	}
	if len(same) == 0 || nearest(name, same) == "" && nearest(name, all) != "" {
		same = all
	}
	return nil, d.Fault("ascode.kind_unknown",
		text.Say("kind %q of %s is not known", "%[2]s の種類 %[1]q は扱えません", name, version),
		oneOfKinds(name, same), "kind")
}

// oneOfKinds is oneOf that always lists every kind, because the reader cannot
// know them.
func oneOfKinds(got string, kinds []string) text.Both {
	slices.Sort(kinds)
	list := strings.Join(slices.Compact(kinds), ", ")
	if near := nearest(got, kinds); near != "" {
		return text.Say("did you mean %q? Known kinds: %s", "%q の間違いではありませんか。扱える種類: %s", near, list)
	}
	return text.Say("remove the document or use a known kind: %s", "この文書を取り除くか、扱える種類にしてください: %s", list)
}

// identify reads name and namespace.
func (d *Document) identify() []*fault.Error {
	name := grandchild(d.root, "metadata", "name")
	if name == nil || name.Value == "" {
		return []*fault.Error{d.Fault("ascode.name_missing",
			text.Say("%s has no name", "%s に名前がありません", d.Kind),
			text.Say("add metadata.name", "metadata.name を書いてください"), "metadata", "name")}
	}
	if name.Kind != yaml.ScalarNode {
		return nil // the decoder has said so
	}
	d.Name, d.Namespace = name.Value, DefaultNamespace
	var faults []*fault.Error
	if ns := grandchild(d.root, "metadata", "namespace"); ns != nil && ns.Kind == yaml.ScalarNode && ns.Value != "" && ns.ShortTag() != "!!null" {
		d.Namespace = ns.Value
		if !nameShape.MatchString(d.Namespace) {
			faults = append(faults, d.nameFault(d.Namespace, "namespace"))
		}
	}
	if !nameShape.MatchString(d.Name) {
		faults = append(faults, d.nameFault(d.Name, "name"))
	}
	return faults
}

func (d *Document) nameFault(got, field string) *fault.Error {
	return d.Fault("ascode.name_shape",
		text.Say("%q cannot be a %s", "%q は %s として使えません", shorten(got, 80), field),
		text.Say("use at most 63 letters, digits, '-', '_' or '.', beginning and ending with a letter or digit",
			"英数字と「-」「_」「.」を63文字以内で使い、英数字で始めて英数字で終えてください"), "metadata", field)
}

// grandchild returns the value of field b of field a, nil where there is none.
func grandchild(n *yaml.Node, a, b string) *yaml.Node {
	if _, n = child(n, a); n == nil {
		return nil
	}
	_, value := child(n, b)
	return value
}

// shorten cuts a text that would fill the screen.
func shorten(s string, runes int) string {
	r := []rune(s)
	if len(r) <= runes {
		return s
	}
	return string(r[:runes-1]) + "…"
}

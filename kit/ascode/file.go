package ascode

import (
	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// DecodeFile reads a file that is no document of a kind, such as a server's
// configuration, into the struct that into points to, as strictly and with the
// same positions and remedies. An empty file changes nothing.
func DecodeFile(name string, data []byte, into any) error {
	roots, faults := readFile(File{Name: name, Data: string(data)})
	if len(faults) > 0 {
		return fault.Join(faults)
	}
	switch len(roots) {
	case 0:
		return nil
	case 1:
		d := &Document{root: roots[0], Source: Source{File: name, Line: roots[0].Line}}
		return fault.Join(decode(d, roots[0], into))
	}
	return invalid(fault.Position{File: name, Line: roots[1].Line, Column: roots[1].Column}, "ascode.several",
		text.Say("there is more than one document", "複数の文書が含まれています"),
		text.Say("remove the lines from --- on", "「---」以降を取り除いてください"))
}

// Read splits a file of another tool into its documents: trees without aliases
// and merge keys, within the limits that documents of a kind have.
func Read(f File) ([]*yaml.Node, []*fault.Error) { return readFile(f) }

// Write writes objects as one YAML file, a document each, with their fields in
// the order of their structs and named by their json tags.
func Write(objects ...any) (string, error) {
	if len(objects) == 0 {
		return "", nil
	}
	var roots []*yaml.Node
	for _, o := range objects {
		n, err := encode(o)
		if err != nil {
			return "", err
		}
		roots = append(roots, n)
	}
	return writeYAML(roots)
}

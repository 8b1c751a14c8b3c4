package ascode

import (
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Limits that keep one request from using up the machine. They are far above
// what people write.
const (
	maxFileBytes = 8 << 20
	maxDepth     = 64
	maxNodes     = 1 << 20 // of one file, after aliases were followed
)

// readFile splits a file into its documents: trees without aliases and merge
// keys, whose mappings have text keys that differ. Empty documents are left
// out.
func readFile(f File) ([]*yaml.Node, []*fault.Error) {
	switch {
	case len(f.Data) > maxFileBytes:
		return nil, []*fault.Error{invalid(fault.Position{File: f.Name}, "ascode.file_size",
			text.Say("the file is larger than %d MiB", "ファイルが %d MiB を超えています", maxFileBytes>>20),
			text.Say("split it into several files", "複数のファイルに分けてください"))}
	case !utf8.ValidString(f.Data):
		return nil, []*fault.Error{invalid(fault.Position{File: f.Name}, "ascode.encoding",
			text.Say("the file is not UTF-8 text", "ファイルが UTF-8 のテキストではありません"),
			text.Say("save it as UTF-8", "UTF-8 で保存してください"))}
	}
	r := reader{file: f.Name}
	if isJSON(f) {
		r.json(f.Data)
	} else {
		r.yaml(f.Data)
	}
	return r.roots, r.faults
}

func invalid(at fault.Position, code string, what, remedy text.Both) *fault.Error {
	return fault.New(fault.Invalid, code, what).Fix(remedy).At(at)
}

type reader struct {
	file   string
	roots  []*yaml.Node
	faults []*fault.Error
	nodes  int
}

func (r *reader) wrong(n *yaml.Node, code string, what, remedy text.Both) {
	r.faults = append(r.faults, invalid(fault.Position{File: r.file, Line: n.Line, Column: n.Column}, code, what, remedy))
}

func (r *reader) yaml(data string) {
	dec := yaml.NewDecoder(strings.NewReader(data))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			r.faults = append(r.faults, r.syntax(data, err))
			return
		}
		if len(doc.Content) == 0 || isNull(doc.Content[0]) {
			continue
		}
		if !r.add(doc.Content[0]) {
			return
		}
	}
}

// add takes one document in; it reports whether reading should go on.
func (r *reader) add(n *yaml.Node) bool {
	before := len(r.faults)
	root := r.plain(n, 0, nil)
	if r.nodes > maxNodes || len(r.faults) > maxFaults {
		return false
	}
	if len(r.faults) > before {
		return true
	}
	if root.Kind == yaml.SequenceNode && isList(root) {
		r.roots = append(r.roots, root.Content...)
		return true
	}
	if root.Kind != yaml.MappingNode {
		r.wrong(root, "ascode.not_a_document", text.Say("this is not a document with fields", "フィールドを持つ文書ではありません"),
			text.Say("begin each document with apiVersion and kind, and separate documents by a line `---`",
				"各文書の先頭に apiVersion と kind を書き、文書どうしは `---` の行で区切ってください"))
		return true
	}
	r.roots = append(r.roots, root)
	return true
}

// isList reports whether a sequence holds documents.
func isList(n *yaml.Node) bool {
	for _, item := range n.Content {
		if _, v := child(item, "apiVersion"); item.Kind != yaml.MappingNode || v == nil {
			return false
		}
	}
	return len(n.Content) > 0
}

// plain returns the tree with aliases followed and merge keys merged. Within
// holds the anchors that are being followed, so that one that contains itself
// is found.
func (r *reader) plain(n *yaml.Node, depth int, within []*yaml.Node) *yaml.Node {
	r.nodes++
	empty := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line, Column: n.Column}
	switch {
	case r.nodes > maxNodes:
		if r.nodes == maxNodes+1 {
			r.wrong(n, "ascode.too_much", text.Say("the file holds more than %d values, aliases included", "エイリアスを含めて値が%d個を超えています", maxNodes),
				text.Say("split it, and use fewer aliases", "ファイルを分け、エイリアスを減らしてください"))
		}
		return empty
	case depth > maxDepth:
		r.wrong(n, "ascode.too_deep", text.Say("values are nested more than %d deep", "入れ子が%d段を超えています", maxDepth),
			text.Say("nest them less deeply", "入れ子を浅くしてください"))
		r.nodes = maxNodes + 1
		return empty
	}
	switch n.Kind {
	case yaml.AliasNode:
		for _, w := range within {
			if w == n.Alias {
				r.wrong(n, "ascode.alias_loop", text.Say("the anchor %q contains itself", "アンカー %q が自分自身を含んでいます", n.Value),
					text.Say("write the value out", "値を直接書いてください"))
				return empty
			}
		}
		return r.plain(n.Alias, depth+1, append(within, n.Alias))
	case yaml.SequenceNode:
		out := copyOf(n)
		for _, item := range n.Content {
			out.Content = append(out.Content, r.plain(item, depth+1, within))
		}
		return out
	case yaml.MappingNode:
		return r.plainMapping(n, depth, within)
	}
	return copyOf(n)
}

func (r *reader) plainMapping(n *yaml.Node, depth int, within []*yaml.Node) *yaml.Node {
	out := copyOf(n)
	seen := map[string]*yaml.Node{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		if key.ShortTag() == "!!merge" {
			merges = append(merges, item)
			continue
		}
		if key.Kind != yaml.ScalarNode || (key.ShortTag() != "!!str" && key.ShortTag() != "!!timestamp") {
			r.wrong(key, "ascode.key", text.Say("the name of a field must be text", "フィールド名は文字列でなければなりません"),
				text.Say("put it in quotes", "引用符で囲んでください"))
			continue
		}
		if other, twice := seen[key.Value]; twice {
			r.wrong(key, "ascode.field_twice", text.Say("%q is already there in line %d", "%q は%d行目に既にあります", key.Value, other.Line),
				text.Say("keep one of the two", "どちらか一方だけを残してください"))
			continue
		}
		seen[key.Value] = key
		out.Content = append(out.Content, copyOf(key), r.plain(item, depth+1, within))
	}
	for _, m := range merges {
		for _, from := range r.merged(m, depth, within) {
			for i := 0; i+1 < len(from.Content); i += 2 {
				if key := from.Content[i]; seen[key.Value] == nil {
					seen[key.Value] = key
					out.Content = append(out.Content, key, from.Content[i+1])
				}
			}
		}
	}
	return out
}

// merged returns the mappings that a merge key names, nearest first.
func (r *reader) merged(n *yaml.Node, depth int, within []*yaml.Node) []*yaml.Node {
	from := r.plain(n, depth+1, within)
	list := []*yaml.Node{from}
	if from.Kind == yaml.SequenceNode {
		list = from.Content
	}
	for _, m := range list {
		if m.Kind != yaml.MappingNode {
			r.wrong(n, "ascode.merge", text.Say("`<<` takes a mapping", "`<<` にはマッピングを指定します"),
				text.Say("name an anchor of a mapping", "マッピングのアンカーを指定してください"))
			return nil
		}
	}
	return list
}

func copyOf(n *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style, Line: n.Line, Column: n.Column}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax makes a fault of what the YAML reader says. It knows only the line.
func (r *reader) syntax(data string, err error) *fault.Error {
	at := fault.Position{File: r.file, Line: 1}
	message := err.Error()
	if m := yamlLine.FindStringSubmatch(strings.SplitN(message, "\n", 2)[0]); m != nil {
		message = m[2]
		if line, _ := strconv.Atoi(m[1]); line > 0 {
			at.Line = line
		}
	}
	remedy := text.Say("check indentation, colons and quotes around this line", "この行の前後の字下げ、コロン、引用符を確かめてください")
	if strings.Contains(message, "cannot start any token") && strings.Contains(data, "\t") {
		remedy = text.Say("indent with spaces: YAML does not allow tabs", "字下げにはタブではなく空白を使ってください")
	}
	return invalid(at, "ascode.syntax", text.Say("this is not YAML: %s", "YAML として読めません: %s", message), remedy)
}

// isJSON reports whether a file is JSON rather than YAML: YAML in flow style
// begins with a brace, too.
func isJSON(f File) bool {
	return strings.HasSuffix(f.Name, ".json") ||
		strings.HasPrefix(strings.TrimLeft(f.Data, " \t\r\n"), "{") && json.Valid([]byte(f.Data))
}

// json reads one JSON object into a tree with positions.
func (r *reader) json(data string) {
	j := jsonReader{dec: json.NewDecoder(strings.NewReader(data)), data: data, line: 1}
	j.dec.UseNumber()
	root, err := j.value(0)
	if err == nil {
		if _, more := j.dec.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after the end of the object")
		}
	}
	if err != nil {
		line, column := j.at(int(j.dec.InputOffset()))
		r.faults = append(r.faults, invalid(fault.Position{File: r.file, Line: line, Column: column}, "ascode.syntax",
			text.Say("this is not JSON: %s", "JSON として読めません: %s", err.Error()),
			text.Say("correct it around this place; one file holds one object", "この付近を直してください。1つのファイルに書けるオブジェクトは1つです")))
		return
	}
	r.add(root)
}

type jsonReader struct {
	dec          *json.Decoder
	data         string
	offset, line int // the line at offset
	lineStart    int
}

// at returns line and column of an offset; offsets must not go down.
func (j *jsonReader) at(offset int) (line, column int) {
	for offset < len(j.data) && strings.IndexByte(" \t\r\n,:", j.data[offset]) >= 0 {
		offset++
	}
	for ; j.offset < offset && j.offset < len(j.data); j.offset++ {
		if j.data[j.offset] == '\n' {
			j.line++
			j.lineStart = j.offset + 1
		}
	}
	return j.line, offset - j.lineStart + 1
}

func (j *jsonReader) value(depth int) (*yaml.Node, error) {
	line, column := j.at(int(j.dec.InputOffset()))
	t, err := j.dec.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: line, Column: column}
	switch x := t.(type) {
	case json.Delim:
		return n, j.within(n, x, depth)
	case string:
		n.Tag, n.Value = "!!str", x
	case json.Number:
		n.Tag, n.Value = "!!float", x.String()
		if !strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!int"
		}
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(x)
	default:
		n.Tag = "!!null"
	}
	return n, nil
}

// within reads the content of an object or array up to its end.
func (j *jsonReader) within(n *yaml.Node, open json.Delim, depth int) error {
	if depth > maxDepth {
		return errors.New("values are nested too deep")
	}
	n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
	if open == '{' {
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
	}
	for j.dec.More() {
		item, err := j.value(depth + 1)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, item)
		if open == '{' {
			if item, err = j.value(depth + 1); err != nil {
				return err
			}
			n.Content = append(n.Content, item)
		}
	}
	_, err := j.dec.Token()
	return err
}

package check

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// jsonPath is a way into a JSON document: names of fields and places in lists.
// It is the part of RFC 9535 that leads to one value.
type jsonPath []any // string or int

// longestPath bounds the steps of a path.
const longestPath = 64

// parsePath reads $.order.items[0]['full name'] and $.items[-1].
func parsePath(s string) (jsonPath, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "$")
	if !ok {
		return nil, badPath(s)
	}
	path := jsonPath{}
	for rest != "" {
		var step any
		switch {
		case strings.HasPrefix(rest, "['"), strings.HasPrefix(rest, `["`):
			end := strings.Index(rest[2:], rest[1:2]+"]")
			if end < 0 {
				return nil, badPath(s)
			}
			step, rest = rest[2:2+end], rest[2+end+2:]
		case rest[0] == '[':
			inner, after, found := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(inner)
			if !found || err != nil {
				return nil, badPath(s)
			}
			step, rest = n, after
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			if end == 0 {
				return nil, badPath(s)
			}
			step, rest = rest[1:1+end], rest[1+end:]
		default:
			return nil, badPath(s)
		}
		if path = append(path, step); len(path) > longestPath {
			return nil, badPath(s)
		}
	}
	return path, nil
}

func badPath(s string) error {
	return fault.New(fault.Invalid, "probe.json_path", text.Say("%q is not a path into JSON", "%q はJSONのパスとして読めません", shown(s))).
		Fix(text.Say("write it like $.order.items[0].name", "$.order.items[0].name のように書いてください"))
}

// in follows the path. Numbers are json.Number, so that long ones stay exact.
func (p jsonPath) in(v any) (any, bool) {
	for _, step := range p {
		switch at := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				return nil, false
			}
			if v, ok = m[at]; !ok {
				return nil, false
			}
		case int:
			list, ok := v.([]any)
			if !ok {
				return nil, false
			}
			if at < 0 {
				at += len(list)
			}
			if at < 0 || at >= len(list) {
				return nil, false
			}
			v = list[at]
		}
	}
	return v, true
}

// decodeJSON reads exactly one document.
func decodeJSON(body []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one document")
	}
	return v, nil
}

// plain writes a JSON value as text: a string without its quotes, anything else
// as it is.
func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// same compares a value of an answer with one of a document, numbers by value.
func same(got, want any) bool {
	if n, ok := got.(json.Number); ok {
		switch w := want.(type) {
		case int64:
			i, err := n.Int64()
			return err == nil && i == w
		case float64:
			f, err := n.Float64()
			return err == nil && f == w
		}
		return false
	}
	if i, ok := want.(int64); ok {
		want = float64(i)
	}
	return plain(got) == plain(want) && isText(got) == isText(want)
}

func isText(v any) bool { _, ok := v.(string); return ok }

// numberOf is a JSON number as such.
func numberOf(v any) (float64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

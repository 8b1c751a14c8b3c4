package format

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// node is a part of a JSON document. Its methods answer with nothing where what
// is asked for is missing or of another type.
type node struct{ v any }

// parse reads a document; what is no JSON is an empty node.
func parse(body []byte) node {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return node{}
	}
	return node{v}
}

// at follows names of fields.
func (n node) at(path ...string) node {
	for _, name := range path {
		m, _ := n.v.(map[string]any)
		n = node{m[name]}
	}
	return n
}

// has reports whether the document is an object with all of these fields, of any
// value but null.
func (n node) has(names ...string) bool {
	for _, name := range names {
		if n.at(name).v == nil {
			return false
		}
	}
	return len(names) > 0
}

// text is a string, or a number or truth value as it is written.
func (n node) text(path ...string) string {
	switch v := n.at(path...).v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// list is an array's elements.
func (n node) list(path ...string) []node {
	all, _ := n.at(path...).v.([]any)
	out := make([]node, len(all))
	for i, v := range all {
		out[i] = node{v}
	}
	return out
}

// object reports whether the node is one.
func (n node) object() bool {
	_, ok := n.v.(map[string]any)
	return ok
}

// names are an object's fields, in order.
func (n node) names() []string {
	m, _ := n.v.(map[string]any)
	all := make([]string, 0, len(m))
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// texts are an object's fields that are written in a word.
func (n node) texts(path ...string) map[string]string {
	o := n.at(path...)
	out := map[string]string{}
	for _, name := range o.names() {
		if s := o.text(name); s != "" {
			out[name] = s
		}
	}
	return out
}

// layouts of times that systems write.
var layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05"}

// time is a moment: RFC 3339 and its relatives, or seconds or milliseconds since
// 1970. Years before 2000 are how some systems write "never".
func (n node) time(path ...string) time.Time {
	s := n.text(path...)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return real(t)
		}
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil {
		const milliseconds = 1e11 // as seconds this is the year 5138
		if x > milliseconds {
			x /= 1000
		}
		if x < milliseconds {
			return real(time.UnixMicro(int64(x * 1e6)))
		}
	}
	return time.Time{}
}

func real(t time.Time) time.Time {
	if t.Year() < 2000 {
		return time.Time{}
	}
	return t.UTC()
}

// first is the first that is not empty.
func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// Limits of what is taken over of a text.
const (
	longestLine = 300
	longestBody = 4000
)

// line makes one line of a text.
func line(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	return cut(s, longestLine)
}

func cut(s string, longest int) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= longest {
		return s
	}
	at := longest
	for !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + "…"
}

func excerpt(body []byte) string {
	return cut(string(body[:min(len(body), longestBody+4)]), longestBody)
}

// severity is a source's word in the words that all share.
func severity(word string) Severity {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "critical", "crit", "fatal", "emergency", "emerg", "page", "p1", "sev0", "sev1", "disaster", "severity1", "1":
		return Critical
	case "error", "err", "high", "major", "alert", "p2", "sev2", "average":
		return Error
	case "warning", "warn", "minor", "medium", "ticket", "p3", "sev3":
		return Warning
	case "info", "informational", "information", "low", "notice", "none", "debug", "ok", "p4", "p5", "sev4", "sev5", "verbose":
		return Info
	}
	return ""
}

// merge copies labels, under a prefix, that are not there yet.
func merge(into map[string]string, from map[string]string, prefix string) {
	for name, v := range from {
		if _, ok := into[prefix+name]; !ok {
			into[prefix+name] = v
		}
	}
}

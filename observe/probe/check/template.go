package check

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

var placeholder = regexp.MustCompile(`\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}`)

// values are what {{name}} stands for.
type values map[string]string

// fill puts values where a text names them. A name without a value is a fault:
// sending the braces would test something else than was meant.
func (v values) fill(s string) (string, error) {
	return v.replace(s, func(x string) string { return x })
}

// fillURL is fill for an address. Before its path a value is a host with its
// port, and nothing else; from there on it is escaped, so that it stays one part
// of the address.
func (v values) fillURL(s string) (string, error) {
	end := len(s)
	if scheme := strings.Index(s, "://"); scheme >= 0 {
		if path := strings.IndexAny(s[scheme+3:], "/?#"); path >= 0 {
			end = scheme + 3 + path
		}
	}
	host, err := v.replace(s[:end], func(x string) string { return notHost.ReplaceAllString(x, "") })
	if err != nil {
		return "", err
	}
	rest, err := v.replace(s[end:], url.QueryEscape)
	return host + rest, err
}

var notHost = regexp.MustCompile(`[^A-Za-z0-9.:\-\[\]]`)

func (v values) replace(s string, escape func(string) string) (string, error) {
	var missing string
	out := placeholder.ReplaceAllStringFunc(s, func(m string) string {
		name := placeholder.FindStringSubmatch(m)[1]
		value, ok := v[name]
		if !ok {
			missing = name
		}
		return escape(value)
	})
	if missing != "" {
		return "", fault.New(fault.Invalid, CodeUnable, text.Say(
			"nothing is called {{%s}} here; there are: %s", "{{%s}} に入る値がありません(使えるもの: %s)",
			missing, strings.Join(slices.Sorted(maps.Keys(v)), ", ")))
	}
	return out, nil
}

// names lists what a text refers to.
func names(s string) []string {
	var all []string
	for _, m := range placeholder.FindAllStringSubmatch(s, -1) {
		all = append(all, m[1])
	}
	return all
}

// shownURL is an address without its query and credentials, which may be secret.
func shownURL(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return s
	}
	host, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	if path == "" {
		return scheme + "://" + host
	}
	return scheme + "://" + host + "/" + path
}

// Package exchange turns what other tools route alerts by into documents of this
// product.
//
// What a file says and cannot be carried over is never dropped in silence: each is
// a note with its line. What the other tool would refuse is refused here too. The
// package is pure.
package exchange

import (
	"regexp"
	"strings"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Note says what of a file became something else, or nothing.
type Note struct {
	Where fault.Position
	What  text.Both
}

// Result is what came of an import.
type Result struct {
	Documents []any // *routing.Routing, *notify.Document
	Notes     []Note
}

// YAML writes the documents as one file.
func (r Result) YAML() (string, error) { return ascode.Write(r.Documents...) }

// Options fill in what the other tool leaves open.
type Options struct {
	Name string // of the routing document; "alertmanager" where empty
	Team string // whose routing it is; the organisation's where empty
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a document's name of any text: lower-case letters, digits and single
// dashes, at most 63.
func slug(parts ...string) string {
	s := strings.Trim(notName.ReplaceAllString(strings.ToLower(strings.Join(parts, "-")), "-"), "-")
	if len(s) > maxName {
		s = strings.TrimRight(s[:maxName], "-")
	}
	return s
}

const maxName = 63

// variable makes the name of an environment variable of a document's name.
func variable(name string) string {
	return "TEITEN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Package secret holds values that are never printed, and looks up those that
// are only named.
//
// A secret is written as it is, or as a reference to where the server finds it:
// ${env:NAME} or ${file:PATH}. A reference is the whole value: nothing is put
// together from parts. References are looked up each time the secret is used, so
// that a rotated one needs no change. The package keeps nothing and sends
// nothing.
package secret

import (
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
)

// Hidden stands where a secret was.
const Hidden = "(hidden)"

// Secret is a value that is not printed: every format verb and every log shows
// Hidden. JSON holds the value itself, because that is how it is stored; what is
// shown to people is hidden before.
type Secret string

var (
	envReference  = regexp.MustCompile(`^\$\{env:([A-Za-z_][A-Za-z0-9_]{0,127})\}$`)
	fileReference = regexp.MustCompile(`^\$\{file:([^${}\x00]{1,1000})\}$`)
)

// String hides the value.
func (s Secret) String() string { return Hidden }

// GoString hides the value from %#v.
func (s Secret) GoString() string { return Hidden }

// Format hides the value from every format verb, also from those that do not fit
// a string. (%p alone does not ask; vet refuses it for a string.)
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, Hidden) // fmt keeps what is written
}

// LogValue hides the value from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Hidden) }

// IsReference reports whether the value names where the secret is, and so may be
// shown itself.
func (s Secret) IsReference() bool {
	return envReference.MatchString(string(s)) || fileReference.MatchString(string(s))
}

// Misspelled reports a value that was meant as a reference and is none.
func (s Secret) Misspelled() bool { return strings.Contains(string(s), "${") && !s.IsReference() }

// Redacted is what may be shown: the reference, Hidden in place of a value, and
// nothing where there is nothing.
func (s Secret) Redacted() Secret {
	if s == "" || s.IsReference() {
		return s
	}
	return Hidden
}

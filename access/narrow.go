package access

import (
	"regexp"
	"strings"

	"github.com/teiten/teiten/kit/httpapi"
)

// A scope may be narrowed to one thing: probe:run@tokyo is probe:run for the
// location tokyo and no other. Which scopes can be, and what the name means, is
// the matter of the room whose scope it is.
var narrowable = map[httpapi.Scope]*regexp.Regexp{
	ProbeRun: regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`),
}

// narrowed splits a scope at what it is narrowed to, "" for one that is not.
func narrowed(s httpapi.Scope) (whole httpapi.Scope, to string) {
	name, to, _ := strings.Cut(string(s), "@")
	return httpapi.Scope(name), to
}

// known reports whether there is such a scope.
func known(s httpapi.Scope) bool {
	whole, to := narrowed(s)
	shape := narrowable[whole]
	return covers(AllScopes(), whole) && (s == whole || shape != nil && shape.MatchString(to))
}

// covers reports whether one who has the scopes may do all that s allows.
func covers(scopes []httpapi.Scope, s httpapi.Scope) bool {
	whole, _ := narrowed(s)
	for _, has := range scopes {
		if has == s || has == whole {
			return true
		}
	}
	return false
}

// NarrowedTo says for which things the principal has a scope: all, or those that
// are named.
func (p Principal) NarrowedTo(scope httpapi.Scope) (names []string, all bool) {
	for _, s := range p.Scopes {
		if s == scope {
			return nil, true
		}
		if whole, to := narrowed(s); whole == scope && to != "" {
			names = append(names, to)
		}
	}
	return names, false
}

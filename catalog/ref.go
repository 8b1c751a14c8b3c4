// Package catalog knows who owns what: teams, people, services, systems and what
// depends on what.
//
// It reads Backstage's catalog documents. A service is a Component, or a service
// that another room has met (an OpenSLO Service); everything that other rooms
// have to say of a service hangs on its name here. The package stores no state
// of a service's health.
package catalog

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// The kinds of entity, as references write them.
const (
	KindComponent = "component"
	KindAPI       = "api"
	KindResource  = "resource"
	KindSystem    = "system"
	KindDomain    = "domain"
	KindGroup     = "group"
	KindUser      = "user"
	KindService   = "service" // met by another room, not described in the catalog
)

// DefaultNamespace is the namespace of a reference that names none.
const DefaultNamespace = "default"

// Ref names an entity as Backstage does: [kind:][namespace/]name. Two references
// that differ only by case name the same.
type Ref struct{ Kind, Namespace, Name string }

var refPart = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)

// ParseRef reads a reference, with the kind and namespace to assume where it
// names none.
func ParseRef(s, kind, namespace string) (Ref, error) {
	r := Ref{Kind: kind, Namespace: namespace, Name: s}
	if k, rest, ok := strings.Cut(r.Name, ":"); ok {
		r.Kind, r.Name = strings.ToLower(k), rest
	}
	if ns, rest, ok := strings.Cut(r.Name, "/"); ok {
		r.Namespace, r.Name = ns, rest
	}
	if r.Namespace == "" {
		r.Namespace = DefaultNamespace
	}
	for _, part := range []string{r.Kind, r.Namespace, r.Name} {
		if !refPart.MatchString(part) {
			return Ref{}, fault.New(fault.Invalid, "catalog.ref", text.Say("%q does not name an entity", "%q はエンティティの参照になっていません", s)).
				Fix(text.Say("write [kind:][namespace/]name, for example %q", "[kind:][namespace/]name の形で書いてください(例: %q)", example(kind)))
		}
	}
	return r, nil
}

func example(kind string) string {
	switch kind {
	case KindGroup:
		return "payments"
	case KindUser:
		return "user:default/sato"
	case "":
		return "component:default/checkout"
	}
	return kind + ":default/checkout"
}

// String is the reference in full, in lower case: component:default/checkout.
func (r Ref) String() string {
	return strings.ToLower(r.Kind + ":" + r.Namespace + "/" + r.Name)
}

// Short is the name, with the namespace where it is not the default one, in
// lower case.
func (r Ref) Short() string {
	if strings.EqualFold(r.Namespace, DefaultNamespace) || r.Namespace == "" {
		return strings.ToLower(r.Name)
	}
	return strings.ToLower(r.Namespace + "/" + r.Name)
}

// IsZero reports whether the reference names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// subjectOf is how the rest of the product refers to each kind of entity.
var subjectOf = map[string]string{KindComponent: "service", KindGroup: "team", KindUser: "person"}

// Subject is how the rest of the product refers to the entity: service:checkout,
// team:payments.
func (r Ref) Subject() string {
	kind, ok := subjectOf[r.Kind]
	if !ok {
		kind = r.Kind
	}
	return fmt.Sprintf("%s:%s", kind, r.Short())
}

// ownerName is how an owner is kept: the short name of a team, or user:name.
func (r Ref) ownerName() string {
	switch {
	case r.IsZero():
		return ""
	case r.Kind == KindGroup:
		return r.Short()
	}
	return r.Kind + ":" + r.Short()
}

// RefsOf are the references under which an entry about something of a service is
// found besides its own: the service's, and that of the team or person who owns
// it, where there is one.
func RefsOf(service, owner string) []journal.Ref {
	refs := []journal.Ref{journal.RefTo("service", service)}
	switch {
	case strings.Contains(owner, ":"): // a person
		refs = append(refs, journal.Ref(owner))
	case owner != "":
		refs = append(refs, journal.RefTo("team", owner))
	}
	return refs
}

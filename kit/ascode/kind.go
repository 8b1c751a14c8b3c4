package ascode

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Kind describes one kind of document. APIVersion, Kind, ID, Title, New and
// Apply are required; a nil function means that there is nothing to do.
type Kind struct {
	// APIVersion and Kind are what documents say of themselves. AlsoVersions
	// are other apiVersions that are read in the same way.
	APIVersion   string
	Kind         string
	AlsoVersions []string
	// Upgrade turns a document of one of AlsoVersions, or one in another spelling
	// of APIVersion, into what is read, in place; messages point to the nodes that
	// it keeps.
	Upgrade func(root *yaml.Node)
	// ID is the plural that people type: "slos".
	ID    string
	Title text.Both
	// Event begins the names of what the Recorder is told: "slo." gives
	// "slo.added", "slo.changed" and "slo.removed".
	Event string
	// Order puts kinds in the sequence in which they are applied, ascending;
	// they are removed in descending order.
	Order int

	// New returns a pointer to a new struct whose json tags name the fields,
	// apiVersion, kind, metadata and spec among them.
	New func() any
	// Ref is how the rest of the product refers to what d describes.
	Ref func(d *Document) string
	// Owner is the team that owns it, "" if none. OwnerIn is asked instead where
	// the owner is known to the database only: of a document that is there,
	// before anything is applied, and of a new version after everything was.
	Owner   func(d *Document) string
	OwnerIn func(ctx context.Context, tx *sql.Tx, d *Document) (string, error)
	// Redact puts Hidden in the place of every secret in d.Object.
	Redact func(d *Document)
	// Moved reports whether after sends its secrets to somewhere else than before
	// did; both are what New returned, filled in. A secret that is left Hidden is
	// not kept then: whoever chooses where it goes has to know it.
	Moved func(before, after any) bool
	// Validate judges d by itself: no clock, no database, no network.
	Validate func(d *Document) []*fault.Error
	// Apply writes d into the room's tables, whether or not it was there.
	Apply func(ctx context.Context, tx *sql.Tx, d *Document) error
	// Remove takes d out of the room's tables.
	Remove func(ctx context.Context, tx *sql.Tx, d *Document) error
	// Check looks for references that lead nowhere, after the whole batch was
	// applied. Known answers cheaply whether a document is there.
	Check func(ctx context.Context, tx *sql.Tx, d *Document) []*fault.Error
	// Warn says what is allowed and yet deserves a look; it stops nothing.
	Warn func(ctx context.Context, tx *sql.Tx, d *Document) []*fault.Error
}

// Registry holds the kinds that are known. Fill it before use; it does not
// change after that.
type Registry struct {
	kinds   map[string]*Kind // by Kind
	refused map[string]refusal
}

// refusal says why documents of a kind are not read.
type refusal struct {
	group       string
	why, remedy text.Both
}

// NewRegistry returns a registry that knows no kind.
func NewRegistry() *Registry {
	return &Registry{kinds: map[string]*Kind{}, refused: map[string]refusal{}}
}

// Refuse gives the reason and the remedy for documents of a kind that somebody
// may well pass in and that is not read; group is its apiVersion up to the
// slash.
func (r *Registry) Refuse(group, kind string, why, remedy text.Both) {
	r.refused[kind] = refusal{group, why, remedy}
}

// Add makes a kind known. It panics where the kind is incomplete or its name or
// ID is taken, because that is a mistake in the program.
func (r *Registry) Add(k Kind) {
	if k.APIVersion == "" || k.Kind == "" || k.ID == "" || k.New == nil {
		panic(fmt.Sprintf("ascode: kind %q needs APIVersion, Kind, ID and New", k.Kind))
	}
	if k.Title.IsZero() {
		k.Title = text.Say(k.Kind, k.Kind)
	}
	if _, taken := r.Lookup(k.Kind); taken {
		panic("ascode: kind " + k.Kind + " is there twice")
	}
	if _, taken := r.Lookup(k.ID); taken {
		panic("ascode: kind ID " + k.ID + " is there twice")
	}
	if k.Event == "" {
		k.Event = "ascode.document_"
	}
	r.kinds[k.Kind] = &k
}

// Lookup finds a kind by its name or its ID, in any case: "SLO", "slo", "slos".
func (r *Registry) Lookup(name string) (*Kind, bool) {
	if k, ok := r.kinds[name]; ok {
		return k, true
	}
	for _, k := range r.kinds {
		if strings.EqualFold(name, k.Kind) || strings.EqualFold(name, k.ID) {
			return k, true
		}
	}
	return nil, false
}

// Kinds returns every kind in the order in which they are applied.
func (r *Registry) Kinds() []*Kind {
	all := make([]*Kind, 0, len(r.kinds))
	for _, k := range r.kinds {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b *Kind) int {
		if a.Order != b.Order {
			return a.Order - b.Order
		}
		return strings.Compare(a.Kind, b.Kind)
	})
	return all
}

// find is Lookup that fails with the list of what there is.
func (r *Registry) find(name string) (*Kind, error) {
	if k, ok := r.Lookup(name); ok {
		return k, nil
	}
	ids := make([]string, 0, len(r.kinds))
	for _, k := range r.Kinds() {
		ids = append(ids, k.ID)
	}
	return nil, fault.New(fault.NotFound, "ascode.kind_unknown",
		text.Say("there is no kind %q", "種類 %q はありません", name)).Fix(oneOf(name, ids))
}

// reads reports whether the kind reads documents of an apiVersion.
func (k *Kind) reads(apiVersion string) bool {
	return apiVersion == k.APIVersion || slices.Contains(k.AlsoVersions, apiVersion)
}

// pathString writes a path as people do: spec.objectives[0].target.
func pathString(path []any) string {
	var b strings.Builder
	for _, step := range path {
		switch s := step.(type) {
		case int:
			b.WriteString("[" + strconv.Itoa(s) + "]")
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			fmt.Fprint(&b, s)
		}
	}
	return b.String()
}

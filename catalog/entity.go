package catalog

import (
	"slices"
	"strings"
)

// The types of relation. Each is stored once, in the direction its name reads.
const (
	DependsOn   = "dependsOn"
	PartOf      = "partOf"
	OwnedBy     = "ownedBy"
	ProvidesAPI = "providesApi"
	ConsumesAPI = "consumesApi"
	ChildOf     = "childOf"
	MemberOf    = "memberOf"
)

// Relation says that Source stands in Type to Target; both are references in
// full.
type Relation struct {
	Source string `json:"source"`
	Type   string `json:"type"`
	Target string `json:"target"`
}

// Link is an address that belongs to an entity.
type Link struct {
	URL   string `json:"url" doc:"Where it leads." ja:"リンク先のURL。"`
	Title string `json:"title,omitempty" doc:"What people read." ja:"表示する文字。"`
	Icon  string `json:"icon,omitempty" doc:"The name of an icon." ja:"アイコンの名前。"`
	Type  string `json:"type,omitempty" doc:"What kind of link it is, such as runbook." ja:"リンクの種類。runbook など。"`
}

// Entity is one thing of the catalog. Owner is the short name of a team
// ("payments"), or user:name where a person owns it. DependsOn and DependedBy
// hold references in full and are filled in for a single entity, not in lists.
type Entity struct {
	Ref         string            `json:"ref" doc:"kind:namespace/name"`
	Kind        string            `json:"kind"`
	Namespace   string            `json:"namespace"`
	Name        string            `json:"name"`
	Short       string            `json:"short" doc:"The name by which the rest of the product knows it."`
	Subject     string            `json:"subject" doc:"How the journal refers to it: service:checkout."`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	Owner       string            `json:"owner,omitempty" doc:"The owning team's name."`
	System      string            `json:"system,omitempty"`
	Domain      string            `json:"domain,omitempty"`
	Type        string            `json:"type,omitempty"`
	Lifecycle   string            `json:"lifecycle,omitempty"`
	Tier        string            `json:"tier,omitempty" doc:"From the label or annotation teiten.dev/tier."`
	Email       string            `json:"email,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Links       []Link            `json:"links,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	DependsOn   []string          `json:"-"`
	DependedBy  []string          `json:"-"`

	relations []Relation
}

// DisplayName is the title, and the name where there is none.
func (e Entity) DisplayName() string {
	if e.Title != "" {
		return e.Title
	}
	return e.Name
}

// IsService reports whether the entity is what the product calls a service.
func (e Entity) IsService() bool { return e.Kind == KindComponent || e.Kind == KindService }

// complete fills in what follows from kind, namespace and name.
func (e *Entity) complete() {
	if e.Namespace == "" {
		e.Namespace = DefaultNamespace
	}
	r := Ref{Kind: e.Kind, Namespace: e.Namespace, Name: e.Name}
	e.Ref, e.Short, e.Subject = r.String(), r.Short(), r.Subject()
}

// searchText is what a search looks through.
func (e Entity) searchText() string {
	words := append([]string{e.Short, e.Title, e.Description, e.Owner, e.System}, e.Tags...)
	return strings.ToLower(strings.Join(words, "\n"))
}

// Cycle finds the shortest way from an entity along "depends on" back to
// itself, both ends included, and nil where there is none. Depend maps an
// entity to what it depends on.
func Cycle(from string, depend map[string][]string) []string {
	came := map[string]string{}
	queue := []string{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range depend[at] {
			if next == from {
				path := []string{from}
				for at != from {
					path = append(path, at)
					at = came[at]
				}
				path = append(path, from)
				slices.Reverse(path)
				return path
			}
			if _, seen := came[next]; !seen {
				came[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

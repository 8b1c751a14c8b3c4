package catalog

// The documents that Backstage defines in its descriptor format
// (https://backstage.io/docs/features/software-catalog/descriptor-format).
// Backstage invites further fields under metadata and spec: they are kept.

// Metadata is what every entity says of itself.
type Metadata struct {
	Name        string            `json:"name" doc:"At most 63 letters, digits, '-', '_' or '.'."`
	Namespace   string            `json:"namespace,omitempty" doc:"\"default\" where absent."`
	Title       string            `json:"title,omitempty" doc:"What people read."`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty" doc:"teiten.dev/tier says how much a service matters."`
	Annotations map[string]string `json:"annotations,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Links       []Link            `json:"links,omitempty"`
	Extra       map[string]any    `json:"-" ascode:"extra"`
}

// Header begins every document.
type Header struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
}

// Component is a piece of software: to Teiten, a service.
type Component struct {
	Header
	Spec ComponentSpec `json:"spec"`
}

// ComponentSpec describes a Component.
type ComponentSpec struct {
	Type           string         `json:"type" doc:"service, website, library, or a word of your own."`
	Lifecycle      string         `json:"lifecycle" doc:"experimental, production, deprecated, or a word of your own."`
	Owner          string         `json:"owner" doc:"The team, as [group:][namespace/]name."`
	System         string         `json:"system,omitempty"`
	SubcomponentOf string         `json:"subcomponentOf,omitempty"`
	ProvidesAPIs   []string       `json:"providesApis,omitempty"`
	ConsumesAPIs   []string       `json:"consumesApis,omitempty"`
	DependsOn      []string       `json:"dependsOn,omitempty" doc:"Components and Resources, as kind:name."`
	DependencyOf   []string       `json:"dependencyOf,omitempty"`
	Extra          map[string]any `json:"-" ascode:"extra"`
}

// API is an interface that components provide and consume.
type API struct {
	Header
	Spec APISpec `json:"spec"`
}

// APISpec describes an API.
type APISpec struct {
	Type       string         `json:"type" doc:"openapi, asyncapi, graphql, grpc, or a word of your own."`
	Lifecycle  string         `json:"lifecycle"`
	Owner      string         `json:"owner"`
	System     string         `json:"system,omitempty"`
	Definition any            `json:"definition,omitempty" doc:"The text of the definition, or $text with its address."`
	Extra      map[string]any `json:"-" ascode:"extra"`
}

// Resource is what components need to run: a database, a bucket, a queue.
type Resource struct {
	Header
	Spec ResourceSpec `json:"spec"`
}

// ResourceSpec describes a Resource.
type ResourceSpec struct {
	Type         string         `json:"type"`
	Owner        string         `json:"owner"`
	System       string         `json:"system,omitempty"`
	DependsOn    []string       `json:"dependsOn,omitempty"`
	DependencyOf []string       `json:"dependencyOf,omitempty"`
	Extra        map[string]any `json:"-" ascode:"extra"`
}

// System is a collection of components and resources that serve together.
type System struct {
	Header
	Spec SystemSpec `json:"spec"`
}

// SystemSpec describes a System.
type SystemSpec struct {
	Owner  string         `json:"owner"`
	Domain string         `json:"domain,omitempty"`
	Type   string         `json:"type,omitempty"`
	Extra  map[string]any `json:"-" ascode:"extra"`
}

// Domain is an area of the business.
type Domain struct {
	Header
	Spec DomainSpec `json:"spec"`
}

// DomainSpec describes a Domain.
type DomainSpec struct {
	Owner       string         `json:"owner"`
	SubdomainOf string         `json:"subdomainOf,omitempty"`
	Type        string         `json:"type,omitempty"`
	Extra       map[string]any `json:"-" ascode:"extra"`
}

// Group is a team or a larger unit.
type Group struct {
	Header
	Spec GroupSpec `json:"spec"`
}

// GroupSpec describes a Group.
type GroupSpec struct {
	Type     string         `json:"type" doc:"team, business-unit, root, or a word of your own."`
	Profile  Profile        `json:"profile,omitzero"`
	Parent   string         `json:"parent,omitempty"`
	Children []string       `json:"children,omitempty"`
	Members  []string       `json:"members,omitempty"`
	Extra    map[string]any `json:"-" ascode:"extra"`
}

// Profile is how to reach a team or person.
type Profile struct {
	DisplayName string         `json:"displayName,omitempty"`
	Email       string         `json:"email,omitempty"`
	Picture     string         `json:"picture,omitempty"`
	Extra       map[string]any `json:"-" ascode:"extra"`
}

// User is a person.
type User struct {
	Header
	Spec UserSpec `json:"spec"`
}

// UserSpec describes a User.
type UserSpec struct {
	Profile  Profile        `json:"profile,omitzero"`
	MemberOf []string       `json:"memberOf,omitempty"`
	Extra    map[string]any `json:"-" ascode:"extra"`
}

package catalog

// The documents that Backstage defines in its descriptor format
// (https://backstage.io/docs/features/software-catalog/descriptor-format).
// Backstage invites further fields under metadata and spec: they are kept.

// Metadata is what every entity says of itself.
type Metadata struct {
	Name        string            `json:"name" doc:"At most 63 letters, digits, '-', '_' or '.', beginning and ending with a letter or digit." ja:"英数字と「-」「_」「.」で63文字以内。先頭と末尾は英数字。"`
	Namespace   string            `json:"namespace,omitempty" doc:"default where absent." ja:"省略時は default。"`
	Title       string            `json:"title,omitempty" doc:"What people read instead of the name." ja:"画面に表示する名前。"`
	Description string            `json:"description,omitempty" doc:"What it is, in a sentence or two." ja:"1、2文での説明。"`
	Labels      map[string]string `json:"labels,omitempty" doc:"teiten.dev/tier says how much a service matters." ja:"teiten.dev/tier でサービスの重要度を示す。"`
	Annotations map[string]string `json:"annotations,omitempty" doc:"Anything that other tools attach; teiten.dev/tier works here, too." ja:"他のツールが付ける情報。teiten.dev/tier はここにも書ける。"`
	Tags        []string          `json:"tags,omitempty" doc:"Words to search by." ja:"検索に使う語。"`
	Links       []Link            `json:"links,omitempty" doc:"Addresses that belong to it: dashboards, runbooks, repositories." ja:"関連するURL。ダッシュボード、手順書、リポジトリなど。"`
	Extra       map[string]any    `json:"-" ascode:"extra"`
}

// Header begins every document.
type Header struct {
	APIVersion string   `json:"apiVersion" doc:"backstage.io/v1alpha1 or backstage.io/v1beta1." ja:"backstage.io/v1alpha1 または backstage.io/v1beta1。"`
	Kind       string   `json:"kind" doc:"The kind of document." ja:"文書の種類。"`
	Metadata   Metadata `json:"metadata" doc:"What every entity says of itself." ja:"どのエンティティにも共通する情報。"`
}

// Component is a piece of software: to Teiten, a service.
type Component struct {
	Header
	Spec ComponentSpec `json:"spec" doc:"What it is." ja:"内容。"`
}

// ComponentSpec describes a Component.
type ComponentSpec struct {
	Type           string         `json:"type" doc:"service, website, library, or a word of your own." ja:"service、website、library、または任意の語。"`
	Lifecycle      string         `json:"lifecycle" doc:"experimental, production, deprecated, or a word of your own." ja:"experimental、production、deprecated、または任意の語。"`
	Owner          string         `json:"owner" doc:"The team that answers for it, as [group:][namespace/]name." ja:"責任を持つチーム。[group:][namespace/]name の形で書く。"`
	System         string         `json:"system,omitempty" doc:"The System that it is part of." ja:"属するシステム(System)。"`
	SubcomponentOf string         `json:"subcomponentOf,omitempty" doc:"The Component that it is part of." ja:"親となるコンポーネント(Component)。"`
	ProvidesAPIs   []string       `json:"providesApis,omitempty" doc:"APIs that it provides." ja:"提供するAPI。"`
	ConsumesAPIs   []string       `json:"consumesApis,omitempty" doc:"APIs that it consumes." ja:"利用するAPI。"`
	DependsOn      []string       `json:"dependsOn,omitempty" doc:"What it needs to work, as [kind:][namespace/]name: Components and Resources." ja:"動作に必要なもの。ComponentやResourceを [kind:][namespace/]name の形で書く。"`
	DependencyOf   []string       `json:"dependencyOf,omitempty" doc:"What needs it: the other end of dependsOn." ja:"これを必要とするもの。dependsOn の逆向き。"`
	Extra          map[string]any `json:"-" ascode:"extra"`
}

// API is an interface that components provide and consume.
type API struct {
	Header
	Spec APISpec `json:"spec" doc:"What it is." ja:"内容。"`
}

// APISpec describes an API.
type APISpec struct {
	Type       string         `json:"type" doc:"openapi, asyncapi, graphql, grpc, or a word of your own." ja:"openapi、asyncapi、graphql、grpc、または任意の語。"`
	Lifecycle  string         `json:"lifecycle" doc:"experimental, production, deprecated, or a word of your own." ja:"experimental、production、deprecated、または任意の語。"`
	Owner      string         `json:"owner" doc:"The team that answers for it, as [group:][namespace/]name." ja:"責任を持つチーム。[group:][namespace/]name の形で書く。"`
	System     string         `json:"system,omitempty" doc:"The System that it is part of." ja:"属するシステム(System)。"`
	Definition any            `json:"definition,omitempty" doc:"The text of the definition, or $text with its address." ja:"定義の本文、または $text とその場所。"`
	Extra      map[string]any `json:"-" ascode:"extra"`
}

// Resource is what components need to run: a database, a bucket, a queue.
type Resource struct {
	Header
	Spec ResourceSpec `json:"spec" doc:"What it is." ja:"内容。"`
}

// ResourceSpec describes a Resource.
type ResourceSpec struct {
	Type         string         `json:"type" doc:"database, queue, bucket, or a word of your own." ja:"database、queue、bucket、または任意の語。"`
	Owner        string         `json:"owner" doc:"The team that answers for it, as [group:][namespace/]name." ja:"責任を持つチーム。[group:][namespace/]name の形で書く。"`
	System       string         `json:"system,omitempty" doc:"The System that it is part of." ja:"属するシステム(System)。"`
	DependsOn    []string       `json:"dependsOn,omitempty" doc:"What it needs to work, as [kind:][namespace/]name: Components and Resources." ja:"動作に必要なもの。ComponentやResourceを [kind:][namespace/]name の形で書く。"`
	DependencyOf []string       `json:"dependencyOf,omitempty" doc:"What needs it: the other end of dependsOn." ja:"これを必要とするもの。dependsOn の逆向き。"`
	Extra        map[string]any `json:"-" ascode:"extra"`
}

// System is a collection of components and resources that serve together.
type System struct {
	Header
	Spec SystemSpec `json:"spec" doc:"What it is." ja:"内容。"`
}

// SystemSpec describes a System.
type SystemSpec struct {
	Owner  string         `json:"owner" doc:"The team that answers for it, as [group:][namespace/]name." ja:"責任を持つチーム。[group:][namespace/]name の形で書く。"`
	Domain string         `json:"domain,omitempty" doc:"The Domain that it is part of." ja:"属するドメイン(Domain)。"`
	Type   string         `json:"type,omitempty" doc:"A word of your own." ja:"任意の語。"`
	Extra  map[string]any `json:"-" ascode:"extra"`
}

// Domain is an area of the business.
type Domain struct {
	Header
	Spec DomainSpec `json:"spec" doc:"What it is." ja:"内容。"`
}

// DomainSpec describes a Domain.
type DomainSpec struct {
	Owner       string         `json:"owner" doc:"The team that answers for it, as [group:][namespace/]name." ja:"責任を持つチーム。[group:][namespace/]name の形で書く。"`
	SubdomainOf string         `json:"subdomainOf,omitempty" doc:"The Domain that it is part of." ja:"親となるドメイン(Domain)。"`
	Type        string         `json:"type,omitempty" doc:"A word of your own." ja:"任意の語。"`
	Extra       map[string]any `json:"-" ascode:"extra"`
}

// Group is a team or a larger unit.
type Group struct {
	Header
	Spec GroupSpec `json:"spec" doc:"What it is." ja:"内容。"`
}

// GroupSpec describes a Group.
type GroupSpec struct {
	Type     string         `json:"type" doc:"team, business-unit, root, or a word of your own." ja:"team、business-unit、root、または任意の語。"`
	Profile  Profile        `json:"profile,omitzero" doc:"How to reach the team." ja:"チームの連絡先。"`
	Parent   string         `json:"parent,omitempty" doc:"The group above it." ja:"上位のグループ。"`
	Children []string       `json:"children,omitempty" doc:"The groups below it." ja:"下位のグループ。"`
	Members  []string       `json:"members,omitempty" doc:"The people in it." ja:"所属する人。"`
	Extra    map[string]any `json:"-" ascode:"extra"`
}

// Profile is how to reach a team or person.
type Profile struct {
	DisplayName string         `json:"displayName,omitempty" doc:"What people read instead of the name." ja:"画面に表示する名前。"`
	Email       string         `json:"email,omitempty" doc:"An e-mail address." ja:"メールアドレス。"`
	Picture     string         `json:"picture,omitempty" doc:"The address of a picture." ja:"画像のURL。"`
	Extra       map[string]any `json:"-" ascode:"extra"`
}

// User is a person.
type User struct {
	Header
	Spec UserSpec `json:"spec" doc:"What it is." ja:"内容。"`
}

// UserSpec describes a User.
type UserSpec struct {
	Profile  Profile        `json:"profile,omitzero" doc:"How to reach the person." ja:"本人の連絡先。"`
	MemberOf []string       `json:"memberOf,omitempty" doc:"The teams that the person is in." ja:"所属するチーム。"`
	Extra    map[string]any `json:"-" ascode:"extra"`
}

package metrics

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/secret"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/metrics/db"
)

// defaultKey is the annotation or label that makes a source the default one.
const defaultKey = "teiten.dev/default"

const typePrometheus = "Prometheus"

// DataSource is a document of the kind DataSource of OpenSLO v1. The
// specification leaves connectionDetails open; Settings is what Teiten reads.
type DataSource struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Metadata   Metadata       `json:"metadata"`
	Spec       DataSourceSpec `json:"spec"`
}

// Metadata is what the document begins with.
type Metadata struct {
	Name        string            `json:"name"`
	DisplayName string            `json:"displayName,omitempty"`
	Labels      map[string]any    `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty" doc:"teiten.dev/default: \"true\" makes it the data source of metrics that name none." ja:"teiten.dev/default: \"true\" を付けると、データソースを指定しない指標の既定になります。"`
}

// DataSourceSpec is the body of the document.
type DataSourceSpec struct {
	Description       string   `json:"description,omitempty"`
	Type              string   `json:"type" enum:"Prometheus,prometheus" doc:"Prometheus: any server with its HTTP API, such as Mimir, Thanos or VictoriaMetrics." ja:"Prometheus(MimirやThanos、VictoriaMetricsなど、同じHTTP APIを持つサーバーも含みます)。"`
	ConnectionDetails Settings `json:"connectionDetails" doc:"How the server is reached." ja:"サーバーへの接続方法。"`
}

func (d *DataSource) isDefault() bool {
	label, _ := d.Metadata.Labels[defaultKey].(string)
	return d.Metadata.Annotations[defaultKey] == "true" || label == "true"
}

// Kinds makes the kind DataSource known.
func (s *Sources) Kinds(r *ascode.Registry) { r.Add(s.Kind()) }

// Kind is the kind DataSource.
func (s *Sources) Kind() ascode.Kind {
	return ascode.Kind{
		APIVersion: "openslo/v1", Kind: "DataSource", ID: "data-sources", Order: 40, Event: "metrics.source_",
		Title:    text.Say("Data source", "データソース"),
		New:      func() any { return &DataSource{} },
		Upgrade:  joinDetails,
		Ref:      func(d *ascode.Document) string { return "source:" + d.Name },
		Validate: func(d *ascode.Document) []*fault.Error { return s.validate(d) },
		Redact:   redact,
		Moved:    moved,
		Apply:    s.put,
		Remove:   s.drop,
		Check:    s.checkDocument,
	}
}

// joinDetails reads connectionDetails that are written as a list of fields, which
// the specification leaves open, as one mapping.
func joinDetails(root *yaml.Node) {
	field := func(n *yaml.Node, name string) *yaml.Node {
		for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				return n.Content[i+1]
			}
		}
		return nil
	}
	list := field(field(root, "spec"), "connectionDetails")
	if list == nil || list.Kind != yaml.SequenceNode {
		return
	}
	one := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: list.Line, Column: list.Column}
	for _, item := range list.Content {
		if item.Kind != yaml.MappingNode {
			return
		}
		one.Content = append(one.Content, item.Content...)
	}
	*list = *one
}

func (s *Sources) put(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	o := d.Object.(*DataSource)
	s.changeComing(ctx)
	return putSource(ctx, tx, d.Name, o.Metadata.DisplayName, o.isDefault(), o.Spec.ConnectionDetails, s.o.Now())
}

func (s *Sources) drop(ctx context.Context, tx *sql.Tx, d *ascode.Document) error {
	s.changeComing(ctx)
	return dropSource(ctx, tx, d.Name)
}

// changeComing makes a change take effect in this process as soon as it is
// committed, once for all documents of a batch; other replicas see it within
// seconds.
func (s *Sources) changeComing(ctx context.Context) {
	s.stale.Store(true)
	database.AfterCommit(ctx, func() {
		if !s.stale.Swap(false) {
			return
		}
		if err := s.Reload(context.WithoutCancel(ctx)); err != nil {
			s.o.Log.WarnContext(ctx, "data sources could not be read", "error", err)
		}
	})
}

// moved reports whether the secrets of after go to another server than those of
// before, or to one that is told from others in another way.
func moved(before, after any) bool {
	a, b := before.(*DataSource).Spec.ConnectionDetails, after.(*DataSource).Spec.ConnectionDetails
	trust := func(s Settings) TLSSettings {
		if s.TLS == nil {
			return TLSSettings{}
		}
		return TLSSettings{CA: s.TLS.CA, ServerName: s.TLS.ServerName, InsecureSkipVerify: s.TLS.InsecureSkipVerify}
	}
	return a.URL != b.URL || trust(a) != trust(b)
}

// redact hides what is a secret and not a reference to one.
func redact(d *ascode.Document) {
	c := &d.Object.(*DataSource).Spec.ConnectionDetails
	hide := func(v *secret.Secret) { *v = v.Redacted() }
	hide(&c.BearerToken)
	if c.Basic != nil {
		hide(&c.Basic.Password)
	}
	if c.TLS != nil {
		hide(&c.TLS.Key)
	}
	for name, v := range c.Headers {
		if !tenantHeaders[strings.ToLower(name)] {
			c.Headers[name] = v.Redacted()
		}
	}
}

// validate judges a document by itself.
func (s *Sources) validate(d *ascode.Document) []*fault.Error {
	spec := &d.Object.(*DataSource).Spec
	if !strings.EqualFold(spec.Type, typePrometheus) {
		return []*fault.Error{d.Fault("metrics.source_type",
			text.Say("data sources of type %q are not supported", "種類 %q のデータソースには対応していません", spec.Type),
			text.Say("use type: Prometheus and the address of a server with Prometheus' HTTP API (Prometheus, Mimir, Thanos, VictoriaMetrics), or let such a server collect these metrics",
				"type: Prometheus とし、Prometheus のHTTP APIを持つサーバー（Prometheus、Mimir、Thanos、VictoriaMetrics など）のアドレスを指定してください"),
			"spec", "type")}
	}
	c := &spec.ConnectionDetails
	at := func(path ...any) []any { return append([]any{"spec", "connectionDetails"}, path...) }
	var faults []*fault.Error
	for _, name := range slices.Sorted(maps.Keys(c.Extra)) {
		faults = append(faults, d.Fault("metrics.source_unknown_key",
			text.Say("connectionDetails has no field %q", "connectionDetails に %q という項目はありません", name),
			text.Say("use url, basic, bearerToken, tls, headers, maxConcurrency, timeout, scrapeInterval",
				"使える項目: url、basic、bearerToken、tls、headers、maxConcurrency、timeout、scrapeInterval"), at(name)...))
	}
	written := func(v secret.Secret, path ...any) {
		if v.Misspelled() {
			faults = append(faults, d.Fault("metrics.secret_reference",
				text.Say("the reference to a secret is not written as it has to be", "シークレットへの参照の書き方が誤っています"),
				text.Say("write exactly ${env:NAME} or ${file:PATH}", "${env:NAME} または ${file:PATH} とだけ書いてください"), at(path...)...))
		}
	}
	for _, v := range c.all() {
		written(*v.value, v.path...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		written(c.Headers[name], "headers", name)
	}
	faults = append(faults, c.contradictions(d, at)...)
	if len(faults) > 0 {
		return faults
	}
	return s.tryOpen(d, *c, at)
}

// contradictions are settings that exclude one another or lie out of range.
func (s *Settings) contradictions(d *ascode.Document, at func(...any) []any) []*fault.Error {
	var faults []*fault.Error
	if s.Basic != nil && s.BearerToken != "" {
		faults = append(faults, d.Fault("metrics.two_credentials",
			text.Say("basic and bearerToken exclude one another", "basic と bearerToken は同時に使えません"),
			text.Say("remove one of them", "どちらか一方を削除してください"), at("bearerToken")...))
	}
	if s.Basic != nil && s.Basic.Username == "" {
		faults = append(faults, d.Fault("metrics.username",
			text.Say("basic has no username", "basic に username がありません"),
			text.Say("write the user name", "ユーザー名を書いてください"), at("basic")...))
	}
	if s.MaxConcurrency < 0 || s.MaxConcurrency > 100 {
		faults = append(faults, d.Fault("metrics.max_concurrency",
			text.Say("maxConcurrency must be between 1 and 100", "maxConcurrency は1から100の範囲で指定してください"),
			text.Say("4 suits most servers", "通常は4で十分です"), at("maxConcurrency")...))
	}
	return faults
}

// tryOpen finds what cannot be right, with stand-ins for secrets that are only
// named: whether they are there is not a matter of the document.
func (s *Sources) tryOpen(d *ascode.Document, c Settings, at func(...any) []any) []*fault.Error {
	plain := Connection{URL: c.URL, MaxConcurrency: c.MaxConcurrency, Headers: map[string]string{}}
	for name, v := range c.Headers {
		if v.IsReference() {
			v = ""
		}
		plain.Headers[name] = string(v)
	}
	if c.TLS != nil {
		inline := !c.TLS.Cert.IsReference() && !c.TLS.Key.IsReference()
		if inline && c.TLS.Key != ascode.Hidden {
			plain.TLS.Cert, plain.TLS.Key = string(c.TLS.Cert), string(c.TLS.Key)
		}
		if !c.TLS.CA.IsReference() {
			plain.TLS.CA = string(c.TLS.CA)
		}
	}
	q, err := s.o.Open(plain)
	(&source{inner: q}).close(s.o.Log)
	f, ok := fault.As(err)
	if !ok || f.Kind != fault.Invalid {
		return nil
	}
	var path []any
	for part := range strings.SplitSeq(f.Field, ".") {
		path = append(path, part)
	}
	return []*fault.Error{d.Fault(f.Code, f.What, f.Remedy, at(path...)...)}
}

// checkDocument looks at the sources together.
func (s *Sources) checkDocument(ctx context.Context, tx *sql.Tx, d *ascode.Document) []*fault.Error {
	if s.Builtin(d.Name) {
		return []*fault.Error{d.Fault("metrics.source_taken",
			text.Say("%q is the name of the embedded store", "%q は組み込みの保存先の名前です", d.Name),
			text.Say("give the data source another name", "データソースに別の名前を付けてください"), "metadata", "name")}
	}
	if !d.Object.(*DataSource).isDefault() {
		return nil
	}
	others, err := db.New(tx).OtherDefaults(ctx, d.Name)
	if err != nil {
		s.o.Log.WarnContext(ctx, "default data sources could not be read", "error", err)
		return nil
	}
	if len(others) == 0 {
		return nil
	}
	return []*fault.Error{d.Fault("metrics.two_defaults",
		text.Say("%s is the default data source already", "既定のデータソースはすでに %s です", strings.Join(others, ", ")),
		text.Say("keep the annotation teiten.dev/default on one of them", "注釈 teiten.dev/default は1つだけに付けてください"),
		"metadata", "annotations", defaultKey)}
}

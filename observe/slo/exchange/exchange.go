// Package exchange carries objectives from and to other tools: it reads what
// Sloth and Pyrra read and gives OpenSLO documents that evaluate to the same, and
// it writes objectives as Prometheus rules and as a Grafana dashboard.
//
// What a document says and OpenSLO or Teiten cannot is never dropped in silence:
// every field that was not carried over is a note with its position. The package
// is pure.
package exchange

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// Note says what of a document became something else, or nothing.
type Note struct {
	Where fault.Position
	What  text.Both
}

// String is the note in English.
func (n Note) String() string {
	return fmt.Sprintf("%s:%d: %s", n.Where.File, n.Where.Line, n.What.EN)
}

// Result is what came of an import.
type Result struct {
	Documents []any // *openslo.Service, *openslo.SLO
	Notes     []Note
}

// YAML writes the documents as one file.
func (r Result) YAML() (string, error) { return ascode.Write(r.Documents...) }

// Options fill in what other tools leave to their own settings.
type Options struct {
	Window  string // the period of objectives that name none: 30d where empty
	Service string // the service of objectives that name none
}

// importer gathers the result of one import.
type importer struct {
	Options
	Result
	services map[string]bool
	names    map[string]fault.Position
}

func newImporter(o Options) *importer {
	if o.Window == "" {
		o.Window = "30d"
	}
	return &importer{Options: o, services: map[string]bool{}, names: map[string]fault.Position{}}
}

func (im *importer) note(c cursor, en, ja string, args ...any) {
	im.Notes = append(im.Notes, Note{c.position(), text.Say(en, ja, args...)})
}

// lost notes every field of a document that nothing asked for.
func (im *importer) lost(c cursor) {
	for _, l := range c.unread() {
		im.note(l, "%s is not carried over", "%s は引き継がれません", l.path)
	}
}

// service makes the document of a service, once.
func (im *importer) service(name string) {
	if im.services[name] {
		return
	}
	im.services[name] = true
	im.Documents = append(im.Documents, &openslo.Service{
		APIVersion: openslo.APIVersion, Kind: "Service", Metadata: openslo.Metadata{Name: name},
	})
}

// add takes an objective in, unless another one has its name.
func (im *importer) add(c cursor, slo *openslo.SLO) {
	name := slo.Metadata.Name
	if first, ok := im.names[name]; ok {
		im.note(c, "there is another objective %s, at %s:%d; this one was left out", "同じ名前の目標 %s が %s:%d にあるため、こちらは取り込みません", name, first.File, first.Line)
		return
	}
	im.names[name] = c.position()
	im.service(slo.Spec.Service)
	im.Documents = append(im.Documents, slo)
}

var notName = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a document's name of any text: lower-case letters, digits and
// single dashes, at most 63.
func slug(parts ...string) string {
	s := notName.ReplaceAllString(strings.ToLower(strings.Join(parts, "-")), "-")
	s = strings.Trim(s, "-")
	if len(s) > 63 {
		s = strings.TrimRight(s[:63], "-")
	}
	return s
}

// objective is an SLO with what every import fills in.
func (im *importer) objective(name, service, window string, percent float64, indicator openslo.SLISpec) *openslo.SLO {
	rolling := true
	return &openslo.SLO{
		APIVersion: openslo.APIVersion, Kind: "SLO",
		Metadata: openslo.Metadata{Name: name},
		Spec: openslo.SLOSpec{
			Service: service, BudgetingMethod: "Occurrences",
			TimeWindow: []openslo.TimeWindow{{Duration: window, IsRolling: &rolling}},
			Objectives: []openslo.Objective{{TargetPercent: &percent}},
			Indicator:  &openslo.InlineIndicator{Metadata: openslo.Metadata{Name: name}, Spec: indicator},
		},
	}
}

// promQL is a metric with an expression.
func promQL(expr string) *openslo.Metric {
	return &openslo.Metric{MetricSource: openslo.MetricSource{Type: "Prometheus", Spec: map[string]any{"query": expr}}}
}

// position order makes notes read like the files they are about.
func sorted(notes []Note) []Note {
	slices.SortStableFunc(notes, func(a, b Note) int {
		if a.Where.File != b.Where.File {
			return strings.Compare(a.Where.File, b.Where.File)
		}
		return a.Where.Line - b.Where.Line
	})
	return notes
}

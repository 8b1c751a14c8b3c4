package ascode

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/teiten/teiten/kit/fault"
)

// Action is what happens to one document.
type Action string

// The actions.
const (
	Added     Action = "added"
	Changed   Action = "changed"
	Unchanged Action = "unchanged"
	Removed   Action = "removed"
)

// Browser is who manages a document that was made in the browser.
const Browser = "browser"

// codePrefix begins who manages a document that came from code.
const codePrefix = "code:"

// Change is what happens to one document. Before and After are the document as
// JSON without its secrets; Event is what the change is called in the journal
// ("slo.changed"). Revision is the one that the change leads to.
type Change struct {
	Action     Action          `json:"action" enum:"added,changed,unchanged,removed"`
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	KindID     string          `json:"kindId" doc:"The plural that the command line uses."`
	Namespace  string          `json:"namespace"`
	Name       string          `json:"name"`
	Ref        string          `json:"ref"`
	Owner      string          `json:"owner,omitempty"`
	ManagedBy  string          `json:"managedBy"`
	File       string          `json:"file,omitempty"`
	Line       int             `json:"line,omitempty"`
	Revision   int64           `json:"revision"`
	Fields     []FieldChange   `json:"fields,omitempty" doc:"What differs, field by field, without secrets."`
	Event      string          `json:"-"`
	Before     json.RawMessage `json:"-"`
	After      json.RawMessage `json:"-"`
}

// Plan is everything that an apply would do or has done. Digest identifies
// exactly what it shows: the same files against the same documents give the same
// digest.
type Plan struct {
	Set     string   `json:"set"`
	DryRun  bool     `json:"dryRun"`
	Digest  string   `json:"digest" doc:"Send it back as confirm to carry out exactly this plan."`
	Added   int      `json:"added"`
	Changed int      `json:"changed"`
	Same    int      `json:"unchanged"`
	Removed int      `json:"removed"`
	Changes []Change `json:"changes" doc:"Every document, the unchanged ones included."`
	// Warnings are what is allowed and yet deserves a look.
	Warnings []*fault.Error `json:"-"`
}

// Empty reports whether the plan changes nothing.
func (p Plan) Empty() bool { return p.Added+p.Changed+p.Removed == 0 }

// finish counts the changes and signs what the plan shows. Secrets are no part of
// that: a digest of them could be guessed at.
func (p *Plan) finish() {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", p.Set)
	for _, c := range p.Changes {
		switch c.Action {
		case Added:
			p.Added++
		case Changed:
			p.Changed++
		case Removed:
			p.Removed++
		case Unchanged:
			p.Same++
			continue
		}
		id := documentID(c.Kind, c.Namespace, c.Name)
		fmt.Fprintf(h, "%s %s %d %x\n", c.Action, id, c.Revision, sha256.Sum256(c.After))
	}
	p.Digest = hex.EncodeToString(h.Sum(nil)[:16])
}

// setOf returns the set of a managed_by, and "" for a document of the browser.
func setOf(managedBy string) string {
	set, ok := strings.CutPrefix(managedBy, codePrefix)
	if !ok {
		return ""
	}
	return set
}

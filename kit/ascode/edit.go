package ascode

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Key names one document. Kind may be the kind or its plural; an empty Namespace
// is the default one.
type Key struct{ Kind, Namespace, Name string }

func (e *Engine) id(k Key) (*Kind, string, error) {
	kind, err := e.registry.find(k.Kind)
	if err != nil {
		return nil, "", err
	}
	return kind, documentID(kind.Kind, cmp.Or(k.Namespace, DefaultNamespace), k.Name), nil
}

func notThere(kind *Kind, k Key) error {
	return fault.New(fault.NotFound, "ascode.not_found",
		text.Say("there is no %s %q", "%s %q はありません", kind.Kind, k.Name)).
		Fix(text.Say("list what there is: `teiten get %s`", "`teiten get %s` で一覧を確かめてください", kind.ID))
}

// ETag identifies the revision of a stored document for If-Match.
func (s Stored) ETag() string { return etag(s.Revision) }

func etag(revision int64) string { return fmt.Sprintf(`"r%d"`, revision) }

// YAML is the document as a file that can be applied.
func (s Stored) YAML() (string, error) { return writeYAML([]*yaml.Node{s.tree}) }

// Get returns one document without its secrets, or NotFound.
func (e *Engine) Get(ctx context.Context, k Key) (Stored, error) {
	kind, id, err := e.id(k)
	if err != nil {
		return Stored{}, err
	}
	rows, err := selectRows(ctx, e.db.Read(), `WHERE id = $1`, id)
	if err != nil {
		return Stored{}, err
	}
	if len(rows) == 0 {
		return Stored{}, notThere(kind, k)
	}
	return e.registry.view(rows[0])
}

// Origin says who manages a document: code, with the place where it is written,
// or the browser.
type Origin struct {
	ManagedBy string `json:"managedBy,omitempty" doc:"code: and the set it was applied in, or browser."`
	File      string `json:"file,omitempty" doc:"Where it is written, for a document from code."`
	Line      int    `json:"line,omitempty"`
}

// Origin returns where a document comes from. Found is false where it is not
// there.
func (e *Engine) Origin(ctx context.Context, k Key) (o Origin, found bool, err error) {
	if _, ok := e.registry.Lookup(k.Kind); !ok {
		return Origin{}, false, nil
	}
	_, id, err := e.id(k)
	if err != nil {
		return Origin{}, false, err
	}
	rows, err := selectRows(ctx, e.db.Read(), `WHERE id = $1`, id)
	if err != nil || len(rows) == 0 {
		return Origin{}, false, err
	}
	return Origin{ManagedBy: rows[0].managedBy, File: rows[0].file, Line: rows[0].line}, true, nil
}

// Filter chooses documents; its zero value chooses all. Query is part of a name,
// Name a whole one.
type Filter struct {
	Kind  string
	Set   string
	Owner string
	Query string
	Name  string
	After string // the id of the last document that was seen
	Limit int    // 0: all
}

func (e *Engine) where(f Filter) (string, []any, error) {
	var conditions []string
	var args []any
	add := func(condition string, arg any) {
		args = append(args, arg)
		conditions = append(conditions, fmt.Sprintf(condition, len(args)))
	}
	if f.Kind != "" {
		kind, err := e.registry.find(f.Kind)
		if err != nil {
			return "", nil, err
		}
		add("kind = $%d", kind.Kind)
	}
	switch f.Set {
	case "":
	case Browser:
		add("managed_by = $%d", Browser)
	default:
		add("managed_by = $%d", codePrefix+f.Set)
	}
	if f.Owner != "" {
		add("owner = $%d", f.Owner)
	}
	if f.Name != "" {
		add("name = $%d", f.Name)
	}
	if f.Query != "" {
		add(`LOWER(name) LIKE $%d ESCAPE '\'`, "%"+likeEscaper.Replace(strings.ToLower(f.Query))+"%")
	}
	if f.After != "" {
		add("id > $%d", f.After)
	}
	where := ""
	if len(conditions) > 0 {
		where = "WHERE " + strings.Join(conditions, " AND ")
	}
	where += " ORDER BY id"
	if f.Limit > 0 {
		where += fmt.Sprintf(" LIMIT %d", f.Limit+1)
	}
	return where, args, nil
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// List returns the documents of a filter in the order of their ids, and the id
// to go on after, "" at the end. Documents whose kind is no longer known are
// left out.
func (e *Engine) List(ctx context.Context, f Filter) ([]Stored, string, error) {
	where, args, err := e.where(f)
	if err != nil {
		return nil, "", err
	}
	rows, err := selectRows(ctx, e.db.Read(), where, args...)
	if err != nil {
		return nil, "", err
	}
	next := ""
	if f.Limit > 0 && len(rows) > f.Limit {
		rows = rows[:f.Limit]
		next = rows[f.Limit-1].id
	}
	docs := make([]Stored, 0, len(rows))
	for _, r := range rows {
		if _, ok := e.registry.kinds[r.kind]; !ok {
			continue
		}
		s, err := e.registry.view(r)
		if err != nil {
			return nil, "", err
		}
		docs = append(docs, s)
	}
	return docs, next, nil
}

// Export writes the documents of a filter as one YAML file that applies to the
// same. Secrets are written as Hidden, which keeps them where they are stored.
func (e *Engine) Export(ctx context.Context, f Filter) (string, error) {
	docs, _, err := e.List(ctx, f)
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(docs, func(a, b Stored) int {
		return e.registry.kinds[a.Kind].Order - e.registry.kinds[b.Kind].Order
	})
	trees := make([]*yaml.Node, len(docs))
	for i := range docs {
		trees[i] = docs[i].tree
	}
	return writeYAML(trees)
}

// Edit is one document as somebody edits it in the browser. Match judges the
// ETag of the version that is there, and is not asked for a new document.
type Edit struct {
	Key   Key
	Data  string // YAML or JSON
	Match func(etag string) error
}

// Put stores one document that is managed in the browser. What comes from code
// is refused with the place where it is written.
func (e *Engine) Put(ctx context.Context, edit Edit) (Stored, error) {
	kind, id, err := e.id(edit.Key)
	if err != nil {
		return Stored{}, err
	}
	docs, faults := e.registry.Parse([]File{{Data: edit.Data}})
	if len(faults) > 0 {
		return Stored{}, fault.Join(faults)
	}
	if len(docs) != 1 || docs[0].ID() != id {
		return Stored{}, fault.New(fault.Invalid, "ascode.other_document",
			text.Say("the body is not %s %q", "本文が %s %q ではありません", kind.Kind, edit.Key.Name)).
			Fix(text.Say("send exactly the document that the address names", "URL が指す文書をちょうど1つ送ってください")).On("body")
	}
	docs[0].Source = Source{}
	j := &job{docs: docs, managedBy: Browser, match: func(before *row) error {
		if before == nil || edit.Match == nil {
			return nil
		}
		return edit.Match(etag(before.revision))
	}}
	if _, err := e.run(ctx, j); err != nil {
		return Stored{}, err
	}
	return e.Get(ctx, edit.Key)
}

// Removal asks to delete documents. Set must name the set of those that come
// from code, so that nothing is deleted that the next apply would bring back
// unnoticed. Match is as in Edit.
type Removal struct {
	Keys   []Key
	Set    string
	DryRun bool
	Match  func(etag string) error
}

// Delete removes documents together, or none of them: one that another refers
// to stays.
func (e *Engine) Delete(ctx context.Context, r Removal) (Plan, error) {
	return e.run(ctx, &job{managedBy: Browser, dryRun: r.DryRun, remove: func(ctx context.Context, tx *sql.Tx) ([]*row, error) {
		var rows []*row
		for _, k := range r.Keys {
			kind, id, err := e.id(k)
			if err != nil {
				return nil, err
			}
			found, err := selectRows(ctx, tx, `WHERE id = $1`, id)
			if err != nil {
				return nil, err
			}
			if len(found) == 0 {
				return nil, notThere(kind, k)
			}
			if err := r.allowed(found[0]); err != nil {
				return nil, err
			}
			rows = append(rows, found[0])
		}
		return rows, nil
	}})
}

func (r Removal) allowed(found *row) error {
	if set := setOf(found.managedBy); set != "" && set != r.Set {
		where := fault.Position{File: found.file, Line: found.line}
		return fault.New(fault.Conflict, "ascode.from_code",
			text.Say("%s %q comes from code (%s, set %s)", "%s %q はコードで管理されています(%s、セット %s)", found.kind, found.name, where, set)).
			Fix(text.Say("delete it there and run `teiten apply --set %[1]s --prune`, or name the set: --set %[1]s",
				"ファイルから削除して `teiten apply --set %[1]s --prune` を実行するか、--set %[1]s を指定してください", set)).At(where)
	}
	if r.Match == nil {
		return nil
	}
	return r.Match(etag(found.revision))
}

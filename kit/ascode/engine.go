package ascode

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// DefaultSet is the set of an apply that names none.
const DefaultSet = "default"

// Recorder is told what was applied, in the transaction that applies it; an
// error undoes everything. A dry run tells it nothing.
type Recorder interface {
	// Changed is called for each document that was added, changed or removed.
	Changed(ctx context.Context, tx *sql.Tx, c Change) error
	// Applied is called once after them, for an apply of files.
	Applied(ctx context.Context, tx *sql.Tx, p Plan) error
}

// Engine keeps documents and has the rooms apply them.
type Engine struct {
	// Permit is asked, for the team that owns each document that is to change,
	// whether the caller may; nil permits everything. An error refuses the
	// whole apply.
	Permit func(ctx context.Context, owner string) error
	// Now is the clock.
	Now func() time.Time

	db       *database.DB
	registry *Registry
	recorder Recorder

	planning chan struct{} // held by the plan that is being made
	planTime time.Duration // how long one may take, with waiting for its turn
}

// NewEngine returns an engine over db, which must hold the tables of Migrations.
// The recorder may be nil.
func NewEngine(db *database.DB, registry *Registry, recorder Recorder) *Engine {
	return &Engine{Now: time.Now, db: db, registry: registry, recorder: recorder,
		planning: make(chan struct{}, 1), planTime: 30 * time.Second}
}

// Registry is what kinds the engine knows.
func (e *Engine) Registry() *Registry { return e.registry }

// Request asks to apply files. Set names what belongs together: Prune removes
// the documents of the set that the files no longer hold, and needs as Confirm
// the Digest of the plan that was shown. Where Confirm is given the plan must
// still be the same. The set Browser is that of documents that are edited in the
// browser: they have no files, and so nothing to prune by.
type Request struct {
	Set     string
	Files   []File
	DryRun  bool
	Prune   bool
	Confirm string
}

// Apply reads the files and applies every document, or none: what is wrong
// comes back as one fault with all positions. The plan says what was done, or
// would be for a dry run.
func (e *Engine) Apply(ctx context.Context, r Request) (Plan, error) {
	if r.Set == "" {
		r.Set = DefaultSet
	}
	if !nameShape.MatchString(r.Set) {
		return Plan{}, fault.New(fault.Invalid, "ascode.set_name",
			text.Say("%q cannot be the name of a set", "%q はセットの名前として使えません", shorten(r.Set, 80))).
			Fix(text.Say("use letters, digits and '-'", "英数字と「-」を使ってください")).On("set")
	}
	if r.Set == Browser && r.Prune {
		return Plan{}, fault.New(fault.Invalid, "ascode.prune_browser",
			text.Say("what was made in the browser has no files to prune it by", "ブラウザで作成した文書には、削除の基準になるファイルがありません")).
			Fix(text.Say("delete each document by itself", "文書を1つずつ削除してください")).On("prune")
	}
	docs, faults := e.registry.Parse(r.Files)
	if len(faults) > 0 {
		return Plan{}, fault.Join(faults)
	}
	managedBy := codePrefix + r.Set
	if r.Set == Browser {
		managedBy = Browser
	}
	for _, d := range docs {
		d.Source.Set = r.Set
		if r.Set == Browser {
			d.Source = Source{}
		}
	}
	return e.run(ctx, &job{docs: docs, managedBy: managedBy, set: r.Set, dryRun: r.DryRun, prune: r.Prune, confirm: r.Confirm})
}

// job is one apply on its way.
type job struct {
	docs      []*Document
	managedBy string
	set       string // "" for a single edit
	dryRun    bool
	prune     bool
	confirm   string
	remove    func(ctx context.Context, tx *sql.Tx) ([]*row, error) // what to remove, where not by pruning
	match     func(before *row) error                               // judges the version that is edited
}

// step is one document's part of an apply.
type step struct {
	doc    *Document
	before *row // nil where there was none
	body   string
	change Change
}

var errDryRun = errors.New("dry run")

// run carries a job out in one transaction.
func (e *Engine) run(ctx context.Context, j *job) (Plan, error) {
	var plan Plan
	err := e.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := takeTurn(ctx, tx); err != nil {
			return err
		}
		steps, err := e.plan(ctx, tx, j)
		if err != nil {
			return err
		}
		plan = j.summary(steps)
		if err := j.confirmed(plan); err != nil {
			return err
		}
		if err := e.carryOut(ctx, tx, j, &plan, steps); err != nil {
			return err
		}
		if j.dryRun {
			return errDryRun
		}
		return nil
	})
	if err != nil && !errors.Is(err, errDryRun) {
		return Plan{}, err
	}
	return plan, nil
}

// plan finds out what happens to each document.
func (e *Engine) plan(ctx context.Context, tx *sql.Tx, j *job) ([]*step, error) {
	ids := make([]string, len(j.docs))
	for i, d := range j.docs {
		ids[i] = d.ID()
	}
	before, err := rowsByID(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	last, err := lastRevisions(ctx, tx, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return before[id] != nil }))
	if err != nil {
		return nil, err
	}
	var steps []*step
	var faults []*fault.Error
	for _, d := range j.docs {
		s, wrong, err := e.step(ctx, j, d, before[d.ID()], last[d.ID()])
		if err != nil {
			return nil, err
		}
		faults = append(faults, wrong...)
		steps = append(steps, s)
	}
	if len(faults) > 0 {
		return nil, fault.Join(faults)
	}
	gone, err := e.removals(ctx, tx, j, steps)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(steps, func(a, b *step) int { return a.doc.kind.Order - b.doc.kind.Order })
	slices.SortStableFunc(gone, func(a, b *step) int { return b.doc.kind.Order - a.doc.kind.Order })
	return append(steps, gone...), nil
}

// step compares one document with what is stored.
func (e *Engine) step(ctx context.Context, j *job, d *Document, before *row, lastRevision int64) (*step, []*fault.Error, error) {
	if before != nil && before.managedBy != j.managedBy {
		if refused := takeOver(d, before, j); len(refused) > 0 {
			return nil, refused, nil
		}
	}
	if j.match != nil {
		if err := j.match(before); err != nil {
			return nil, nil, err
		}
	}
	blind := e.blind(ctx, j, d, before)
	tree, old, faults, err := d.settle(before, blind)
	if err != nil || len(faults) > 0 {
		return nil, faults, err
	}
	s := &step{doc: d, before: before, body: string(writeJSON(tree))}
	if blind {
		if tree, old, err = d.kind.bothShown(d, s); err != nil {
			return nil, nil, err
		}
	}
	s.change = changeOf(d, Added, j.managedBy, lastRevision+1)
	if before == nil {
		return s, nil, s.describe(nil, tree)
	}
	s.change.Action, s.change.Revision = Unchanged, before.revision
	if same(tree, old) && before.managedBy == j.managedBy {
		s.change.Owner = before.owner
		return s, nil, nil
	}
	s.change.Action, s.change.Revision = Changed, before.revision+1
	return s, nil, s.describe(old, tree)
}

// blind reports whether a plan is not to tell if secrets differ: to somebody who
// may not change the document it would tell whether they guessed them.
func (e *Engine) blind(ctx context.Context, j *job, d *Document, before *row) bool {
	return j.dryRun && before != nil && d.kind.Redact != nil && e.Permit != nil && e.Permit(ctx, before.owner) != nil
}

// bothShown returns the trees of the new and of the stored version without their
// secrets.
func (k *Kind) bothShown(d *Document, s *step) (tree, old *yaml.Node, err error) {
	if tree, err = k.shownOf(d, s.body); err != nil {
		return nil, nil, err
	}
	old, err = k.shownOf(d, s.before.body)
	return tree, old, err
}

// describe fills in what people are told of the change.
func (s *step) describe(old, tree *yaml.Node) error {
	shown, err := s.doc.kind.shownOf(s.doc, s.body)
	if err != nil {
		return err
	}
	s.change.After = writeJSON(shown)
	if s.before == nil {
		return nil
	}
	var shownOld *yaml.Node // stays nil for what an older version stored and this one cannot read
	if was, _, err := s.doc.kind.restore(s.before); err == nil {
		if shownOld, err = was.shown(); err != nil {
			return err
		}
		s.change.Before = writeJSON(shownOld)
	}
	s.change.Fields = compare(old, tree, shownOld, shown)
	if s.before.managedBy != s.change.ManagedBy {
		s.change.Fields = append(s.change.Fields, FieldChange{Path: "managedBy", Before: s.before.managedBy, After: s.change.ManagedBy})
	}
	return nil
}

// shownOf returns the tree of a body without its secrets, leaving d alone.
func (k *Kind) shownOf(d *Document, body string) (*yaml.Node, error) {
	copied, tree, err := k.restore(&row{id: d.ID(), kind: d.Kind, apiVersion: d.APIVersion, namespace: d.Namespace, name: d.Name, body: body})
	if err != nil {
		return nil, err
	}
	if k.Redact == nil {
		return tree, nil
	}
	return copied.shown()
}

func changeOf(d *Document, a Action, managedBy string, revision int64) Change {
	return Change{Action: a, APIVersion: d.APIVersion, Kind: d.Kind, KindID: d.kind.ID, Namespace: d.Namespace, Name: d.Name,
		Ref: d.Ref(), Owner: d.Owner(), ManagedBy: managedBy, File: d.Source.File, Line: d.Source.Line, Revision: revision}
}

// takeOver refuses to change what somebody else manages. Code may adopt what was
// made in the browser; the plan shows it.
func takeOver(d *Document, before *row, j *job) []*fault.Error {
	where := fault.Position{File: before.file, Line: before.line}
	set := setOf(before.managedBy)
	switch {
	case before.managedBy == Browser:
		return nil
	case j.managedBy == Browser:
		return []*fault.Error{fault.New(fault.Conflict, "ascode.from_code",
			text.Say("%s %q comes from code (%s, set %s)", "%s %q はコードで管理されています(%s、セット %s)", d.Kind, d.Name, where, set)).
			Fix(text.Say("change it there and apply it again", "そのファイルを変更して、もう一度 apply してください")).At(where)}
	}
	return []*fault.Error{fault.New(fault.Conflict, "ascode.other_set",
		text.Say("%s %q belongs to the set %s (%s)", "%s %q は別のセット %s に属しています(%s)", d.Kind, d.Name, set, where)).
		Fix(text.Say("apply it with --set %[1]s, or remove it from that set first (`teiten apply --set %[1]s --prune` without it)",
			"--set %[1]s を付けて apply するか、先にそのセットから外してください(この文書を除いて `teiten apply --set %[1]s --prune`)", set)).
		At(d.Pos("metadata", "name"))}
}

// removals finds what is to be removed.
func (e *Engine) removals(ctx context.Context, tx *sql.Tx, j *job, steps []*step) ([]*step, error) {
	var rows []*row
	var err error
	switch {
	case j.remove != nil:
		rows, err = j.remove(ctx, tx)
	case j.prune:
		rows, err = selectRows(ctx, tx, `WHERE managed_by = $1 ORDER BY id`, j.managedBy)
	}
	if err != nil {
		return nil, err
	}
	kept := map[string]bool{}
	for _, s := range steps {
		kept[s.doc.ID()] = true
	}
	var gone []*step
	for _, r := range rows {
		if kept[r.id] {
			continue
		}
		d, err := e.registry.stored(r)
		if err != nil {
			return nil, err
		}
		s := &step{doc: d, before: r, body: r.body, change: changeOf(d, Removed, r.managedBy, r.revision+1)}
		shown, err := d.kind.shownOf(d, r.body)
		if err != nil {
			return nil, err
		}
		s.change.Before = writeJSON(shown)
		gone = append(gone, s)
	}
	return gone, nil
}

// summary is the plan of the steps.
func (j *job) summary(steps []*step) Plan {
	p := Plan{Set: j.set, DryRun: j.dryRun, Changes: make([]Change, len(steps))}
	for i, s := range steps {
		s.change.Event = s.doc.kind.Event + string(s.change.Action)
		p.Changes[i] = s.change
	}
	p.finish()
	return p
}

// confirmed refuses a plan that nobody has seen, or that is no longer the one
// that was seen.
func (j *job) confirmed(p Plan) error {
	if j.dryRun {
		return nil
	}
	if j.confirm != "" && j.confirm != p.Digest {
		return fault.New(fault.Conflict, "ascode.plan_changed",
			text.Say("the plan is no longer the one that was shown", "表示した計画から内容が変わりました")).
			Fix(text.Say("look at the new plan and confirm that", "新しい計画を確認してから、もう一度実行してください"))
	}
	if j.prune && p.Removed > 0 && j.confirm == "" {
		return fault.New(fault.Conflict, "ascode.confirm",
			text.Say("this would remove %d documents and was not confirmed", "%d件の文書が削除されますが、確認されていません", p.Removed)).
			Fix(text.Say("look at the plan (dry run) and send its digest as confirm", "計画(ドライラン)を確認し、その digest を confirm として送ってください")).
			On("confirm")
	}
	return nil
}

// located gives a fault that has no position that of the document.
func located(err error, d *Document) error {
	if f, ok := fault.As(err); ok && f.Where.IsZero() {
		f.Where = d.Pos()
	}
	return err
}

package ascode

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// notes is a recorder that remembers.
type notes struct {
	changes []string
	applied []Plan
}

func (n *notes) Changed(_ context.Context, _ *sql.Tx, c Change) error {
	n.changes = append(n.changes, fmt.Sprintf("%s %s r%d", c.Event, c.Ref, c.Revision))
	return nil
}

func (n *notes) Applied(_ context.Context, _ *sql.Tx, p Plan) error {
	n.applied = append(n.applied, p)
	return nil
}

type rig struct {
	*Engine
	house *house
	notes *notes
}

func each(t *testing.T, f func(t *testing.T, r rig)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := rig{house: &house{}, notes: &notes{}}
		r.Engine = NewEngine(db, registry(r.house), r.notes)
		f(t, r)
	}, dbtest.Room{Name: "ascode", Files: Migrations})
}

func (r rig) apply(t *testing.T, req Request) Plan {
	t.Helper()
	p, err := r.Apply(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func files(docs ...string) []File {
	var all []File
	for i, d := range docs {
		all = append(all, File{Name: fmt.Sprintf("%d.yaml", i+1), Data: d})
	}
	return all
}

func lampDoc(name string, spec ...string) string {
	lines := append([]string{"apiVersion: example.com/v1\nkind: Lamp\nmetadata:\n  name: " + name + "\nspec:", "watt: 1"}, spec...)
	return strings.Join(lines, "\n  ") + "\n"
}

func code(err error) string {
	f, ok := fault.As(err)
	if !ok {
		return fmt.Sprint(err)
	}
	return f.Code
}

func TestApplyTellsWhatChanged(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		p := r.apply(t, Request{Files: files(lampDoc("hall", "note: a", "near: [attic]"), lampDoc("attic"))})
		if p.Added != 2 || p.Set != DefaultSet {
			t.Fatalf("got %+v", p)
		}
		p = r.apply(t, Request{Files: files(lampDoc("hall", "note: b", "near: [attic, hall]"), lampDoc("attic"))})
		if p.Changed != 1 || p.Same != 1 || p.Added+p.Removed != 0 {
			t.Fatalf("got %+v", p)
		}
		i := slices.IndexFunc(p.Changes, func(c Change) bool { return c.Action == Changed })
		want := []FieldChange{{"spec.near", "[attic]", "[attic, hall]"}, {"spec.note", "a", "b"}}
		if d := cmp.Diff(want, p.Changes[i].Fields); d != "" {
			t.Error(d)
		}
		wantNotes := []string{"house.lamp_added lamp:hall r1", "house.lamp_added lamp:attic r1", "house.lamp_changed lamp:hall r2"}
		if d := cmp.Diff(wantNotes, r.notes.changes); d != "" {
			t.Error(d)
		}
		if len(r.notes.applied) != 2 || !slices.Equal(r.house.applied, []string{"hall", "attic", "hall"}) {
			t.Errorf("recorded %d applies, rooms saw %v", len(r.notes.applied), r.house.applied)
		}
	})
}

func TestApplyingTheSameAgainTellsNobody(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		first := r.apply(t, Request{Files: files(lampDoc("hall"))})
		again := r.apply(t, Request{Files: files("\n\n" + lampDoc("hall"))})
		if !again.Empty() || again.Same != 1 || len(r.notes.applied) != 1 || len(r.house.applied) != 1 {
			t.Errorf("first %+v, again %+v, notes %v", first, again, r.notes)
		}
		s, err := r.Get(t.Context(), Key{Kind: "lamps", Name: "hall"})
		if err != nil || s.Line != 3 || s.Revision != 1 {
			t.Errorf("the line should follow the file: %+v, %v", s, err)
		}
	})
}

func TestADryRunLeavesNothingBehind(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		p := r.apply(t, Request{Files: files(lampDoc("hall")), DryRun: true})
		if p.Added != 1 || !p.DryRun {
			t.Errorf("got %+v", p)
		}
		if _, err := r.Get(t.Context(), Key{Kind: "lamp", Name: "hall"}); code(err) != "ascode.not_found" {
			t.Errorf("it is there: %v", err)
		}
		if len(r.notes.changes)+len(r.notes.applied) != 0 {
			t.Errorf("the recorder was told: %v", r.notes)
		}
	})
}

func TestAnApplyIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		for name, bad := range map[string]string{"a room fails": lampDoc("attic", "note: explode"), "a reference dangles": lampDoc("attic", "near: [cellar]")} {
			_, err := r.Apply(t.Context(), Request{Files: files(lampDoc("hall"), bad)})
			if err == nil {
				t.Fatalf("%s: applied", name)
			}
			if f, ok := fault.As(err); ok && f.Where.String() != "2.yaml:7:10" {
				t.Errorf("%s: at %s", name, f.Where)
			}
		}
		if docs, _, err := r.List(t.Context(), Filter{}); err != nil || len(docs) != 0 {
			t.Errorf("left behind: %v, %v", docs, err)
		}
	})
}

func TestPruneRemovesWhatIsGoneOnlyAfterItWasShown(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.apply(t, Request{Set: "a", Files: files(lampDoc("hall"), lampDoc("attic"))})
		r.apply(t, Request{Set: "b", Files: files(lampDoc("cellar"))})
		prune := Request{Set: "a", Files: files(lampDoc("hall")), Prune: true}
		if _, err := r.Apply(t.Context(), prune); code(err) != "ascode.confirm" || fault.KindOf(err) != fault.Conflict {
			t.Fatalf("got %v", err)
		}
		shown := prune
		shown.DryRun = true
		plan := r.apply(t, shown)
		if plan.Removed != 1 || plan.Changes[1].Name != "attic" || plan.Changes[1].Action != Removed {
			t.Fatalf("got %+v", plan)
		}
		prune.Confirm = plan.Digest
		r.apply(t, Request{Set: "a", Files: files(lampDoc("porch"))}) // somebody else was faster
		if _, err := r.Apply(t.Context(), prune); code(err) != "ascode.plan_changed" {
			t.Fatalf("got %v", err)
		}
		prune.Confirm = r.apply(t, shown).Digest
		if done := r.apply(t, prune); done.Removed != 2 || done.Digest != prune.Confirm {
			t.Errorf("got %+v", done)
		}
		docs, _, err := r.List(t.Context(), Filter{})
		if err != nil || len(docs) != 2 {
			t.Errorf("want hall and cellar, got %v, %v", docs, err)
		}
		if !slices.Equal(r.house.removed[len(r.house.removed)-2:], []string{"attic", "porch"}) {
			t.Errorf("rooms were told to remove %v", r.house.removed)
		}
	})
}

func TestWhatOthersReferToIsNotRemoved(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.apply(t, Request{Set: "a", Files: files(lampDoc("hall"))})
		r.apply(t, Request{Set: "b", Files: files(lampDoc("attic", "near: [hall]"))})
		_, err := r.Delete(t.Context(), Removal{Keys: []Key{{Kind: "Lamp", Name: "hall"}}, Set: "a"})
		f, ok := fault.As(err)
		if !ok || f.Code != "house.dark" || f.Where.String() != "1.yaml:1" {
			t.Errorf("got %v", err)
		}
	})
}

func TestOwnershipIsKept(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		ctx := t.Context()
		hall := Key{Kind: "Lamp", Name: "hall"}
		r.apply(t, Request{Set: "a", Files: files(lampDoc("hall"))})
		_, err := r.Apply(ctx, Request{Set: "b", Files: files(lampDoc("hall", "note: b"))})
		if f, _ := fault.As(err); code(err) != "ascode.other_set" || !strings.Contains(f.Remedy.EN, "--set a") || !strings.Contains(f.What.EN, "1.yaml:1") {
			t.Errorf("another set took it over: %v", err)
		}
		_, err = r.Put(ctx, Edit{Key: hall, Data: lampDoc("hall", "note: b")})
		if f, _ := fault.As(err); code(err) != "ascode.from_code" || f.Where.String() != "1.yaml:1" {
			t.Errorf("the browser changed what comes from code: %v", err)
		}
		if _, err = r.Delete(ctx, Removal{Keys: []Key{hall}}); code(err) != "ascode.from_code" {
			t.Errorf("the browser deleted what comes from code: %v", err)
		}
		if _, err = r.Put(ctx, Edit{Key: Key{Kind: "Lamp", Name: "desk"}, Data: lampDoc("desk")}); err != nil {
			t.Fatal(err)
		}
		p := r.apply(t, Request{Set: "a", Files: files(lampDoc("hall"), lampDoc("desk"))})
		if p.Changed != 1 || p.Changes[1].Fields[0] != (FieldChange{"managedBy", "browser", "code:a"}) {
			t.Errorf("code should adopt what was made in the browser, and say so: %+v", p.Changes)
		}
	})
}

func TestDocumentsOfTheBrowserAreAppliedTogetherAndBelongToNoFile(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.apply(t, Request{Set: "shop", Files: files(lampDoc("porch"))})
		shown := r.apply(t, Request{Set: Browser, DryRun: true, Files: files(lampDoc("hall"), lampDoc("attic"))})
		done := r.apply(t, Request{Set: Browser, Confirm: shown.Digest, Files: files(lampDoc("hall"), lampDoc("attic"))})
		for _, c := range done.Changes {
			if c.Action != Added || c.ManagedBy != Browser || c.File != "" {
				t.Errorf("%s was %s by %q at %q", c.Name, c.Action, c.ManagedBy, c.File)
			}
		}
		if _, err := r.Apply(t.Context(), Request{Set: Browser, Files: files(lampDoc("porch", "note: b"))}); code(err) != "ascode.from_code" {
			t.Errorf("what comes from code was changed in the browser: %v", err)
		}
		if _, err := r.Apply(t.Context(), Request{Set: Browser, Prune: true, Files: files(lampDoc("hall"))}); code(err) != "ascode.prune_browser" {
			t.Errorf("pruned: %v", err)
		}
	})
}

func TestAnEditNamesTheRevisionItChanges(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		key := Key{Kind: "lamps", Name: "desk"}
		stale := errors.New("stale")
		edit := func(seen string, lines ...string) (Stored, error) {
			return r.Put(t.Context(), Edit{Key: key, Data: lampDoc("desk", lines...), Match: func(etag string) error {
				if etag != seen {
					return stale
				}
				return nil
			}})
		}
		first, err := edit("")
		if err != nil || first.ManagedBy != Browser || first.Revision != 1 {
			t.Fatal(first, err)
		}
		if _, err := edit(first.ETag(), "note: a"); err != nil {
			t.Fatal(err)
		}
		if _, err := edit(first.ETag(), "note: b"); !errors.Is(err, stale) {
			t.Errorf("a lost update: %v", err)
		}
		if _, err := r.Delete(t.Context(), Removal{Keys: []Key{key}}); err != nil {
			t.Fatal(err)
		}
		back, err := edit("")
		if err != nil || back.Revision != 4 {
			t.Errorf("a document that comes back goes on counting: %+v, %v", back, err)
		}
		if _, err := r.Put(t.Context(), Edit{Key: key, Data: lampDoc("hall")}); code(err) != "ascode.other_document" {
			t.Errorf("got %v", err)
		}
	})
}

func TestSecretsAreNeverShownAndNeverLost(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		doc := lampDoc("hall", "secret: s3cr3t-1", "bulbs: [{name: a, key: s3cr3t-a}, {name: b, key: s3cr3t-b}]")
		plan := r.apply(t, Request{Files: files(doc)})
		exported, err := r.Export(t.Context(), Filter{})
		if err != nil {
			t.Fatal(err)
		}
		changed := r.apply(t, Request{Files: files(strings.Replace(doc, "s3cr3t-1", "s3cr3t-2", 1))})
		for _, shown := range []string{exported, fmt.Sprint(plan), string(changed.Changes[0].Before), fmt.Sprint(changed), string(changed.Changes[0].After)} {
			if strings.Contains(shown, "s3cr3t") {
				t.Errorf("a secret is shown: %s", shown)
			}
		}
		if d := cmp.Diff([]FieldChange{{"spec.secret", Hidden, Hidden}}, changed.Changes[0].Fields); d != "" {
			t.Error(d)
		}
		// The export applies to the same, and the order of named items does not matter.
		swapped := strings.Replace(strings.Replace(strings.Replace(exported, "name: a", "name: x", 1), "name: b", "name: a", 1), "name: x", "name: b", 1)
		r.apply(t, Request{Files: files(swapped)})
		rows, err := rowsByID(t.Context(), r.db.Read(), []string{"Lamp/default/hall"})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"apiVersion":"example.com/v1","kind":"Lamp","metadata":{"name":"hall"},"spec":{"watt":1,"bulbs":[{"name":"b","key":"s3cr3t-b"},{"name":"a","key":"s3cr3t-a"}],"secret":"s3cr3t-2"}}`
		if got := rows["Lamp/default/hall"].body; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if _, err := r.Apply(t.Context(), Request{Files: files(lampDoc("new", "secret: (hidden)"))}); code(err) != "ascode.secret_missing" {
			t.Errorf("a hidden secret was stored as it is: %v", err)
		}
	})
}

func TestKeptSecretDoesNotTravel(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.apply(t, Request{Files: files(lampDoc("hall", "secret: s3cr3t", "socket: left", "bulbs: [{name: a, key: k3y}]"))})
		elsewhere := lampDoc("hall", "secret: (hidden)", "socket: right", "bulbs: [{name: a, key: (hidden)}]")
		_, err := r.Apply(t.Context(), Request{Files: files(elsewhere)})
		var said []string
		if f, ok := fault.As(err); ok {
			for _, d := range f.Details {
				said = append(said, fmt.Sprintf("%s %s %s: %s", d.Where, d.Code, d.Field, d.Remedy.EN))
			}
		}
		want := []string{
			"1.yaml:9:26 ascode.secret_moved spec.bulbs[0].key: write the secret again, because its destination changed",
			"1.yaml:7:11 ascode.secret_moved spec.secret: write the secret again, because its destination changed",
		}
		if d := cmp.Diff(want, said); d != "" {
			t.Error(d)
		}
		key := Key{Kind: "lamps", Name: "hall"}
		if _, err := r.Put(t.Context(), Edit{Key: key, Data: elsewhere}); err == nil {
			t.Error("a secret travels by an edit")
		}
		for _, fine := range []string{
			strings.ReplaceAll(elsewhere, "right", "left"),                                          // stays where it is
			strings.Replace(strings.Replace(elsewhere, "(hidden)", "new", 1), "(hidden)", "new", 1), // whoever moves it knows it
			lampDoc("hall", "socket: attic"),                                                        // leaves it behind
		} {
			r.apply(t, Request{Files: files(fine)})
		}
	})
}

func TestPlanDoesNotTellWhetherASecretWasGuessed(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.apply(t, Request{Files: files(lampDoc("hall", "owner: lights", "secret: s3cr3t", "socket: left"))})
		r.Permit = func(context.Context, string) error { return errors.New("not yours") }
		var plans []string
		for _, guess := range []string{"s3cr3t", "wrong", "(hidden)"} {
			p := r.apply(t, Request{DryRun: true, Files: files(lampDoc("hall", "owner: lights", "secret: "+guess, "socket: left"))})
			plans = append(plans, fmt.Sprintf("%+v", p))
		}
		if plans[0] != plans[1] || plans[1] != plans[2] {
			t.Errorf("a right guess shows:\n%s\n%s\n%s", plans[0], plans[1], plans[2])
		}
		if p := r.apply(t, Request{DryRun: true, Files: files(lampDoc("hall", "owner: lights", "secret: (hidden)", "socket: right"))}); p.Changed != 1 {
			t.Errorf("what is no secret must show: %+v", p)
		}
		r.Permit = nil
		var digests []string
		for _, guess := range []string{"one", "two"} {
			p := r.apply(t, Request{DryRun: true, Files: files(lampDoc("hall", "owner: lights", "secret: "+guess, "socket: left"))})
			if p.Changed != 1 {
				t.Errorf("who may change it sees that it changes: %+v", p)
			}
			digests = append(digests, p.Digest)
		}
		if digests[0] != digests[1] {
			t.Error("the digest tells secrets apart")
		}
	})
}

func TestExportAppliesToTheSame(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.apply(t, Request{Files: files(lampDoc("hall", "note: |", "  two", "  lines", "shade: {n: 1.0, s: '1.0', b: 'true', d: 2001-01-01}", "on: false"), lampDoc("attic"))})
		yaml, err := r.Export(t.Context(), Filter{Kind: "lamps"})
		if err != nil {
			t.Fatal(err)
		}
		if p := r.apply(t, Request{Files: files(yaml)}); p.Same != 2 || !p.Empty() {
			t.Errorf("got %+v of\n%s", p.Changes, yaml)
		}
	})
}

func TestPermissionIsAskedForBothOwners(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.apply(t, Request{Files: files(lampDoc("hall", "owner: red"), lampDoc("attic", "owner: green"))})
		var asked []string
		r.Permit = func(_ context.Context, owner string) error {
			asked = append(asked, owner)
			if owner == "red" {
				return fault.New(fault.Denied, "no", text.Say("not yours", "権限がありません"))
			}
			return nil
		}
		_, err := r.Apply(t.Context(), Request{Files: files(lampDoc("hall", "owner: blue"), lampDoc("attic", "owner: green"))})
		if code(err) != "no" || !slices.Equal(asked, []string{"blue", "red"}) {
			t.Errorf("asked %v, got %v", asked, err)
		}
		if f, _ := fault.As(err); f.Where.File != "1.yaml" {
			t.Errorf("at %s", f.Where)
		}
	})
}

func TestAnOwnerThatOnlyTheDatabaseKnowsIsAskedBeforeAndAfter(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		// A switch belongs to whoever owns the lamp that it switches.
		type switchDoc struct {
			APIVersion string   `json:"apiVersion"`
			Kind       string   `json:"kind"`
			Metadata   lampMeta `json:"metadata"`
			Lamp       string   `json:"lamp"`
		}
		r.registry.Add(Kind{APIVersion: "example.com/v1", Kind: "Switch", ID: "switches", Order: 30, New: func() any { return &switchDoc{} },
			OwnerIn: func(ctx context.Context, tx *sql.Tx, d *Document) (owner string, err error) {
				err = tx.QueryRowContext(ctx, `SELECT owner FROM owners WHERE lamp = $1`, d.Object.(*switchDoc).Lamp).Scan(&owner)
				return owner, err
			}})
		r.registry.kinds["Lamp"].Apply = func(ctx context.Context, tx *sql.Tx, d *Document) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO owners (lamp, owner) VALUES ($1, $2)`, d.Name, d.Owner())
			return err
		}
		if err := r.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `CREATE TABLE owners (lamp TEXT, owner TEXT)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		var asked []string
		r.Permit = func(_ context.Context, owner string) error { asked = append(asked, owner); return nil }
		toggle := func(lamp string) string {
			return "apiVersion: example.com/v1\nkind: Switch\nmetadata: {name: door}\nlamp: " + lamp + "\n"
		}
		p := r.apply(t, Request{Files: files(toggle("hall"), lampDoc("hall", "owner: red"))})
		if !slices.Equal(asked, []string{"red"}) || p.Changes[1].Owner != "red" {
			t.Errorf("asked %v, told %q", asked, p.Changes[1].Owner)
		}
		asked = nil
		r.apply(t, Request{Files: files(toggle("attic"), lampDoc("hall", "owner: red"), lampDoc("attic", "owner: green"))})
		if !slices.Equal(asked, []string{"green", "red"}) {
			t.Errorf("the old owner must be asked, too: %v", asked)
		}
		if s, err := r.Get(t.Context(), Key{Kind: "switches", Name: "door"}); err != nil || s.Owner != "green" {
			t.Errorf("got %+v, %v", s, err)
		}
	})
}

func TestADocumentIsFoundByItsWholeName(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.apply(t, Request{Files: files(lampDoc("hall"), lampDoc("hall-2"))})
		docs, _, err := r.List(t.Context(), Filter{Kind: "Lamp", Name: "hall"})
		if err != nil || len(docs) != 1 || docs[0].Name != "hall" {
			t.Errorf("found %v, %v", docs, err)
		}
	})
}

func TestListPagesThroughEverythingOnce(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		var docs []string
		for i := range 23 {
			docs = append(docs, lampDoc(fmt.Sprintf("l-%d", i)))
		}
		r.apply(t, Request{Files: files(docs...)})
		seen := map[string]bool{}
		for after, pages := "", 0; ; pages++ {
			page, next, err := r.List(t.Context(), Filter{Kind: "Lamp", Limit: 5, After: after})
			if err != nil || pages > 5 {
				t.Fatal(pages, err)
			}
			for _, d := range page {
				seen[d.Name] = true
			}
			if after = next; next == "" {
				break
			}
		}
		if len(seen) != 23 {
			t.Errorf("saw %d", len(seen))
		}
		if found, _, err := r.List(t.Context(), Filter{Query: "L-1_"}); err != nil || len(found) != 0 {
			t.Errorf("a wildcard in a query means itself: %v, %v", found, err)
		}
		if _, _, err := r.List(t.Context(), Filter{Kind: "lmaps"}); code(err) != "ascode.kind_unknown" {
			t.Errorf("got %v", err)
		}
	})
}

func TestAppliesAtTheSameTimeHappenOneAfterAnother(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		const writers = 8
		var group sync.WaitGroup
		failed := make(chan error, writers)
		for i := range writers {
			group.Go(func() {
				_, err := r.Apply(t.Context(), Request{Files: files(lampDoc("hall", fmt.Sprintf("note: n%d", i)), lampDoc("attic", fmt.Sprintf("note: n%d", i)))})
				failed <- err
			})
		}
		group.Wait()
		for range writers {
			if err := <-failed; err != nil {
				t.Error(err)
			}
		}
		docs, _, err := r.List(t.Context(), Filter{})
		if err != nil || len(docs) != 2 || docs[0].Revision != writers || docs[1].Revision != writers {
			t.Fatalf("got %+v, %v", docs, err)
		}
		if a, b := fmt.Sprintf("%s", docs[0].Document), fmt.Sprintf("%s", docs[1].Document); strings.ReplaceAll(a, "attic", "hall") != b {
			t.Errorf("two applies are mixed:\n%s\n%s", a, b)
		}
	})
}

func TestAThousandDocumentsApplyQuickly(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		var b strings.Builder
		for i := range 1000 {
			b.WriteString("---\n" + lampDoc(fmt.Sprintf("lamp-%d", i), "owner: red", "bulbs: [{name: a, color: red}, {name: b}]"))
		}
		start := time.Now()
		p := r.apply(t, Request{Files: files(b.String())})
		if took := time.Since(start); p.Added != 1000 || took > 4*time.Second {
			t.Errorf("%d documents took %v", p.Added, took)
		} else {
			t.Logf("1,000 documents in %v", took)
		}
	})
}

package catalog

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

const shop = `apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: payments, title: Payments team}
spec: {type: team, children: [], members: [sato], profile: {email: payments@example.com}}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: sato}
spec: {profile: {displayName: 佐藤}, memberOf: [payments]}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: money}
spec: {owner: payments}
---
apiVersion: backstage.io/v1beta1
kind: API
metadata: {name: charge}
spec: {type: openapi, lifecycle: production, owner: payments, definition: {$text: ./charge.yaml}}
---
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: ledger}
spec: {type: database, owner: payments, dependencyOf: ['component:payment']}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  title: チェックアウト
  labels: {teiten.dev/tier: "1"}
  tags: [web]
spec: {type: service, lifecycle: production, owner: group:default/payments, system: money, dependsOn: [component:payment], consumesApis: [charge]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: payment, annotations: {teiten.dev/tier: "1"}}
spec: {type: service, lifecycle: production, owner: payments, system: money, dependsOn: [resource:ledger, checkout], providesApis: [charge]}
`

type rig struct {
	*Service
	engine *ascode.Engine
}

func each(t *testing.T, f func(t *testing.T, r rig)) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		registry := ascode.NewRegistry()
		engine := ascode.NewEngine(db, registry, nil)
		r := rig{Service: New(Deps{DB: db, Documents: engine}), engine: engine}
		r.Kinds(registry)
		f(t, r)
	}, dbtest.Room{Name: "ascode", Files: ascode.Migrations}, dbtest.Room{Name: "catalog", Files: Migrations})
}

func (r rig) apply(data string) (ascode.Plan, error) {
	return r.engine.Apply(context.Background(), ascode.Request{Set: "shop", Files: []ascode.File{{Name: "shop.yaml", Data: data}}})
}

func (r rig) mustApply(t *testing.T, data string) ascode.Plan {
	t.Helper()
	p, err := r.apply(data)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func names(list []Neighbour) []string {
	out := []string{}
	for _, n := range list {
		out = append(out, fmt.Sprintf("%s %v", n.Ref, n.Known))
	}
	return out
}

func TestAServicesPageShowsItsNeighboursBothWays(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		if p := r.mustApply(t, shop); len(p.Warnings) > 0 {
			t.Error(p.Warnings)
		}
		e, err := r.Find(t.Context(), r.db.Read(), "payment")
		if err != nil {
			t.Fatal(err)
		}
		if e.Owner != "payments" || e.Tier != "1" || e.System != "money" || e.Subject != "service:payment" {
			t.Errorf("got %+v", e)
		}
		p, err := r.Page(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		for what, c := range map[string]struct {
			got  []Neighbour
			want []string
		}{
			"depends on":  {p.DependsOn, []string{"component:default/checkout true", "resource:default/ledger true"}},
			"depended by": {p.DependedBy, []string{"component:default/checkout true"}},
			"provides":    {p.Provides, []string{"api:default/charge true"}},
			"siblings":    {p.Siblings, []string{"component:default/checkout true"}},
		} {
			if d := cmp.Diff(c.want, names(c.got)); d != "" {
				t.Errorf("%s: %s", what, d)
			}
		}
		if !slices.Equal(p.Cycle, []string{"payment", "checkout", "payment"}) {
			t.Errorf("a cycle is allowed and shown, got %v", p.Cycle)
		}
		if p.ManagedBy != "code:shop" || p.File != "shop.yaml" || p.Line == 0 {
			t.Errorf("where it comes from is missing: %+v", p.Origin)
		}
	})
}

func TestATeamKnowsItsMembersAndServices(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.mustApply(t, shop)
		teams, more, err := r.Teams(t.Context(), Filter{Limit: 10})
		if err != nil || more || len(teams) != 1 {
			t.Fatal(teams, more, err)
		}
		if got := teams[0]; got.Short != "payments" || got.Services != 2 || !slices.Equal(got.Members, []string{"sato"}) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestServicesAreFilteredSortedAndPaged(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.mustApply(t, shop)
		for name, c := range map[string]struct {
			filter Filter
			want   []string
		}{
			"all":              {Filter{}, []string{"checkout", "payment"}},
			"owner":            {Filter{Owner: "Payments"}, []string{"checkout", "payment"}},
			"other owner":      {Filter{Owner: "search"}, nil},
			"tier":             {Filter{Tier: "2"}, nil},
			"system":           {Filter{System: "money"}, []string{"checkout", "payment"}},
			"title":            {Filter{Query: "チェック"}, []string{"checkout"}},
			"every word":       {Filter{Query: "web CHECKOUT"}, []string{"checkout"}},
			"literal wildcard": {Filter{Query: "%"}, nil},
			"by tier":          {Filter{Sort: ByTier}, []string{"checkout", "payment"}},
			"after":            {Filter{After: []string{"checkout", "component:default/checkout"}}, []string{"payment"}},
		} {
			c.filter.Services = true
			list, _, err := r.List(t.Context(), c.filter)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range list {
				got = append(got, e.Short)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
			}
		}
		if list, more, err := r.List(t.Context(), Filter{Services: true, Limit: 1}); err != nil || !more || len(list) != 1 {
			t.Error(list, more, err)
		}
	})
}

func TestAServiceOfAnotherRoomIsListedUntilItIsDescribed(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		put := func(name string) {
			if err := r.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
				return r.Put(ctx, tx, Entity{Kind: KindService, Name: name, Title: "met"})
			}); err != nil {
				t.Fatal(err)
			}
		}
		put("checkout")
		put("search")
		if e, err := r.Find(t.Context(), r.db.Read(), "service:Checkout"); err != nil || e.Title != "met" || e.Subject != "service:checkout" {
			t.Errorf("got %+v, %v", e, err)
		}
		r.mustApply(t, shop)
		list, _, err := r.List(t.Context(), Filter{Services: true})
		if err != nil || len(list) != 3 || list[0].Kind != KindComponent {
			t.Errorf("got %+v, %v", list, err)
		}
		if e, err := r.Find(t.Context(), r.db.Read(), "checkout"); err != nil || e.Kind != KindComponent {
			t.Errorf("the description should win: %+v, %v", e, err)
		}
		if _, err := r.Find(t.Context(), r.db.Read(), "nothing"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v", err)
		}
	})
}

func TestAServiceThatNobodyOwnsIsClaimedByEditorsOnly(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		mine := func(_ context.Context, owner string) error { // an owner of payments who is no editor
			if owner != "payments" {
				return fault.New(fault.Denied, "test.denied", text.Say("no", "不可"))
			}
			return nil
		}
		anybody := func(context.Context, string) error { return nil }
		if err := r.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
			return r.Put(ctx, tx, Entity{Kind: KindService, Name: "checkout"})
		}); err != nil {
			t.Fatal(err)
		}
		r.permit = mine
		_, err := r.apply(shop)
		if f, ok := fault.As(err); !ok || f.Code != "catalog.claim" || f.Where.Line == 0 {
			t.Fatalf("an owner of a team claimed it: %v", err)
		}
		r.permit = anybody
		r.mustApply(t, shop)
		r.permit = mine
		if _, err := r.apply(strings.Replace(shop, "チェックアウト", "Checkout", 1)); err != nil {
			t.Errorf("an owner may not change what is described: %v", err)
		}
	})
}

func TestRemovingAServiceThatOthersNeedIsRefused(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.mustApply(t, shop)
		_, err := r.engine.Delete(t.Context(), ascode.Removal{Keys: []ascode.Key{{Kind: "Component", Name: "payment"}}, Set: "shop"})
		f, ok := fault.As(err)
		if !ok || !strings.Contains(f.In("en"), "component:default/payment") || !strings.Contains(f.In("en"), "shop.yaml:") {
			t.Fatalf("got %v", err)
		}
		plan, err := r.engine.Apply(t.Context(), ascode.Request{Set: "shop", Prune: true, DryRun: true})
		if err != nil || plan.Removed != 7 {
			t.Fatal(plan, err)
		}
		if _, err := r.engine.Apply(t.Context(), ascode.Request{Set: "shop", Prune: true, Confirm: plan.Digest}); err != nil {
			t.Fatal(err)
		}
		if n, err := r.count(t.Context(), r.db.Read(), Filter{}); err != nil || n != 0 {
			t.Errorf("%d entities are left: %v", n, err)
		}
	})
}

func TestWhatIsMissingIsSaidWithItsRemedy(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		component := func(spec string) string {
			return "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: cart}\nspec:\n" + spec
		}
		for name, c := range map[string]struct{ data, code, at, remedy string }{
			"owner":            {component("  type: service\n  lifecycle: production\n"), "catalog.required", "shop.yaml:4:1", "owner: payments"},
			"a typing mistake": {component("  type: service\n  lifecycle: production\n  onwer: payments\n"), "ascode.field_unknown", "shop.yaml:7:3", `did you mean "owner"`},
			"dangling":         {component("  {type: service, lifecycle: x, owner: a, dependsOn: [chekout]}\n"), "catalog.dangling", "shop.yaml:5:55", "kind Component"},
			"not a reference":  {component("  {type: service, lifecycle: x, owner: 'a b'}\n"), "catalog.ref", "shop.yaml:5:40", "[kind:][namespace/]name"},
			"the wrong kind":   {component("  {type: service, lifecycle: x, owner: 'system:money'}\n"), "catalog.ref_kind", "shop.yaml:5:40", "group, user"},
			"itself":           {component("  {type: service, lifecycle: x, owner: a, dependsOn: [cart]}\n"), "catalog.self", "shop.yaml:5:55", "remove"},
			"a Location":       {"apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: a}\n", "ascode.kind_refused", "shop.yaml:2:7", "teiten apply"},
			"an odd tier":      {strings.Replace(component("  {type: service, lifecycle: x, owner: a}\n"), "name: cart", "name: cart, labels: {teiten.dev/tier: Very High}", 1), "catalog.tier", "shop.yaml:3:50", "short word"},
			"a newer kind":     {"apiVersion: backstage.io/v1alpha1\nkind: Playlist\nmetadata: {name: a}\n", "ascode.kind_unknown", "shop.yaml:2:7", "Component"},
		} {
			_, err := r.apply(c.data)
			f, ok := fault.As(err)
			if !ok {
				t.Errorf("%s: got %v", name, err)
				continue
			}
			if f.Code != c.code || f.Where.String() != c.at || !strings.Contains(f.In("en"), c.remedy) {
				t.Errorf("%s: got %s at %s: %s", name, f.Code, f.Where, f)
			}
		}
	})
}

func TestATeamThatNobodyDescribesIsAWarning(t *testing.T) {
	each(t, func(t *testing.T, r rig) {
		r.mustApply(t, shop)
		p, err := r.engine.Apply(t.Context(), ascode.Request{Set: "more", Files: []ascode.File{{Name: "cart.yaml", Data: "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: cart}\nspec: {type: service, lifecycle: production, owner: paymets}\n"}}})
		if err != nil || len(p.Warnings) != 1 {
			t.Fatal(p.Warnings, err)
		}
		if w := p.Warnings[0]; w.Where.String() != "cart.yaml:4:53" || !strings.Contains(w.Remedy.EN, `did you mean "payments"`) {
			t.Errorf("got %s", w)
		}
	})
}

func TestAReferenceReadsBackAsItself(t *testing.T) {
	part := rapid.StringMatching(`[a-zA-Z0-9]([a-zA-Z0-9._-]{0,20}[a-zA-Z0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		r := Ref{Kind: strings.ToLower(part.Draw(t, "kind")), Namespace: part.Draw(t, "namespace"), Name: part.Draw(t, "name")}
		back, err := ParseRef(r.String(), "other", "other")
		if err != nil || back.String() != r.String() {
			t.Fatalf("%s became %s: %v", r, back, err)
		}
		short, err := ParseRef(r.Short(), r.Kind, DefaultNamespace)
		if err != nil || short.String() != r.String() {
			t.Fatalf("%s became %s: %v", r.Short(), short, err)
		}
	})
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"checkout", "component:default/checkout", "a/b", ":", "/", "a:b:c", "a//b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s, KindComponent, "")
		if err != nil {
			if f, ok := fault.As(err); !ok || f.Remedy.IsZero() {
				t.Fatalf("no remedy: %v", err)
			}
			return
		}
		if back, err := ParseRef(r.String(), "", ""); err != nil || back.String() != r.String() {
			t.Fatalf("%q reads as %s and back as %s: %v", s, r, back, err)
		}
	})
}

// TestBackstagesOwnCatalogIsReadOrRefusedWithReason applies the catalog of
// Backstage's demo, which holds kinds that are newer than the format's version.
func TestBackstagesOwnCatalogIsReadOrRefusedWithReason(t *testing.T) {
	corpus := os.Getenv("TEITEN_CORPUS")
	if corpus == "" {
		t.Skip("TEITEN_CORPUS names no folder of real documents")
	}
	want := map[string]string{
		"catalog-info.yaml":                    "accepted 2, warned 2",
		"examples/ai-resources.yaml":           "ascode.kind_refused",
		"examples/mcp-server-api.yaml":         "accepted 1, warned 1",
		"demo-template/template/template.yaml": "ascode.kind_refused",
	}
	each(t, func(t *testing.T, r rig) {
		got := map[string]string{}
		for name := range want {
			data, err := os.ReadFile(filepath.Join(corpus, "backstage-demo", name))
			if err != nil {
				t.Fatal(err)
			}
			plan, err := r.engine.Apply(t.Context(), ascode.Request{Set: "backstage", Files: []ascode.File{{Name: name, Data: string(data)}}})
			got[name] = fmt.Sprintf("accepted %d, warned %d", plan.Added, len(plan.Warnings))
			if err != nil {
				f, _ := fault.As(err)
				if len(f.Details) > 0 {
					f = f.Details[0]
				}
				if got[name] = f.Code; f.Where.Line == 0 || f.Remedy.IsZero() {
					t.Errorf("%s: no position or remedy: %s", name, f)
				}
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

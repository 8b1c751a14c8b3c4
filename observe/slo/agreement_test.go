package slo_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/teiten/teiten/access"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/measure"
	"github.com/teiten/teiten/observe/slo"
	"github.com/teiten/teiten/observe/slo/agreement"
	"github.com/teiten/teiten/observe/slo/policy"
)

var business = access.Principal{Kind: access.Person, UserID: "u-business", Login: "bea@example.com", Name: "Bea", Role: access.Viewer}

// underAgreement is the test's objective with two stakeholders.
func underAgreement(target, window string) string {
	return strings.Replace(slOf("checkout", target, window), "displayName: Checkout works}",
		`displayName: Checkout works, annotations: {teiten.dev/agreement: required, teiten.dev/stakeholders: "team:payments, user:Bea@example.com"}}`, 1)
}

func (w *world) agreements() agreement.Agreements {
	w.t.Helper()
	var a agreement.Agreements
	w.must(http.StatusOK, business, http.MethodGet, "/api/v1/slos/checkout/agreements", nil, &a)
	return a
}

func (w *world) word(status int, who access.Principal, version int64, word, comment string) {
	w.t.Helper()
	w.must(status, who, http.MethodPost, fmt.Sprintf("/api/v1/slos/checkout/agreements/%d/%s", version, word), map[string]string{"comment": comment}, nil)
}

// states are the versions in words, the newest first.
func states(a agreement.Agreements) string {
	var words []string
	for _, v := range a.Items {
		words = append(words, fmt.Sprintf("%d:%s", v.Version, v.State))
	}
	return strings.Join(words, " ")
}

// executed is the target and window that the objective has at present.
func (w *world) executed() string {
	w.t.Helper()
	var d slo.Detail
	w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos/checkout", nil, &d)
	return fmt.Sprintf("%g over %s", d.Objective, d.Window.Duration)
}

func (w *world) want(executed, versions string) {
	w.t.Helper()
	if got := w.executed(); got != executed {
		w.t.Errorf("%s is executed, want %s", got, executed)
	}
	if got := states(w.agreements()); got != versions {
		w.t.Errorf("the versions are %q, want %q", got, versions)
	}
}

// AG3, AG4: what was agreed stays in force until everybody agreed to its change.
func TestAnAgreedObjectiveStaysInForceUntilAllAgreeToAnother(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.want("0.999 over 30d", "")
		w.apply(underAgreement("0.999", "30d"))
		w.want("0.999 over 30d", "1:proposed")
		w.word(http.StatusForbidden, viewer, 1, "agree", "")
		w.word(http.StatusOK, owner, 1, "agree", "")
		w.want("0.999 over 30d", "1:proposed")
		w.word(http.StatusOK, business, 1, "agree", "good enough for customers")
		w.want("0.999 over 30d", "1:in_force")

		w.at(t0.Add(day))
		w.apply(underAgreement("0.995", "7d"))
		w.want("0.999 over 30d", "2:proposed 1:in_force")
		w.word(http.StatusUnprocessableEntity, business, 2, "decline", "")
		w.word(http.StatusOK, business, 2, "decline", "too low")
		w.word(http.StatusOK, owner, 2, "agree", "")
		w.want("0.999 over 30d", "2:proposed 1:in_force")
		w.word(http.StatusOK, business, 2, "agree", "after all")
		w.want("0.995 over 7d", "2:in_force 1:superseded")
		w.word(http.StatusConflict, owner, 1, "agree", "")

		a := w.agreements()
		if !a.Required || a.Items[0].InForceAt == nil || !a.Items[0].InForceAt.Equal(t0.Add(day)) || len(a.Items[0].Words) != 3 {
			t.Errorf("%+v", a)
		}
		last := a.Items[0].Stakeholders[1]
		if last.Word != "agree" || last.By == nil || last.By.Name != "Bea" || last.Comment != "after all" || !last.Mine || a.Items[0].Stakeholders[0].Mine {
			t.Errorf("the stakeholders are %+v", a.Items[0].Stakeholders)
		}
		if a.Items[0].Terms.Text.EN != "99.5% over 7 days" {
			t.Errorf("the terms read %q", a.Items[0].Terms.Text.EN)
		}
		for kind, n := range map[string]int{agreement.EntryProposed: 2, agreement.EntryAgreed: 4, agreement.EntryDeclined: 1, agreement.EntryInForce: 2} {
			if got := len(w.entries(kind)); got != n {
				t.Errorf("%d entries of %s, want %d", got, kind, n)
			}
		}
	}, rooms...)
}

func TestOnlyAnOwnerOfTheServiceMayWaiveAnAgreementAndSaysWhy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.apply(underAgreement("0.999", "30d"))
		w.word(http.StatusForbidden, editor, 1, "waive", "nobody answers")
		w.word(http.StatusForbidden, business, 1, "waive", "nobody answers")
		w.word(http.StatusUnprocessableEntity, owner, 1, "waive", "")
		token := owner
		token.Kind, token.TokenID = access.Token, "t-1"
		w.word(http.StatusForbidden, token, 1, "waive", "a program says so")
		w.word(http.StatusOK, owner, 1, "waive", "Bea is on leave")
		w.want("0.999 over 30d", "1:in_force")
		if words := w.agreements().Items[0].Words; len(words) != 1 || words[0].Comment != "Bea is on leave" || words[0].By.Name != "Owen" {
			t.Errorf("%+v", words)
		}
	}, rooms...)
}

func TestGoingBackToWhatIsInForceWithdrawsTheProposal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		w.apply(underAgreement("0.999", "30d"))
		w.word(http.StatusOK, owner, 1, "waive", "for the test")
		w.apply(underAgreement("0.99", "30d"))
		w.apply(underAgreement("0.98", "30d"))
		w.want("0.999 over 30d", "3:proposed 2:withdrawn 1:in_force")
		w.apply(underAgreement("0.999", "30d"))
		w.want("0.999 over 30d", "3:withdrawn 2:withdrawn 1:in_force")
		// Without agreement it is as written, and the history stays.
		w.apply(slOf("checkout", "0.9", "30d"))
		w.want("0.9 over 30d", "3:withdrawn 2:withdrawn 1:superseded")
		if n := len(w.entries(agreement.EntryEnded)); n != 1 {
			t.Errorf("it left agreement %d times", n)
		}
	}, rooms...)
}

const demanding = `
apiVersion: teiten.dev/v1
kind: ErrorBudgetPolicy
metadata: {name: demanding}
spec:
  tiers: ["1"]
  agreement: required
  attention: {budgetBelow: 0.5}
  consequences:
    - {when: attention, gate: warn}
    - {when: exhausted, gate: block, review: agenda, backlog: priority, note: stop features}
`

func TestAPolicyMayRequireAgreement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		if err := w.applyAs(administrator, demanding); err != nil {
			t.Fatal(err)
		}
		w.want("0.999 over 30d", "1:proposed")
		if a := w.agreements(); len(a.Items[0].Stakeholders) != 1 || a.Items[0].Stakeholders[0].Name != "team:payments" {
			t.Errorf("by default the owning team is asked: %+v", a.Items[0].Stakeholders)
		}
		w.word(http.StatusOK, owner, 1, "agree", "")
		// Leaving it is not for who changes the objective alone.
		w.apply(slOf("checkout", "0.9", "30d"))
		w.want("0.999 over 30d", "2:proposed 1:in_force")
		// A narrower policy without it has the objective leave.
		if err := w.applyAs(administrator, demanding+"---\napiVersion: teiten.dev/v1\nkind: ErrorBudgetPolicy\nmetadata: {name: free}\nspec: {services: [checkout]}\n"); err != nil {
			t.Fatal(err)
		}
		w.want("0.9 over 30d", "2:withdrawn 1:superseded")
	}, rooms...)
}

// AG1, AG2, AG3, AG5 hold whatever is done in whatever order.
func TestAgreementsKeepTheirInvariants(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		var former agreement.Agreements
		was := false
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		for range 80 {
			w.at(w.now().Add(time.Minute))
			version := len(former.Items) - random.IntN(2)
			switch what := random.IntN(5); {
			case what < 2:
				w.apply(underAgreement([]string{"0.9", "0.99", "0.999"}[random.IntN(3)], "30d"))
			case version > 0:
				who, word := []access.Principal{owner, business, owner}[what-2], []string{"agree", "agree", "waive"}[what-2]
				w.call(who, http.MethodPost, fmt.Sprintf("/api/v1/slos/checkout/agreements/%d/%s", version, word), map[string]string{"comment": "because"}, nil)
			}
			now := w.agreements()
			inForce := 0
			for _, v := range now.Items {
				if v.State != "in_force" {
					continue
				}
				inForce++
				if got := w.executed(); fmt.Sprintf("%g over 30d", *v.Terms.Objectives[0].Target) != got {
					t.Fatalf("AG3: %s is executed, %+v is in force", got, v.Terms.Objectives[0])
				}
			}
			if was = was || inForce > 0; was && inForce != 1 {
				t.Fatalf("AG2: %d versions are in force: %s", inForce, states(now))
			}
			keepsHistory(t, former, now)
			former = now
		}
		if !was {
			t.Error("no version ever came into force")
		}
	}, rooms...)
}

// keepsHistory fails where a version was rewritten or came back.
func keepsHistory(t *testing.T, before, after agreement.Agreements) {
	t.Helper()
	added := len(after.Items) - len(before.Items)
	for i, old := range before.Items {
		v := after.Items[i+added]
		if d := cmp.Diff(old.Terms, v.Terms); d != "" || v.Version != old.Version {
			t.Fatalf("AG1: version %d was rewritten: %s", v.Version, d)
		}
		if (old.State == "superseded" || old.State == "withdrawn") && v.State != old.State {
			t.Fatalf("AG5: version %d came back", v.Version)
		}
	}
}

func TestABudgetThatComesIntoAnotherStateIsToldOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := afterOutage(t, db)
		if err := w.applyAs(administrator, strings.Replace(demanding, "agreement: required", "agreement: optional", 1)); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := w.slo.JudgePolicies(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		e := w.entries(policy.EntryState)
		if len(e) != 1 || e[0].Subject != "slo:checkout" || !strings.Contains(string(e[0].Data), `"after":"exhausted"`) || !strings.Contains(string(e[0].Data), "stop features") {
			t.Errorf("the journal says %+v", e)
		}
		var d slo.Detail
		w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos/checkout", nil, &d)
		if d.PolicyState != "exhausted" || d.Policy.Name != "demanding" || d.Policy.Since == nil || len(d.Consequences) != 3 || d.Consequences[0].Effect != "block" {
			t.Errorf("%+v", d.Commitment)
		}
		r := measure.NewRegistry()
		w.slo.Measures(r)
		m, err := r.Lookup("slo.policy_state")
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range []time.Duration{0, 12 * time.Hour} {
			values, err := m.Source.Values(t.Context(), "service:checkout", w.now().Add(-span), w.now())
			if err != nil || len(values) == 0 || values[len(values)-1].V != 2 {
				t.Errorf("over %v the state is %v, %v", span, values, err)
			}
		}
	}, rooms...)
}

func TestTheNarrowestPolicyHolds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		name := func() string {
			var list page[slo.Summary]
			w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos", nil, &list)
			return list.Items[0].Policy.Name
		}
		for _, p := range []struct{ name, selects string }{{"", ""}, {"all", "description: for all"}, {"by-tier", `tiers: ["1"]`}, {"by-service", "services: [checkout]"}, {"a-by-tier", `tiers: ["1"]`}, {"by-name", "slos: [checkout]"}} {
			if p.name != "" {
				doc := fmt.Sprintf("apiVersion: teiten.dev/v1\nkind: ErrorBudgetPolicy\nmetadata: {name: %s}\nspec: {%s}\n", p.name, p.selects)
				if err := w.applyAs(administrator, doc); err != nil {
					t.Fatal(err)
				}
			}
			want := p.name
			if p.name == "a-by-tier" {
				want = "by-service"
			}
			if got := name(); got != want {
				t.Errorf("with %s, %q holds", p.name, got)
			}
		}
	}, rooms...)
}

const gold = `
apiVersion: teiten.dev/v1
kind: ServiceTier
metadata: {name: "1"}
spec: {objective: 0.9995, window: 7d, settle: 2m, paging: ticket}
`

func TestATierSaysWhatAnObjectiveLeavesOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		w := newWorld(t, db)
		bare := replaceOnce(t, replaceOnce(t, checkout, "  objectives: [{target: 0.999}]\n", ""), "  timeWindow: [{duration: 30d, isRolling: true}]\n", "")
		if err := w.tryApply(bare); err == nil {
			t.Error("without a tier, an objective without a target is accepted")
		}
		if err := w.applyAs(administrator, gold); err != nil {
			t.Fatal(err)
		}
		w.want("0.999 over 30d", "")
		w.apply(bare)
		w.want("0.9995 over 7d", "")
		var d slo.Detail
		w.must(http.StatusOK, viewer, http.MethodGet, "/api/v1/slos/checkout", nil, &d)
		if d.Settle != "2m0s" {
			t.Errorf("it settles after %s", d.Settle)
		}
		for _, r := range d.Rules {
			if r.Severity != "ticket" {
				t.Errorf("rule %s is a %s", r.Name, r.Severity)
			}
		}
		if err := w.applyAs(administrator, replaceOnce(t, gold, "0.9995", "0.99")); err != nil {
			t.Fatal(err)
		}
		w.want("0.99 over 7d", "")
		var problem httpapi.Problem
		w.must(http.StatusNotFound, viewer, http.MethodGet, "/api/v1/slos/other/agreements", nil, &problem)
	}, rooms...)
}

package access

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

func (h *house) admin() *browser {
	h.t.Helper()
	h.person(adminLogin, Admin)
	b := h.browser()
	if r := b.signIn(adminLogin); r.StatusCode != 303 {
		h.t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	return b
}

func TestInvitationLeadsToASessionWithTheRole(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.admin()
		r := b.send("POST", "/api/v1/users", `{"login":"tanaka@example.com","name":"田中","role":"responder","teams":["payments"],"language":"ja"}`)
		var inv Invitation
		h.must(json.Unmarshal([]byte(r.body), &inv))
		if r.StatusCode != 201 || inv.User.State != Invited || inv.User.Teams[0] != "team:payments" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if again := b.send("POST", "/api/v1/users", `{"login":"Tanaka@example.com","name":"x","role":"viewer"}`); again.StatusCode != 409 {
			t.Errorf("twice: %d %s", again.StatusCode, again.body)
		}
		guest := h.browser()
		page := guest.send("GET", strings.TrimPrefix(inv.Link.URL, h.web.URL), "", "Accept-Language: ja")
		if page.StatusCode != 200 || !strings.Contains(page.body, "tanaka@example.com のパスワードを決めてください") || !strings.Contains(page.body, `value="田中"`) {
			t.Fatalf("%d %s", page.StatusCode, page.body)
		}
		form := map[string][]string{"token": {tokenIn(t, inv.Link.URL)}, "name": {"田中 一郎"}, "password": {password}}
		if r := guest.post("/invite", form); r.StatusCode != 303 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		me, _ := guest.me()
		if me.Name != "田中 一郎" || me.Role != Responder || guest.cookie(httpapi.LangCookie) != "ja" {
			t.Errorf("%+v, language %q", me, guest.cookie(httpapi.LangCookie))
		}
		if r := h.browser().post("/invite", form); r.StatusCode != 410 {
			t.Errorf("twice: %d", r.StatusCode)
		}
		if list := b.send("GET", "/api/v1/users?q=tana", ""); !strings.Contains(list.body, `"state":"active"`) || strings.Contains(list.body, adminLogin) {
			t.Errorf("%s", list.body)
		}
	})
}

func TestBadUsersAreRefusedInBothLanguages(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.admin()
		body := `{"login":"not an address","name":" ","role":"viewer"}`
		for lang, want := range map[string]string{"en": "this is not an e-mail address", "ja": "メールアドレスとして読めません"} {
			r := b.send("POST", "/api/v1/users", body, "Accept-Language: "+lang)
			var p httpapi.Problem
			h.must(json.Unmarshal([]byte(r.body), &p))
			if r.StatusCode != 422 || len(p.Errors) != 2 || p.Errors[0].Detail != want || p.Errors[0].Field != "body.login" || p.Errors[0].Remedy == "" || p.RequestID == "" {
				t.Errorf("%s: %d %s", lang, r.StatusCode, r.body)
			}
		}
	})
}

func TestEditsNameTheVersionTheyChange(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.admin()
		u := h.person("tanaka@example.com", Viewer)
		path := "/api/v1/users/" + u.ID
		if r := b.send("PATCH", path, `{"role":"editor"}`); r.StatusCode != 428 {
			t.Errorf("no version: %d %s", r.StatusCode, r.body)
		}
		r := b.send("PATCH", path, `{"role":"editor"}`, "If-Match: "+u.Version)
		if r.StatusCode != 200 || r.Header.Get("ETag") == u.Version {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if r := b.send("PATCH", path, `{"role":"admin"}`, "If-Match: "+u.Version); r.StatusCode != 412 {
			t.Errorf("old version: %d %s", r.StatusCode, r.body)
		}
		if r := b.send("PATCH", path, `{"name":"New"}`, "If-Match: "+r.Header.Get("ETag")); r.StatusCode != 200 {
			t.Errorf("new version: %d %s", r.StatusCode, r.body)
		}
		changes := h.entries("access.role_changed")
		var data struct{ Before, After struct{ Role Role } }
		h.must(json.Unmarshal(changes[0].Data, &data))
		if len(changes) != 1 || data.Before.Role != Viewer || data.After.Role != Editor || changes[0].Subject != u.Ref() {
			t.Errorf("%+v", changes)
		}
	})
}

func TestRoleTakesEffectAtTheNextRequest(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		u := h.person("tanaka@example.com", Viewer)
		b := h.browser()
		b.signIn("tanaka@example.com")
		if r := b.send("GET", "/api/v1/users", ""); r.StatusCode != 403 {
			t.Fatalf("viewer: %d", r.StatusCode)
		}
		_, err := h.ChangeUser(h.ctx(), u.ID, any1, UserChange{Role: ptr(Responder)})
		h.must(err)
		if r := b.send("GET", "/api/v1/users", ""); r.StatusCode != 200 {
			t.Errorf("responder: %d", r.StatusCode)
		}
	})
}

func TestDisablingEndsSessionsTokensAndLinksAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.admin()
		u := h.person("tanaka@example.com", Admin)
		b := h.browser()
		b.signIn("tanaka@example.com")
		token := b.token(`{"name":"mine","scopes":["slo:read"]}`)
		service := b.token(`{"name":"ci","kind":"service","scopes":["slo:read"]}`)
		link, err := h.SignInLink(h.ctx(), "tanaka@example.com")
		h.must(err)

		u, err = h.User(h.ctx(), u.ID)
		h.must(err)
		if r := admin.send("PATCH", "/api/v1/users/"+u.ID, `{"disabled":true}`, "If-Match: "+u.Version); r.StatusCode != 200 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if _, status := b.me(); status != 401 {
			t.Errorf("session: %d", status)
		}
		if status := h.with(token); status != 401 {
			t.Errorf("personal token: %d", status)
		}
		if status := h.with(service); status != 200 {
			t.Errorf("a service token ended with its maker: %d", status)
		}
		_, err = h.SignInByLink(h.t.Context(), tokenIn(t, link), Visit{})
		h.refused("access.dead_link", err)
		_, err = h.Invite(h.ctx(), u.ID)
		h.refused("access.disabled", err)
		_, err = h.SignIn(h.t.Context(), "tanaka@example.com", password, Visit{})
		h.refused("access.wrong_password", err)
		// They ended: enabling the person again does not bring them back.
		_, err = h.ChangeUser(h.ctx(), u.ID, any1, UserChange{Disabled: ptr(false)})
		h.must(err)
		if _, status := b.me(); status != 401 || h.with(token) != 401 {
			t.Errorf("enabled again: session %d, token %d", status, h.with(token))
		}
		_, err = h.SignInByLink(h.t.Context(), tokenIn(t, link), Visit{})
		h.refused("access.dead_link", err)
	})
}

func TestLastAdministratorStays(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.person(adminLogin, Admin)
		// One who was only invited cannot administer yet.
		invited, _, err := h.AddUser(h.ctx(), NewUser{Login: "new@example.com", Name: "New", Role: Admin})
		h.must(err)
		for name, c := range map[string]UserChange{"disable": {Disabled: ptr(true)}, "demote": {Role: ptr(Editor)}} {
			_, err := h.ChangeUser(h.ctx(), admin.ID, any1, c)
			h.refused("access.last_admin", err)
			if u, _ := h.User(h.ctx(), admin.ID); u.Role != Admin || u.State != Active {
				t.Errorf("%s changed it nevertheless: %+v", name, u)
			}
		}
		_, err = h.ChangeUser(h.ctx(), invited.ID, any1, UserChange{Role: ptr(Viewer)})
		h.must(err)
		h.person("second@example.com", Admin)
		_, err = h.ChangeUser(h.ctx(), admin.ID, any1, UserChange{Role: ptr(Editor)})
		h.must(err)
	})
}

func TestTwoAdministratorsCannotRemoveEachOther(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		first, second := h.person(adminLogin, Admin), h.person("second@example.com", Admin)
		var late error
		var other sync.WaitGroup
		disable := UserChange{Disabled: ptr(true)}
		_, early := h.ChangeUser(h.ctx(), first.ID, func(string) error {
			// In the midst of the one change, the other begins, and comes as far as it can.
			arrived := make(chan struct{})
			other.Go(func() {
				_, late = h.ChangeUser(h.ctx(), second.ID, func(string) error { close(arrived); return nil }, disable)
			})
			h.untilWaiting(arrived)
			return nil
		}, disable)
		other.Wait()
		h.must(early)
		h.refused("access.last_admin", late)
	})
}

// untilWaiting returns once another transaction waits for this one, or got
// through. SQLite has one writer, so there the other has not even begun.
func (h *house) untilWaiting(arrived <-chan struct{}) {
	h.t.Helper()
	for waiting := 0; waiting == 0 && h.db.Dialect() == database.Postgres; {
		select {
		case <-arrived:
			return
		default:
		}
		h.must(h.db.Read().QueryRowContext(h.t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting))
	}
}

func TestPersonsChangeThemselvesButNotTheirRole(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		u := h.person("tanaka@example.com", Viewer)
		b := h.browser()
		b.signIn("tanaka@example.com")
		if r := b.send("PATCH", "/api/v1/me", `{"name":"たなか","language":"ja"}`); r.StatusCode != 200 || !strings.Contains(r.body, "たなか") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if r := b.send("PATCH", "/api/v1/me", `{"role":"admin"}`); r.StatusCode != 422 {
			t.Errorf("own role: %d", r.StatusCode)
		}
		if r := b.send("PATCH", "/api/v1/users/"+u.ID, `{"role":"admin"}`, "If-Match: *"); r.StatusCode != 403 {
			t.Errorf("own role as a user: %d", r.StatusCode)
		}
		if r := b.send("GET", "/api/v1/users/"+u.ID, ""); r.StatusCode != 200 || strings.Contains(r.body, "argon2") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	})
}

func TestListOfPeopleIsPaged(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.admin()
		want := []string{adminLogin}
		for _, l := range []string{"a_1@example.com", "a21@example.com", "z%@example.com"} {
			_, err := h.EnsureUser(h.ctx(), NewUser{Login: l, Name: "N", Role: Viewer})
			h.must(err)
			want = append(want, l)
		}
		var got []string
		for cursor := ""; ; {
			r := b.send("GET", "/api/v1/users?limit=2&cursor="+cursor, "")
			var page httpapi.Page[User]
			h.must(json.Unmarshal([]byte(r.body), &page))
			for _, u := range page.Items {
				got = append(got, u.Login)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if len(got) != len(want) || got[0] != "a21@example.com" && got[0] != "a_1@example.com" {
			t.Errorf("%v", got)
		}
		if r := b.send("GET", "/api/v1/users?q=a_1", ""); strings.Count(r.body, `"login"`) != 1 {
			t.Errorf("_ matched anything: %s", r.body)
		}
		if r := b.send("GET", "/api/v1/users?cursor=bad", ""); r.StatusCode != 422 {
			t.Errorf("%d", r.StatusCode)
		}
	})
}

func (b *browser) token(body string) string {
	b.h.t.Helper()
	r := b.send("POST", "/api/v1/tokens", body)
	var made IssuedToken
	if r.StatusCode != 201 || json.Unmarshal([]byte(r.body), &made) != nil {
		b.h.t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	return made.Token
}

// with asks who a token is.
func (h *house) with(token string) int {
	h.t.Helper()
	return h.browser().send("GET", "/api/v1/me", "", "Authorization: Bearer "+token).StatusCode
}

func TestTokensAreScopedExpiringAndRevocable(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.admin()
		token := b.token(`{"name":"ci","scopes":["access:read"],"days":7}`)
		use := func(method, path, body string) int {
			return h.browser().send(method, path, body, "Authorization: Bearer "+token).StatusCode
		}
		if got := use("GET", "/api/v1/users", ""); got != 200 {
			t.Errorf("within its scope: %d", got)
		}
		if got := use("POST", "/api/v1/users", `{"login":"x@example.com","name":"x","role":"admin"}`); got != 403 {
			t.Errorf("beyond its scope, though its person is an administrator: %d", got)
		}
		if got := use("POST", "/api/v1/tokens", `{"name":"more","scopes":["access:admin"]}`); got != 403 {
			t.Errorf("a token made a stronger one: %d", got)
		}
		var page httpapi.Page[TokenInfo]
		h.must(json.Unmarshal([]byte(b.send("GET", "/api/v1/tokens", "").body), &page))
		one := page.Items[0]
		if len(page.Items) != 1 || !strings.HasPrefix(token, strings.TrimSuffix(one.Hint, "…")) || one.LastUsedAt == nil || !one.LastUsedAt.Equal(h.now) {
			t.Errorf("%+v", page.Items)
		}
		child := h.browser().send("POST", "/api/v1/tokens", `{"name":"child","scopes":["access:read"],"days":300}`, "Authorization: Bearer "+token)
		var made IssuedToken
		h.must(json.Unmarshal([]byte(child.body), &made))
		if made.Info.ExpiresAt.After(one.ExpiresAt) {
			t.Error("a token's token outlives it")
		}
		h.now = h.now.Add(7 * 24 * time.Hour)
		if got := h.with(token); got != 401 {
			t.Errorf("expired: %d", got)
		}
		b.signIn(adminLogin)
		second := b.token(`{"name":"second","scopes":["slo:read"]}`)
		h.must(json.Unmarshal([]byte(b.send("GET", "/api/v1/tokens", "").body), &page))
		if r := b.send("DELETE", "/api/v1/tokens/"+page.Items[0].ID, ""); r.StatusCode != 204 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if got := h.with(second); got != 401 {
			t.Errorf("revoked: %d", got)
		}
		if n := len(h.entries("access.token_created")); n != 3 {
			t.Errorf("%d created in the journal", n)
		}
		if e := h.entries("access.token_revoked"); len(e) != 1 || strings.Contains(string(e[0].Data), second) {
			t.Errorf("%+v", e)
		}
	})
}

// TestLeakedTokenCannotLockItsPersonOut: a token in somebody's dashboard reaches
// neither the sessions of its person nor tokens that may do more.
func TestLeakedTokenCannotLockItsPersonOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("tanaka@example.com", Editor)
		b := h.browser()
		b.signIn("tanaka@example.com")
		info := func(body string) (made IssuedToken) {
			h.must(json.Unmarshal([]byte(b.send("POST", "/api/v1/tokens", body).body), &made))
			return made
		}
		leaked := info(`{"name":"dashboard","scopes":["slo:read"]}`)
		strong := info(`{"name":"ci","scopes":["slo:read","ascode:write"]}`)
		equal := info(`{"name":"other dashboard","scopes":["slo:read"]}`)
		var me Me
		h.must(json.Unmarshal([]byte(b.send("GET", "/api/v1/me", "").body), &me))
		with := func(method, path string) int {
			return h.browser().send(method, path, "", "Authorization: Bearer "+leaked.Token).StatusCode
		}
		for call, want := range map[string]int{
			"GET /api/v1/sessions": 403, "DELETE /api/v1/sessions": 403, "DELETE /api/v1/sessions/" + me.SessionID: 404,
			"DELETE /api/v1/tokens/" + strong.Info.ID: 404, "DELETE /api/v1/tokens/" + equal.Info.ID: 204,
		} {
			method, path, _ := strings.Cut(call, " ")
			if got := with(method, path); got != want {
				t.Errorf("%s: %d, want %d", call, got, want)
			}
		}
		if _, status := b.me(); status != 200 || h.with(strong.Token) != 200 {
			t.Errorf("locked out: %d", status)
		}
		if got := with("DELETE", "/api/v1/tokens/"+leaked.Info.ID); got != 204 {
			t.Errorf("a token cannot revoke itself: %d", got)
		}
	})
}

func TestPersonalTokenShrinksWithItsPerson(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Admin)
		u := h.person("tanaka@example.com", Editor)
		b := h.browser()
		b.signIn("tanaka@example.com")
		token := b.token(`{"name":"mine","scopes":["slo:write","slo:read"]}`)
		_, err := h.ChangeUser(h.ctx(), u.ID, any1, UserChange{Role: ptr(Viewer)})
		h.must(err)
		var me Me
		h.must(json.Unmarshal([]byte(h.browser().send("GET", "/api/v1/me", "", "Authorization: Bearer "+token).body), &me))
		if diff := cmp.Diff([]httpapi.Scope{SLORead}, me.Scopes); diff != "" || me.Kind != Token || me.Role != Viewer {
			t.Errorf("%+v %s", me, diff)
		}
	})
}

func TestTamperedTokensAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.admin()
		token := b.token(`{"name":"ci","scopes":["slo:read"]}`)
		if h.with(token) != 200 {
			t.Fatal("the token itself is refused")
		}
		last := byte('A')
		if token[len(token)-1] == 'A' {
			last = 'B'
		}
		for name, bad := range map[string]string{
			"last digit": token[:len(token)-1] + string(last), "cut": token[:len(token)-1], "longer": token + "0", "empty": "",
			"well-formed but never issued": newToken(), "another prefix": "gh_" + token[3:], "hash of it": digest(token),
		} {
			if got := h.with(bad); got != 401 {
				t.Errorf("%s: %d", name, got)
			}
		}
		// A bad token is not rescued by a good session.
		if r := b.send("GET", "/api/v1/me", "", "Authorization: Bearer "+newToken()); r.StatusCode != 401 || !strings.Contains(r.body, "access.token_invalid") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if r := b.send("GET", "/api/v1/me", "", "Authorization: Basic YTpi"); r.StatusCode != 401 {
			t.Errorf("Basic: %d", r.StatusCode)
		}
	})
}

func TestOnlyAdministratorsMakeServiceTokens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person("tanaka@example.com", Editor)
		b := h.browser()
		b.signIn("tanaka@example.com")
		for body, want := range map[string]int{
			`{"name":"ci","kind":"service","scopes":["slo:read"]}`: 403,
			`{"name":"ci","scopes":["access:admin"]}`:              403,
			`{"name":"ci","scopes":["nonsense"]}`:                  422,
			`{"name":"ci","scopes":[]}`:                            422,
			`{"name":"ci","scopes":["slo:read"],"days":9999}`:      422,
			`{"name":"","scopes":["slo:read"]}`:                    422,
		} {
			if r := b.send("POST", "/api/v1/tokens", body); r.StatusCode != want {
				t.Errorf("%s: %d %s", body, r.StatusCode, r.body)
			}
		}
		if r := b.send("GET", "/api/v1/tokens?all=true", ""); r.StatusCode != 403 {
			t.Errorf("everybody's tokens: %d", r.StatusCode)
		}
		admin := h.admin()
		token := admin.token(`{"name":"ci","kind":"service","scopes":["ascode:write"]}`)
		ctx := h.acting(token)
		p, _ := From(ctx)
		if p.Role != Editor || p.UserID != "" || MayEdit(ctx, "payments") != nil {
			t.Errorf("%+v", p)
		}
	})
}

// acting is the context in which a token acts.
func (h *house) acting(token string) context.Context {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "/", nil)
	h.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	ctx, err := h.Authorize(r, httpapi.SignedIn)
	h.must(err)
	return ctx
}

func TestOwnersEditWhatTheirTeamOwns(t *testing.T) {
	ctx := func(u User) context.Context { return WithPrincipal(t.Context(), u.principal()) }
	owner := ctx(User{ID: "1", Role: Viewer, Teams: []string{"team:payments"}})
	for _, c := range []struct {
		name string
		ctx  context.Context
		team string
		want string
	}{
		{"owner", owner, "payments", ""},
		{"owner, by reference", owner, "group:default/Payments", ""},
		{"owner, another team", owner, "search", "access.not_owner"},
		{"owner, nobody's", owner, "", "access.not_editor"},
		{"responder", ctx(User{ID: "2", Role: Responder}), "payments", "access.not_owner"},
		{"editor", ctx(User{ID: "3", Role: Editor}), "search", ""},
		{"editor, nobody's", ctx(User{ID: "3", Role: Editor}), "", ""},
		{"system", AsSystem(t.Context()), "search", ""},
		{"nobody", t.Context(), "payments", "access.sign_in_required"},
	} {
		err := MayEdit(c.ctx, c.team)
		f, _ := fault.As(err)
		if (c.want == "") != (err == nil) || err != nil && f.Code != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if Require(owner, SLOWrite) != nil || Require(owner, AccessAdmin) == nil {
		t.Error("owning a team adds the wrong scopes")
	}
}

func TestRolesGrow(t *testing.T) {
	order := []Role{Viewer, Responder, Editor, Admin}
	for i, r := range order {
		for j, other := range order {
			if r.AtLeast(other) != (i >= j) {
				t.Errorf("%s.AtLeast(%s) = %v", r, other, r.AtLeast(other))
			}
		}
		if i > 0 && len(intersect(order[i-1].Scopes(), r.Scopes())) != len(order[i-1].Scopes()) {
			t.Errorf("%s lacks what %s has", r, order[i-1])
		}
	}
	if Role("root").AtLeast(Viewer) || Role("root").Scopes() != nil || Role("").AtLeast(Role("root")) {
		t.Error("an unknown role may something")
	}
}

// What a room's operation asks for is what some role has.
func TestEveryOperationAsksForAKnownScope(t *testing.T) {
	api := httpapi.New(httpapi.Options{})
	New(Deps{}).Register(api)
	if missing := api.Unguarded(); len(missing) > 0 {
		t.Errorf("operations without a scope: %v", missing)
	}
	admin := Principal{Scopes: AllScopes()}
	for pattern, scope := range api.Scopes() {
		if !admin.Has(scope) {
			t.Errorf("%s needs %s, which nobody has", pattern, scope)
		}
	}
}

func TestJournalAndChangeStandOrFallTogether(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		broken := errors.New("subscriber refuses")
		h.journal.Subscribe("access.user_added", "test", refuse(broken))
		if _, _, err := h.AddUser(h.ctx(), NewUser{Login: "x@example.com", Name: "X", Role: Viewer}); !errors.Is(err, broken) {
			t.Fatalf("%v", err)
		}
		if _, err := getUserByLogin(h.t.Context(), h.read(), "x@example.com"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the person was added without an entry: %v", err)
		}
		h.journal.Subscribe("access.signed_in", "test", refuse(broken))
		u, err := h.EnsureUser(h.ctx(), NewUser{Login: adminLogin, Name: "X", Role: Viewer})
		if err == nil {
			t.Fatal(u)
		}
	})
}

func TestRoleTextsExistInBothLanguages(t *testing.T) {
	for i := range roles {
		r := &roles[i]
		for _, b := range []text.Both{r.title, r.about} {
			if b.EN == "" || b.JA == "" || b.EN == b.JA {
				t.Errorf("%s: %+v", r.role, b)
			}
		}
	}
}

package access

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/database/dbtest"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
)

// cheap makes hashing quick; its cost is not what most tests are about.
var cheap = Argon2{MemoryKiB: 64, Passes: 1, Threads: 1}

const (
	adminLogin = "sato@example.com"
	password   = "harbour lantern 42"
)

// house is the room on a database, behind a server, with a clock of its own.
type house struct {
	*Service
	t   *testing.T
	now time.Time
	api *httpapi.API
	web *httptest.Server
	log bytes.Buffer
}

func each(t *testing.T, f func(t *testing.T, h *house)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB) { f(t, newHouse(t, db)) },
		dbtest.Room{Name: "journal", Files: journal.Migrations}, dbtest.Room{Name: "access", Files: Migrations})
}

func newHouse(t *testing.T, db *database.DB) *house {
	h := &house{t: t, now: time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return h.now }
	h.web = httptest.NewUnstartedServer(nil)
	base := "http://" + h.web.Listener.Addr().String()
	log := slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.Service = New(Deps{DB: db, Journal: journal.New(db, clock), Now: clock, BaseURL: base, Log: log, Passwords: cheap})
	h.api = httpapi.New(httpapi.Options{Title: "Test", Version: "1", BaseURL: base, Authorizer: h.Service, Now: clock, Log: log})
	h.Register(h.api)
	h.web.Config.Handler = h.api.Handler()
	h.web.Start()
	t.Cleanup(h.web.Close)
	return h
}

func (h *house) ctx() context.Context { return AsSystem(h.t.Context()) }

// person adds an active person with the common password.
func (h *house) person(login string, role Role, teams ...string) User {
	h.t.Helper()
	u, link, err := h.AddUser(h.ctx(), NewUser{Login: login, Name: "Hanako", Role: role, Teams: teams})
	h.must(err)
	_, err = h.Accept(h.t.Context(), tokenIn(h.t, link.URL), "Hanako", password, Visit{})
	h.must(err)
	u, err = h.User(h.ctx(), u.ID)
	h.must(err)
	return u
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// refused fails unless err is a fault with this code.
func (h *house) refused(code string, err error) {
	h.t.Helper()
	if f, ok := fault.As(err); !ok || f.Code != code {
		h.t.Errorf("got %v, want the fault %s", err, code)
	}
}

func tokenIn(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}

// entries are the kinds in the journal, oldest first.
func (h *house) entries(kinds ...string) []journal.Entry {
	h.t.Helper()
	found, _, err := h.journal.List(h.t.Context(), journal.Filter{Kinds: kinds, Limit: 200})
	h.must(err)
	for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
		found[i], found[j] = found[j], found[i]
	}
	return found
}

// browser keeps cookies and follows no redirect.
type browser struct {
	h *house
	*http.Client
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	h.must(err)
	return &browser{h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

type reply struct {
	*http.Response
	body string
}

// send sends a request with headers given as "Name: value".
func (b *browser) send(method, path, body string, headers ...string) reply {
	b.h.t.Helper()
	r, err := http.NewRequestWithContext(b.h.t.Context(), method, b.h.web.URL+path, strings.NewReader(body))
	b.h.must(err)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		k, v, _ := strings.Cut(line, ": ")
		r.Header.Set(k, v)
	}
	res, err := b.Do(r)
	b.h.must(err)
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	b.h.must(err)
	return reply{res, string(all)}
}

func (b *browser) post(path string, form url.Values, headers ...string) reply {
	b.h.t.Helper()
	return b.send(http.MethodPost, path, form.Encode(), append([]string{"Content-Type: application/x-www-form-urlencoded"}, headers...)...)
}

func (b *browser) signIn(login string) reply {
	b.h.t.Helper()
	return b.post("/signin", url.Values{"login": {login}, "password": {password}, "next": {"/slos?q=a"}})
}

func (b *browser) me() (Me, int) {
	b.h.t.Helper()
	r := b.send(http.MethodGet, "/api/v1/me", "")
	var me Me
	_ = json.Unmarshal([]byte(r.body), &me)
	return me, r.StatusCode
}

func (b *browser) cookie(name string) string {
	u, _ := url.Parse(b.h.web.URL)
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestFirstRunEndsWithOneAdministratorAndALinkThatIsSpent(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		link, err := h.SetupLink(h.t.Context())
		h.must(err)
		another, err := h.SetupLink(h.t.Context())
		h.must(err)
		b := h.browser()
		path := strings.TrimPrefix(link, h.web.URL)
		if r := b.send("GET", path, ""); r.StatusCode != 200 || !strings.Contains(r.body, `action="/setup"`) || r.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		form := url.Values{"token": {tokenIn(t, link)}, "login": {"Sato@Example.com "}, "name": {"佐藤"}, "password": {"short"}}
		if r := b.post("/setup", form); r.StatusCode != 422 || !strings.Contains(r.body, "fewer than 12") || !strings.Contains(r.body, `value="佐藤"`) {
			t.Fatalf("weak password: %d %s", r.StatusCode, r.body)
		}
		form.Set("password", password)
		if r := b.post("/setup", form); r.StatusCode != 303 || r.Header.Get("Location") != "/" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		me, status := b.me()
		if status != 200 || me.Role != Admin || me.Login != adminLogin || me.Name != "佐藤" || !me.Password {
			t.Errorf("%d %+v", status, me)
		}
		for _, l := range []string{link, another} {
			form.Set("token", tokenIn(t, l))
			form.Set("login", "intruder@example.com")
			if r := h.browser().post("/setup", form); r.StatusCode != 410 {
				t.Errorf("a second administrator by a set-up link: %d", r.StatusCode)
			}
		}
		if again, err := h.SetupLink(h.t.Context()); err != nil || again != "" {
			t.Errorf("SetupLink with an administrator = %q, %v", again, err)
		}
		got := h.entries("access.*")
		if len(got) != 2 || got[0].Kind != "access.user_added" || got[1].Kind != "access.signed_in" || got[1].Actor.Name != "佐藤" || got[1].Cause == "" {
			t.Errorf("journal: %+v", got)
		}
	})
}

func TestLinksExpireAndServeOnePurposeOnly(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		setup, err := h.SetupLink(h.t.Context())
		h.must(err)
		h.person(adminLogin, Admin)
		signin, err := h.SignInLink(h.ctx(), adminLogin)
		h.must(err)
		_, err = h.SignInByLink(h.t.Context(), tokenIn(t, setup), Visit{})
		h.refused("access.dead_link", err)
		_, err = h.Accept(h.t.Context(), tokenIn(t, signin), "x", password, Visit{})
		h.refused("access.dead_link", err)
		_, err = h.SignInByLink(h.t.Context(), "", Visit{})
		h.refused("access.dead_link", err)
		h.now = h.now.Add(time.Hour)
		_, err = h.SignInByLink(h.t.Context(), tokenIn(t, signin), Visit{})
		h.refused("access.dead_link", err)
	})
}

func TestSignInLinkAsksBeforeItSignsInAndWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, err := h.EnsureUser(h.ctx(), NewUser{Login: adminLogin, Name: "当番", Role: Admin})
		h.must(err)
		same, err := h.EnsureUser(h.ctx(), NewUser{Login: adminLogin, Name: "Another name", Role: Viewer})
		h.must(err)
		if same.Name != "当番" || same.State != Invited {
			t.Errorf("%+v", same)
		}
		link, err := h.SignInLink(h.ctx(), adminLogin)
		h.must(err)
		path := strings.TrimPrefix(link, h.web.URL)
		b := h.browser()
		for range 2 { // looking, as a mail scanner does, does not spend it
			if r := b.send("GET", path, ""); r.StatusCode != 200 || !strings.Contains(r.body, "当番") {
				t.Fatalf("%d %s", r.StatusCode, r.body)
			}
		}
		form := url.Values{"token": {tokenIn(t, link)}, "next": {"/slos"}}
		if r := b.post("/signin", form); r.StatusCode != 303 || r.Header.Get("Location") != "/slos" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if me, status := b.me(); status != 200 || me.Role != Admin || me.Password {
			t.Errorf("%d %+v", status, me)
		}
		if r := h.browser().post("/signin", form); r.StatusCode != 410 {
			t.Errorf("twice: %d", r.StatusCode)
		}
		if r := h.browser().send("GET", path, "", "Accept-Language: ja"); r.StatusCode != 410 || !strings.Contains(r.body, "使用済み") || !strings.Contains(r.body, `name="password"`) {
			t.Errorf("a used link leads nowhere: %d %s", r.StatusCode, r.body)
		}
	})
}

func TestSigningInAndOut(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		u := h.person(adminLogin, Editor, "payments")
		b := h.browser()
		if _, status := b.me(); status != 401 {
			t.Fatalf("before: %d", status)
		}
		r := b.signIn(" SATO@example.com ")
		if r.StatusCode != 303 || r.Header.Get("Location") != "/slos?q=a" {
			t.Fatalf("%d %s %s", r.StatusCode, r.Header.Get("Location"), r.body)
		}
		for _, c := range r.Cookies() {
			if c.Name == SessionCookie && (!c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure) {
				t.Errorf("cookie: %+v", c)
			}
		}
		me, status := b.me()
		if status != 200 || me.ID != u.ID || me.Role != Editor || me.Teams[0] != "team:payments" {
			t.Errorf("%d %+v", status, me)
		}
		if r := b.send("GET", "/signin?next=/journal", ""); r.StatusCode != 303 || r.Header.Get("Location") != "/journal" {
			t.Errorf("signed in already: %d %s", r.StatusCode, r.Header.Get("Location"))
		}
		old := b.cookie(SessionCookie)
		if r := b.post("/signout", url.Values{}); r.StatusCode != 303 || b.cookie(SessionCookie) != "" {
			t.Errorf("%d, cookie %q", r.StatusCode, b.cookie(SessionCookie))
		}
		if r := h.browser().send("GET", "/api/v1/me", "", "Cookie: "+SessionCookie+"="+old); r.StatusCode != 401 {
			t.Errorf("the session lives on after signing out: %d", r.StatusCode)
		}
		var kinds []string
		for _, e := range h.entries("access.signed_in", "access.signed_out") {
			kinds = append(kinds, e.Kind)
		}
		if got := strings.Join(kinds, " "); got != "access.signed_in access.signed_in access.signed_out" { // the first: the invitation
			t.Errorf("journal: %s", got)
		}
	})
}

func TestCookieInsistsOnHTTPSWhereItIsServedSo(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		h.secure = true
		for _, c := range h.browser().signIn(adminLogin).Cookies() {
			if !c.Secure {
				t.Errorf("%s is not Secure", c.Name)
			}
		}
	})
}

func TestWrongPasswordAndUnknownPersonLookTheSame(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		disabled := h.person("gone@example.com", Viewer)
		_, err := h.ChangeUser(h.ctx(), disabled.ID, any1, UserChange{Disabled: ptr(true)})
		h.must(err)
		var derivations []uint32
		derive := h.hasher.derive
		h.hasher.derive = func(p, s []byte, passes, memory uint32, threads uint8, n uint32) []byte {
			derivations = append(derivations, memory*passes)
			return derive(p, s, passes, memory, threads, n)
		}
		answer := func(login, pw string) (int, string) {
			r := h.browser().post("/signin", url.Values{"login": {login}, "password": {pw}})
			return r.StatusCode, strings.ReplaceAll(r.body, login, "")
		}
		status, want := answer(adminLogin, "not the password")
		if status != 401 || !strings.Contains(want, `role="alert"`) {
			t.Fatalf("%d %s", status, want)
		}
		for _, c := range []struct{ login, password string }{
			{"nobody@example.com", password}, {"gone@example.com", password},
		} {
			if s, body := answer(c.login, c.password); s != status || body != want {
				t.Errorf("%s: %d, differs from a wrong password", c.login, s)
			}
		}
		if len(derivations) != 3 || derivations[0] != derivations[1] || derivations[1] != derivations[2] {
			t.Errorf("work done for wrong, unknown, disabled: %v", derivations)
		}
		failed := h.entries("access.sign_in_failed")
		if len(failed) != 3 || strings.Contains(string(failed[1].Data), "nobody") {
			t.Errorf("journal: %+v", failed)
		}
	})
}

func any1(string) error { return nil }
func ptr[T any](v T) *T { return &v }

func TestGuessingSlowsDownAndIsForgiven(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		try := func(pw, from string) error {
			_, err := h.SignIn(h.t.Context(), adminLogin, pw, Visit{Address: addr(from)})
			return err
		}
		for i := range perAccount.free {
			h.refused("access.wrong_password", try("wrong", "192.0.2."+string(rune('1'+i))))
		}
		err := try(password, "192.0.2.9")
		h.refused("access.too_many_attempts", err)
		if f, _ := fault.As(err); f.RetryAfter != perAccount.first {
			t.Errorf("RetryAfter %s", f.RetryAfter)
		}
		// It outlives the process: another service over the same tables refuses too.
		other := New(Deps{DB: h.db, Journal: h.journal, Now: func() time.Time { return h.now }, Passwords: cheap})
		_, err = other.SignIn(h.t.Context(), adminLogin, password, Visit{Address: addr("192.0.2.9")})
		h.refused("access.too_many_attempts", err)
		// Refused attempts do not make the wait longer.
		h.now = h.now.Add(perAccount.first)
		h.must(try(password, "192.0.2.9"))
		h.refused("access.wrong_password", try("wrong", "192.0.2.9")) // forgiven: counted from the beginning
		h.refused("access.wrong_password", try("wrong", "192.0.2.9"))
	})
}

func TestNobodyIsLockedOutForGood(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		for range 40 {
			_, err := h.SignIn(h.t.Context(), adminLogin, "wrong", Visit{Address: addr("192.0.2.1")})
			if f, ok := fault.As(err); ok && f.RetryAfter > 0 {
				if f.RetryAfter > perAccount.longest {
					t.Fatalf("must wait %s", f.RetryAfter)
				}
				h.now = h.now.Add(f.RetryAfter)
			}
		}
		h.now = h.now.Add(perAccount.longest)
		_, err := h.SignIn(h.t.Context(), adminLogin, password, Visit{Address: addr("192.0.2.1")})
		h.must(err)
	})
}

func TestGuessesElsewhereDoNotStopAKnownBrowser(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		h.person("other@example.com", Viewer)
		o, err := h.SignIn(h.t.Context(), adminLogin, password, Visit{Address: addr("192.0.2.1")})
		h.must(err)
		for range perAccount.free {
			_, err := h.SignIn(h.t.Context(), adminLogin, "wrong", Visit{Address: addr("198.51.100.1")})
			h.refused("access.wrong_password", err)
		}
		_, err = h.SignIn(h.t.Context(), adminLogin, password, Visit{Address: addr("192.0.2.1")})
		h.refused("access.too_many_attempts", err)
		_, err = h.SignIn(h.t.Context(), adminLogin, password, Visit{Address: addr("192.0.2.1"), Device: o.DeviceSecret})
		h.must(err)
		// A browser known for one account counts for no other.
		for range perAccount.free {
			_, err := h.SignIn(h.t.Context(), "other@example.com", "wrong", Visit{Address: addr("198.51.100.2"), Device: o.DeviceSecret})
			h.refused("access.wrong_password", err)
		}
		_, err = h.SignIn(h.t.Context(), "other@example.com", password, Visit{Address: addr("198.51.100.2"), Device: o.DeviceSecret})
		h.refused("access.too_many_attempts", err)
	})
}

func TestOneAddressCannotTryEveryAccount(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		for i := range perAddress.free {
			_, err := h.SignIn(h.t.Context(), "p"+string(rune('a'+i%26))+string(rune('a'+i/26))+"@example.com", "wrong", Visit{Address: addr("2001:db8::1")})
			h.refused("access.wrong_password", err)
		}
		_, err := h.SignIn(h.t.Context(), adminLogin, password, Visit{Address: addr("2001:db8::ffff")}) // the same network
		h.refused("access.too_many_attempts", err)
		_, err = h.SignIn(h.t.Context(), adminLogin, password, Visit{Address: addr("2001:db8:0:1::1")})
		h.must(err)
	})
}

func TestTooManyAttemptsSayWhenToComeBack(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		form := url.Values{"login": {adminLogin}, "password": {"wrong"}}
		for range perAccount.free {
			h.browser().post("/signin", form)
		}
		r := h.browser().post("/signin", form, "Accept-Language: ja")
		if r.StatusCode != 429 || r.Header.Get("Retry-After") != "30" || !strings.Contains(r.body, "1 分後") {
			t.Errorf("%d %q %s", r.StatusCode, r.Header.Get("Retry-After"), r.body)
		}
	})
}

func TestPlantedSessionIsWorthNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Admin)
		h.person("attacker@example.com", Viewer)
		attacker := h.browser()
		attacker.signIn("attacker@example.com")
		planted := attacker.cookie(SessionCookie)

		victim := h.browser()
		u, _ := url.Parse(h.web.URL)
		victim.Jar.SetCookies(u, []*http.Cookie{{Name: SessionCookie, Value: planted, Path: "/"}})
		if r := victim.signIn(adminLogin); r.StatusCode != 303 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		if victim.cookie(SessionCookie) == planted {
			t.Error("the session's secret was not changed at sign-in")
		}
		if _, status := attacker.me(); status != 401 {
			t.Errorf("the planted session is still alive: %d", status)
		}
		if r := victim.send("GET", "/api/v1/me", "", "Cookie: "+SessionCookie+"=made-up"); r.StatusCode != 401 {
			t.Errorf("a made-up session: %d", r.StatusCode)
		}
	})
}

func TestSessionsEndWhenIdleAndInTheEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		b := h.browser()
		b.signIn(adminLogin)
		secret := "Cookie: " + SessionCookie + "=" + b.cookie(SessionCookie)
		alive := func() int { return h.browser().send("GET", "/api/v1/me", "", secret).StatusCode }
		for range 9 { // used every few days, it lives on
			h.now = h.now.Add(sessionIdle - time.Minute)
			if alive() != 200 {
				t.Fatal("ended although it was used")
			}
		}
		if err := h.Sweep(h.t.Context()); err != nil || alive() != 200 {
			t.Fatalf("swept away: %v", err)
		}
		h.now = h.now.Add(sessionLife)
		if alive() != 401 {
			t.Error("lives beyond its end")
		}

		b.signIn(adminLogin)
		secret = "Cookie: " + SessionCookie + "=" + b.cookie(SessionCookie)
		h.now = h.now.Add(sessionIdle)
		if alive() != 401 {
			t.Error("lives although it was idle")
		}
	})
}

func TestAnOpenStreamDoesNotKeepASessionFromGoingIdle(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		b := h.browser()
		b.signIn(adminLogin)
		h.now = h.now.Add(sessionIdle / 2)
		b.send("GET", "/api/v1/me", "", "Accept: text/event-stream")
		h.now = h.now.Add(sessionIdle / 2)
		if _, status := b.me(); status != 401 {
			t.Errorf("%d", status)
		}
	})
}

func TestSessionsAreListedAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		stranger := h.person("other@example.com", Viewer)
		here, there, far := h.browser(), h.browser(), h.browser()
		for _, b := range []*browser{here, there, far} {
			h.now = h.now.Add(time.Second)
			b.signIn(adminLogin)
		}
		list := func(b *browser, query string) (page httpapi.Page[Session], status int) {
			r := b.send("GET", "/api/v1/sessions"+query, "")
			_ = json.Unmarshal([]byte(r.body), &page)
			return page, r.StatusCode
		}
		got, _ := list(here, "")
		if len(got.Items) != 4 || got.Items[0].Current || got.Items[2].Current != true || got.Items[0].Agent == "" || got.Items[0].Address != "127.0.0.1" {
			t.Fatalf("%+v", got.Items)
		}
		if _, status := list(here, "?user="+stranger.ID); status != 403 {
			t.Errorf("another person's sessions: %d", status)
		}
		foreign := h.browser()
		foreign.signIn("other@example.com")
		if r := foreign.send("DELETE", "/api/v1/sessions/"+got.Items[0].ID, ""); r.StatusCode != 404 {
			t.Errorf("another person's session was ended: %d", r.StatusCode)
		}
		if r := here.send("DELETE", "/api/v1/sessions/"+got.Items[0].ID, ""); r.StatusCode != 204 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if _, status := far.me(); status != 401 {
			t.Errorf("a revoked session answers %d", status)
		}
		if r := here.send("DELETE", "/api/v1/sessions", ""); r.StatusCode != 204 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		_, other := there.me()
		_, own := here.me()
		if other != 401 || own != 200 {
			t.Errorf("after ending all others: there %d, here %d", other, own)
		}
		if n := len(h.entries("access.session_revoked")); n != 2 {
			t.Errorf("%d entries in the journal", n)
		}
	})
}

func TestOldHashIsRenewedAtSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		u := h.person(adminLogin, Viewer)
		dearer := Argon2{MemoryKiB: 128, Passes: 2, Threads: 1}
		h.hasher = newHasher(dearer)
		_, err := h.SignIn(h.t.Context(), adminLogin, password, Visit{})
		h.must(err)
		u, err = h.User(h.ctx(), u.ID)
		h.must(err)
		if !strings.Contains(u.password, "m=128,t=2,p=1") {
			t.Errorf("still %s", u.password)
		}
		_, err = h.SignIn(h.t.Context(), adminLogin, password, Visit{})
		h.must(err)
	})
}

func TestChangingThePasswordEndsOtherSessions(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		here, there := h.browser(), h.browser()
		here.signIn(adminLogin)
		there.signIn(adminLogin)
		change := func(current, next string) reply {
			body, _ := json.Marshal(PasswordChange{Current: current, Password: next})
			return here.send("POST", "/api/v1/me/password", string(body))
		}
		if r := change("wrong", "another lantern 43"); r.StatusCode != 422 || !strings.Contains(r.body, "body.current") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		if r := change(password, "sato sato sato"); r.StatusCode != 422 {
			t.Errorf("weak: %d %s", r.StatusCode, r.body)
		}
		if r := change(password, "another lantern 43"); r.StatusCode != 204 {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}
		_, here200 := here.me()
		_, there401 := there.me()
		if here200 != 200 || there401 != 401 {
			t.Errorf("here %d, there %d", here200, there401)
		}
		if r := h.browser().signIn(adminLogin); r.StatusCode != 401 {
			t.Errorf("the old password still works: %d", r.StatusCode)
		}
		for _, e := range h.entries() {
			if strings.Contains(string(e.Data), "lantern") || strings.Contains(string(e.Data), "argon2") {
				t.Errorf("a secret in the journal: %s", e.Data)
			}
		}
	})
}

func TestNoSecretReachesTheLogOrTheDatabaseInClear(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Admin)
		b := h.browser()
		b.signIn(adminLogin)
		r := b.send("POST", "/api/v1/tokens", `{"name":"ci","scopes":["slo:read"]}`)
		var made IssuedToken
		h.must(json.Unmarshal([]byte(r.body), &made))
		link, err := h.SignInLink(h.ctx(), adminLogin)
		h.must(err)
		b.send("GET", strings.TrimPrefix(link, h.web.URL), "")
		rows, err := h.db.Read().QueryContext(h.t.Context(), `SELECT hash FROM access_sessions UNION ALL SELECT hash FROM access_tokens
			UNION ALL SELECT hash FROM access_links UNION ALL SELECT hash FROM access_devices UNION ALL SELECT password FROM access_users`)
		h.must(err)
		defer rows.Close()
		stored := h.log.String()
		for rows.Next() {
			var s string
			h.must(rows.Scan(&s))
			stored += s + "\n"
		}
		h.must(rows.Err())
		for what, secret := range map[string]string{
			"password": password, "session": b.cookie(SessionCookie), "device": b.cookie(deviceCookie), "token": made.Token, "link": tokenIn(t, link),
		} {
			if secret == "" || strings.Contains(stored, secret) {
				t.Errorf("the %s is stored or logged in clear", what)
			}
		}
	})
}

package access

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/fault"
)

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

func TestGuessingSideBySideGainsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		var looked atomic.Int32
		derive := h.hasher.derive
		h.hasher.derive = func(p, s []byte, passes, memory uint32, threads uint8, n uint32) []byte {
			looked.Add(1)
			return derive(p, s, passes, memory, threads, n)
		}
		var all sync.WaitGroup
		for range 24 {
			all.Go(func() { _, _ = h.SignIn(h.t.Context(), adminLogin, "wrong", Visit{Address: addr("192.0.2.1")}) })
		}
		all.Wait()
		if n := int(looked.Load()); n != perAccount.free {
			t.Errorf("%d guesses were looked at, %d may be", n, perAccount.free)
		}
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
		var stored strings.Builder
		stored.WriteString(h.log.String())
		for rows.Next() {
			var s string
			h.must(rows.Scan(&s))
			stored.WriteString(s + "\n")
		}
		h.must(rows.Err())
		for what, secret := range map[string]string{
			"password": password, "session": b.cookie(SessionCookie), "device": b.cookie(deviceCookie), "token": made.Token, "link": tokenIn(t, link),
		} {
			if secret == "" || strings.Contains(stored.String(), secret) {
				t.Errorf("the %s is stored or logged in clear", what)
			}
		}
	})
}

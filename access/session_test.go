package access

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/teiten/teiten/kit/httpapi"
)

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

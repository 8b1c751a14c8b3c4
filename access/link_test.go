package access

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

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

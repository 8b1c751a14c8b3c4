package access

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestPagesWorkWithoutScriptsInBothLanguages(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		setup, err := h.SetupLink(h.t.Context())
		h.must(err)
		b := h.browser()
		for _, path := range []string{"/signin", "/signin?next=/slos", strings.TrimPrefix(setup, h.web.URL), "/setup?token=used", "/invite?token=used"} {
			for lang, word := range map[string]string{"en": "English", "ja": "日本語"} {
				r := h.browser().send("GET", path, "", "Accept-Language: "+lang)
				if !strings.Contains(r.body, `<html lang="`+lang+`">`) || strings.Contains(r.body, `hreflang="`+lang+`"`) || strings.Contains(strings.SplitN(r.body, "<main>", 2)[1], word) {
					t.Errorf("%s in %s: %s", path, lang, r.body)
				}
				if regexp.MustCompile(`(?i)<script|\son\w+=|style="|https?://`).MatchString(r.body) {
					t.Errorf("%s needs more than the server sends", path)
				}
				if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
					t.Errorf("%s: %s", path, csp)
				}
				for _, id := range regexp.MustCompile(`<input id="([^"]+)"`).FindAllStringSubmatch(r.body, -1) {
					if !strings.Contains(r.body, `<label for="`+id[1]+`"`) {
						t.Errorf("%s: the field %s has no label", path, id[1])
					}
				}
			}
		}
		// The language switch keeps where one was, and is remembered.
		r := b.send("GET", "/signin?next=/slos", "")
		link := regexp.MustCompile(`href="(/signin\?[^"]+)"`).FindStringSubmatch(r.body)[1]
		r = b.send("GET", strings.ReplaceAll(link, "&amp;", "&"), "")
		if !strings.Contains(r.body, "サインイン") || !strings.Contains(r.body, `name="next" value="/slos"`) {
			t.Errorf("%s: %s", link, r.body)
		}
		if r := b.send("GET", "/signin", ""); !strings.Contains(r.body, "まだ管理者がいません") {
			t.Error("the language was forgotten, or a new server does not say what to do")
		}
		if r := b.send("GET", "/signin/style.css", ""); r.StatusCode != 200 || !strings.Contains(r.body, "light-dark") {
			t.Errorf("style: %d", r.StatusCode)
		}
	})
}

func TestSigningInLeadsNowhereElse(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.person(adminLogin, Viewer)
		for _, next := range []string{"//evil.example", "https://evil.example/", `/\evil.example`, "javascript:alert(1)"} {
			b := h.browser()
			r := b.post("/signin", url.Values{"login": {adminLogin}, "password": {password}, "next": {next}})
			if r.StatusCode != 303 || r.Header.Get("Location") != "/" {
				t.Errorf("%s: %d to %q", next, r.StatusCode, r.Header.Get("Location"))
			}
			if r := b.send("GET", "/signin?next="+url.QueryEscape(next), ""); r.Header.Get("Location") != "/" {
				t.Errorf("%s when signed in: to %q", next, r.Header.Get("Location"))
			}
		}
	})
}

func TestOtherSitesCannotUseABrowsersSession(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := h.admin()
		for _, path := range []string{"/signout", "/signin", "/api/v1/users", "/api/v1/tokens"} {
			for _, header := range []string{"Sec-Fetch-Site: cross-site", "Origin: https://evil.example"} {
				if r := b.post(path, url.Values{}, header); r.StatusCode != 403 {
					t.Errorf("%s with %s: %d", path, header, r.StatusCode)
				}
			}
		}
		if _, status := b.me(); status != 200 {
			t.Errorf("signed out by another site: %d", status)
		}
		if r := b.send("DELETE", "/api/v1/sessions", "", "Sec-Fetch-Site: cross-site"); r.StatusCode != 403 {
			t.Errorf("%d", r.StatusCode)
		}
	})
}

func TestReflectedInputIsEscaped(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		evil := `"><script>alert(1)</script>`
		r := h.browser().post("/signin", url.Values{"login": {evil}, "password": {"x"}, "next": {"/" + evil}})
		if strings.Contains(r.body, "<script") {
			t.Error(r.body)
		}
		r = h.browser().send("GET", "/invite?token="+url.QueryEscape(evil), "")
		if strings.Contains(r.body, "<script") {
			t.Error(r.body)
		}
	})
}

// TestBodyOfAnUnsignedGetIsNotRead: reading a form's fields would otherwise take
// up a body of many megabytes from anybody.
func TestBodyOfAnUnsignedGetIsNotRead(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		body := "--x\r\nContent-Disposition: form-data; name=\"next\"\r\n\r\n/from-the-body\r\n--x--\r\n"
		r := h.browser().send("GET", "/signin?next=/slos", body, "Content-Type: multipart/form-data; boundary=x")
		if r.StatusCode != 200 || !strings.Contains(r.body, `value="/slos"`) || strings.Contains(r.body, "from-the-body") {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
		r = h.browser().send("GET", "/invite", strings.ReplaceAll(body, `"next"`, `"token"`), "Content-Type: multipart/form-data; boundary=x")
		if strings.Contains(r.body, "from-the-body") {
			t.Error(r.body)
		}
	})
}

func TestLargeFormsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		r := h.browser().post("/signin", url.Values{"login": {strings.Repeat("a", mostForm)}})
		if r.StatusCode != 413 {
			t.Errorf("%d %s", r.StatusCode, r.body)
		}
	})
}

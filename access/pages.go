package access

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

//go:embed pages.html pages.css
var pageFiles embed.FS

var pageTemplates = template.Must(template.ParseFS(pageFiles, "pages.html"))

// pagePolicy is stricter than the product's: these pages have no script at all.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const mostForm = 64 << 10

// pages serves what must work before anybody has signed in, and without scripts.
type pages struct {
	s   *Service
	api *httpapi.API
}

func (s *Service) registerPages(a *httpapi.API) {
	p := &pages{s: s, api: a}
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /setup":             p.showSetup,
		"POST /setup":            p.setUp,
		"GET /signin":            p.showSignIn,
		"POST /signin":           p.signIn,
		"GET /signout":           p.showSignOut,
		"POST /signout":          p.signOut,
		"GET /invite":            p.showInvite,
		"POST /invite":           p.accept,
		"GET /signin/style.css":  p.style,
		"GET /signin/teiten.svg": p.mark,
	} {
		a.Handle(pattern, httpapi.Public, small(h))
	}
}

// small bounds what anybody may send to a page: forms are small, and a body that
// is sent along with a GET is none of them.
func small(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			r.Body = http.NoBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, mostForm)
		h(w, r)
	}
}

// view is what a page shows.
type view struct {
	Page     string // the template of its middle
	Lang     text.Lang
	Other    text.Lang
	Switch   string // the same page in the other language
	Title    string
	Lead     string
	Problem  *httpapi.Problem
	Token    string
	Next     string
	Login    string
	Name     string
	Shortest int

	reader text.Lang
}

// T is a text of the template in the reader's language.
func (v view) T(en, ja string) string { return text.Say(en, ja).In(v.reader) }

func (p *pages) view(r *http.Request, page string, title, lead text.Both) view {
	lang := text.LangFrom(r.Context())
	other := text.JA
	if lang == text.JA {
		other = text.EN
	}
	v := view{
		Page: page, Lang: lang, Other: other, Title: title.In(lang), Lead: lead.In(lang), reader: lang,
		Token: r.FormValue("token"), Next: safeNext(r.FormValue("next")), Login: r.PostFormValue("login"), Name: r.PostFormValue("name"),
		Shortest: shortestPassword,
	}
	q := url.Values{"lang": {string(other)}}
	if v.Token != "" {
		q.Set("token", v.Token)
	}
	if v.Next != "/" {
		q.Set("next", v.Next)
	}
	v.Switch = r.URL.Path + "?" + q.Encode()
	return v
}

// show writes a page; with an error, its problem in words and its status.
func (p *pages) show(w http.ResponseWriter, r *http.Request, v view, err error) {
	status, h := http.StatusOK, w.Header()
	if err != nil {
		v.Problem = p.api.Problem(r.Context(), err)
		status = v.Problem.Status
		for k, values := range v.Problem.GetHeaders() {
			h[k] = values
		}
		h.Del("WWW-Authenticate") // the form is how to authenticate here
	}
	var page bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&page, "page", v); err != nil {
		p.api.WriteError(w, r, fmt.Errorf("write page %s: %w", v.Page, err))
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer") // the address may hold a one-time token
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the reader may be gone
}

// form reads a form.
func form(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("read form: %w", err)
	}
	return nil
}

func visit(r *http.Request) Visit {
	v := Visit{Address: httpapi.ClientIP(r.Context()), Agent: r.UserAgent()}
	if c, err := r.Cookie(SessionCookie); err == nil {
		v.Session = c.Value
	}
	if c, err := r.Cookie(deviceCookie); err == nil {
		v.Device = c.Value
	}
	return v
}

// enter sets the cookies of a session that has begun and leads on.
func (p *pages) enter(w http.ResponseWriter, r *http.Request, o Opened, next string) {
	cookie := func(name, value string, life time.Duration, hidden bool) {
		http.SetCookie(w, &http.Cookie{
			Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()), HttpOnly: hidden,
			Secure: p.s.secure, SameSite: http.SameSiteLaxMode,
		})
	}
	cookie(SessionCookie, o.SessionSecret, sessionLife, true)
	cookie(deviceCookie, o.DeviceSecret, deviceLife, true)
	if _, err := r.Cookie(httpapi.LangCookie); err != nil && o.User.Language != "" {
		cookie(httpapi.LangCookie, string(o.User.Language), 365*24*time.Hour, false)
	}
	http.Redirect(w, r, safeNext(next), http.StatusSeeOther)
}

// safeNext is where to go after signing in: a path on this server, and "/" for
// anything else.
func safeNext(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n\x00") || len(next) > 2000 {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.HasPrefix(u.Path, "//") {
		return "/"
	}
	for _, own := range []string{"/signin", "/signout", "/setup", "/invite", "/api/"} {
		if strings.HasPrefix(u.Path, own) {
			return "/"
		}
	}
	return u.String()
}

// signedIn reports who the browser has signed in as.
func (p *pages) signedIn(r *http.Request) (Principal, bool) {
	c, err := r.Cookie(SessionCookie)
	if err != nil {
		return Principal{}, false
	}
	who, err := p.s.bySession(r, c.Value)
	return who, err == nil
}

func (p *pages) setupView(r *http.Request) view {
	return p.view(r, "setup", text.Say("Set up Teiten", "Teiten の初期設定"),
		text.Say("Make the first administrator. More people can be invited afterwards.", "最初の管理者を作成します。ほかの利用者はあとから招待できます。"))
}

func (p *pages) showSetup(w http.ResponseWriter, r *http.Request) {
	v := p.setupView(r)
	_, err := p.s.linkFor(r.Context(), p.s.read(), purposeSetup, v.Token)
	if err != nil {
		v.Page = "message"
	}
	p.show(w, r, v, err)
}

func (p *pages) setUp(w http.ResponseWriter, r *http.Request) {
	if err := form(r); err != nil {
		p.show(w, r, p.setupView(r), err)
		return
	}
	o, err := p.s.SetUp(r.Context(), r.PostFormValue("token"), NewUser{
		Login: r.PostFormValue("login"), Name: r.PostFormValue("name"), Language: text.LangFrom(r.Context()),
	}, r.PostFormValue("password"), visit(r))
	if err != nil {
		p.show(w, r, p.setupView(r), err)
		return
	}
	p.enter(w, r, o, "/")
}

func (p *pages) signInView(r *http.Request) view {
	return p.view(r, "signin", text.Say("Sign in", "サインイン"), text.Both{})
}

func (p *pages) linkView(r *http.Request, u User) view {
	v := p.view(r, "link", text.Say("Sign in", "サインイン"),
		text.Say("This link signs you in as %s (%s). It works once.", "このリンクで %s（%s）としてサインインします。使えるのは一度だけです。", u.Name, u.Login))
	return v
}

func (p *pages) showSignIn(w http.ResponseWriter, r *http.Request) {
	if token := r.FormValue("token"); token != "" {
		u, err := p.s.linkFor(r.Context(), p.s.read(), purposeSignIn, token)
		v := p.linkView(r, u)
		if err != nil { // a used link still leads somewhere: to the form
			v = p.signInView(r)
			v.Token = ""
		}
		p.show(w, r, v, err)
		return
	}
	v := p.signInView(r)
	if _, ok := p.signedIn(r); ok {
		http.Redirect(w, r, v.Next, http.StatusSeeOther)
		return
	}
	if admins, err := p.s.read().CountAdmins(r.Context()); err == nil && admins == 0 {
		v.Lead = v.T("Nobody administers this server yet: open the set-up link that it printed when it started.",
			"まだ管理者がいません。サーバーの起動時に表示された初期設定リンクを開いてください。")
	}
	p.show(w, r, v, nil)
}

func (p *pages) signIn(w http.ResponseWriter, r *http.Request) {
	if err := form(r); err != nil {
		p.show(w, r, p.signInView(r), err)
		return
	}
	var o Opened
	var err error
	if token := r.PostFormValue("token"); token != "" {
		o, err = p.s.SignInByLink(r.Context(), token, visit(r))
	} else {
		o, err = p.s.SignIn(r.Context(), r.PostFormValue("login"), r.PostFormValue("password"), visit(r))
	}
	if err != nil {
		v := p.signInView(r)
		v.Token = ""
		p.show(w, r, v, err)
		return
	}
	p.enter(w, r, o, r.PostFormValue("next"))
}

func (p *pages) showSignOut(w http.ResponseWriter, r *http.Request) {
	who, ok := p.signedIn(r)
	if !ok {
		http.Redirect(w, r, "/signin", http.StatusSeeOther)
		return
	}
	p.show(w, r, p.view(r, "signout", text.Say("Sign out", "サインアウト"),
		text.Say("You are signed in as %s.", "%s としてサインインしています。", who.Name)), nil)
}

func (p *pages) signOut(w http.ResponseWriter, r *http.Request) {
	if who, ok := p.signedIn(r); ok {
		if err := p.s.SignOut(WithPrincipal(r.Context(), who)); err != nil {
			p.show(w, r, p.view(r, "signout", text.Say("Sign out", "サインアウト"), text.Both{}), err)
			return
		}
	}
	http.SetCookie(w, &http.Cookie{
		Name: SessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: p.s.secure, SameSite: http.SameSiteLaxMode,
	})
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

func (p *pages) inviteView(ctx context.Context, r *http.Request) (view, error) {
	v := p.view(r, "invite", text.Say("Welcome to Teiten", "Teiten へようこそ"), text.Both{})
	u, err := p.s.linkFor(ctx, p.s.read(), purposeInvite, v.Token)
	if err != nil {
		v.Page = "message"
		return v, err
	}
	v.Lead = text.Say("Choose a password for %s.", "%s のパスワードを決めてください。", u.Login).In(v.reader)
	v.Login = u.Login
	if v.Name == "" {
		v.Name = u.Name
	}
	return v, nil
}

func (p *pages) showInvite(w http.ResponseWriter, r *http.Request) {
	v, err := p.inviteView(r.Context(), r)
	p.show(w, r, v, err)
}

func (p *pages) accept(w http.ResponseWriter, r *http.Request) {
	err := form(r)
	if err == nil {
		var o Opened
		if o, err = p.s.Accept(r.Context(), r.PostFormValue("token"), r.PostFormValue("name"), r.PostFormValue("password"), visit(r)); err == nil {
			p.enter(w, r, o, "/")
			return
		}
	}
	v, _ := p.inviteView(r.Context(), r) // err says already what is wrong
	p.show(w, r, v, err)
}

func (p *pages) style(w http.ResponseWriter, r *http.Request) {
	p.file(w, "pages.css", "text/css; charset=utf-8")
}

func (p *pages) mark(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write([]byte(markSVG)) // the reader may be gone
}

// markSVG is the product's sign: a measuring point on a line.
const markSVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#17677c"/><path d="M6 22.5h20" stroke="#b5d5dd" stroke-width="2" stroke-linecap="round"/><path d="M6 17.5c4 0 4-7 8-7s4 5 7 5 3-3 5-3" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/><circle cx="14" cy="10.500" r="2.600" fill="#fff"/></svg>`

func (p *pages) file(w http.ResponseWriter, name, kind string) {
	b, _ := pageFiles.ReadFile(name) // embedded
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(b) // the reader may be gone
}

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

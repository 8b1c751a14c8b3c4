package page

import (
	"bytes"
	"context"
	_ "embed" // the page
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/teiten/teiten/catalog"
	"github.com/teiten/teiten/journal"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/httpapi"
	"github.com/teiten/teiten/kit/text"
)

//go:embed answer.html
var answerHTML string

var answerTemplate = template.Must(template.New("answer").Parse(answerHTML))

// answerPolicy: the page has no script at all, and loads nothing from elsewhere.
const answerPolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

const mostForm = 16 << 10

// answerView is what the page behind a link shows.
type answerView struct {
	Lang    text.Lang
	Title   string
	Page    *Info
	Since   string
	By      string
	You     string
	Over    bool
	Mine    bool // this link acknowledged it
	Open    bool
	Problem *httpapi.Problem
	Link    string
}

// T is a text in the reader's language, for the server-rendered page.
func (v answerView) T(en, ja string) string { return text.Say(en, ja).In(v.Lang) }

// registerAnswer adds the page that links of messages lead to. Opening it shows
// and changes nothing, so that a mail scanner acknowledges nothing; its button
// acts.
func (s *Service) registerAnswer(a *httpapi.API) {
	pattern := ackPath + "{token}"
	a.Handle("GET "+pattern, httpapi.Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveAnswer(a, w, r, false) }))
	a.Handle("POST "+pattern, httpapi.Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveAnswer(a, w, r, true) }))
}

func (s *Service) serveAnswer(a *httpapi.API, w http.ResponseWriter, r *http.Request, act bool) {
	r.Body = http.MaxBytesReader(w, r.Body, mostForm)
	// A telephone call asks for a key: only 1 acknowledges.
	if digits := r.PostFormValue("Digits"); act && digits != "" && digits != "1" {
		act = false
	}
	v, err := s.answerOf(r.Context(), r.PathValue("token"), act)
	status, h := http.StatusOK, w.Header()
	if err != nil {
		v.Problem = a.Problem(r.Context(), err)
		status = v.Problem.Status
		v.Title = v.T("This cannot be acknowledged", "応答できません")
	}
	var page bytes.Buffer
	if err := answerTemplate.Execute(&page, v); err != nil {
		a.WriteError(w, r, fmt.Errorf("write page: %w", err))
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", answerPolicy)
	h.Set("Referrer-Policy", "no-referrer") // the address is a key
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // the reader may be gone
}

// answerOf is what a link leads to, after it acted where it was asked to.
func (s *Service) answerOf(ctx context.Context, token string, act bool) (answerView, error) {
	v := answerView{Lang: text.LangFrom(ctx)}
	pass, err := openLink(s.linkKey, token, s.now())
	if err != nil {
		return v, err
	}
	by, err := s.actor(ctx, pass.Person)
	if err != nil {
		return v, err
	}
	p, err := getPage(ctx, s.db.Read(), pass.Page)
	if err == nil && act && p.State != Resolved {
		p, err = s.Acknowledge(journal.WithActor(ctx, by), pass.Page)
	}
	if err != nil {
		return v, err
	}
	i := p.info()
	v.Page, v.You, v.Since = &i, by.Name, p.BeganAt.UTC().Format("2006-01-02 15:04:05 MST")
	v.Link = s.at("/pages/" + p.ID)
	switch p.State {
	case Resolved:
		v.Over, v.Title = true, v.T("It is over", "この件は終わっています")
	case Acknowledged:
		v.By, v.Mine = p.AcknowledgedBy.Name, p.AcknowledgedBy.ID == by.ID
		v.Title = v.T("Acknowledged", "応答済みです")
	default:
		v.Open, v.Title = true, v.T("You are being paged", "呼び出しを受けています")
	}
	return v, nil
}

// actor is who acts by a link: the person that it was sent to.
func (s *Service) actor(ctx context.Context, person string) (journal.Actor, error) {
	if kind, name := Target(person).parts(); kind == ToChannel {
		return journal.Actor{Kind: journal.System, ID: person, Name: text.Say("somebody in %s", "%s の誰か", name).In(text.LangFrom(ctx))}, nil
	}
	by := journal.Actor{Kind: journal.Person, ID: "user:" + person, Name: person}
	if ref, err := catalog.ParseRef(person, catalog.KindUser, catalog.DefaultNamespace); err == nil && !strings.Contains(person, "@") {
		e, err := s.catalog.Entity(ctx, ref)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return by, err
		}
		if err == nil {
			by.Name = e.DisplayName()
		}
	}
	return by, nil
}

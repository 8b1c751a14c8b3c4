package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teiten/teiten/kit/database"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// Problem is the body of every answer that is not a success (RFC 9457), in the
// reader's language. Code is stable and for programs; Detail says what is
// wrong and Remedy how to mend it.
type Problem struct { //nolint:errname // it is the body of an answer first, and an error only to huma
	Type       string          `json:"type" doc:"urn:teiten:problem: and the code."`
	Title      string          `json:"title" doc:"The kind of problem, in the reader's language."`
	Status     int             `json:"status" doc:"The HTTP status."`
	Detail     string          `json:"detail" doc:"What is wrong, in the reader's language."`
	Instance   string          `json:"instance,omitempty" doc:"The path that was asked for."`
	Code       string          `json:"code" doc:"A stable key for programs."`
	Remedy     string          `json:"remedy,omitempty" doc:"How to mend it, in the reader's language."`
	Where      *fault.Position `json:"where,omitempty" doc:"The place in a file."`
	Field      string          `json:"field,omitempty" doc:"The part of the request: body.name, query.limit."`
	Errors     []ProblemPart   `json:"errors,omitempty" doc:"The single problems where there are several."`
	RequestID  string          `json:"requestId,omitempty" doc:"Names this request in the server's log."`
	RetryAfter int             `json:"retryAfter,omitempty" doc:"Seconds after which trying again makes sense."`
}

// ProblemPart is one of several problems.
type ProblemPart struct {
	Detail string          `json:"detail"`
	Code   string          `json:"code"`
	Remedy string          `json:"remedy,omitempty"`
	Where  *fault.Position `json:"where,omitempty"`
	Field  string          `json:"field,omitempty"`
}

var (
	_ huma.StatusError       = (*Problem)(nil)
	_ huma.HeadersError      = (*Problem)(nil)
	_ huma.ContentTypeFilter = (*Problem)(nil)
)

// Error is what is wrong, in the reader's language.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers that belong to the problem.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{"Cache-Control": {"no-store"}}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", seconds(time.Duration(p.RetryAfter)*time.Second))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="teiten"`)
	}
	return h
}

// ContentType is that of a problem, whatever was asked for.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// Fault is the problem as a client of the API can report it: its text is the
// same in both languages, that of the answer.
func (p *Problem) Fault() *fault.Error {
	f := (&ProblemPart{Detail: p.Detail, Code: p.Code, Remedy: p.Remedy, Where: p.Where, Field: p.Field}).fault(kindOf(p.Status))
	f.RetryAfter = time.Duration(p.RetryAfter) * time.Second
	for i := range p.Errors {
		f.Details = append(f.Details, p.Errors[i].fault(f.Kind))
	}
	return f
}

func (p *ProblemPart) fault(k fault.Kind) *fault.Error {
	f := fault.New(k, p.Code, text.Both{EN: p.Detail, JA: p.Detail}).On(p.Field)
	if p.Remedy != "" {
		f.Remedy = text.Both{EN: p.Remedy, JA: p.Remedy}
	}
	if p.Where != nil {
		f.Where = *p.Where
	}
	return f
}

// kindOf is the fault kind that a status stands for, and "" for an internal one.
func kindOf(status int) fault.Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.Denied
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return fault.NotFound
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired:
		return fault.Conflict
	case http.StatusTooManyRequests:
		return fault.Limited
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return fault.Unavailable
	}
	if status >= 400 && status < 500 {
		return fault.Invalid
	}
	return ""
}

// statusError is a fault with another status than its kind's.
type statusError struct {
	fault  *fault.Error
	status int
}

// Error is that of the fault.
func (s *statusError) Error() string { return s.fault.Error() }

// Unwrap keeps the fault reachable for fault.As.
func (s *statusError) Unwrap() error { return s.fault }

// Status gives a fault a more exact HTTP status than its kind has.
func Status(status int, f *fault.Error) error { return &statusError{f, status} }

// Unauthenticated is the answer to a caller who did not say who they are.
func Unauthenticated() error {
	return Status(http.StatusUnauthorized, fault.New(fault.Denied, "access.sign_in_required",
		text.Say("sign in first", "サインインが必要です")).
		Fix(text.Say("sign in with a browser, or send a token as Authorization: Bearer …",
			"ブラウザでサインインするか、Authorization: Bearer … でトークンを送ってください")))
}

// Forbidden is the answer to a caller who lacks a scope.
func Forbidden(scope Scope) error {
	return fault.New(fault.Denied, "access.scope_missing",
		text.Say("this needs the permission %s", "この操作には権限 %s が必要です", string(scope))).
		Fix(text.Say("ask an administrator for a role that has it, or use a token with this scope",
			"その権限を持つロールを管理者に依頼するか、このスコープを持つトークンを使ってください"))
}

// later answers a limit with 503, for machines that try again only then.
func later(err error) error {
	if f, ok := fault.As(err); ok && f.Kind == fault.Limited {
		return Status(http.StatusServiceUnavailable, f)
	}
	return err
}

func tooOften(wait time.Duration) error {
	return fault.New(fault.Limited, "http.rate_limit",
		text.Say("too many requests", "リクエストが多すぎます")).
		Fix(text.Say("try again in %s s", "%s 秒後にもう一度試してください", seconds(wait))).
		After(wait)
}

// TooLarge is the answer to a body of more than so many bytes.
func TooLarge(limit int64) error {
	return Status(http.StatusRequestEntityTooLarge, fault.New(fault.Invalid, "http.body_too_large",
		text.Say("the request is larger than %d bytes", "リクエストが上限の %d バイトを超えています", limit)).
		Fix(text.Say("send less at once", "分割して送ってください")).On("body"))
}

// Problem turns an error into the answer, and logs what the reader is not told.
func (a *API) Problem(ctx context.Context, err error) *Problem {
	p := a.judge(ctx, err)
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		p.Instance = r.path
	}
	return p
}

func (a *API) judge(ctx context.Context, err error) *Problem {
	lang, id := text.LangFrom(ctx), RequestID(ctx)
	var done *Problem
	if errors.As(err, &done) {
		return done
	}
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		err = TooLarge(big.Limit)
	}
	if slowBody(err) {
		err = tooSlow()
	}
	err = database.Fault(err) // a room that only reads need not think of a database that went away
	f, ok := fault.As(err)
	if !ok || f.Kind.HTTPStatus() == http.StatusInternalServerError {
		if !errors.Is(err, context.Canceled) || ctx.Err() == nil {
			a.log.ErrorContext(ctx, "request failed", "request", id, "error", err)
		}
		return internalProblem(lang, id)
	}
	status := f.Kind.HTTPStatus()
	var s *statusError
	if errors.As(err, &s) {
		status = s.status
	}
	if cause := f.Unwrap(); cause != nil {
		a.log.Log(ctx, causeLevel(status), "request refused", "request", id, "code", f.Code, "error", err)
	}
	return problemOf(f, status, lang, id)
}

// causeLevel is how loudly the cause of a refusal is logged: what is away
// concerns the operator, what was sent wrongly does not.
func causeLevel(status int) slog.Level {
	if status >= 500 {
		return slog.LevelWarn
	}
	return slog.LevelDebug
}

// problemOf writes a fault in one language.
func problemOf(f *fault.Error, status int, lang text.Lang, id string) *Problem {
	p := &Problem{
		Type: "urn:teiten:problem:" + f.Code, Title: title(status).In(lang), Status: status,
		Detail: f.What.In(lang), Code: f.Code, Remedy: f.Remedy.In(lang), Field: f.Field,
		Where: position(f.Where), RequestID: id,
	}
	if f.RetryAfter > 0 {
		p.RetryAfter = int((f.RetryAfter + time.Second - 1) / time.Second)
	}
	for _, d := range f.Details {
		p.Errors = append(p.Errors, ProblemPart{
			Detail: d.What.In(lang), Code: d.Code, Remedy: d.Remedy.In(lang), Field: d.Field, Where: position(d.Where),
		})
	}
	return p
}

func position(p fault.Position) *fault.Position {
	if p.IsZero() {
		return nil
	}
	return &p
}

func internalProblem(lang text.Lang, id string) *Problem {
	return &Problem{
		Type: "urn:teiten:problem:internal", Status: http.StatusInternalServerError,
		Title:  title(http.StatusInternalServerError).In(lang),
		Detail: text.Say("something went wrong on the server", "サーバーで問題が発生しました").In(lang),
		Remedy: text.Say("tell the operator the request id; the server's log has the rest under it",
			"リクエスト ID を運用担当者に伝えてください。詳細はその ID でサーバーのログに記録されています").In(lang),
		Code: "internal", RequestID: id,
	}
}

// WriteError answers an error as a problem. Raw handlers use it.
func (a *API) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	p := a.Problem(r.Context(), err)
	h := w.Header()
	for k, v := range p.GetHeaders() {
		h[k] = v
	}
	h.Set("Content-Type", p.ContentType(""))
	h.Del("Content-Length")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the reader may be gone
}

// WriteJSON answers v. Raw handlers use it.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = jsonFormat.Marshal(w, v) // the reader may be gone
}

var titles = map[int]text.Both{
	http.StatusBadRequest:            text.Say("Bad request", "リクエストが正しくありません"),
	http.StatusUnauthorized:          text.Say("Sign-in required", "サインインが必要です"),
	http.StatusForbidden:             text.Say("Not permitted", "許可されていません"),
	http.StatusNotFound:              text.Say("Not found", "見つかりません"),
	http.StatusMethodNotAllowed:      text.Say("Method not allowed", "このメソッドは使えません"),
	http.StatusRequestTimeout:        text.Say("Request timed out", "リクエストがタイムアウトしました"),
	http.StatusConflict:              text.Say("Conflict", "現在の状態では実行できません"),
	http.StatusPreconditionFailed:    text.Say("Changed in the meantime", "ほかの変更と競合しました"),
	http.StatusRequestEntityTooLarge: text.Say("Too large", "リクエストが大きすぎます"),
	http.StatusUnsupportedMediaType:  text.Say("Unsupported content type", "対応していない形式です"),
	http.StatusMisdirectedRequest:    text.Say("Wrong host", "ホスト名が正しくありません"),
	http.StatusUnprocessableEntity:   text.Say("Invalid input", "入力に誤りがあります"),
	http.StatusPreconditionRequired:  text.Say("Version required", "版の指定が必要です"),
	http.StatusTooManyRequests:       text.Say("Too many requests", "リクエストが多すぎます"),
	http.StatusInternalServerError:   text.Say("Internal error", "サーバー内部の問題"),
	http.StatusServiceUnavailable:    text.Say("Temporarily unavailable", "一時的に利用できません"),
}

func title(status int) text.Both {
	if t, ok := titles[status]; ok {
		return t
	}
	phrase := strings.ToLower(http.StatusText(status))
	return text.Both{EN: phrase, JA: phrase}
}

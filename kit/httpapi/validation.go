package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// huma keeps how it makes errors, and whether lists may be null, in variables
// of its package: set once, before any API exists.
func init() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return problemOf(humaFault(status, msg, errs, DefaultMaxBody), status, text.EN, "")
	}
	huma.NewErrorWithContext = func(hc huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return humaProblem(hc, status, msg, errs)
	}
}

// humaProblem is what huma found wrong before the operation ran.
func humaProblem(hc huma.Context, status int, msg string, errs []error) *Problem {
	ctx := hc.Context()
	lang, req := text.LangFrom(ctx), &request{}
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		req = r
	}
	limit, _ := hc.Operation().Metadata["maxBody"].(int64)
	status, errs = bodyStatus(status, errs)
	var p *Problem
	if status == http.StatusInternalServerError {
		if req.log != nil {
			req.log.ErrorContext(ctx, "request failed", "request", req.id, "error", errors.Join(append(errs, errors.New(msg))...))
		}
		p = internalProblem(lang, req.id)
	} else {
		p = problemOf(humaFault(status, msg, errs, limit), status, lang, req.id)
	}
	p.Instance = req.path
	return p
}

// bodyStatus tells what went wrong in reading the body, which huma takes for an
// error of the server.
func bodyStatus(status int, errs []error) (int, []error) {
	all := errors.Join(errs...)
	var big *http.MaxBytesError
	switch {
	case status != http.StatusInternalServerError || all == nil:
		return status, errs
	case errors.As(all, &big):
		return http.StatusRequestEntityTooLarge, nil
	case errors.Is(all, io.ErrUnexpectedEOF):
		return http.StatusBadRequest, []error{errors.New("request body is required")}
	}
	return status, errs
}

// humaFault puts huma's messages into both languages.
func humaFault(status int, msg string, errs []error, limit int64) *fault.Error {
	switch status {
	case http.StatusRequestEntityTooLarge:
		f, _ := fault.As(TooLarge(limit))
		return f
	case http.StatusUnsupportedMediaType:
		return fault.New(fault.Invalid, "http.content_type",
			text.Say("the body is of a type that is not understood here", "本文の形式に対応していません")).
			Fix(text.Say("send JSON with Content-Type: application/json", "Content-Type: application/json を付けて JSON を送ってください")).
			On("header.Content-Type")
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestTimeout:
	default:
		return fault.New(kindOf(status), fmt.Sprintf("http.%d", status), translate(msg))
	}
	var parts []*fault.Error
	for _, err := range errs {
		parts = append(parts, humaPart(err, status))
	}
	switch len(parts) {
	case 0:
		return fault.New(fault.Invalid, "http.invalid", translate(msg)).On("body")
	case 1:
		return parts[0]
	}
	f := fault.New(fault.Invalid, "http.invalid", text.Say("%d problems found", "入力に問題が%d件あります", len(parts)))
	f.Details = parts
	return f
}

// humaPart is one finding. The value found is left out: it may be a secret.
func humaPart(err error, status int) *fault.Error {
	if f, ok := fault.As(err); ok {
		return f
	}
	var d *huma.ErrorDetail
	if !errors.As(err, &d) {
		return fault.New(fault.Invalid, "http.invalid", translate(err.Error()))
	}
	if status == http.StatusBadRequest && d.Location == "body" {
		return notJSON(d)
	}
	return fault.New(fault.Invalid, "http.invalid", translate(d.Message)).On(d.Location)
}

// notJSON says where a body stops being JSON.
func notJSON(d *huma.ErrorDetail) *fault.Error {
	f := fault.New(fault.Invalid, "http.json",
		text.Say("the body is not JSON: %s", "本文を JSON として読めません（%s）", d.Message)).
		Fix(text.Say("send one JSON value", "正しい JSON を 1 つ送ってください")).On("body")
	body, _ := d.Value.(string)
	var v any
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal([]byte(body), &v), &syntax) {
		before := body[:min(int(syntax.Offset), len(body))]
		f.Where = fault.Position{
			Line:   1 + strings.Count(before, "\n"),
			Column: max(1, len(before)-strings.LastIndexByte(before, '\n')-1),
		}
	}
	return f
}

// said is huma's wording and ours in Japanese; %v is what varies.
type said struct{ en, ja string }

var wording = []said{
	{"unexpected property", "この項目はありません（綴りを確認してください）"},
	{"unknown query parameter", "このクエリパラメーターはありません"},
	{"required %v parameter is missing", "必須の %v パラメーターがありません"},
	{"request body is required", "本文が必要です"},
	{"request body read timeout", "本文の受信がタイムアウトしました"},
	{"validation failed", "入力に誤りがあります"},
	{"invalid integer", "整数で指定してください"},
	{"invalid floating value", "数値で指定してください"},
	{"invalid float", "数値で指定してください"},
	{"invalid boolean", "true か false で指定してください"},
	{"invalid date/time for format %v", "日時を %v の形式で指定してください"},
	{"invalid url.URL value", "URL で指定してください"},
	{"invalid value: %v", "値が正しくありません（%v）"},
	{"unsupported type", "対応していない型です"},
	{"expected at most one value, but received multiple values", "値は 1 つだけ指定してください"},
	{"expected value to match exactly one schema but matched multiple", "複数の形に当てはまり、どれか 1 つに決まりません"},
	{"write only property is non-zero", "書き込み専用の項目です"},
	{"read only property is non-zero", "読み取り専用の項目です"},
	{"expected string to be RFC 3339 date-time", "RFC 3339 の日時で指定してください（例: 2026-01-31T09:00:00Z）"},
	{"expected string to be RFC 1123 date-time", "RFC 1123 の日時で指定してください"},
	{"expected string to be RFC 3339 date", "日付で指定してください（例: 2026-01-31）"},
	{"expected string to be RFC 3339 time", "時刻で指定してください（例: 09:00:00Z）"},
	{"expected string to be RFC 5322 email: %v", "メールアドレスで指定してください（%v）"},
	{"expected string to be RFC 5890 hostname", "ホスト名で指定してください"},
	{"expected string to be RFC 2673 ipv4", "IPv4 アドレスで指定してください"},
	{"expected string to be RFC 2373 ipv6", "IPv6 アドレスで指定してください"},
	{"expected string to be either RFC 2673 ipv4 or RFC 2373 ipv6", "IP アドレスで指定してください"},
	{"expected string to be RFC 3986 uri: %v", "URI で指定してください（%v）"},
	{"expected string to be RFC 4122 uuid: %v", "UUID で指定してください（%v）"},
	{"expected string to be RFC 6570 uri-template", "URI テンプレートで指定してください"},
	{"expected string to be RFC 6901 json-pointer", "JSON ポインターで指定してください"},
	{"expected string to be RFC 6901 relative-json-pointer", "相対 JSON ポインターで指定してください"},
	{"expected string to be regex: %v", "正規表現で指定してください（%v）"},
	{"expected value to match at least one schema but matched none", "受け付ける形のどれにも当てはまりません"},
	{"expected value to match exactly one schema but matched none", "受け付ける形のどれにも当てはまりません"},
	{"expected value to not match schema", "受け付けない形の値です"},
	{"expected propertyName value to be present in object", "種類を示す項目がありません"},
	{"expected boolean", "true か false で指定してください"},
	{"expected duration: %v", "期間で指定してください（%v）"},
	{"expected number", "数値で指定してください"},
	{"expected integer", "整数で指定してください"},
	{"expected string", "文字列で指定してください"},
	{"expected string to be base64 encoded", "base64 で指定してください"},
	{"expected array", "配列で指定してください"},
	{"expected object", "オブジェクトで指定してください"},
	{"expected array items to be unique", "同じ値を重ねて指定できません"},
	{"expected value to be one of \"%v\"", "次のいずれかで指定してください: %v"},
	{"expected number >= %v", "%v 以上の数値で指定してください"},
	{"expected number > %v", "%v より大きい数値で指定してください"},
	{"expected number <= %v", "%v 以下の数値で指定してください"},
	{"expected number < %v", "%v より小さい数値で指定してください"},
	{"expected number to be a multiple of %v", "%v の倍数で指定してください"},
	{"expected length >= %v", "%v 文字以上で指定してください"},
	{"expected length <= %v", "%v 文字以内で指定してください"},
	{"expected string to match pattern %v", "次のパターンに合う文字列で指定してください: %v"},
	{"expected string to be %v", "%v で指定してください"},
	{"expected array length >= %v", "%v 件以上で指定してください"},
	{"expected array length <= %v", "%v 件以内で指定してください"},
	{"expected object with at least %v properties", "%v 項目以上で指定してください"},
	{"expected object with at most %v properties", "%v 項目以内で指定してください"},
	{"expected required property %v to be present", "必須の項目 %v がありません"},
	{"expected property %v to be present when %v is present", "項目 %[1]v は %[2]v と併せて指定してください"},
}

type pattern struct {
	expr *regexp.Regexp
	ja   string
}

// patterns recognise a finished message; the fixed ones come first, because
// "expected string to be %v" would take them all.
var patterns = sync.OnceValue(func() []pattern {
	var fixed, open []pattern
	for _, w := range wording {
		quoted := strings.ReplaceAll(regexp.QuoteMeta(w.en), "%v", "(.*)")
		p := pattern{regexp.MustCompile("(?s)^" + quoted + "$"), w.ja}
		if quoted == regexp.QuoteMeta(w.en) {
			fixed = append(fixed, p)
		} else {
			open = append(open, p)
		}
	}
	return append(fixed, open...)
})

// translate gives huma's message in both languages. What it does not know stays
// in English, said to be so.
func translate(msg string) text.Both {
	for _, p := range patterns() {
		m := p.expr.FindStringSubmatch(msg)
		if m == nil {
			continue
		}
		args := make([]any, len(m)-1)
		for i, part := range m[1:] {
			args[i] = part
		}
		if len(args) == 0 {
			return text.Both{EN: msg, JA: p.ja}
		}
		return text.Both{EN: msg, JA: fmt.Sprintf(p.ja, args...)}
	}
	return text.Say("%s", "値が正しくありません（%s）", msg)
}

package check

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
)

// answer is what a step got.
type answer struct {
	status int
	header http.Header
	body   []byte
	cut    bool // there was more than is read
}

// judge returns the first expectation that an answer does not meet.
func (e *HTTPExpect) judge(a *answer, took time.Duration) error {
	if err := e.judgeStatus(a.status); err != nil {
		return err
	}
	for i := range e.Headers {
		if err := e.Headers[i].judge(a.header); err != nil {
			return err
		}
	}
	if e.Body != nil {
		if err := e.Body.judge(a); err != nil {
			return err
		}
	}
	if most := time.Duration(e.Latency); most > 0 && took > most {
		return failed(CodeLatency, text.Say("it took %s, longer than %s", "%s かかりました(上限 %s)", took.Round(time.Millisecond), most))
	}
	return nil
}

func (e *HTTPExpect) judgeStatus(got int) error {
	want := e.Status
	if len(want) == 0 {
		want = []Status{{200, 299}}
	}
	if slices.ContainsFunc(want, func(s Status) bool { return s.From <= got && got <= s.To }) {
		return nil
	}
	said := make([]string, len(want))
	for i, s := range want {
		said[i] = s.String()
	}
	return failed(CodeStatus, text.Say("status %d instead of %s", "ステータスが %d です(期待: %s)", got, strings.Join(said, ", ")))
}

func (e *HeaderExpect) judge(h http.Header) error {
	got, there := h.Get(e.Name), len(h.Values(e.Name)) > 0
	switch {
	case e.Absent && there:
		return failed(CodeHeader, text.Say("the header %s is there", "ヘッダー %s が付いています", e.Name))
	case e.Absent:
		return nil
	case !there:
		return failed(CodeHeader, text.Say("the header %s is missing", "ヘッダー %s がありません", e.Name))
	case e.Equals != "" && got != e.Equals:
		return failed(CodeHeader, text.Say("the header %s is %q instead of %q", "ヘッダー %s が %q です(期待: %q)", e.Name, shown(got), e.Equals))
	case e.Matches != "" && !matches(e.Matches, got):
		return failed(CodeHeader, text.Say("the header %s, %q, does not match %q", "ヘッダー %s の値 %q が %q に一致しません", e.Name, shown(got), e.Matches))
	}
	return nil
}

// matches reports whether an expression, which was checked when the document
// was, matches.
func matches(expr, s string) bool {
	re, err := regexp.Compile(expr)
	return err == nil && re.MatchString(s)
}

func (e *BodyExpect) judge(a *answer) error {
	body := string(a.body)
	more := text.Both{}
	if a.cut {
		more = text.Say(" in its first %d bytes", "(先頭の %d バイト)", mostBody)
	}
	for _, want := range e.Contains {
		if !strings.Contains(body, want) {
			return failed(CodeBody, text.Say("the body does not hold %q%s", "本文に %q が含まれていません%s", shown(want), more))
		}
	}
	for _, never := range e.NotContains {
		if strings.Contains(body, never) {
			return failed(CodeBody, text.Say("the body holds %q", "本文に %q が含まれています", shown(never)))
		}
	}
	if e.Matches != "" && !matches(e.Matches, body) {
		return failed(CodeBody, text.Say("the body does not match %q%s", "本文が %q に一致しません%s", e.Matches, more))
	}
	return e.judgeJSON(a)
}

func (e *BodyExpect) judgeJSON(a *answer) error {
	if len(e.JSON) == 0 {
		return nil
	}
	v, err := decodeJSON(a.body)
	switch {
	case err != nil && a.cut:
		return failed(CodeBody, text.Say("the body is too large to be read as JSON (over %d bytes)", "本文が大きすぎてJSONとして読めません(%dバイト超)", mostBody))
	case err != nil:
		return failed(CodeBody, text.Say("the body is not JSON", "本文がJSONではありません"))
	}
	for i := range e.JSON {
		if err := e.JSON[i].judge(v); err != nil {
			return err
		}
	}
	return nil
}

func (e *JSONExpect) judge(v any) error {
	path, err := parsePath(e.Path)
	if err != nil {
		return err
	}
	got, there := path.in(v)
	number, isNumber := numberOf(got)
	wrong := func(want text.Both) error {
		return failed(CodeBody, text.Say("%s is %q instead of %s", "%s が %q です(期待: %s)", e.Path, shown(plain(got)), want))
	}
	switch {
	case e.Absent && there:
		return failed(CodeBody, text.Say("%s is there", "%s が存在します", e.Path))
	case e.Absent:
		return nil
	case !there:
		return failed(CodeBody, text.Say("%s is missing", "%s がありません", e.Path))
	case e.Equals != nil && !same(got, e.Equals):
		return wrong(text.Say("%q", "%q", plain(e.Equals)))
	case e.Matches != "" && !matches(e.Matches, plain(got)):
		return wrong(text.Say("what matches %q", "%q に一致する値", e.Matches))
	case e.Min != nil && (!isNumber || number < *e.Min):
		return wrong(text.Say("at least %g", "%g 以上", *e.Min))
	case e.Max != nil && (!isNumber || number > *e.Max):
		return wrong(text.Say("at most %g", "%g 以下", *e.Max))
	}
	return nil
}

// take extracts a value from an answer.
func (x *Extract) take(a *answer) (string, error) {
	missing := func(where string) error {
		return failed(CodeExtract, text.Say("the answer has no %s for {{%s}}", "応答に {{%[2]s}} の値(%[1]s)がありません", where, x.Name))
	}
	switch {
	case x.Header != "":
		if v := a.header.Get(x.Header); v != "" {
			return v, nil
		}
		return "", missing(x.Header)
	case x.Matches != "":
		re, err := regexp.Compile(x.Matches)
		if err != nil {
			return "", missing(x.Matches)
		}
		if m := re.FindSubmatch(a.body); m != nil {
			return string(m[len(m[:min(len(m), 2)])-1]), nil
		}
		return "", missing(x.Matches)
	}
	path, err := parsePath(x.JSON)
	if err != nil {
		return "", err
	}
	v, err := decodeJSON(a.body)
	if err != nil {
		return "", failed(CodeExtract, text.Say("the body is not JSON", "本文がJSONではありません"))
	}
	got, ok := path.in(v)
	if !ok || got == nil {
		return "", missing(x.JSON)
	}
	return plain(got), nil
}

package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

// PageIn is embedded in the input of every operation that answers a list.
type PageIn struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many items to answer at most."`
	Cursor string `query:"cursor" maxLength:"1000" doc:"Where to go on: next of the page before."`
}

// Page is one page of a list. Next is absent on the last page.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one."`
	Total *int   `json:"total,omitempty" doc:"How many items there are in all, where that is known."`
}

// EncodeCursor writes a position in a list as an opaque cursor. The list's name
// is part of its checksum, so that a cursor cannot be used for another list.
func EncodeCursor(list string, position any) string {
	body, err := json.Marshal(position)
	if err != nil {
		return "" // a position is made of strings and numbers
	}
	return base64.RawURLEncoding.EncodeToString(append(cursorSum(list, body), body...))
}

// DecodeCursor reads what EncodeCursor wrote into position, a pointer. A cursor
// that was altered, cut or made for another list is an Invalid fault. The
// checksum guards against mistakes, not against forgery: a cursor grants nothing.
func DecodeCursor(list, cursor string, position any) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) < cursorSumLen {
		return badCursor()
	}
	sum, body := raw[:cursorSumLen], raw[cursorSumLen:]
	if subtle.ConstantTimeCompare(sum, cursorSum(list, body)) != 1 {
		return badCursor()
	}
	if json.Unmarshal(body, position) != nil {
		return badCursor()
	}
	return nil
}

const cursorSumLen = 6

func cursorSum(list string, body []byte) []byte {
	h := sha256.New()
	h.Write([]byte("cursor\x00" + list + "\x00"))
	h.Write(body)
	return h.Sum(nil)[:cursorSumLen]
}

func badCursor() error {
	return fault.New(fault.Invalid, "http.cursor",
		text.Say("the cursor is not one that this list gave out", "カーソルがこの一覧のものではありません")).
		Fix(text.Say("start again without cursor, and pass on next unchanged",
			"cursor を付けずに最初から取得し、next の値をそのまま渡してください")).
		On("query.cursor")
}

// IfMatch is embedded in the input of every operation that changes something a
// reader may have an old copy of.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"The ETag of the version that is being changed."`
}

// Check compares what the caller read with etag, the present version: 428
// where the caller names no version, 412 where another one was read.
func (m IfMatch) Check(etag string) error {
	if strings.TrimSpace(m.IfMatch) == "" {
		return Status(http.StatusPreconditionRequired, fault.New(fault.Conflict, "http.if_match_required",
			text.Say("this change must name the version that it changes", "変更する版の指定が必要です")).
			Fix(text.Say("read it again and send its ETag as If-Match", "もう一度読み込み、その ETag を If-Match に付けて送ってください")).
			On("header.If-Match"))
	}
	for candidate := range strings.SplitSeq(m.IfMatch, ",") {
		c := strings.TrimSpace(candidate)
		if c == "*" || opaque(c) == opaque(etag) {
			return nil
		}
	}
	return Status(http.StatusPreconditionFailed, fault.New(fault.Conflict, "http.if_match",
		text.Say("somebody has changed it in the meantime", "読み込んだあとに、ほかの人が変更しました")).
		Fix(text.Say("read it again and repeat your change on what you find", "もう一度読み込み、その内容に対して変更し直してください")).
		On("header.If-Match"))
}

// opaque strips what may surround an entity tag. A compressed answer's tag
// reaches us weak, so that weak and strong compare equal.
func opaque(tag string) string {
	return strings.Trim(strings.TrimPrefix(tag, "W/"), `"`)
}

// ETag makes an entity tag of what identifies a version.
func ETag(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12]) + `"`
}

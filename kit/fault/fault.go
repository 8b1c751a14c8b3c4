// Package fault holds the few kinds of error that a caller can act on.
//
// A fault says what is wrong, where, and how to mend it, in both languages of
// the product. Every other error is internal: it is logged in full and shown to
// nobody. One table maps the kinds to HTTP status and exit codes.
package fault

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/teiten/teiten/kit/text"
)

// Kind tells what the caller can do about an error.
type Kind string

// The kinds of fault. An error without a kind is internal.
const (
	NotFound    Kind = "not_found"   // the thing is not there
	Invalid     Kind = "invalid"     // what was sent cannot be right, whenever it is sent
	Conflict    Kind = "conflict"    // it cannot be done in the present state
	Denied      Kind = "denied"      // not by this person or token
	Limited     Kind = "limited"     // too much or too often: try later
	Unavailable Kind = "unavailable" // something it needs is away or full: try later
)

// outcomes is the one table from a kind to what HTTP and the shell are told.
var outcomes = map[Kind]struct{ status, exit int }{
	NotFound:    {http.StatusNotFound, 4},
	Invalid:     {http.StatusUnprocessableEntity, 2},
	Conflict:    {http.StatusConflict, 5},
	Denied:      {http.StatusForbidden, 3},
	Limited:     {http.StatusTooManyRequests, 6},
	Unavailable: {http.StatusServiceUnavailable, 6},
}

// HTTPStatus is the status code that answers a fault of kind k: 500 for an
// internal error.
func (k Kind) HTTPStatus() int {
	if o, ok := outcomes[k]; ok {
		return o.status
	}
	return http.StatusInternalServerError
}

// ExitCode is the exit code of a command that ended with a fault of kind k: 1
// for an internal error.
func (k Kind) ExitCode() int {
	if o, ok := outcomes[k]; ok {
		return o.exit
	}
	return 1
}

// Position is a place in a file that a person can open. Line and Column start
// at 1; 0 means unknown.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// IsZero reports whether the position says nothing.
func (p Position) IsZero() bool { return p == Position{} }

// String writes the position as compilers do: file:line:column.
func (p Position) String() string {
	parts := make([]string, 0, 3)
	if p.File != "" {
		parts = append(parts, p.File)
	}
	if p.Line > 0 {
		parts = append(parts, strconv.Itoa(p.Line))
		if p.Column > 0 {
			parts = append(parts, strconv.Itoa(p.Column))
		}
	}
	return strings.Join(parts, ":")
}

// Error is a fault. Code is a stable key for programs ("slo.objective_range");
// What and Remedy are for people. RetryAfter is set where trying again later
// makes sense. Details holds the single faults of one that stands for several.
type Error struct {
	Kind       Kind
	Code       string
	What       text.Both
	Remedy     text.Both
	Where      Position
	Field      string
	RetryAfter time.Duration
	Details    []*Error

	cause error
}

// New returns a fault that says what is wrong.
func New(kind Kind, code string, what text.Both) *Error {
	return &Error{Kind: kind, Code: code, What: what}
}

// Fix adds how to mend it.
func (e *Error) Fix(remedy text.Both) *Error { e.Remedy = remedy; return e }

// At adds where in a file it is.
func (e *Error) At(p Position) *Error { e.Where = p; return e }

// On adds which field of a request it is about.
func (e *Error) On(field string) *Error { e.Field = field; return e }

// Wrap adds the internal cause, which is logged and never shown.
func (e *Error) Wrap(cause error) *Error { e.cause = cause; return e }

// After adds when trying again makes sense.
func (e *Error) After(d time.Duration) *Error { e.RetryAfter = d; return e }

// Error writes the fault in English, for logs.
func (e *Error) Error() string {
	s := e.In(text.EN)
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the internal cause.
func (e *Error) Unwrap() error { return e.cause }

// In writes the fault in one language as a person reads it in a terminal: each
// detail on a line of its own, with its position first and its remedy last.
func (e *Error) In(l text.Lang) string {
	var b strings.Builder
	e.write(&b, l)
	for _, d := range e.Details {
		b.WriteByte('\n')
		d.write(&b, l)
	}
	return b.String()
}

func (e *Error) write(b *strings.Builder, l text.Lang) {
	if !e.Where.IsZero() {
		b.WriteString(e.Where.String() + ": ")
	}
	b.WriteString(e.What.In(l))
	if !e.Remedy.IsZero() {
		b.WriteString(" — " + e.Remedy.In(l))
	}
}

// Join makes one error of many: nil of none, the fault itself of one, and of
// more an Invalid fault that holds them as details.
func Join(faults []*Error) error {
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return faults[0]
	}
	all := New(Invalid, "several", text.Say("%d problems found", "問題が%d件あります", len(faults)))
	all.Details = faults
	return all
}

// As returns the fault in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf returns the kind of the fault in err's chain, and "" for an internal
// error.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return ""
}

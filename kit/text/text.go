// Package text holds what a person reads in more than one language.
//
// Every message of the product exists in English and in Japanese and is written
// where it is used, both languages side by side, so that neither is forgotten.
// The package knows which language a request wants; it translates nothing.
package text

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Lang is one of the product's languages.
type Lang string

// The languages of the product.
const (
	EN Lang = "en"
	JA Lang = "ja"
)

// Both is one message in both languages.
type Both struct {
	EN string `json:"en"`
	JA string `json:"ja"`
}

// Say formats one message in both languages with the same arguments, as
// fmt.Sprintf does; the two formats may use them in another order with explicit
// indexes. An argument that is itself a Both appears in the language of the
// format it is put into.
func Say(en, ja string, args ...any) Both {
	return Both{EN: format(en, EN, args), JA: format(ja, JA, args)}
}

func format(layout string, l Lang, args []any) string {
	if len(args) == 0 {
		return layout
	}
	said := make([]any, len(args))
	for i, a := range args {
		if b, ok := a.(Both); ok {
			said[i] = b.In(l)
			continue
		}
		said[i] = a
	}
	return fmt.Sprintf(layout, said...)
}

// In returns the message in l, and in English for any other language.
func (b Both) In(l Lang) string {
	if l == JA && b.JA != "" {
		return b.JA
	}
	return b.EN
}

// IsZero reports whether there is nothing to say.
func (b Both) IsZero() bool { return b == Both{} }

// String is the English message, for logs.
func (b Both) String() string { return b.EN }

type langKey struct{}

// WithLang returns a context whose reader reads l.
func WithLang(ctx context.Context, l Lang) context.Context {
	return context.WithValue(ctx, langKey{}, l)
}

// LangFrom returns the reader's language, and English where none was set.
func LangFrom(ctx context.Context) Lang {
	if l, ok := ctx.Value(langKey{}).(Lang); ok {
		return l
	}
	return EN
}

// Parse returns the language that s names ("ja", "ja-JP", "JA_jp.UTF-8"), and
// false where it names none of the product's.
func Parse(s string) (Lang, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	switch {
	case s == "ja" || strings.HasPrefix(s, "ja-") || strings.HasPrefix(s, "ja_"):
		return JA, true
	case s == "en" || strings.HasPrefix(s, "en-") || strings.HasPrefix(s, "en_"):
		return EN, true
	}
	return EN, false
}

// Match returns the product's language that an Accept-Language header prefers
// (RFC 9110, section 12.5.4), and English where it asks for neither.
func Match(acceptLanguage string) Lang {
	best, weight := EN, 0.0
	for part := range strings.SplitSeq(acceptLanguage, ",") {
		name, params, _ := strings.Cut(part, ";")
		l, ok := Parse(name)
		if !ok {
			continue
		}
		if q := quality(params); q > weight {
			best, weight = l, q
		}
	}
	return best
}

// quality reads the q parameter of one language range; it is 1 where absent and
// 0 where it cannot be read.
func quality(params string) float64 {
	_, v, ok := strings.Cut(params, "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}

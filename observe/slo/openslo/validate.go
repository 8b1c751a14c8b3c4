package openslo

import (
	"slices"
	"unicode/utf8"

	"github.com/teiten/teiten/kit/ascode"
	"github.com/teiten/teiten/kit/fault"
	"github.com/teiten/teiten/kit/text"
)

const longestText = 1050

// checker collects the faults of one document.
type checker struct {
	d      *ascode.Document
	faults []*fault.Error
}

func (c *checker) fail(code string, what, remedy text.Both, path ...any) {
	c.faults = append(c.faults, c.d.Fault("slo."+code, what, remedy, path...))
}

// missing is the fault of a field that must be there.
func (c *checker) missing(remedy text.Both, path ...any) {
	c.fail("missing", text.Say("%v is missing", "%v がありません", path[len(path)-1]), remedy, path...)
}

// twice is the fault of two fields that exclude one another.
func (c *checker) twice(code, one, other string, path ...any) {
	c.fail(code, text.Say("there are both %s and %s", "%s と %s の両方があります", one, other),
		text.Say("keep one of the two", "どちらか一方だけを残してください"), path...)
}

func (c *checker) description(s string, path ...any) {
	if utf8.RuneCountInString(s) > longestText {
		c.fail("description_long", text.Say("the description has more than %d characters", "説明が%d文字を超えています", longestText),
			text.Say("shorten it, or link to a longer one", "短くするか、詳しい説明へのリンクにしてください"), path...)
	}
}

func with(path []any, more ...any) []any { return append(slices.Clone(path), more...) }

package slo

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/teiten/teiten/observe/metrics/promexpr"
	"github.com/teiten/teiten/observe/slo/openslo"
)

// Grouping takes an objective apart by labels. Each combination of their values is
// an instance: an objective of its own, with budget, alerts and history. The
// objective itself goes on as the sum of all.
type Grouping struct {
	By     []string      `json:"by"`
	Limit  int           `json:"limit"`  // how many instances there may be
	Retire time.Duration `json:"retire"` // after so long an absence one leaves the lists
}

// Instance says of an objective which part of which other it is.
type Instance struct {
	Of     string       `json:"of"`
	Labels []LabelValue `json:"labels"`
}

// LabelValue is a label of an instance. A value that is long or no text is shown
// shortened or with replacement characters; which series it stands for is in the
// instance's queries.
type LabelValue struct {
	Name  string `json:"name"`
	Value string `json:"value" doc:"Empty where series lack the label."`
}

// groupingOf reads the annotations of a valid document; nil without them.
func groupingOf(a map[string]string) *Grouping {
	if a[openslo.By] == "" {
		return nil
	}
	g := &Grouping{By: openslo.Labels(a[openslo.By]), Limit: openslo.DefaultByLimit, Retire: openslo.DefaultByRetire}
	if n, err := strconv.Atoi(a[openslo.ByLimit]); err == nil {
		g.Limit = n
	}
	if d, ok := openslo.ParseDuration(a[openslo.ByRetire]); ok {
		g.Retire = d
	}
	return g
}

const (
	// longestValue is how many bytes a label's value may have for an instance.
	longestValue = 1024
	// plainValue is how many of them stand in the instance's name.
	plainValue = 63
	// shownValue is how many characters of a value are shown.
	shownValue = 120
	// noValue is shown for a label that series lack.
	noValue = "(none)"
)

// instanceName is the name of the instance of an objective with these values, one
// for each label: checkout~tenant=acme,region=eu. What cannot stand in a path is
// told apart by a digest: checkout~tenant=a-b~0e5c2d8f9a1b.
func instanceName(of string, by, values []string) string {
	var b strings.Builder
	b.WriteString(of)
	for i, name := range by {
		b.WriteString([]string{parted, ","}[min(i, 1)])
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(plain(values[i]))
	}
	return b.String()
}

// plain is a value as it stands in a name.
func plain(value string) string {
	fits := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
	}
	if len(value) <= plainValue && !strings.ContainsFunc(value, func(r rune) bool { return !fits(r) }) {
		return value
	}
	slug := strings.Map(func(r rune) rune {
		if fits(r) {
			return r
		}
		return '-'
	}, value)
	digest := sha256.Sum256([]byte(value))
	return strings.Trim(slug[:min(len(slug), plainValue-32)], "-") + parted + hex.EncodeToString(digest[:6])
}

// wholeOf is the name of the objective that an instance is part of, by its name,
// and the name itself of any other: only instances have "=" in theirs.
func wholeOf(name string) string {
	at := strings.IndexByte(name, '=')
	if at < 0 {
		return name
	}
	return name[:max(strings.LastIndex(name[:at], parted), 0)]
}

// instance is the definition of one combination of values of a grouped objective:
// that of the whole, with every query narrowed to the series that have them.
func (d *Definition) instance(values []string) (*Definition, error) {
	x := *d
	x.Name, x.Grouping = instanceName(d.Name, d.Grouping.By, values), nil
	x.Instance = &Instance{Of: d.Name}
	var said []string
	for i, name := range d.Grouping.By {
		value := shorten(values[i])
		x.Instance.Labels = append(x.Instance.Labels, LabelValue{name, value})
		said = append(said, cmp.Or(value, noValue))
	}
	x.Title = cmp.Or(d.Title, d.Name) + ": " + strings.Join(said, ", ")
	err := x.narrow(d.Grouping.By, values)
	if d.Composite != nil {
		x.Composite = &Composite{Join: d.Composite.Join, Quorum: d.Composite.Quorum, Parts: slices.Clone(d.Composite.Parts)}
		for i := range x.Composite.Parts {
			if err == nil {
				err = x.Composite.Parts[i].narrow(d.Grouping.By, values)
			}
		}
	}
	return &x, err
}

// narrow has every expression select only series with these values.
func (x *Indicator) narrow(by, values []string) error {
	var failed error
	narrowed := func(expr string) string {
		if expr == "" || failed != nil {
			return expr
		}
		expr, failed = promexpr.Narrow(expr, by, values)
		return expr
	}
	x.Good, x.Bad, x.Total = narrowed(x.Good), narrowed(x.Bad), narrowed(x.Total)
	if x.Threshold != nil {
		t := *x.Threshold
		t.Expr = narrowed(t.Expr)
		x.Threshold = &t
	}
	if x.Raw != nil {
		r := *x.Raw
		r.Expr = narrowed(r.Expr)
		x.Raw = &r
	}
	return failed
}

// shorten makes a value fit to be shown.
func shorten(value string) string {
	value = strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", "\uFFFD"), "\uFFFD")
	if utf8.RuneCountInString(value) <= shownValue {
		return value
	}
	return string([]rune(value)[:shownValue]) + "…"
}

// present are the expressions that tell which instances there are: those without
// which nothing is known.
func (d *Definition) present() []ask {
	return slices.DeleteFunc(d.asks(), func(a ask) bool { return a.Field == "good" || a.Field == "bad" })
}

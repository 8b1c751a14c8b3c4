package database

import (
	"strconv"
	"strings"
)

// Where collects the conditions of a filtered list, which sqlc cannot write
// because they differ from call to call. Values never become part of the text.
type Where struct {
	conditions []string
	args       []any
}

// And adds a condition in which each ? stands for the next value.
func (w *Where) And(condition string, values ...any) {
	var b strings.Builder
	rest := condition
	for _, v := range values {
		before, after, found := strings.Cut(rest, "?")
		if !found {
			panic("database: more values than ? in " + condition)
		}
		b.WriteString(before)
		b.WriteString(w.Arg(v))
		rest = after
	}
	b.WriteString(rest)
	w.conditions = append(w.conditions, b.String())
}

// AnyOf adds that column equals one of the values; one that ends in "*" stands
// for everything that begins so. No value at all adds nothing.
func (w *Where) AnyOf(column string, values []string) {
	var alternatives, plain []string
	for _, v := range values {
		if prefix, ok := strings.CutSuffix(v, "*"); ok {
			alternatives = append(alternatives, column+" LIKE "+w.Arg(escapeLike(prefix)+"%")+` ESCAPE '\'`)
			continue
		}
		plain = append(plain, w.Arg(v))
	}
	if len(plain) > 0 { // thousands of alternatives would be too deep a tree
		alternatives = append(alternatives, column+" IN ("+strings.Join(plain, ", ")+")")
	}
	if len(alternatives) > 0 {
		w.conditions = append(w.conditions, "("+strings.Join(alternatives, " OR ")+")")
	}
}

// NoneOf adds the opposite of AnyOf: that column equals none of the values.
func (w *Where) NoneOf(column string, values []string) {
	if len(values) == 0 {
		return
	}
	w.AnyOf(column, values)
	last := len(w.conditions) - 1
	w.conditions[last] = "NOT " + w.conditions[last]
}

// Contains adds that one of the columns holds what a person looks for, whatever
// its case. Looking for nothing adds nothing.
func (w *Where) Contains(sought string, columns ...string) {
	sought = strings.ToLower(strings.TrimSpace(sought))
	if sought == "" {
		return
	}
	arg := w.Arg("%" + escapeLike(sought) + "%")
	alternatives := make([]string, len(columns))
	for i, c := range columns {
		alternatives[i] = "lower(" + c + ") LIKE " + arg + ` ESCAPE '\'`
	}
	w.conditions = append(w.conditions, "("+strings.Join(alternatives, " OR ")+")")
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s)
}

// Arg adds a value and returns its placeholder.
func (w *Where) Arg(value any) string {
	w.args = append(w.args, value)
	return "$" + strconv.Itoa(len(w.args))
}

// SQL is " WHERE …" with every condition, or nothing.
func (w *Where) SQL() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// Args are the values of all placeholders in order.
func (w *Where) Args() []any { return w.args }

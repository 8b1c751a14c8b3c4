package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/teiten/teiten/respond/alert/format"
)

// labels are an alert's labels in the least memory: names in order, each with its
// value.
type labels string

const labelEnd = "\x00"

// packLabels is what unpack takes apart. A NUL in a name or value, which would
// end it, is left out.
func packLabels(m map[string]string) labels {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		b.WriteString(strings.ReplaceAll(name, labelEnd, "") + labelEnd + strings.ReplaceAll(m[name], labelEnd, "") + labelEnd)
	}
	return labels(b.String())
}

// each calls f with every label in order.
func (l labels) each(f func(name, value string)) {
	for rest := string(l); rest != ""; {
		name, after, _ := strings.Cut(rest, labelEnd)
		value, next, _ := strings.Cut(after, labelEnd)
		f(name, value)
		rest = next
	}
}

func (l labels) unpack() map[string]string {
	m := map[string]string{}
	l.each(func(name, value string) { m[name] = value })
	return m
}

// common is what two have in common.
func (l labels) common(other labels) labels {
	if l == other {
		return l
	}
	there := other.unpack()
	m := map[string]string{}
	l.each(func(name, value string) {
		if v, ok := there[name]; ok && v == value {
			m[name] = value
		}
	})
	return packLabels(m)
}

// Fingerprint identifies an alert among those of all integrations: by the key
// that its source gave it, or else by its labels.
func Fingerprint(integration string, a *format.Alert) string {
	h := sha256.New()
	h.Write([]byte(integration + labelEnd))
	if a.Key != "" {
		h.Write([]byte("key" + labelEnd + a.Key))
	} else {
		h.Write([]byte("labels" + labelEnd + string(packLabels(a.Labels))))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// content identifies what a source says of an alert, so that saying the same
// again changes nothing but a count.
func content(a *format.Alert) string {
	h := sha256.New()
	for _, s := range []string{string(a.Severity), a.Title, a.Body, a.Link, a.Runbook, string(packLabels(a.Labels)), string(packLabels(a.Annotations))} {
		h.Write([]byte(s + labelEnd + labelEnd))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

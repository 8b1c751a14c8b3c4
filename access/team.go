package access

import "strings"

// teamRef is the reference of a team however it was written: payments,
// team:payments, group:default/payments.
func teamRef(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if kind, name, ok := strings.Cut(s, ":"); ok && (kind == "team" || kind == "group") {
		s = name
	}
	if ns, name, ok := strings.Cut(s, "/"); ok && ns == "default" {
		s = name
	}
	return "team:" + s
}

package check

import (
	"strings"
	"testing"
)

func FuzzJSONPathsDoNotPanicAndLeadSomewhere(f *testing.F) {
	for _, s := range []string{"$", "$.a.b[0]", "$['a b'][-1].c", "$[", "$.", `$["x"]y`, "$..a"} {
		f.Add(s, `{"a": {"b": [1, 2]}, "a b": [{"c": null}]}`)
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		p, err := parsePath(path)
		if err != nil {
			return
		}
		if v, err := decodeJSON([]byte(body)); err == nil {
			p.in(v)
		}
	})
}

func FuzzStatusesReadAsTheyAreWritten(f *testing.F) {
	for _, s := range []string{"200", "2xx", "200-299", "9xx", "-", "299-200"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var a, b Status
		if a.UnmarshalText([]byte(s)) != nil {
			return
		}
		if err := b.UnmarshalText([]byte(a.String())); err != nil || a != b {
			t.Errorf("%q reads as %v and writes as %q", s, a, a.String())
		}
	})
}

func FuzzAnswersFromTheNetworkDoNotPanic(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x02\x08\x01"))
	f.Add([]byte("0\xff" + strings.Repeat("0", 255)))
	f.Add([]byte("\x12\x34\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00\x01x\x00\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if n, err := healthStatus(raw); err == nil && n < 0 {
			t.Error("a negative status")
		}
		caa(raw)
		if m, err := parseDNS(raw); err == nil {
			for _, a := range m.Answers {
				record(a.Body)
			}
		}
	})
}

func FuzzFillingLeavesNoPlaceOpen(f *testing.F) {
	f.Add("/orders/{{id}}?q={{ x }}", "a b&c")
	f.Fuzz(func(t *testing.T, s, v string) {
		known := values{"id": v, "x": v}
		out, err := known.fillURL(s)
		if err == nil && !strings.Contains(s, v) && v != "" && strings.Contains(out, "{{id}}") {
			t.Errorf("%q became %q", s, out)
		}
		shownURL(s)
	})
}
